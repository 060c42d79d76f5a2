"""The notebook of examples/notebook: from its first cell to its last, on simulated boards.

It runs in an environment and processes of its own: once by nbmake, where nobody can be asked, and
once as with real boards, where somebody is asked and answers.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from eecluster_sim.process import find_micropython

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "examples" / "notebook" / "failover.ipynb"
PYTHON = ROOT / ".venv-notebook" / "bin" / "python"
NBMAKE = (
    "-m",
    "pytest",
    "--nbmake",
    "--overwrite",
    "--nbmake-timeout=60",
    "-p",
    "no:cacheprovider",
)
TIMEOUT_S = 300

runs = pytest.mark.skipif(
    find_micropython() is None or (not PYTHON.exists() and os.environ.get("CI") != "true"),
    reason="no .venv-notebook (make notebook), or no micropython (Linux on x86-64)",
)


def cells(path, kind="code"):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


def printed(path):
    """All lines that a notebook's cells have printed."""
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    text = "".join(["".join(output.get("text", "")) for output in outputs])
    return text.splitlines()


def run(folder, *command):
    """Run Python of .venv-notebook: the finished process. What is kept or left goes to `folder`."""
    unwanted = ("PYTEST_", "JUPYTER", "EECLUSTER_")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(unwanted)
    }
    kept = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    kept |= {"IPYTHONDIR": str(folder / "ipython"), "TMPDIR": str(folder)}
    kept |= {"PYTHONPATH": str(NOTEBOOK.parent)}
    return subprocess.run(
        [PYTHON, *map(str, command)],
        cwd=ROOT,
        env=environment | kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.fixture
def copy(tmp_path):
    """A copy of the notebook, which gets the outputs."""
    copy = tmp_path / NOTEBOOK.name
    copy.write_text(NOTEBOOK.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def test_it_is_kept_without_outputs():
    kept = cells(NOTEBOOK)
    assert len(kept) > 10
    for cell in kept:
        assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {})


def test_its_links():
    texts = ["".join(cell["source"]) for cell in cells(NOTEBOOK, "markdown")]
    texts.append((NOTEBOOK.parent / "README.md").read_text(encoding="utf-8"))
    targets = [each for text in texts for each in re.findall(r"\]\(([^):]+)\)", text)]
    assert len(targets) > 5
    for target in targets:
        path, _, anchor = target.partition("#")
        linked = NOTEBOOK.parent / path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [heading.lower().replace(" ", "-") for heading in headings], target


@runs
def test_it_runs(copy, tmp_path):
    done = run(tmp_path, *NBMAKE, copy)
    assert done.returncode == 0, done.stdout
    lines = printed(copy)
    published = [line for line in lines if line.startswith("publish reading")]
    assert published == [f"publish reading 21.5 token {token}" for token in (15, 15, 22, 22)]
    roles = [line.split(",")[0] for line in lines if line.startswith("node 0:")]
    assert roles == [f"node 0: {role}" for role in ("primary", "primary", "dead", "standby")]
    assert [line for line in lines if "WARNING" in line or "ERROR" in line] == []


@runs
def test_a_wrong_assertion_on_a_board_stops_it(copy, tmp_path):
    text = copy.read_text(encoding="utf-8")
    assert text.count("status.token == 15") == 1
    copy.write_text(text.replace("status.token == 15", "status.token == 16"), encoding="utf-8")
    done = run(tmp_path, *NBMAKE, copy)
    assert done.returncode == 1, done.stdout
    assert "AssertionError" in done.stdout and "status.token == 16" in done.stdout
    assert not any(["node 1" in line for line in printed(copy)])


@runs
def test_who_has_boards_is_asked_to_switch_them(tmp_path):
    done = run(tmp_path, ROOT / "tests" / "notebook_kit.py", NOTEBOOK)
    assert done.returncode == 0, done.stdout
    asked = [line for line in done.stdout.splitlines() if "Then Enter here" in line]
    assert ["reset button (EN) of board 0" in line for line in asked] == [True, False]
    assert "Has board 0 power?" in asked[1]
