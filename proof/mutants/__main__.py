"""The mutants from the command line: see proof.mutants. Stands on mistakes and mutant."""

import sys

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from proof.mutants.mistakes import MISTAKES
from proof.mutants.mutant import difference, run

MUTANTS = {mistake.name: mistake for mistake in MISTAKES}


def table() -> Table:
    """All mistakes, one in a row."""
    made = Table("name", "what is wrong", "where it shows", "caught by", box=None, pad_edge=False)
    for mistake in MISTAKES:
        made.add_row(mistake.name, mistake.wrong, mistake.where, " ".join(mistake.caught_by))
    return made


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False, type=click.Choice(list(MUTANTS)))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(name: str | None, command: tuple[str, ...]) -> None:
    """List the mutants, show the patch of one, or run a COMMAND with it."""
    if name and command:
        sys.exit(run(MUTANTS[name], list(command)).returncode)
    console = Console(width=None if sys.stdout.isatty() else 140)
    if name:
        console.print(Syntax(difference(MUTANTS[name]), "diff", background_color="default"))
    else:
        console.print(table())


if __name__ == "__main__":
    main(prog_name="python -m proof.mutants")
