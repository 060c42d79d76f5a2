"""MicroPython's `ntptime`: the server is the simulator, its answer the true virtual time."""

import machine
from _simlink import ask

host = "pool.ntp.org"
timeout = 1


def time():
    """Seconds since 2000-01-01. OSError when the board is not connected."""
    return ask("ntp_us") // 1_000_000


def settime():
    """Set the board's clock to the true time. OSError when the board is not connected."""
    import time as clock

    t = clock.gmtime(time())
    machine.RTC().datetime((t[0], t[1], t[2], t[6] + 1, t[3], t[4], t[5], 0))
