"""Figures for docs/sizing.md: how long an EEPROM lasts, what retries forgive, how long the bus is
busy. Plots and tables. Stands on plot, on the inequality of docs/trust.md and on the simulator.
"""

from functools import cache

from bench import wakes
from docs.draw.plot import Axis, Plot
from reporting.tables import table

from eecluster_sim import PARTS

YEAR_S = 365.25 * 24 * 3600
INTERVALS = {
    1: "1 s", 10: "10 s", 60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h",
}  # fmt: skip
ENDURANCES = {"AT24C256": "100,000", "AT24C256C": "1,000,000"}  # part: its writes of a page
WAKES = 40


# How long an EEPROM lasts


@cache
def writes_per_wake():
    """Of the page that is written most often, simulated: all wake in turn, the primary's too."""
    bench = wakes.Bench("eecluster", 2, 2)
    for _ in range(3):  # the first may look steady before the last node has joined
        bench.settle()
    before = [dict(enumerate(chip.wear)) for chip in bench.chips]
    for _ in range(WAKES):
        bench.round()
    worn = [
        max([writes - old[page] for page, writes in enumerate(chip.wear)])
        for chip, old in zip(bench.chips, before, strict=True)
    ]
    return max(worn) / WAKES


def life_years(interval_s, part):
    return PARTS[part].endurance / writes_per_wake() * interval_s / YEAR_S


def draw_life():
    years = {
        1 / 365.25: "1 day", 1 / 12: "1 month", 1: "1 year", 10: "10", 100: "100", 1000: "1,000",
    }  # fmt: skip
    plot = Plot(
        "How long an EEPROM lasts, by the time between two wakes",
        Axis("time between two wakes", INTERVALS, True), Axis("until a page is worn", years, True),
    )  # fmt: skip
    for part, writes in ENDURANCES.items():
        points = [(seconds, life_years(seconds, part)) for seconds in INTERVALS]
        plot.curve(points, f"{writes} writes", 0, 62 if part == "AT24C256" else -12, "end")
    return plot.svg()


def life_table():
    rows = [
        (name, *[_time(life_years(seconds, part)) for part in ENDURANCES])
        for seconds, name in INTERVALS.items()
    ]
    return table(("wake every", *[f"{n} writes" for n in ENDURANCES.values()]), rows, 1)


def _time(years):
    return f"{years * 365.25:.1f} days" if years < 1 else f"{years:,.1f} years"


# What retries forgive

RETRIES = (1, 2, 3, 4)
JITTER = 0.1  # of the interval, for the table


def jitter_limit(retries, missed, drift):
    """The largest jitter, as a part of the interval, with which nobody is marked dead."""
    return (retries + 1) * (1 - drift) - (missed + 1) * (1 + drift)


def drift_limit(retries, missed, jitter):
    """The largest drift, from the same inequality."""
    return (retries - missed - jitter) / (retries + missed + 2)


def draw_drift():
    plot = Plot(
        "How late a beat may come, by the drift of the clocks",
        Axis("clocks off by up to", {n / 100: f"{n} %" for n in range(0, 41, 10)}),
        Axis("jitter, in intervals", {n / 4: f"{n / 4:g}" for n in range(5)}),
    )  # fmt: skip
    for retries in RETRIES:
        end = drift_limit(retries, retries - 1, 0)
        points = [(0, jitter_limit(retries, retries - 1, 0)), (end, 0)]
        plot.curve(points, "", 0, 0)
        x, y = plot.at(end * 0.85, jitter_limit(retries, retries - 1, end * 0.85))
        name = f"{retries} retry" if retries == 1 else str(retries)
        plot.picture.text(x + 5, y + 2, name, f"small strong t{retries - 1}")
    plot.mark_x(0.05, "ESP32")
    return plot.svg()


def drift_table():
    rows = [
        (str(retries), *[_percent(drift_limit(retries, missed, JITTER)) for missed in range(4)])
        for retries in RETRIES
    ]
    return table(("retries", "0 missed", "1 missed", "2 missed", "3 missed"), rows, 1)


def _percent(share):
    return f"{100 * share:.0f} %" if share > 0 else "never"


# How long the bus is busy

EEPROMS = (1, 2, 3, 4, 8)
NODES = range(2, 9)
IN_TABLE = ((2, 2), (2, 3), (3, 3), (4, 3), (4, 4), (8, 3), (8, 8))


@cache
def bus_ms(nodes, eeproms, role):
    return wakes.measure("eecluster", nodes, eeproms)[role]["bus_ms"]


def draw_bus():
    plot = Plot(
        "How long one wake of a standby uses the bus, by nodes and EEPROMs",
        Axis("nodes", {n: str(n) for n in NODES}),
        Axis("ms on the bus, per wake", {n: str(n) for n in range(0, 121, 20)}),
        right=92,
    )
    for eeproms in reversed(EEPROMS):
        points = [(nodes, bus_ms(nodes, eeproms, "standby")) for nodes in NODES]
        plot.curve(points, f"{eeproms} EEPROM{'s' * (eeproms > 1)}")
    return plot.svg()


def bus_table():
    rows = [
        (str(nodes), str(eeproms),
         *[f"{bus_ms(nodes, eeproms, role):.1f}" for role in wakes.ROLES],
         f"{_round_s(nodes, eeproms):.2f}")
        for nodes, eeproms in IN_TABLE
    ]  # fmt: skip
    return table(("nodes", "EEPROMs", "standby, ms", "primary, ms", "all, s"), rows, 2)


def _round_s(nodes, eeproms):
    """One wake of each node."""
    standby, primary = [bus_ms(nodes, eeproms, role) for role in wakes.ROLES]
    return ((nodes - 1) * standby + primary) / 1000
