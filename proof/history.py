"""Long runs: seeded random histories of clusters, replayed and shrunk.

    python -m proof.history 123             the history of seed 123
    python -m proof.history 0 --to 500      many of them: figures, and those that break a promise
    python -m proof.history 123 -v          each wake and each fault, to read
    python -m proof.history --case '...'    a history as text, as a breach prints it
    python -m proof.history --file x.json   the same from a file

Ends with 1 if a promise is broken, and then prints which, when, and a short history that breaks it
too. Everything about a history follows from its seed. Stands on generate, play and shrink.
"""

import sys
import time
import traceback
from pathlib import Path

import click

from proof.breach import Breach
from proof.generate import make
from proof.play import Play
from proof.shrink import shrink
from proof.story import NS, History

YEAR_S = 365 * 86400
TESTED_SEEDS = 640  # those of `make test`


class Outcome:
    """What a run came to: wakes, seconds of virtual time, counts; promise and text of a breach."""

    def __init__(self, play, promise=None, text=None, at_s=None):
        self.wakes = play.wakes
        self.virtual_s = play.field.now_ns / NS
        self.counts = play.counts
        self.messages = play.oracle.messages
        self.counts["dropped by the consumer"] = play.oracle.dropped
        self.counts["announced again"] = play.oracle.repeated
        self.promise = promise
        self.text = text
        self.at_s = at_s


def outcome(history, log=None):
    """Play a history to its end, or to the first promise that is broken.

    A mistake of the program (any other exception) counts as a broken promise too.
    """
    play = Play(history, log)
    try:
        play.run()
    except Breach as breach:
        return Outcome(play, breach.promise, str(breach), play.field.now_ns // NS)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return Outcome(
            play, f"{error!r} in {place}", f"{error!r} in {place}", play.field.now_ns // NS
        )
    return Outcome(play)


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


def describe(history):
    """The setup in one line."""
    setup = history.setup
    named = ", ".join(f"{name} {value}" for name, value in setup.items())
    return f"{named}; {len(history.events)} events"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("seed", type=int, required=False)
@click.option("--to", type=int, help="all seeds up to this one, not included")
@click.option("--first", is_flag=True, help="with --to: stop at the first breach")
@click.option("--case", help="a history as text")
@click.option("--file", type=click.Path(exists=True, path_type=Path), help="a history in a file")
@click.option("-v", "--verbose", is_flag=True, help="print each wake and each fault")
@click.option("--shrink/--no-shrink", "shrinking", default=True, help="shorten what breaks")
def main(seed, to, first, case, file, verbose, shrinking):
    """Replay histories."""
    if to is not None:
        totals = run_seeds(range(seed, to), first)
        click.echo(figures(totals))
        for failed, text in totals["breaches"]:
            click.echo(f"{text}\n    python -m proof.history {failed}")
        sys.exit(bool(totals["breaches"]))
    if seed is None and not case and not file:
        raise click.UsageError("which seed, case or file?")
    text = file.read_text() if file else case
    history = History.loads(text) if text else make(seed)
    click.echo(describe(history))
    found = outcome(history, click.echo if verbose else None)
    if not found.promise:
        click.echo(f"{found.wakes:,} wakes, {found.virtual_s / 86400:,.1f} days: no breach")
        return
    click.echo(f"after {found.wakes:,} wakes, at {found.at_s} s: {found.text}")
    if shrinking:
        short = shrink(history, breaks)
        found = outcome(short)
        click.echo(f"shrunk, {describe(short)}")
        click.echo(f"at {found.at_s} s: {found.text}")
        click.echo(f"python -m proof.history -v --no-shrink --case '{short.dumps()}'")
    sys.exit(1)


if __name__ == "__main__":
    main()
