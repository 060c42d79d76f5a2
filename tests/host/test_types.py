"""What the types say about programs of users: right ones pass, and each mistake is found where it
is. By two type checkers, pyright and mypy, as strict as they can be.

In tests/types a comment `# error: reportCallIssue, call-arg` names what pyright and mypy have to
say about its line; about all others they say nothing.
"""

import ast
import importlib.util
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eecluster.events import _KINDS
from eecluster_sim import flash

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LIBRARY = ROOT / "src" / "eecluster"
TYPINGS = ROOT / "typings"  # of MicroPython
MERGED = ROOT / "types" / "merged.py"
BOARD = [ROOT / "tests" / "types" / f"{name}.py" for name in ("board", "wrong")]
SIMULATOR = [ROOT / "tests" / "types" / "simulated.py"]
EXAMPLE = [ROOT / "examples" / "first" / f"{name}.py" for name in ("main", "config", "node")]

README_NEEDS = """
def read_sensor() -> float:
    return 21.5

def publish(reading: float, token: int) -> None:
    print(reading, token)

"""


class Pyright:
    """`check(files, board)` gives {(file name, line, rule)}; `board`: not for CPython."""

    def __init__(self, folder):
        self.folder = folder

    def check(self, files, board, mode="strict"):
        inside = [self.relative(path.parent) for path in files]
        settings = {
            "include": [self.relative(path) for path in files],
            "extraPaths": [self.relative(ROOT / "src"), *inside],
            "pythonVersion": "3.10",
            "typeCheckingMode": mode,
        }
        if board:
            typings = self.relative(TYPINGS)
            settings |= {"stubPath": typings, "typeshedPath": typings, "pythonPlatform": "Linux"}
            settings |= {"reportMissingModuleSource": "none"}
        else:  # the simulator's own types have gaps
            unknown = ("Member", "Argument", "Variable")
            settings |= {f"reportUnknown{what}Type": "none" for what in unknown}
        config = self.folder / "pyrightconfig.json"
        config.write_text(json.dumps(settings))
        done = run(self.folder, "pyright", "--outputjson", "--project", config)
        report = json.loads(done.stdout)
        assert report["summary"]["filesAnalyzed"] == len(files), done.stdout + done.stderr
        return {
            (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["rule"])
            for found in report["generalDiagnostics"]
        }

    def relative(self, path):
        """It ignores absolute paths."""
        return os.path.relpath(path, self.folder)


class Mypy:
    """The same with mypy."""

    def __init__(self, folder):
        self.folder = folder

    def check(self, files, board, mode="strict"):
        lines = ["[mypy]", f"strict = {mode == 'strict'}", "check_untyped_defs = True"]
        lines += ["python_version = 3.10", f"mypy_path = {ROOT / 'src'}"]
        if board:
            lines[-1] += f":{TYPINGS}"
            lines += [f"custom_typeshed_dir = {TYPINGS}", "platform = linux"]
            lines += ["no_site_packages = True", "follow_imports = silent"]
            lines += ["follow_imports_for_stubs = True"]
        else:
            lines += ["untyped_calls_exclude = eecluster_sim", "[mypy-eecluster_sim.*]"]
            lines += ["follow_imports = silent", "implicit_reexport = True"]
        config = self.folder / "mypy.ini"
        config.write_text("\n".join(lines))
        done = run(self.folder, "mypy", "--output", "json", "--config-file", config, *files)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        found = [json.loads(line) for line in done.stdout.splitlines() if line]
        errors = [each for each in found if each["severity"] == "error"]
        return {(Path(each["file"]).name, each["line"], each["code"]) for each in errors}


def run(folder, tool, *arguments):
    assert (TYPINGS / "machine.pyi").exists(), "no types of MicroPython here: make setup"
    return subprocess.run([BIN / tool, *arguments], cwd=folder, capture_output=True, text=True)


def expected(files, checker):
    """What the comments name for this checker."""
    found = set()
    for path in files:
        for line, text in enumerate(path.read_text().splitlines(), 1):
            names = re.search("# error: (.+)$", text)
            for rule in names[1].split(", ") if names else ():
                if rule.startswith("report") == isinstance(checker, Pyright):
                    found.add((path.name, line, rule))
    return found


@pytest.fixture(params=[Pyright, Mypy])
def checker(request, tmp_path):
    return request.param(tmp_path)


def test_programs_for_boards(checker):
    mistakes = expected(BOARD, checker)
    assert len(mistakes) > 40
    assert checker.check(BOARD, board=True) == mistakes


def test_programs_for_the_simulator(checker):
    mistakes = expected(SIMULATOR, checker)
    assert len(mistakes) > 5
    assert checker.check(SIMULATOR, board=False) == mistakes


def test_the_program_for_the_simulator_runs():
    program = runpy.run_path(str(SIMULATOR[0]))
    program["run"]()
    assert program["kinds"]() == ["joined", "joined", "dead", "failover", "eeprom_lost"]
    assert program["roles"] == {0: "primary", 1: "primary"}


def test_the_readme_example(checker, tmp_path):
    code = re.search(r"```python\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert code is not None and "Cluster(" in code[1]
    program = tmp_path / "readme.py"
    program.write_text(README_NEEDS + code[1])
    assert checker.check([program], board=True) == set()


def test_the_first_example(checker):
    """It has no annotations, to be read by everybody; so not strictly."""
    assert checker.check(EXAMPLE, board=True, mode="standard") == set()


# The stubs against the library: `make types` compares names and arguments (stubtest), and checks
# the bodies with the stubs merged into them.

# What is false in a stub, and the files whose bodies say otherwise
LIES = [
    ("status.pyi", "token: int", "token: str", "status.py"),
    ("events.pyi", "-> tuple[Event, ...]", "-> tuple[Event, Event]", "events.py"),
    ("cluster.pyi", "def confirm(self) -> bool", "def confirm(self) -> str", "cluster.py"),
    ("lock.pyi", "sda: Pin) -> bool", "sda: Pin) -> None", "lock.py"),
    (
        "_types.pyi",
        "def ticks_us(self) -> Any",
        "def ticks(self) -> Any",
        "eeprom.py ticks.py slots.py takeover.py administer.py",
    ),
    ("slots.pyi", "(self, mine: Record) -> int", "(self, mine: Record) -> bytes", "slots.py"),
]


def merged():
    spec = importlib.util.spec_from_file_location("merged", MERGED)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_stub_that_lies_is_found(tmp_path):
    lying = shutil.copytree(LIBRARY, tmp_path / "lying")
    for stub, true, false, _ in LIES:
        text = (lying / stub).read_text()
        assert text.count(true) == 1, (stub, true)
        (lying / stub).write_text(text.replace(true, false))
    merged().write(lying, tmp_path / "build" / "types" / "eecluster")
    (tmp_path / "typings").symlink_to(TYPINGS)
    done = run(tmp_path, "mypy", "--config-file", ROOT / "types" / "device.mypy.ini")
    found = {
        Path(line.split(":")[0]).name for line in done.stdout.splitlines() if ": error" in line
    }
    assert found == {body for *_, bodies in LIES for body in bodies.split()}, done.stdout


def test_merging_leaves_each_statement_on_its_line():
    source = '''"""What
it is for."""

import time

LIMIT = 5  # why
timer = time


class A:
    """It."""

    def f(self, a, *rest, b=(1, 2), **more):  # a comment (with brackets)
        return a

    def g(
        self, a="ü", b=f((")"))
    ):  # fmt: skip
        """Says."""


def h():
    def inner(x): ...


def _own(x): ...
'''
    stub = """from b import B
from typing import TypeVar
T = TypeVar("T")
N: TypeAlias = int
LIMIT: int
class A(B):
    x: int
    y: str
    "What y is."
    def f(self, a: int, *rest: str, b: tuple[int, int] = ..., **more: int) -> int: ...
    def g(self, a: str = ..., b: N = ...) -> None: ...
def h() -> None: ...
"""
    assert merged().merge(source, stub).splitlines() == [
        '"""What',
        'it is for."""; from __future__ import annotations; from b import B;'
        " from typing import TypeVar; T = TypeVar('T'); N: TypeAlias = int",
        "",
        "import time",
        "",
        "LIMIT: int = 5  # why",
        "timer = time",
        "",
        "",
        "class A(B):",
        '    """It."""; x: int; y: str',
        "",
        "    def f(self, a: int, *rest: str, b: tuple[int, int]=(1, 2), **more: int) -> int:"
        "  # a comment (with brackets)",
        "        return a",
        "",
        "    def g(",
        '        self, a: str="ü", b: N=f((")"))',
        "    ) -> None:  # fmt: skip",
        '        """Says."""',
        "",
        "",
        "def h() -> None:",
        "    def inner(x): ...",
        "",
        "",
        "def _own(x): ...",
    ]


def literal(name):
    """The values of a `Literal` of the stubs."""
    tree = ast.parse((LIBRARY / "_types.pyi").read_text())
    aliases = [node for node in tree.body if isinstance(node, ast.AnnAssign)]
    [value] = [alias.value for alias in aliases if ast.unparse(alias.target) == name]
    assert isinstance(value, ast.Subscript)
    return ast.literal_eval(value.slice)


def test_every_event_kind_has_a_type():
    assert literal("EventKind") == tuple(_KINDS)


def test_every_role_has_a_type():
    tree = ast.parse((LIBRARY / "status.py").read_text())
    given = [
        ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "role"
    ]
    assert sorted(given) == sorted(literal("Role"))


def test_no_type_gets_onto_a_board(tmp_path):
    flash.fill(tmp_path / "flash", EXAMPLE[0], {}, LIBRARY)
    names = [path.name for path in (tmp_path / "flash" / "lib" / "eecluster").iterdir()]
    assert "cluster.py" in names
    assert [name for name in names if name.endswith(".pyi")] == []
