"""What boards load: each module compiles for them, and the bundle is the same library in three
files.

The rules are checked on parsed files, by other means than `tools/bundle.py` uses to make them.
"""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eecluster_sim.process import find_micropython

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "src" / "eecluster"
MPY_CROSS = Path(sys.executable).parent / "mpy-cross"
HOST_ONLY = "hosttime"  # CPython's stand-in for MicroPython's `time`
BOARD_MODULES = {"binascii", "micropython", "struct", "time"}  # MicroPython 1.20 has them
# No f-strings: a template that is one constant costs less. The others are newer than 1.20 or
# missing in any MicroPython.
NEW_SYNTAX = ("JoinedStr", "TemplateStr", "Match", "TypeAlias", "TryStar")

FILES = ["__init__", "primary", "rare", "lock"]
LOCK_NAMES = {"BusArbitration", "BusyLine", "NoLock", "recover_bus"}  # the public ones

MODULES = sorted(LIBRARY.glob("*.py"))
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
needs_mpy_cross = pytest.mark.skipif(not MPY_CROSS.exists(), reason="no mpy-cross for this machine")
needs_micropython = pytest.mark.skipif(
    find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
)


def load_tool():
    spec = importlib.util.spec_from_file_location("bundle", ROOT / "tools" / "bundle.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


tool = load_tool()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The bundle's folder, freshly made."""
    folder = tmp_path_factory.mktemp("bundle") / "eecluster"
    assert tool.bundle(folder) == FILES
    return folder


@pytest.fixture(scope="module")
def trees(folder):
    """The bundle's files, parsed: {"__init__": ..., "primary": ..., "rare": ..., "lock": ...}."""
    return {path.stem: ast.parse(path.read_text()) for path in folder.iterdir()}


# Each module alone


def compile_for_boards(path, target):
    command = [MPY_CROSS, "-O3", "-o", target, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode == 0 and target.stat().st_size > 0, done.stderr


def new_syntax(tree):
    """What MicroPython 1.20 does not understand, or what is not wanted there."""
    names = [(type(node).__name__, getattr(node, "lineno", 0)) for node in ast.walk(tree)]
    return [(name, line) for name, line in names if name in NEW_SYNTAX]


def missing_modules(tree):
    """Imports, at any place, of modules that are neither the library's nor on a board. The
    library's may be asked for by their full names.
    """
    found: set[str | None] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
    return found - BOARD_MODULES - {f"eecluster.{name}" for name in sources()}


@needs_mpy_cross
@each_module
def test_module_compiles_for_boards(path, tmp_path):
    good, errors = compile_for_boards(path, tmp_path / "out.mpy")
    assert good, errors


@each_module
def test_module_needs_nothing_new(path):
    tree = ast.parse(path.read_text())
    assert new_syntax(tree) == []
    assert missing_modules(tree) == set()


@pytest.mark.parametrize(
    "source",
    ['f"{x}"', "'a' f'{1}'", "def f():\n    return rf'{x!r}'", "match x:\n    case 1: pass"],
)
def test_new_syntax_is_seen(source):
    assert new_syntax(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "import dataclasses",
        "import os.path",
        "def f():\n    from enum import Enum",
        "import eecluster.hosttime",
        "import eecluster.nothing",
        "import eecluster_sim.lock",
    ],
)
def test_missing_modules_are_seen(source):
    assert missing_modules(ast.parse(source))


@needs_mpy_cross
def test_the_compiler_sees_what_is_no_micropython(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("def f(a, /):\n    match a:\n        case 1: pass\n")
    assert not compile_for_boards(bad, tmp_path / "bad.mpy")[0]


# The bundle: its names


def is_constant(node):
    """`NAME = 5`, or what the bundle makes of it: `_NAME = const(5)`."""
    if not isinstance(node, ast.Assign):
        return False
    value = node.value
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.args:
        value = value.args[0] if value.func.id == "const" else value
    return isinstance(value, ast.Constant) and type(value.value) is int


def constant_names(tree):
    """The names of those at the top of a file."""
    targets = [node.targets[0] for node in tree.body if is_constant(node)]
    return [target.id for target in targets]


def definitions(tree):
    """{name: node} of what a file defines at its top, without integer constants."""
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and not is_constant(node):
            found.update({target.id: node for target in node.targets if type(target) is ast.Name})
    return found


def full_imports(tree):
    """Imports of the library's modules by their full names, at any place: (name, its function)."""
    for node in tree.body:
        for each in ast.walk(node):
            for alias in getattr(each, "names", []) if isinstance(each, ast.Import) else []:
                if alias.name.split(".")[0] == "eecluster":
                    yield alias.name, getattr(node, "name", None)


def imported_names(tree, module=None):
    """Names that a file imports, anywhere, from siblings: (module or None, name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                if module is None or node.module == module:
                    yield node.module, alias.name


def sources():
    """The library's modules that boards get, parsed, by name."""
    return {p.stem: ast.parse(p.read_text()) for p in MODULES if p.stem != HOST_ONLY}


def test_the_bundle_defines_the_same_names(trees):
    wanted = set()
    for tree in sources().values():
        wanted |= set(definitions(tree))
    found = [name for tree in trees.values() for name in definitions(tree)]
    assert set(found) == wanted
    assert len(found) == len(set(found))  # each of them in one file


def test_the_public_names_are_in_the_file_that_every_wake_loads(trees):
    """But for the locks: a board needs one, or none."""
    import eecluster

    public = {name for _, name in imported_names(sources()["__init__"])}
    assert {"Cluster", "Status", "LayoutError", "ClusterError"} < public
    assert public | {"__version__", "__getattr__"} <= set(definitions(trees["__init__"]))
    assert LOCK_NAMES & public == set()
    assert all(getattr(eecluster, name).__module__ == "eecluster.lock" for name in LOCK_NAMES)


def test_the_locks_are_in_a_file_of_their_own(trees):
    names = set(definitions(sources()["lock"])) - {"timer"}
    assert names >= LOCK_NAMES | {"TimeSlots"}
    assert set(definitions(trees["lock"])) == names
    for file in ("__init__", "primary", "rare"):
        for node in trees[file].body:
            used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            used |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            used |= {name for _, name in imported_names(ast.Module([node], []))}
            assert used & names == set(), file


def test_only_getattr_asks_for_a_module_by_its_full_name(trees):
    """`from . import` would ask ``__getattr__`` for it, which asks for it."""
    found = {file: list(full_imports(tree)) for file, tree in trees.items()}
    nothing = {"primary": [], "rare": [], "lock": []}
    assert found == {"__init__": [("eecluster.lock", "__getattr__")], **nothing}


def test_version(folder):
    import eecluster

    text = (folder / "__init__.py").read_text()
    assert text.count(f'__version__ = "{eecluster.__version__}"') == text.count("__version__") == 1


def test_constants_are_not_visible(trees):
    found = {}  # a constant that several files need stands in each, with one value
    for tree in trees.values():
        here = []
        for node in tree.body:
            if is_constant(node):
                assert isinstance(node.value, ast.Call), ast.unparse(node)
                name = node.targets[0].id
                assert name.startswith("_"), ast.unparse(node)
                value = ast.literal_eval(node.value.args[0])
                assert found.setdefault(name, value) == value, name
                here.append(name)
        assert len(here) == len(set(here)), here
    wanted = {name for tree in sources().values() for name in constant_names(tree)}
    assert set(found) == {"_" + name.lstrip("_") for name in wanted}
    assert len(found) > 10


def test_no_name_of_a_constant_is_left_over(trees):
    names = {name for tree in sources().values() for name in constant_names(tree)}
    names = {name for name in names if not name.startswith("_")}
    for tree in trees.values():
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert used & names == set()


def test_the_files_import_what_another_one_defines(trees):
    """Which: None is the package. A constant is no such thing: it vanishes when the file is
    compiled.
    """
    allowed = {
        "__init__": {"primary", "rare"},
        "primary": {None},
        "rare": {None, "primary"},
        "lock": {None},
    }
    for file, tree in trees.items():
        assert {module for module, _ in imported_names(tree)} == allowed[file], file
        for module, wanted in imported_names(tree):
            assert wanted in definitions(trees[module or "__init__"]), (file, wanted)


def test_every_wake_loads_one_file(trees):
    for node in trees["__init__"].body:
        for each in ast.walk(node) if isinstance(node, (ast.If, ast.Try)) else [node]:
            assert not (isinstance(each, ast.ImportFrom) and each.level)


# The bundle: its contents


def test_nothing_for_cpython_is_in_it(folder, trees):
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.py" for name in FILES)
    host = set(definitions(ast.parse((LIBRARY / f"{HOST_ONLY}.py").read_text())))
    assert {"sleep_us", "ticks_diff"} < host
    for name, tree in trees.items():
        assert host & set(definitions(tree)) == set(), name
        assert missing_modules(tree) == set(), name
        assert new_syntax(tree) == [], name
        assert HOST_ONLY not in (folder / f"{name}.py").read_text()


class _Same(ast.NodeTransformer):
    """What may differ between a module and its place in the bundle is made equal: names of
    constants, from where siblings are imported, docstrings.
    """

    def __init__(self, constants):
        self.constants = constants

    def visit_Name(self, node):
        if node.id in self.constants:
            node.id = "_" + node.id.lstrip("_")
        return node

    def visit_ImportFrom(self, node):
        node.module = None if node.level else node.module
        return node

    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)


def same(node, constants):
    return ast.dump(_Same(constants).visit(node))


def test_what_is_defined_is_the_same(trees):
    bundled = {name: node for tree in trees.values() for name, node in definitions(tree).items()}
    modules = sources()
    constants = {name for tree in modules.values() for name in constant_names(tree)}
    compared = 0
    for tree in modules.values():
        for name, node in definitions(tree).items():
            assert same(bundled[name], set()) == same(node, constants), name
            compared += 1
    assert compared > 50


# The bundle: on a board


@pytest.fixture(scope="module")
def compiled(folder, tmp_path_factory):
    """The path on which MicroPython finds the bundle, compiled."""
    path = tmp_path_factory.mktemp("compiled")
    (path / "eecluster").mkdir()
    for name in FILES:
        good, errors = compile_for_boards(folder / f"{name}.py", path / "eecluster" / f"{name}.mpy")
        assert good, errors
    return path


def run(path, code):
    """What MicroPython prints, in lines."""
    done = subprocess.run(
        [str(find_micropython()), "-c", code],
        env=os.environ | {"MICROPYPATH": f"{path}:.frozen"},
        cwd=path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@needs_mpy_cross
@needs_micropython
def test_on_micropython(compiled, trees):
    code = """
import eecluster
print(*eecluster.__dict__)  # dir() would ask __getattr__ for every name there is
import eecluster.primary, eecluster.rare, eecluster.lock
print(*eecluster.primary.__dict__)
print(*eecluster.rare.__dict__)
print(*eecluster.lock.__dict__)
"""
    lines = run(compiled, code)
    assert len(lines) == len(FILES), lines
    for line, name in zip(lines, FILES, strict=True):
        visible = set(line.split())
        assert set(definitions(trees[name])) <= visible
        constants = set(constant_names(trees[name]))
        assert constants
        assert visible & (constants | {each.lstrip("_") for each in constants}) == set()
        if name != "lock":
            assert visible & set(definitions(trees["lock"])) == set()


@needs_mpy_cross
@needs_micropython
def test_the_locks_are_loaded_when_one_is_asked_for(compiled):
    for name in sorted(LOCK_NAMES):
        for ask in (f"from eecluster import {name}", f"{name} = eecluster.{name}"):
            code = f"""
import sys, eecluster
print("eecluster.lock" in sys.modules, "eecluster.rare" in sys.modules)
{ask}
print("eecluster.lock" in sys.modules, "eecluster.rare" in sys.modules)
print(sys.modules["eecluster.lock"].{name} is {name})
"""
            assert run(compiled, code) == ["False False", "True False", "True"], ask


@needs_mpy_cross
@needs_micropython
def test_a_name_that_nobody_has_is_an_error(compiled):
    code = """
import eecluster
print(hasattr(eecluster, "Nothing"), hasattr(eecluster, "rare"))
try:
    from eecluster import Nothing
except (ImportError, AttributeError):  # CPython's, MicroPython's
    print("not imported")
try:
    eecluster.Nothing
except AttributeError as error:
    print(error)
"""
    message = "module 'eecluster.lock' has no attribute 'Nothing'"
    assert run(compiled, code) == ["False False", "not imported", message]


# The tool


def check(**texts):
    tool.check_distinct(list(texts), {name: ast.parse(text) for name, text in texts.items()})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(): pass", "def f(): pass"),
        ("def f(): pass", "class f: pass"),
        ("class f: pass", "f = 1"),
        ("f = 1", "f = 1"),
        ("f = (1, 2)", "import struct\ndef f(): pass"),
        ("e = f = 1", "f = e = 2"),
    ],
)
def test_check_distinct_stops_on_a_clash(one, other):
    with pytest.raises(SystemExit) as stopped:
        check(one=one, between="g = 1", other=other)
    text = str(stopped.value)
    assert "one.py" in text
    assert "other.py" in text
    assert stopped.value.code not in (0, None)


def test_check_distinct_allows():
    check(one="def f(): pass\nA = 1", other="def g():\n    f = 1\n    A = 2")
    check(one="x = 1\nx = 2", other="class C:\n    x = 1\n    def f(self): pass")
    check(one="from .other import f", other="def f(): pass")
    both = {"one": ast.parse("def f(): pass"), "other": ast.parse("def f(): pass")}
    tool.check_distinct(["one"], both)  # the other one is not joined with it


def test_a_clash_in_the_library_stops_the_bundle(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for path in MODULES:
        (source / path.name).write_text(path.read_text())
    monkeypatch.setattr(tool, "SOURCE", source)
    tool.bundle(tmp_path / "good")
    with open(source / "bitmap.py", "a") as file:
        file.write("\n\ndef owner(token):\n    return 0\n")
    with pytest.raises(SystemExit, match="owner"):
        tool.bundle(tmp_path / "bad")
    assert not (tmp_path / "bad" / "__init__.py").exists()


def test_modules_come_after_what_they_stand_on():
    modules = sources()
    order = tool.in_order("__init__", modules, [])
    for name in order:
        for node in tool.siblings(modules[name]):
            assert order.index(node.module) < order.index(name), (name, node.module)
    assert order[-1] == "__init__"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("SIZE = 8", "_SIZE = const(8)"),
        ("SIZE = 0xFF  # why", "_SIZE = const(0xFF)  # why"),
        ("x = SIZE + 1", "x = _SIZE + 1"),
        ("LABEL_SIZE = SIZES", "LABEL_SIZE = SIZES"),
        ("a.SIZE", "a.SIZE"),
        ("'SIZE'", "'SIZE'"),
    ],
)
def test_inlined(text, after):
    assert tool.inlined(text, ["SIZE"]) == after
