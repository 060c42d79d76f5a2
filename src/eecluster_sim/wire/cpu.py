"""How long a board's calls take: the time of MicroPython on a processor, and what comes between.

Rule: each call of a pin or of the clock takes effect, then takes its time; a pause (garbage
collection, an interrupt, another task) may come in any of them. Time is spent lazily: it adds up
until the board touches a line, when everybody who is earlier goes first.
"""

CALL_NS = 4000
PAUSE_APART_NS = 50000000


class Cpu:
    """Of one board; all times are real ones.

    call_ns    what a call costs                    jitter_ns   up to so much more, at random
    pause_ns   the longest pause                    pause_calls  a pause comes in each so many calls
                                                                 on average; 0: none
    apart_ns   from the end of a pause to the next one at least
    rate_ppm   the clock's error: +50000 and a second of this board lasts 1.05 s
    """

    def __init__(self, board):
        self._board = board
        self._random = board.world.random.fork()
        self.call_ns = CALL_NS
        self.jitter_ns = 0
        self.pause_ns = 0
        self.pause_calls = 0
        self.apart_ns = PAUSE_APART_NS
        self.rate_ppm = 0
        self.paused = 0  # how many pauses there were
        self.debt_ns = 0  # spent, but the world does not know yet
        self._next_pause_ns = 0

    def now_ns(self) -> int:
        """True time for this board."""
        return self._board.world.now_ns + self.debt_ns

    def call(self):
        """The time of a call."""
        self.debt_ns += self.call_ns
        if self.jitter_ns:
            self.debt_ns += self._random.below(self.jitter_ns)
        if self.pause_calls and self._random.below(self.pause_calls) == 0:
            self._pause()

    def _pause(self):
        now_ns = self.now_ns()
        if now_ns >= self._next_pause_ns:
            self.paused += 1
            length_ns = self._random.below(self.pause_ns) + 1
            if self._random.below(2):  # many short ones: they are what slips through a check
                length_ns >>= self._random.below(8)
            self.debt_ns += length_ns
            self._next_pause_ns = now_ns + length_ns + self.apart_ns

    def spend(self, ns: int):
        """Time passes for this board."""
        self.debt_ns += ns

    def settle(self) -> int:
        """Let the world catch up, before something is done that others see. Returns the time."""
        debt_ns, self.debt_ns = self.debt_ns, 0
        self._board.pause(debt_ns)
        return self._board.world.now_ns

    def to_true_ns(self, ns: int) -> int:
        """What lasts `ns` by this board's clock."""
        return ns + ns * self.rate_ppm // 1000000

    def to_own_ns(self, ns: int) -> int:
        return ns * 1000000 // (1000000 + self.rate_ppm)


class CpuTimer:
    """MicroPython's `time` for a board with a Cpu."""

    def __init__(self, board):
        self._board = board
        self._cpu = board.cpu
        self.offset_ns = 0

    def sleep_ms(self, ms: int):
        self.sleep_us(ms * 1000)

    def sleep_us(self, us: int):
        cpu = self._cpu
        if us > 0:
            cpu.debt_ns += cpu.to_true_ns(us * 1000)
        cpu.call()

    def ticks_ms(self) -> int:
        return self._ticks(1000000)

    def ticks_us(self) -> int:
        return self._ticks(1000)

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) & 0x3FFFFFFF

    def ticks_diff(self, ticks1: int, ticks2: int) -> int:
        return ((ticks1 - ticks2 + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    def _ticks(self, unit_ns):
        cpu = self._cpu
        ns = cpu.to_own_ns(cpu.now_ns() - self._board.boot_ns) + self.offset_ns
        cpu.call()
        return (ns // unit_ns) & 0x3FFFFFFF
