"""MicroPython's `machine` of an ESP32, for a board that lives in the simulator.

Absent: interrupts, timers, ADC, PWM, and SoftI2C's primitive operations (start, stop, readinto,
write).
"""

import time

from _simlink import ask, call, fetch

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4


def reset_cause():
    """Why the board started: one of the ..._RESET numbers; HARD_RESET is `reset()`."""
    return ask("reset_cause")


def wake_reason():
    return TIMER_WAKE if reset_cause() == DEEPSLEEP_RESET else 0


def unique_id():
    """The board's 6 bytes."""
    return fetch("unique_id")


def freq(hz=160_000_000):
    return hz


def deepsleep(time_ms=0):
    """End this process; the next one starts after `time_ms` of the board's clock (0: never)."""
    call("deepsleep", time_ms)


def lightsleep(time_ms=0):
    """Wait; RAM stays. 0 is for ever, for nothing else can wake this board."""
    call("sleep_us", time_ms * 1000) if time_ms else deepsleep()


def idle():
    """Wait for the next tick: 1 ms."""
    call("sleep_us", 1000)


def reset():
    call("reset", HARD_RESET)


def soft_reset():
    call("reset", SOFT_RESET)


class Pin:
    """A GPIO. Without a wire to another board (`Lab.wire`) it reads what it drives, or its pull."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self.id = id
        self.init(mode, pull, value=value, hold=hold)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        level = -1 if value is None else bool(value)
        call("pin", self.id, mode, pull or 0, level, -1 if hold is None else hold)

    def value(self, level=None):
        """The level of the wire (0 or 1), or drive it."""
        if level is None:
            return ask("pin_read", self.id)
        call("pin", self.id, -1, -1, bool(level), -1)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self.value())

    def __repr__(self):
        return "Pin({})".format(self.id)


class SoftI2C:
    """The simulated bus. Errors are those of this driver: see `eecluster_sim.i2c`."""

    _hardware = 0

    def __init__(self, scl=None, sda=None, *, freq=400_000, timeout=50_000):
        self.init(scl, sda, freq=freq, timeout=timeout)

    def init(self, scl=None, sda=None, *, freq=400_000, timeout=50_000):
        self._handle = ask("i2c", self._hardware, freq)

    def deinit(self):
        pass

    def scan(self):
        return list(fetch("i2c_scan", self._handle))

    def readfrom(self, addr, nbytes, stop=True):
        return fetch("i2c_read", self._handle, addr, nbytes, stop)

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self.readfrom(addr, len(buf), stop)

    def writeto(self, addr, buf, stop=True):
        """Returns the number of bytes that were acknowledged."""
        return ask("i2c_write", self._handle, addr, stop, data=bytes(buf))

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(bytes(part) for part in vector), stop)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        return fetch("i2c_read_mem", self._handle, addr, memaddr, nbytes, addrsize)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        call("i2c_write_mem", self._handle, addr, memaddr, addrsize, data=bytes(buf))


class I2C(SoftI2C):
    """The ESP32's I2C peripheral, with its driver's errors."""

    _hardware = 1

    def __init__(self, id=0, *, scl=None, sda=None, freq=400_000, timeout=50_000):
        self.init(scl, sda, freq=freq, timeout=timeout)


class RTC:
    """The clock, and 2048 bytes: kept through deep sleep and resets, lost with the supply."""

    def datetime(self, fields=None):
        """(year, month, day, weekday, hour, minute, second, microsecond): read, or set."""
        if fields is None:
            us = ask("clock_us")
            t = time.gmtime(us // 1_000_000)
            return t[:3] + (t[6],) + t[3:6] + (us % 1_000_000,)
        year, month, day, _, hour, minute, second, us = fields
        seconds = time.mktime((year, month, day, hour, minute, second, 0, 0))
        call("set_clock", seconds * 1_000_000 + us)

    def init(self, fields):
        self.datetime(fields)

    def memory(self, data=None):
        """The kept bytes: read, or replace (ValueError above 2048)."""
        if data is None:
            return fetch("rtc_memory")
        if len(data) > 2048:
            raise ValueError("buffer too long")
        call("set_rtc_memory", data=bytes(data))


class WDT:
    """Restarts the board (WDT_RESET) when it was not fed for `timeout` ms. Ends with deep sleep."""

    def __init__(self, id=0, timeout=5000):
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        call("wdt", timeout)

    def feed(self):
        call("wdt_feed")
