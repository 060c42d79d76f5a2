"""The simulator's commands: `python -m eecluster_sim demo`."""

import sys
from pathlib import Path

import click

from .demo import EXAMPLE, run


@click.group()
def main() -> None:
    """A simulator for boards that share EEPROMs on one I2C bus."""


@main.command()
@click.option("--nodes", type=click.IntRange(2, 8), default=2, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Explains the whole run.")
@click.option("--fast", is_flag=True, help="As fast as it goes.")
@click.option(
    "--example",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=EXAMPLE,
    help="The folder with the boards' main.py.",
)
@click.option("--interpreter", type=click.Choice(["micropython", "cpython"]), default=None)
def demo(nodes: int, seed: int, fast: bool, example: Path, interpreter: str | None) -> None:
    """A cluster of boards loses its primary, twice, and goes on working."""
    sys.exit(run(nodes, seed, fast, example, interpreter))


if __name__ == "__main__":
    main(prog_name="python -m eecluster_sim")
