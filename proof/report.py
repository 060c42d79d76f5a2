"""The tables of docs/trust.md, made from docs/data and from the lists that they are about.

    python -m proof.report      makes them anew

A table stands after a line `<!-- table: NAME -->`, to the next empty line.
"""

import json

from reporting import DATA
from reporting.tables import refilled, table

from proof.crashes.sweeps import SWEEPS
from proof.mutants.mistakes import MISTAKES
from proof.orders.spaces import QUICK, SPACES
from proof.simulation.coverage import ROWS

PAGE = DATA.parent / "trust.md"


def results(name):
    """What is kept of that name."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def number(value):
    return f"{value:,}"


def spaces():
    """Each space, explored: one row."""
    heads = ("situation", "in `make test`", "crashes", "bound", "states", "ways", "ends")
    rows = []
    for result in results("searches"):
        name, sizes = result["title"], result["sizes"]
        if name in SPACES:
            space = SPACES[name]
            crashes = f"{space.crashes}{', torn' if space.tears else ''}" if space.crashes else ""
            bound = "" if space.overtaken is None else str(space.overtaken)
            counts = [number(sizes[key]) for key in ("states", "moves", "ends")]
            rows.append((name, "yes" if name in QUICK else "", crashes, bound, *counts))
    return table(heads, rows, 2)


def sweeps():
    """Each sweep: one row."""
    heads = ("cluster, wakes before", "states", "cuts", "different leavings", "most transfers")
    rows = [
        (result["title"], *[number(result["sizes"][k]) for k in ("states", "cuts", "left")],
         number(result["sizes"]["transfers"]))
        for result in results("searches")
        if result["title"] in SWEEPS
    ]  # fmt: skip
    return table(heads, rows, 1)


def histories():
    """The longest run."""
    (run,) = results("histories")
    heads = ("histories", "wakes", "years", "messages", "wakes per s and core", "breaches")
    counts = [run[key] for key in ("histories", "wakes", "years", "messages")]
    row = [*counts, run["wakes_per_second_and_core"], len(run["breaches"])]
    return table(heads, [[number(value) for value in row]], 0)


def faults():
    """Each fault: how often it happened in that run."""
    (run,) = results("histories")
    rows = [
        (row, number(sum([run["counts"].get(name, 0) for name in names])))
        for row, names in ROWS.items()
    ]
    return table(("fault", "times"), rows, 1)


def mistakes():
    """The planted mistakes: one row each."""
    rows = [
        (mistake.wrong, " ".join((mistake.caught_by[0], f"`{mistake.caught_by[1]}`")))
        for mistake in MISTAKES
    ]
    return table(("mistake", "caught by"), rows, 2)


TABLES = {make.__name__: make for make in (spaces, sweeps, histories, faults, mistakes)}


def filled(text):
    """The page with all tables made anew."""
    return refilled(text, TABLES, PAGE.name)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
