"""A stand-in for MicroPython's ``time`` on CPython. Not installed on boards. Stands on nothing."""

import time as _time

_PERIOD = 1 << 30  # MicroPython's ticks wrap there


def sleep_ms(ms):
    """Sleep for ``ms`` milliseconds."""
    _time.sleep(ms / 1000)


def sleep_us(us):
    """Sleep for ``us`` microseconds."""
    _time.sleep(us / 1_000_000)


def ticks_ms():
    """Milliseconds since some moment, wrapping at 2**30."""
    return _time.monotonic_ns() // 1_000_000 % _PERIOD


def ticks_us():
    """Microseconds since some moment, wrapping at 2**30."""
    return _time.monotonic_ns() // 1000 % _PERIOD


def ticks_diff(later, earlier):
    """Ticks from ``earlier`` to ``later``, also across a wrap; -2**29 .. 2**29 - 1."""
    return (later - earlier + _PERIOD // 2) % _PERIOD - _PERIOD // 2
