"""The kinds of faults of a random history: each writes its events, with a beginning and an end.

Rule: no look at what the boards do; see `generate`. Stands on story.
"""

from eecluster_sim.chip import TEARS
from proof.story import ERRORS, PERIOD_S

PAUSES_S = (1, 2, 40, 900, 1900, 4000)


class Moods:
    """Events of one history; `random`, `nodes`, `eeproms` and `depth` (transactions of a wake)."""

    def __init__(self, random, nodes, eeproms):
        self.random = random
        self.nodes = nodes
        self.eeproms = eeproms
        self.depth = 4 * nodes * eeproms + 30  # roughly
        self.events = []

    def add(self, at_s, *event):
        self.events.append([int(at_s), *event])

    def lasts(self):
        """How long something lasts, in seconds."""
        return self.random.choice((1, 2, 3, 5, 9)) * PERIOD_S // 2 + self.random.below(PERIOD_S)

    def node(self):
        return self.random.below(self.nodes)

    def chip(self):
        return self.random.below(self.eeproms)

    # Options of a wake

    def options(self, odd):
        """What is special about a wake."""
        random = self.random
        found = []
        while random.chance(odd) and len(found) < 3:
            found.append(random.choice(OPTIONS)(self))
        return found

    def crash(self):
        moment = self.random.choice(("before", "during", "after"))
        tear = self.random.choice(TEARS)
        if self.random.below(2):
            span = self.random.choice((6 * self.eeproms, self.depth))
            return ["crash", self.random.below(span), moment, tear, "claim"]
        return ["crash", self.moment(), moment, tear]

    def moment(self):
        """A transaction of a wake: early or late, because there it writes."""
        if self.random.below(3):
            return self.random.below(self.depth)
        return self.random.below(2 * self.depth)

    def fail(self):
        random = self.random
        count = random.choice((1, 3, 9, 40, 400))
        every = random.choice((1, 1, 2, 3))
        found = ["fail", count, random.choice(ERRORS), every, random.below(2)]
        return found + ["claim"] * random.below(2)

    def weak(self):
        return ["weak", [k for k in range(self.eeproms) if self.random.below(2)]]

    def work(self):
        return ["work", self.random.choice(PAUSES_S)]

    def short(self):
        return ["short", self.random.below(64)]

    def hang(self):
        seconds = self.random.choice(PAUSES_S)
        if self.random.below(2):
            return ["hang", self.random.below(6 * self.eeproms), seconds, "claim"]
        return ["hang", self.moment(), seconds]

    def stall(self):
        return ["stall", self.random.choice(PAUSES_S)]

    def reset(self):
        return ["reset", self.node()]

    # Moods: faults that begin at a time, and end

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
        """Nobody's duty succeeds (marks the wakes, see `history`)."""
        self.add(at_s, "router", 0)
        self.add(end_s, "router", 1)

    def odd_wake(self, at_s, end_s):
        self.add(at_s, "wake", self.node(), *self.options(900))


MOODS = (
    Moods.lost, Moods.lost, Moods.all_lost, Moods.blank, Moods.blank, Moods.stale,
    Moods.stale, Moods.garbage, Moods.protect, Moods.slow, Moods.rot, Moods.label,
    Moods.foreign, Moods.swap, Moods.reach, Moods.reach, Moods.cut, Moods.stuck, Moods.clock,
    Moods.loop, Moods.flapping, Moods.off, Moods.hush, Moods.hush, Moods.hush, Moods.hush,
    Moods.twin, Moods.replace, Moods.misfit, Moods.failing, Moods.odd_wake, Moods.odd_wake,
    Moods.all_blank,
)  # fmt: skip
OPTIONS = (
    Moods.crash, Moods.crash, Moods.crash, Moods.hang, Moods.hang, Moods.stall, Moods.fail,
    Moods.short, Moods.weak, Moods.weak, Moods.work, Moods.reset,
    lambda writer: ["stand_down"], lambda writer: ["lock"], lambda writer: ["undone"],
    lambda writer: ["untold"],
)  # fmt: skip
