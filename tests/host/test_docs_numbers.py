"""docs/numbers.md: its tables are those of the base line, all of it, each under its command."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench import kept, page  # noqa: E402
from docs.draw import everything  # noqa: E402

TEXT = page.PAGE.read_text("utf-8")
BASE = kept.load()
PART_OF = {name: part for part, found in BASE.items() for name in found}


def names(table):
    """Of the figures in it."""
    _, rows = page.TABLES[table]
    return {name for row in rows for name, _ in row[1:]}


def test_the_tables_are_those_of_the_base_line():
    assert page.filled(TEXT, BASE) == TEXT, kept.KEEP


def test_all_figures_are_on_the_page():
    assert set().union(*map(names, page.TABLES)) == set(PART_OF)
    assert re.findall(r"<!-- table: (\w+) -->", TEXT) == list(page.TABLES)


def test_a_table_follows_the_command_that_measures_it():
    used = set()
    for table in page.TABLES:
        before = TEXT.split(f"<!-- table: {table} -->")[0]
        part = re.findall(r"--only (\w+)$", before, re.MULTILINE)[-1]
        used.add(part)
        assert f"```text\n{kept.command(part)}\n```" in before
        if table == "lock_size":
            assert before.rstrip().endswith("from the commands above:")
        else:
            assert {PART_OF[name] for name in names(table)} == {part}, table
    assert used == set(BASE)


def test_what_the_page_says_of_the_gate():
    assert f"off by more than {kept.TOLERANCE:.0%}".replace("%", " %") in TEXT
    assert f"```text\n{kept.KEEP}\n```" in TEXT


@pytest.mark.parametrize(
    ("figure", "row"),
    [
        ({"value": 17.04, "floor": 14.26, "first_version": 21}, "| 17.0 | 14.3 | 20 | 21 |"),
        ({"value": 1234.56}, "| 1,234.6 |  | 20 |  |"),
    ],
)  # fmt: skip
def test_a_row(figure, row):
    base = BASE | {"bus": BASE["bus"] | {"bus_ms 2/2 standby": figure}}
    assert f"| 2/2 standby {row}" in page.filled(TEXT, base)


def test_a_page_without_a_table_is_an_error():
    with pytest.raises(ValueError, match=r"numbers\.md has no <!-- table: bus -->"):
        page.filled(TEXT.replace("<!-- table: bus -->", ""), BASE)


def test_writing_makes_all_of_it_anew(tmp_path, monkeypatch):
    """The page, and the plot that it shares with sizing.md, whose table of bus times it is too."""
    (tmp_path / "img").mkdir()
    old = {}
    for path in (page.PAGE, everything.DOCS / "sizing.md"):
        old[path.name] = path.read_text("utf-8")
        (tmp_path / path.name).write_text(
            old[path.name].replace("| 2/2 s", "| s").replace("17.4", "1")
        )
    monkeypatch.setattr(page, "PAGE", tmp_path / "numbers.md")
    monkeypatch.setattr(everything, "DOCS", tmp_path)
    monkeypatch.setattr(everything, "IMG", tmp_path / "img")
    written = {path.name: path.read_text("utf-8") for path in page.write()}
    shown = (ROOT / "docs" / "img" / page.PLOT).read_text("utf-8")
    assert written == old | {page.PLOT: shown}
    assert f"](img/{page.PLOT})" in TEXT
