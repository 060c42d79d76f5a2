"""The pages as a whole: each is to be found, what they say of the library is so, commands exist."""

import inspect
import re
import sys
from pathlib import Path

import pytest

import eecluster
from eecluster_sim import World

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs import check_links  # noqa: E402

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))


def text(name):
    return (DOCS / name).read_text("utf-8")


def first_cells(page, head):
    """The first cells, in code quotes, of the table with that head."""
    table = text(page).split(head)[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


# What the pages say of the library


def test_the_arguments_are_those_of_cluster():
    parameters = list(inspect.signature(eecluster.Cluster).parameters.values())
    written = {
        name: default for name, _, default in
        (cell.partition("=") for cell in first_cells("api.md", "| argument | unit, range |"))
    }  # fmt: skip
    assert list(written) == [parameter.name for parameter in parameters]
    for parameter in parameters:
        default = written[parameter.name]
        if parameter.default is inspect.Parameter.empty:
            assert not default
        elif not default.startswith("time"):  # a function and a module
            assert default == repr(parameter.default), parameter


def test_the_attributes_are_those_of_status():
    world = World()
    world.add_eeprom("AT24C256", 0x50)
    board = world.add_board(0)
    cluster = eecluster.Cluster(board.i2c, (0x50,), 0, clock=board.clock, timer=board.timer)
    status = cluster.health_check()
    assert set(first_cells("api.md", "| attribute | type |")) == set(vars(status))


def test_each_public_name_is_in_the_api():
    public = [name for name in dir(eecluster) if name[0].isupper()]
    calls = [name for name in dir(eecluster.Cluster) if not name.startswith("_")]
    locks = ["BusyLine", "BusArbitration", "NoLock", "recover_bus"]
    api = text("api.md")
    for name in public + locks:
        assert re.search(rf"^\.\. auto\w+:: {name}\b", api, re.MULTILINE), name
        assert re.search(rf"^from eecluster import .*\b{name}\b", api, re.MULTILINE), name
    for name in calls:
        assert f".. automethod:: Cluster.{name}\n" in api, name


def test_each_module_is_described():
    modules = {path.stem for path in (ROOT / "src" / "eecluster").glob("*.py")} - {"__init__"}
    assert set(re.findall(r"automodule:: eecluster\.(\w+)", text("inside.md"))) == modules


def test_the_words_of_the_protocol_are_in_the_glossary():
    table = text("protocol.md").split("| word | meaning |")[1].split("\n\n")[0]
    words = [
        w for cell in re.findall(r"^\| (\w[^|]*) \|", table, re.MULTILINE) for w in cell.split(", ")
    ]
    glossary = re.findall(r"^## (.+)$", text("glossary.md"), re.MULTILINE)
    assert len(words) == 11 and set(words) <= set(glossary)
    assert glossary == sorted(glossary, key=str.lower)


def test_each_promise_is_among_the_guarantees():
    promises = re.findall(r"^- \*\*(I\d)\*\*", text("protocol.md"), re.MULTILINE)
    assert promises == re.findall(r"\| (I\d) \|$", text("guarantees.md"), re.MULTILINE)


def test_each_event_that_is_about_trouble_has_a_symptom():
    kinds = first_cells("events.md", "| kind | `node` |")
    quiet = {"joined", "dead", "failover", "readmitted", "eeprom_back", "duplicate_id"}
    trouble = text("trouble.md")
    assert quiet < set(kinds)
    for kind in set(kinds) - quiet:
        assert f"`{kind}`" in trouble, kind


def test_each_symptom_has_a_cause_and_a_remedy():
    rows = [line for line in text("trouble.md").splitlines() if line.startswith("| ")]
    assert len(rows) > 30
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 3 and all(cells), row


# Pages and commands


def test_each_page_is_in_the_contents():
    listed = set(re.findall(r"^[^\n<]+ <([\w/]+)>$", text("index.md"), re.MULTILINE))
    pages = {path.stem for path in PAGES} | {"data/" + path.stem for path in DOCS.glob("data/*.md")}
    assert listed == pages - {"index"}


TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_the_commands_exist(page):
    """`make` has its target, a copied file is there, `python -m` finds its module."""
    code = re.findall(r"^```text\n(.*?)^```$|`([^`\n]+)`", page.read_text("utf-8"), re.M | re.S)
    for line in [line for block in code for part in block for line in part.splitlines()]:
        line = line.partition(" #")[0]
        made = re.match(r"make ([a-z][a-z-]*)", line)
        assert not made or made[1] in TARGETS, line
        module = re.search(r"python3? -m ((?:docs|proof|soak|bench)[.\w]*)", line)
        if module:
            path = ROOT / module[1].replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), line
        if line.startswith("mpremote cp "):
            for name in [word for word in line.split()[2:] if "/" in word and word[0] != ":"]:
                assert name.startswith("build/") or (ROOT / name).exists(), line


def test_the_pins_of_the_first_page_are_those_of_the_example():
    config = (ROOT / "examples" / "first" / "config.py").read_text("utf-8")
    assert "SCL_PIN, SDA_PIN = 22, 21" in config and "LOCK_PIN = 18 " in config
    for wire, pin in (("SCL", 22), ("SDA", 21), ("busy line", 18)):
        assert f"| {wire} | pin {pin} |" in text("start.md")


# The checker of the built pages


def site(folder, **pages):
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html)
    return list(check_links.complaints(folder))


def test_good_links(tmp_path):
    (tmp_path / "x y.png").write_bytes(b"")
    assert site(
        tmp_path,
        a="<a href='b.html#place'>b</a> <a href='#here'></a> <p id='here'> <img src='x%20y.png'>",
        b="<h1 id='place'> <a href='a.html'> <a href='https://example.org/a?b#c'>"
        "<link rel='canonical' href='https://example.org'> <img src='data:image/png;base64,AA'>",
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<a href='c.html'>", "no such file"),
        ("<a href='../a.html'>", "no such file"),
        ("<a href='#nowhere'>", "no such place in it"),
        ("<a href='a.html#nowhere'>", "no such place in it"),
        ("<a href='https://example org/'>", "is no http(s)://host/path"),
        ("<a href='https:/x'>", "is no http(s)://host/path"),
        ("<a href='ftp://example.org'>", "is no http(s)://host/path"),
        ("<script src='https://example.org/x.js'></script>", "is loaded from another site"),
        ("<link rel='stylesheet' href='https://example.org/x.css'>", "is loaded from another site"),
        ("<img src='gone.svg'>", "no such file"),
    ],
)
def test_bad_links(tmp_path, html, complaint):
    (found,) = site(tmp_path, a=html)
    assert found.startswith("a.html: ") and found.endswith(complaint)
