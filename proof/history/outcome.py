"""What histories come to: one, or those of many seeds. Stands on generate and simulation."""

import time
import traceback
from pathlib import Path

from proof.breach import Breach
from proof.history.generate import make
from proof.simulation.events import NS
from proof.simulation.run import Simulation

YEAR_S = 365 * 86400
TESTED_SEEDS = 640  # those of `make test`


class Outcome:
    """What a run came to: wakes, seconds of virtual time, counts; promise and text of a breach."""

    def __init__(self, run, promise=None, text=None, at_s=None):
        self.wakes = run.wakes
        self.virtual_s = run.world.now_ns / NS
        self.counts = run.counts
        self.messages = run.oracle.messages
        self.counts["dropped by the consumer"] = run.oracle.dropped
        self.counts["announced again"] = run.oracle.repeated
        self.promise = promise
        self.text = text
        self.at_s = at_s


def outcome(history, log=None):
    """Play a history to its end, or to the first promise that is broken.

    A mistake of the program (any other exception) counts as a broken promise too.
    """
    run = Simulation(history, log)
    try:
        run.run()
    except Breach as breach:
        return Outcome(run, breach.promise, str(breach), run.world.now_ns // NS)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return Outcome(
            run, f"{error!r} in {place}", f"{error!r} in {place}", run.world.now_ns // NS
        )
    return Outcome(run)


def breaks(history):
    """The promise that this history breaks, or None."""
    return outcome(history).promise


def add(totals, counts):
    """Add up counters; of those named worst_... the largest."""
    for kind, n in counts.items():
        if kind.startswith("worst_"):
            totals[kind] = max(totals.get(kind, 0), n)
        else:
            totals[kind] = totals.get(kind, 0) + n


def run_seeds(seeds, first=False):
    """What many seeds come to, as a dict that can be added up. `first`: up to the first breach."""
    totals: dict = {
        "wakes": 0,
        "virtual_s": 0,
        "seeds": 0,
        "messages": 0,
        "breaches": [],
        "counts": {},
    }
    start_s = time.process_time()
    for seed in seeds:
        found = outcome(make(seed))
        totals["seeds"] += 1
        totals["wakes"] += found.wakes
        totals["virtual_s"] += int(found.virtual_s)
        totals["messages"] += found.messages
        add(totals["counts"], found.counts)
        if found.promise:
            totals["breaches"].append([seed, found.text])
            if first:
                break
    totals["cpu_s"] = time.process_time() - start_s
    return totals


def figures(totals):
    """One line."""
    rate = totals["wakes"] / max(totals["cpu_s"], 0.001)
    return (
        f"{totals['seeds']:,} histories, {totals['wakes']:,} wakes,"
        f" {totals['virtual_s'] / YEAR_S:.1f} years, {rate:,.0f} wakes per second and core,"
        f" {len(totals['breaches'])} breaches"
    )
