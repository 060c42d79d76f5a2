"""What may be special about one wake of a random history. Stands on events."""

from eecluster_sim.chip import TEARS
from proof.simulation.events import ERRORS

PAUSES_S = (1, 2, 40, 900, 1900, 4000)


class WakeOptions:
    """Options, made by chance, of `nodes` and `eeproms`. `depth`: transactions of a wake."""

    def __init__(self, random, nodes, eeproms):
        self.random = random
        self.nodes = nodes
        self.eeproms = eeproms
        self.depth = 4 * nodes * eeproms + 30  # roughly

    def node(self):
        return self.random.below(self.nodes)

    def options(self, odd):
        """What is special about a wake."""
        random = self.random
        found = []
        while random.chance(odd) and len(found) < 3:
            found.append(random.choice(self.OPTIONS)(self))
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

    # One that stands here more often happens more often
    OPTIONS = (
        crash, crash, crash, hang, hang, stall, fail, short, weak, weak, work, reset,
        lambda self: ["stand_down"], lambda self: ["lock"], lambda self: ["undone"],
        lambda self: ["untold"],
    )  # fmt: skip
