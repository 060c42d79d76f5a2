"""Joins the library's modules into the files that a board loads.

``python tools/bundle.py build/bundle`` writes ``eecluster/__init__.py``, what every wake needs:
all modules that the package imports at its top, in the order of their imports;
``eecluster/primary.py``, what a primary decides and announces; ``eecluster/rare.py``, what is
needed when an EEPROM is new or damaged, or a person changes something; and ``eecluster/lock.py``,
the locks, for boards that use one. The last three are imported inside functions only.

A name is stored and looked up once in each, integer constants become numbers in the bytecode, and
the file system is asked twice instead of fifteen times. Nothing else is changed.
"""

import ast
import re
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "eecluster"
HOST_ONLY = "hosttime"
LOCK = "lock"
FIRST = "__init__"
PRIMARY = ["takeover", "events"]


def siblings(tree):
    """The imports from sibling modules at a module's top."""
    plain = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.level == 1]
    return [node for node in plain if node.module]


def in_order(name, trees, done):
    """``done`` with the module and all it stands on added, lowest first."""
    for node in siblings(trees[name]):
        in_order(node.module, trees, done)
    if name not in done:
        done.append(name)
    return done


def constants(tree):
    """The module's integer constants: name -> value."""
    plain = [
        n for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)
    ]
    found = {node.targets[0].id: node.value.value for node in plain}
    return {name: value for name, value in found.items() if type(value) is int and name.isupper()}


def without_imports(text, tree):
    """The module's text without its imports from siblings at the top."""
    lines = text.split("\n")
    for node in siblings(tree):
        lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return "\n".join(lines)


def inlined(text, names):
    """The text with these constants made invisible: ``const()`` and a leading underscore do it."""
    for name in names:
        hidden = "_" + name.lstrip("_")
        text = re.sub(rf"^{name} = (\w+)", rf"{hidden} = const(\1)", text, flags=re.M)
        text = re.sub(rf"(?<![\w.\"']){name}\b", hidden, text)
    return text


def once(text):
    """The text without lines of imports that it has had before."""
    lines = []
    for line in text.split("\n"):
        if line not in lines or not line.startswith(("import ", "from ")):
            lines.append(line)
    return "\n".join(lines)


def check_distinct(names, trees):
    """Stop if two modules that are joined define the same name."""
    owners = {}
    for name in names:
        for node in trees[name].body:
            defined = [node.name] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
            if isinstance(node, ast.Assign):
                defined = [target.id for target in node.targets]
            for each in defined:
                if owners.setdefault(each, name) != name:
                    sys.exit(f"bundle: {each} is defined in {owners[each]}.py and in {name}.py")


def join(names, texts, trees, files):
    """The modules ``names`` as one text; ``files``: file -> its modules."""
    check_distinct(names, trees)
    places = {name: file for file, modules in files.items() for name in modules}
    source = {file: "from . import" if file == FIRST else f"from .{file} import" for file in files}
    text = "\n".join(without_imports(texts[name], trees[name]) for name in names)
    text = re.sub(rf"    from \. import {HOST_ONLY} .*", "    pass", text)
    text = re.sub(r"from \.(\w+) import", lambda found: source[places[found[1]]], text)
    text = once(text)
    values = {key: value for name in trees for key, value in constants(trees[name]).items()}
    nodes = [n for name in names for n in siblings(trees[name]) if n.module not in names]
    wanted = {alias.name: places[node.module] for node in nodes for alias in node.names}
    shared = sorted(name for name in wanted if name in values)  # they left no name to import
    head = "".join(f"{name} = {values[name]}\n" for name in shared)
    for file in reversed(files):
        theirs = sorted(name for name in wanted.keys() - values.keys() if wanted[name] == file)
        if theirs:
            head = f"{source[file]} {', '.join(theirs)}\n" + head
    own = [constant for name in names for constant in constants(trees[name])]
    # the compiler knows const() by itself, and with a leading underscore leaves nothing to import
    return inlined(head + text, shared + own)


def bundle(target):
    """Write the bundle into the folder ``target``; returns the names of the files, without
    ``.py``.
    """
    texts = {path.stem: path.read_text() for path in SOURCE.glob("*.py") if path.stem != HOST_ONLY}
    trees = {name: ast.parse(text) for name, text in texts.items()}
    files = {FIRST: in_order(FIRST, trees, []), "primary": PRIMARY, "rare": [], LOCK: [LOCK]}
    done = [name for names in files.values() for name in names]
    for name in sorted(trees.keys() - {LOCK}):
        known = len(done)
        in_order(name, trees, done)
        files["rare"] += done[known:]
    target.mkdir(parents=True, exist_ok=True)
    for file, names in files.items():
        (target / f"{file}.py").write_text(join(names, texts, trees, files))
    return list(files)


if __name__ == "__main__":
    print(*bundle(Path(sys.argv[1]) / "eecluster"))
