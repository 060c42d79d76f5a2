"""The long runs of soak/, for a few seeds: they count right, go on where they were stopped, and see
what is broken on purpose.

No test writes to docs/ or build/soak: see `kept`.
"""

import functools
import json
import os
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from eecluster_sim import World

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from soak import __main__ as soak  # noqa: E402
from soak import collisions, jobs, locks, report  # noqa: E402

COUNT = 2 * jobs.BATCH + 7
PARTS = [pytest.param(part, id=name) for name, part in soak.PARTS.items()]


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Where progress and figures are kept in these tests."""
    monkeypatch.setattr(jobs, "STATES", tmp_path / "states")
    monkeypatch.setattr(jobs, "KEPT", tmp_path / "data")
    monkeypatch.setattr(report, "DATA", tmp_path / "data")
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    return tmp_path


@pytest.fixture
def one_process(monkeypatch):
    """Workers in this process: they see what a test has replaced."""
    monkeypatch.setattr(jobs, "ProcessPoolExecutor", ThreadPoolExecutor)


def run(*todo):
    with open(os.devnull, "w") as nowhere:
        jobs.run(todo, Console(file=nowhere))


# Jobs


def noted(seed, stop):
    """Fails at a seed while there is a file that names it."""
    if stop.exists() and int(stop.read_text()) == seed:
        raise RuntimeError(f"seed {seed}")
    return {"seeds": [seed], "sum": seed, "worst_ns": 100 - abs(seed - 60), "pids": [os.getpid()]}


def make_job(stop, count=COUNT, code="a"):
    return jobs.Job("Some lock, 10 %", noted, (stop,), count, code)


def check_complete(job, count):
    """Each seed was run, once, and all is added up; also in the file."""
    state = json.loads(job.path.read_text())
    assert state == job.state
    assert state["seeds"] == count
    totals = state["totals"]
    assert sorted(totals["seeds"]) == list(range(count))
    assert totals["sum"] == sum(range(count))
    assert totals["worst_ns"] == max(100 - abs(seed - 60) for seed in range(count))


def test_each_seed_is_run_once_in_other_processes(kept):
    job = make_job(kept / "stop")
    run(job)
    check_complete(job, COUNT)
    assert os.getpid() not in job.state["totals"]["pids"]


def test_merged():
    total = {"n": 1, "worst_ns": 5, "seeds": [3]}
    jobs.merge(total, {"n": 2, "worst_ns": 4, "seeds": [1, 2], "new": 7})
    assert total == {"n": 3, "worst_ns": 5, "seeds": [3, 1, 2], "new": 7}
    assert jobs.merge(total, {"worst_ns": 6})["worst_ns"] == 6


def meet(seed, folder):
    """Each of two batches waits for the other one: they must run at the same time."""
    mine, other = (folder / str((seed // jobs.BATCH + k) % 2) for k in (0, 1))
    mine.touch()
    last = time.monotonic() + 20
    while not other.exists():
        if time.monotonic() > last:
            raise RuntimeError("the other batch does not run")
        time.sleep(0.001)
    return {"met": 1, "pids": [os.getpid()]}


def test_two_batches_at_the_same_time(kept, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    job = jobs.Job("pair", meet, (kept,), 2 * jobs.BATCH, "a")
    run(job)
    assert job.state["totals"]["met"] == 2 * jobs.BATCH
    assert len(set(job.state["totals"]["pids"])) == 2


def test_progress_is_kept_after_each_batch(kept):
    job = make_job(kept / "stop")
    for done, seeds in zip((50, 100, 107), job.batches(), strict=True):
        job.add(seeds, jobs.run_batch(job.one, seeds, job.args))
        check_complete(job, done)
        check_complete(make_job(kept / "stop"), done)  # one that was stopped here


@pytest.mark.parametrize("seed, kept_seeds", [(jobs.BATCH + 3, jobs.BATCH), (COUNT - 1, 100)])
def test_a_run_that_was_stopped_goes_on_there(kept, seed, kept_seeds):
    stop = kept / "stop"
    stop.write_text(str(seed))
    with pytest.raises(RuntimeError, match=f"seed {seed}"):
        run(make_job(stop))
    check_complete(make_job(stop), kept_seeds)
    stop.write_text(str(kept_seeds - 1))  # it would fail at a seed that it has done already
    job = make_job(stop)
    run(job)
    check_complete(job, COUNT)


def test_what_is_done_is_not_done_again(kept):
    run(make_job(kept / "stop"))
    job = make_job(kept / "stop")
    assert job.batches() == []
    run(job)
    check_complete(job, COUNT)


def test_a_longer_run_continues_a_shorter_one(kept):
    run(make_job(kept / "stop", count=30))
    job = make_job(kept / "stop")
    assert job.batches() == [range(30, 80), range(80, COUNT)]
    run(job)
    check_complete(job, COUNT)


def test_a_shorter_run_has_all_it_wants(kept):
    run(make_job(kept / "stop"))
    job = make_job(kept / "stop", count=30)
    run(job)
    check_complete(job, COUNT)


def test_other_code_starts_anew(kept):
    run(make_job(kept / "stop", count=30))
    job = make_job(kept / "stop", count=20, code="b")
    assert job.batches() == [range(20)]
    run(job)
    check_complete(job, 20)


DAMAGED = [b"", b'{"code": "a", "seeds": 5', b"\xff\xfe\xfd", b"[]", b"7", b"{}", b'{"code": "a"}']


@pytest.mark.parametrize("damaged", DAMAGED, ids=repr)
def test_a_damaged_file_of_progress_starts_anew(kept, damaged):
    first = make_job(kept / "stop", count=30)
    run(first)
    first.path.write_bytes(damaged)
    job = make_job(kept / "stop", count=20)
    run(job)
    check_complete(job, 20)


def test_a_file_that_was_being_written_does_no_harm(kept):
    job = make_job(kept / "stop", count=30)
    run(job)
    job.path.with_suffix(".new").write_bytes(DAMAGED[1])
    again = make_job(kept / "stop")
    check_complete(again, 30)
    run(again)
    check_complete(again, COUNT)


FILES = ("one/a.py", "one/deep/b.py", "two.py", "one/upy/c.py", "other.py")
SOURCE = "def f(a, b=1):\n    return a\n"


def fingerprint(folder, **changed):
    """Of a tree of such files, in which those of these names are different."""
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.stem, SOURCE))
    return jobs.fingerprint("one", "two.py")


def test_the_fingerprint_is_of_these_files(tmp_path, monkeypatch):
    monkeypatch.setattr("reporting.fingerprint.ROOT", tmp_path)
    before = fingerprint(tmp_path)
    changed = [{Path(name).stem: "x = 1\n"} for name in FILES]
    alike = [set(other) for other in changed if fingerprint(tmp_path, **other) == before]
    assert alike == [{"c"}, {"other"}]


def test_the_fingerprint_is_of_what_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("reporting.fingerprint.ROOT", tmp_path)
    before = fingerprint(tmp_path)
    for same in (
        'def f(a, b=1):\n    """What."""\n    return a  # why\n',
        '"""What."""\n\n\ndef f(a: int, b: int = 1) -> int:\n    return a\n',
    ):
        assert fingerprint(tmp_path, a=same) == before, same
    for other in (
        "def f(a, b=2):\n    return a\n",
        "def f(b, a=1):\n    return a\n",
        "def f(a, b=1):\n    b()\n    return a\n",
        "@g\ndef f(a, b=1):\n    return a\n",
        "def f(a, b=1):\n    return a\n\n\nLIMIT: int = 1\n",
    ):
        assert fingerprint(tmp_path, a=other) != before, other
    one, two = (fingerprint(tmp_path, a=f"LIMIT: int = {value}\n") for value in (1, 2))
    assert one != two


@pytest.mark.parametrize("part", PARTS)
def test_the_code_that_counts_is_there(part):
    assert [name for name in part.CODE if not (ROOT / name).exists()] == []


def test_no_two_jobs_share_a_file():
    paths = [job.path for part in soak.PARTS.values() for job in part.make_jobs(100)]
    assert len(paths) == len(set(paths)) == 2 * 8 + 3 * 3 + 2


def test_others_go_on_where_the_published_figures_end(kept):
    """Who clones the project has docs/data, not build/soak."""
    report.PAGE.write_text("<!-- table: some -->\n\n(none)\n\n")
    job = jobs.Job("some", None, ("a", "b"), 10, "code")
    job.add(range(7), {"n": 7})
    report.keep("some", PART, [job])
    (jobs.KEPT / "other.json").write_text('{"title": "figures of something else"}')
    job.path.unlink()
    assert jobs.Job("some", None, (), 10, "code").batches() == [range(7, 10)]
    assert jobs.Job("some", None, (), 10, "other code").batches() == [range(10)]
    assert jobs.Job("other", None, (), 10, "code").batches() == [range(10)]


# Contests


@pytest.mark.parametrize("strategy", locks.STRATEGIES)
def test_a_contest_repeats(strategy):
    for seed in range(4):
        found = locks.one(seed, strategy, "within")
        assert found == locks.one(seed, strategy, "within")
        assert (found["contests"], found["acquired"]) == (1, acquires(seed))
        assert found["doubles"] == found["failures"] == 0
        assert 0 < found["worst_wait_ns"] <= found["wait_ns"]


def test_two_to_eight_boards():
    """As the page says."""
    seeds = range(len(locks.BOARDS))
    contests = [locks.contest(seed, "BusyLine", "within") for seed in seeds]
    assert {len(contest.world.boards) for contest in contests} == set(range(2, 9))
    assert [len(contest.order) for contest in contests] == [acquires(seed) for seed in seeds]


class Open:
    """No lock at all, but it says it is one."""

    def __init__(self, board):
        self.timer = board.timer

    def acquire(self, node_id, timeout_ms):
        self.timer.sleep_ms(1)
        return node_id != 7

    def release(self):
        pass


@pytest.fixture
def broken(monkeypatch):
    monkeypatch.setitem(locks.STRATEGIES, "Open", Open)
    monkeypatch.setitem(locks.HOLDS, "Open", locks.rest)


def acquires(seed):
    """How often the lock is taken in that contest."""
    return locks.BOARDS[seed % len(locks.BOARDS)] * (3 if seed % 10 == 0 else 1)


def replayed(sentence):
    """What the command at the end of a complaint returns."""
    said, command = sentence.split(": ")
    module, *arguments = shlex.split(command.removeprefix("python -m "))
    assert (said, module) == ("two holders", "soak.locks")
    return locks.main(*arguments)


def test_a_broken_lock_is_counted_and_can_be_replayed(broken, capsys):
    job = jobs.Job("Open, within", locks.one, ("Open", "within"), 40, "a")
    seeds = range(40)
    job.add(seeds, jobs.run_batch(job.one, seeds, job.args))
    found = job.state["totals"]
    assert found["contests"] == 40
    assert found["doubles"] >= len(found["double_seeds"]) > 0
    assert found["failures"] > 0
    assert found["acquired"] + found["failures"] == sum(acquires(seed) for seed in seeds)
    sentences = locks.complaints([job])
    assert len(sentences) == len(found["double_seeds"])
    told = 0
    for sentence in sentences:
        assert replayed(sentence) == 1
        told += int(capsys.readouterr().out.split("two holders: ")[1].split(",")[0])
    assert told == found["doubles"]
    for seed in set(seeds) - set(found["double_seeds"]):
        assert locks.main("Open", "within", str(seed)) == 0


def test_outside_the_limits_nobody_complains(broken):
    limits = "pauses of 60 ms"
    job = jobs.Job(f"Open, {limits}", locks.one, ("Open", limits), 20, "a")
    job.add(range(20), jobs.run_batch(job.one, range(20), job.args))
    assert job.state["totals"]["doubles"] > 0
    assert locks.complaints([job]) == []


def test_the_whole_run_fails_with_a_broken_lock(broken, one_process, monkeypatch, capsys):
    monkeypatch.setattr(locks, "STRATEGIES", {"Open": Open})
    assert soak.main(["--only", "locks", "--runs", "20"]) == 1
    assert "two holders: python -m soak.locks Open within" in capsys.readouterr().out


def test_the_whole_run_puts_its_figures_into_the_page(kept):
    report.PAGE.write_text("Before.\n\n<!-- table: locks -->\n\n(none)\n\nAfter.\n")
    assert soak.main(["--only", "locks", "--runs", "2", "--keep"]) == 0
    results = json.loads((report.DATA / "locks.json").read_text())
    assert len(results) == 2 * 8
    assert {result["state"]["totals"]["contests"] for result in results} == {2}
    lines = report.PAGE.read_text().splitlines()
    assert lines[:3] == ["Before.", "", "<!-- table: locks -->"] and lines[-2:] == ["", "After."]
    assert len(lines[4:-2]) == 2 + 2 * 8
    assert lines[6].startswith(
        f"| BusyLine | within | 2 | {acquires(0) + acquires(1)} | 0 | 0 | 0 | "
    )


# Collisions

HARDWARE = [name for name in collisions.DRIVERS if name != "SoftI2C"]
DRIVERS = ["SoftI2C", *(pytest.param(name, marks=pytest.mark.slow) for name in HARDWARE)]
LOCKS = list(collisions.LOCKS)
TRULY = [lock for lock in LOCKS if lock != "no lock"]


@functools.cache
def found_in(driver, lock, seeds):
    """The figures of seeds 0..seeds-1, added up."""
    return jobs.run_batch(collisions.one, range(seeds), (driver, lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_pair_of_wakes_repeats(lock, capsys):
    found = collisions.one(3, "SoftI2C", lock)
    assert found == collisions.one(3, "SoftI2C", lock)
    assert found["wakes"] == 2
    collisions.main("SoftI2C", lock, "3")
    told = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert told == {name: f"{value:,}" for name, value in found.items()}


@pytest.mark.slow
def test_without_a_lock_bytes_are_corrupted():
    found = found_in("SoftI2C", "no lock", 40)
    assert found["corrupt_bytes"] > 0
    assert found["failed_transfers"] > 0
    assert found["doubles"] > 0


@pytest.mark.parametrize("driver", DRIVERS)
def test_without_a_lock_the_token_protects_the_truth(driver):
    found = found_in(driver, "no lock", 40 if driver == "SoftI2C" else 15)
    assert found["stale_confirms"] == found["not_recovered"] == 0


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("lock", TRULY)
def test_with_a_lock_nothing_happens(driver, lock):
    seeds = 10 if driver in HARDWARE else 15
    found = found_in(driver, lock, seeds)
    names = ("corrupt_bytes", "foreign_bytes", "failed_transfers", "failed_calls", "stuck_buses",
             "doubles", "failures", "takeovers", "stale_confirms", "not_recovered")  # fmt: skip
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0)
    assert found["wakes"] == 2 * seeds
    assert found["acquires"] == 5 * seeds  # both look and beat, the primary confirms
    assert found["transfers"] > found["busy_polls"] > 0


def make_trial(seed=0):
    return collisions.Trial(seed, "SoftI2C", "BusyLine")


def compared(trial):
    """Corrupt and foreign bytes, counted anew."""
    trial.found.update(corrupt_bytes=0, foreign_bytes=0)
    trial._compare()
    return trial.found["corrupt_bytes"], trial.found["foreign_bytes"]


def test_a_byte_that_nobody_wrote_is_counted():
    trial = make_trial()
    assert compared(trial) == (0, 0)
    trial.chips[0].data[collisions.USED - 1] ^= 0x10
    assert compared(trial) == (1, 0)
    trial.chips[1].data[collisions.USED] ^= 0x10
    assert compared(trial) == (2, 1)


def test_a_byte_that_was_written_as_asked_is_not_counted():
    trial = make_trial()
    i2c = collisions.Watched(trial.world.boards[0].make_i2c(), trial.written, trial.found)
    i2c.writeto_mem(0x50, 700, b"ab", addrsize=16)
    trial.world.advance_s(1)
    assert trial.chips[0].data[700:702] == b"ab"
    assert compared(trial) == (0, 0)
    trial.chips[0].data[700:703] = b"aba"  # what is asked for at one place says nothing of the next
    assert compared(trial) == (1, 1)
    trial.chips[1].data[700] = ord("a")  # nor of the other chip
    assert compared(trial) == (2, 2)
    trial.chips[0].data[700:703] = b"bbb"
    assert compared(trial) == (3, 3)


def test_a_line_that_stays_low_is_counted():
    trial = make_trial()
    end = trial.world.bus.sda.end("somebody")
    trial.world.lines.at(900_000_000, end.drive, 0)  # after the wakes
    found = trial.run()
    assert (found["stuck_buses"], found["failed_transfers"]) == (1, 0)
    assert make_trial().run()["stuck_buses"] == 0


HIGH_TOKEN = 1 << 40  # higher than any in these runs
SOON, LATE = (0, 1), (10**12, 10**12 + 1)  # ended before, began after the wakes


@pytest.mark.parametrize(
    "confirmed, stale, takeovers",
    [
        ([], 0, 0),
        ([(*SOON, HIGH_TOKEN + 7)], 1, 0),
        ([(*SOON, HIGH_TOKEN + 6)], 1, 1),  # 7 - 1: node 1's
        ([(*LATE, HIGH_TOKEN + 7)], 0, 0),
        ([(0, LATE[1], HIGH_TOKEN + 7)], 0, 0),  # at the same time: no promise
    ],
)
def test_a_stale_confirm_is_counted(confirmed, stale, takeovers):
    trial = make_trial()
    trial.confirmed += confirmed
    found = trial.run()
    assert len(trial.confirmed) == len(confirmed) + 1  # the primary's
    assert (found["stale_confirms"], found["takeovers"]) == (stale, takeovers)


def chips_with(*images):
    world = World()
    chips = [world.add_eeprom("AT24C256", address) for address in collisions.ADDRESSES]
    for chip, image in zip(chips, images, strict=True):
        chip.load(image)
    return chips


def test_a_cluster_that_has_not_recovered_is_seen():
    first, second = collisions.steady()
    damaged = bytearray(second)
    damaged[70] ^= 1
    zeros = bytes(len(second))
    assert collisions.recovers(chips_with(first, second))
    assert collisions.recovers(chips_with(first, damaged))
    assert not collisions.recovers(chips_with(first, zeros))  # a chip of somebody else
    assert collisions.recovers(chips_with(second, first))  # swapped: their numbers go with them
    assert not collisions.recovers(chips_with(first, first))  # a copy of the other one
    assert not collisions.recovers(chips_with(first, second)[:1])


def test_it_must_have_recovered_in_the_end(monkeypatch):
    blank = b"\xff" * len(collisions.steady()[0])
    assert collisions.recovers(chips_with(blank, blank))
    monkeypatch.setattr(collisions, "QUIET_ROUNDS", 1)
    assert not collisions.recovers(chips_with(blank, blank))  # node 0 has not seen node 1 yet


@pytest.mark.parametrize("primaries", [(0,), (1,), (), (0, 1)])
def test_it_must_have_one_primary(monkeypatch, primaries):
    def cluster(board, lock):
        is_primary = board.node in primaries
        status = SimpleNamespace(is_primary=is_primary, members=(0, 1), eeproms=(0, 1))
        return SimpleNamespace(health_check=lambda: status, heartbeat=lambda: status)

    chips = chips_with(*collisions.steady())
    monkeypatch.setattr(collisions, "cluster", cluster)
    assert collisions.recovers(chips) == (len(primaries) == 1)


# The page


def row(name, kind, found):
    return [name, kind, str(found["n"])]


PART = SimpleNamespace(HEADS=("name", "kind", "n"), row=row)
PAGE = "Before.\n\n<!-- table: {} -->\n\n{}\n\nBetween.\n\n<!-- table: other -->\n\nold\n\nAfter.\n"
TABLE = "| name | kind | n |\n| --- | --- | ---: |\n| a | b | 1 |\n| \\1 | d | 2 |"


@pytest.fixture
def figures(kept):
    """Of two jobs, kept; one has a name that re.sub would take for a group."""
    report.DATA.mkdir()
    results = [
        {"title": "a", "args": ["a", "b"], "state": {"totals": {"n": 1}}},
        {"title": "d", "args": ["\\1", "d"], "state": {"totals": {"n": 2}}},
    ]
    (report.DATA / "some.json").write_text(json.dumps(results))


def test_a_table_is_put_at_its_marker(figures):
    expected = PAGE.format("some", TABLE)
    for old in ("(to come)", TABLE, "| a |\n| b |\n| c |\n| d |\n| e |"):
        assert report.filled(PAGE.format("some", old), "some", PART) == expected


def test_a_page_without_the_marker_is_an_error(figures):
    with pytest.raises(ValueError, match="page.md has no <!-- table: some -->"):
        report.filled(PAGE.format("none", "old"), "some", PART)


def test_figures_are_kept(kept):
    report.PAGE.write_text(PAGE.format("some", "old"))
    todo = [
        SimpleNamespace(title="a", args=("a", "b"), state={"totals": {"n": 1}}),
        SimpleNamespace(title="d", args=("\\1", "d"), state={"totals": {"n": 2}}),
    ]
    report.keep("some", PART, todo)
    assert report.PAGE.read_text() == PAGE.format("some", TABLE)
    assert [path.name for path in report.DATA.iterdir()] == ["some.json"]
