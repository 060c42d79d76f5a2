"""Joins the library's modules into what a board loads: one file for all wakes, and some for few.

``python tools/bundle.py build/bundle`` writes ``eecluster/__init__.py`` (every module that the
package imports at its top, in the order of its imports) and beside it the modules that are imported
inside functions only. One file instead of eleven: a name is stored and looked up once, integer
constants become numbers in the bytecode, and the file system is asked once. Nothing else is
changed: no renaming, no rewriting.
"""

import ast
import re
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "eecluster"


def imported(tree, anywhere):
    """The sibling modules a module imports, at its top or, with ``anywhere``, also in functions."""
    found = []
    for node in ast.walk(tree) if anywhere else tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found += [node.module] if node.module else []
    return found


def in_order(name, trees, done):
    """The module and all it stands on, lowest first."""
    for other in imported(trees[name], anywhere=False):
        if other not in done:
            in_order(other, trees, done)
    done.append(name)
    return done


def constants(tree):
    """The module's integer constants: name -> the line that assigns it."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            name = node.targets[0].id
            if type(node.value.value) is int and name.isupper():
                found[name] = node.lineno
    return found


def stripped(text, tree, drop_imports):
    """The module's lines without its imports from siblings."""
    lines = text.split("\n")
    for node in tree.body:
        if drop_imports and isinstance(node, ast.ImportFrom) and node.level == 1:
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return lines


def inlined(text, names):
    """The text with these constants made invisible: ``const()`` and a leading underscore do it."""
    for name in names:
        text = re.sub(rf"^{name} = (\w+)", rf"_{name} = const(\1)", text, flags=re.M)
        text = re.sub(rf"(?<![\w.\"']){name}\b", f"_{name}", text)
    return text


def from_package(text, joined):
    """The text with imports from joined modules turned into imports from the package."""
    return re.sub(r"from \.(\w+) import", lambda m: "from . import" if m[1] in joined else m[0], text)


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


def bundle(target):
    """Write the bundle into the folder ``target``; returns the files' names without ``.py``."""
    texts = {path.stem: path.read_text() for path in SOURCE.glob("*.py") if path.stem != "hosttime"}
    trees = {name: ast.parse(text) for name, text in texts.items()}
    joined = in_order("__init__", trees, [])
    check_distinct(joined, trees)
    core = "\n".join("\n".join(stripped(texts[name], trees[name], True)) for name in joined)
    core = core.replace("    from . import hosttime as timer", "    pass")
    shared = [name for module in joined for name in constants(trees[module])]
    files = {"__init__": inlined(core, shared)}
    for name in sorted(set(texts) - set(joined)):
        files[name] = inlined(from_package(texts[name], joined), constants(trees[name]))
    target.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (target / f"{name}.py").write_text("from micropython import const\n" + text)
    return sorted(files)


if __name__ == "__main__":
    print(" ".join(bundle(Path(sys.argv[1]) / "eecluster")))
