"""Do the checks bite? The library with one mistake built in, to run the searches on.

    python -m proof.mutants                        lists the mistakes of `proof.mistakes`
    python -m proof.mutants NAME                   shows the patch
    python -m proof.mutants NAME -- COMMAND...     runs a command with the mutated library

Rule: src/eecluster is never changed; a mutant is a copy of it in a folder that comes first in the
path of a process of its own.

    python -m proof.mutants no-crc -- pytest tests/both
    python -m proof.mutants no-crc -- python -m proof ...
"""

import difflib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from proof.mistakes import MISTAKES, Mistake

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "src" / "eecluster"
MUTANTS = {mistake.name: mistake for mistake in MISTAKES}


def patched(mistake: Mistake) -> dict[str, str]:
    """The changed files, as text. ValueError, with the mutant's name, if a line is not there."""
    texts: dict[str, str] = {}
    for file, old, new in mistake.patch:
        text = texts.get(file) or (LIBRARY / file).read_text("utf-8")
        if text.count(old) != 1:
            raise ValueError(f"mutant {mistake.name}: {text.count(old)} times in {file}: {old!r}")
        texts[file] = text.replace(old, new)
    return texts


def write(mistake: Mistake, folder: Path) -> dict[str, str]:
    """Write the mutated package into a new folder. Returns the environment to run it in.

    pytest would put src before the folder (pyproject.toml), so it is told not to.
    """
    package = folder / "eecluster"
    package.mkdir(parents=True)
    changed = patched(mistake)
    for path in LIBRARY.glob("*.py*"):
        text = changed.get(path.name) or path.read_text("utf-8")
        (package / path.name).write_text(text, "utf-8")
    places = [str(place) for place in (folder, ROOT, ROOT / "src", ROOT / "tests")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(places),
        "PYTEST_ADDOPTS": "-o pythonpath= -p no:cacheprovider",
    }


def run(mistake: Mistake, command: list[str], **options) -> subprocess.CompletedProcess:
    """Run a command (`python` and `pytest` are this Python's) with the mutated library.

    `options` as for `subprocess.run`; it runs in the project's root.
    """
    known = {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest"]}
    command = known.get(command[0], command[:1]) + command[1:]
    with tempfile.TemporaryDirectory() as folder:
        env = write(mistake, Path(folder))
        return subprocess.run(command, cwd=ROOT, env=env, **options)


def difference(mistake: Mistake) -> str:
    """The patch as a unified diff."""
    found = []
    for file, text in patched(mistake).items():
        old = (LIBRARY / file).read_text("utf-8")
        names = f"src/eecluster/{file}", f"{mistake.name}/{file}"
        found += difflib.unified_diff(old.splitlines(), text.splitlines(), *names, lineterm="")
    return "\n".join(found)


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
