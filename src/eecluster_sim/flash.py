"""A folder that is a board's flash. It survives everything; `lib/eecluster` is the library."""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path


def fill(
    flash: Path, main: Path, files: Mapping[str, str | Path], library: str | Path | None
) -> None:
    """Make the folder `flash`: main.py, the files (contents, or a Path to copy), the library."""
    flash.mkdir()
    shutil.copyfile(main, flash / "main.py")
    for name, content in files.items():
        target = flash / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_text(content)
    source = library or _installed_library()
    if source is not None:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyi", "py.typed")
        shutil.copytree(source, flash / "lib" / "eecluster", ignore=ignored)


def _installed_library() -> str | None:
    spec = importlib.util.find_spec("eecluster")
    return spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else None
