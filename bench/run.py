"""`make bench`: takes the figures and prints them beside the base line.

    python -m bench.run [--only PART]... [--keep]         (python bench/run.py does as well)

With --keep they become the base line: docs/data/bench.json, and from there the tables and the plot
of docs/numbers.md. Parts whose tools are missing are left out; with --keep or CI=true that is an
error.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bench import figures, kept, needs, page  # noqa: E402

TITLES = {
    "bus": "The bus at 400 kHz with 5 ms per write, simulated",
    "lock": "The locks, on simulated wires",
    "size": "Bytes on a board's flash",
    "heap": "Memory of the MicroPython unix port (64 bits), bytes",
    "instructions": "Instructions of the MicroPython unix port",
    "avocado": "examples/avocado on the MicroPython unix port",
}


def measured(parts):
    """part -> its figures."""
    near = {
        name.split()[1]: figure["value"] for name, figure in kept.load().get("avocado", {}).items()
    }
    return {
        part: figures.avocado(near) if part == "avocado" else figures.PARTS[part]()
        for part in parts
    }


def table(part, found, base):
    """A table of figures: red above the goal."""
    made = Table(title=TITLES[part], title_justify="left")
    made.add_column("")
    for name in ("eecluster", "base line", "floor", "goal", "first version"):
        made.add_column(name, justify="right")
    missed = found.missed()
    for name, figure in found.items():
        goal = figures.GOALS.get(name)
        numbers = (
            figure["value"], base.get(name, {}).get("value"), figure.get("floor"), goal,
            figure.get("first_version"),
        )  # fmt: skip
        style = "red" if name in missed else "green" if goal is not None else ""
        made.add_row(name, *["" if n is None else kept.text(n) for n in numbers], style=style)
    return made


def main(arguments=None):
    parser = argparse.ArgumentParser(description="measure bus time, memory, instructions, size")
    parser.add_argument("--only", action="append", choices=list(figures.PARTS), metavar="PART")
    parser.add_argument("--keep", action="store_true", help="make them the base line")
    options = parser.parse_args(arguments)
    parts = options.only or list(figures.PARTS)
    missing = needs.missing(parts)
    if missing and (options.keep or os.environ.get("CI") == "true"):
        return f"not installed: {', '.join(missing)}"
    console = Console(width=None if sys.stdout.isatty() else 110)
    found = {}
    for part in [part for part in parts if not needs.missing([part])]:
        found |= measured([part])
        report(console, part, found[part], options.keep)
    if missing:
        console.print(f"left out, because not installed: {', '.join(missing)}", style="red")
    if options.keep:
        kept.keep(found)
        for path in (kept.KEPT, *page.write()):
            console.print(f"written: {os.path.relpath(path)}")


def report(console, part, found, keep):
    """Print the figures of a part, and what is wrong with them."""
    base = kept.load().get(part, {})
    console.print(table(part, found, base))
    for sentence in found.missed().values():
        console.print(f"missed: {sentence}", style="red")
    for sentence in [] if keep else kept.complaints(part, found, base):
        console.print(sentence, style="yellow", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
