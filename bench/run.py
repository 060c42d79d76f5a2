"""`make bench`: takes all figures, prints them as tables and writes them as JSON.

    python -m bench.run [--json PATH]        (python bench/run.py does as well)

Without MicroPython (x86-64 Linux only) or valgrind their figures are left out; with CI=true that is
an error.
"""

import argparse
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bench import figures, unixport  # noqa: E402

COLUMNS = ("value", "floor", "goal", "first_version")


def table(title, found):
    """A table of figures; above its goal is red."""
    made = Table(title=title, title_justify="left")
    made.add_column("")
    for name in ("eecluster", "floor", "goal", "first version"):
        made.add_column(name, justify="right")
    missed = found.missed()
    for name, figure in found.items():
        cells = [_text(figure[column]) for column in COLUMNS]
        style = "red" if name in missed else "green" if figure["goal"] is not None else ""
        made.add_row(name, *cells, style=style)
    return made


def _text(number):
    if number is None:
        return ""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.4f}".rstrip("0").rstrip(".")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="measure bus time, memory, instructions, size")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", metavar="PATH")
    path = parser.parse_args(arguments).json
    missing = unixport.missing()
    if missing and os.environ.get("CI") == "true":
        return f"not installed: {', '.join(missing)}"
    console = Console(width=None if sys.stdout.isatty() else 110)
    bus = figures.bus()
    console.print(table("The bus at 400 kHz with 5 ms per write, simulated", bus))
    lock = figures.lock()
    console.print(table("The locks, on simulated wires", lock))
    board = figures.board(missing)
    console.print(table("The MicroPython unix port (64 bits)", board))
    if missing:
        console.print(f"left out, because not installed: {', '.join(missing)}", style="red")
    for sentence in (bus.missed() | lock.missed() | board.missed()).values():
        console.print(f"missed: {sentence}", style="red")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"missing": missing, "figures": bus | lock | board}, indent=1) + "\n"
    )
    console.print(f"written to {path}")


if __name__ == "__main__":
    sys.exit(main())
