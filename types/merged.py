"""Writes the library with the types of its stubs into a folder, so that its bodies can be checked.

``python types/merged.py build/types`` writes ``eecluster/*.py``. A type checker that finds a stub
beside a file does not look into the file, and nobody would notice a stub that lies. Here each
annotation stands in the code that it is about. Every statement stays on its line: an error's line
is that of the source.
"""

import ast
import shutil
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "eecluster"
HOST_ONLY = "hosttime"  # for CPython's types; see the Makefile
# What a first look fills starts as None. mypy can be told so, and checks attributes for both.
TAIL = "# pyright: reportAttributeAccessIssue=false\n"


class Text:
    """A file's text, and what to insert where."""

    def __init__(self, text: str):
        self.text = text
        # ast counts columns in bytes of UTF-8
        self.starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.insertions: list[tuple[int, str]] = []

    def end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def insert(self, at: int, what: str) -> None:
        self.insertions.append((at, what))

    def merged(self) -> str:
        data = self.text.encode()
        for at, what in sorted(self.insertions, reverse=True):
            data = data[:at] + what.encode() + data[at:]
        return data.decode()


def merge(source: str, stub: str) -> str:
    """The source with the stub's annotations, imports and declarations."""
    text = Text(source)
    tree, types = ast.parse(source), ast.parse(stub)
    heads = (ast.ImportFrom, ast.Assign)  # a TypeVar is assigned
    extra = [node for node in types.body if isinstance(node, heads) or is_alias(node)]
    future = "from __future__ import annotations"
    head = "; ".join([future, *[ast.unparse(node) for node in extra]])
    text.insert(text.end(tree.body[0]), f"; {head}")  # the docstring comes first
    annotate(text, tree, types)
    return text.merged()


def is_alias(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and node.value is not None


def annotate(text: Text, tree: ast.Module | ast.ClassDef, types: ast.Module | ast.ClassDef) -> None:
    """Note what to insert into a module or class and all that is in it."""
    stubs = {
        node.name: node for node in types.body if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }
    variables = {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in types.body
        if isinstance(node, ast.AnnAssign) and not is_alias(node)
    }
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            name = ast.unparse(node.targets[0])
            if name in variables:
                text.insert(text.end(node.targets[0]), f": {variables.pop(name)}")
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in stubs:
            stub = stubs[node.name]
            if isinstance(node, ast.ClassDef) and isinstance(stub, ast.ClassDef):
                annotate(text, node, stub)
            elif isinstance(node, ast.FunctionDef) and isinstance(stub, ast.FunctionDef):
                annotate_function(text, node, stub)
    if isinstance(tree, ast.ClassDef) and isinstance(types, ast.ClassDef):
        if [*map(ast.unparse, tree.bases)] != [*map(ast.unparse, types.bases)]:
            bases = ", ".join(map(ast.unparse, types.bases))
            at = text.text.encode().index(b":", text.starts[tree.lineno - 1])
            text.insert(at, f"({bases})")
        declared = "".join(f"; {name}: {value}" for name, value in variables.items())
        text.insert(text.end(tree.body[0]), declared)


def annotate_function(text: Text, node: ast.FunctionDef, stub: ast.FunctionDef) -> None:
    """Its arguments and what it returns. stubtest has compared the names."""
    for given, typed in zip(arguments(node), arguments(stub), strict=True):
        if typed.annotation:
            text.insert(text.end(given), f": {ast.unparse(typed.annotation)}")
    if stub.returns:
        # the first closing bracket after the last argument and its default
        last = [*arguments(node), *node.args.defaults, *filter(None, node.args.kw_defaults)]
        start = text.starts[node.lineno - 1] + node.col_offset
        at = max([text.end(each) for each in last], default=start)
        at = text.text.encode().index(b")", at) + 1
        text.insert(at, f" -> {ast.unparse(stub.returns)}")


def arguments(node: ast.FunctionDef) -> list[ast.arg]:
    args = node.args
    found = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return [arg for arg in found if arg]


def write(source_folder: Path, target: Path) -> None:
    """Write all modules, and the types that only the stubs have, into a new folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for stub in source_folder.glob("*.pyi"):
        source = stub.with_suffix(".py")
        if not source.exists():
            (target / stub.name).write_text(stub.read_text("utf-8"), "utf-8")
        elif stub.stem != HOST_ONLY:
            merged = merge(source.read_text("utf-8"), stub.read_text("utf-8"))
            (target / source.name).write_text(merged + TAIL, "utf-8")


if __name__ == "__main__":
    write(SOURCE, Path(sys.argv[1]) / "eecluster")
