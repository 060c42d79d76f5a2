"""The mutants of proof/mutants are what they say: they apply, a quiet cluster works, and the
searches of `make test` catch each of them with a short case that replays.
"""

import importlib.util
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from proof.history.outcome import TESTED_SEEDS
from proof.mutants import __main__ as mutants
from proof.mutants import mutant
from proof.mutants.mistake import Mistake
from proof.mutants.mistakes import MISTAKES
from proof.orders.spaces import QUICK
from reporting import ROOT

EACH = pytest.mark.parametrize("mistake", MISTAKES, ids=list(mutants.MUTANTS))

# A cold start and three rounds of two nodes, by the public calls alone: prints the library's folder
STEADY = """
import sys
import eecluster
from eecluster import Cluster
from eecluster_sim import World

part, eeproms, interval = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) or None
world = World(1)
boards = [world.add_board(node=i) for i in range(2)]
chips = [world.add_eeprom(part, 0x50 + k) for k in range(eeproms)]
kind = chips[0].part
for round in range(4):
    for board in boards:
        world.advance_s(450)

        def wake():
            cluster = Cluster(
                board.make_i2c, [0x50 + k for k in range(eeproms)], board.node, nodes=2,
                interval=interval, size=kind.size, page_size=kind.page, uid=board.uid,
                clock=board.clock, timer=board.timer,
            )
            status = cluster.health_check()
            assert status.is_primary == (board.node == 0) == cluster.confirm(), status
            assert cluster.heartbeat().role == status.role
            return status

        status = board.wake(wake)
        assert (status.primary, status.epoch, status.dead) == (0, 1, ()), status
        assert status.suspects == (), status
        assert status.eeproms == tuple(range(eeproms)), status
assert status.members == (0, 1), status
print(eecluster.__file__)
"""


def quiet(mistake):
    config = {"part": "AT24C256C", "eeproms": 2, "interval": 0, **mistake.config}
    arguments = [str(config[key]) for key in ("part", "eeproms", "interval")]
    command = ["python", "-c", STEADY, *arguments]
    return mutant.run(mistake, command, capture_output=True, text=True)


def test_there_are_so_many():
    assert len(MISTAKES) == len(mutants.MUTANTS) == 23


@EACH
def test_a_quiet_cluster_works(mistake):
    done = quiet(mistake)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout  # it was the mutant


@EACH
def test_every_text_of_the_patch_changes_something(mistake):
    for file, text in mutant.patched(mistake).items():
        assert text != (mutant.LIBRARY / file).read_text("utf-8")
        compile(text, file, "exec")


@pytest.mark.slow
@EACH
def test_the_searches_catch_it(mistake):
    what, *arguments = mistake.caught_by
    module = ["python", "-m", f"proof.{what}"]
    within_make_test(what, *arguments)
    done = mutant.run(mistake, [*module, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, ""), done
    assert re.search(r"(I[1-6]|\[[1-9]\]):? ", done.stdout), done.stdout
    case = re.findall(r"--case '(.+)'", done.stdout)[-1]
    assert len(case) < 500, "not a short one"
    replay = [*module, "--case", case, *(["--no-shrink"] if what == "history" else [])]
    again = mutant.run(mistake, replay, capture_output=True, text=True)
    assert (again.returncode, again.stderr) == (1, ""), again
    honest = subprocess.run(
        [sys.executable, *replay[1:]], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip
    assert honest.returncode in (0, 2), honest  # 2: there the library never comes that way
    assert honest.stderr == ""


def within_make_test(what, argument):
    """Is that search part of `make test`?"""
    if what == "search":
        assert argument in QUICK
    else:
        assert int(argument) < TESTED_SEEDS


def test_the_quiet_cluster_notices_a_library_that_is_broken():
    broken = Mistake("broken", "", (("rules.py", "% SEQUENCES + 1", "% SEQUENCES"),), "")
    assert "AssertionError" in quiet(broken).stderr


def test_a_patch_that_does_not_fit_is_an_error():
    for old, times in (("no such line", "0"), ("mine.", "[1-9][0-9]*")):
        stale = Mistake(
            "stale", "", (("takeover.py", "7 - me", "me"), ("takeover.py", old, "")), ""
        )
        with pytest.raises(
            ValueError, match=f"mutant stale: {times} times in takeover.py: '{old}'"
        ):
            mutant.patched(stale)


def test_one_patch_after_the_other():
    two = Mistake("two", "", (("rules.py", "% SEQUENCES", "% 9"), ("rules.py", "% 9 ", "% 8 ")), "")
    assert "% 8 + 1" in mutant.patched(two)["rules.py"]


def test_command_line():
    listed = CliRunner().invoke(mutants.main, [])
    assert listed.exit_code == 0
    for mistake in MISTAKES:
        assert mistake.name in listed.output
    shown = CliRunner().invoke(mutants.main, ["half-interval"])
    assert "+        if 0 <= passed * 8 < config.interval * 4:" in shown.output
    assert CliRunner().invoke(mutants.main, ["unheard-of"]).exit_code == 2


def test_a_command_runs_with_the_mutant():
    code = "import eecluster.rules as r; print(r.__file__); raise SystemExit(3)"
    command = [sys.executable, "-m", "proof.mutants", "one-strike", "--", "python", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout.strip().endswith("eecluster/rules.py")
    assert str(ROOT) not in done.stdout


def test_pytest_runs_with_the_mutant(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import eecluster\n\n\ndef test_it():\n"
        f"    assert {str(ROOT)!r} not in eecluster.__file__\n"
    )
    for arguments in ([], ["-o", "pythonpath=src"]):
        command = ["pytest", "-q", "-c", "pyproject.toml", *arguments, str(tmp_path)]
        done = mutant.run(mutants.MUTANTS["one-strike"], command, capture_output=True, text=True)
        assert done.returncode == bool(arguments), done.stdout


# What mutmut left alive, see tools/mutation.py


def test_the_page_says_why_each_survivor_lives():
    path = ROOT / "tools" / "mutation.py"
    spec = importlib.util.spec_from_file_location("mutation", path)
    assert spec and spec.loader
    mutation = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutation)
    page = mutation.PAGE.read_text("utf-8")
    total = int(re.findall(r"Of (\d+) mutants", page)[0])
    assert page == mutation.page(total, sorted(mutation.SURVIVORS))
    for where, old, _ in mutation.SURVIVORS:
        assert old in (mutant.LIBRARY / (where.split(".")[0] + ".py")).read_text("utf-8"), where
