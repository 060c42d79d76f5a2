"""The demo: its story happens for any seed, and it notices when it does not."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eecluster_sim import demo
from eecluster_sim.demo.chips import Truth, newest_token
from eecluster_sim.process import find_micropython

ROOT = Path(__file__).resolve().parents[2]
STEPS = 11

needs_micropython = pytest.mark.skipif(
    find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
)


def play(nodes=2, seed=1, interpreter=None, disturb=None, terminal=None):
    """Run the demo; (exit code, what it printed)."""
    out = io.StringIO()
    width, height = terminal or (80, 24)
    console = Console(file=out, force_terminal=bool(terminal), width=width, height=height)
    if interpreter is None and find_micropython() is None:
        interpreter = "cpython"
    code = demo.run(nodes, seed, True, interpreter=interpreter, console=console, disturb=disturb)
    return code, out.getvalue()


EIGHT = pytest.param(8, 3, marks=pytest.mark.slow)
EIGHT_LIVE = pytest.param(8, (80, 24), marks=pytest.mark.slow)


@pytest.mark.parametrize(("nodes", "seed"), [(2, 1), (2, 2), (2, 3), (3, 4), EIGHT])
def test_the_story_happens(nodes, seed):
    code, text = play(nodes, seed)
    assert code == 0, text
    assert text.count("[x] ") == STEPS
    assert "takeovers" in text and "The story happened" in text


def test_it_happens_on_cpython_too():
    code, text = play(interpreter="cpython")
    assert code == 0, text


def test_a_run_can_be_repeated():
    assert play(seed=5) == play(seed=5)


def no_other_node(stage, number):
    if number == 2:  # node 0 has been killed
        stage.actors[1].board.stop()


def no_beats_any_more(stage, number):
    if number == 6:  # node 0 is back, on probation
        stage.actors[0].board.board.unreachable |= {0x50, 0x51}


def nobody_returns(stage, number):
    if number == 7:
        stage.actors[0].board.stop()


def old_chip_everywhere(stage, number):
    if number == 5:  # node 1 has worked for a while: turn all back to the time before
        stage.chips[1].data[:] = stage.chips[0].data


@pytest.mark.parametrize(
    ("disturb", "missing"),
    [
        (no_other_node, "node 0 is suspected"),
        (no_beats_any_more, "node 0 is standby"),
        (nobody_returns, "node 1 is stopped, node 0 takes over"),
        (old_chip_everywhere, "stale"),
    ],
)
def test_it_notices_when_the_story_does_not_happen(disturb, missing):
    code, text = play(disturb=disturb)
    assert code == 1, text
    assert text.count("[!] ") == 1
    assert missing in text[text.index("[!] ") :]
    assert "The story did not happen" in text


@pytest.mark.parametrize(("nodes", "terminal"), [(2, (80, 24)), (2, (120, 40)), EIGHT_LIVE])
def test_the_live_view_fits_the_terminal(nodes, terminal):
    width, height = terminal
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height)
    frames = []

    def frame(stage, number):
        lines = console.render_lines(stage.view.picture(), pad=False)
        frames.append(["".join(segment.text for segment in line) for line in lines])

    code, text = play(nodes=nodes, terminal=terminal, disturb=frame)
    assert code == 0
    assert "story happened" in text
    assert len(frames) == STEPS
    assert max(len(lines) for lines in frames) <= height
    assert max(len(line.rstrip()) for lines in frames for line in lines) <= width


@needs_micropython
def test_the_command():
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [
        sys.executable,
        "-m",
        "eecluster_sim",
        "demo",
        "--nodes",
        "2",
        "--seed",
        "1",
        "--fast",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The story happened" in done.stdout
    refused = subprocess.run(
        [*command, "--nodes", "9"], env=environment, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "2<=x<=8" in refused.stderr


def test_the_judge_reads_what_the_library_writes():
    """`chips` decodes the bytes by itself; here it is held against the library's own reading."""
    from eecluster import Cluster
    from eecluster_sim import World

    world = World(seed=1)
    chips = [world.add_eeprom("AT24C256", 0x50), world.add_eeprom("AT24C256", 0x51)]
    boards = [world.add_board(node) for node in (0, 1)]
    for _ in range(3):
        for node, board in enumerate(boards):
            timer: Any = board.timer
            cluster = Cluster(board.i2c, (0x50, 0x51), node, clock=board.clock, timer=timer)
            cluster.health_check()
            status = cluster.heartbeat()
    truth = Truth(chips, 2)
    assert (truth.primary, truth.token) == (status.primary, status.token) == (0, 15)
    assert [truth.beats(node) for node in (0, 1)] == [3, 3]
    assert not truth.dead(1) and truth.suspected_by(1) == []
    assert newest_token(chips[0], 2) == 15
    chips[0].data[64:192] = bytes(128)
    chips[1].plugged = False
    assert Truth(chips, 2).slots[0] is None


def test_without_micropython_it_says_so(monkeypatch):
    monkeypatch.setattr(demo, "find_micropython", lambda: None)
    out = io.StringIO()
    assert demo.run(fast=True, console=Console(file=out, width=200)) == 0
    assert out.getvalue().startswith(demo.NO_MICROPYTHON)
