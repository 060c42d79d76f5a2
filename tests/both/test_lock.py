"""The locks on lines: one board against planned events, and planned duels of two.

Contests at random are in test_lock_contest.py, systematic ones in tests/host/test_lock_limits.py.
"""

import sys

import eecluster

LOADED_EARLY = "eecluster.lock" in sys.modules

from eecluster import BusArbitration, BusyLine, Cluster  # noqa: E402
from eecluster.lock import NoLock  # noqa: E402
from eecluster_sim.wire.lines import OPEN_DRAIN  # noqa: E402
from eecluster_sim.world import World  # noqa: E402
from lock_kit import (  # noqa: E402
    MS_NS,
    PAUSE_NS,
    STRATEGIES,
    US_NS,
    Duel,
    Pauses,
    all_high,
    arbitration,
    busy_line,
    call_of_start,
    rest,
    traffic,
)
from support import raises  # noqa: E402

LATE_MS = 15  # how much longer than its timeout acquire() may take: an arbitration that has begun


def bench(call_us=4, rate_ppm=0, node=2):
    """A world with wires, one EEPROM and one board."""
    world = World(1, wires=True)
    world.add_eeprom("24LC256", 0x50)
    board = world.add_board(node)
    board.cpu.call_ns = call_us * US_NS
    board.cpu.rate_ppm = rate_ppm
    return world, board


def acquire(board, lock, timeout_ms=3000):
    """What acquire() returned, and the true time that it took in ns."""
    since_ns = board.cpu.settle()
    won = lock.acquire(board.node, timeout_ms)
    return won, board.cpu.settle() - since_ns


def wire_of(make_lock, world):
    """A line that keeps this lock waiting while it is low."""
    return world.line("busy") if make_lock is busy_line else world.bus.sda


# Loading


def test_the_locks_are_loaded_when_asked_for():
    if sys.implementation.name == "micropython":  # elsewhere another test may have asked
        assert not LOADED_EARLY
    assert "eecluster.lock" in sys.modules
    assert eecluster.NoLock is NoLock
    with raises(AttributeError, "unheard_of"):
        eecluster.unheard_of  # noqa: B018


def test_no_lock():
    lock = NoLock()
    assert lock.acquire(0, 0) is True
    lock.release()


# Alone on the line


def test_an_idle_line_is_had_in_time():
    for make_lock, limit_ms in ((busy_line, 20), (arbitration, 50)):
        for call_us in (2, 5, 15):
            world, board = bench(call_us)
            won, took_ns = acquire(board, make_lock(board))
            assert won is True
            assert took_ns <= limit_ms * MS_NS, (make_lock.__name__, call_us, took_ns)


def test_the_first_look_must_be_followed_by_quiet():
    for make_lock, quiet_us in ((busy_line, 2500), (arbitration, 40000)):
        world, board = bench()
        world.lines.record = []
        acquire(board, make_lock(board))
        pulled_ns = [ns for ns, name, level in world.lines.record if level == 0]
        assert pulled_ns[0] >= quiet_us * US_NS


def test_all_node_ids():
    for make_lock in STRATEGIES:
        for node in range(8):
            world, board = bench(node=node)
            lock = make_lock(board)
            assert acquire(board, lock)[0] is True
            lock.release()
            assert all_high(world)


def test_busy_line_is_pulled_while_it_is_held():
    world, board = bench()
    lock = busy_line(board)
    assert acquire(board, lock)[0]
    assert world.line("busy").read(world.now_ns) == 0
    lock.release()
    assert all_high(world)


def test_arbitration_leaves_the_bus_to_the_holder():
    world, board = bench()
    assert acquire(board, arbitration(board))[0]
    assert all_high(world)
    i2c = board.make_i2c()
    i2c.writeto_mem(0x50, 0, b"held", addrsize=16)
    board.timer.sleep_ms(6)
    assert i2c.readfrom_mem(0x50, 0, 4, addrsize=16) == b"held"


def test_active_high():
    world, board = bench()
    line = world.line("up", pull=0)
    lock = BusyLine(board.pin(line), active=1, timer=board.timer)
    assert acquire(board, lock)[0]
    assert line.read(world.now_ns) == 1
    assert board.pin(line).end.pull == board.pin(line).PULL_DOWN
    lock.release()
    assert line.read(world.now_ns) == 0
    other = line.end("peer")
    other.drive(world.now_ns, 1)
    assert acquire(board, lock, 100)[0] is False
    other.drive(world.now_ns, None)
    assert line.read(world.now_ns) == 0
    assert acquire(board, lock)[0]


def test_both_polarities_switch_on_the_pull_to_the_idle_level():
    for active in (0, 1):
        world, board = bench()
        line = world.line("bare", pull=None)  # no resistor but the board's own
        lock = BusyLine(board.pin(line), active=active, timer=board.timer)
        assert acquire(board, lock)[0]
        assert line.read(world.now_ns) == active
        lock.release()
        world.now_ns += 10 * US_NS
        assert line.read(world.now_ns) == 1 - active


# Somebody else on the line


def test_a_held_line_is_waited_for():
    for make_lock in STRATEGIES:
        world, board = bench()
        lock = make_lock(board)
        peer = wire_of(make_lock, world).end("peer")
        peer.drive(0, 0)
        world.lines.at(30 * MS_NS, peer.drive, None)
        won, took_ns = acquire(board, lock)
        assert won is True
        assert took_ns >= 30 * MS_NS + lock.quiet_us * US_NS
        assert took_ns <= 30 * MS_NS + lock.quiet_us * US_NS + LATE_MS * MS_NS


def test_the_wait_for_a_stuck_line_is_bounded():
    cases = [(busy_line, "busy"), (arbitration, "sda"), (arbitration, "scl")]
    for make_lock, name in cases:
        for timeout_ms in (1, 50, 300):
            world, board = bench(call_us=15)
            line = world.line("busy") if name == "busy" else getattr(world.bus, name)
            line.stick(0, 0)
            won, took_ns = acquire(board, make_lock(board), timeout_ms)
            assert won is False
            assert timeout_ms * MS_NS <= took_ns <= (timeout_ms + LATE_MS) * MS_NS, name
            line.stick(world.now_ns, None)
            assert all_high(world)


def test_a_line_that_cannot_be_pulled_is_never_had():
    for make_lock in STRATEGIES:
        world, board = bench()
        wire_of(make_lock, world).stick(0, 1)
        won, took_ns = acquire(board, make_lock(board), 200)
        assert won is False
        assert took_ns <= (200 + LATE_MS) * MS_NS
        wire_of(make_lock, world).stick(world.now_ns, None)
        assert all_high(world)


def test_an_active_high_line_that_is_stuck():
    for level in (0, 1):
        world, board = bench()
        line = world.line("up", pull=0)
        line.stick(0, level)
        won, took_ns = acquire(board, BusyLine(board.pin(line), active=1, timer=board.timer), 100)
        assert won is False
        assert took_ns <= (100 + LATE_MS) * MS_NS
        line.stick(world.now_ns, None)
        assert line.read(world.now_ns) == 0


def test_timeout_0_fails_at_once_and_pulls_nothing():
    for make_lock in STRATEGIES:
        world, board = bench()
        world.lines.record = []
        won, took_ns = acquire(board, make_lock(board), 0)
        assert won is False
        assert took_ns <= MS_NS
        assert world.lines.record == []


def test_a_timeout_shorter_than_the_quiet_time_fails():
    for make_lock in STRATEGIES:
        world, board = bench()
        lock = make_lock(board)
        assert acquire(board, lock, lock.quiet_us // 1000 - 1)[0] is False
        assert all_high(world)


def test_a_start_seen_while_waiting_begins_the_wait_anew():
    for make_lock in STRATEGIES:
        world, board = bench()
        lock = make_lock(board)
        peer = wire_of(make_lock, world).end("peer")
        at_ns = (lock.quiet_us - 800) * US_NS
        world.lines.at(at_ns, peer.drive, 0)
        world.lines.at(at_ns + 570 * US_NS, peer.drive, None)  # START_US of a clock 5 % fast
        won, took_ns = acquire(board, lock)
        assert won is True
        assert took_ns >= at_ns + 570 * US_NS + lock.quiet_us * US_NS


def test_a_pull_in_a_1_bit_loses_and_in_a_0_bit_does_not_matter():
    for make_lock in STRATEGIES:
        for node in range(8):
            for slot in range(3):
                world, board = bench(node=node)
                lock = make_lock(board)
                peer = wire_of(make_lock, world).end("peer")
                first_ns = lock.quiet_us * US_NS + 300 * US_NS  # about when it pulls
                look_ns = first_ns + (600 + 2500 * slot + 1000) * US_NS
                world.lines.at(look_ns - 500 * US_NS, peer.drive, 0)
                world.lines.at(look_ns + 500 * US_NS, peer.drive, None)
                won, took_ns = acquire(board, lock)
                again = took_ns > first_ns + 10 * MS_NS  # once takes 8.1 ms from there
                assert won is True
                assert again == bool(node & 4 >> slot), (make_lock.__name__, node, slot, took_ns)


# Every way out lets go


class Interrupting:
    """A pin or a clock that stands for another one, until a call of it fails."""

    def __init__(self, inner, plan):
        self._inner = inner
        self._plan = plan

    def __call__(self, *args):
        return self._plan.call(self._inner, args, {})

    def init(self, *args, **named):
        return self._plan.call(self._inner.init, args, named)

    def ticks_us(self):
        return self._plan.call(self._inner.ticks_us, (), {})

    def sleep_us(self, us):
        return self._plan.call(self._inner.sleep_us, (us,), {})

    def ticks_diff(self, one, other):
        return self._inner.ticks_diff(one, other)


class Interrupt:
    """KeyboardInterrupt in the n-th call, before or after it has its effect."""

    def __init__(self, n, after):
        self.left = n
        self.after = after

    def call(self, function, args, named):
        self.left -= 1
        if self.left == -1 and not self.after:
            raise KeyboardInterrupt
        result = function(*args, **named)
        if self.left == -1:
            raise KeyboardInterrupt
        return result

    def pin(self, pin):
        stand_in = Interrupting(pin, self)
        stand_in.IN, stand_in.OUT, stand_in.OPEN_DRAIN = pin.IN, pin.OUT, OPEN_DRAIN
        stand_in.PULL_UP, stand_in.PULL_DOWN = pin.PULL_UP, pin.PULL_DOWN
        return stand_in


def interrupted(make_lock, board, n, after):
    """The lock on pins and a clock that fail in the n-th call."""
    plan = Interrupt(-1, after)  # never, while the lock is made
    timer = Interrupting(board.timer, plan)
    if make_lock is busy_line:
        lock = BusyLine(plan.pin(board.pin(board.world.line("busy"))), timer=timer)
    else:
        scl, sda = plan.pin(board.scl), plan.pin(board.sda)
        lock = BusArbitration(scl, sda, quiet_ms=2, timer=timer)
    plan.left = n
    return lock


def interrupt_everywhere(make_lock, timeout_ms, prepare, after):
    """How many calls there are, and whether each of them let go when it was interrupted."""
    n = 0
    while True:
        world, board = bench(node=5)
        prepare(world)
        lock = interrupted(make_lock, board, n, after)
        try:
            lock.acquire(5, timeout_ms)
            return n
        except KeyboardInterrupt:
            pass
        drives = [pin.end.drives for pin in (board.scl, board.sda, board.pin(world.line("busy")))]
        assert drives == [None] * 3, (make_lock.__name__, n, after, drives)
        n += 1


def test_an_interrupt_in_any_call_lets_go():
    for make_lock in STRATEGIES:
        for after in (False, True):
            assert interrupt_everywhere(make_lock, 100, lambda world: None, after) > 60


def test_an_interrupt_in_any_call_of_a_lost_arbitration_lets_go():
    def prepare(world):
        for line in (world.line("busy"), world.bus.sda):
            world.lines.at(5 * MS_NS, line.end("peer").drive, 0)

    for make_lock in STRATEGIES:
        for after in (False, True):
            assert interrupt_everywhere(make_lock, 20, prepare, after) > 60


def test_a_holder_without_power_lets_go():
    for make_lock in STRATEGIES:
        world, board = bench()
        other = world.add_board(6)
        lock = make_lock(board)
        assert acquire(board, lock)[0]
        board.power_off()
        assert all_high(world)
        assert acquire(other, make_lock(other), 100)[0]


def test_power_that_fails_anywhere_in_acquire_stops_nobody():
    for make_lock in STRATEGIES:
        for after_us in range(lock_start_us(make_lock), lock_start_us(make_lock) + 6500, 331):
            duel = Duel(make_lock, hold=rest)
            dead = duel.add(1)
            duel.add(6, start_us=500)
            duel.world.lines.at(after_us * US_NS, lambda ns, board=dead: board.power_off())
            duel.run()
            assert duel.order == [6], (make_lock.__name__, after_us, duel.order)


def lock_start_us(make_lock):
    """About when an arbitration begins on an idle line."""
    return 2500 if make_lock is busy_line else 40000


def test_a_holder_in_deep_sleep_lets_go():
    for make_lock in STRATEGIES:
        world, board = bench()
        other = world.add_board(6)
        assert board.wake(lambda: make_lock(board).acquire(2, 1000)) is True
        board.deep_sleep_s(1)
        assert all_high(world)
        assert acquire(other, make_lock(other), 100)[0]


# Late


def test_a_pause_alone_costs_one_retry_at_most():
    for make_lock in STRATEGIES:
        for n in late_calls(make_lock):
            world, board = bench(node=5)
            world.lines.record = []
            lock = make_lock(board)
            Pauses(board, {n: PAUSE_NS})
            won, took_ns = acquire(board, lock)
            once_ns = (lock.quiet_us + 8100 + 1000) * US_NS
            assert won is True
            assert took_ns <= PAUSE_NS + 2 * once_ns, (make_lock.__name__, n, took_ns)


def late_calls(make_lock):
    """The calls of acquire() from shortly before the arbitration on."""
    duel = Duel(make_lock, hold=rest)
    duel.add(5)
    last = duel.run().calls[5]
    return range(last - (60 if make_lock is arbitration else last), last)


def test_a_pause_next_to_a_peer_lets_in_one():
    for make_lock in STRATEGIES:
        hold = traffic if make_lock is arbitration else rest
        for n in late_calls(make_lock):
            for pause_us in (240, 20000):
                duel = Duel(make_lock, hold=hold)
                duel.add(5, 0, 4, -50000, ((n, pause_us * US_NS),))
                duel.add(6, 100, 4, 50000)
                duel.run()
                found = make_lock.__name__, n, pause_us, duel.order
                assert duel.doubles == 0, found
                assert sorted(duel.order) == [5, 6], found


# Two


def test_of_two_that_start_at_once_the_lower_id_is_first():
    for make_lock in STRATEGIES:
        for low in range(8):
            for high in range(low + 1, 8, 1 if make_lock is busy_line else 3):
                duel = Duel(make_lock, hold=traffic if make_lock is arbitration else rest)
                duel.add(high)
                duel.add(low)
                duel.run()
                assert (duel.order, duel.doubles) == ([low, high], 0), make_lock.__name__


def test_who_waited_goes_before_who_held_last():
    for make_lock in STRATEGIES:
        for holder_ppm in (-50000, 0, 50000):
            for waiter_ppm in (-50000, 0, 50000):
                for start_us in range(52000, 53000, 200):
                    order = take_turns(make_lock, holder_ppm, waiter_ppm, start_us)
                    assert order == [0, 7, 0], (make_lock.__name__, holder_ppm, waiter_ppm, order)


def take_turns(make_lock, holder_ppm, waiter_ppm, start_us):
    """Node 0 takes the lock twice in a row; node 7 asks for it while it has it the first time."""
    duel = Duel(make_lock, hold=lambda board: traffic(board, 12))
    first = duel.add(0, rate_ppm=holder_ppm)
    duel.add(7, start_us if make_lock is arbitration else start_us - 40000, rate_ppm=waiter_ppm)
    again = []

    def hold(board):
        traffic(board, 12)
        if board is first and not again:
            again.append(True)
            lock.release()
            duel._holding.remove(0)
            assert lock.acquire(0, 1000)
            duel.order.append(0)
            duel._holding.append(0)

    lock = make_lock(first)
    duel._make_lock = lambda board: lock if board is first else make_lock(board)
    duel._hold = hold
    return duel.run().order


# What is seen on the bus


def decoded(record):
    """The transfers on SCL and SDA, as strings: S for START, P for STOP, 0 and 1 for bits."""
    scl = sda = 1
    bit = ""
    found = ""
    for _, name, level in record:
        if name == "scl":
            if scl and not level:
                found += bit
            scl, bit = level, str(sda) if level else ""
        elif name == "sda":
            if scl and level != sda:
                found += "P" if level else "S"
                bit = ""
            sda = level
    return found


def test_the_master_code():
    for node in range(8):
        world, board = bench(node=node)
        world.lines.record = []
        assert acquire(board, arbitration(board))[0]
        code = "".join([str(node >> 2 - i & 1) for i in range(3)])
        assert decoded(world.lines.record) == "S00001" + code + "1P", node


def test_no_eeprom_answers_an_arbitration():
    for node in range(8):
        world, board = bench(node=node)
        for address in range(0x51, 0x58):
            world.add_eeprom("24LC256", address)
        world.lines.record = []
        Pauses(board, {350: PAUSE_NS})  # also one that is given up
        assert acquire(board, arbitration(board))[0]
        drivers = {name for _, name, _ in world.lines.record}
        assert drivers == {"scl", "sda", "scl/node%d" % node, "sda/node%d" % node}
        assert [chip.page_writes for chip in world.chips] == [0] * 8


# Arguments


class InputOnly:
    """A pin as 34 to 39 of an ESP32."""

    IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = 1, 3, 7, 2, 1

    def init(self, mode, pull=-1, *, value=None):
        if mode != self.IN:
            raise ValueError("pin can only be input")

    def __repr__(self):
        return "Pin(34)"


def test_a_pin_that_cannot_drive_the_line():
    _, board = bench()
    with raises(ValueError, "pin", "can be an output", "Pin(34)"):
        BusyLine(InputOnly())
    with raises(ValueError, "scl", "can be an output", "Pin(34)"):
        BusArbitration(InputOnly(), board.sda)
    with raises(ValueError, "sda", "can be an output", "Pin(34)"):
        BusArbitration(board.scl, InputOnly())


def test_bad_arguments():
    world, board = bench()
    pin = board.pin(world.line("busy"))
    with raises(ValueError, "pin", "a Pin", "18"):
        BusyLine(18)
    with raises(ValueError, "active", "0 or 1", "2"):
        BusyLine(pin, active=2)
    with raises(ValueError, "scl", "a Pin", "22"):
        BusArbitration(22, board.sda)
    with raises(ValueError, "sda", "a Pin", "None"):
        BusArbitration(board.scl, None)
    with raises(ValueError, "quiet_ms", "milliseconds", "0"):
        BusArbitration(board.scl, board.sda, quiet_ms=0)


# In a cluster


class Spy:
    """A lock that tells what is done with it."""

    def __init__(self, log, works=True):
        self.log = log
        self.works = works

    def acquire(self, node_id, timeout_ms):
        self.log.append("acquire")
        return self.works

    def release(self):
        self.log.append("release")


def cluster_of(board, lock, i2c=None, **options):
    return Cluster(
        i2c or board.make_i2c, (0x50,), board.node, nodes=8, lock=lock, uid=board.uid,
        clock=board.clock, timer=board.timer, **options
    )  # fmt: skip


def test_a_block_that_raises_releases():
    for make_lock in STRATEGIES:
        world, board = bench()
        cluster = cluster_of(board, make_lock(board))
        with raises(RuntimeError), cluster.bus():
            assert make_lock is arbitration or world.line("busy").read(world.now_ns) == 0
            raise RuntimeError
        assert all_high(world)
        with cluster.bus() as i2c:
            assert i2c.scan() == [0x50]
        assert all_high(world)


def test_a_bus_within_a_bus_is_one_hold():
    world, board = bench()
    log = []
    cluster = cluster_of(board, Spy(log))
    with cluster.bus() as outer, cluster.bus() as inner:
        assert outer is inner
        cluster.health_check()
        assert log == ["acquire"]
    assert log == ["acquire", "release"]


def test_a_lock_that_cannot_be_had_is_reported_and_work_goes_on():
    world, board = bench()
    line = world.line("busy")
    line.stick(0, 0)
    cluster = cluster_of(board, busy_line(board))
    status = cluster.health_check()
    assert status.is_primary
    cluster.heartbeat()
    assert [event[:2] for event in cluster.heartbeat().events if event[0] == "lock_stuck"] == [
        ("lock_stuck", 2)
    ]
    assert board.pin(line).end.drives is None


def test_a_lock_that_was_not_had_is_not_released():
    world, board = bench()
    log = []
    cluster_of(board, Spy(log, works=False)).health_check()
    assert log == ["acquire"]


def test_recover_is_called_under_the_lock_and_the_bus_made_anew():
    world, board = bench()
    log = []

    def make():
        log.append("make")
        return board.make_i2c()

    def recover():
        log.append("recover")
        world.chips[0].plugged = True

    world.chips[0].plugged = False
    cluster = cluster_of(board, Spy(log), make, recover=recover)
    assert cluster.health_check().is_primary
    assert log == ["acquire", "make", "recover", "make", "release"]


def test_recover_is_not_called_without_the_lock():
    world, board = bench()
    log = []
    world.chips[0].plugged = False
    cluster = cluster_of(
        board, Spy(log, works=False), board.make_i2c, recover=lambda: log.append("recover")
    )
    with raises(OSError, "no EEPROM answers"):
        cluster.health_check()
    assert log == ["acquire"]


def test_an_sda_that_a_chip_holds_is_recovered_in_a_cluster():
    """BusArbitration recovers it by itself. Else SoftI2C's own clocks do it, or `recover`."""
    for make_lock in STRATEGIES:
        world, board = bench()
        node = cluster_of(board, make_lock(board))
        node.health_check()
        node.heartbeat()
        dead = world.add_board(5)
        chip = world.chips[0]
        image = bytes(chip.data)
        chip.fill(0)
        dies_ns = world.now_ns + 400 * US_NS
        world.lines.at(dies_ns, lambda ns: dead.power_off())
        dead.wake(lambda: dead.make_i2c().readfrom_mem(0x50, 0, 64, addrsize=16))
        world.now_ns += 50 * US_NS
        assert world.bus.sda.read(world.now_ns) == 0, "the chip does not hold SDA"
        chip.load(image)
        begun_ns = board.cpu.settle()
        node = cluster_of(board, make_lock(board))
        status = node.health_check()
        assert status.is_primary
        assert "lock_stuck" not in [event[0] for event in status.events]
        assert board.cpu.settle() - begun_ns < 300 * MS_NS


def test_a_loser_that_has_not_noticed_yet_is_waited_for():
    """It pauses while it pulls SDA; a bus on which somebody pulls is of no use."""
    start = call_of_start(arbitration)
    for ids in ((0, 1), (0, 4), (4, 5)):
        for place in range(-5, 35, 3):
            read = []

            def hold(board):
                data = board.make_i2c().readfrom_mem(0x50, 0, 8, addrsize=16)
                read.append((board.node, data))

            duel = Duel(arbitration, hold)
            duel.world.add_eeprom("AT24C256", 0x50).load(bytes(range(1, 65)))
            duel.add(ids[0])
            duel.add(ids[1], pauses=((start + place, PAUSE_NS),))
            duel.run()
            assert duel.doubles == 0
            assert len(read) == 2
            assert all([data == bytes(range(1, 9)) for _, data in read]), (ids, place, read)


def test_the_locks_in_a_cluster_of_two():
    for make_lock in STRATEGIES:
        world, board = bench()
        other = world.add_board(6)
        nodes = [cluster_of(each, make_lock(each)) for each in (board, other)]
        roles = []
        for cluster in nodes:
            roles.append(cluster.health_check().role)
            assert "lock_stuck" not in [event[0] for event in cluster.heartbeat().events]
            assert all_high(world)
        assert roles == ["primary", "standby"]
