"""All figures under one name each, with their floors and goals, in parts that are measured apart.

A name is what is measured, and where it applies nodes/EEPROMs and role: `bus_ms 2/2 standby`. Less
is better in all. A figure is a dict: value, floor, first_version, without what there is not. Stands
on all that measures.
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path

from bench import locks, unixport, wakes
from bench.floor import floor
from bench.peers import SYSTEMS
from bench.sizes import sizes

GOALS: dict[str, float] = {
    "bus_ms 2/2 standby": 20,
    "bus_ms 8/3 standby": 60,
    "bus_ms 8/8 standby": 120,
    "smallest_heap 2/2 standby": 48 * 1024,
    "smallest_heap 2/2 primary": 48 * 1024,
    "imported_instructions": 1_600_000,
    "mpy_bytes": 16_384,
    "loaded_mpy_bytes": 9728,
    "hold_ms BusyLine standby": 10.5,
    "hold_ms BusArbitration standby": 52,
}
for _nodes, _eeproms in wakes.SIZES:
    GOALS[f"bus_primary_to_standby {_nodes}/{_eeproms}"] = 1.5
    for _role in wakes.ROLES:
        GOALS[f"page_writes {_nodes}/{_eeproms} {_role}"] = 1


class Figures(dict):
    """name -> figure."""

    def note(self, name, ours, first_version=None, floor=None):
        """Add a figure."""
        figure = {"value": ours, "floor": floor, "first_version": first_version}
        self[name] = {key: number for key, number in figure.items() if number is not None}

    def missed(self):
        """What is above its goal: name -> a sentence."""
        return {
            name: f"{name}: {figure['value']} instead of at most {GOALS[name]}"
            for name, figure in self.items()
            if name in GOALS and figure["value"] > GOALS[name]
        }


def bus():
    """Of the bus, from the simulator."""
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
    """Of the lock strategies, from the simulated wires."""
    found = Figures()
    for name, make in locks.STRATEGIES.items():
        board = locks.idle_board()
        one = board.cpu.charge(make(board))
        figures = {"acquire_ms {} idle": locks.acquire_ms(board, one)}
        since_ns = board.cpu.settle()
        one.release()
        given_back_ms = (board.cpu.settle() - since_ns) / 1e6
        figures["hold_ms {} standby"] = figures["acquire_ms {} idle"] + given_back_ms  # check_in()
        figures["acquire_ms {} again"] = locks.acquire_ms(board, one)
        for boards in (2, 8):
            mean, worst = locks.contended_ms(make, boards)
            figures[f"acquire_ms {{}} {boards} contenders, mean"] = mean
            figures[f"acquire_ms {{}} {boards} contenders, worst"] = worst
        for role in wakes.ROLES:
            spent, wire = locks.wake_ms(make, role)
            figures[f"wake_ms {{}} {role}"] = spent
            figures[f"wake_wire_ms {{}} {role}"] = wire
        for figure, value in figures.items():
            found.note(figure.format(name), round(value, 4))
    return found


def size():
    """Of the bytes on a board's flash."""
    found = Figures()
    with _prepared() as port:
        first = port.folder / "src/first_version.py", port.folder / "bench/first_version.mpy"
        for name, both in sizes(*first).items():
            found.note(name, *both)
    return found


def heap():
    """Of memory, from the MicroPython unix port."""
    found = Figures()
    with _prepared() as port:
        for name in locks.STRATEGIES:
            for figure, value in port.lock_heap(name).items():
                found.note(f"{figure} {name}", value)
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
    return found


def instructions():
    """Of the processor's work, from the MicroPython unix port."""
    found = Figures()
    with _prepared() as port:
        start = port.start()
        ours, first = imported = [port.imported(system) for system in SYSTEMS]
        found.note("imported_instructions", ours, first, start)
        from_source = port.source_imported()
        found.note("source_imported_instructions", from_source[0], from_source[1], start)
        locked = port.counts(
            [("-c", f"import eecluster; eecluster.{name}") for name in locks.STRATEGIES]
        )
        for name, counted in zip(locks.STRATEGIES, locked, strict=True):
            found.note(f"lock_imported_instructions {name}", counted - ours)
        size = unixport.SIZES[0]
        for role in unixport.ROLES:
            known = [
                before + port.look(system, role, size)
                for system, before in zip(SYSTEMS, imported, strict=True)
            ]
            place = f"{size[0]}/{size[1]} {role}"
            found.note(f"role_known_instructions {place}", known[0], known[1], start)
    return found


def avocado(near_kb=None):
    """Of the wakes of examples/avocado; `near_kb`: role -> where the limit is looked for first."""
    from bench import avocado  # it needs more tools than the rest

    found = Figures()
    for role, limit_kb in avocado.smallest_heaps_kb(near_kb or {}).items():
        found.note(f"avocado_heap_kb {role}", limit_kb)
    return found


@contextmanager
def _prepared():
    with tempfile.TemporaryDirectory() as folder:
        unixport.prepare(Path(folder))
        yield unixport.UnixPort(Path(folder))


PARTS = {
    "bus": bus,
    "lock": lock,
    "size": size,
    "heap": heap,
    "instructions": instructions,
    "avocado": avocado,
}
