"""docs/draw: pictures and tables are what the code makes, and what they show is what happens."""

import random
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from docs.draw import eeprom_map, everything, failover, roles, sizing  # noqa: E402
from docs.draw.svg import WIDTH  # noqa: E402

from cluster_kit import Kit  # noqa: E402

HOW = (everything.DOCS / "how.md").read_text("utf-8")
PROTOCOL = (everything.DOCS / "protocol.md").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", everything.PICTURES)
def test_a_picture_is_what_its_script_draws(name):
    drawn = everything.PICTURES[name]()
    assert (everything.IMG / name).read_text("utf-8") == drawn, "python -m docs.draw"


@pytest.mark.parametrize("page", everything.TABLES)
def test_the_tables_are_those_of_the_code(page):
    text = (everything.DOCS / page).read_text("utf-8")
    assert everything.filled(page) == text, "python -m docs.draw"


@pytest.mark.parametrize("name", everything.PICTURES)
def test_text_can_be_read_on_a_phone(name):
    """358 pixels are left there. A text of 12.5 pixels may be about 7 wide a letter."""
    root = ET.parse(everything.IMG / name).getroot()
    width = float(root.get("width", ""))
    assert width <= WIDTH
    for text in root.iter(SVG + "text"):
        half = len(text.text or "") * 7 / 2
        x = float(text.get("x", ""))
        middle = {"start": x + half, "middle": x, "end": x - half}[text.get("text-anchor", "")]
        assert middle - half >= -4 and middle + half <= width + 4, text.text


# The map


def rows_after(heading):
    """The rows (offset, bytes, words) of the first table after these words in the protocol."""
    table = PROTOCOL.split(heading, 1)[1].split("\n\n")[1 if heading.endswith(":") else 2]
    found = re.findall(r"^\| (\d+|\.\.) \| (\d+)(?: each)? \| (.+) \|$", table, re.MULTILINE)
    return [(at, int(size), words) for at, size, words in found]


def test_the_label_of_the_protocol_is_that_of_the_code():
    written = [(int(at), size) for at, size, _ in rows_after("write the\nsame bytes:")]
    assert written == [(field.at, field.size) for field in eeprom_map.label_fields()]


def test_the_slot_of_the_protocol_is_that_of_the_code():
    fields = eeprom_map.slot_fields()
    assert [field.name for field in fields[:4]] == ["primary", "lost", "dead", "spare"]
    written = [(at, size) for at, size, _ in rows_after("Slot, 48 + 2 × nodes bytes, at most 64:")]
    assert written[:3] == [("0", 1), ("1", 1), ("2", 2)]  # dead and spare in one row
    assert [(field.at, field.size) for field in fields[:4]] == [(at, 1) for at in range(4)]
    known = [(str(field.at), field.size) for field in fields if 4 <= field.at <= 48]
    assert written[3:-1] == known
    names = [field.name for field in fields if field.at >= 48]
    words = [f"{word} {node}" for word in ("sequence", "strikes") for node in range(8)]
    assert names == words and written[-1] == ("..", 1)


def test_the_flags_of_the_protocol_are_those_of_the_code():
    text = PROTOCOL.split("\nFlags: ", 1)[1].split(".\n")[0]
    text = re.sub(r"\(.*?\)", "", text)
    assert [int(bit) for bit in re.findall(r"\d+", text)] == [1 << i for i in range(9)]


def test_each_byte_is_in_one_field():
    for fields, size in ((eeprom_map.label_fields(), 20), (eeprom_map.slot_fields(), 64)):
        covered = [at for field in fields for at in range(field.at, field.at + field.size)]
        assert covered == list(range(size))
        assert all([field.name for field in fields])


def test_each_field_is_explained():
    table = HOW.split("| field | what it says |")[1].split("\n\n")[0]
    words = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    explained = {word for cell in words for word in cell.split(", ")}
    fields = {field.name.split(" ")[0] for field in eeprom_map.slot_fields()}
    assert explained == fields


# The roles


def table_of_roles():
    rows = re.findall(r"^\| (\d+): ([\w ]+) → (\w+) \|", HOW, re.MULTILINE)
    return {(int(number), old, new) for number, old, new in rows}


def transitions(seed, **options):
    """Random wakes with faults: from role to role, as the boards say."""
    rng = random.Random(seed)
    kit = Kit(3, 3, **options)
    kit.cut = True
    role = {}
    found = set()

    def say(node, status):
        old = role.get(node, roles.START)
        role[node] = status.role
        if old != status.role:
            old = "any" if status.role == "isolated" else old
            found.add((old, "any" if old == "isolated" else status.role))

    silent = {}  # node -> wakes it will miss
    for _ in range(200):
        for chip in kit.chips:
            chip.plugged = rng.random() < 0.93
        for node in range(3):
            if silent.get(node, 0) > 0:
                silent[node] -= 1
                continue
            if rng.random() < 0.12:
                silent[node] = rng.choice((1, 2, 3, 8, 20))
            cluster = kit.cluster(node)
            try:
                say(node, cluster.health_check())
                if rng.random() < 0.05 and role[node] != "isolated":
                    cluster.stand_down()
                say(node, cluster.heartbeat())
            except OSError:
                pass
            kit.world.advance_s(60)
    return found


def test_the_arrows_are_what_happens():
    """No other step was seen, and each of them was."""
    seen = set().union(*[transitions(seed) for seed in range(12)])
    drawn = {(old, new) for _, old, new, _ in roles.ARROWS}
    assert seen == drawn


def test_the_table_has_the_arrows():
    assert table_of_roles() == {(number, old, new) for number, old, new, _ in roles.ARROWS}


# The failover


def test_the_failover_is_what_the_page_says():
    wakes = failover.run()
    board0 = [wake for wake in wakes if wake.node == 0]
    board1 = [wake for wake in wakes if wake.node == 1]
    assert [wake.role for wake in board0] == ["primary"] * 3 + ["dead"] * 3 + ["standby"]
    taken = [wake.published for wake in board1].index(True)
    assert [wake.strikes for wake in board1[: taken + 1]] == [0] * (taken - 1) + [1, 2]
    assert {wake.token for wake in wakes} == {15, 22}
    assert all([wake.published for wake in board1[taken:]])
    assert not any([wake.published for wake in board0[3:]])
    for wakes in (board0, board1):  # a beat in each wake
        assert [wake.beat for wake in wakes] == list(range(1, len(wakes) + 1))


def test_every_wake_is_in_the_picture():
    drawn = ET.parse(everything.IMG / "failover.svg").getroot()
    texts = [text.text or "" for text in drawn.iter(SVG + "text")]
    assert sorted([text for text in texts if text.startswith("beat ")]) == sorted(
        [f"beat {wake.beat}" for wake in failover.run()]
    )
    assert texts.count("strike 1") == 1 and texts.count("strike 2: takes over") == 1


# Sizing


def test_a_page_is_written_at_every_second_wake():
    assert sizing.writes_per_wake() == 0.5


def test_drift_and_jitter_are_one_inequality():
    for retries in sizing.RETRIES:
        for missed in range(retries):
            drift = sizing.drift_limit(retries, missed, 0.1)
            assert sizing.jitter_limit(retries, missed, drift) == pytest.approx(0.1)


def test_the_plots_show_the_last_of_their_points():
    """8 EEPROMs and 8 nodes: the upper end of the first curve."""
    text = (everything.IMG / "sizing_bus.svg").read_text("utf-8")
    plot = re.search(r'd="M([^"]+)" class="curve s0"', text)
    assert plot
    x, y = [float(value) for value in plot[1].split("L")[-1].split(",")]
    high = (320 - 40 - 50) * sizing.bus_ms(8, 8, "standby") / 120
    assert (x, y) == pytest.approx((440 - 92, 320 - 50 - high), abs=0.1)
