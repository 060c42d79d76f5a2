"""A seed becomes a history: chapters of faults, each with a calm time at its end.

Rule: all chance is here, and none of it looks at what the boards do. What is within the promises is
decided when the history is played (`proof.faults`). A chapter has a mood: a few kinds of faults,
some of them often, because most mistakes need the same kind twice, or two kinds together.
"""

from eecluster_sim.chip import TEARS
from eecluster_sim.rand import Random
from proof.play import ERRORS, PERIOD_S, History

CLUSTERS = (  # nodes, EEPROMs, how often: small ones are quick, and find most
    (2, 2, 4), (2, 3, 8), (3, 3, 8), (2, 5, 2), (3, 4, 2), (3, 5, 2), (3, 2, 2), (5, 3, 2),
    (5, 5, 1), (8, 3, 1), (8, 5, 1), (8, 8, 1), (5, 1, 1),
)  # fmt: skip
DRAWN = [cluster[:2] for cluster in CLUSTERS for _ in range(cluster[2])]
PAUSES_S = (1, 2, 40, 900, 1900, 4000)
REST_S = 9000  # longer than boards hang within each other's pauses, so that calm finds none awake


def setup(random):
    """What kind of cluster."""
    nodes, eeproms = random.choice(DRAWN)
    quorum = "majority" if random.below(3) else "available"
    warm = random.chance(700)
    drift = random.choice((0, 10000, 50000))
    signs = [random.choice((-1, 0, 1)) for _ in range(nodes)]
    wrap = warm and random.chance(250)
    return {
        "nodes": nodes,
        "eeproms": eeproms,
        "quorum": quorum,
        "retries": random.choice((1, 1, 1, 2, 3)),
        "readmit": random.choice((3, 3, 1, None)),
        "interval": random.choice((PERIOD_S, PERIOD_S, None)),
        "drifts": [drift * sign for sign in signs],
        "owned": random.chance(350),
        "warm": warm,
        "wrap": [65500 + random.below(36) for _ in range(nodes)] if wrap else None,
        "mild": random.chance(750),
    }


class Writer:
    """Writes the events of one history."""

    def __init__(self, seed, chapters=None):
        self.random = random = Random(seed)
        self.setup = setup(random)
        self.nodes = self.setup["nodes"]
        self.eeproms = self.setup["eeproms"]
        self.depth = 4 * self.nodes * self.eeproms + 30  # transactions of a wake, roughly
        self.events = []
        self.now_s = 10
        for _ in range(chapters or 1 + random.below(4)):
            self.chapter()

    def add(self, at_s, *event):
        self.events.append([int(at_s), *event])

    # A chapter

    def chapter(self):
        random = self.random
        start_s = self.now_s
        rounds = random.choice((6, 12, 25, 40))
        end_s = start_s + rounds * PERIOD_S
        moods = [random.choice(MOODS) for _ in range(1 + random.below(4))]
        for mood in moods:
            at_s = start_s
            often_s = PERIOD_S * random.choice((1, 2, 4, 10))
            while True:
                at_s += 1 + random.below(2 * often_s)
                if at_s >= end_s:
                    break
                mood(self, at_s, min(end_s, at_s + self.lasts()))
        if random.chance(350):
            self.patchy(start_s, end_s)
        self.wakes(start_s, end_s)
        self.events.sort(key=lambda event: event[0])
        rest = random.choice((0, 0, 1)) * random.below(self.nodes)
        gone = sorted({self.node() for _ in range(rest)})
        calm_rounds = 12
        self.add(end_s + REST_S, "calm", random.next32(), calm_rounds, gone)
        self.now_s = end_s + REST_S + (calm_rounds + 12) * PERIOD_S

    def patchy(self, start_s, end_s):
        """All the time each board reaches a part of the chips only, just enough in most cases."""
        random = self.random
        quorum = self.eeproms // 2 + 1
        at_s = start_s
        while at_s < end_s:
            for node in range(self.nodes):
                chips = list(range(self.eeproms))
                while len(chips) > quorum or random.below(8) == 0 and chips:
                    del chips[random.below(len(chips))]
                away = [k for k in range(self.eeproms) if k not in chips]
                if random.below(4):
                    self.add(at_s, "reach", node, away)
                else:
                    self.add(at_s, "reach", node, [])
            at_s += PERIOD_S * (1 + random.below(8))

    def lasts(self):
        """How long something lasts, in seconds."""
        return self.random.choice((1, 2, 3, 5, 9)) * PERIOD_S // 2 + self.random.below(PERIOD_S)

    def node(self):
        return self.random.below(self.nodes)

    def chip(self):
        return self.random.below(self.eeproms)

    def wakes(self, start_s, end_s):
        """Everybody wakes every 15 minutes; some sleep through."""
        random = self.random
        jitter_s = random.choice((20, 90, 400))
        absent = random.choice((0, 30, 100, 250))  # per mille: begins a time without wakes
        together = random.choice((0, 50, 200, 500))
        odd = random.choice((0, 30, 100, 300, 500))
        order = random.choice(("time", "random", "random"))
        drifts = self.setup["drifts"]
        due = {node: start_s + random.below(PERIOD_S) for node in range(self.nodes)}
        while True:
            node = min(due, key=lambda node: due[node])
            at_s = due[node]
            if at_s >= end_s:
                return
            if random.chance(absent):
                due[node] += PERIOD_S * random.choice((1, 2, 3, 4, 6, 12))
                continue
            company = [n for n in due if n != node and random.chance(together)]
            if company:
                wakes = [[n, *self.options(odd)] for n in [node, *company]]
                self.add(at_s, "together", random.next32(), order, *wakes)
            else:
                self.add(at_s, "wake", node, *self.options(odd))
            for n in (node, *company):
                due[n] = at_s + PERIOD_S * (1 + drifts[n] / 1e6)
                due[n] += random.below(jitter_s + 1) - jitter_s // 2

    def options(self, odd):
        """What is special about a wake."""
        random = self.random
        found = []
        while random.chance(odd) and len(found) < 3:
            found.append(random.choice(OPTIONS)(self))
        return found

    # Options of a wake

    def crash(self):
        moment = self.random.choice(("before", "during", "after"))
        tear = self.random.choice(TEARS)
        if self.random.below(2):
            return ["crash", self.random.below(6 * self.eeproms), moment, tear, "claim"]
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
    Writer.lost, Writer.lost, Writer.all_lost, Writer.blank, Writer.blank, Writer.stale,
    Writer.stale, Writer.garbage, Writer.protect, Writer.slow, Writer.rot, Writer.label,
    Writer.foreign, Writer.swap, Writer.reach, Writer.reach, Writer.cut, Writer.stuck, Writer.clock,
    Writer.loop, Writer.flapping, Writer.off, Writer.hush, Writer.hush, Writer.hush, Writer.hush,
    Writer.twin, Writer.replace, Writer.misfit, Writer.failing, Writer.odd_wake, Writer.odd_wake,
    Writer.all_blank,
)  # fmt: skip
OPTIONS = (
    Writer.crash, Writer.crash, Writer.crash, Writer.hang, Writer.hang, Writer.stall, Writer.fail,
    Writer.short, Writer.weak, Writer.weak, Writer.work, Writer.reset,
    lambda writer: ["stand_down"], lambda writer: ["lock"], lambda writer: ["undone"],
    lambda writer: ["untold"],
)  # fmt: skip


def make(seed, chapters=None):
    """The history of a seed."""
    writer = Writer(seed, chapters)
    return History(writer.setup, writer.events)
