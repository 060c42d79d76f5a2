"""A board: its I2C, its timer, its clock that drifts, its wakes, and what can be done to it.

Rule: a board is told of the world only through the bus and its own clocks. When its supply fails,
`PowerLoss` (a BaseException, so that no `except Exception` of the program survives it) leaves the
running wake, and every I2C object of that life is dead, also in the `finally` blocks on the way.

The timer (`sleep_ms`, `ticks_ms`, ...) runs on the crystal and is exact; the clock (`clock()`) and
deep sleep run on the slow oscillator, which is off by `drift`.
"""

from .i2c import DRIVERS, I2C, PowerLoss
from .wire.cpu import Cpu, CpuTimer
from .wire.pin import Pin

PWRON_RESET = 1  # machine.reset_cause() of the ESP32 port
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

MOMENTS = ("before", "during", "after")

_TICKS_MASK = (1 << 30) - 1
_TICKS_HALF = 1 << 29


class Stats:
    """What a board has used since the last reset(): times in ns, bytes with address bytes."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.transactions = 0
        self.bus_ns = 0
        self.bytes = 0
        self.awake_ns = 0


class Timer:
    """MicroPython's `time` for one board. Ticks count from the wake, plus offset_ns.

    call_ns: what reading the ticks costs, so that a loop that only polls them ends.
    """

    def __init__(self, board):
        self._board = board
        self.offset_ns = 0
        self.call_ns = 1000

    def sleep_ms(self, ms: int):
        self._board.pause(ms * 1000000)

    def sleep_us(self, us: int):
        self._board.pause(us * 1000)

    def ticks_ms(self) -> int:
        return self._ticks(1000000)

    def ticks_us(self) -> int:
        return self._ticks(1000)

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) & _TICKS_MASK

    def ticks_diff(self, ticks1: int, ticks2: int) -> int:
        return ((ticks1 - ticks2 + _TICKS_HALF) & _TICKS_MASK) - _TICKS_HALF

    def _ticks(self, unit_ns: int) -> int:
        board = self._board
        ns = board.world.now_ns - board.boot_ns + self.offset_ns
        board.pause(self.call_ns)
        return (ns // unit_ns) & _TICKS_MASK


class Board:
    """A simulated board on the world's bus (made by `World.add_board`).

    i2c          the I2C object of this wake           timer, stats  see above
    reset_cause  of this wake                          wakes         how many there were
    powered      False after power_off() or a crash    crashed       the last wake was cut off
    rtc_s        what the clock shows at power-up
    unreachable  I2C addresses that this board alone does not reach

    In a world with wires there is no `i2c` before somebody makes one, because its constructor moves
    the lines. Faults of transactions (`crash_at`, `fail_next`, `short_write`) are ValueErrors
    there: plan others by `world.lines.at`. And there are

    cpu          what its calls cost, its pauses, its clock's error
    scl, sda     its pins on the bus; `pin(line)`: on any other line
    clamps       without power it holds SCL and SDA low, through its protection diodes
    """

    i2c: I2C

    def __init__(self, world, node: int, driver: str, freq: int, drift: float, uid):
        if driver not in DRIVERS:
            raise ValueError("unknown driver {!r}, known: {}".format(driver, sorted(DRIVERS)))
        self.world = world
        self.bus = world.bus
        self.node = node
        self.driver = DRIVERS[driver]
        self.freq = freq
        self.drift_ppm = round(drift * 1000000)
        self.uid = uid or bytes((0x02, 0, 0, 0, 0, node))  # a locally administered address
        self.cpu = Cpu(self)
        self.timer = CpuTimer(self) if world.wires else Timer(self)
        self.clamps = False
        self._pins = {}
        self.stats = Stats()
        self.unreachable = set()
        self.rtc_s = 0
        self.wakes = 0
        self.crashed = False
        self.life = 0
        self.local_ns = 0  # the scheduler's
        self.armed = False
        self._crash_in = None
        self._crash_moment = None
        self._short_write = None
        self._fails = []
        self._awake_since_ns = 0
        self.power_on()

    def __str__(self):
        return "node{}".format(self.node)

    # Supply, clock, wakes

    def power_on(self):
        """The supply is back: the clock starts anew, chips of this board have power again."""
        self.powered = True
        self.reset_cause = self._next_cause = PWRON_RESET
        self.set_clock(self.rtc_s)
        for pin in self._pins.values():
            pin.end.clamp(self.world.now_ns, False)
        for chip in self.bus.chips:
            if chip.owner is self:
                chip.restore_power()
        self._boot()

    def power_off(self):
        """The supply fails: what runs on the board meets PowerLoss at its next step."""
        self.powered = False
        self.life += 1
        self.disarm()
        self._release_pins(power=False)
        for chip in self.bus.chips:
            if chip.owner is self:
                chip.lose_power(self.world.now_ns)

    def make_i2c(self, freq=None, driver=None):
        """A new I2C object, as the constructor on a board makes one; `driver`: not the board's."""
        return self.bus.make_i2c(
            self, freq or self.freq, DRIVERS[driver] if driver else self.driver
        )

    def pin(self, line) -> Pin:
        """The pin of this board on that line."""
        if line not in self._pins:
            self._pins[line] = Pin(self, line)
        return self._pins[line]

    @property
    def scl(self) -> Pin:
        return self.pin(self.bus.scl)

    @property
    def sda(self) -> Pin:
        return self.pin(self.bus.sda)

    def _release_pins(self, power=True):
        """What a reset, or the end of the supply, does to the pins."""
        now_ns = self.world.now_ns
        pins = list(self._pins.values())
        if pins and self.world.random.below(2):  # which of them rises first is chance
            pins.reverse()
        for pin in pins:
            if not power:
                pin.end.hold = False
            pin.end.release(now_ns)
        if not power:
            self.cpu.debt_ns = 0
            if self.clamps:
                for pin in (self.scl, self.sda):
                    pin.end.clamp(now_ns, True)

    def wake(self, fn, *args):
        """Run fn(*args) as one wake and return its result; None if the supply failed in it.

        A board without supply gets it back first. A crash that was planned and not reached is
        forgotten at the end of the wake.
        """
        if not self.powered:
            self.power_on()
        self.reset_cause = self._next_cause
        self._next_cause = HARD_RESET
        self.wakes += 1
        self.crashed = False
        life = self.life
        self._boot()
        self._awake_since_ns = self.world.now_ns
        try:
            result = fn(*args)
            self.cpu.settle()
            return result
        except PowerLoss:
            if self.life == life:
                self.power_off()  # raised by the program itself
            self.crashed = True
        finally:
            self.stats.awake_ns += self.world.now_ns - self._awake_since_ns
            self.crash_at = None
            if self.powered:
                self._release_pins()

    def deep_sleep_s(self, seconds):
        """Let `seconds` pass by the board's own clock; the next wake comes from deep sleep."""
        own_ns = int(seconds * 1000000000)
        true_ns = own_ns * (1000000 + self.drift_ppm) // 1000000
        self._next_cause = DEEPSLEEP_RESET
        self._awake_since_ns += true_ns
        self.world.sleep(self, true_ns)

    def clock(self) -> int:
        """The RTC in seconds: kept in deep sleep, drifting, lost with the supply."""
        elapsed_ns = (self.world.now_ns - self._clock_since_ns) * 1000000
        return self._clock_s + elapsed_ns // (1000000000 * (1000000 + self.drift_ppm))

    def set_clock(self, seconds: int):
        """Set the RTC, forward or back."""
        self._clock_s = seconds
        self._clock_since_ns = self.world.now_ns

    def pause(self, duration_ns: int):
        """Let time pass while awake (PowerLoss if the supply failed meanwhile)."""
        life = self.life
        if duration_ns > 0:
            self.world.sleep(self, duration_ns)
        if self.life != life or not self.powered:
            raise PowerLoss

    def recover(self):
        """Nine clocks and a STOP, for a world without wires: what `eecluster.recover_bus` does."""
        spent_ns = 11 * 1000000000 // self.freq
        life = self.life
        start_ns = self.world.transaction(self, spent_ns)
        if self.life != life or not self.powered:
            raise PowerLoss
        self.bus.free_at_ns = self.world.now_ns = start_ns + spent_ns
        self.bus.recover()

    def _boot(self):
        self.boot_ns = self.world.now_ns
        self.i2c = None  # type: ignore[assignment]
        if not self.world.wires:
            self.i2c = self.make_i2c()

    # Planned faults

    @property
    def crash_at(self):
        """(n, moment): lose the supply at the n-th transaction from now (0: the next), "before",
        "during" or "after" it. None: never."""
        if self._crash_in is None:
            return None
        return (self._crash_in, self._crash_moment)

    @crash_at.setter
    def crash_at(self, value):
        n, moment = (None, None) if value is None else value
        if value is not None and moment not in MOMENTS:
            raise ValueError("the moment is one of {}, not {!r}".format(MOMENTS, moment))
        self._crash_in = n
        self._crash_moment = moment
        self._arm()

    @property
    def short_write(self):
        """n: only the first n bytes of the next write's buffer are stored, without an error."""
        return self._short_write

    @short_write.setter
    def short_write(self, n):
        self._short_write = n
        self._arm()

    def fail_next(self, n: int, errno=None, every=None, done=False):
        """OSError in the next n transactions (with every=k: in each k-th, n times).

        errno None is the driver's NACK. done: the transaction takes place, and fails then (a
        timeout at its end).
        """
        every = every or 1
        self._fails = [n, errno, every, every, done] if n else []  # [3] counts down to the next
        self._arm()

    def disarm(self):
        """Forget all planned faults."""
        self._crash_in = self._short_write = None
        self._fails = []
        self.armed = False

    def next_fault(self, writes: bool):
        """What was planned for this transaction: (kind, detail), kind None for nothing."""
        if self._crash_in is not None:
            if self._crash_in == 0:
                return "crash", self._crash_moment
            self._crash_in -= 1
        kind = detail = None
        fails = self._fails
        if fails:
            fails[3] -= 1
            if fails[3] == 0:
                kind, detail = "fail", (fails[1], fails[4])
                fails[0] -= 1
                fails[3] = fails[2]
                if fails[0] == 0:
                    self._fails = []
        if kind is None and writes and self._short_write is not None:
            kind, detail = "short", self._short_write
            self._short_write = None
        self._arm()
        return kind, detail

    def _arm(self):
        planned = self._crash_in is not None or self._short_write is not None
        self.armed = planned or len(self._fails) > 0
        if self.armed and self.world.wires:
            self.disarm()
            raise ValueError("with wires there are no transactions to fail: see world.lines.at")
