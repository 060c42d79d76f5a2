"""When to wake, and what time it is. Pure rules on whole seconds of Unix time.

Time is cut into slots of one interval, and a reading is wanted in each. Board i of n wakes in the
middle of the i-th part of a slot, so boards do not meet, and a clock that is off by 5 % still hits
every slot once. Stands on nothing.

Whole numbers only: a float of an ESP32 has 24 bits, and cannot count the seconds since 1970.
"""

import time

EPOCH_2000_S = 946_684_800  # 2000-01-01, where the clock of an ESP32 begins
UNSYNCED_INTERVALS = 10  # at 5 % of drift, a clock that was not set for so long is off by half one


def now(clock=time):
    """Unix time by this board's clock; near the year 2000 if it was not set since power-up."""
    return int(clock.time()) + (EPOCH_2000_S if clock.gmtime(0)[0] == 2000 else 0)


def wait_s(start, node, nodes, interval_s):
    """Seconds from a wake that began at ``start`` to the next one, which is in the next slot.

    ``start`` None: the clock was never set. A board that comes from elsewhere in its slot moves to
    its place in steps of a quarter, so that the others see no long gap.
    """
    if start is None:
        return interval_s
    place = interval_s * (2 * node + 1) // (2 * nodes)
    wanted = (start // interval_s + 1) * interval_s + place - start
    return min(max(wanted, interval_s * 3 // 4), interval_s * 5 // 4)


def trusted(t, synced, interval_s):
    """Is a clock that was set at ``synced`` (0: never) still good for the slot of time ``t``?"""
    return synced > 0 and 0 <= t - synced <= UNSYNCED_INTERVALS * interval_s


def corrected(t, before, after, synced):
    """A time that was taken by a clock which is now set from ``before`` to ``after``.

    The clock ran wrong evenly since it was set last, at ``synced``; what is older was corrected
    then. Never set (0): it ran right from a wrong start.
    """
    if not synced:
        return t + after - before
    if t <= synced:
        return t
    return t + (after - before) * (t - synced) // (before - synced)
