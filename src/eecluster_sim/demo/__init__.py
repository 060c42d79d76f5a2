"""The demo: a cluster of real processes loses its primary, twice, and goes on."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from ..process import find_micropython
from .stage import Stage
from .story import Story
from .view import LiveView, PlainView, summary

PACKED = Path(__file__).resolve().parent / "example"  # a wheel has it here
EXAMPLE = PACKED if PACKED.exists() else PACKED.parents[3] / "examples" / "first"
NO_MICROPYTHON = (
    "No micropython here (its wheel is for Linux on x86-64): the boards run on CPython instead."
)


def run(
    nodes: int = 2,
    seed: int = 1,
    fast: bool = False,
    example: Path = EXAMPLE,
    interpreter: str | None = None,
    console: Console | None = None,
    disturb: Callable[[Stage, int], None] | None = None,
) -> int:
    """Play the story with so many boards; the exit code: 0 if it happened, else 1.

    fast           as fast as it goes, not as fast as a person can follow
    example        the folder with the boards' main.py
    interpreter    "micropython" or "cpython"; default: MicroPython if there is one
    disturb        disturb(stage, number) is called after each step, for tests
    """
    console = console or Console()
    if interpreter is None and find_micropython() is None:
        interpreter = "cpython"
        console.print(NO_MICROPYTHON)
    view = (
        LiveView(console, not fast)
        if console.is_terminal and not console.is_dumb_terminal
        else PlainView(console)
    )
    stage = Stage(nodes, seed, example, view, interpreter)
    with stage.lab:
        story = Story(stage)
        view.show(stage, story)
        with view:
            failed = story.play(disturb and (lambda number: disturb(stage, number)))
        console.print(summary(stage))
    if failed:
        console.print(f"The story did not happen. Missing: {failed}", style="bold red")
        return 1
    console.print("The story happened, step by step.", style="bold green")
    return 0
