"""Runs a function for many seeds on all processors and adds up what it counts.

Rule: a result belongs to the code that made it. Progress is kept in a file after every batch; a run
that was stopped goes on there, and one of other code starts anew.
"""

import json
import os
import re
from concurrent.futures import ProcessPoolExecutor

from reporting import DATA as KEPT
from reporting import ROOT
from reporting.fingerprint import fingerprint as fingerprint  # for the parts, beside SIMULATOR
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SIMULATOR = ("bench/locks.py", "soak/locks.py") + tuple(
    f"src/eecluster_sim/{name}"
    for name in (
        "wire", "world.py", "board.py", "bus.py", "chip.py", "parts.py", "i2c.py", "scheduler.py",
        "rand.py", "contest.py",
    )
)  # fmt: skip
STATES = ROOT / "build" / "soak"
BATCH = 50  # seeds


def merge(total: dict, more: dict) -> dict:
    """Numbers are added up; those named worst_... are the largest; lists are joined."""
    for name, value in more.items():
        if name not in total:
            total[name] = value
        elif name.startswith("worst_"):
            total[name] = max(total[name], value)
        else:
            total[name] = total[name] + value
    return total


def published_state(title, code):
    """The progress of this code as it stands in the docs; None: there is none."""
    for path in sorted(KEPT.glob("*.json")):
        kept = json.loads(path.read_text())
        for result in kept if isinstance(kept, list) else ():  # others are no results of jobs
            if result["title"] == title and result["state"]["code"] == code:
                return result["state"]
    return None


def kept_state(path, code):
    """The progress of this code in a file; None: there is none, or the file is damaged."""
    try:
        state = json.loads(path.read_text())
        complete = state["code"] == code and {"seeds", "totals"} <= state.keys()
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return state if complete else None


class Job:
    """`one(seed, *args) -> dict` for seeds 0..count-1; the state is kept in a file."""

    def __init__(self, title, one, args, count, code):
        self.title = title
        self.one = one
        self.args = args
        self.count = count
        self.path = STATES / (re.sub(r"\W+", "-", title) + ".json")
        self.state = (
            kept_state(self.path, code)
            or published_state(title, code)
            or {"code": code, "seeds": 0, "totals": {}}
        )

    def batches(self):
        """Lists of the seeds that are not done yet, in order."""
        start = self.state["seeds"]
        return [range(at, min(at + BATCH, self.count)) for at in range(start, self.count, BATCH)]

    def add(self, seeds, totals):
        """A batch is done."""
        merge(self.state["totals"], totals)
        self.state["seeds"] += len(seeds)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.state, indent=1) + "\n")
        fresh.replace(self.path)


def run_batch(one, seeds, args):
    """What a worker does."""
    total: dict = {}
    for seed in seeds:
        try:
            merge(total, one(seed, *args))
        except Exception as error:
            replay = f"python -m {one.__module__} {' '.join(map(repr, args))} {seed}"
            raise RuntimeError(f"{replay}: {error!r}") from error
    return total


def run(jobs, console):
    """Run what is left of all jobs, with a progress bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with (
        Progress(*columns, console=console) as progress,
        ProcessPoolExecutor(os.cpu_count()) as pool,
    ):
        for job in jobs:
            done = min(job.state["seeds"], job.count)
            task = progress.add_task(job.title, total=job.count, completed=done)
            batches = job.batches()
            results = pool.map(
                run_batch, [job.one] * len(batches), batches, [job.args] * len(batches)
            )
            for seeds, totals in zip(batches, results, strict=True):
                job.add(seeds, totals)
                progress.update(task, completed=job.state["seeds"])
