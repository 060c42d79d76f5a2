"""Which code does a result belong to? A fingerprint of what runs.

Rule: what does not run (comments, docstrings, annotations) does not count, and neither do names of
files; in which order they are read follows from their paths.
"""

import ast
import hashlib

from reporting import ROOT


def fingerprint(*folders: str) -> str:
    """Of the code in these folders and files, comments, docstrings and annotations left out."""
    paths = [path for folder in folders for path in _files(ROOT / folder)]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(ast.dump(Bare().visit(ast.parse(path.read_text()))).encode())
    return digest.hexdigest()[:16]


def _files(path):
    return [path] if path.is_file() else [p for p in path.rglob("*.py") if "upy" not in p.parts]


class Bare(ast.NodeTransformer):
    """Takes away what does not run."""

    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) else node

    def visit_AnnAssign(self, node):
        return node.value and ast.Assign([node.target], node.value)

    def visit_arg(self, node):
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.generic_visit(node)
