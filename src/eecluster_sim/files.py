"""Chips whose contents and wear outlive the process, each in one file.

The file is one line of JSON (part, address, wear of the pages that were written) and the raw
contents after it. It is replaced as a whole, so a process that dies leaves the old or the new one.
A write in progress counts as finished.
"""

import json
import os

from .chip import Eeprom

FORMAT = "eecluster-chip-1"


def save(chip, path):
    """Write contents and wear of the chip to a file."""
    head = {
        "format": FORMAT,
        "part": chip.part.name,
        "address": chip.address,
        "wear": {page: count for page, count in enumerate(chip.wear) if count},
    }
    fresh = f"{path}.new"
    with open(fresh, "wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        file.write(chip.data)
    os.replace(fresh, path)


def load(chip, path):
    """Read contents and wear of a file into the chip.

    OSError if there is no file, ValueError if it is not one of ours, damaged, or of another part.
    The address is the chip's own: chips may be moved.
    """
    with open(path, "rb") as file:
        head, content = _parse(file.readline(), path), file.read()
    if head.get("part") != chip.part.name:
        raise ValueError(f"{path} holds a {head.get('part')}, not a {chip.part.name}")
    if len(content) != chip.part.size:
        raise ValueError(f"{path} holds {len(content)} bytes, not {chip.part.size}")
    wear = [0] * chip.part.pages
    try:
        for page, count in head["wear"].items():
            wear[int(page)] = int(count)
    except (KeyError, AttributeError, IndexError, ValueError) as error:
        raise ValueError(f"{path} has a damaged record of wear: {error!r}") from error
    chip.load(content)
    chip.wear = wear
    chip.page_writes = sum(wear)


def _parse(line, path):
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError(f"{path} is not a file of a simulated chip")
    return head


class FileEeprom(Eeprom):
    """An Eeprom kept in a file: loaded from it if there is one, written by save() and at the end
    of a `with` block. Connect it with `world.bus.add(chip)`."""

    def __init__(self, path, part, address, random=None, owner=None):
        super().__init__(part, address, random, owner)
        self.path = path
        if os.path.exists(path):
            load(self, path)

    def save(self):
        save(self, self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.save()
