"""The measures of `make bench`, the goals they must reach, and the base line they must keep.

The gates: `bench.figures.GOALS` and docs/data/bench.json, see `bench.kept`. Each part is measured
once for both. A part that cannot be measured here (no MicroPython, no valgrind, no mosquitto) is
left out, but not with CI=true.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench import figures, kept, locks, needs, page, run, wakes  # noqa: E402
from bench.first_version import FirstVersion  # noqa: E402
from bench.floor import floor  # noqa: E402
from bench.wakes import Stopwatch  # noqa: E402

from eecluster_sim import World  # noqa: E402

BASE = kept.load()
PORT_PARTS = ("size", "heap", "instructions", "avocado")


@pytest.fixture(scope="module")
def bus():
    return figures.bus()


@pytest.fixture(scope="module")
def lock():
    return figures.lock()


def check(found, goals):
    assert not set(goals) - set(found), "figures of goals are missing"
    assert not found.missed(), "\n".join(found.missed().values())


def check_part(part, found):
    """Goals and base line."""
    complaints = list(kept.complaints(part, found, BASE.get(part, {})))
    assert not complaints, "\n".join(complaints)
    check(found, set(figures.GOALS) & set(found))


def test_the_bus(bus):
    check_part("bus", bus)


def test_the_locks(lock):
    check_part("lock", lock)


@pytest.mark.slow
def test_the_micropython_unix_port():
    subprocess.run(["make", "--silent", "mpy"], cwd=ROOT, check=True)  # the files of this state
    missing = needs.missing(PORT_PARTS)
    assert not missing or os.environ.get("CI") != "true", f"not installed: {', '.join(missing)}"
    for part, found in run.measured([p for p in PORT_PARTS if not needs.missing([p])]).items():
        check_part(part, found)


def test_the_measure_of_locks_sees_a_slow_one():
    """A lock that waits for 3 ms more costs 3 ms more, in each call of a wake."""

    class Slow:
        def __init__(self, board):
            self.lock = board.cpu.charge(locks.busy_line(board))
            self.timer = board.timer
            self.release = self.lock.release

        def acquire(self, node_id, timeout_ms):
            self.timer.sleep_ms(3)
            return self.lock.acquire(node_id, timeout_ms)

    quick_ms, slow_ms = (locks.wake_ms(make, "primary")[0] for make in (locks.busy_line, Slow))
    assert 9 <= slow_ms - quick_ms < 9.2


def test_how_long_the_lines_are_low():
    record = [(5, "scl", 0), (7, "sda", 0), (9, "scl", 1), (12, "sda", 1), (20, "busy", 0)]
    assert locks.low_ms(record) == 7e-6


def test_no_goal_of_the_project_is_forgotten():
    assert {name: goal for name, goal in figures.GOALS.items() if "page_writes" not in name} == {
        "bus_ms 2/2 standby": 20,
        "bus_ms 8/3 standby": 60,
        "bus_ms 8/8 standby": 120,
        "bus_primary_to_standby 2/2": 1.5,
        "bus_primary_to_standby 8/3": 1.5,
        "bus_primary_to_standby 8/8": 1.5,
        "smallest_heap 2/2 standby": 49152,
        "smallest_heap 2/2 primary": 49152,
        "imported_instructions": 1600000,
        "mpy_bytes": 16384,
        "loaded_mpy_bytes": 9728,
        "hold_ms BusyLine standby": 10.5,
        "hold_ms BusArbitration standby": 52,
    }
    assert sum("page_writes" in name for name in figures.GOALS) == 6
    assert set(figures.GOALS) <= {name for found in BASE.values() for name in found}


@pytest.mark.parametrize("name", figures.GOALS)
def test_each_gate_can_fail(name):
    found = figures.Figures()
    found.note(name, figures.GOALS[name])
    check(found, [name])
    found.note(name, figures.GOALS[name] * 1.0001)
    with pytest.raises(AssertionError, match=name):
        check(found, [name])
    with pytest.raises(AssertionError, match="missing"):
        check(figures.Figures(), [name])


# The base line


def figure(value, **others):
    return figures.Figures({"bus_ms 2/2 standby": {"value": value, **others}})


WAY = "Measured by: python -m bench.run --only bus. Remedy: "


@pytest.mark.parametrize(
    ("new", "old", "sentence"),
    [
        (figure(18.32), figure(17.4),
         "bus_ms 2/2 standby: 17.4 -> 18.32, 5.3 % worse than the base line. "
         + WAY + "mend it, or, if it is worth that, make bench KEEP=1"),
        (figure(1180), figure(1250),
         "bus_ms 2/2 standby: 1,250 -> 1,180, 5.6 % better than the base line. "
         + WAY + "make bench KEEP=1"),
        (figure(1), figure(0),
         "bus_ms 2/2 standby: 0 -> 1, infinitely worse than the base line. "
         + WAY + "mend it, or, if it is worth that, make bench KEEP=1"),
        (figure(17), {},
         "bus_ms 2/2 standby: 17, which is not in the base line yet. " + WAY + "make bench KEEP=1"),
        ({}, figure(17),
         "bus_ms 2/2 standby: in the base line, but not measured any more. "
         + WAY + "make bench KEEP=1"),
        (figure(17, floor=12), figure(17, floor=11),
         "the floor of bus_ms 2/2 standby: 11 -> 12, not as in the base line. "
         + WAY + "make bench KEEP=1"),
        (figure(17, first_version=3), figure(17),
         "the first version's bus_ms 2/2 standby: nothing -> 3, not as in the base line. "
         + WAY + "make bench KEEP=1"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_figure(new, old, sentence):
    assert list(kept.complaints("bus", new, old)) == [sentence]


@pytest.mark.parametrize("part", BASE)
def test_each_figure_may_be_off_by_two_percent_and_not_by_more(part):
    for name, old in BASE[part].items():
        for share, count in ((1.019, 0), (0.981, 0), (1.021, 1), (0.979, 1)):
            new = figures.Figures(BASE[part])
            new[name] = old | {"value": old["value"] * share}
            found = list(kept.complaints(part, new, BASE[part]))
            assert len(found) == (count if old["value"] else 0)
            assert all([sentence.startswith(f"{name}: ") for sentence in found])


def test_a_part_that_is_worse_fails(bus):
    worse = figures.Figures(bus)
    worse["wire_bytes 8/3 primary"] = bus["wire_bytes 8/3 primary"] | {"value": 3400}
    with pytest.raises(AssertionError, match="wire_bytes 8/3 primary: 3,297 -> 3,400, 3.1 % worse"):
        check_part("bus", worse)


def test_all_parts_are_kept():
    assert list(BASE) == list(figures.PARTS)


@pytest.fixture
def stage(monkeypatch, tmp_path):
    """A `make bench` of two parts that measures nothing. A dict: what they find."""
    found = {"bus": figure(17.4), "size": figures.Figures({"mpy_bytes": {"value": 16400}})}
    parts = {part: lambda part=part: found[part] for part in found}
    monkeypatch.setattr(figures, "PARTS", parts)
    monkeypatch.setattr(kept, "PARTS", parts)
    monkeypatch.setattr(kept, "KEPT", tmp_path / "bench.json")
    monkeypatch.setattr(page, "write", lambda: [tmp_path / "numbers.md"])
    return found


def test_what_bench_prints(stage, capsys):
    assert run.main([]) is None
    printed = capsys.readouterr().out
    assert "missed: mpy_bytes: 16400 instead of at most 16384" in printed
    assert "bus_ms 2/2 standby: 17.4, which is not in the base line yet." in printed
    assert not kept.KEPT.exists()


def test_what_bench_keeps(stage, capsys):
    assert run.main(["--keep"]) is None
    assert "numbers.md" in capsys.readouterr().out
    assert kept.load() == stage
    stage["bus"], stage["size"] = figure(18), figure(1)
    assert run.main(["--only", "bus", "--keep"]) is None
    assert json.loads(kept.KEPT.read_text()) == {
        "bus": {"bus_ms 2/2 standby": {"value": 18}}, "size": {"mpy_bytes": {"value": 16400}},
    }  # fmt: skip
    assert run.main(["--only", "bus"]) is None
    assert "Remedy" not in capsys.readouterr().out.split("mpy_bytes")[-1]


@pytest.mark.parametrize(("ci", "options"), [("true", []), ("", ["--keep"])])
def test_nothing_may_be_missing(stage, monkeypatch, ci, options):
    """On a CI machine, or where figures are kept."""
    monkeypatch.setitem(needs.PARTS, "bus", ("valgrind",))
    monkeypatch.setattr(needs, "_is_here", lambda name: name != "valgrind")
    monkeypatch.setenv("CI", ci)
    assert run.main(options) == "not installed: valgrind"
    assert run.main([*options, "--only", "size"]) is None


# The measures


def test_the_measure_sees_a_slow_bus_and_slow_chips(monkeypatch):
    fast = wakes.measure("eecluster", 2, 2)["standby"]
    monkeypatch.setattr(wakes, "PART", "FM24C256")  # 6 ms
    slower = wakes.measure("eecluster", 2, 2)["standby"]
    assert slower["bus_ms"] >= fast["bus_ms"] + 1
    monkeypatch.setattr(wakes, "FREQ", 100_000)
    slow = wakes.measure("eecluster", 2, 2)["standby"]
    assert slow["wire_ms"] > 3.9 * fast["wire_ms"]
    assert slow["bus_ms"] > figures.GOALS["bus_ms 2/2 standby"]


def test_figures_are_the_same_twice(bus):
    assert figures.bus() == bus


def test_nothing_is_below_its_floor(bus):
    for name, figure in bus.items():
        if not name.startswith("bus_primary_to_standby"):
            assert figure["value"] >= figure["floor"], name


def test_the_floor_by_hand():
    # 4 copies of 46 bytes, 4 check sums of the other chip, 2 * 46 read back, 2 * 46 written
    moved = 4 * 46 + 4 * 4 + 2 * 46 + 2 * 46
    bits = 9 * moved + 2 * 29 + 4 * 39
    expected = {"bus_ms": 5 + bits / 400, "wire_ms": bits / 400}
    expected |= {"wire_bytes": moved + 2 * 3 + 4 * 4, "page_writes": 1}
    assert floor("standby", 2, 2) == expected
    more = floor("primary", 2, 2)["wire_bytes"] - expected["wire_bytes"]
    assert more == 2 * 2 * (4 * 4 + 4)  # two more readings of 4 check sums on 2 chips


def test_the_clock_runs_while_the_lock_is_held():
    world = World()
    lock = Stopwatch(world)
    for _ in range(2):
        world.now_ns += 7
        lock.acquire(0, 0)
        world.now_ns += 5
        lock.release()
    assert lock.held_ns == 10


def test_the_first_version_takes_over():
    """The yardstick does what was described: suspect at one silent look, take over at the next."""
    world = World()
    chips = [world.add_eeprom("AT24C256B", 0x50 + k) for k in range(2)]
    for chip in chips:
        chip.fill(0)
    boards = [world.add_board(node=node) for node in range(2)]
    nodes = [
        FirstVersion(
            board.make_i2c(), (0x50, 0x51), board.node,
            nodes=2, seen=[0, 0], lock=Stopwatch(world), timer=board.timer,
        )
        for board in boards
    ]  # fmt: skip
    for _ in range(2):
        assert [node.health_check().is_primary for node in nodes] == [True, False]
        for node in nodes:
            node.heartbeat()
    assert chips[0].data[:8] == bytes((1, 0, 0, 0, 0, 2, 0, 2))
    looks = [nodes[1].health_check().is_primary for _ in range(3)]
    assert looks == [False, False, True]
    assert chips[1].data[:4] == bytes((2, 0, 1, 0))
    chips[1].plugged = False
    nodes[1].heartbeat()
    assert chips[0].data[2] == 3  # cannot be written: its node is dead
