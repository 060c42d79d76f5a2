"""Many boards want one lock at the same time: does it ever let in two?

Rule: the judge sees true times and both sides; the lock under test sees only its pins and its
board's clock. One seed explains a contest. Works for any lock with `acquire` and `release`, also
your own.
"""

from .scheduler import Scheduler
from .world import World

MS_NS = 1000000
OFFSETS_US = (100, 1000, 10000, 60000)  # of these one is chosen: boards start so far apart


class Limits:
    """What boards are like in a contest; the defaults are those for which the locks are made.

    rate_ppm    clocks are off by up to that     call_us      what a call of a pin or clock costs:
    pause_us    the longest pause                             from, to; the rest is in proportion
    apart_us    from a pause to the next of the  heap_bytes   in use, at most, see `Cpu`
                same board, at least
    """

    def __init__(
        self, rate_ppm=50000, call_us=(2, 15), pause_us=20000, apart_us=50000, heap_bytes=250000
    ):
        self.rate_ppm = rate_ppm
        self.call_us = call_us
        self.pause_us = pause_us
        self.apart_us = apart_us
        self.heap_bytes = heap_bytes

    def apply(self, cpu, random):
        """Make a board's processor a random one within the limits."""
        lowest, highest = (1000 * us for us in self.call_us)
        cpu.call_ns = lowest + random.below(highest - lowest + 1)
        cpu.jitter_ns = highest - cpu.call_ns
        cpu.heap_bytes = random.below(self.heap_bytes + 1)
        if random.below(4) == 0:  # a wrong clock is worst at the limit
            cpu.rate_ppm = random.choice((-self.rate_ppm, self.rate_ppm))
        else:
            cpu.rate_ppm = random.below(2 * self.rate_ppm + 1) - self.rate_ppm
        cpu.pause_ns = 1000 * self.pause_us
        cpu.pause_calls = random.choice((20, 100, 500, 2500, 0))
        cpu.apart_ns = 1000 * self.apart_us


class Contest:
    """`boards` boards, each of which takes the lock `rounds` times.

    make_lock   function of a board that makes its lock
    hold        function of a board that uses the bus under the lock; default: `transfers`
    timeout_ms  what acquire() is given
    apart_us    all start within that time; default: one of OFFSETS_US, by the seed

    After run(): doubles (how often somebody got the lock while another one had it), waits_ns (of
    each acquire that returned True), failures (how many returned False), errors (holds that ended
    with an OSError), order (node ids).
    """

    def __init__(
        self, make_lock, boards, seed, limits=None, rounds=1, hold=None, timeout_ms=3000,
        apart_us=None,
    ):  # fmt: skip
        self.world = World(seed, wires=True)
        self.timeout_ms = timeout_ms
        self.rounds = rounds
        self.hold = hold or transfers
        self.doubles = 0
        self.failures = 0
        self.errors = 0
        self.waits_ns = []
        self.order = []
        self.holding = set()
        self._make_lock = make_lock
        limits = limits or Limits()
        random = self.world.random
        self.world.add_eeprom("AT24C256", 0x50)
        nodes = list(range(8))
        for _ in range(boards):
            node = random.choice(nodes)
            nodes.remove(node)
            limits.apply(self.world.add_board(node).cpu, random)
        self._apart_us = apart_us or random.choice(OFFSETS_US)

    def run(self):
        """Returns itself."""
        with Scheduler(self.world, self.world.seed) as scheduler:
            for board in self.world.boards:
                start_us = self.world.random.below(self._apart_us)
                scheduler.spawn(board, self._program, board, start_us)
            scheduler.run()
        return self

    def _program(self, board, start_us):
        lock = board.cpu.charge(self._make_lock(board))
        board.timer.sleep_us(start_us)
        for _ in range(self.rounds):
            since_ns = board.cpu.settle()
            if not lock.acquire(board.node, self.timeout_ms):
                self.failures += 1
                continue
            self.waits_ns.append(board.cpu.settle() - since_ns)
            self.order.append(board.node)
            self.doubles += bool(self.holding)
            self.holding.add(board.node)
            try:
                self.hold(board)
            except OSError:
                self.errors += 1
            board.cpu.settle()
            self.holding.remove(board.node)
            lock.release()


def transfers(board):
    """A short look and a write, with the chip's write time, as a cluster uses the bus.

    OSError if the chip does not answer, or says something else than what was written.
    """
    i2c = board.make_i2c()
    page = 128 + 64 * board.node
    for address in (0, 64):
        if i2c.readfrom_mem(0x50, address, 12, addrsize=16) != b"\xff" * 12:
            raise OSError("read wrong")
    i2c.writeto_mem(0x50, page, bytes(range(8)), addrsize=16)
    board.timer.sleep_ms(6)
    if i2c.readfrom_mem(0x50, page, 8, addrsize=16) != bytes(range(8)):
        raise OSError("written wrong")
