"""Runs a function for many seeds on all processors and adds up what it counts.

Rule: a result belongs to the code that made it. Progress is kept in a file after every batch; a run
that was stopped goes on there, and one of other code starts anew.
"""

import hashlib
import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

ROOT = Path(__file__).resolve().parent.parent
STATES = ROOT / "build" / "soak"
BATCH = 50  # seeds


def fingerprint(*folders: str) -> str:
    """Of the code in these folders and files."""
    paths = [path for folder in folders for path in _files(ROOT / folder)]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(path):
    return [path] if path.is_file() else [p for p in path.rglob("*.py") if "upy" not in p.parts]


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


class Job:
    """`one(seed, *args) -> dict` for seeds 0..count-1; the state is kept in a file."""

    def __init__(self, title, one, args, count, code):
        self.title = title
        self.one = one
        self.args = args
        self.count = count
        self.path = STATES / (re.sub(r"\W+", "-", title) + ".json")
        self.state = {"code": code, "seeds": 0, "totals": {}}
        if self.path.exists():
            kept = json.loads(self.path.read_text())
            if kept["code"] == code:
                self.state = kept

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
        merge(total, one(seed, *args))
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
