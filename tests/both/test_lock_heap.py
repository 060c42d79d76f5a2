"""The locks and the heap of their own board: how it lies must not decide whether they can be had.

A function whose frame does not fit the stack gets it from the heap when it is called, and that
takes as long as the search for free memory takes. So between a look at the line and the pull that
follows it nothing may be called that allocates.
"""

import gc
import sys

from eecluster import BusArbitration, BusyLine, Cluster
from eecluster_sim.world import World
from lock_kit import MS_NS, STRATEGIES, US_NS, Duel, all_high, arbitration, busy_line, rest, traffic

MICROPYTHON = sys.implementation.name == "micropython"
HEAPS_BYTES = (0, 20000, 53000, 100000, 250000, 2000000)
LONG_MS = 60  # one try of the slower one, with its frame


class SlowStart:
    """The fault, planted: a frame that does not fit the stack, between the last look and the
    pull.
    """

    def start(self):
        one = two = three = four = five = six = seven = eight = nine = ten = self
        self.begin(one, two, three, four, five, six, seven, eight, nine, ten)


class SlowBusyLine(SlowStart, BusyLine):
    def begin(self, *_):
        BusyLine.start(self)


class SlowArbitration(SlowStart, BusArbitration):
    def begin(self, *_):
        BusArbitration.start(self)


def slow_busy_line(board):
    return SlowBusyLine(board.pin(board.world.line("busy")), timer=board.timer)


def slow_arbitration(board):
    return SlowArbitration(board.scl, board.sda, timer=board.timer)


SLOW = {busy_line: slow_busy_line, arbitration: slow_arbitration}


def alone(make_lock, heap_bytes, call_us=5):
    """A board, its lock, whether it got it, and the true time in ns."""
    world = World(1, wires=True)
    board = world.add_board(2)
    board.cpu.call_ns = call_us * US_NS
    board.cpu.heap_bytes = heap_bytes
    world.lines.record = []
    lock = board.cpu.charge(make_lock(board))
    since_ns = board.cpu.settle()
    won = lock.acquire(2, 3000)
    return board, lock, won, board.cpu.settle() - since_ns


def pulls(world):
    """How often the board began to pull."""
    names = ("busy/node2", "sda/node2")
    return len([1 for _, name, drives in world.lines.record if name in names and drives == 0])


# In the simulator, which charges for frames on CPython only


def test_a_lock_can_be_had_however_the_heap_lies():
    for make_lock in STRATEGIES:
        for call_us in (2, 5, 15):
            for heap_bytes in HEAPS_BYTES:
                board, lock, won, took_ns = alone(make_lock, heap_bytes, call_us)
                assert won, (make_lock.__name__, call_us, heap_bytes)
                # of acquire() and of compete()
                frames_ns = 2 * heap_bytes * 3 * call_us * US_NS // 1024
                assert took_ns <= LONG_MS * MS_NS + frames_ns
                assert lock.late == 0


def test_a_frame_between_look_and_pull_is_found():
    if MICROPYTHON:
        return
    for make_lock in STRATEGIES:
        assert alone(SLOW[make_lock], 0)[2]
        for heap_bytes in (100000, 250000):
            assert not alone(SLOW[make_lock], heap_bytes)[2]


def test_who_is_always_late_stops_pulling_and_says_so():
    if MICROPYTHON:
        return
    for make_lock in STRATEGIES:
        board, lock, won, took_ns = alone(SLOW[make_lock], 100000)
        assert not won
        assert lock.late > 0
        assert pulls(board.world) <= 30
        assert took_ns <= 30 * LONG_MS * MS_NS  # not the whole timeout
        assert all_high(board.world)


def test_who_is_always_late_does_not_keep_others_out():
    if MICROPYTHON:
        return
    for make_lock in STRATEGIES:
        slow = []

        def make(board, slow=slow, make_lock=make_lock):
            if slow and board is slow[0]:
                return SLOW[make_lock](board)
            return make_lock(board)

        duel = Duel(make, traffic if make_lock is arbitration else rest, timeout_ms=3000)
        slow.append(duel.add(0, heap_bytes=100000))
        duel.add(6)
        duel.run()
        assert duel.order == [6]


def test_a_line_that_somebody_holds_is_not_called_late():
    for make_lock in STRATEGIES:
        world = World(1, wires=True)
        board = world.add_board(2)
        line = world.line("busy") if make_lock is busy_line else world.bus.scl
        line.stick(0, 0)
        lock = make_lock(board)
        assert not lock.acquire(2, 100)
        assert lock.late == 0


def test_an_event_of_its_own():
    if MICROPYTHON:
        return
    for heap_bytes, kind in ((0, None), (100000, "lock_late")):
        world = World(1, wires=True)
        world.add_eeprom("24LC256", 0x50)
        board = world.add_board(2)
        board.cpu.heap_bytes = heap_bytes
        lock = board.cpu.charge(slow_busy_line(board))
        cluster = Cluster(
            board.make_i2c, (0x50,), 2, nodes=8, lock=lock, clock=board.clock, timer=board.timer
        )
        assert cluster.health_check().is_primary
        events = cluster.heartbeat().events
        found = [event[:2] for event in events if event[0].startswith("lock")]
        assert found == ([(kind, 2)] if kind else [])
        cluster.announced(events)
        assert not [event for event in cluster.health_check().events if event[0] == kind]


# On MicroPython, where frames are real


class Watch:
    """Tells whether anything is allocated between two calls of pins or of the clock.

    Some garbage lies on the heap, and the next allocation collects it.
    """

    def __init__(self):
        self.found = 0
        self.calls = 0
        self.alloc = -1

    def begin(self):
        gc.threshold(-1)  # not yet
        for _ in range(20):
            bytearray(1000)
        gc.threshold(1)  # at the next allocation
        self.alloc = gc.mem_alloc()

    def look(self):
        self.calls += 1
        if self.alloc >= 0 and gc.mem_alloc() < self.alloc - 5000:
            self.found += 1
            self.begin()


class WatchedTimer:
    """Passes 10 us in each look at it. Like the module `time`, it binds no methods."""

    now_us = 0
    watch = None

    @staticmethod
    def ticks_us():
        WatchedTimer.now_us += 10
        WatchedTimer.watch.look()
        return WatchedTimer.now_us

    @staticmethod
    def ticks_diff(later, earlier):
        return later - earlier

    @staticmethod
    def sleep_us(us):
        WatchedTimer.now_us += us
        WatchedTimer.watch.look()


class WatchedPin:
    """The only one on its line: high unless it is driven low. Its third look begins the watch:
    then the frames of acquire() and of compete() are there.
    """

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP = 2

    def __init__(self, watch):
        self.watch = watch
        self.mode = self.IN
        self.level = 0
        self.looks = 0

    def init(self, mode, pull=0, value=1):
        self.mode = mode
        self.level = value
        self.watch.look()

    def __call__(self, level=None):
        self.watch.look()
        if level is not None:
            self.level = level
            return None
        self.looks += 1
        if self.looks == 3:
            self.watch.begin()
        return 1 if self.mode == 1 else self.level


def allocations(kind):
    """How many there were in an acquire() on an idle line, from the first looks on, and calls."""
    watch = WatchedTimer.watch = Watch()
    count = 1 if issubclass(kind, BusyLine) else 2
    lock = kind(*[WatchedPin(watch) for _ in range(count)], timer=WatchedTimer)
    before = gc.threshold()
    try:
        assert lock.acquire(5, 1000)
    finally:
        gc.threshold(before)
    return watch.found, watch.calls


def test_nothing_is_allocated_while_the_line_is_watched():
    if not MICROPYTHON:
        return
    for kind, slow in ((BusyLine, SlowBusyLine), (BusArbitration, SlowArbitration)):
        found, calls = allocations(kind)
        assert found == 0
        assert calls > 100
        assert allocations(slow)[0] > 0  # else the watch is blind
