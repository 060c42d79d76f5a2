"""Transfers to the chips: how often and when they are tried again, and in which order pages are
written. On a wire and a timer of the test's own, so that every try and every pause is counted.
"""

from eecluster.eeprom import Eeproms
from eecluster.layout import Layout
from eecluster.slots import Slots
from support import raises

TRIES = 5
WRITE_US = 5000  # AT24C256: write cycle, at most; clones: twice that
CLONE_US = 10000
TRANSFER_US = 100
PERIOD = 1 << 30  # where MicroPython's ticks wrap
ERRNOS = (5, 19, 110, 116, 264, 1, 0, -1, 12345)


class Timer:
    """Time that only sleeping and transfers take."""

    def __init__(self, now_us=50000):
        self.now_us = now_us
        self.pauses = []

    def sleep_us(self, us):
        assert us > 0
        self.pauses.append(us)
        self.now_us += us

    def ticks_us(self):
        return self.now_us % PERIOD

    def ticks_diff(self, later, earlier):
        return (later - earlier + PERIOD // 2) % PERIOD - PERIOD // 2


class Wire:
    """Chips of 32 KB at 0x50 and up. `log` has every transfer: (kind, chip, address, answered).

    nacks[k]: how many transfers to chip k fail from now on; errno: with which error. lossy[k]: how
    many writes to chip k raise nothing and store only their first byte. cycle_us: how long a chip
    does not answer after a write.
    """

    def __init__(self, timer, chips=3, cycle_us=0):
        self.timer = timer
        self.cycle_us = cycle_us
        self.chips = [bytearray(b"\xff" * 32768) for _ in range(chips)]
        self.busy_until_us = [0] * chips
        self.nacks = [0] * chips
        self.lossy = [0] * chips
        self.errno = 19
        self.log = []

    def transfer(self, kind, address, at, addrsize):
        assert addrsize == 16
        k = address - 0x50
        self.timer.now_us += TRANSFER_US
        answered = not self.nacks[k] and self.timer.now_us >= self.busy_until_us[k]
        self.log.append((kind, k, at, answered))
        if self.nacks[k]:
            self.nacks[k] -= 1
        if not answered:
            raise OSError(self.errno)
        return k

    def readfrom_mem_into(self, address, at, data, *, addrsize=8):
        k = self.transfer("r", address, at, addrsize)
        data[:] = self.chips[k][at : at + len(data)]

    def writeto_mem(self, address, at, data, *, addrsize=8):
        k = self.transfer("w", address, at, addrsize)
        count = len(data)
        if self.lossy[k]:
            self.lossy[k] -= 1
            count = 1
        self.chips[k][at : at + count] = data[:count]
        self.busy_until_us[k] = self.timer.now_us + self.cycle_us

    def order(self):
        """The transfers so far as text, like `w0 r1`; a `!` behind those without an answer."""
        log = self.log
        self.log = []
        return " ".join(["%s%d%s" % (e[0], e[1], "" if e[3] else "!") for e in log])


def layout(page_size=64):
    return Layout(2, 3, 0, 1, 32768, page_size, 0)


def chips(node=0, now_us=50000, cycle_us=0):
    timer = Timer(now_us)
    wire = Wire(timer, 3, cycle_us)
    return Eeproms(wire, (0x50, 0x51, 0x52), layout(), timer, node), wire, timer


# One transfer


def test_a_chip_that_answers_is_asked_once():
    eeproms, wire, timer = chips()
    data = bytearray(8)
    eeproms.write(1, 64, b"12345678")
    eeproms.read(1, 64, data)
    assert data == b"12345678"
    assert wire.log == [("w", 1, 64, True), ("r", 1, 64, True)]
    assert timer.pauses == []


def test_tries():
    for nacks in range(TRIES):
        eeproms, wire, timer = chips()
        wire.chips[2][64:68] = b"abcd"
        wire.nacks[2] = nacks
        data = bytearray(4)
        eeproms.read(2, 64, data)
        assert data == b"abcd"
        assert wire.log == [("r", 2, 64, False)] * nacks + [("r", 2, 64, True)]
        assert len(timer.pauses) == nacks
        wire.log = []
        wire.nacks[0] = nacks
        eeproms.write(0, 64, b"efgh")
        assert wire.log == [("w", 0, 64, False)] * nacks + [("w", 0, 64, True)]
        assert wire.chips[0][64:68] == b"efgh"


def test_a_silent_chip_is_given_up_with_the_ports_errno():
    for errno in ERRNOS:
        for call, data in (("read", bytearray(4)), ("write", b"1234")):
            eeproms, wire, timer = chips()
            wire.nacks[1] = 1000
            wire.errno = errno
            with raises(OSError) as caught:
                getattr(eeproms, call)(1, 64, data)
            assert caught.error.args[0] == errno
            assert wire.log == [(call[0], 1, 64, False)] * TRIES
            assert len(timer.pauses) == TRIES - 1  # none after the last try
            assert data in (bytes(4), b"1234")


def test_never_ten_failures_in_a_row():
    """At every 10th the ESP32's older driver resets the bus, whoever is using it."""
    eeproms, wire, _ = chips(cycle_us=CLONE_US)
    eeproms.write(1, 64, b"1")
    for call, data in ((eeproms.read, bytearray(1)), (eeproms.write, b"2")):
        wire.nacks[1] = 1000
        wire.log = []
        with raises(OSError):
            call(1, 64, data)
        assert len(wire.log) == TRIES < 10


def test_the_last_error_counts():
    eeproms, wire, _ = chips()
    errors = [5, 19, 110, 116, 264]
    transfer = wire.transfer

    def failing(*args):
        wire.errno = errors.pop(0)
        return transfer(*args)

    wire.transfer = failing
    wire.nacks[0] = 1000
    with raises(OSError) as caught:
        eeproms.read(0, 64, bytearray(1))
    assert caught.error.args[0] == 264
    assert errors == []


def test_other_errors_pass_at_once():
    for kind in (ValueError, TypeError, KeyboardInterrupt, MemoryError):
        eeproms, wire, timer = chips()
        calls = []

        def broken(*args, kind=kind, calls=calls, **options):
            calls.append(args)
            raise kind("broken")

        wire.readfrom_mem_into = broken
        with raises(kind, "broken"):
            eeproms.read(0, 64, bytearray(1))
        assert (len(calls), timer.pauses) == (1, [])


# Pauses


def pauses(node, now_us):
    """Those of a read from a silent chip to which nothing was written lately."""
    eeproms, wire, timer = chips(node, now_us)
    wire.nacks[0] = 1000
    with raises(OSError):
        eeproms.read(0, 64, bytearray(1))
    return timer.pauses


def test_pauses_grow_and_jitter():
    seen = set()
    for node in range(8):
        for now_us in range(50000, 52048, 89):
            found = pauses(node, now_us)
            for i in range(TRIES - 1):
                assert (i + 1) * 1000 <= found[i] < (i + 1) * 1000 + 1024, (node, now_us, found)
                seen.add(found[i] - (i + 1) * 1000)
            assert CLONE_US <= sum(found) <= CLONE_US + 4 * 1024
    assert min(seen) < 50
    assert max(seen) > 973


def test_two_boards_do_not_meet_for_ever():
    for now_us in (50000, 123456, 999999):
        found = [pauses(node, now_us) for node in range(8)]
        for i in range(TRIES - 1):
            assert len({each[i] for each in found}) == 8, (now_us, i)


# The write cycle


def test_a_chip_that_writes_is_waited_for():
    for used_us in (0, 1, 1000, 4700):
        eeproms, wire, timer = chips(cycle_us=WRITE_US)
        eeproms.write(0, 64, b"new")
        timer.now_us += used_us
        data = bytearray(3)
        eeproms.read(0, 64, data)
        assert data == b"new"
        assert wire.order() == "w0 r0! r0"
        # one pause, to the end of the cycle
        assert timer.pauses == [WRITE_US - used_us - TRANSFER_US], used_us


def test_the_next_write_waits_too():
    eeproms, wire, timer = chips(cycle_us=WRITE_US)
    eeproms.write(0, 64, b"1")
    eeproms.write(0, 128, b"2")
    eeproms.write(0, 192, b"3")
    assert wire.order() == "w0 w0! w0 w0! w0"
    assert timer.pauses == [WRITE_US - TRANSFER_US] * 2


def test_a_chip_without_a_write_cycle_is_not_waited_for():
    eeproms, wire, timer = chips(cycle_us=0)  # FRAM
    for at in (64, 128, 192):
        eeproms.write(0, at, b"1")
        eeproms.read(0, at, bytearray(1))
    assert timer.pauses == []


def test_a_clone_is_waited_for():
    eeproms, wire, timer = chips(cycle_us=CLONE_US)
    eeproms.write(0, 64, b"1")
    eeproms.read(0, 64, bytearray(1))
    assert timer.pauses[0] == WRITE_US - TRANSFER_US
    assert 2000 <= timer.pauses[1] < 3024  # the second pause, as without a write
    assert wire.log[-1][3]
    assert len(wire.log) <= 1 + TRIES


def test_another_chips_write_does_not_matter():
    eeproms, wire, timer = chips(cycle_us=WRITE_US)
    eeproms.write(0, 64, b"1")
    wire.nacks[1] = 1
    eeproms.read(1, 64, bytearray(1))
    assert 1000 <= timer.pauses[0] < 2024
    assert len(timer.pauses) == 1


def test_a_write_that_failed_starts_no_cycle():
    eeproms, wire, timer = chips()
    wire.nacks[0] = TRIES + 1
    with raises(OSError):
        eeproms.write(0, 64, b"1")
    timer.pauses = []
    eeproms.read(0, 64, bytearray(1))
    assert 1000 <= timer.pauses[0] < 2024


def test_ticks_wrap_in_a_write_cycle():
    eeproms, wire, timer = chips(now_us=PERIOD - 150, cycle_us=WRITE_US)
    eeproms.write(0, 64, b"1")  # ends 50 us before the wrap
    eeproms.read(0, 64, bytearray(1))
    assert wire.order() == "w0 r0! r0"
    assert timer.pauses == [WRITE_US - TRANSFER_US]


def test_pauses_are_bounded_whatever_the_ticks_say():
    for now_us in (0, 1, 4999, 5000, PERIOD // 2 - 1, PERIOD // 2, PERIOD // 2 + 1, PERIOD - 1):
        found = pauses(0, now_us)
        assert len(found) == TRIES - 1
        assert sum(found) <= 4 * 5 * 1024, (now_us, found)


# A record on several chips


def slots(page_size=64, count=2, cycle_us=0):
    """Node 0 with its first record on all chips."""
    timer = Timer()
    wire = Wire(timer, count, cycle_us)
    form = Layout(2, count, 0, 1, 32768, page_size, 0)
    made = Slots(wire, tuple(range(0x50, 0x50 + count)), form, timer, 0)
    mine = form.new(0)
    made.look()
    assert made.store(mine) == (1 << count) - 1
    made.look()
    wire.log = []
    timer.pauses = []
    return made, mine, wire, timer


def copies(made, wire, k):
    """The revisions in copies A and B of node 0 on a chip, None for a copy that is not valid."""
    found = []
    for at in made.layout.slots[:2]:
        data = bytes(wire.chips[k][at : at + made.layout.size])
        valid = made.layout.intact(data, 0, k)
        found.append(made.layout.unpack(data, 0).revision if valid else None)
    return found


def test_writes_overlap():
    for count, order in ((1, "w0 r0"), (2, "w0 w1 r0 r1"), (3, "w0 w1 w2 r0 r1 r2")):
        made, mine, wire, _ = slots(count=count)
        assert made.store(mine) == (1 << count) - 1
        assert wire.order() == order


def test_writes_overlap_with_two_pages_a_copy():
    made, mine, wire, _ = slots(page_size=32, count=3)
    made.store(mine)
    pages = [entry[2] for entry in wire.log]
    assert wire.order() == "w0 w1 w2 w0 w1 w2 r0 r1 r2"
    copy = made.layout.slots[1]
    assert pages == [copy] * 3 + [copy + 32] * 3 + [copy] * 3


def test_the_write_cycles_of_all_chips_take_the_time_of_one():
    for count in (1, 2, 8):
        made, mine, wire, timer = slots(count=count, cycle_us=WRITE_US)
        timer.now_us += CLONE_US
        start_us = timer.now_us
        assert made.store(mine) == (1 << count) - 1
        assert len(wire.log) <= 3 * count
        assert timer.now_us - start_us <= WRITE_US + (2 * count + 1) * TRANSFER_US


def test_copies_are_written_in_turn():
    made, mine, wire, _ = slots()
    assert copies(made, wire, 0) == [1, None]
    for expected in ([1, 2], [3, 2], [3, 4]):
        made.store(mine)
        assert copies(made, wire, 0) == copies(made, wire, 1) == expected


def test_a_write_that_did_not_arrive_is_written_once_more():
    made, mine, wire, _ = slots(count=3)
    wire.lossy[1] = 1
    assert made.store(mine) == 0b111
    assert wire.order() == "w0 w1 w2 r0 r1 r2 w1 r1"
    assert made.view.good == made.view.fresh == 0b111
    assert copies(made, wire, 1) == [1, 2]


def test_and_then_given_up():
    made, mine, wire, _ = slots(count=3)
    wire.lossy[1] = 1000
    assert made.store(mine) == 0b101
    assert wire.order() == "w0 w1 w2 r0 r1 r2 w1 r1"
    assert made.view.good == made.view.fresh == 0b101
    assert copies(made, wire, 1) == [1, None]  # the other copy was left alone
    assert made.store(mine) == 0b101
    assert wire.order() == "w0 w2 r0 r2"  # not before the next look finds it good
    wire.lossy[1] = 0
    made.look()
    wire.log = []
    assert made.store(mine) == 0b111
    assert copies(made, wire, 1) == [1, 4]  # over the broken copy


def test_a_chip_that_falls_silent_is_written_once_more_and_given_up():
    made, mine, wire, _ = slots()
    wire.nacks[1] = 1000
    assert made.store(mine) == 0b01
    assert len([entry for entry in wire.log if not entry[3]]) <= 4 * TRIES
    assert wire.log[0] == ("w", 0, made.layout.slots[1], True)  # the other chip did not wait for it
    assert copies(made, wire, 0) == [1, 2]


def test_a_chip_that_is_back_at_the_second_attempt():
    made, mine, wire, _ = slots()
    wire.nacks[1] = 2 * TRIES
    assert made.store(mine) == 0b11
    assert copies(made, wire, 1) == [1, 2]
