"""How long a board's calls take: the time of MicroPython on a processor, and what comes between.

Rule: each call of a pin or of the clock takes effect, then takes its time; a pause (garbage
collection, an interrupt, another task) may come in any of them. Time is spent lazily: it adds up
until the board touches a line, when everybody who is earlier goes first.

One figure says how fast a board is: what a call of a pin takes. All else is in proportion, as on
MicroPython 1.28 for the RP2040 at 125 MHz (emulated, no flash misses): `pin()` and `ticks_us()`
2.6 us, `pin.init()` 16 us, a method of Python 11 us with its return. A function's frame of more
than FRAME_WORDS words (locals and stack: VM_MAX_STATE_ON_STACK in py/objfun.c) does not fit the C
stack and is allocated at the call, and the search for free memory passes over what is used: some 8
us per KB.

What calls take, from 2 us on: a pin call of bytecode is some 500 to 1000 cycles, 2 to 4 us at 240
MHz (an estimate); on an ESP8266 the levels of `value(1)`, `value(0)` were seen to last about 30 us
(oscilloscope, codeprj.com/zh/blog/aada491). What pauses take: a collection of an ESP32's internal
heap 2 to 2.5 ms, of an RP2040's up to 17 ms (emulated), with 4 MB of SPI RAM 286 ms
(peterhinch/micropython-micro-gui issue 10; 80 to 100 ms with 8 MB: micropython pull request
10235); other tasks up to 10 ms (micropython issue 3894, from the time when its tick was 100 Hz).
"""

from ..i2c import PowerLoss

CALL_NS = 4000
PAUSE_APART_NS = 50000000

INIT_CALLS = 6  # what pin.init() takes, in calls of a pin
FUNCTION_CALLS = 4  # and the call of a function of Python, with its return
KB_CALLS = 3  # and the search for a large frame's memory, for each KB that is used
FRAME_WORDS = 11


class Cpu:
    """Of one board; all times are real ones.

    call_ns    what a call costs                    jitter_ns   up to so much more, at random
    heap_bytes  in use before the first gap that is large enough for a frame
    pause_ns   the longest pause                    pause_calls  a pause comes in each so many calls
                                                                 on average (at most a million);
                                                                 0: none
    apart_ns   from the end of a pause to the next one at least
    rate_ppm   the clock's error: +50000 and a second of this board lasts 1.05 s
    """

    def __init__(self, board):
        self._board = board
        self._random = board.world.random.fork()
        self.call_ns = CALL_NS
        self.jitter_ns = 0
        self.heap_bytes = 0
        self.pause_ns = 0
        self.pause_calls = 0
        self.apart_ns = PAUSE_APART_NS
        self.rate_ppm = 0
        self.charged = None  # the lock that was last charged
        self.paused = 0  # how many pauses there were
        self.debt_ns = 0  # spent, but the world does not know yet
        self._next_pause_ns = 0
        self._noise = self._random.next32() >> 1
        self._calls = self._pause_at = 0

    def now_ns(self) -> int:
        """True time for this board."""
        return self._board.world.now_ns + self.debt_ns

    def call(self):
        """The time of a call."""
        # quick and good enough for jitter: a congruential generator, its upper bits
        self._noise = noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
        self.debt_ns += self.call_ns + (self.jitter_ns * (noise >> 11) >> 20)
        if self.pause_calls:
            self._calls += 1
            if self._calls >= self._pause_at:
                due = self._pause_at
                self._pause_at = self._calls + 1 + self._random.below(2 * self.pause_calls)
                if due:
                    self._pause()

    def more(self, calls: int):
        """As much time as so many calls take in the mean."""
        self.debt_ns += calls * (self.call_ns + (self.jitter_ns >> 1))

    def enter(self, words: int):
        """The time of a call of a function of Python, whose frame has so many words."""
        self.more(FUNCTION_CALLS)
        if words > FRAME_WORDS:
            self.more(self.heap_bytes * KB_CALLS >> 10)

    def charge(self, lock):
        """Have each call of a method of this object cost its time. Returns the object.

        Frames are as large as CPython says, a word more or less than MicroPython's; on MicroPython,
        which does not tell, as if they fitted the stack.
        """
        if lock is not self.charged:
            self.charged = lock
            for name in dir(type(lock)):
                if name[:2] != "__" and callable(getattr(lock, name)):
                    setattr(lock, name, self._costly(getattr(lock, name)))
        return lock

    def _costly(self, method):
        words = frame_words(method)
        enter = self.enter

        def call(*args):
            enter(words)
            return method(*args)

        return call

    def run(self, ns: int):
        """Firmware runs for `ns` by this board's clock: no call, but pauses come all the same, as
        often as in calls that take as long."""
        if self.rate_ppm:
            ns = self.to_true_ns(ns)
        self.debt_ns += ns
        if self.pause_calls and self._random.below(self.pause_calls * CALL_NS) < ns:
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
        board = self._board
        world = board.world
        debt_ns = self.debt_ns
        if not debt_ns:
            board.pause(0)
            return world.now_ns
        # what board.pause() and world.sleep() do, in one step: this is where the time goes
        self.debt_ns = 0
        life = board.life
        world.now_ns += debt_ns
        if world.scheduler is not None:
            world.scheduler.after_sleep(board)
        now_ns = world.now_ns
        due = world.lines.due
        if due and due[0][0] <= now_ns:
            world.lines.settle(now_ns)
        if board.life != life or not board.powered:
            raise PowerLoss
        return now_ns

    def to_true_ns(self, ns: int) -> int:
        """What lasts `ns` by this board's clock."""
        return ns + ns * self.rate_ppm // 1000000

    def to_own_ns(self, ns: int) -> int:
        return ns * 1000000 // (1000000 + self.rate_ppm)


def frame_words(function) -> int:
    """How many words a function's locals and stack take; 0 if nobody knows."""
    code = getattr(function, "__code__", None)
    return code.co_nlocals + len(code.co_cellvars) + code.co_stacksize if code else 0


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
        self._cpu.more(1)
        return ((ticks1 - ticks2 + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    def _ticks(self, unit_ns):
        cpu = self._cpu
        ns = cpu.to_own_ns(cpu.now_ns() - self._board.boot_ns) + self.offset_ns
        cpu.call()
        return (ns // unit_ns) & 0x3FFFFFFF
