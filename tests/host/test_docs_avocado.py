"""docs/avocado.md and docs/fleet.md: the pictures are what docs/wiring.py draws, the tables what
docs/energy.py and docs/fleet.py compute, and what is quoted of examples/avocado stands there.
"""

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AVOCADO = ROOT / "examples" / "avocado"
sys.path.insert(0, str(ROOT))

from docs import energy, fleet, wiring  # noqa: E402
from reporting.tables import placed  # noqa: E402

PAGES = [energy.PAGE, fleet.PAGE, AVOCADO / "README.md"]
MONITOR, FLEET = (page.read_text("utf-8") for page in PAGES[:2])
CONFIG = json.loads((AVOCADO / "config.json").read_text("utf-8"))
SVG = "{http://www.w3.org/2000/svg}"


def source(name):
    return (AVOCADO / name).read_text("utf-8")


# Pictures


@pytest.mark.parametrize("name", wiring.PICTURES)
def test_a_picture_is_what_its_script_draws(name):
    drawn = wiring.PICTURES[name]()
    assert (wiring.FOLDER / name).read_bytes() == drawn.encode(), "python docs/wiring.py"
    assert ET.fromstring(drawn).tag == SVG + "svg"
    assert f"](img/{name})" in MONITOR


@pytest.mark.parametrize("name", wiring.PICTURES)
def test_all_of_a_picture_is_on_its_paper_and_can_be_read_on_a_phone(name):
    root = ET.fromstring(wiring.PICTURES[name]())
    _, _, width, height = map(float, root.get("viewBox", "").split())
    assert width <= 600  # shrunk to 340 px, letters of 15 are 8.5 px high
    for text in root.iter(SVG + "text"):
        assert 0 <= float(text.get("x", "")) <= width
        assert 0 <= float(text.get("y", "")) <= height
    style = root.findtext(SVG + "style", "")
    assert min(map(int, re.findall(r"(\d+)px", style))) >= 15
    assert "prefers-color-scheme: dark" in style


def test_the_wiring_is_that_of_the_config(monkeypatch, tmp_path):
    def texts():
        return [text.text for text in ET.fromstring(wiring.draw_wiring()).iter(SVG + "text")]

    for pin in ("lock_pin", "scl_pin", "sda_pin", "sensor_pin"):
        assert texts().count(str(CONFIG[pin])) == 2, pin
        assert f"pin {CONFIG[pin]} of " in MONITOR, pin
    other = tmp_path / "config.json"
    other.write_text(json.dumps(CONFIG | {"scl_pin": 33, "eeproms": [0x52, 0x53]}))
    monkeypatch.setattr(wiring, "CONFIG", other)
    assert {"33", "at 0x52", "at 0x53"} <= set(texts())


# Tables


@pytest.mark.parametrize("script", [energy, fleet], ids=lambda script: script.__name__)
def test_the_tables_are_what_the_script_computes(script):
    text = script.PAGE.read_text("utf-8")
    for name, make in script.TABLES.items():
        again = placed(text, name, make(), script.PAGE.name)
        assert again == text, f"python -m {script.__name__} ({name})"


def test_a_wake():
    steps = energy.wake(simple())
    assert [step[0] for step in steps.values()] == [1, 2, 4, 3 * 41, 29, 500, 7, 100]
    assert energy.wake_mc(simple()) == (766, 7, 1 + 2 + 4 + 123 + 2000)


def test_the_text_says_how_many_times_dearer_a_primary_is():
    primary, standby, _ = energy.wake_mc()
    assert f"about {primary / standby:.0f} times" in " ".join(MONITOR.split())


def test_a_battery():
    f = simple()
    # 96 wakes of 37.5 mC are 1 mAh; 0.1 mA and 0.4 mA for a day 12 mAh
    assert energy.day_mah(37.5, 0.1, f) == pytest.approx(1 + 12)
    # 1,200 mAh of which half is usable, 365/12 days a month: 1.2 mAh a day leak
    assert energy.leak_mah(f) == pytest.approx(1200 * 0.05 * 12 / 365)
    assert energy.days(10 - energy.leak_mah(f), f) == pytest.approx(60)


def test_a_pair_lasts_as_long_as_both_batteries():
    f = simple() | {"leak_month": 0}
    # 60 days as primary at 10 mAh; meanwhile the other one has used 60 at 1 mAh, 540 are left
    assert energy.pair_days(10, 1, f) == pytest.approx(60 + 54)


def test_a_router_that_is_off_all_day_costs_what_the_wait_costs():
    f = simple()
    primary, standby, failing = energy.wake_mc(f)
    more = energy.pair_mah(24, 1, f) - energy.pair_mah(0, 1, f)
    assert more == pytest.approx((failing - primary) * 96 / 3600)
    both = energy.day_mah(primary, 1, f) + energy.day_mah(standby, 1, f)
    assert energy.pair_mah(0, 1, f) == pytest.approx(both)


def simple():
    """Figures that can be computed with in one's head."""
    return {
        "boot_mc": 1, "imports_mc": 2, "wifi_wake_mc": 30, "static_wake_mc": 10,
        "static_mqtt_wake_mc": 17, "tls_s": 5, "answers_s": 1, "radio_ma": 100, "awake_ma": 40,
        "look_s": 0.1, "conversion_s": 3, "sensor_ma": 1, "parts_ua": 400, "timeout_s": 20,
        "capacity_mah": 1200, "usable": 0.5, "leak_month": 0.05,
    }  # fmt: skip


def test_each_figure_has_a_source_and_is_used():
    kept = json.loads((energy.DOCS / "data" / "energy.json").read_text("utf-8"))
    assert kept.keys() == simple().keys()
    assert all(figure["what"] and figure["source"] for figure in kept.values())


def test_the_figures_are_those_of_the_application():
    assert energy.INTERVAL_S == fleet.INTERVAL_S == CONFIG["interval_s"]
    assert f"WIFI_TIMEOUT_S = {energy.FIGURES['timeout_s']}\n" in source("avocado/uplink.py")
    assert f"CONVERSION_MS = {energy.FIGURES['conversion_s'] * 1000:.0f} " in source(
        "avocado/thermometer.py"
    )
    assert f"MemorySize: {fleet.LAMBDA_GB * 1024:.0f}\n" in source("cloud/template.yaml")


def test_a_month_of_the_fleet():
    assert pytest.approx(100_000 * 2920) == fleet.READINGS
    assert pytest.approx(100_000 / 900) == fleet.RATE
    assert fleet.cost("IoT Core, messages: connect, subscribe, publish") == pytest.approx(876.4)
    assert fleet.cost("DynamoDB, writes") == pytest.approx(730.5)
    assert fleet.usd("mail", 3000) == pytest.approx(0.3)


def test_numbers_in_the_text_of_the_fleet():
    text = " ".join(FLEET.split())
    few, many = (f"{fleet.CLUSTERS / quota:.0f} s" for quota in fleet.CONNECTS)
    assert f"a window of {few} is enough, with 3,000 one of {many}." in text
    assert f"{fleet.RATE:.0f} messages a second" in text
    hours = fleet.BOARDS / 10 / 3600
    assert hours == pytest.approx(5.5, abs=0.1) and "five hours and a half" in text


# What is quoted


def test_local_links():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
            path, _, anchor = target.partition("#")
            if "://" not in target:
                linked = page.parent / path if path else page
                assert linked.exists(), (page.name, target)
                assert not anchor or anchor in anchors(linked), (page.name, target)
            else:
                assert target.startswith("https://"), (page.name, target)


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_mail_is_the_one_that_is_sent(monkeypatch):
    monkeypatch.syspath_prepend(str(AVOCADO / "cloud" / "functions"))
    import mail  # type: ignore[import-not-found]

    event = {"cluster": "rosie", "thing": "rosie-1", "node": 1, "token": 22, "epoch": 2,
             "sequence": 3, "slot": 1961236, "kind": "dead", "about": 0, "n": 0,
             "received_at_s": 1961236 * 900 + 683}  # fmt: skip
    subject, body = mail.compose(event, CONFIG["interval_s"])
    assert f"<!-- mail: dead -->\n\n```text\nSubject: {subject}\n\n{body}```" in MONITOR
    named = set(re.findall(r"`(\w+)`", MONITOR[MONITOR.index("| kind |") :].split("\n\n")[0]))
    assert named - {"what", "QuietKinds"} == set(mail.KINDS)
    monkeypatch.delitem(sys.modules, "mail")


Symptom = namedtuple("Symptom", "text file")
SYMPTOMS = [
    Symptom("no DS18B20 answers: check pin, wires and pull-up", "avocado/thermometer.py"),
    Symptom("degrees is no reading", "avocado/thermometer.py"),
    Symptom("no access point", "avocado/uplink.py"),
    Symptom("wrong key", "avocado/uplink.py"),
    Symptom("no connection", "avocado/uplink.py"),
    Symptom(", and the clock is not set", "avocado/uplink.py"),
    Symptom("host name not found", "avocado/faults.py"),
    Symptom("no answer in time", "avocado/faults.py"),
    Symptom("the other side broke the connection off", "avocado/faults.py"),
    Symptom(" is refused, ", "avocado/messages.py"),
    Symptom("hung in ", "avocado/kept.py"),
    Symptom("memory: full, ", "avocado/kept.py"),
    Symptom("bytes in the RTC were damaged: all was forgotten", "avocado/kept.py"),
    Symptom("Copy the folder that provision.py has made for this board", "avocado/settings.py"),
]


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.text)
def test_a_symptom_is_what_the_board_says(symptom):
    assert symptom.text in source(symptom.file)
    rows = [row for row in MONITOR.splitlines() if row.startswith("| `")]
    assert [row for row in rows if symptom.text in row.split(" | ")[0]]


def test_each_step_that_a_board_names_has_a_symptom():
    steps = re.findall(r'begin\("(\w+)"\)', source("avocado/duty.py") + source("avocado/broker.py"))
    named = {step for step in steps if re.search(rf"^\| .*`{step}: ", MONITOR, re.MULTILINE)}
    # These only ask the bus, which errors.md is about.
    assert set(steps) - named == {"confirm", "announce"}


def test_the_commands_are_those_of_the_makefile():
    targets = re.findall(r"make -C examples/avocado (\w+)", MONITOR)
    assert set(targets) == {"deploy", "boards", "remove"}
    for target in targets:
        assert re.search(rf"^{target}:", source("Makefile"), re.MULTILINE)
