"""`make soak MINUTES=30`: random histories on all processors for so long.

    python -m soak.histories 30 [--keep]

Each run takes new seeds: it begins where the last one of the same code ended. Prints what it came
to, and for each promise that was broken the command that replays it. --keep puts the longest run so
far into docs/data/histories.json. A result belongs to the code that made it: see
reporting.fingerprint.
"""

import json
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from datetime import date

import click
from proof.history.outcome import YEAR_S, add, figures, run_seeds
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from soak import jobs

CODE = (
    "src/eecluster", "src/eecluster_sim", "proof/breach.py", "proof/decode.py", "proof/history",
    "proof/judges", "proof/simulation",
)  # fmt: skip
FIRST_SEED = 10_000  # those before it are for tests
BATCH = 10
NAME = "histories.json"


def first_seed(code):
    """The seed that the last run of this code did not come to."""
    state = jobs.kept_state(jobs.STATES / NAME, code)
    return state["seeds"] if state else FIRST_SEED


def remember(code, seeds):
    """Seeds below this one are done."""
    jobs.STATES.mkdir(parents=True, exist_ok=True)
    state = {"code": code, "seeds": seeds, "totals": {}}
    fresh = jobs.STATES / (NAME + ".new")
    fresh.write_text(json.dumps(state) + "\n")
    fresh.replace(jobs.STATES / NAME)


def merge(totals, more):
    """Add up what `run_seeds` gives."""
    for name, value in more.items():
        if name == "counts":
            add(totals.setdefault(name, {}), value)
        else:
            totals[name] = totals.get(name, type(value)()) + value


def run(minutes, code, console, workers=None):
    """Histories for so long. The totals, with first_seed, last_seed, minutes."""
    start = seed = first_seed(code)
    begin_s = time.monotonic()
    end_s = begin_s + 60 * minutes
    totals: dict = {}
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[says]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    workers = workers or os.cpu_count() or 1
    with (
        Progress(*columns, console=console) as progress,
        ProcessPoolExecutor(workers) as pool,
    ):
        task = progress.add_task("histories", total=60 * minutes, says="")
        running: set = set()
        while running or time.monotonic() < end_s:
            while len(running) < workers and time.monotonic() < end_s:
                running.add(pool.submit(run_seeds, range(seed, seed + BATCH)))
                seed += BATCH
            done, running = wait(running, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                merge(totals, future.result())
            rate = totals.get("wakes", 0) / max(totals.get("cpu_s", 0), 0.001)
            seeds = f"seeds {start}..{seed - 1}"
            says = f"{totals.get('wakes', 0):,} wakes, {rate:,.0f}/s and core, {seeds}"
            progress.update(task, completed=time.monotonic() - begin_s, says=says)
    remember(code, seed)
    totals.update(first_seed=start, last_seed=seed - 1, minutes=minutes, cores=workers)
    return totals


def keep(totals, code):
    """Put this run into the docs, unless there is a longer one of the same code. True if so."""
    path = jobs.KEPT / NAME
    result = {
        "title": "random histories",
        "state": {"code": code},
        "date": date.today().isoformat(),
        "minutes": totals["minutes"],
        "cores": totals["cores"],
        "first_seed": totals["first_seed"],
        "last_seed": totals["last_seed"],
        "histories": totals["seeds"],
        "wakes": totals["wakes"],
        "years": round(totals["virtual_s"] / YEAR_S, 1),
        "messages": totals["messages"],
        "wakes_per_second_and_core": round(totals["wakes"] / totals["cpu_s"]),
        "breaches": totals["breaches"],
        "counts": dict(sorted(totals["counts"].items())),
    }
    if path.exists():
        old = json.loads(path.read_text())[0]
        if old["state"]["code"] == code and old["wakes"] >= result["wakes"]:
            return False
    jobs.KEPT.mkdir(exist_ok=True)
    path.write_text(json.dumps([result], indent=1) + "\n")
    return True


@click.command()
@click.argument("minutes", type=click.FloatRange(min=0, min_open=True))
@click.option("--keep", "keeping", is_flag=True, help="put the longest run into the docs")
def main(minutes, keeping):
    """Random histories on all processors for MINUTES."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    code = jobs.fingerprint(*CODE)
    totals = run(minutes, code, console)
    console.print(figures(totals))
    for seed, text in totals["breaches"]:
        console.print(f"{text}\n    python -m proof.history {seed}", style="red", markup=False)
    if keeping:
        console.print(
            "kept" if keep(totals, code) else "there is a longer run of this code already"
        )
    sys.exit(bool(totals["breaches"]))


if __name__ == "__main__":
    main()
