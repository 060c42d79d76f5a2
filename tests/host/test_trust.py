"""docs/trust.md: its tables are those of the figures, and the figures are what the page claims."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from proof import report  # noqa: E402
from proof.crashes.sweeps import SWEEPS  # noqa: E402
from proof.history.outcome import TESTED_SEEDS  # noqa: E402
from proof.orders.spaces import SPACES  # noqa: E402
from reporting.tables import placed  # noqa: E402

TEXT = report.PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", report.TABLES)
def test_the_tables_are_those_of_the_figures(name):
    """`python -m proof.report` makes them anew."""
    assert placed(TEXT, name, report.TABLES[name](), report.PAGE.name) == TEXT


def test_each_space_and_each_sweep_is_in_the_figures():
    assert {result["title"] for result in report.results("searches")} == {*SPACES, *SWEEPS}


def test_four_wakes_deep():
    assert any([wakes >= 4 for _, wakes in SWEEPS.values()])


def test_the_longest_run_found_nothing_and_was_long():
    (run,) = report.results("histories")
    assert run["breaches"] == []
    assert run["years"] > 5
    assert run["wakes"] > 400_000


def test_each_fault_happened():
    (run,) = report.results("histories")
    for row, names in report.ROWS.items():
        assert sum([run["counts"].get(name, 0) for name in names]) > 10, row


def test_the_page_says_how_many_histories():
    assert f"`make test` plays {TESTED_SEEDS} histories" in TEXT.replace("\n", " ")
