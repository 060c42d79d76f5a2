"""A history as data, so that parts can be taken out of it: a setup, and events in their order.

Rule: nothing here knows how it is played. Stands on nothing.

Events are `[seconds, name, *arguments]`; beside those of `faults.Faults` there are::

    wake      node, *options                one wake: look, duty, beat
    together  seed, order, [node, *options]...   several boards awake at once
    hush      seconds                       whoever led last does not wake for so long
    router    works                         0: from now on no duty succeeds
    flaps     node                          a wake of a board whose supply comes and goes
    loop      node, count, gap_s            a board that resets again and again
    twin      node                          another board with this number wakes
    misfit    node, what                    a board with another configuration wakes
    replace   node                          another board takes this number over (reset_node)
    calm      seed, rounds, [nodes]         faults end; all but these nodes wake; I5 must hold

Options of a wake: crash n moment tear · fail n errno every done · short n · hang n seconds · weak
chips (its writes to them arrive in part) · work seconds (between look and confirm) · stall seconds
(after confirm) · lock · undone · untold · reset node · stand_down. `n` counts bus transactions from
the wake on; with a last argument "claim", from the first write of a claim on. A board that hangs
does so while the events of that time happen.
"""

import json
from dataclasses import dataclass, field
from typing import Any

NS = 1_000_000_000
PERIOD_S = 900
ERRORS = (5, 19, 110, 116, 264)
CALLS = {"reset": "reset_node", "stand_down": "stand_down"}


@dataclass
class History:
    """setup: nodes, eeproms, part, quorum, retries, readmit, interval, drifts (ppm), owned, warm,
    wrap, mild; events: see the module.
    """

    setup: dict[str, Any]
    events: list[list] = field(default_factory=list)

    def dumps(self):
        return json.dumps({"setup": self.setup, "events": self.events}, separators=(",", ":"))

    @staticmethod
    def loads(text):
        data = json.loads(text)
        return History(data["setup"], data["events"])


class Wake:
    """The options of one wake."""

    def __init__(self, options):
        self.done = self.told = True
        self.locked = False
        self.work_s = self.stall_s = 0
        self.crash = self.hang = self.fail = self.short = self.weak = None
        self.calls = []
        for name, *args in options:
            if name == "undone":
                self.done = False
            elif name == "untold":
                self.told = False
            elif name == "lock":
                self.locked = True
            elif name in ("work", "stall"):
                setattr(self, name + "_s", args[0])
            elif name in CALLS:
                self.calls.append((name, args))
            else:
                setattr(self, name, args)
