"""Boards that want one lock, for tests: few of them, each with its own start, clock and pause.

Runs on CPython and on MicroPython. `Contest` is the same at random; here everything is planned.
"""

from eecluster.lock import BusArbitration, BusyLine
from eecluster_sim.scheduler import Scheduler
from eecluster_sim.world import World

US_NS = 1000
MS_NS = 1000000
PAUSE_NS = 20 * MS_NS  # the longest within the limits for which the locks are made


def busy_line(board):
    return board.cpu.charge(BusyLine(board.pin(board.world.line("busy")), timer=board.timer))


def arbitration(board):
    return board.cpu.charge(BusArbitration(board.scl, board.sda, timer=board.timer))


STRATEGIES = (busy_line, arbitration)


def traffic(board, ms=3):
    """A hold that everybody can see on the bus: SDA and SCL go up and down by turns."""
    for _ in range(ms):
        board.scl(0)
        board.sda(0)
        board.timer.sleep_us(800)
        board.scl(1)
        board.sda(1)
        board.timer.sleep_us(200)


def rest(board, ms=3):
    """A hold that leaves the bus alone, for a lock that does not look at it."""
    board.timer.sleep_ms(ms)


def all_high(world):
    """Nobody pulls any of the lines on which the locks work."""
    lines = (world.bus.scl, world.bus.sda, world.line("busy"))
    world.now_ns += 5 * US_NS  # a line that was let go rises
    return all([line.read(world.now_ns) for line in lines])


def call_of_start(make_lock, call_us=4, rate_ppm=0):
    """Which call of acquire() first pulls the line, when nobody else is there."""
    found = []

    def watched(board):
        lock = make_lock(board)
        start = lock.start

        def watch():
            found.append(alone.planned[1].calls)
            start()

        lock.start = watch
        return lock

    alone = Duel(watched, rest)
    alone.add(1, 0, call_us, rate_ppm)
    alone.run()
    return found[0]


class Pauses:
    """Plans pauses of a board: at each n-th of its calls from now, `ns` long. Counts the calls."""

    def __init__(self, board, planned):
        self.calls = 0
        self._planned = dict(planned)
        self._cpu = board.cpu
        self._call = board.cpu.call
        board.cpu.call = self._counted

    def _counted(self):
        self._call()
        self._cpu.debt_ns += self._planned.get(self.calls, 0)
        self.calls += 1


class Duel:
    """Boards that take a lock once, from planned moments on.

    After run(): `doubles` (who got it while others had it), `order` (node ids, as they got it),
    `calls` (node -> calls of pins and of the clock in acquire()).
    """

    def __init__(self, make_lock, hold=traffic, timeout_ms=200):
        self.world = World(1, wires=True)
        self.doubles = 0
        self.order = []
        self.calls = {}
        self.planned = {}  # node -> Pauses
        self._make_lock = make_lock
        self._hold = hold
        self._timeout_ms = timeout_ms
        self._holding = []
        self._starts = []

    def add(self, node, start_us=0, call_us=4, rate_ppm=0, pauses=(), heap_bytes=0):
        """A board; `start_us` is true time, `pauses` are as in `Pauses`."""
        board = self.world.add_board(node)
        board.cpu.call_ns = call_us * US_NS
        board.cpu.heap_bytes = heap_bytes
        board.cpu.rate_ppm = rate_ppm
        self._starts.append((board, start_us, pauses))
        return board

    def run(self):
        """Returns itself."""
        with Scheduler(self.world) as scheduler:
            for board, start_us, pauses in self._starts:
                scheduler.spawn(board, self._program, board, start_us, pauses)
            scheduler.run()
        return self

    def _program(self, board, start_us, pauses):
        lock = board.cpu.charge(self._make_lock(board))
        board.pause(start_us * US_NS)
        planned = self.planned[board.node] = Pauses(board, pauses)
        won = lock.acquire(board.node, self._timeout_ms)
        board.cpu.settle()
        self.calls[board.node] = planned.calls
        if won:
            self.order.append(board.node)
            self.doubles += bool(self._holding)
            self._holding.append(board.node)
            self._hold(board)
            board.cpu.settle()
            self._holding.remove(board.node)
            lock.release()
