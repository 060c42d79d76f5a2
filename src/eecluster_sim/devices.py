"""What a program finds on its board: clocks, bus, pins, RTC, watchdog, and Wi-Fi and sensors.

One method per request of `upy/`: `do_<name>(*ints, data)`. It takes the virtual time that the real
thing takes, and returns the reply: an int, bytes or None. `WakeEnd` leaves a wake.

Rule: nothing here knows where the program runs. What its pins did ends with the wake or the supply,
which is the core's business: `Board` knows every pin that was ever used.
"""

from typing import Protocol

from .board import DEEPSLEEP_RESET, PWRON_RESET, WDT_RESET, Board
from .i2c import EIO, I2C
from .link import Request, done, failed
from .sensors import OneWire, Sensor
from .wire.bus import WireBus
from .wire.lines import End, Line
from .wlan import STAT_GOT_IP, Wlan

MS_NS = 1_000_000
CLOCK_READ_NS = 10_000  # reading a clock: a guess that makes loops end
NTP_NS = 50 * MS_NS
HOST_NOT_FOUND = -202  # what ESP32's getaddrinfo raises without a network


class WakeEnd(Exception):
    """The program left this wake: cause DEEPSLEEP_RESET with ms (0: for ever), or a reset."""

    def __init__(self, cause: int, ms: int = 0):
        self.cause = cause
        self.ms = ms


class Owner(Protocol):
    """Who has the devices, and knows what the core does not: the sensors, the air, the true time.

    before_write(address, size): a write of so many data bytes is about to begin
    """

    board: Board
    sensors: dict[bytes, Sensor]

    def true_time_us(self) -> int: ...

    def wifi_since_ns(self) -> int | None: ...

    def before_write(self, address: int, size: int) -> None: ...


class Devices:
    """The devices of one board. `boot` and `power_on` say what a restart leaves of their state.

    lines   pin -> its line; a pin that is connected to nothing gets one when it is used
    """

    def __init__(self, owner: Owner, scl: int, sda: int):
        self._owner = owner
        self._board: Board = owner.board
        self._world = owner.board.world
        self.lines: dict[int, Line] = {}
        if isinstance(self._board.bus, WireBus):
            self.lines = {scl: self._board.bus.scl, sda: self._board.bus.sda}
        self.wlan = Wlan(owner.board, owner.wifi_since_ns)
        self.onewire = OneWire(owner.board, owner.sensors)
        self._rtc_memory = b""
        self.boot(PWRON_RESET)

    def power_on(self) -> None:
        """The supply is back: what the RTC and the sensors knew is gone."""
        self._rtc_memory = b""
        self.onewire.power_on()

    def boot(self, cause: int) -> None:
        """A new wake, for this reason."""
        self._cause = cause
        self._i2c: list[I2C] = []
        self._wdt_timeout_ns = 0
        self.wlan.boot()

    def answer(self, request: Request) -> bytes:
        """Perform a request, and put its reply into bytes. WakeEnd, PowerLoss."""
        try:
            return done(self.handle(request.name, request.args, request.data))
        except OSError as error:
            return failed(error.errno or EIO, error.strerror or "")

    def handle(self, name: str, args: list[int], data: bytes) -> int | bytes | None:
        """Perform a request. OSError as the device raises it, WakeEnd, PowerLoss."""
        part = {"wlan": self.wlan, "ow": self.onewire}.get(name.split("_")[0], self)
        method = getattr(part, "do_" + name)
        self._board.cpu.settle()
        try:
            reply = method(*args, data) if data else method(*args)
        except OSError:
            self._demand_feeding()  # it took its time as well
            raise
        self._demand_feeding()
        return reply

    def _demand_feeding(self) -> None:
        if self._wdt_timeout_ns and self._world.now_ns >= self._wdt_ns:
            raise WakeEnd(WDT_RESET)

    def watchdog_bites_in_ns(self) -> int | None:
        """For a program that hangs: None when there is no watchdog."""
        return self._wdt_ns - self._world.now_ns if self._wdt_timeout_ns else None

    # Time

    def do_sleep_us(self, us: int) -> None:
        ns = max(us, 0) * 1000
        if self._wdt_timeout_ns:
            ns = min(ns, self._wdt_ns - self._world.now_ns)
        self._board.pause(ns)

    def do_ticks_us(self) -> int:
        self._board.pause(CLOCK_READ_NS)
        return (self._world.now_ns - self._board.boot_ns) // 1000

    def do_clock_us(self) -> int:
        self._board.pause(CLOCK_READ_NS)
        return self._board.clock() * 1_000_000

    def do_set_clock(self, us: int) -> None:
        self._board.set_clock(us // 1_000_000)

    def do_ntp_us(self) -> int:
        self._board.pause(NTP_NS)
        if self.wlan.state() != STAT_GOT_IP:
            raise OSError(HOST_NOT_FOUND, "no network")
        return self._owner.true_time_us()

    # The board

    def do_reset_cause(self) -> int:
        return self._cause

    def do_unique_id(self) -> bytes:
        return self._board.uid

    def do_deepsleep(self, ms: int) -> None:
        raise WakeEnd(DEEPSLEEP_RESET, ms)

    def do_reset(self, cause: int) -> None:
        raise WakeEnd(cause)

    def do_rtc_memory(self) -> bytes:
        return self._rtc_memory

    def do_set_rtc_memory(self, data: bytes = b"") -> None:
        self._rtc_memory = data

    def do_wdt(self, timeout_ms: int) -> None:
        self._wdt_timeout_ns = timeout_ms * MS_NS
        self.do_wdt_feed()

    def do_wdt_feed(self) -> None:
        self._wdt_ns = self._world.now_ns + self._wdt_timeout_ns

    # Pins

    def do_pin(self, pin: int, mode: int, pull: int, value: int, hold: int) -> None:
        self._pin(pin).set(self._world.now_ns, mode, pull, value, hold)
        self._board.cpu.call()

    def do_pin_read(self, pin: int) -> int:
        level = self._pin(pin).line.read(self._world.now_ns)
        self._board.cpu.call()
        return level

    def _pin(self, pin: int) -> End:
        if pin not in self.lines:
            self.lines[pin] = self._world.lines.line(f"pin {pin} of node {self._board.node}", None)
        return self._board.pin(self.lines[pin]).end

    # I2C

    def do_i2c(self, hardware: int, freq: int) -> int:
        self._i2c.append(self._board.make_i2c(freq, None if hardware else "softi2c"))
        return len(self._i2c) - 1

    def do_i2c_scan(self, handle: int) -> bytes:
        return bytes(self._i2c[handle].scan())

    def do_i2c_read(self, handle: int, address: int, count: int, stop: int) -> bytes:
        return self._i2c[handle].readfrom(address, count, bool(stop))

    def do_i2c_write(self, handle: int, address: int, stop: int, data: bytes = b"") -> int:
        self._owner.before_write(address, len(data) - 2)
        return self._i2c[handle].writeto(address, data, bool(stop))

    def do_i2c_read_mem(self, handle: int, address: int, at: int, count: int, bits: int) -> bytes:
        return self._i2c[handle].readfrom_mem(address, at, count, addrsize=bits)

    def do_i2c_write_mem(
        self, handle: int, address: int, at: int, bits: int, data: bytes = b""
    ) -> None:
        self._owner.before_write(address, len(data))
        self._i2c[handle].writeto_mem(address, at, data, addrsize=bits)
