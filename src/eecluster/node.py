"""One node at work, under the lock: look, decide, write, and look again. Stands on slots and rules.

One's own record is the state, ``mine``: it is read at each look, changed in RAM by the rules, and
written by a claim or by a beat. ``leading`` says whether the last look confirmed this node as the primary.
"""

from .bitmap import size_of
from .errors import ClusterError, DuplicateNodeError
from .layout import owner
from .rules import (
    acknowledge,
    asked,
    claim,
    follow,
    lost,
    may_claim,
    members,
    observe,
    proven,
    readmit,
    released,
    resting,
    silent,
)
from .slots import Slots
from .status import Status


class Node:
    """Node ``config.node_id`` on the EEPROMs."""

    def __init__(self, config, eeproms, clock):
        self.config = config
        self.node = config.node_id
        self.eeproms = eeproms
        self.slots = Slots(config.layout, eeproms, self.node)
        self.clock = clock
        self.mine = None  # my record, with what is not written yet
        self.leading = False
        self.stuck = False  # the lock could not be had
        self.looked_ms = 0

    def quorate(self):
        """Are the good EEPROMs a quorum, or so many empty that there has never been one?"""
        good = size_of(self.slots.view.good)
        empty = size_of(self.slots.view.empty)
        quorum = self.config.quorum
        return good >= quorum or good + empty >= quorum and empty >= self.config.virgin

    def check(self):
        """A look that counts strikes, and what follows from it. Errors as ``look`` and ``load``."""
        config = self.config
        self.leading = False
        view = self.look()
        if not self.quorate():
            return
        baseline = self.load()
        mine = self.mine
        counted = observe(mine, view, config, int(self.clock()) & 0xFFFFFFFF, baseline)
        follow(mine, view)
        if view.token and owner(view.token) == self.node:
            if not resting(mine, counted, config) and self.confirm() and counted:
                readmit(mine, mine.spare | asked(view, mine.node) | proven(mine, config))
                if silent(mine, config.retries):
                    self.claim()
        elif may_claim(mine, view, config, counted):
            self.claim()
        acknowledge(self.mine, self.stuck)

    def look(self):
        """Read all EEPROMs. ``OSError`` if none answers, its ``fault`` if none is ours."""
        self.looked_ms = self.eeproms.timer.ticks_ms()
        view = self.slots.look()
        fault = None if view.good else view.fault
        if not view.answered:
            fault = self.failure("no EEPROM answers: check wires, pull-ups, supply and addresses")
        if fault:
            view.empty = 0  # nothing may be written on the strength of this look
            raise fault
        return view

    def load(self, accept=False):
        """Make my record of this look the state, unless RAM knows more. True if there is none yet.

        ``DuplicateNodeError`` if it is another board's and nobody asked to ``accept`` this one.
        """
        view = self.slots.view
        node = self.node
        uid = self.config.uid
        stored = view.records[node]
        mine = self.mine
        self.mine = None
        new = not stored
        if stored and uid and stored.uid not in (0, uid):
            if not accept and not asked(view, node) >> node & 1:
                raise DuplicateNodeError(
                    "node_id %d is another board's. Give this one its own number; if it replaces that"
                    " board: reset_node(%d)" % (node, node)
                )
            new = True
        elif mine and (new or stored.revision <= mine.revision):
            stored = mine
            new = False
        self.mine = mine = stored or self.config.layout.new(node)
        mine.uid = uid or mine.uid
        mine.stuck |= self.stuck
        mine.twin |= view.twins >> node & 1
        view.token = max(view.token, mine.token)
        return new

    def refresh(self, accept=False):
        """Look again if anything changed since the last look; am I still the primary?"""
        if self.mine is None and not accept:
            return self.check()
        now_ms = self.eeproms.timer.ticks_ms()
        if self.mine is None or not self.slots.unchanged():
            view = self.look()
            if self.quorate():
                self.load(accept)
                follow(self.mine, view)
        self.looked_ms = now_ms
        if self.leading:
            self.confirm()

    def ready(self, accept=False):
        """``refresh``, and ``ClusterError`` if isolated."""
        self.refresh(accept)
        if not self.quorate():
            raise ClusterError("isolated, nothing was written: fewer than %d EEPROMs are ours" % self.config.quorum)

    def confirm(self):
        """Is nothing higher than my token read, and does it stand in my slot on a quorum?"""
        self.leading = False
        for left in (1, 0):
            mine = self.mine
            view = self.slots.view
            follow(mine, view)
            if not self.quorate() or owner(mine.token) != self.node:
                break
            if mine.token == view.held and size_of(view.fresh) >= self.config.quorum:
                mine.primary = 1 << self.node
                mine.dead &= ~mine.primary
                self.leading = True
                break
            if left:  # not yet on a quorum: write first, read after
                self.write()
                self.look()
                self.load()
        return self.leading

    def claim(self):
        """Claim a new epoch: write first, read after."""
        claim(self.mine, self.slots.view, self.config, 0)
        self.write()
        self.look()
        self.load()
        self.confirm()

    def write(self):
        """Write my record. ``OSError`` if no EEPROM keeps it."""
        self.mine.retry = silent(self.mine, 0)
        if not self.slots.write(self.mine):
            raise self.failure("no EEPROM keeps what is written: check write protection and supply")

    def failure(self, text):
        """An ``OSError`` with the port's errno that names the EEPROMs."""
        error = self.slots.error
        text += " (%s)" % ", ".join(map(hex, self.eeproms.addresses))
        return OSError(error.args[0] if error else 5, text)

    def status(self):
        """The ``Status`` to return."""
        view = self.slots.view
        mine = self.mine
        role = "primary" if self.leading else "standby"
        if not self.quorate() or not mine:
            role = "isolated"
            mine = self.config.layout.new(self.node)
        elif mine.dead >> self.node & 1:
            role = "dead"
        alive = members(mine)
        suspects = silent(mine, 0)
        primary = owner(mine.token)
        events = ()
        if self.leading:
            from .events import pending

            events = pending(mine, view, alive, suspects, lost(view, self.config))
        elif primary == self.node or released(view) or not mine.token:
            primary = None
        absent = (1 << self.config.nodes) - 1 & ~alive & ~mine.dead
        return Status(
            role, self.node, primary, max(mine.token, view.token), events,
            alive, suspects, mine.dead, absent, view.good,
        )  # fmt: skip
