"""Long runs: seeded random histories in which every promise must hold, and the tools around them.

The oracle bites (each promise is broken on purpose), the shrinker finds what is needed, every row
of the fault table is made. The wakes simulated are printed at the end of the run (see conftest).
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from proof.breach import Breach
from proof.history import __main__ as history
from proof.history.generate import make
from proof.history.outcome import TESTED_SEEDS, add, breaks, outcome, run_seeds
from proof.history.shrink import shrink
from proof.judges.calm import Calm
from proof.judges.oracle import Oracle
from proof.judges.raw import RawChips
from proof.simulation import wakes
from proof.simulation.coverage import ROWS
from proof.simulation.events import History
from proof.simulation.run import Simulation
from rich.console import Console

from eecluster import rules, slots, takeover
from eecluster.layout import RELEASED

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from soak import histories as soak  # noqa: E402
from soak import jobs  # noqa: E402

PARTS = 16
SEEDS = TESTED_SEEDS // PARTS
PLAIN = {
    "nodes": 2, "eeproms": 3, "part": "AT24C128", "quorum": "majority", "retries": 1, "readmit": 3,
    "interval": None, "drifts": [0, 0], "owned": False, "warm": True, "wrap": None, "mild": True,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_holds_in_random_histories(part, record_property):
    seeds = range(part * SEEDS, (part + 1) * SEEDS)
    totals = run_seeds(seeds)
    record_property("histories", json.dumps([totals["wakes"], seeds.start, seeds.stop]))
    assert not totals["breaches"], [
        f"python -m proof.history {seed}: {text}" for seed, text in totals["breaches"]
    ]


@pytest.mark.slow
def test_every_row_of_the_fault_table_is_made():
    counts: dict = {}
    for seed in range(2000, 2400):
        add(counts, outcome(make(seed)).counts)
        if not missing(counts):
            return
    raise AssertionError(missing(counts))


def missing(counts):
    return [row for row, kinds in ROWS.items() if not all([counts.get(kind) for kind in kinds])]


def test_the_same_seed_is_the_same_run():
    for seed in range(6):
        logs = []
        for _ in range(2):
            logs.append([])
            outcome(make(seed, 1), logs[-1].append)
        assert logs[0] == logs[1] and len(logs[0]) > 10


def test_a_history_survives_being_text():
    one = make(3, 1)
    other = History.loads(one.dumps())
    assert other == one
    assert outcome(other).wakes == outcome(one).wakes


def test_seeds_differ():
    setups = [make(seed, 1).setup for seed in range(60)]
    for name, least in (
        ("nodes", 4),
        ("eeproms", 5),
        ("quorum", 2),
        ("retries", 3),
        ("readmit", 3),
    ):
        assert len({setup[name] for setup in setups}) >= least


# What the oracle decodes by itself


def test_oracle_reads_labels_and_blank_chips():
    form = RawChips(3, 4, cluster_id=9)
    for k in range(4):
        label = form.label(k)
        assert form.label_is_good(label, k) and not form.label_is_good(label, k ^ 1)
    chip = bytearray(b"\xff" * 2048)
    assert form.top(chip, 0) == -1 and form.is_ours(chip, 0)
    chip[1500] = 0
    assert form.is_ours(chip, 0)  # beyond the cluster's pages
    chip[:10] = form.label(0)[:10]
    assert form.is_ours(chip, 0)  # a label that was torn
    chip[1000] = 0
    assert not form.is_ours(chip, 0)


def test_oracle_reads_records():
    run = started()
    form, data = run.oracle.format, run.places[1].data
    assert form.top(data, 1) == 15 and form.token(data, 1, 0, 0) == 15
    assert form.top(data, 2) == -1  # not that chip's
    data[form.address(0, 0) + 9] ^= 1
    assert form.token(data, 1, 0, 0) is None
    assert form.is_ours(data, 1)


# The oracle bites


def started(**setup):
    """A run of a warm cluster."""
    return Simulation(History({**PLAIN, **setup})).run()


def broken(promise, call, *args):
    with pytest.raises(Breach) as caught:
        call(*args)
    assert caught.value.promise == promise, caught.value


def test_oracle_a_token_has_one_owner():
    run = started()
    broken("I1", run.oracle.confirmed, run.boards[1], 15, 0)
    broken("I1", run.oracle.confirmed, run.boards[1], 1006, 0)
    # a record with a token that its owner has never claimed
    place = run.places[0]
    form = run.oracle.format
    form.patch(place.data, 0, 1, 0, token=1007)
    broken("I1", run.oracle.written, run.boards[1], place, form.address(1, 0))


def test_oracle_no_lower_token_after_a_higher_one():
    oracle = started().oracle
    board = started().boards[1]
    oracle.claimed |= {14, 22}
    oracle.confirmed(board, 22, 15)
    oracle.confirmed(board, 14, 14)  # it began before that
    broken("I2", oracle.confirmed, board, 14, 22)


def test_oracle_the_consumer_never_goes_back():
    run = started()
    oracle = Oracle(2, 3, True, True)
    oracle.highest = 30
    oracle.published(run.boards[0], 23)
    broken("I3", oracle.published, run.boards[1], 23)
    broken("I3", oracle.published, run.boards[1], 38)
    oracle.published(run.boards[1], 30)
    oracle.published(run.boards[0], 23)
    assert oracle.dropped == 1 and oracle.accepted == 30


def test_oracle_nobody_writes_what_is_not_its_own():
    run = started()
    board, place = run.boards[1], run.places[2]
    form = run.oracle.format
    writes = run.oracle.writes
    writes(board, place, form.address(1, 1), b"x" * 46)
    writes(board, place, 0, form.label(2))
    broken("I4", writes, board, place, form.address(0, 1), b"x" * 46)
    broken("I4", writes, board, place, form.address(1, 1) + 20, b"x" * 46)
    broken("I4", writes, board, place, form.address(1, 1) + 64, b"x")
    broken("I4", writes, board, place, 0, form.label(1))
    broken("I4", writes, board, place, 4096, b"x")
    place.alien = True
    broken("I4", writes, board, place, form.address(1, 1), b"x" * 46)
    place.alien = False
    run.oracle.mute.add(board)
    broken("I4", writes, board, place, form.address(1, 1), b"x" * 46)


class Said:
    """A `Status`, as far as Calm reads it."""

    def __init__(self, is_primary, primary, dead=()):
        self.is_primary = is_primary
        self.primary = primary
        self.dead = dead


def test_oracle_a_primary_within_bounded_looks_that_stays():
    run = started()
    zero, one = run.boards
    lead, follow = Said(True, 0), Said(False, 0)
    nobody = Said(False, None)

    def calm(*wakes):
        judge = Calm([0, 1], 3, 3, 0)
        for board, said, published in wakes:
            judge.woke(board, said, said, published)

    fine = [(zero, lead, 1), (one, follow, 0)] * 3
    calm(*fine, *fine)
    broken("I5", calm, *[(zero, nobody, 0), (one, nobody, 0)] * 3)
    broken("I5", calm, *[(zero, lead, 1), (one, Said(True, 1), 1)] * 2)
    broken("I5", calm, *fine, (one, Said(True, 1), 1))
    broken("I5", calm, *fine, (zero, lead, 0))
    broken("I5", calm, *fine, (zero, follow, 0))
    broken("I5", calm, *fine, (zero, lead, 1), (zero, Said(True, 0, (1,)), 1))
    broken("I5", calm, (zero, None, 0))


def test_oracle_no_wake_without_end(monkeypatch):
    monkeypatch.setattr(wakes, "TRANSACTIONS", 20)
    broken("I6", started)


# Bugs on purpose are found, and shrunk


def test_a_planted_bug_is_found_and_shrunk(monkeypatch):
    """Only the first EEPROM is asked for the highest token of the others."""
    load = slots.Slots.load

    def one_eyed(self, k, i, view):
        before = view.token
        load(self, k, i, view)
        if k and i >> 1 != self.node:
            view.token = before

    monkeypatch.setattr(slots.Slots, "load", one_eyed)
    seed = next(seed for seed in range(60) if breaks(make(seed)) == "I2")
    short = shrink(make(seed), breaks, 600)
    assert breaks(short) == "I2"
    assert len(short.events) < 12
    monkeypatch.undo()
    assert breaks(short) is None


def test_a_planted_bug_in_what_follows_from_silence(monkeypatch):
    """Who stood down never takes its token back: nobody is primary if nobody else is there."""
    monkeypatch.setattr(takeover, "resting", lambda mine, counted, config: mine.flags & RELEASED)
    events = [[1000, "wake", 0, ["stand_down"]], [5000, "calm", 7, 12, [1]]]
    one = History(PLAIN, events)
    assert breaks(one) == "I5"
    monkeypatch.undo()
    assert breaks(one) is None


def test_a_mistake_of_the_library_is_a_breach(monkeypatch):
    monkeypatch.setattr(rules, "released", lambda view: 1 // 0)
    found = outcome(make(1))
    assert found.promise and "ZeroDivisionError" in found.promise


def planted(history):
    """Breaks if an EEPROM is unplugged while board 1 hangs."""
    names = [event[1] for event in history.events]
    wakes = [event[2:] for event in history.events if event[1] == "wake"]
    for event in history.events:
        wakes += event[4:] if event[1] == "together" else []
    hangs = any([wake[0] == 1 and ["hang", 5, 60] in wake for wake in wakes])
    return "I9" if "unplug" in names and hangs and history.setup["nodes"] == 2 else None


def test_the_shrinker_keeps_what_is_needed_and_nothing_else():
    events = [[t, "wake", t % 2, ["undone"]] for t in range(40)]
    events[20] = [20, "together", 1, "random", [0, ["short", 3]], [1, ["hang", 5, 60], ["lock"]]]
    events[30] = [30, "unplug", 1]
    setup = {**PLAIN, "owned": True, "drifts": [50000, 0], "retries": 3}
    short = shrink(History(setup, events), planted)
    assert short.events == [[20, "wake", 1, ["hang", 5, 60]], [30, "unplug", 1]]
    assert short.setup == {**PLAIN, "drifts": [0, 0]}


def test_the_shrinker_refuses_what_breaks_nothing():
    with pytest.raises(ValueError):
        shrink(History(PLAIN, []), planted)


def test_the_shrinker_stops():
    events = [[t, "unplug", 0] for t in range(50)] + [[60, "wake", 1, ["hang", 5, 60]]]
    calls = []

    def counted(history):
        calls.append(1)
        return planted(history)

    shrink(History(PLAIN, events), counted, 10)
    assert len(calls) == 11


# Within the promises


def test_a_mild_history_skips_what_is_more_than_promised():
    events = [
        [1000, "blank", 0],
        [1001, "blank", 1],  # two of three
        [1002, "wake", 0],
        [1003, "blank", 1],  # the first one is filled again
    ]
    run = Simulation(History(PLAIN, events)).run()
    assert run.counts["blank"] == 2 and run.counts["skipped"] == 1
    run = Simulation(History({**PLAIN, "mild": False}, events)).run()
    assert run.counts["blank"] == 3


def test_an_old_chip_and_one_out_of_reach_are_two():
    events = [
        [1000, "save", 0],
        [1001, "wake", 0],
        [1002, "stale", 0],
        [1003, "reach", 1, [1]],
        [1004, "wake", 0],
        [1005, "reach", 1, [1]],
        [1006, "stale", 0],
    ]
    run = Simulation(History(PLAIN, events)).run()
    assert run.counts["stale"] == 1 and run.counts["reach"] == 1 and run.counts["skipped"] == 2


def test_available_keeps_one_that_took_part():
    setup = {**PLAIN, "eeproms": 2, "quorum": "available"}
    events = [[1000, "unplug", 0], [1001, "unplug", 1], [1002, "reach", 0, [1]]]
    run = Simulation(History(setup, events)).run()
    assert run.counts["unplug"] == 1 and run.counts["skipped"] == 2


def test_a_board_that_hangs_lets_the_others_live():
    log = []
    events = [[1000, "wake", 0, ["hang", 3, 4000]]]
    events += [[1000 + 900 * i, "wake", 1] for i in range(1, 6)]
    outcome(History(PLAIN, events), log.append)
    text = "\n".join(log)
    assert text.index("hangs for 4000") < text.index("node1 claims") < text.index("goes on")


# On the command line


def command(*arguments):
    return CliRunner().invoke(history.main, [str(argument) for argument in arguments])


def test_command_replays_a_seed():
    result = command(0, "-v")
    assert result.exit_code == 0 and "no breach" in result.output and "look node" in result.output


def test_command_runs_many():
    result = command(0, "--to", 2)
    assert result.exit_code == 0 and result.output.startswith("2 histories")


def test_command_prints_a_case_that_replays(monkeypatch, tmp_path):
    monkeypatch.setattr(takeover, "resting", lambda mine, counted, config: mine.flags & RELEASED)
    events = [[900, "wake", 1], [1000, "wake", 0, ["stand_down"]], [5000, "calm", 7, 12, [1]]]
    file = tmp_path / "case.json"
    file.write_text(History(PLAIN, events).dumps())
    result = command("--file", file)
    assert result.exit_code == 1 and "I5" in result.output and "shrunk" in result.output
    case = result.output.split("--case '")[1].split("'")[0]
    again = command("--no-shrink", "--case", case)
    assert again.exit_code == 1 and "I5" in again.output
    assert len(History.loads(case).events) == 2


def test_command_wants_something_to_do():
    assert command().exit_code == 2


# make soak MINUTES=...


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "STATES", tmp_path / "states")
    monkeypatch.setattr(jobs, "KEPT", tmp_path / "data")
    monkeypatch.setattr(soak, "BATCH", 1)
    monkeypatch.setattr(soak, "ProcessPoolExecutor", ThreadPoolExecutor)
    return tmp_path / "data" / soak.NAME


def soaked(minutes=0.001, code="code"):
    with open(os.devnull, "w") as nowhere:
        return soak.run(minutes, code, Console(file=nowhere), 1)


def test_soak_takes_new_seeds_each_time(kept):
    first, second = soaked(), soaked()
    assert first["first_seed"] == soak.FIRST_SEED
    assert second["first_seed"] == first["last_seed"] + 1
    assert soaked(code="changed")["first_seed"] == soak.FIRST_SEED
    assert first["wakes"] > 0 and first["seeds"] == first["last_seed"] - first["first_seed"] + 1
    assert first["breaches"] == [] and first["counts"]["calm"] > 0


def test_soak_keeps_the_longest_run(kept):
    totals = soaked()
    assert soak.keep(totals, "code")
    result = json.loads(kept.read_text())[0]
    assert result["wakes"] == totals["wakes"] and result["breaches"] == []
    assert not soak.keep({**totals, "wakes": totals["wakes"] - 1}, "code")
    assert soak.keep({**totals, "wakes": totals["wakes"] + 1}, "code")
    assert soak.keep({**totals, "wakes": 1}, "changed")


def test_soak_reports_what_breaks(kept, monkeypatch):
    monkeypatch.setattr(wakes, "TRANSACTIONS", 20)
    result = CliRunner().invoke(soak.main, ["0.001", "--keep"])
    assert result.exit_code == 1, result.output
    assert f"python -m proof.history {soak.FIRST_SEED}" in result.output
    assert "I6" in kept.read_text()
