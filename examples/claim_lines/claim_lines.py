"""A lock of your own: one claim line per node, and everybody sees who claims.

After the idea of Linux's i2c-arb-gpio-challenge (drivers/i2c/muxes/i2c-arb-gpio-challenge.c and its
device tree binding): pull your own line, wait until it is down, look at all the others. Nobody
claims: the bus is yours, and your line stays low until you have finished. Somebody does: let go,
back off, try again. Linux's driver knows one other master; this lock knows as many as there are
pins for.

Why two can never hold it: each of them claimed first and looked afterwards. The one who claimed
later looked later still, when the line of the other one was low already, and saw it. No length of
time is in this argument but SLEW_US. So a pause, a slow call or a wrong clock, anywhere, can make
a board wait, but cannot let it in.

Who is next: a board that finds all lines free waits for one slot per node id before it claims, so
that two seldom claim together. When they do, both let go, and their slots get twice as wide each
time, until somebody has had a turn: slow boards need that. Who had the bus lets the others go
first, until as many turns have passed as there are others, or COURTESY slots in which nobody
claimed. All this is for progress and fairness; the rule above needs none of it.

What it costs: a wire per node, and a pin for each of them on every board. A board that was not the
last holder gets a free bus at its first try; the last one waits 4 ms.

A holder that crashes keeps its claim until its pins are reset: use a watchdog. Until then the
others' acquire() returns False after its timeout. A board without power may clamp its own line
low through its protection diodes, with the same result. A line that is cut looks free: its owner
and those behind the cut do not see each other any more.
"""

import time

SLEW_US = 20  # a line that is pulled is low everywhere after that; Linux waits for 10
POLL_US = 100  # between two looks
SLOT_US = 250
WIDEST_US = 16 * SLOT_US
COURTESY = 16  # slots: with clocks off by 30 % still longer than the 7 that node 7 waits


class ClaimLines:
    """A lock for `Cluster(lock=...)`.

    own     the pin on this node's line           timer   has `sleep_us`, `ticks_us`, `ticks_diff`
    others  the pins on the lines of the others, in any order

    Each line has a pull-up resistor. It is pulled low, or let go; nobody drives it high.
    """

    def __init__(self, own, others, *, timer=time):
        self.own = own
        self.others = others
        self.timer = timer
        self.ahead = 0  # how many others go first
        for pin in others:
            let_go(pin)
        let_go(own)

    def acquire(self, node_id, timeout_ms):
        """True if the bus is ours now, False after `timeout_ms`."""
        timer = self.timer
        since = free_since = timer.ticks_us()
        claimed = False
        slot_us = SLOT_US
        wait_us = 0  # a newcomer tries at once
        while timer.ticks_diff(timer.ticks_us(), since) < timeout_ms * 1000:
            now = timer.ticks_us()
            before, claimed = claimed, self.claimed()
            if before and not claimed:  # somebody has had a turn
                self.ahead = max(0, self.ahead - 1)
                slot_us = SLOT_US
            tries = False
            if not claimed:
                courtesy_us = COURTESY * SLOT_US if self.ahead else 0
                tries = timer.ticks_diff(now, free_since) >= wait_us + courtesy_us
            if tries:
                if self.claim():
                    return True
                slot_us = min(2 * slot_us, WIDEST_US)
            if tries or claimed:
                free_since = now
                wait_us = node_id * slot_us
            timer.sleep_us(POLL_US)
        return False

    def release(self):
        """Let the others in. Call it only if `acquire` has returned True."""
        let_go(self.own)
        self.ahead = len(self.others)

    def claim(self):
        """Claim first, look afterwards. True if the bus is ours."""
        own = self.own
        won = False
        try:
            own.init(own.OUT, value=0)
            self.timer.sleep_us(SLEW_US)
            # a line that is high is shorted to the supply: nobody sees our claim
            won = not own() and not self.claimed()
        finally:
            if not won:  # also on the way out with an exception
                let_go(own)
        return won

    def claimed(self):
        """Does anybody else claim?"""
        return not all(pin() for pin in self.others)


def let_go(pin):
    """The resistors pull the line up, unless somebody else pulls it down."""
    pin.init(pin.IN, pin.PULL_UP)
