"""docs/numbers.md: its tables and its plot, made from the base line. Stands on kept.

A table stands after a line `<!-- table: NAME -->`, to the next empty line. A cell is a figure and
what of it is shown: its value, floor, first_version, or the goal.
"""

from docs.draw import everything
from reporting.tables import placed
from reporting.tables import table as lines_of

from bench import kept, locks, unixport, wakes
from bench.figures import GOALS

PAGE = kept.ROOT / "docs" / "numbers.md"
PLOT = "sizing_bus.svg"  # of docs/sizing.md: bus time against nodes and EEPROMs
HEADS = {
    "value": "eecluster", "floor": "floor", "goal": "goal", "first_version": "first version",
}  # fmt: skip
SIZES = [f"{nodes}/{eeproms}" for nodes, eeproms in wakes.SIZES]
WAKES = [f"{size} {role}" for role in wakes.ROLES for size in SIZES]
PORT_WAKES = [
    f"{nodes}/{eeproms} {role}" for role in unixport.ROLES for nodes, eeproms in unixport.SIZES
]
CONTENDERS = [f"{n} contenders, {which}" for n in (2, 8) for which in ("mean", "worst")]


def _each(figure, places):
    return {place: f"{figure} {place}" for place in places}


def _plain(first, columns, rows):
    """A table with one figure a row. `rows`: what it is called -> its name."""
    heads = [first, *[HEADS[column] for column in columns]]
    return heads, [[label, *[(name, column) for column in columns]] for label, name in rows.items()]


def _locks(rows, with_goals=False):
    """A table with one figure of each lock a row. `rows`: what it is called -> its name."""
    columns = ("value", "goal") if with_goals else ("value",)
    heads, cells = ["what"], []
    for lock in locks.STRATEGIES:
        heads += [f"`{lock}`", "goal"][: len(columns)]
    for label, name in rows.items():
        cells.append(
            [label, *[(name.format(lock), c) for lock in locks.STRATEGIES for c in columns]]
        )
    return heads, cells


ALL = ("value", "floor", "goal", "first_version")
TABLES = {
    "bus": _plain("wake", ALL, _each("bus_ms", WAKES)),
    "ratio": _plain(
        "size", ("value", "goal", "first_version"), _each("bus_primary_to_standby", SIZES)
    ),
    "wire": _plain("wake", ("value", "floor", "first_version"), _each("wire_ms", WAKES)),
    "bytes": _plain("wake", ("value", "floor", "first_version"), _each("wire_bytes", WAKES)),
    "writes": _plain("wake", ALL, _each("page_writes", WAKES)),
    "smallest": _plain("wake", ALL, _each("smallest_heap", PORT_WAKES)),
    "heap": _plain(
        "what",
        ("value", "first_version"),
        {
            "import": "imported_heap",
            **{f"first, {wake}": f"first_wake_heap {wake}" for wake in PORT_WAKES},
            **{f"later, {wake}": f"later_wake_heap {wake}" for wake in PORT_WAKES},
            **{f"new, {wake}": f"new_object_heap {wake}" for wake in PORT_WAKES},
        },
    ),
    "instructions": _plain(
        "from the start until",
        ALL,
        {
            "bytecode is imported": "imported_instructions",
            "sources are imported": "source_imported_instructions",
            **{
                f"the role is known: {role}": f"role_known_instructions 2/2 {role}"
                for role in unixport.ROLES
            },
        },
    ),
    "size": _plain(
        "what",
        ("value", "goal", "first_version"),
        {
            "bytecode without locks": "mpy_bytes",
            "loaded at every wake": "loaded_mpy_bytes",
            "package-mpy.json": "package_bytes bytecode",
            "package.json": "package_bytes source",
        },
    ),
    "lock": _locks(
        {
            "acquire, nobody else wants it": "acquire_ms {} idle",
            "one hold, as a standby's `check_in()` takes it": "hold_ms {} standby",
            "again, right after a release": "acquire_ms {} again",
            **{f"acquire, {each}": f"acquire_ms {{}} {each}" for each in CONTENDERS},
            **{f"added to a {role}'s wake": f"wake_ms {{}} {role}" for role in wakes.ROLES},
            **{f"of it on the bus, {role}": f"wake_wire_ms {{}} {role}" for role in wakes.ROLES},
        },
        with_goals=True,
    ),
    "lock_size": _locks(
        {
            "bytecode, this one alone, bytes": "lock_mpy_bytes {}",
            "both, as shipped, bytes": "lock_mpy_bytes both",
            "import, instructions": "lock_imported_instructions {}",
            "import, heap, bytes": "lock_imported_heap {}",
            "object, heap, bytes": "lock_object_heap {}",
            "each acquire, heap, bytes": "lock_acquire_heap {}",
        }
    ),
    "avocado": _plain("wake", ("value",), _each("avocado_heap_kb", unixport.ROLES)),
}


def filled(text, base):
    """The page with its tables made anew from the base line."""
    known = {name: figure for found in base.values() for name, figure in found.items()}
    for name, (heads, rows) in TABLES.items():
        made = [[row[0], *[_shown(known, *cell) for cell in row[1:]]] for row in rows]
        text = placed(text, name, lines_of(heads, made, 1), PAGE.name)
    return text


def _shown(known, name, column):
    number = GOALS.get(name) if column == "goal" else known[name].get(column)
    if number is None:
        return ""
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:.2f}" if name.startswith("bus_primary_to_standby") else f"{number:,.1f}"


def write():
    """Fill the tables and draw the plot, here and in docs/sizing.md. The files."""
    PAGE.write_text(filled(PAGE.read_text("utf-8"), kept.load()), encoding="utf-8")
    plot = everything.IMG / PLOT
    plot.write_text(everything.PICTURES[PLOT](), encoding="utf-8")
    return [PAGE, plot, *everything.fill_tables()]
