"""The rules of the library's files: floors, and nothing that a board does not have.

Each rule is a function from a parsed file to the complaints about it, and is tried on a file that
breaks it.
"""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "src" / "eecluster"

# A module imports only from floors below its own, inside functions too.
FLOORS = [
    ["errors", "bitmap", "hosttime"],  # hosttime: CPython's stand-in for MicroPython's `time`
    ["layout", "ticks"],
    ["config", "eeprom", "rules"],
    ["slots", "takeover", "events", "lock"],
    ["repair"],
    ["node"],
    ["status", "administer"],
    ["cluster"],
    ["__init__"],
]
# Modules that most wakes do not need: imported inside functions, and at the top of a file only by
# another of them.
LAZY = ["takeover", "events", "repair", "administer", "lock"]
# What decides: records in, records out. It knows no node, no slots, no bus.
PURE = ["rules", "takeover", "events", "bitmap", "layout"]
FLOOR = {module: floor for floor, modules in enumerate(FLOORS) for module in modules}
FORBIDDEN = ("machine", "typing", "eecluster_sim")


def imports(tree):
    """All imports of a file as (line, module, name), wherever they stand.

    Modules of the library are named with a dot before them: `.layout`, and `.__init__` for the
    package itself.
    """
    return _imports_of(ast.walk(tree))


def imports_inside_functions(tree):
    """Those that are not made before somebody calls the function."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    bodies = [node for node in ast.walk(tree) if isinstance(node, functions)]
    inside = {id(node): node for body in bodies for node in ast.walk(body)}
    return _imports_of(inside.values())


def _imports_of(nodes):
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(node.lineno, _inside(alias.name), None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = "eecluster." + module
            for alias in node.names:
                if module.strip(".") == "eecluster":  # from . import x: a module, or of __init__
                    inner = alias.name if alias.name in FLOOR else "__init__"
                    found.append((node.lineno, "." + inner, alias.name))
                else:
                    found.append((node.lineno, _inside(module), alias.name))
    return found


def _inside(module):
    package, _, rest = module.partition(".")
    return "." + (rest or "__init__") if package == "eecluster" else module


def forbidden_imports(module, tree):
    for line, imported, _ in imports(tree):
        if imported.split(".")[0] in FORBIDDEN:
            yield f"{module}:{line}: imports {imported}"


def upward_imports(module, tree):
    inside_functions = set(imports_inside_functions(tree))
    for found in imports(tree):
        line, imported, _ = found
        name = imported[1:]
        if not imported.startswith("."):
            continue
        if name not in FLOOR:
            yield f"{module}:{line}: imports {imported}, which has no floor"
        elif FLOOR[name] >= FLOOR.get(module, -1):
            yield f"{module}:{line}: imports {imported}, which is not on a floor below"
        elif name in LAZY and module not in LAZY and found not in inside_functions:
            yield f"{module}:{line}: imports {imported}, which only functions may"


def missing_floor(module, tree):
    if module not in FLOOR:
        yield f"{module}: has no floor; give it one in {Path(__file__).name}"


def impure_imports(module, tree):
    for line, imported, _ in imports(tree):
        if module in PURE and imported[1:] in ("node", "slots", "eeprom", "repair", "cluster"):
            yield f"{module}:{line}: decides, and imports {imported}"


def bare_excepts(module, tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{module}:{node.lineno}: except: without naming what it catches"


def vanishing_imports(module, tree, constants):
    """Imports of `_name = const(...)`, which the compiler for boards replaces and leaves out."""
    for line, imported, name in imports(tree):
        if (imported, name) in constants:
            yield f"{module}:{line}: imports {name} of {imported}, which does not exist on a board"
    aliases = _module_aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            imported = aliases.get(node.value.id)
            if (imported, node.attr) in constants:
                yield f"{module}:{node.lineno}: uses {imported}.{node.attr}, not there on a board"


def _module_aliases(tree):
    """The local names of library modules imported whole: {"layout": ".layout"}."""
    return {
        alias.asname or alias.name: "." + alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in (None, "eecluster")
        for alias in node.names
        if alias.name in FLOOR
    }


def private_constants(module, tree):
    """{(".layout", "_MAGIC"), ...}: what `_NAME = const(...)` defines at the top of the file."""
    return {
        ("." + module, target.id)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Name) and node.value.func.id == "const"
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.startswith("_")
    }


RULES = [forbidden_imports, upward_imports, impure_imports, missing_floor, bare_excepts]


def library():
    """Every file of the library, parsed, by its module name."""
    paths = sorted(LIBRARY.rglob("*.py"))
    modules = {".".join(path.relative_to(LIBRARY).with_suffix("").parts): path for path in paths}
    return {module: ast.parse(path.read_text("utf-8"), path) for module, path in modules.items()}


@pytest.mark.parametrize("rule", RULES)
def test_library(rule):
    modules = library()
    assert modules, f"no files in {LIBRARY}"
    assert [complaint for module, tree in modules.items() for complaint in rule(module, tree)] == []


def test_library_imports_no_constant_that_vanishes():
    modules = library()
    constants = set()
    for module, tree in modules.items():
        constants |= private_constants(module, tree)
    complaints = [vanishing_imports(module, tree, constants) for module, tree in modules.items()]
    assert [complaint for found in complaints for complaint in found] == []


def test_each_module_has_one_floor():
    modules = [module for floor in FLOORS for module in floor]
    assert sorted(modules) == sorted(library())
    assert set(LAZY) < set(modules)


BAD = [
    (forbidden_imports, "lock", "import machine"),
    (forbidden_imports, "lock", "from machine import Pin"),
    (forbidden_imports, "lock", "def f():\n    import machine as m"),
    (forbidden_imports, "lock", "from typing import Any"),
    (forbidden_imports, "lock", "import typing"),
    (forbidden_imports, "lock", "import os, eecluster_sim.world"),
    (forbidden_imports, "lock", "from eecluster_sim.world import World"),
    (upward_imports, "layout", "from .cluster import Cluster"),
    (upward_imports, "layout", "from . import cluster"),
    (upward_imports, "layout", "from . import __version__"),
    (upward_imports, "layout", "import eecluster"),
    (upward_imports, "layout", "import eecluster.slots as s"),
    (upward_imports, "layout", "from eecluster.slots import look"),
    (upward_imports, "layout", "from eecluster import slots"),
    (upward_imports, "slots", "from .status import Status"),
    (upward_imports, "cluster", "from .lock import NoLock"),
    (upward_imports, "slots", "from .slots import look"),
    (upward_imports, "cluster", "def f():\n    from . import Cluster"),
    (upward_imports, "cluster", "from .events import pending"),
    (upward_imports, "node", "from . import repair"),
    (upward_imports, "node", "class A:\n    from .repair import judge"),
    (upward_imports, "node", "try:\n    from .repair import judge\nexcept OSError:\n    pass"),
    (upward_imports, "slots", "def f():\n    from .repair import judge"),
    (upward_imports, "layout", "def f():\n    from .slots import Slots"),
    (upward_imports, "repair", "from .node import Node"),
    (upward_imports, "repair", "def f():\n    from .node import Node"),
    (upward_imports, "repair", "from . import ClusterError"),
    (upward_imports, "takeover", "def f():\n    from .repair import failure"),
    (upward_imports, "events", "from .repair import failure"),
    (upward_imports, "cluster", "from .unheard_of import x"),
    (upward_imports, "unheard_of", "from .errors import ClusterError"),
    (impure_imports, "takeover", "from .slots import View"),
    (impure_imports, "rules", "def f():\n    from .eeprom import Eeproms"),
    (missing_floor, "unheard_of", ""),
    (missing_floor, "folder.errors", ""),
    (bare_excepts, "lock", "try:\n    pass\nexcept:\n    pass"),
    (
        bare_excepts,
        "lock",
        "def f():\n    try: pass\n    except OSError: pass\n    except: raise",
    ),
]
GOOD = [
    (forbidden_imports, "lock", "import time\nfrom machines import x\nfrom .eeprom import machine"),
    (
        upward_imports,
        "cluster",
        "import time\nfrom . import layout, status\nfrom .errors import ClusterError",
    ),
    (
        upward_imports,
        "__init__",
        "from .cluster import Cluster\nfrom eecluster.status import Status",
    ),
    (upward_imports, "node", "def f():\n    if 1:\n        from .repair import judge"),
    (upward_imports, "status", "class A:\n    def f(self):\n        from .events import pending"),
    (
        upward_imports,
        "repair",
        "import struct\nfrom .errors import FormatError\nfrom .takeover import asked",
    ),
    (impure_imports, "takeover", "from .rules import released"),
    (impure_imports, "node", "from .slots import View"),
    (missing_floor, "layout", ""),
    (missing_floor, "events", ""),
    (bare_excepts, "lock", "try:\n    pass\nexcept (OSError, ValueError):\n    pass"),
]


@pytest.mark.parametrize(("rule", "module", "source"), BAD)
def test_rule_flags(rule, module, source):
    assert list(rule(module, ast.parse(source)))


@pytest.mark.parametrize(("rule", "module", "source"), GOOD)
def test_rule_allows(rule, module, source):
    assert list(rule(module, ast.parse(source))) == []


LAYOUT = "from micropython import const\n_MAGIC = const(1)\nMAGIC = const(2)\n_PLAIN = 3"


@pytest.mark.parametrize(
    ("source", "complaints"),
    [
        ("from .layout import _MAGIC", 1),
        ("from .layout import MAGIC, _MAGIC as m", 1),
        ("from eecluster.layout import _MAGIC", 1),
        ("from . import layout\nlayout._MAGIC", 1),
        ("from eecluster import layout as l\ndef f():\n    return l._MAGIC", 1),
        ("from .layout import MAGIC, _PLAIN", 0),
        ("from . import layout\nlayout.MAGIC\nlayout._PLAIN\nself._MAGIC", 0),
    ],
)
def test_vanishing_imports(source, complaints):
    constants = private_constants("layout", ast.parse(LAYOUT))
    assert constants == {(".layout", "_MAGIC")}
    assert len(list(vanishing_imports("slots", ast.parse(source), constants))) == complaints


# The rooms of proof, bench and soak, and what they share. An import goes down to another room, also
# inside a function; within a room and between rooms there is no circle.

ROOT = LIBRARY.parents[1]
ROOM_FLOORS = [
    ["reporting", "proof.breach", "proof.decode"],
    ["proof.boards"],
    ["proof.judges"],
    ["proof.crashes", "proof.orders", "proof.simulation"],
    ["proof.history", "proof.mutants", "proof.search"],
    ["proof.report"],
    ["bench"],
    ["docs.draw"],  # its plots show what bench measures, and bench.page shows one of them
    ["bench.page"],
    ["bench.run"],
    ["soak"],
]
ROOM_FLOOR = {room: floor for floor, rooms in enumerate(ROOM_FLOORS) for room in rooms}
FOLDERS = ("reporting", "proof", "bench", "docs.draw", "soak")


def tool_modules():
    """Every file in these folders, parsed, by its module name; a package by its own."""
    paths = [path for folder in FOLDERS for path in (ROOT / folder.replace(".", "/")).rglob("*.py")]
    found = {}
    for path in sorted(paths):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text("utf-8"), path)
    return found


def tool_imports(module, tree, modules):
    """[(line, module)]: what of these folders it imports, wherever the import stands."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            start = ".".join([*package, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{start}.{alias.name}"
                found.append((node.lineno, inner if inner in modules else start))
    inside = [f"{folder}." for folder in FOLDERS]
    return [each for each in found if f"{each[1]}.".startswith(tuple(inside))]


def room(module):
    """The room of a module: the longest name in ROOM_FLOORS that it begins with, "" if none."""
    rooms = [name for name in ROOM_FLOOR if f"{module}.".startswith(f"{name}.")]
    return max(rooms, key=len, default="")


def imports_from_above(module, tree, modules):
    here = room(module)
    for line, imported in tool_imports(module, tree, modules):
        there = room(imported)
        if not there:
            yield f"{module}:{line}: imports {imported}, which is in no room"
        elif there != here and ROOM_FLOOR[there] >= ROOM_FLOOR.get(here, -1):
            yield f"{module}:{line}: imports {imported}, which is not on a floor below"


def circles(modules):
    """The modules that import each other in a circle, or import one that does."""
    left = {
        module: {name for _, name in tool_imports(module, tree, modules) if name in modules}
        for module, tree in modules.items()
    }
    while done := [module for module, imported in left.items() if not imported & left.keys()]:
        for module in done:
            del left[module]
    return sorted(left)


def test_rooms_import_from_floors_below():
    modules = tool_modules()
    found = [imports_from_above(module, tree, modules) for module, tree in modules.items()]
    assert [complaint for complaints in found for complaint in complaints] == []


def test_no_circle_of_imports():
    assert circles(tool_modules()) == []


def test_each_room_is_there_and_each_module_is_in_one():
    modules = tool_modules()
    door = modules.pop("proof")
    assert len(door.body) == 1  # nothing but words: it is in no room
    assert {room(module) for module in modules} == set(ROOM_FLOOR)


def parsed(**sources):
    return {name.replace("__", "."): ast.parse(source) for name, source in sources.items()}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("proof.judges.judge", "from proof.orders.moves import Moves"),
        ("proof.judges.judge", "def f():\n    from proof.orders import moves"),
        ("proof.judges.judge", "def f():\n    import proof.orders.moves as m"),
        ("proof.judges.judge", "from ..orders import moves"),
        ("proof.orders.moves", "from proof.crashes.sweep import Sweep"),
        ("proof.search", "from soak.jobs import fingerprint"),
        ("bench.kept", "def f():\n    from bench import page"),
        ("bench.kept", "from docs.draw import everything"),
        ("reporting.tables", "from bench.kept import text"),
        ("proof.search", "from proof.unheard_of import x"),
        ("proof.unheard_of", "from proof.breach import Breach"),
    ],
)
def test_a_room_must_not(module, source):
    modules = parsed(proof__orders__moves="", bench__page="")
    assert list(imports_from_above(module, ast.parse(source), modules))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("proof.orders.moves", "import json\nfrom eecluster import Cluster\nfrom docs import x"),
        ("proof.orders.moves", "from proof.judges.judge import Judge\nfrom reporting import ROOT"),
        ("proof.orders.explorer", "from proof.orders.moves import Moves"),
        ("soak.locks", "from bench.locks import STRATEGIES\nfrom . import jobs"),
        ("bench.page", "from docs.draw import everything\nfrom bench import kept"),
    ],
)
def test_a_room_may(module, source):
    assert list(imports_from_above(module, ast.parse(source), parsed(soak__jobs=""))) == []


def test_circles():
    above = {"proof__a": "from proof import b", "proof__c": "import proof.a"}
    assert circles(parsed(**above, proof__b="")) == []
    lazy = "def f():\n    from proof.a import x"
    assert circles(parsed(**above, proof__b=lazy)) == ["proof.a", "proof.b", "proof.c"]


# The simulator

SIMULATOR = Path(__file__).resolve().parents[2] / "src" / "eecluster_sim"

# A module imports only from floors below its own, wherever the import stands: in a function, or for
# type checkers only. `upy` is none of them: it is what a board's program finds, and imports nothing
# of the simulator.
SIMULATOR_FLOORS = [
    # The core: also runs on MicroPython
    ["parts", "rand", "i2c", "wire.__init__", "wire.lines", "wire.chip"],
    ["chip", "bus", "wire.cpu", "wire.i2c"],
    ["wire.pin", "wire.soft"],
    ["board", "wire.hardware"],
    ["wire.clearing"],
    ["wire.masters"],
    ["wire.bus"],
    ["world"],
    # Boards at the same time, in one process
    ["scheduler", "files", "wire.vcd"],
    ["contest"],
    # A lab, whose boards are processes
    ["lab_scheduler", "link", "flash", "sensors", "wlan"],
    ["devices", "process"],
    ["lab_board"],
    ["process_board"],
    ["lab"],
    # What users ask for
    ["host", "server"],
    ["__init__"],
    ["pytest_plugin", "demo.chips"],
    ["demo.stage"],
    ["demo.story"],
    ["demo.view"],
    ["demo.__init__"],
    ["__main__"],
]
SIMULATOR_FLOOR = {name: floor for floor, names in enumerate(SIMULATOR_FLOORS) for name in names}


def imports_in_simulator(module, tree):
    """The modules of the simulator that a file imports as (line, module), wherever they stand."""
    package = ["eecluster_sim", *module.split(".")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _of_simulator(node.lineno, alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            names = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*names, node.module] if node.module else names)
            for alias in node.names:
                yield from _of_simulator(node.lineno, source, alias.name)


def _of_simulator(line, source, name):
    package, _, inner = source.partition(".")
    if package != "eecluster_sim":
        return
    for found in (f"{inner}.{name}", f"{inner}.{name}.__init__", inner, f"{inner}.__init__"):
        if found.lstrip(".") in SIMULATOR_FLOOR:
            yield line, found.lstrip(".")
            return
    yield line, inner


def upward_imports_in_simulator(module, tree):
    for line, found in imports_in_simulator(module, tree):
        if found not in SIMULATOR_FLOOR:
            yield f"{module}:{line}: imports {found}, which has no floor"
        elif SIMULATOR_FLOOR[found] >= SIMULATOR_FLOOR[module]:
            yield f"{module}:{line}: imports {found}, which is not on a floor below"


def simulator():
    """Every file of the simulator but those of boards, parsed, by its module name."""
    paths = {
        ".".join(path.relative_to(SIMULATOR).with_suffix("").parts): path
        for path in sorted(SIMULATOR.rglob("*.py"))
        if "upy" not in path.parts
    }
    return {module: ast.parse(path.read_text("utf-8"), path) for module, path in paths.items()}


def test_each_module_of_the_simulator_has_one_floor():
    modules = [module for floor in SIMULATOR_FLOORS for module in floor]
    assert sorted(modules) == sorted(simulator())


def test_the_simulator_imports_downwards():
    complaints = [upward_imports_in_simulator(*item) for item in simulator().items()]
    assert [complaint for found in complaints for complaint in found] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("devices", "from .lab import Lab"),
        ("devices", "def f():\n    from .process_board import ProcessBoard"),
        ("devices", "if TYPE_CHECKING:\n    from .process_board import ProcessBoard"),
        ("devices", "from . import lab"),
        ("devices", "from . import World"),
        ("devices", "from .unheard_of import x"),
        ("wire.cpu", "from ..board import Board"),
        ("wire.cpu", "from .. import board"),
        ("wire.cpu", "from .soft import SoftI2C"),
        ("wire.cpu", "from . import hardware"),
        ("demo.stage", "from .story import Story"),
        ("demo.stage", "from . import run"),
        ("lab", "import eecluster_sim"),
        ("lab", "import eecluster_sim.host as host"),
        ("lab", "from eecluster_sim.wire import unheard_of, lines\nfrom eecluster_sim import demo"),
    ],
)
def test_the_simulator_s_rule_flags(module, source):
    assert list(upward_imports_in_simulator(module, ast.parse(source)))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("devices", "import time\nfrom .wire.bus import WireBus\nfrom .wire import lines"),
        ("wire.bus", "def f():\n    from .masters import make\nfrom ..bus import Bus"),
        ("demo.story", "from .stage import Stage\nfrom ..lab import Lab\nfrom .. import World"),
        ("pytest_plugin", "from eecluster import Cluster\nfrom eecluster_sim.world import World"),
    ],
)
def test_the_simulator_s_rule_allows(module, source):
    assert list(upward_imports_in_simulator(module, ast.parse(source))) == []
