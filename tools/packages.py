"""Writes what `mip` reads: `package.json`, the library as source, and `package-mpy.json`, as
bytecode.

``python tools/packages.py`` writes both into the repository's top, from the files in
src/eecluster and its version. Sources come from the repository itself, from the branch or tag that
mip is asked for. Bytecode is not in it: its addresses are those of the files that are attached to
the release of that version, whole, because mip before MicroPython 1.25 knows no relative ones.

``python tools/packages.py release v0.1.0 FOLDER`` copies the bytecode of ``make mpy`` to FOLDER,
under the names that are to be attached to the release of that tag. It stops if the tag is not the
version's, or if something is missing.
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.bundle import HOST_ONLY, bundle  # noqa: E402

REPOSITORY = "github:eecluster/eecluster"  # its public name, and the only place that states it
RELEASES = REPOSITORY.replace("github:", "https://github.com/") + "/releases/download"
LIBRARY = Path("src/eecluster")
BYTECODE = Path("build/mpy/eecluster")
PACKAGES = ("package.json", "package-mpy.json")


def version(root):
    """The version that the library states."""
    source = root / LIBRARY / "__init__.py"
    found = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', source.read_text(), re.MULTILINE)
    if found is None:
        sys.exit(f'packages: {source} has no line like __version__ = "0.1.0"')
    return found[1]


def tag(root):
    """The tag of this version's release."""
    return "v" + version(root)


def bytecode_names():
    """The files that `make mpy` makes, without ``.mpy``."""
    with tempfile.TemporaryDirectory() as folder:
        return bundle(Path(folder) / "eecluster")


def asset(name):
    """The name of a file of bytecode among all that is attached to a release."""
    return f"eecluster.{name}.mpy"


def package(name, root=ROOT):
    """The text that the package file of this name has to have."""
    if name == "package.json":
        files = sorted(path.name for path in (root / LIBRARY).glob("*.py"))
        files.remove(HOST_ONLY + ".py")  # CPython's stand-in for MicroPython's `time`
        urls = [[f"eecluster/{file}", f"{REPOSITORY}/{LIBRARY}/{file}"] for file in files]
    else:
        address = f"{RELEASES}/{tag(root)}"
        urls = [[f"eecluster/{n}.mpy", f"{address}/{asset(n)}"] for n in bytecode_names()]
    lines = ",\n".join(f"    {json.dumps(pair)}" for pair in urls)
    return f'{{\n  "version": "{version(root)}",\n  "deps": [],\n  "urls": [\n{lines}\n  ]\n}}\n'


def complaints(root=ROOT):
    """What is wrong with the package files: one sentence for each."""
    for name in PACKAGES:
        path = root / name
        right = package(name, root)
        text = path.read_text() if path.exists() else '{"urls": []}'
        if text == right:
            continue
        there, due = ({target for target, _ in json.loads(t)["urls"]} for t in (text, right))
        found = [f"lacks {target}" for target in sorted(due - there)]
        found += [f"has {target} too many" for target in sorted(there - due)]
        for what in found or ["is not what the library's files and version make it"]:
            yield f"{name} {what}: python tools/packages.py writes it anew"


def write(root=ROOT):
    """Write the package files."""
    for name in PACKAGES:
        (root / name).write_text(package(name, root))


def release(name, folder, root=ROOT):
    """Copy the bytecode to be attached to the release of the tag ``name`` into ``folder``."""
    wrong = [] if name == tag(root) else [f"tag {name}, but the version's is {tag(root)}"]
    wrong += complaints(root)
    newest = max(path.stat().st_mtime for path in (root / LIBRARY).glob("*.py"))
    for built in [root / BYTECODE / f"{n}.mpy" for n in bytecode_names()]:
        if not built.exists() or built.stat().st_mtime < newest:
            wrong.append(f"{built} is missing or older than {LIBRARY}: make mpy")
    if wrong:
        sys.exit("\n".join(f"packages: {what}" for what in wrong))
    folder.mkdir(parents=True, exist_ok=True)
    for n in bytecode_names():
        shutil.copyfile(root / BYTECODE / f"{n}.mpy", folder / asset(n))


def main(arguments):
    if not arguments:
        return write()
    if len(arguments) != 3 or arguments[0] != "release":
        sys.exit("packages: no arguments, or: release TAG FOLDER")
    return release(arguments[1], Path(arguments[2]))


if __name__ == "__main__":
    main(sys.argv[1:])
