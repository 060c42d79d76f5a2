"""The documentation: its examples run, its Python compiles, its links lead somewhere, no error
message of the library is missing from it, its figures and pictures are those that the code makes.
"""

import ast
import doctest
import importlib.util
import json
import re
import shlex
import sys
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from eecluster.lock import SAMPLE_US, SLOT_US, START_US
from eecluster_sim import Lab

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.draw import everything  # noqa: E402
from soak import __main__ as soak  # noqa: E402
from soak import collisions, locks, report  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ERRORS = ROOT / "docs" / "errors.md"
LIBRARY = ROOT / "src" / "eecluster"
BLOCK = re.compile(r"^```(\w*|\{[\w-]+\}[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIRECTIVES = {"{eval-rst}", "{toctree}", "{include} ../CHANGELOG.md"}  # for Sphinx
PLACEHOLDER = re.compile(r"%0?\d*[sdrx]")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page, language):
    """The code blocks of a page that are marked with this language."""
    return [code for marked, code in BLOCK.findall(page.read_text()) if marked == language]


@pages
def test_examples(page, monkeypatch):
    """All examples of a page run one after the other, in the project's folder."""
    monkeypatch.chdir(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no MicroPython here: boards run on CPython
        found = doctest.testfile(
            str(page), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
        )
    assert found.failed == 0, "the report is in the captured output"


@pages
def test_examples_end_their_block(page):
    """A fence right after output would count as output."""
    for code in blocks(page, "pycon"):
        assert code.startswith(">>> ") and code.endswith("\n\n")


@pages
def test_python_compiles(page):
    for code in blocks(page, "python"):
        compile(code, str(page), "exec")


@pages
def test_every_block_names_its_language(page):
    marked = {language for language, _ in BLOCK.findall(page.read_text())}
    assert marked <= {"python", "pycon", "text"} | DIRECTIVES


@pages
def test_links(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_example_runs(tmp_path):
    """The README's ten lines, as main.py of a board."""
    first = blocks(PAGES[0], "python")[0]
    main = tmp_path / "main.py"
    around = "def read_sensor():\n    return 21.5\npublish = print\n{}print(status)\n"
    main.write_text(around.format(first))
    with Lab(seed=1) as lab:
        for address in (0x50, 0x51):
            lab.add_eeprom("AT24C256", address)
        board = lab.add_board(main, node=0, interpreter="cpython")
        lab.run(10)
    assert board.lines[0] == "21.5 15"
    assert board.lines[1].startswith("node 0: primary")


# The table of errors


def messages(source):
    """The templates of the messages of all errors that a source file makes."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = []
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error"):
                for argument in node.args:
                    found += templates(argument, function)
    return found


def templates(node, function):
    """The constant texts of `"..."`, of `"..." % values`, or of a name that `function` gives."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        node = node.left
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.Name):
        assigned = [each for each in ast.walk(function) if isinstance(each, ast.Assign)]
        named = [each.value for each in assigned if getattr(each.targets[0], "id", "") == node.id]
        return [text for value in named if value is not node for text in templates(value, function)]
    return []


def library_messages():
    return [text for path in sorted(LIBRARY.glob("*.py")) for text in messages(path.read_text())]


def rows():
    """The first cells of the tables whose first cell is a message: in code quotes."""
    return re.findall(r"^\| `([^`]+)` \|", ERRORS.read_text(), re.MULTILINE)


def matches(text, row):
    """Is the row an example of the template? An ellipsis stands for anything in it."""
    parts = [re.escape(part) for part in PLACEHOLDER.split(text)]
    return re.fullmatch(".+".join(parts) + r"( \(.*\))?", row) is not None


@pytest.mark.parametrize("text", library_messages())
def test_each_message_has_a_row(text):
    assert [row for row in rows() if matches(text, row)], f"docs/errors.md has no row for: {text}"


@pytest.mark.parametrize("row", rows() if ERRORS.exists() else [])
def test_each_row_is_a_message(row):
    assert [text for text in library_messages() if matches(text, row)]


def test_every_row_has_a_cause_and_a_remedy():
    for line in ERRORS.read_text().splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            assert len(cells) == 3 and all(cells), line


def test_the_search_for_messages():
    source = """
def f():
    raise ValueError("a: %s" % x)
def g(late):
    text = "b at %s"
    if late:
        text = "c at %s"
    return OSError(5, text % address)
def h():
    return FormatError("d " "e" % (x, y))
    raise
"""
    assert sorted(messages(source)) == ["a: %s", "b at %s", "c at %s", "d e"]
    assert matches("EEPROM 0x%02x: byte %d", "EEPROM 0x50: byte 7")
    assert not matches("EEPROM 0x%02x: byte %d", "EEPROM 0x50")


# What long runs have found

LEAST_CONTESTS = {"BusyLine": 100_000, "BusArbitration": 100_000}
LEAST_WAKES = 6000


def results(name):
    """The figures of a part of the long runs, as kept in docs/data."""
    path = report.DATA / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no {path.relative_to(ROOT)}: python -m soak --keep makes it, in hours")
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", soak.PARTS)
def test_the_tables_are_those_of_the_figures(name):
    assert results(name)
    text = report.PAGE.read_text()
    assert report.filled(text, name, soak.PARTS[name]) == text


def test_the_locks_had_enough_contests_within_the_limits():
    found = {
        strategy: totals for (strategy, limits), totals in by_args("locks") if limits == "within"
    }
    assert set(found) == set(locks.STRATEGIES)
    for strategy, totals in found.items():
        assert totals["contests"] >= LEAST_CONTESTS[strategy]
        assert (totals["doubles"], totals["double_seeds"]) == (0, []), strategy


def test_nobody_was_confirmed_with_an_old_token():
    """The page says so, also of boards without a lock."""
    found = dict(by_args("collisions"))
    assert set(found) == {
        *((driver, lock) for driver in collisions.DRIVERS for lock in collisions.LOCKS),
        *(("SoftI2C", lock + collisions.OUTSIDE) for lock in locks.STRATEGIES),
    }
    for args, totals in found.items():
        assert totals["wakes"] >= LEAST_WAKES, args
        assert totals["stale_confirms"] == 0, args


def by_args(name):
    return [(tuple(result["args"]), result["state"]["totals"]) for result in results(name)]


def test_the_commands_that_replay():
    commands = re.findall(
        r"^python -m soak\.(\w+) ([^#\n]+)", report.PAGE.read_text(), re.MULTILINE
    )
    choices = {
        "locks": (locks.STRATEGIES, locks.LIMITS),
        "collisions": (collisions.DRIVERS, collisions.LOCKS),
    }
    assert {module for module, _ in commands} == set(choices)
    for module, arguments in commands:
        *names, seed = shlex.split(arguments)
        assert all(name in known for name, known in zip(names, choices[module], strict=True))
        assert int(seed) >= 0


# Waveforms


def load_waveforms():
    spec = importlib.util.spec_from_file_location("waveforms", ROOT / "docs" / "waveforms.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


waveforms = load_waveforms()
US = 1000
SVG = "{http://www.w3.org/2000/svg}"
pictures = pytest.mark.parametrize("name", waveforms.PICTURES)


@pictures
def test_a_picture_is_what_its_script_draws(name):
    drawn = waveforms.PICTURES[name]()
    assert (waveforms.FOLDER / name).read_text(encoding="utf-8") == drawn, (
        "python docs/waveforms.py"
    )
    assert ET.fromstring(drawn).tag == SVG + "svg"


def test_each_picture_is_in_a_page_and_described():
    used = {}
    for page in PAGES:
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text()):
            if "://" not in target:
                assert len(alt) > 20, target
                used[(page.parent / target).resolve()] = alt
    assert set(used) == set((ROOT / "docs" / "img").iterdir())
    names = {path.name for path in used if not path.name.startswith("avocado_")}
    assert names == {*waveforms.PICTURES, *everything.PICTURES}


def texts(name, style):
    """(x, y, text) of a picture's texts of that style."""
    root = ET.parse(waveforms.FOLDER / name).getroot()
    found = [each for each in root.iter(SVG + "text") if each.get("class") == style]
    return [(float(t.get("x", "")), float(t.get("y", "")), t.text or "") for t in found]


def bits(name):
    """The bits that a picture shows, row by row."""
    shown = sorted((y, x, bit) for x, y, bit in texts(name, "bit"))
    lines = sorted({y for y, _, _ in shown})
    return ["".join(bit for y, _, bit in shown if y == line) for line in lines]


def level(record, name, ns):
    """Of the line, or of what somebody does to it: None is let go, and so it begins."""
    known = [to for at, line, to in record if line == name and at <= ns]
    return known[-1] if known else None if "/" in name else 1


def edges(record, name, to):
    """When the line goes there."""
    return [at for at, line, now in record if line == name and now == to]


def test_node_2_won_the_arbitration_and_node_6_lost(monkeypatch):
    outcome = []

    class Noting(waveforms.BusArbitration):
        def send(self, node_id, begun):
            won = super().send(node_id, begun)
            outcome.append((node_id, won))
            return won

    monkeypatch.setattr(waveforms, "BusArbitration", Noting)
    waveforms.arbitration()
    assert outcome == [(6, False), (2, True)]


def test_the_labels_of_the_arbitration():
    record, start = waveforms.arbitration()
    clocks = [at for at in edges(record, "scl", 1) if at > start]
    assert level(record, "sda", start - 1) == level(record, "scl", start) == 1
    assert level(record, "sda", start) == 0  # START
    sent = "".join(str(level(record, "sda", at)) for at in clocks)
    assert sent[:8] == "00001" + "010"  # node 2's master code
    for i in range(3):
        slot = start + (START_US + SLOT_US * i) * US
        assert slot < clocks[5 + i] < slot + SAMPLE_US * US  # what the label "bit 2", 1, 0 is at
    assert bits("arbitration.svg") == ["010", "1"]
    lost = start + (START_US + SAMPLE_US) * US
    assert [text for *_, text in texts("arbitration.svg", "note")] == [
        "lets go, finds SDA low: lost"
    ]
    assert level(record, "sda/node6", lost) is None and level(record, "sda", lost) == 0
    end = start + (START_US + 3 * SLOT_US) * US
    assert [at for at in edges(record, "sda/node6", 0) if lost < at < end + SLOT_US * US] == []
    stop = [at for at in edges(record, "sda", 1) if at > end][-1]
    assert level(record, "scl", stop) == 1 and stop < end + 60 * US  # in the picture


def test_the_labels_of_the_collision():
    _, chip = waveforms.collision()  # no error reached the two writers
    assert chip.data[0] == 0xA5 & 0x66
    assert bits("collision.svg") == [f"{byte:08b}" for byte in (0xA5, 0x66, 0xA5 & 0x66)]
    stored = f"{0xA5 & 0x66:02X}"
    assert [text for *_, text in texts("collision.svg", "note")] == [f"chip stores {stored}"]
    assert f"the chip stores, {stored}](img/collision.svg)" in report.PAGE.read_text()
