"""All pictures and tables of docs/draw, by their names. Stands on the other modules here."""

from pathlib import Path

from docs.draw import eeprom_map, failover, overview, roles, sizing
from reporting.tables import refilled

DOCS = Path(__file__).resolve().parents[1]
IMG = DOCS / "img"

PICTURES = {
    "overview.svg": overview.draw_overview,
    "roles.svg": roles.draw_roles,
    "failover.svg": failover.draw_failover,
    "eeprom_pages.svg": eeprom_map.draw_pages,
    "eeprom_label.svg": eeprom_map.draw_label,
    "eeprom_slot.svg": eeprom_map.draw_slot,
    "sizing_life.svg": sizing.draw_life,
    "sizing_drift.svg": sizing.draw_drift,
    "sizing_bus.svg": sizing.draw_bus,
}
TABLES = {  # page: {name: what makes the table after `<!-- table: NAME -->`}
    "sizing.md": {
        "life": sizing.life_table,
        "drift": sizing.drift_table,
        "bus": sizing.bus_table,
    },
}


def filled(page):
    """The text of a page with its tables made anew."""
    return refilled((DOCS / page).read_text("utf-8"), TABLES[page], page)


def fill_tables():
    """Write all tables into their pages, whose paths are returned."""
    for page in TABLES:
        (DOCS / page).write_text(filled(page), encoding="utf-8")
    return [DOCS / page for page in TABLES]
