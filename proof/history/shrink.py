"""Makes a failing history short: what is left is needed.

Rule: only taking away and weakening. `fault_limits` decides anew at each try what is within the
promises, so nothing that is tried can fail for a reason of its own. First chunks of events go, then
single ones, then boards that are not needed, then options of wakes; then what is left is made
weaker: no drift, no wrap, no supplies that chips share. A try counts if the same promise is broken.
"""

from proof.simulation.events import History

TRIES = 4000


class Shrinker:
    """`breaks(history) -> promise or None` judges; `tries` are bounded."""

    def __init__(self, history, breaks, tries=TRIES):
        self.breaks = breaks
        self.left = tries
        self.best = history
        self.promise = breaks(history)
        if self.promise is None:
            raise ValueError("this history breaks no promise")

    def attempt(self, setup, events):
        """Keep this one if it still breaks the promise."""
        if self.left <= 0:
            return False
        self.left -= 1
        candidate = History(setup, events)
        if self.breaks(candidate) != self.promise:
            return False
        self.best = candidate
        return True

    def run(self):
        """The shortest history found."""
        before = None
        while self.best.dumps() != before and self.left > 0:
            before = self.best.dumps()
            self.chunks()
            self.apart()
            self.nodes()
            self.options()
            self.setup()
        return self.best

    def chunks(self):
        """Take events out: halves, quarters, ... single ones; the last ones first."""
        size = max(1, len(self.best.events) // 2)
        while True:
            end = len(self.best.events)
            while end > 0:
                events = self.best.events
                start = max(0, end - size)
                self.attempt(self.best.setup, events[:start] + events[end:])
                end = start
            if size == 1:
                return
            size //= 2

    def apart(self):
        """Boards that are awake together: fewer of them, or one after the other."""
        for i in range(len(self.best.events) - 1, -1, -1):
            at_s, name, *rest = self.best.events[i]
            if name != "together":
                continue
            seed, order, *wakes = rest
            alone = [[at_s, "wake", *wake] for wake in wakes]
            if self.replaced(i, alone):
                continue
            for wake in list(wakes):
                fewer = [other for other in wakes if other is not wake]
                if len(fewer) > 1 and self.replaced(i, [[at_s, name, seed, order, *fewer]]):
                    wakes = fewer

    def nodes(self):
        """Events of one board after the other."""
        for node in range(self.best.setup["nodes"]):
            events = [
                event
                for event in self.best.events
                if not (event[1] in ("wake", "loop", "reach", "off", "flaps") and event[2] == node)
            ]
            if len(events) < len(self.best.events):
                self.attempt(self.best.setup, events)

    def options(self):
        """Wakes without what is special about them."""
        for i in range(len(self.best.events)):
            at_s, name, *rest = self.best.events[i]
            if name == "wake":
                for option in rest[1:]:
                    fewer = [other for other in self.best.events[i][2:] if other is not option]
                    self.replaced(i, [[at_s, name, *fewer]])
            elif name == "together":
                for at in range(2, len(rest)):
                    node, *options = rest[at]
                    if options:
                        plain = rest[:at] + [[node]] + rest[at + 1 :]
                        if self.replaced(i, [[at_s, name, *plain]]):
                            rest = plain
            elif name == "calm":
                self.replaced(i, [[at_s, name, rest[0], rest[1], []]])

    def setup(self):
        """A simpler cluster, as far as it is not needed as it is."""
        setup = self.best.setup
        weaker = {
            "drifts": [0] * setup["nodes"],
            "wrap": None,
            "owned": False,
            "warm": True,
            "interval": None,
            "retries": 1,
            "part": "AT24C128",
        }
        for name, value in weaker.items():
            if self.best.setup[name] != value:
                self.attempt({**self.best.setup, name: value}, self.best.events)

    def replaced(self, i, instead):
        events = self.best.events
        if instead == [events[i]]:
            return False
        return self.attempt(self.best.setup, events[:i] + instead + events[i + 1 :])


def shrink(history, breaks, tries=TRIES):
    """A short history that breaks the same promise."""
    return Shrinker(history, breaks, tries).run()
