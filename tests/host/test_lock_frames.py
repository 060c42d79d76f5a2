"""The frames of the locks' functions, as MicroPython's compiler makes them.

A frame of more than VM_MAX_STATE_ON_STACK words (py/objfun.c: locals, stack, three for each level
of `try` or `with`) is allocated on the heap when the function is called, which takes as long as the
heap likes. So what runs between a look at the line and a pull must have smaller ones. The count is
in words, so that of this machine's 64-bit interpreter is that of a board.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from eecluster_sim.wire.cpu import FRAME_WORDS

ROOT = Path(__file__).resolve().parent.parent.parent
MICROPYTHON = Path(sys.executable).parent / "micropython"
BLOCK = re.compile(
    r"code block '([^']+)'.*?^\(N_STATE (\d+)\)\n\(N_EXC_STACK (\d+)\)", re.DOTALL | re.MULTILINE
)
# rare: a bus that a chip holds is recovered while nobody has it
SELDOM = {"recover_bus"}

pytestmark = pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython for this machine")


def frames(path):
    """Function -> words of its largest frame of that name."""
    listing = subprocess.run(
        [MICROPYTHON, "-O3", "-X", "compile-only", "-v", "-v", "-v", path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {}
    for name, state, handlers in BLOCK.findall(listing):
        found[name] = max(found.get(name, 0), int(state) + 3 * int(handlers))
    return found


def called(path, start):
    """The methods of the same file that a method named so calls, directly or by others."""
    bodies, aliases = {}, {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            bodies.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.Assign) and isinstance(one.value, ast.Name):  # start = pull
                    (target,) = one.targets
                    assert isinstance(target, ast.Name)
                    aliases[target.id] = one.value.id
    found, todo = set(), [start]
    while todo:
        for body in bodies[todo.pop()]:
            for node in ast.walk(body):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    for one in (name, aliases.get(name, name)):
                        if one in bodies and one not in found | SELDOM:
                            found.add(one)
                            todo.append(one)
    return found


@pytest.mark.parametrize("kind", ["source", "bundle"])
def test_what_compete_calls_fits_the_stack(kind, tmp_path):
    path = ROOT / "src" / "eecluster" / "lock.py"
    if kind == "bundle":  # what boards load
        command = [sys.executable, "tools/bundle.py", tmp_path]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        path = tmp_path / "eecluster" / "lock.py"
    words = frames(path)
    names = called(path, "compete")
    assert names >= {"idle", "start", "pull", "prefix", "wait", "free", "zero", "finish"}
    assert {name: words[name] for name in names if words[name] > FRAME_WORDS} == {}
    assert words["compete"] > FRAME_WORDS  # so it is a function of its own: called before the clock


def test_a_frame_is_counted(tmp_path):
    """The compiler's figures, as the test reads them: locals, stack, and a `try`."""
    path = tmp_path / "some.py"
    path.write_text(
        "def small(a, b):\n    return a\n"
        "def large(a):\n    b = c = d = e = f = g = h = i = j = k = a\n    return b\n"
        "def guarded(a):\n    try:\n        a()\n    finally:\n        a()\n"
    )
    words = frames(path)
    assert words["small"] <= 4
    assert words["large"] >= 11 + 1
    assert words["guarded"] >= 1 + 3
