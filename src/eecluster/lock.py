"""Locks: who may use the wires. They protect the wires only; the token protects the truth.

A lock has ``acquire(node_id, timeout_ms) -> bool`` and ``release()``; write your own if you like.
When ``acquire`` fails the cluster goes on without it and reports ``lock_stuck``. Loaded only if
one of its names is asked for. Stands on config and ticks.

``BusyLine`` and ``BusArbitration`` let contenders send their node ids at the same time, bit by bit
in slots of time, and who lets the line go and finds it pulled has lost. Each node times itself: if
it was late anywhere, for whatever reason, it has lost as well::

    idle for     ____ START ___slot 0, bit 2___ ___slot 1, bit 1___ ___slot 2, bit 0___
    quiet_us ___/                 ^                   ^                   ^
                pulled            a 1 bit lets go, looks here, pulls again; a 0 bit pulls on

Why there is only one winner: whoever pulls has seen the line idle LATE_US before at most, so all
who start are at most so far apart. Two ids differ in a bit: there one pulls for the whole slot,
and the other one, who looks SAMPLE_US after the slot's beginning, finds it pulled. Between a look
and the next pull the line is let go for SAMPLE_US + LATE_US at most, and nobody starts on a line
that has not been idle for longer than that. With clocks that are wrong by 5 %, up to the last
slot's begin (at = START_US + 2 * SLOT_US) and end:

    0.105 * at + LATE_US                   = 928 <= SAMPLE_US
    0.905 * (at + SLOT_US) - LATE_US - at  = 1390 >= SAMPLE_US + LATE_US

Why nobody starves: who asks again right after it had the lock waits for a longer quiet time than
the others, until it has seen OTHERS turns. So of nodes that ask again at once none can be passed by
for ever, however much slower its clock is. Who comes back later than AGAIN_US does not wait so:
seven that each ask every 30 to 60 ms can keep an eighth one waiting until its timeout.
"""

# pyright: reportAttributeAccessIssue=false
# mypy: disable-error-code="attr-defined"
# (TimeSlots calls what its heirs define; a method that only raises would cost bytes on every board)

from .config import demand
from .ticks import timer

BUSY_US = 1000  # between two looks at a line that is not idle
GAP_US = 400  # looks further apart than that may have missed something
START_US = 600  # longer than GAP_US, so everybody notices a start
SLOT_US = 2500
SAMPLE_US = 1000
LATE_US = 340
QUIET_US = 2500
OTHERS = 7
AGAIN_US = 20000  # who asks again two quiet times and that long after lets the others go ahead
LATE_TRIES = 30
QUIET_MS = 40


class NoLock:
    """For one node, or for tests."""

    def acquire(self, node_id, timeout_ms):
        """Always True."""
        return True

    def release(self):
        """Nothing to do."""


class TimeSlots:
    """What both strategies share: waiting for quiet, and sending the node id.

    ``late``: after an ``acquire`` that failed, how often in a row this node was too late by itself
    while nobody else was to be seen; 0: somebody else had the line.
    """

    def __init__(self, quiet_us, timer):
        self.quiet_us = quiet_us
        self.timer = timer
        self.released_us = None
        self.late = 0
        self.ahead = 0  # so many turns of others go before ours

    def acquire(self, node_id, timeout_ms):
        """Wait for the line. True if it is ours now, False after ``timeout_ms`` (and the few ms of
        an arbitration that has begun), or when this node was late LATE_TRIES times in a row.
        """
        timer = self.timer
        self.late = self.ahead = 0
        if self.released_us is not None:
            ago_us = timer.ticks_diff(timer.ticks_us(), self.released_us)
            if ago_us < 2 * self.quiet_us + AGAIN_US:  # it may be a slow call of this function
                self.ahead = OTHERS  # who waited while we held it goes first
        won = False
        try:
            self.free()
            won = self.compete(node_id, min(timeout_ms, 500_000) * 1000)  # as ticks_diff can tell
        finally:
            if not won:
                self.free()
        return won

    def release(self):
        """Let it go. Call it only if ``acquire`` has returned True."""
        self.free()
        self.released_us = self.timer.ticks_us()

    def compete(self, node_id, timeout_us):
        """Wait until the line has been idle for long enough, start, and send the node id; again
        and again.

        Its frame is too large for the stack, so it is allocated, which takes as long as the heap
        likes: at the call, before anything is timed. What it calls has frames of eleven words at
        the most, and allocates nothing.
        """
        timer = self.timer
        diff = timer.ticks_diff
        ticks_us = timer.ticks_us
        quiet_us = self.patience()
        now = since = idle_since = ticks_us()
        while self.late < LATE_TRIES and diff(now, since) < timeout_us:
            last = now
            now = ticks_us()
            if not self.idle():
                self.late = 0
                if diff(now, idle_since) > self.quiet_us // 2:  # somebody's turn begins
                    self.ahead -= 1
                    quiet_us = self.patience()
                timer.sleep_us(BUSY_US)
                now = idle_since = ticks_us()
            elif diff(now, last) > GAP_US:
                idle_since = now
                self.late += 1
            elif diff(now, idle_since) >= quiet_us:
                self.late += 1  # unless it shows that it was not
                self.start()
                begun = ticks_us()
                if diff(begun, now) <= LATE_US and self.send(node_id, begun):
                    return True
                self.ahead -= 1
                self.free()
                quiet_us = self.patience()
                now = idle_since = ticks_us()
        return False

    def send(self, node_id, begun):
        """Send the node id, from ``begun`` on. False if somebody else is louder, or if late."""
        timer = self.timer
        if self.idle():  # although pulled: a broken wire
            self.late = 0
            return False
        self.prefix()
        at = START_US
        if timer.ticks_diff(timer.ticks_us(), begun) > at:
            return False
        bit = 4
        while bit:
            self.wait(begun, at)
            if node_id & bit:
                self.free()
            else:
                self.zero()
            at += SAMPLE_US
            self.wait(begun, at)
            if node_id & bit and not self.idle():
                self.late = 0
                return False
            self.pull()  # before the clock is asked: what comes after it does not count
            if timer.ticks_diff(timer.ticks_us(), begun) > at + LATE_US:
                return False
            at += SLOT_US - SAMPLE_US
            bit >>= 1
        self.late = 0
        return self.finish(begun, at)

    def patience(self):
        """For how long the line must have been idle: for longer as long as others go ahead, also
        with a clock that is 10 % slower.
        """
        quiet_us = self.quiet_us
        return quiet_us + quiet_us // 8 + 1500 if self.ahead > 0 else quiet_us

    def wait(self, begun, at):
        """Until ``at`` after ``begun``."""
        rest_us = at - self.timer.ticks_diff(self.timer.ticks_us(), begun)
        if rest_us > 0:
            self.timer.sleep_us(rest_us)


class BusyLine(TimeSlots):
    """One wire between the boards beside the bus, pulled while somebody uses the bus.

    ``active``: the level it is pulled to; the pin lets go otherwise. 0 wants a pull-up resistor on
    the wire, 1 a pull-down; the boards' own resistors are switched on as well. A holder that has
    crashed lets go at its reset.
    """

    def __init__(self, pin, *, active=0, timer=timer):
        let_go("pin", pin)
        demand(active in (0, 1), "active", "0 or 1", active)
        super().__init__(QUIET_US, timer)
        self.pin = pin
        self.active = active

    def idle(self):
        return self.pin() != self.active

    def free(self):
        pin = self.pin
        pin.init(pin.IN, pin.PULL_DOWN if self.active else pin.PULL_UP)

    def pull(self):
        self.pin.init(self.pin.OUT, value=self.active)

    start = pull

    def prefix(self):
        pass

    zero = prefix

    def finish(self, begun, at):
        return True  # it stays pulled


class BusArbitration(TimeSlots):
    """No wire but the bus: contenders send the master code ``0000 1nnn``, n the node id (UM10204
    3.1.12: such codes are for arbitration, and no device acknowledges them).

    For ``SoftI2C`` on the same two pins. A holder shows itself by its transfers only, and the
    others look at the lines once in three calls of a pin. So a holder must not let ``quiet_ms``
    pass, a garbage collection included, without some bytes on the bus. A bus whose SDA a chip holds
    low, because its master died, would never be free: who waits, and finds SCL high and SDA low at
    every look for ``quiet_ms``, recovers it.
    """

    seen_by_traffic = True  # so a cluster imports nothing while it holds it

    def __init__(self, scl, sda, *, quiet_ms=QUIET_MS, timer=timer):
        let_go("sda", sda)  # before SCL: no STOP
        let_go("scl", scl)
        demand(quiet_ms > 0, "quiet_ms", "milliseconds", quiet_ms)
        super().__init__(quiet_ms * 1000, timer)
        self.scl = scl
        self.sda = sda
        self.lows = 0  # looks in a row at which SCL was high and SDA low

    def idle(self):
        high = self.scl() == 1
        if high and not self.sda():
            self.lows += 1
            if self.lows * BUSY_US > self.quiet_us:
                recover_bus(self.scl, self.sda)
                self.lows = 0
            return False
        self.lows = 0
        return high

    def free(self):
        self.sda(1)  # before SCL: no STOP
        self.scl(1)

    def start(self):
        self.sda(0)

    def prefix(self):
        scl = self.scl
        sda = self.sda
        scl(0)
        for _ in range(4):
            scl(1)
            scl(0)
        sda(1)
        scl(1)
        scl(0)
        sda(0)

    def zero(self):
        self.scl(1)

    def pull(self):
        self.scl(0)  # before SDA: no START
        self.sda(0)

    def finish(self, begun, at):
        self.wait(begun, at)  # a 0 bit must last until the slowest has looked
        scl = self.scl
        sda = self.sda
        sda(1)
        scl(1)  # nobody acknowledges
        scl(0)
        sda(0)
        scl(1)
        sda(1)  # STOP
        return self.idle()  # else a loser is still pulling that has not noticed yet


def let_go(name, pin):
    """Make the pin an open drain that pulls nothing: it moves no line, and a pin that is an input
    only (ESP32: 34 to 39) refuses it. ``ValueError`` with the argument's name.
    """
    demand(hasattr(pin, "init"), name, "a Pin", pin)
    try:
        pin.init(pin.OPEN_DRAIN, value=1)
    except ValueError:
        demand(False, name, "a Pin that can be an output", pin)


def recover_bus(scl, sda):
    """Free an SDA that a chip holds low because its master died while it was reading it: nine
    clocks, then STOP (UM10204 3.1.16). True if both lines are high then.

    For ``Cluster(recover=lambda: recover_bus(scl, sda))``. A START comes first, where SDA is free,
    and one right before the STOP: it makes a chip forget a write that was cut off, which a STOP
    alone would store (AT24C256: software reset; UM10204 does not know START and STOP without a
    byte between them, chips do). An SCL that is held low needs a power cycle.
    """
    let_go("sda", sda)
    let_go("scl", scl)
    sda(0)
    scl(0)
    sda(1)
    for _ in range(9):
        scl(1)
        scl(0)
    scl(1)
    sda(0)
    sda(1)
    return bool(scl() and sda())
