"""`make mutation`: mutmut over the pure decisions, and a reason for every mutant that survives.

``python tools/mutation.py`` copies the project to build/mutation, lets mutmut change one thing at a
time there and runs the fast tests on it. It fails if a mutant survives for which SURVIVORS has no
reason, or if SURVIVORS names one that does not. ``--keep`` writes docs/data/mutation.md.

Rule: a survivor is either killed by a test whose expectation follows from docs/protocol.md, or no
rule can tell it from the library: then SURVIVORS says why. It is named by function and changed
line, because mutmut's numbers change with each edit.
"""

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import click
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "mutation"
PAGE = ROOT / "docs" / "data" / "mutation.md"
FILES = ["rules", "takeover", "bitmap", "events"]
METHODS = ["node.Node.update"]  # decide with those
TESTS = [f"tests/both/test_{name}.py" for name in ("inner_rules", "cluster", "events", "long_life")]
CONFIG = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = {json.dumps([f"src/eecluster/{name}.py" for name in [*FILES, "node"]])}
also_copy = ["proof", "src"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {json.dumps(TESTS)}
"""

_TRUTH = "only the truth of it is asked"
_NOW = "now = [members(mine), silent(mine, 0), mine.dead, mine.lost, 0"
_NOW += ", %d, view.duplicate, %d, 1 << me]"
_LATER = "written over a few lines later"
_PASSED = "seconds are whole; with none passed, the line above has returned: it does not count"

HEAD = """\
# Mutation of the pure decisions

`make mutation` lets [mutmut](https://mutmut.readthedocs.io) change one thing at a time in
{0}; it runs
{1} on it.

Of {2} mutants {3} are killed. No rule can tell the other {4} from the library:

| function | line | survives as | why |
|---|---|---|---|
"""

# (function, line as it is, line as it survives): why no rule can tell them apart
SURVIVORS = {
    (
        "events.record",
        "and len(event) > 1",
        "and len(event) > 2",
    ): "differs for a tuple of two, which no `Status` has; of an event two parts are used",
    (
        "events.pending",
        "now[SPLIT] |= (tokens[j] > 0) << j",
        "now[SPLIT] |= (tokens[j] > 1) << j",
    ): "the lowest token there is, node 7's of epoch 1, is 8",
    (
        "events.pending",
        _NOW % (0, 0),
        _NOW % (1, 0),
    ): _LATER,
    (
        "events.pending",
        _NOW % (0, 0),
        _NOW % (0, 1),
    ): _LATER,
    (
        "events.pending",
        "parts = [0] * 6  # nodes, by what is wrong with their lock or settings",
        "parts = [0] * 7  # nodes, by what is wrong with their lock or settings",
    ): "six of them are used",
    (
        "takeover.claim",
        "mine.flags = mine.flags & ~TAKEOVER | (0 if old else TAKEOVER)",
        "mine.flags = mine.flags & ~TAKEOVER | (1 if old else TAKEOVER)",
    ): "1 is RELEASED, which is taken back a few lines later",
    (
        "takeover.claim",
        "readmit(mine, 1 << me, 1)",
        "readmit(mine, 1 << me, 2)",
    ): _TRUTH,
    (
        "takeover.lead",
        "readmit(mine, proven(mine, config), 1)",
        "readmit(mine, proven(mine, config), 2)",
    ): _TRUTH,
    (
        "takeover.lead",
        "readmit(mine, wanted, 0)",
        "readmit(mine, wanted, None)",
    ): _TRUTH,
    (
        "events.rivals",
        "if j == mine.node or not mine.lineage < found[j] < mine.token:",
        "if j == mine.node or not mine.lineage < found[j] <= mine.token:",
    ): "a token names its owner, so another node's is never equal to mine",
    (
        "takeover.confirm",
        "for left in (1, 0):",
        "for left in (2, 0):",
    ): _TRUTH,
    (
        "node.Node.update",
        "self.load(False)",
        "self.load(None)",
    ): _TRUTH,
    (
        "rules.observe",
        "new = passed < 0  # the clock was set back: a new baseline",
        "new = passed < 1  # the clock was set back: a new baseline",
    ): _PASSED,
    (
        "rules.observe",
        "new = passed < 0  # the clock was set back: a new baseline",
        "new = passed <= 0  # the clock was set back: a new baseline",
    ): _PASSED,
    (
        "takeover.lead",
        "wanted = mine.spare | asked(view, mine.node)",
        "wanted = mine.spare | asked(view, None)",
    ): "asks my own written record too. Its requests are in `mine.spare` as well, but for those "
    "fulfilled since, and these are of nodes that are not dead",
}


def run_mutmut(*arguments: str) -> str:
    """What a mutmut command says."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.PIPE, text=True).stdout


def wanted() -> list[str]:
    """What mutmut calls all mutants of these, as patterns."""
    methods = [name.split(".") for name in METHODS]
    return [f"eecluster.{name}.*" for name in FILES] + [
        f"eecluster.{module}.xǁ{owner}ǁ{name}__mutmut_*" for module, owner, name in methods
    ]


def copy():
    """The project, as it is now, in build/mutation; mutmut's own folder there starts anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("src", "tests", "proof"):
        shutil.copytree(ROOT / name, FOLDER / name, ignore=skip)
    (FOLDER / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8") + CONFIG)


def changed(mutant: str) -> tuple[str, str, str]:
    """(function, old line, new line) of a mutant called as mutmut calls it."""
    match = re.fullmatch(r"eecluster\.(\w+)\.x(?:_|ǁ(\w+)ǁ)(\w+)__mutmut_\d+", mutant)
    assert match, mutant
    lines = run_mutmut("show", mutant).splitlines()
    old, new = (
        [line[1:].strip() for line in lines if line.startswith(sign) and line[:3] != 3 * sign]
        for sign in "-+"
    )
    return ".".join(filter(None, match.groups())), " ".join(old), " ".join(new)


def page(total: int, survivors) -> str:
    """docs/data/mutation.md."""
    files = ", ".join([f"`{name}.py`" for name in FILES] + [f"`{name}`" for name in METHODS])
    tests = ", ".join(f"`{Path(test).stem}`" for test in TESTS)
    rows = [
        f"| `{key[0]}` | `{_cell(key[1])}` | `{_cell(key[2])}` | {SURVIVORS.get(key, '?')} |\n"
        for key in survivors
    ]
    return HEAD.format(files, tests, total, total - len(rows), len(rows)) + "".join(rows)


def _cell(code: str) -> str:
    return code.replace("|", "\\|")


@click.command()
@click.option("--keep", is_flag=True, help="Write docs/data/mutation.md.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True)
def main(keep: bool, jobs: int) -> None:
    """Mutate the pure decisions and look at what survives."""
    console = Console(soft_wrap=True)
    copy()
    run_mutmut("run", "--max-children", str(jobs), *wanted())
    results = re.findall(r"^\s*(\S+): (.+)$", run_mutmut("results", "--all", "true"), re.MULTILINE)
    results = [one for one in results if any(fnmatch(one[0], each) for each in wanted())]
    alive = [name for name, verdict in results if verdict not in ("killed", "timeout")]
    survivors = sorted(changed(name) for name in alive)
    console.print(f"{len(results)} mutants, {len(survivors)} survive")
    if keep:
        PAGE.write_text(page(len(results), survivors), "utf-8")
    bad = [("survives without a reason", key) for key in survivors if key not in SURVIVORS]
    bad += [("does not survive any more", key) for key in SURVIVORS if key not in survivors]
    for what, (where, old, new) in bad:
        console.print(f"{what}: {where}\n    - {old}\n    + {new}", style="red", markup=False)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main(prog_name="python tools/mutation.py")
