"""One node at work, under the lock: who looks, confirms, claims and writes, and in which order.

The decisions are in rules, and for who leads or is about to in takeover; here they are carried
out::

    check    look, count strikes, follow; lead if the token is mine or I may replace it
    lead     confirm and do what a primary does, or claim; an update after each step of takeover's
    confirm  is my token read back from a quorum? An update if it is not there yet, once
    update   write first, look after: that order is the proof
    beat     what heartbeat() does: look again if anything has changed, one more beat, write

One's own record is the state, ``mine``: it is read at each look, changed in RAM by the rules, and
written by a claim or by a beat. What an exception leaves behind is forgotten: the next call looks
anew. What a person or a consumer changes is in administer. Stands on slots, rules and layout; on
takeover and repair when they are needed.
"""

from .bitmap import ids
from .layout import ADMITTED, OPEN, RELEASED, REPORTS, SHARED, owner
from .rules import beat, follow, may_lead, observe, silent

LOOK_VALID_MS = 1000  # chips are not swapped faster than that

# what the last call has left: the next heartbeat() looks, relies on the last look, does nothing
UNCHECKED = 0
CHECKED = 1
FAILED = 2


class Node:
    """Node ``slots.node`` at work; ``clock``, ``lock`` and ``recover`` as in ``Cluster``.

    ``make``: the function that makes the I2C object, or None.
    """

    def __init__(self, config, slots, clock, lock, recover, make):
        self.config = config
        self.slots = slots
        self.clock = clock
        self.lock = lock
        self.recover = recover
        self.make = make
        self.held = 0  # how many times this node holds the lock
        self.had = False  # the lock was had, not only waited for
        self.lock_fault = 0  # what is wrong with it: STUCK, LATE or OPEN
        self.state = UNCHECKED
        self.mine = None  # my record, with what is not written yet
        self.leading = False  # has the last look confirmed this node as the primary?
        self.since = 0  # ticks_ms of the last look

    def forget(self):
        """Something broke off: what is in RAM proves nothing."""
        self.slots.view = self.mine = None
        self.leading = False

    def quorate(self):
        """Are the good EEPROMs a quorum, or so many empty that there has never been one?"""
        view = self.slots.view
        if not view:
            return False
        good = len(ids(view.good))
        empty = len(ids(view.empty))
        quorum = self.config.quorum
        if good + empty < quorum:
            return False
        # with more empty than that, the rest is no quorum: none was ever written
        return good >= quorum or empty >= min(quorum, len(self.slots.addresses) - quorum + 1)

    def check(self):
        """A look that counts strikes, and what follows from it. Errors as ``look`` and ``load``."""
        config = self.config
        self.leading = False
        view = self.look()
        if self.quorate():
            new = self.load(False)
            mine = self.mine
            noted = None
            if mine.token and owner(mine.token) == mine.node:
                noted = silent(mine, 0), mine.lost
            counted = observe(mine, view, config, int(self.clock()) & 0xFFFFFFFF, new)
            if not counted:
                from .takeover import clock

                clock(mine, view)
            follow(mine, view)
            if may_lead(mine, view, config, counted):
                self.lead(counted, noted)
            if self.mine.flags & REPORTS:
                from .takeover import settle

                settle(self.mine, view, self.lock_fault)

    def lead(self, counted, noted):
        """The token is mine or I may replace it: confirm it, do what a primary does, or claim.

        ``noted``: the suspects and lost EEPROMs in my record before this look, or None.
        """
        from .takeover import lead

        for _ in lead(self, counted, noted):
            self.update()

    def confirm(self):
        """Is nothing higher than my token read, and does it stand in my slot on a quorum?"""
        from .takeover import confirm

        for _ in confirm(self):
            self.update()
        return self.leading

    def update(self):
        """Write first, look after: that order is the proof."""
        self.write()
        self.look()
        self.load(False)

    def look(self):
        """Read all EEPROMs. ``OSError`` if none answers, its ``fault`` if none is ours."""
        self.since = self.slots.timer.ticks_ms()
        view = self.found()
        # also if what answers is not ours: SDA that is held low reads as zeros
        if self.recover and not (self.lock_fault or view.good | view.empty):
            self.recover()
            if self.make:
                self.slots.i2c = self.make()
            view = self.found()
        fault = view.fault
        if not view.heard:
            from .repair import failure

            fault = failure(self.slots, "answers")
        if fault and not view.good:
            view.empty = 0  # nothing may be written on the strength of this look
            raise fault
        return view

    def found(self):
        """What a look finds, chips that are not as they should be judged."""
        view = self.slots.look()
        if view.odd:
            from .repair import judged

            view = judged(self.slots, view)
        return view

    def load(self, accept):
        """Make my record of this look the state, unless RAM knows more. True if there is none yet.

        ``DuplicateNodeError`` if it is another board's and nobody asked to ``accept`` this one.
        """
        view = self.slots.view
        node = self.slots.node
        uid = self.config.uid
        record = view.records[node]
        mine = self.mine
        self.mine = None
        new = not record
        if record and uid and record.uid not in (0, uid):
            if not accept:
                from .repair import admit

                admit(view, node)
            record.flags |= ADMITTED
            new = True
        elif mine and (new or record.revision <= mine.revision):
            record = mine
            new = False
        self.mine = mine = record or self.config.layout.new(node)
        mine.uid = uid or mine.uid
        mine.settings = self.config.settings
        if view.duplicate >> node & 1:
            mine.flags |= SHARED
        self.report()
        view.token = max(view.token, mine.token)
        return new

    def report(self):
        """What is wrong with the lock stands in my record until it was announced."""
        if self.lock_fault:
            self.mine.flags = self.mine.flags & ~OPEN | self.lock_fault

    def refresh(self, accept):
        """Look again if anything changed since the last look; am I still the primary? Nothing is
        counted.
        """
        since = self.slots.timer.ticks_ms()
        if self.mine is None or not self.slots.same():
            view = self.look()
            if self.quorate():
                self.load(accept)
                follow(self.mine, view)
        self.since = since
        if self.leading:
            self.confirm()

    def beat(self, done, state):
        """``Cluster.heartbeat``; ``state``: what the last call has left."""
        if state == FAILED:
            self.forget()
            return
        if state == UNCHECKED:
            self.check()
        timer = self.slots.timer
        age_ms = timer.ticks_diff(timer.ticks_ms(), self.since)
        if self.leading or self.mine is None or not 0 <= age_ms <= LOOK_VALID_MS:
            self.refresh(False)
        if self.quorate():
            mine = self.mine
            due = beat(mine, self.leading, done, self.config)
            self.leading = self.leading and not mine.flags & RELEASED
            if due:
                self.write()

    def write(self):
        """Write my record. ``OSError`` if no EEPROM keeps it."""
        if not self.slots.store(self.mine):
            from .repair import failure

            raise failure(self.slots, "keeps what is written")
