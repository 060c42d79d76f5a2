"""One node at work, under the lock: look, decide, write, and look again. Stands on slots and rules.

One's own record is the state, ``mine``: it is read at each look, changed in RAM by the rules, and
written by a claim or by a beat. ``leading`` says whether the last look confirmed this node as the
primary.
"""

from .bitmap import ids
from .errors import ClusterError
from .rules import (
    follow,
    may_lead,
    observe,
    settle,
    silent,
)


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
        self.mine = None  # my record, with what is not written yet
        self.leading = False
        self.stuck = 0  # why the lock could not be had: STUCK or LATE
        self.since = 0  # ticks_ms of the last look

    def quorate(self):
        """Are the good EEPROMs a quorum, or so many empty that there has never been one?"""
        view = self.slots.view
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
            counted = observe(mine, view, config, int(self.clock()) & 0xFFFFFFFF, new)
            follow(mine, view)
            if may_lead(mine, view, config, counted):
                from .lead import lead

                lead(self, counted)
            settle(self.mine, self.stuck)

    def look(self):
        """Read all EEPROMs. ``OSError`` if none answers, its ``fault`` if none is ours."""
        self.since = self.slots.timer.ticks_ms()
        view = self.slots.look()
        if self.recover and not (self.stuck or view.good | view.empty):  # SDA low reads as zeros
            self.recover()
            if self.make:
                self.slots.i2c = self.make()
            view = self.slots.look()
        fault = view.fault
        if not view.heard:
            from .care import failure

            fault = failure(self.slots, "answers")
        if fault and not view.good:
            view.empty = 0  # nothing may be written on the strength of this look
            raise fault
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
                from .care import admit

                admit(view, node)
            new = True
        elif mine and (new or record.revision <= mine.revision):
            record = mine
            new = False
        self.mine = mine = record or self.config.layout.new(node)
        mine.uid = uid or mine.uid
        mine.stuck |= self.stuck
        mine.twin |= view.twin >> node & 1
        view.token = max(view.token, mine.token)
        return new

    def refresh(self, accept):
        """Look again if anything changed since the last look; am I still the primary?"""
        if self.mine is None and not accept:
            return self.check()
        since = self.slots.timer.ticks_ms()
        if self.mine is None or not self.slots.same():
            view = self.look()
            if self.quorate():
                self.load(accept)
                follow(self.mine, view)
        self.since = since
        if self.leading:
            from .lead import confirm

            confirm(self)

    def ready(self, accept):
        """``refresh``, and ``ClusterError`` if isolated."""
        self.refresh(accept)
        if not self.quorate():
            raise ClusterError("isolated: fewer than %d EEPROMs are ours" % self.config.quorum)

    def write(self):
        """Write my record. ``OSError`` if no EEPROM keeps it."""
        self.mine.retry = silent(self.mine, 0)
        if not self.slots.store(self.mine):
            from .care import failure

            raise failure(self.slots, "keeps what is written")
