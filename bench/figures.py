"""All figures under one name each, with their floors and goals. Stands on wakes, floor, unixport.

A name is what is measured, and where it applies nodes/EEPROMs and role: `bus_ms 2/2 standby`. Less
is better in all. A figure is a dict: value, floor, goal, first_version; None where there is none.
"""

import tempfile
from pathlib import Path

from bench import locks, unixport, wakes
from bench.floor import floor
from bench.peers import SYSTEMS

GOALS: dict[str, float] = {
    "bus_ms 2/2 standby": 20,
    "bus_ms 8/3 standby": 60,
    "bus_ms 8/8 standby": 120,
    "smallest_heap 2/2 standby": 48 * 1024,
    "smallest_heap 2/2 primary": 48 * 1024,
    "imported_instructions": 1_500_000,
    "mpy_bytes": 12 * 1024,
    "acquire_ms BusyLine idle": 20,
    "acquire_ms BusArbitration idle": 50,
}
for _nodes, _eeproms in wakes.SIZES:
    GOALS[f"bus_primary_to_standby {_nodes}/{_eeproms}"] = 1.5
    for _role in wakes.ROLES:
        GOALS[f"page_writes {_nodes}/{_eeproms} {_role}"] = 1


class Figures(dict):
    """name -> figure."""

    def note(self, name, ours, first_version, floor=None):
        """Add a figure."""
        self[name] = {
            "value": ours,
            "floor": floor,
            "goal": GOALS.get(name),
            "first_version": first_version,
        }

    def missed(self):
        """What is above its goal: name -> a sentence."""
        return {
            name: f"{name}: {figure['value']} instead of at most {figure['goal']}"
            for name, figure in self.items()
            if figure["goal"] is not None and figure["value"] > figure["goal"]
        }


def bus():
    """Figures of the bus, from the simulator."""
    found = Figures()
    for nodes, eeproms in wakes.SIZES:
        size = f"{nodes}/{eeproms}"
        ours, first = (wakes.measure(system, nodes, eeproms) for system in SYSTEMS)
        lowest = {role: floor(role, nodes, eeproms) for role in wakes.ROLES}
        for role in wakes.ROLES:
            for name, value in ours[role].items():
                found.note(f"{name} {size} {role}", value, first[role][name], lowest[role][name])
        ratios = [
            round(by_role["primary"]["bus_ms"] / by_role["standby"]["bus_ms"], 4)
            for by_role in (ours, first, lowest)
        ]
        found.note(f"bus_primary_to_standby {size}", *ratios)
    return found


def lock():
    """Figures of the lock strategies, from the simulated wires."""
    found = Figures()
    for name, make in locks.STRATEGIES.items():
        board = locks.idle_board()
        figures = {"acquire_ms {} idle": locks.acquire_ms(board, make(board))}
        for boards in (2, 8):
            mean, worst = locks.contended_ms(make, boards)
            figures[f"acquire_ms {{}} {boards} contenders, mean"] = mean
            figures[f"acquire_ms {{}} {boards} contenders, worst"] = worst
        for role in wakes.ROLES:
            spent, wire = locks.wake_ms(make, role)
            figures[f"wake_ms {{}} {role}"] = spent
            figures[f"wake_wire_ms {{}} {role}"] = wire
        for figure, value in figures.items():
            found.note(figure.format(name), round(value, 4), None)
    return found


def board(missing=()):
    """Figures of the MicroPython unix port, as far as they can be had without what is missing."""
    found = Figures()
    with tempfile.TemporaryDirectory() as folder:
        unixport.prepare(Path(folder))
        found.note("mpy_bytes", *[unixport.mpy_bytes(system, Path(folder)) for system in SYSTEMS])
        names = list(locks.STRATEGIES)
        found.note("lock_mpy_bytes both", locks.lock_bytes(), None)
        for name in names:
            others = [other for other in names if other != name]
            found.note(f"lock_mpy_bytes {name}", locks.lock_bytes(others), None)
        port = unixport.UnixPort(Path(folder))
        if "micropython" not in missing:
            _memory(port, found)
            if "valgrind" not in missing:
                _instructions(port, found)
    return found


def _memory(port, found):
    for name in locks.STRATEGIES:
        for figure, value in port.lock_heap(name).items():
            found.note(f"{figure} {name}", value, None)
    for size in unixport.SIZES:
        for role in unixport.ROLES:
            where = f" {size[0]}/{size[1]} {role}"
            ours, first = (port.heap(system, role, size) for system in SYSTEMS)
            for name, value in ours.items():
                place = "" if name == "imported_heap" else where
                found.note(name + place, value, first[name])
            runs = [(system, role, size, "wake") for system in SYSTEMS]
            runs.append(("eecluster", role, size, "start"))
            limits = unixport.side_by_side(lambda run: port.smallest_heap(*run), runs)
            found.note("smallest_heap" + where, *limits)


def _instructions(port, found):
    start = port.start()
    imported = [port.imported(system) for system in SYSTEMS]
    found.note("imported_instructions", *imported, start)
    locked = port.counts(
        [("-c", f"import eecluster; eecluster.{name}") for name in locks.STRATEGIES]
    )
    for name, instructions in zip(locks.STRATEGIES, locked, strict=True):
        found.note(f"lock_imported_instructions {name}", instructions - imported[0], None)
    for role in unixport.ROLES:
        size = unixport.SIZES[0]
        known = [
            before + port.look(system, role, size)
            for system, before in zip(SYSTEMS, imported, strict=True)
        ]
        found.note(f"role_known_instructions {size[0]}/{size[1]} {role}", *known, start)
