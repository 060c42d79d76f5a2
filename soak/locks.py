"""Contests for the locks within their limits, and outside: how often were there two holders?

python -m soak.locks [--runs 100000] [--replay STRATEGY SEED]
"""

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from eecluster import BusArbitration, BusyLine
from eecluster_sim import Contest, Limits
from soak import jobs

CODE = ("src/eecluster/lock.py", "src/eecluster_sim", "soak/locks.py")
RESULT = jobs.ROOT / "docs" / "data" / "locks.json"
RUNS = 100_000
OUTSIDE_RUNS = 2000
MS_NS = 1_000_000


def busy_line(board):
    return BusyLine(board.pin(board.world.line("busy")), timer=board.timer)


def bus_arbitration(board):
    return BusArbitration(board.scl, board.sda, timer=board.timer)


def rest(board):
    """A hold without the bus, for a lock that does not look at it."""
    board.timer.sleep_ms(3)


STRATEGIES = {"BusyLine": (busy_line, rest), "BusArbitration": (bus_arbitration, None)}
LIMITS = {
    "within": Limits(),
    "clocks off by 10 %": Limits(rate_ppm=100_000),
    "clocks off by 20 %": Limits(rate_ppm=200_000),
    "pauses of 60 ms": Limits(pause_us=60_000),
    "pauses of 200 ms": Limits(pause_us=200_000),
    "calls of 30 to 100 us": Limits(call_us=(30, 100)),
    "all of these": Limits(rate_ppm=200_000, call_us=(30, 100), pause_us=200_000),
}


def contest(seed, strategy, limits):
    """The contest of that seed, run."""
    make_lock, hold = STRATEGIES[strategy]
    return Contest(make_lock, 2 + seed % 7, seed, LIMITS[limits], hold=hold).run()


def one(seed, strategy, limits):
    """Its figures."""
    done = contest(seed, strategy, limits)
    return {
        "contests": 1,
        "acquired": len(done.waits_ns),
        "doubles": done.doubles,
        "double_seeds": [seed] if done.doubles else [],
        "failures": done.failures,
        "wait_ns": sum(done.waits_ns),
        "worst_wait_ns": max(done.waits_ns, default=0),
    }


def make_jobs(runs, outside):
    code = jobs.fingerprint(*CODE)
    made = []
    for strategy in STRATEGIES:
        for name in LIMITS:
            count = runs if name == "within" else outside
            file = f"locks-{strategy}-{name}.json".replace(" ", "_")
            path = jobs.ROOT / "build" / "soak" / file
            job = jobs.Job(f"{strategy}, {name}", one, (strategy, name), count, path, code)
            made.append(job)
    return made


def table(results):
    made = Table("", "contests", "acquired", "two holders", "given up", "mean ms", "worst ms")
    for title, found in results.items():
        mean = found["wait_ns"] / max(1, found["acquired"]) / MS_NS
        made.add_row(
            title, f"{found['contests']:,}", f"{found['acquired']:,}", f"{found['doubles']:,}",
            f"{found['failures']:,}", f"{mean:.0f}", f"{found['worst_wait_ns'] / MS_NS:.0f}",
        )  # fmt: skip
    return made


def main(arguments=None):
    parser = argparse.ArgumentParser(description="contests for the locks")
    parser.add_argument("--runs", type=int, default=RUNS, help="contests within the limits")
    parser.add_argument("--outside", type=int, default=OUTSIDE_RUNS, help="of each kind outside")
    parser.add_argument("--write", action="store_true", help=f"keep the result in {RESULT.name}")
    parser.add_argument("--replay", nargs=3, metavar=("STRATEGY", "LIMITS", "SEED"))
    options = parser.parse_args(arguments)
    console = Console()
    if options.replay:
        strategy, limits, seed = options.replay
        done = contest(int(seed), strategy, limits)
        console.print(f"doubles {done.doubles}, failures {done.failures}, order {done.order}")
        return 1 if done.doubles else 0
    todo = make_jobs(options.runs, options.outside)
    jobs.run(todo, console)
    results = {job.title: job.state["totals"] for job in todo}
    console.print(table(results))
    if options.write:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")
    broken = [seed for job in todo if "within" in job.args for seed in _seeds(job)]
    for strategy, seed in broken:
        console.print(f"two holders: python -m soak.locks --replay {strategy} within {seed}")
    return 1 if broken else 0


def _seeds(job):
    return [(job.args[0], seed) for seed in job.state["totals"].get("double_seeds", [])]


if __name__ == "__main__":
    sys.exit(main())
