"""examples/claim_lines: contests judge the lock, and it keeps what its docstring says."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from eecluster import Cluster
from eecluster_sim import Contest, Lab, Limits, World

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "claim_lines"
MS_NS = 1_000_000

WITHIN = Limits()
STEADY = Limits(pause_us=1)
IN_STEP = Limits(rate_ppm=0, call_us=(100, 100), pause_us=1, heap_bytes=0)
OUTSIDE = [
    Limits(rate_ppm=300_000),
    Limits(pause_us=200_000),
    Limits(call_us=(300, 300)),
    Limits(rate_ppm=300_000, call_us=(2, 300), pause_us=200_000),
]


def load():
    spec = importlib.util.spec_from_file_location("claim_lines", FOLDER / "claim_lines.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


claim_lines = load()


class LooksFirst(claim_lines.ClaimLines):
    """Wrong: between its look and its claim others may look too."""

    def claim(self):
        if self.claimed():
            return False
        self.own.init(self.own.OUT, value=0)
        return True


def make(board, kind=claim_lines.ClaimLines, timer: Any = None):
    """The lock of a board whose world knows all boards already."""

    def pin(other):
        return board.pin(board.world.line(f"claim{other.node}"))

    others = [pin(other) for other in board.world.boards if other is not board]
    return kind(pin(board), others, timer=timer or board.timer)


def make_wrong(board):
    return make(board, LooksFirst)


class Watched:
    """A lock that keeps (begun, won, node) of each wait in `waits`."""

    def __init__(self, board, waits):
        self.board = board
        self.waits = waits
        self.lock = make(board)
        self.release = self.lock.release

    def acquire(self, node_id, timeout_ms):
        begun_ns = self.board.cpu.settle()
        won = self.lock.acquire(node_id, timeout_ms)
        self.waits.append((begun_ns, self.board.cpu.settle(), node_id))
        return won


def rest(board):
    """A hold without transfers: the lock does not look at the bus."""
    board.timer.sleep_ms(5)


def two_boards():
    world = World(wires=True)
    return world.add_board(0), world.add_board(1)


# Contests


@pytest.mark.parametrize("boards", [2, 3, 5, 8])
def test_within_the_limits(boards):
    """A turn lasts 32 ms at most (5 ms at a slow clock, a pause, 6 ms between two), and while one
    waits each of the others has some three of them."""
    for seed in range(10):
        done = Contest(make, boards, seed, WITHIN, rounds=5, hold=rest).run()
        assert (done.doubles, done.failures) == (0, 0), f"seed {seed}"
        assert max(done.waits_ns) < 3 * (boards - 1) * 32 * MS_NS + 32 * MS_NS, f"seed {seed}"


@pytest.mark.parametrize("boards", [2, 3, 5, 8])
@pytest.mark.parametrize("limits", OUTSIDE, ids=["clocks", "pauses", "calls", "all"])
def test_far_outside_the_limits(limits, boards):
    """As if each of the others had a turn with a pause of 200 ms in it."""
    for seed in range(15):
        done = Contest(make, boards, seed, limits, rounds=4, hold=rest, timeout_ms=60_000).run()
        assert (done.doubles, done.failures) == (0, 0), f"seed {seed}"
        assert max(done.waits_ns) < boards * 230 * MS_NS, f"seed {seed}"


@pytest.mark.parametrize("boards", [2, 3, 5, 8])
def test_nobody_has_many_turns_while_another_one_waits(boards):
    """Without pauses: who pauses misses turns that were its own. Ten turns would be starvation."""
    for seed in range(6):
        waits = []

        def watched(board, waits=waits):
            return Watched(board, waits)

        Contest(watched, boards, seed, STEADY, rounds=10, hold=rest).run()
        for begun_ns, won_ns, node in waits:
            meanwhile = [other for _, ns, other in waits if begun_ns < ns < won_ns]
            turns = [meanwhile.count(other) for other in set(meanwhile)]
            assert max(turns, default=0) <= 5, f"seed {seed}, node {node}"


@pytest.mark.parametrize("boards", [2, 3, 5, 8])
def test_boards_that_are_exactly_in_step_get_apart(boards):
    """All claim at the same time, and look for 3 ms: 12 times as long as a slot is at first."""
    for seed in range(10):
        done = Contest(make, boards, seed, IN_STEP, hold=rest, apart_us=1).run()
        assert (done.doubles, done.failures) == (0, 0), f"seed {seed}"
        assert max(done.waits_ns) < boards * 50 * MS_NS, f"seed {seed}"


def test_a_contest_catches_who_looks_before_it_claims():
    doubles = [Contest(make_wrong, 5, seed, WITHIN, hold=rest).run().doubles for seed in range(20)]
    assert sum(doubles) > 0


# One after the other


def test_a_claim_keeps_the_others_waiting():
    first, second = two_boards()
    holder, waiter = make(first), make(second)
    assert holder.acquire(0, 100)
    begun_ns = second.cpu.settle()
    assert not waiter.acquire(1, 100)
    assert 100 * MS_NS <= second.cpu.settle() - begun_ns < 101 * MS_NS
    holder.release()
    assert waiter.acquire(1, 100)
    assert not holder.acquire(0, 100)


def test_a_crashed_holder_keeps_its_claim_until_its_reset():
    first, second = two_boards()
    assert make(first).acquire(0, 100)
    waiter = make(second)
    assert not waiter.acquire(1, 100)
    first.power_off()
    assert waiter.acquire(1, 100)


def test_free_at_the_first_try_and_4_ms_later_again():
    first, _ = two_boards()
    lock = make(first)
    for least_ns, most_ns in ((0, MS_NS // 2), (4 * MS_NS, 5 * MS_NS)):
        begun_ns = first.cpu.settle()
        assert lock.acquire(0, 100)
        assert least_ns <= first.cpu.settle() - begun_ns < most_ns
        lock.release()


def test_nobody_drives_a_line_high():
    contest = Contest(make, 3, 1, WITHIN, rounds=2, hold=rest)
    record = contest.world.lines.record = []
    contest.run()
    driven = {level for _, name, level in record if name.startswith("claim") and "/" in name}
    assert driven == {0, None}


def test_a_line_that_is_stuck_high_claims_nothing():
    first, second = two_boards()
    lock = make(first)
    line = first.world.line("claim0")
    line.stick(first.world.now_ns, 1)
    assert not lock.acquire(0, 20)
    line.stick(first.world.now_ns, None)
    assert make(second).acquire(1, 20)  # what has failed has left no claim


class Interrupted:
    """A board's timer that is interrupted in its first sleep of 20 us: claimed, and not looked."""

    def __init__(self, timer):
        self.ticks_us = timer.ticks_us
        self.ticks_diff = timer.ticks_diff

    def sleep_us(self, us):
        assert us == claim_lines.SLEW_US
        raise KeyboardInterrupt


def test_an_exception_leaves_no_claim():
    first, second = two_boards()
    lock = make(first, timer=Interrupted(first.timer))
    with pytest.raises(KeyboardInterrupt):
        lock.acquire(0, 100)
    assert make(second).acquire(1, 100)


# In a cluster


def test_a_cluster_goes_on_when_the_lock_is_stuck():
    world = World()
    world.add_eeprom("AT24C256", 0x50)
    board, other = world.add_board(0), world.add_board(1)
    rival = other.pin(world.line("claim1"))
    rival.init(rival.OUT, value=0)
    timer: Any = board.timer
    lock = make(board)
    cluster = Cluster(board.i2c, (0x50,), 0, nodes=2, lock=lock, clock=board.clock, timer=timer)
    cluster.health_check()
    assert "lock_stuck" in [event[0] for event in cluster.heartbeat().events]


def test_main():
    first = FOLDER.parent / "first"
    with Lab(seed=1) as lab:
        for address in (0x50, 0x51):
            lab.add_eeprom("AT24C256", address)
        for node in (0, 1):
            files = {
                "claim_lines.py": FOLDER / "claim_lines.py",
                "config.py": first / "config.py",
                "node.py": f"NODE_ID = {node}",
            }
            lab.add_board(FOLDER / "main.py", node, files=files, at_s=60 * node)
        lines = {pin: lab.wire(pin, *lab.boards) for pin in (18, 19)}
        lab.world.lines.record = record = []
        lab.run(1000)
    assert "publish 21.5 token 15" in lab.boards[0].lines
    assert lab.boards[1].lines[-1].startswith("node 1: standby, primary 0")
    for pin, line in lines.items():  # each has claimed its own line, and let it go
        changes = [(name, level) for _, name, level in record if name.startswith(line.name + "/")]
        assert {name for name, level in changes if level == 0} == {f"pin {pin}/node{pin - 18}"}
        assert changes[-1][1] is None
