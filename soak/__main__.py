"""`make soak`: the contests of the locks, then the collisions, on all processors.

    python -m soak [--runs 100000] [--wakes 10000] [--only locks] [--keep]

Interrupt it as you like: the next run goes on where this one stopped, unless the code has changed.
--keep puts the figures into docs/two_masters.md.
"""

import argparse
import sys

from rich import box
from rich.console import Console
from rich.table import Table

from soak import collisions, jobs, locks, report

PARTS = {"locks": locks, "collisions": collisions}


def table(part, todo):
    """The figures of all jobs."""
    made = Table(*part.HEADS, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in made.columns[2:]:
        column.justify = "right"
    for job in todo:
        made.add_row(*part.row(*job.args, job.state["totals"]))
    return made


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m soak", description="contests and collisions")
    parser.add_argument("--runs", type=int, default=locks.RUNS, help="contests within the limits")
    parser.add_argument("--wakes", type=int, default=collisions.WAKES, help="of each combination")
    parser.add_argument("--only", choices=PARTS, help="only these")
    parser.add_argument("--keep", action="store_true", help="put the figures into the docs")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    broken = []
    for name, part in PARTS.items():
        if options.only in (None, name):
            todo = part.make_jobs(options.runs if part is locks else options.wakes)
            jobs.run(todo, console)
            console.print(table(part, todo))
            if options.keep:
                report.keep(name, part, todo)
            if part is locks:
                broken = locks.complaints(todo)
    for sentence in broken:
        console.print(sentence, style="red")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
