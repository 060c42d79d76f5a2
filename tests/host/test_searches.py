"""All spaces and sweeps of `make test`, explored to their end; their sizes are in the last lines of
pytest's output.
"""

import json
import re

import pytest
from click.testing import CliRunner
from proof import search
from proof.breach import Breach
from proof.crashes.sweeps import QUICK_SWEEPS, SWEEPS
from proof.judges.judge import Judge
from proof.orders.spaces import LONG, QUICK, SPACES


@pytest.mark.parametrize("name", QUICK)
def test_every_order(name, record_property):
    sizes = search.explore(name)
    assert sizes["states"] > 50
    record_property("search", json.dumps([name, sizes]))


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK_SWEEPS)
def test_every_crash(name, record_property):
    sizes = search.sweep(name)
    assert sizes["cuts"] > sizes["left"] > 100
    record_property("search", json.dumps([name, sizes]))


def test_names_are_in_one_place_only():
    assert not QUICK.keys() & LONG.keys()
    assert not SPACES.keys() & SWEEPS.keys()


# The command


def invoke(*args):
    return CliRunner().invoke(search.main, args)


def test_sizes_are_printed():
    result = invoke("older copy")
    assert result.exit_code == 0
    assert re.search(r"older copy: states \d+, moves \d+, ends \d+", result.output)


def test_unknown_names():
    result = invoke("no such thing")
    assert result.exit_code == 2
    assert "no 'no such thing'; there are: cold start" in result.output


def test_a_breach_prints_the_command_that_replays_it(monkeypatch):
    monkeypatch.setattr(Judge, "confirmed", broken)
    result = invoke("cold start, 2 boards, 1 chip", "--first")
    assert result.exit_code == 1
    assert "I2: broken" in result.output
    case = case_in(result.output)
    result = invoke("--case", case)
    assert result.exit_code == 1
    assert "node 0 writes 52 bytes at 64 of EEPROM 0" in result.output
    assert result.output.endswith("I2: broken\n")
    monkeypatch.undo()
    result = invoke("--case", case)
    assert result.exit_code == 0
    assert result.output.endswith("no breach\n")


def case_in(output):
    found = re.search(r"python -m proof\.search --case '(.+)'", output)
    assert found, output
    return found[1]


def broken(*_):
    raise Breach("I2", "broken")


def test_a_breach_of_a_sweep_is_replayed(monkeypatch):
    monkeypatch.setitem(SWEEPS, "2 nodes, 1 EEPROM, 2 wakes", ((2, 1), 1))
    monkeypatch.setattr(Judge, "confirmed", broken)
    result = invoke("2 nodes, 1 EEPROM, 2 wakes")
    assert result.exit_code == 1
    case = case_in(result.output)
    assert json.loads(case) == {"sweep": [2, 1], "moves": [[0, "wake"]]}
    assert invoke("--case", case).exit_code == 1


def test_sizes_are_kept_for_the_docs(monkeypatch, tmp_path):
    monkeypatch.setattr(search, "DATA", tmp_path)
    assert invoke("older copy", "--keep").exit_code == 0
    assert invoke("other chips", "--keep").exit_code == 0
    kept = json.loads((tmp_path / "searches.json").read_text())
    assert [result["title"] for result in kept] == ["other chips", "older copy"]
