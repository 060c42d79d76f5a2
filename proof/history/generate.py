"""A seed becomes a history: chapters of faults, each with a calm time at its end.

Rule: all chance is here, and none of it looks at what the boards do. What is within the promises is
decided when the history is played (`fault_limits`). A chapter has a few kinds of faults, some of
them often, because most mistakes need the same kind twice, or two kinds together. Stands on
fault_kinds.
"""

from eecluster_sim.rand import Random
from proof.history.fault_kinds import FaultKinds
from proof.simulation.events import PERIOD_S, History

CLUSTERS = (  # nodes, EEPROMs, how often: small ones are quick, and find most
    (2, 2, 4), (2, 3, 8), (3, 3, 8), (2, 5, 2), (3, 4, 2), (3, 5, 2), (3, 2, 2), (5, 3, 2),
    (5, 5, 1), (8, 3, 1), (8, 5, 1), (8, 8, 1), (5, 1, 1), (2, 1, 1),
)  # fmt: skip
DRAWN = [cluster[:2] for cluster in CLUSTERS for _ in range(cluster[2])]
PARTS = ("AT24C128",) * 5 + ("AT24C64", "AT24C512", "FM24W256")  # pages of 64, 32, 128; FRAM
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
        "part": random.choice(PARTS),
        "quorum": quorum,
        "retries": random.choice((1, 1, 1, 2, 3)),
        "readmit": random.choice((3, 3, 1, None)),
        "interval": random.choice((PERIOD_S, PERIOD_S, None)),
        "drifts": [drift * sign for sign in signs],
        "owned": random.chance(350),
        "warm": warm,
        "wrap": [220 + random.below(36) for _ in range(nodes)] if wrap else None,
        "mild": random.chance(750),
    }


class Writer(FaultKinds):
    """Writes the events of one history."""

    def __init__(self, seed, chapters=None):
        self.random = random = Random(seed)
        self.setup = setup(random)
        super().__init__(random, self.setup["nodes"], self.setup["eeproms"])
        self.now_s = 10
        for _ in range(chapters or 1 + random.below(4)):
            self.chapter()

    # A chapter

    def chapter(self):
        random = self.random
        start_s = self.now_s
        rounds = random.choice((6, 12, 25, 40))
        end_s = start_s + rounds * PERIOD_S
        kinds = [random.choice(self.KINDS) for _ in range(1 + random.below(4))]
        for kind in kinds:
            at_s = start_s
            often_s = PERIOD_S * random.choice((1, 2, 4, 10))
            while True:
                at_s += 1 + random.below(2 * often_s)
                if at_s >= end_s:
                    break
                kind(self, at_s, min(end_s, at_s + self.lasts()))
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


def make(seed, chapters=None):
    """The history of a seed."""
    writer = Writer(seed, chapters)
    return History(writer.setup, writer.events)
