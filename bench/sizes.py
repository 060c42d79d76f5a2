"""What the library takes on a board's flash.

mpy_bytes          the bytecode that every board has: all but the locks
loaded_mpy_bytes   what an ordinary wake loads of it
package_bytes      all that mip puts on a board, as source and as bytecode
lock_mpy_bytes     see bench.locks
"""

import json
from pathlib import Path

from bench import locks

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "build" / "mpy" / "eecluster"
PACKAGES = {"package.json": ROOT / "src", "package-mpy.json": LIBRARY.parent}  # where its files are


def mpy_bytes(*names):
    """Of these files of the library's bytecode."""
    return _bytes([LIBRARY / f"{name}.mpy" for name in names])


def package_files(package):
    """The files that mip puts on a board: place in its lib -> path."""
    urls = json.loads((ROOT / package).read_text())["urls"]
    return {target: PACKAGES[package] / target for target, _ in urls}


def sizes(first_source, first_bytecode):
    """name -> (ours, the first version's, whose files these are)."""
    first = _bytes([first_bytecode])
    found = {
        "mpy_bytes": (mpy_bytes("__init__", "primary", "rare"), first),
        "loaded_mpy_bytes": (mpy_bytes("__init__"), first),
        "package_bytes source": (_package_bytes("package.json"), _bytes([first_source])),
        "package_bytes bytecode": (_package_bytes("package-mpy.json"), first),
        "lock_mpy_bytes both": (locks.lock_bytes(), None),
    }
    for name in locks.STRATEGIES:
        others = [other for other in locks.STRATEGIES if other != name]
        found[f"lock_mpy_bytes {name}"] = locks.lock_bytes(others), None
    return found


def _package_bytes(package):
    return _bytes(package_files(package).values())


def _bytes(files):
    return sum([file.stat().st_size for file in files])
