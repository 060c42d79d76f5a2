"""The documentation: its examples run, its Python compiles, its links lead somewhere, and no error
message of the library is missing from it."""

import ast
import doctest
import re
import warnings
from pathlib import Path

import pytest

from eecluster_sim import Lab

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ERRORS = ROOT / "docs" / "errors.md"
LIBRARY = ROOT / "src" / "eecluster"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
    assert marked <= {"python", "pycon", "text"}


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
