"""Long runs from the command line: seeded random histories, replayed and shrunk. See proof.history.

Ends with 1 if a promise is broken, and then prints which, when, and a short history that breaks it
too. Stands on generate, outcome and shrink.
"""

import sys
from pathlib import Path

import click

from proof.history.generate import make
from proof.history.outcome import breaks, figures, outcome, run_seeds
from proof.history.shrink import shrink
from proof.simulation.events import History


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
    main(prog_name="python -m proof.history")
