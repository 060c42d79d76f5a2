"""The kinds of faults of a random history: each writes its events, with a beginning and an end.

Rule: no look at what the boards do; see `generate`. Stands on wake_options.
"""

from proof.history.wake_options import WakeOptions
from proof.simulation.events import PERIOD_S


class FaultKinds(WakeOptions):
    """Writes `events` of one history."""

    def __init__(self, random, nodes, eeproms):
        super().__init__(random, nodes, eeproms)
        self.events = []

    def add(self, at_s, *event):
        self.events.append([int(at_s), *event])

    def lasts(self):
        """How long something lasts, in seconds."""
        return self.random.choice((1, 2, 3, 5, 9)) * PERIOD_S // 2 + self.random.below(PERIOD_S)

    def chip(self):
        return self.random.below(self.eeproms)

    # Each begins at a time, and may end

    def lost(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, "unplug", k)
        self.add(end_s, "plug", k)

    def all_lost(self, at_s, end_s):
        for k in range(self.eeproms):
            self.add(at_s, "unplug", k)
            self.add(end_s, "plug", k)

    def blank(self, at_s, end_s):
        self.add(at_s, "blank", self.chip())

    def all_blank(self, at_s, end_s):
        for k in range(self.eeproms):
            self.add(at_s, "blank", k)

    def stale(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, "save", k)
        self.add(end_s, "stale", k)

    def garbage(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, "garbage", k)
        self.add(end_s, "sane", k)

    def protect(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, "protect", k)
        self.add(end_s, "unprotect", k)

    def slow(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, "slow", k, 10)
        self.add(end_s, "slow", k, 5)

    def rot(self, at_s, end_s):
        copies = self.random.choice(([0], [1], [0, 1]))
        at = self.random.below(40 + 3 * self.nodes)
        self.add(at_s, "flip", self.chip(), self.node(), copies, at, self.random.below(8))

    def label(self, at_s, end_s):
        self.add(at_s, "label", self.chip(), self.random.below(20), self.random.below(8))

    def foreign(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, *self.random.choice((("foreign", k), ("clone", k, self.chip()))))
        self.add(end_s, "back", k)

    def swap(self, at_s, end_s):
        k = self.chip()
        self.add(at_s, "swap", k, self.chip())
        self.add(end_s, "back", k)

    def reach(self, at_s, end_s):
        node = self.node()
        self.add(at_s, "reach", node, [k for k in range(self.eeproms) if self.random.below(2)])
        self.add(end_s, "reach", node, [])

    def cut(self, at_s, end_s):
        """The bus in two parts, with boards and chips on both."""
        random = self.random
        nodes = [random.below(2) for _ in range(self.nodes)]
        chips = [random.below(2) for _ in range(self.eeproms)]
        if random.below(2):  # as boards stand along the bus, each with its chip
            chips = [nodes[k] if k < self.nodes else random.below(2) for k in range(self.eeproms)]
        for node, side in enumerate(nodes):
            away = [k for k in range(self.eeproms) if chips[k] != side]
            self.add(at_s, "reach", node, away)
            self.add(end_s, "reach", node, [])

    def stuck(self, at_s, end_s):
        line = self.random.choice(("sda", "scl"))
        self.add(at_s, "stuck", line, self.random.below(2))
        self.add(end_s, "unstuck")

    def clock(self, at_s, end_s):
        delta_s = self.random.choice((-100000, -1000, -100, 100, 1000, 100000))
        self.add(at_s, "clock", self.node(), delta_s)

    def loop(self, at_s, end_s):
        random = self.random
        self.add(at_s, "loop", self.node(), 3 + random.below(10), random.choice((1, 5, 60)))

    def flapping(self, at_s, end_s):
        """A board without supply now and then."""
        node = self.node()
        self.add(at_s, "off", node)
        self.add(end_s, "flaps", node)

    def off(self, at_s, end_s):
        self.add(at_s, "off", self.node())

    def hush(self, at_s, end_s):
        self.add(at_s, "hush", self.random.choice((3, 4, 6, 9)) * PERIOD_S)

    def twin(self, at_s, end_s):
        self.add(at_s, "twin", self.node())

    def replace(self, at_s, end_s):
        self.add(at_s, "replace", self.node())

    def misfit(self, at_s, end_s):
        self.add(at_s, "misfit", self.node(), self.random.below(4))

    def failing(self, at_s, end_s):
        """Nobody's duty succeeds (see `Wakes.router`)."""
        self.add(at_s, "router", 0)
        self.add(end_s, "router", 1)

    def odd_wake(self, at_s, end_s):
        self.add(at_s, "wake", self.node(), *self.options(900))

    # One that stands here more often happens more often
    KINDS = (
        lost, lost, all_lost, blank, blank, stale, stale, garbage, protect, slow, rot, label,
        foreign, swap, reach, reach, cut, stuck, clock, loop, flapping, off, hush, hush, hush, hush,
        twin, replace, misfit, failing, odd_wake, odd_wake, all_blank,
    )  # fmt: skip
