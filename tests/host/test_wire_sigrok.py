"""sigrok as the judge: its decoders, written by others for real captures, must read from the
simulated lines the transfers that the model says took place.

The lines go to a VCD file, `sigrok-cli` decodes it with `i2c` and, on top of that, `eeprom24xx`.
What the model says is `world.bus.trace` for the masters, and for a master made of pins its own log.

What is peculiar to sigrok's decoders (libsigrokdecode 0.5.3): `i2c` looks for START and STOP only
where a data byte is due, not within the address byte or at the ninth bit. `eeprom24xx` calls one
byte a page too, because it counts the address bytes in, knows no current-address read of more than
one byte, and fails on a STOP right after the address bytes.
"""

import io
import os
import re
import shutil
import subprocess

import pytest
from vcd.reader import TokenKind, tokenize

from eecluster_sim import DRIVERS, World
from eecluster_sim.rand import Random
from eecluster_sim.wire import vcd
from wire_kit import HELLO, PinMaster, make

MS = 1_000_000
PAGE = 64
I2C = "i2c:scl=scl:sda=sda"
EEPROM = "eeprom24xx:chip=onsemi_cat24c256"


@pytest.fixture
def sigrok(tmp_path):
    """sigrok(record): the two lists of what `i2c` and `eeprom24xx` found in it."""
    program = shutil.which("sigrok-cli")
    if program is None:
        why = "sigrok-cli is not installed (Debian, Ubuntu: apt-get install sigrok-cli)"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)

    def decode(record, eeprom=True):
        path = tmp_path / "lines.vcd"
        vcd.write(path, record, gap_ns=100_000)
        stack, shown = I2C, "i2c=addr-data:warnings"
        if eeprom:
            stack, shown = f"{I2C},{EEPROM}", f"{shown},eeprom24xx=ops:warnings"
        command = [program, "-I", "vcd", "-i", path, "-P", stack, "-A", shown]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        return parse(done.stdout)

    return decode


def parse(output):
    """What each decoder said, in order; without the names of the R/W bit, which stands alone."""
    said = {"i2c-1": [], "eeprom24xx-1": []}
    for line in output.splitlines():
        decoder, _, text = line.partition(": ")
        if text not in ("Read", "Write"):
            said[decoder].append(text)
    return said["i2c-1"], said["eeprom24xx-1"]


# What the model says, in the words of the decoders


def transfers(trace):
    """What `i2c` must say about these transfers."""
    said = []
    for _, _, _, way, address, memaddr, moved, acked in trace:
        writes = way == "w" or memaddr is not None
        said += ["Start", f"Address {'write' if writes else 'read'}: {address:02X}"]
        if not acked:
            said += ["NACK", "Stop"]
            continue
        said.append("ACK")
        sent = b"" if memaddr is None else memaddr.to_bytes(2, "big")
        for byte in sent + (moved if way == "w" else b""):
            said += [f"Data write: {byte:02X}", "ACK"]
        if way == "r":
            if memaddr is not None:
                said += ["Start repeat", f"Address read: {address:02X}", "ACK"]
            for byte in moved:
                said += [f"Data read: {byte:02X}", "ACK"]
            said[-1] = "NACK"
        said.append("Stop")
    return said


def operations(trace):
    """What `eeprom24xx` must say about them."""
    said = []
    for _, _, _, way, _, memaddr, moved, acked in trace:
        if not acked:
            said.append("Warning: No reply from slave!")
        elif memaddr is None:
            if way == "w":
                said.append("Warning: Slave replied, but master aborted!")
            elif len(moved) == 1:
                said.append(f"Current address read: {moved.hex().upper()}")
        else:
            count = f"{len(moved)} byte{'s' if len(moved) > 1 else ''}"
            name = "Page write" if way == "w" else "Sequential random read"
            said.append(f"{name} (addr={memaddr:04X}, {count}): {moved.hex(' ').upper()}")
            if way == "w":
                said += page_warnings(memaddr, len(moved))
    return said


def page_warnings(memaddr, n):
    if n > PAGE:
        yield f"Warning: Wrote {n} bytes but page size is only {PAGE} bytes!"
    first, last = memaddr // PAGE, (memaddr + n - 1) // PAGE
    if first != last:
        yield f"Warning: Page write crossed page boundary from page {first} to {last}!"


# Masters


class Bench:
    """Two chips, and two boards that have each made their I2C object before the record begins."""

    def __init__(self, driver="softi2c", seed=1):
        self.world = World(seed, wires=True)
        self.chips = [self.world.add_eeprom("24LC256", address) for address in (0x50, 0x51)]
        self.chips[0].load(HELLO)
        self.boards = [self.world.add_board(node, driver) for node in (0, 1)]
        self.i2cs = [board.make_i2c() for board in self.boards]
        self.i2c = self.i2cs[0]
        self.world.bus.trace = []
        self.world.lines.record = []

    def write(self, memaddr, data, node=0, address=0x50):
        self.i2cs[node].writeto_mem(address, memaddr, data, addrsize=16)

    def read(self, memaddr, n, node=0, address=0x50):
        return self.i2cs[node].readfrom_mem(address, memaddr, n, addrsize=16)

    def rest_ms(self, ms=6, node=0):
        self.boards[node].timer.sleep_ms(ms)
        self.boards[node].cpu.settle()  # for the other board too

    def refused(self, call, *args):
        with pytest.raises(OSError):
            call(*args)

    def judged_by(self, sigrok):
        said, meant = sigrok(self.world.lines.record)
        trace = self.world.bus.trace
        assert trace
        assert said == transfers(trace)
        assert meant == operations(trace)
        return said, meant


def page_write(bench):
    bench.write(0x40, bytes(range(0x80, 0xC0)))


def byte_write(bench):
    bench.write(0x1234, b"\xa5")


def roll_over(bench):
    bench.write(0x7E, b"ABCD")
    bench.rest_ms()
    assert bench.read(0x40, 2) == b"CD"


def more_than_a_page(bench):
    bench.write(0x10, bytes(range(70)))


def random_read(bench):
    assert bench.read(1, 1) == b"e"


def sequential_read(bench):
    bench.chips[0].data[-2:] = b"yz"
    assert bench.read(0x7FFE, 7) == b"yz" + HELLO


def current_address_read(bench):
    assert bench.read(0, 1) == b"h"
    assert bench.i2c.readfrom(0x50, 1) == b"e"
    assert bench.i2c.readfrom(0x50, 3) == b"llo"


def acknowledge_polling(bench):
    bench.write(0, b"new")
    polls = 0
    while True:
        polls += 1
        try:
            bench.i2c.writeto(0x50, b"")
            break
        except OSError:
            bench.rest_ms(1)
    assert 4 < polls < 8
    assert bench.read(0, 5) == b"newlo"


def absent_chip(bench):
    bench.refused(bench.i2c.writeto, 0x52, b"\x00\x00")
    bench.refused(bench.i2c.readfrom, 0x52, 1)
    bench.refused(bench.read, 0, 3, 0, 0x57)
    assert bench.read(0, 5) == HELLO


def two_boards(bench):
    bench.write(0x00, b"first", node=0)
    bench.write(0x40, b"other chip", node=1, address=0x51)
    bench.rest_ms()
    bench.write(0x20, b"second", node=1)
    bench.rest_ms()
    assert bench.read(0x20, 6, node=0) == b"second"
    assert bench.read(0x00, 5, node=1) == b"first"


def scan(bench):
    assert bench.i2c.scan() == [0x50, 0x51]


SCENARIOS = [
    page_write,
    byte_write,
    roll_over,
    more_than_a_page,
    random_read,
    sequential_read,
    current_address_read,
    acknowledge_polling,
    absent_chip,
    two_boards,
    scan,
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_transfers(sigrok, scenario):
    bench = Bench()
    scenario(bench)
    bench.judged_by(sigrok)


def test_all_kinds_of_transfer_were_judged(sigrok):
    """The words of sigrok itself, so that no scenario passes because it says nothing."""
    bench = Bench()
    for scenario in (page_write, random_read, current_address_read, absent_chip):
        bench.rest_ms()
        scenario(bench)
    bench.rest_ms()
    roll_over(bench)
    said, meant = bench.judged_by(sigrok)
    kinds = {re.split(r": | \(", text)[0] for text in said + meant}
    assert kinds >= {"Start", "Start repeat", "Stop", "ACK", "NACK"}
    assert kinds >= {"Address write", "Address read", "Data write", "Data read"}
    assert kinds >= {"Page write", "Sequential random read", "Current address read"}
    assert "Page write (addr=007E, 4 bytes): 41 42 43 44" in meant
    assert "Warning: Page write crossed page boundary from page 1 to 2!" in meant
    assert "Warning: No reply from slave!" in meant


@pytest.mark.parametrize("driver", sorted(DRIVERS))
@pytest.mark.parametrize("seed", range(3))
def test_a_long_mix(sigrok, driver, seed):
    bench = Bench(driver, seed)
    random = Random(seed)
    for _ in range(60):
        node, address = random.below(2), 0x50 + random.below(3)  # 0x52 is nobody's
        memaddr, n = random.below(0x8000), 1 + random.below(20)
        kind = random.below(8)
        try:
            if kind < 3:
                bench.write(memaddr, random.bytes(n), node, address)
            elif kind < 6:
                bench.read(memaddr, n, node, address)
            elif kind == 6:
                bench.i2cs[node].readfrom(address, 1)
            else:
                bench.i2cs[node].writeto(address, b"")
        except OSError:  # absent or writing: in the trace
            pass
        if random.below(2):
            bench.rest_ms(1 + random.below(8), node)
    said, _ = bench.judged_by(sigrok)
    assert said.count("Stop") == 60 and said.count("NACK") > 20


def test_a_constructor_is_no_transfer(sigrok):
    world = World(1, wires=True)
    world.add_eeprom("24LC256", 0x50).load(HELLO)
    board = world.add_board(0)
    world.bus.trace = []
    world.lines.record = []
    i2c = board.make_i2c()
    assert len(world.lines.record) > 1  # its STOP
    assert i2c.readfrom_mem(0x50, 0, 5, addrsize=16) == HELLO
    said, _ = sigrok(world.lines.record)
    assert said == transfers(world.bus.trace)


# A master made of pins


class LoggedMaster(PinMaster):
    """Keeps what a decoder must see, from the master's side."""

    def __init__(self, board):
        super().__init__(board)
        self.log = []
        self._running = False
        self._addressed = self._reads = False

    def start(self):
        super().start()
        self.log.append("Start repeat" if self._running else "Start")
        self._running = True
        self._addressed = self._reads = False

    def stop(self):
        super().stop()
        self.log.append("Stop")
        self._running = False

    def send(self, byte):
        acked = super().send(byte)
        if self._addressed:
            self._note("Data write", byte, acked)
        else:
            self._addressed = True
            self._reads = byte & 1
            self._note("Address read" if self._reads else "Address write", byte >> 1, acked)
        return acked

    def take(self, ack):
        byte = super().take(ack)
        self._note("Data read", byte, ack)
        return byte

    def _note(self, what, value, acked):
        self.log += [f"{what}: {value:02X}", "ACK" if acked else "NACK"]


def logged():
    world, chip, master = make(record=True)
    return world, chip, LoggedMaster(master.board)


def test_master_code(sigrok):
    """0000 1nnn, which nobody acknowledges, and STOP; then a transfer as always."""
    world, _, master = logged()
    for code in range(8):
        master.start()
        assert not master.send(0x08 | code)
        master.stop()
        assert master.read_at(0x50, 0, 2) == HELLO[:2]
    said, meant = sigrok(world.lines.record)
    assert said == master.log
    assert said[:4] == ["Start", "Address write: 04", "NACK", "Stop"]
    assert (
        meant
        == [
            "Warning: No reply from slave!",
            "Sequential random read (addr=0000, 2 bytes): 68 65",
        ]
        * 8
    )


def test_bus_recovery(sigrok):
    """The master dies after three bits of a byte; another board gives nine clocks and a STOP."""
    world, chip, master = make(record=True)
    chip.load(b"\x00\x81")
    assert master.call(0x50, 1)
    master.clocks(3)
    master.board.timer.sleep_us(2)
    master.board.cpu.settle()
    master.board.power_off()
    assert master.sda.end.line.end(chip).drives == 0
    rescuer = LoggedMaster(world.add_board(1))
    assert rescuer.clocks(9) == [0] * 5 + [1] * 4
    rescuer.stop()
    assert rescuer.read_at(0x50, 0, 2) == b"\x00\x81"
    said, meant = sigrok(world.lines.record)
    assert said == ["Start", "Address read: 50", "ACK", "Data read: 00", "NACK", *rescuer.log]
    assert meant == [
        "Current address read: 00",
        "Sequential random read (addr=0000, 2 bytes): 00 81",
    ]


def odd_things(master, random):
    """A few bytes, then what may come at any place: bits, START, STOP."""
    for _ in range(40):
        master.call(0x50 + random.below(2), 0)
        for _ in range(random.below(6)):
            master.send(random.below(256))
        if random.below(2):
            master.bits("1" * random.below(7))
            master.call(0x50, random.below(2))
            if master.log[-2:] == ["Address read: 50", "ACK"]:
                for _ in range(random.below(4)):
                    master.take(True)
                master.take(False)
        master.bits("10"[random.below(2)] * random.below(7))
        master.stop()
        if random.below(2):
            master.board.timer.sleep_ms(random.below(7))


@pytest.mark.parametrize("seed", range(8))
def test_odd_things(sigrok, seed):
    world, _, master = logged()
    odd_things(master, Random(seed))
    said, _ = sigrok(world.lines.record, eeprom=False)
    assert said == master.log
    assert "Start repeat" in said and any(text.startswith("Data read") for text in said)


# The files


def tokens(text):
    return list(tokenize(io.BytesIO(text.encode())))


def written(record, **options):
    """{name: [(tick, value), ...]} with what was there at first, and the ticks of the file."""
    file = io.StringIO()
    vcd.write(file, record, **options)
    names, values, tick = {}, {}, 0
    for token in tokens(file.getvalue()):
        if token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
            values[token.var.reference] = []
        elif token.kind is TokenKind.CHANGE_TIME:
            tick = token.time_change
        elif token.kind is TokenKind.CHANGE_SCALAR:
            values[names[token.scalar_change.id_code]].append((tick, token.scalar_change.value))
        elif token.kind is TokenKind.TIMESCALE:
            assert str(token.timescale) == "100 ns"
    return values, tick


def test_levels_and_times():
    record = [(2000, "scl/node0", 0), (2000, "scl", 0), (4000, "scl/node0", None), (4300, "scl", 1)]
    values, end = written(record)
    assert values == {
        "scl": [(0, "1"), (20, "0"), (43, "1")],
        "scl_node0": [(0, "z"), (20, "0"), (40, "z")],
    }
    assert end > 43  # a decoder does not look at the last tick


def test_what_was_there_before():
    values, _ = written([(500, "busy", 1), (600, "sda/0x50", None), (700, "sda/0x51", 1)])
    assert values["busy"][0] == (0, "0")
    assert values["sda_0x50"][0] == (0, "x")
    assert values["sda_0x51"][0] == (0, "z")


def test_lines_never_change_in_one_tick():
    values, _ = written([(1010, "scl", 0), (1020, "sda", 0), (1090, "sda", 1), (1300, "scl", 1)])
    assert values["scl"][1:] == [(10, "0"), (13, "1")]
    assert values["sda"][1:] == [(11, "0"), (12, "1")]


def test_changes_are_sorted_by_time():
    values, _ = written([(900, "scl", 1), (500, "scl", 0), (500, "sda", 0)])
    assert values["scl"] == [(0, "1"), (5, "0"), (9, "1")]
    assert values["sda"][1] == (6, "0")


def test_gaps_are_cut():
    second = 1000 * MS
    record = [(second, "scl", 0), (second + 900, "scl", 1), (9 * second, "scl", 0)]
    assert written(record)[0]["scl"][1:] == [
        (10_000_000, "0"),
        (10_000_009, "1"),
        (90_000_000, "0"),
    ]
    assert written(record, gap_ns=1000)[0]["scl"][1:] == [(10, "0"), (19, "1"), (29, "0")]


def test_an_empty_record_and_a_path(tmp_path):
    path = tmp_path / "lines.vcd"
    vcd.write(path, [])
    assert "$enddefinitions" in path.read_text()
    assert written([])[0] == {}
