"""The library with one mistake in it, and commands that run on it.

Rule: src/eecluster is never changed; a mutant is a copy of it in a folder that comes first in the
path of a process of its own. Stands on mistake.
"""

import difflib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from reporting import ROOT

from proof.mutants.mistake import Mistake

LIBRARY = ROOT / "src" / "eecluster"


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
