"""Contests for the locks within their limits, and outside: how often were there two holders?

python -m soak.locks STRATEGY LIMITS SEED       replays one
"""

import sys

from bench.locks import STRATEGIES

from eecluster_sim import Contest, Limits
from soak import jobs

CODE = ("src/eecluster/lock.py", *jobs.SIMULATOR)
RUNS = 100_000
BOARDS = [2] * 7 + [3] * 3 + [4, 4, 5, 6, 7, 8]  # by the seed; the more, the longer it takes
OUTSIDE_RUNS = 500
MS_NS = 1_000_000


def rest(board):
    """A hold without transfers, for a lock that does not look at the bus."""
    board.timer.sleep_ms(3)


HOLDS = {"BusyLine": rest, "BusArbitration": None}
LIMITS = {
    "within": Limits(),
    "clocks off by 10 %": Limits(rate_ppm=100_000),
    "clocks off by 20 %": Limits(rate_ppm=200_000),
    "pauses of 60 ms": Limits(pause_us=60_000),
    "pauses of 200 ms": Limits(pause_us=200_000),
    "pauses one after the other": Limits(apart_us=0),
    "calls of 20 to 60 us": Limits(call_us=(20, 60)),
    "all of these": Limits(rate_ppm=200_000, call_us=(20, 60), pause_us=200_000),
}


def contest(seed, strategy, limits):
    """The contest of that seed, run."""
    boards = BOARDS[seed % len(BOARDS)]
    hold = HOLDS[strategy]
    rounds = 3 if seed % 10 == 0 else 1
    make_lock = STRATEGIES[strategy]
    return Contest(make_lock, boards, seed, LIMITS[limits], rounds, hold).run()


def one(seed, strategy, limits):
    """Its figures."""
    done = contest(seed, strategy, limits)
    return {
        "contests": 1,
        "acquired": len(done.waits_ns),
        "doubles": done.doubles,
        "double_seeds": [seed] if done.doubles else [],
        "failures": done.failures,
        "errors": done.errors,
        "wait_ns": sum(done.waits_ns),
        "worst_wait_ns": max(done.waits_ns, default=0),
    }


def make_jobs(runs):
    """Within the limits `runs` contests for each strategy, outside fewer."""
    code = jobs.fingerprint(*CODE)
    made = []
    for strategy in STRATEGIES:
        for limits in LIMITS:
            count = runs if limits == "within" else min(runs, OUTSIDE_RUNS)
            title = f"{strategy}, {limits}"
            made.append(jobs.Job(title, one, (strategy, limits), count, code))
    return made


HEADS = (
    "lock", "limits", "contests", "acquired", "two holders", "gave up", "bad transfers", "mean ms",
    "worst ms",
)  # fmt: skip


def row(strategy, limits, found):
    """The figures of a job as text, under HEADS."""
    counts = [
        f"{found[name]:,}" for name in ("contests", "acquired", "doubles", "failures", "errors")
    ]
    mean, worst = found["wait_ns"] / max(1, found["acquired"]), found["worst_wait_ns"]
    return [strategy, limits, *counts, *(f"{ns / MS_NS:.0f}" if ns else "" for ns in (mean, worst))]


def complaints(todo):
    """One for each seed within the limits that had two holders: how to replay it."""
    return [
        f"two holders: python -m soak.locks {job.args[0]} within {seed}"
        for job in todo
        if "within" in job.args
        for seed in job.state["totals"].get("double_seeds", [])
    ]


def main(strategy, limits, seed):
    done = contest(int(seed), strategy, limits)
    print(f"two holders: {done.doubles}, gave up: {done.failures}, in this order: {done.order}")
    return 1 if done.doubles else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
