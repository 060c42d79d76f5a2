"""MicroPython's `time` on a simulated board: its clock and its sleeps are virtual.

The epoch is 2000-01-01, as on an ESP32. Reading a clock takes a few microseconds of virtual time,
as it does on a board, so that a loop that waits for a moment comes to an end.
"""

import utime as _real  # MicroPython's built-in time; on CPython the launcher gives it this name
from _simlink import ask as _ask

_EPOCH_S = 946_684_800  # 1970-01-01 to 2000-01-01
_PERIOD = 1 << 30  # ticks wrap here


def time():
    """Seconds since 2000-01-01 by the board's clock. It starts at 0 at power-up, and drifts."""
    return _ask("clock_us") // 1_000_000


def time_ns():
    return _ask("clock_us") * 1000


def sleep(seconds):
    _ask("sleep_us", int(seconds * 1_000_000))


def sleep_ms(ms):
    _ask("sleep_us", ms * 1000)


def sleep_us(us):
    _ask("sleep_us", us)


def ticks_ms():
    return _ask("ticks_us") // 1000 & (_PERIOD - 1)


def ticks_us():
    return _ask("ticks_us") & (_PERIOD - 1)


ticks_cpu = ticks_us


def ticks_add(ticks, delta):
    return (ticks + delta) & (_PERIOD - 1)


def ticks_diff(end, start):
    half = _PERIOD >> 1
    return ((end - start + half) & (_PERIOD - 1)) - half


def gmtime(seconds=None):
    """(year, month, day, hour, minute, second, weekday, yearday): of now, or seconds since 2000."""
    return tuple(_real.gmtime(_EPOCH_S + (time() if seconds is None else int(seconds)))[:8])


localtime = gmtime  # a board has no time zone


def mktime(fields):
    """Seconds since 2000 of a tuple as `gmtime` gives it. (The process runs with TZ=UTC.)"""
    return int(_real.mktime(tuple(fields)[:8] + (0,))) - _EPOCH_S


def __getattr__(
    name,
):  # CPython only: its own modules need perf_counter and others of the replaced module
    return getattr(_real, name)
