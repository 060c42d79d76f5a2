"""What a wake costs a battery, and the tables about it in docs/avocado.md.

    python -m docs.energy       makes the tables anew

Rule: each figure is in docs/data/energy.json, with its source; here is only arithmetic. Charges are
in mC (1 mA for 1 s), and a linear regulator takes from the battery what it gives.
"""

import json
from pathlib import Path

from reporting.tables import refilled, table

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "avocado.md"
FIGURES = {
    name: figure["value"]
    for name, figure in json.loads((DOCS / "data" / "energy.json").read_text("utf-8")).items()
}
INTERVAL_S = 900
DAY_S = 86400
WAKES = DAY_S // INTERVAL_S  # in a day
MC_PER_MAH = 3600
MONTH_DAYS = 365 / 12

# What a sleeping board draws, with all that is on it, in mA.
CURRENTS = "[measured](https://github.com/grillbaer/esp32-power-consumption-test)"
LUCIDAR = "[measured](https://lucidar.me/en/esp32/power-consumption-of-esp32-devkitc-v4/)"
KOHACRAFT = (
    "[measured](https://en.kohacraft.com/archives/esp32-devkitcs-deepsleep-is-consuming-quite-a-bit"
    "-of-current-so-i-investigated-the-cause.html)"
)
DATASHEET = (
    "[data sheet]"
    "(https://www.espressif.com/sites/default/files/documentation/esp32_datasheet_en.pdf)"
)
BOARDS = {
    f"bare module, 10 µA ({DATASHEET})": 0.010,
    f"made for batteries: EzSBC ESP32-01, 12 µA ({CURRENTS})": 0.012,
    f"LOLIN32 at its 5 V pin, 1.2 mA ({CURRENTS})": 1.2,
    f"ESP32-DevKitC V4, 3.8 mA ({LUCIDAR})": 3.8,
    f"copy of a DevKitC with an AMS1117, 11.4 mA ({KOHACRAFT})": 11.38,
}
ROUTER_MA = 0.012  # of the boards in the table about the router
OFF_HOURS = (0, 1, 6, 24)  # in a day


def wake(f=FIGURES):
    """The steps of a wake: name -> charge in mC of a primary, a standby, and a primary that finds
    no access point.
    """
    start = (f["boot_mc"],) * 3
    imports = (f["imports_mc"],) * 3
    look = (f["look_s"] * f["awake_ma"],) * 3
    sensor = f["conversion_s"] * (f["awake_ma"] + f["sensor_ma"])
    wifi = f["wifi_wake_mc"] - f["boot_mc"]
    timeout = f["timeout_s"] * f["radio_ma"]
    mqtt = f["static_mqtt_wake_mc"] - f["static_wake_mc"]
    return {
        "boot": start,
        "file system, `main.py`, imports": imports,
        "cluster: lock, look, confirm, heartbeat": look,
        "temperature": (sensor, 0, sensor),
        "Wi-Fi and DHCP": (wifi, 0, timeout),
        "TLS": (f["tls_s"] * f["radio_ma"], 0, 0),
        "MQTT": (mqtt, 0, 0),
        "answers of the network": (f["answers_s"] * f["radio_ma"], 0, 0),
    }


def wake_mc(f=FIGURES):
    """The sums: primary, standby, primary without an access point."""
    return tuple(sum(column) for column in zip(*wake(f).values(), strict=True))


def day_mah(wake_mc, sleep_ma, f=FIGURES):
    """What a board takes from its battery in a day, awake and asleep."""
    return WAKES * wake_mc / MC_PER_MAH + (sleep_ma + f["parts_ua"] / 1000) * DAY_S / 3600


def days(mah, f=FIGURES):
    """How long a battery lasts at so much a day, with what it loses by itself."""
    return f["capacity_mah"] * f["usable"] / (mah + leak_mah(f))


def leak_mah(f=FIGURES):
    """In a day."""
    return f["capacity_mah"] * f["leak_month"] / MONTH_DAYS


def pair_days(primary_mah, standby_mah, f=FIGURES):
    """How long two boards last: one is primary until its battery is empty, then the other."""
    first = days(primary_mah, f)
    left_mah = f["capacity_mah"] * f["usable"] - first * (standby_mah + leak_mah(f))
    return first + left_mah / (primary_mah + leak_mah(f))


def pair_mah(hours, sleep_ma, f=FIGURES):
    """Of two boards in a day with so many hours without a router, whichever of them is primary."""
    primary, standby, failing = wake_mc(f)
    off = hours / 24
    acting_mc = failing * off + primary * (1 - off)
    return day_mah(acting_mc, sleep_ma, f) + day_mah(standby, sleep_ma, f)


# The tables


def figures():
    """Each figure, with its source."""
    kept = json.loads((DOCS / "data" / "energy.json").read_text("utf-8")).values()
    rows = [(figure["what"], f"{figure['value']:,}", figure["source"]) for figure in kept]
    return table(("figure (mC where nothing is said)", "value", "source"), rows, 3)


def wakes():
    heads = ("a wake, mC", "primary", "standby", "primary, router off")
    rows = [(name, *[f"{mc:,.1f}" if mc else "" for mc in step]) for name, step in wake().items()]
    return table(heads, [*rows, ("**sum**", *[f"{mc:,.0f}" for mc in wake_mc()])], 1)


def batteries():
    heads = (
        "a sleeping board draws", "primary, mAh a day", "standby", "primary, days", "standby",
        "the pair",
    )  # fmt: skip
    rows = []
    for name, sleep_ma in BOARDS.items():
        drawn = [day_mah(mc, sleep_ma) for mc in wake_mc()[:2]]
        lasts = [*[days(mah) for mah in drawn], pair_days(*drawn)]
        rows.append((name, *[f"{mah:,.1f}" for mah in drawn], *[f"{last:,.0f}" for last in lasts]))
    return table(heads, rows, 1)


def router():
    heads = ("router off, hours a day", "both boards, mAh a day", "times")
    drawn = [(hours, pair_mah(hours, ROUTER_MA)) for hours in OFF_HOURS]
    usual = drawn[0][1]
    return table(heads, [(f"{h}", f"{mah:,.1f}", f"{mah / usual:.1f}") for h, mah in drawn], 0)


TABLES = {"figures": figures, "wakes": wakes, "batteries": batteries, "router": router}


def main():
    PAGE.write_text(refilled(PAGE.read_text("utf-8"), TABLES, PAGE.name), "utf-8")


if __name__ == "__main__":
    main()
