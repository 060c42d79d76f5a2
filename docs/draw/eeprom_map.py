"""What is where on an EEPROM, byte by byte, asked from the library's own layout. Stands on svg.

Nothing here knows an offset: a byte belongs to the field that changes with it.
"""

import struct
from typing import NamedTuple

from docs.draw.svg import Picture

from eecluster import layout

NODES = layout.NODES
LABEL_ARGUMENTS = ("nodes", "EEPROMs", "number", "cluster id", "page size", "quorum")
STYLES = {  # what is not in a plain box
    "CRC-32": "c", "magic": "a", "version": "a", "place": "a", "revision": "a", "token": "a",
    "zero": "free",
}  # fmt: skip


class Field(NamedTuple):
    """Bytes that belong together."""

    at: int
    size: int
    name: str


def example_layout():
    """The largest cluster, on chips with 64-byte pages: an AT24C256."""
    return layout.Layout(NODES, layout.EEPROMS, 0, 5, 32768, 64, 0)


def label_fields():
    """The fields of a label."""
    zero = _label([0] * len(LABEL_ARGUMENTS))
    names = [""] * len(zero)
    for i, name in enumerate(LABEL_ARGUMENTS):
        for at in _differences(zero, _filled_label(i)):
            names[at] = name
    names[layout.LABEL_SIZE - 4 :] = ["CRC-32"] * 4  # it changes with each of them
    for at, name in enumerate(names):
        if not name:
            names[at] = "magic" if at < 4 else "version" if zero[at] else "zero"
    return _fields(names)


def _label(values):
    """The label that these arguments make."""
    made = example_layout()
    made.nodes, eeproms, number, cluster_id, page_size, quorum = values
    made.values = eeproms, cluster_id, page_size, quorum
    return made.label(number)


def _filled_label(which):
    """A label whose arguments are zero but one, which has the largest value that fits."""
    values = [0] * len(LABEL_ARGUMENTS)
    for bits in (32, 16):
        values[which] = (1 << bits) - 1
        try:
            return _label(values)
        except struct.error:
            continue
    values[which] = 0xFF
    return _label(values)


def slot_fields():
    """The fields of a slot of node 0; `sequence 3` and `strikes 3` are about node 3."""
    made = example_layout()
    names = [_name_of(made, at) for at in range(made.size)]
    for at in range(layout.CRC_AT, layout.PLACE_AT):
        names[at] = "CRC-32"
    names[layout.PLACE_AT] = "place"
    return _fields(names)


def _name_of(made, at):
    """The name of the field that a byte of a slot is in, "" if it is none of a record's."""
    data = bytearray(made.size)
    zero = vars(made.unpack(data, 0))
    data[at] = 0x1F
    for name, value in vars(made.unpack(data, 0)).items():
        if value != zero[name]:
            if name in ("seqs", "strikes"):
                number = _differences(value, zero[name])[0]
                return f"{'sequence' if name == 'seqs' else name} {number}"
            return name
    return ""


def _differences(one, other):
    return [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]


def _fields(names):
    """Neighbours of one name are one field."""
    found = []
    for at, name in enumerate(names):
        if found and found[-1].name == name:
            found[-1] = found[-1]._replace(size=found[-1].size + 1)
        else:
            found.append(Field(at, 1, name))
    return found


# Drawing

LEFT, CELL, ROW, TOP = 40, 98, 30, 34
IN_ROW = 4


def draw_pages():
    """The whole chip."""
    made = example_layout()
    page = len(made.blank)
    picture = Picture("The pages of an EEPROM: the label, then two copies of a slot per node", 350)
    picture.text(16, 22, "byte", "small")
    _cell(picture, 0, TOP, 392, f"page 0: label, {layout.LABEL_SIZE} bytes", "a", "0")
    for node in range(NODES):
        y = TOP + ROW * (node + 1)
        for copy in (0, 1):
            at = made.slots[2 * node + copy]
            text = f"page {at // page}: node {node}, {'AB'[copy]}"
            _cell(picture, 196 * copy, y, 196, text, ("box", "b")[copy], "" if copy else str(at))
    y = TOP + ROW * (NODES + 1)
    _cell(picture, 0, y, 392, f"free, to 32,767: {32768 - made.end:,} bytes", "free", str(made.end))
    return picture.svg()


def draw_label():
    return _draw_bytes("The label in page 0", label_fields(), layout.LABEL_SIZE)


def draw_slot():
    return _draw_bytes("A slot of a cluster of eight nodes", slot_fields(), example_layout().size)


def _draw_bytes(title, fields, size):
    """Rows of four bytes; a field that crosses the end of a row goes on in the next."""
    rows = -(-size // IN_ROW)
    picture = Picture(title, TOP + ROW * rows + 12)
    picture.text(16, 22, "byte", "small")
    for i in range(IN_ROW):
        picture.text(LEFT + CELL * (i + 0.5), 22, f"+{i}", "small", "middle")
    for row in range(rows):
        picture.text(34, TOP + ROW * row + 20, str(IN_ROW * row), "small", "end")
    for field in fields:
        _draw_field(picture, field)
    return picture.svg()


def _draw_field(picture, field):
    at, end = field.at, field.at + field.size
    while at < end:
        size = min(end - at, IN_ROW - at % IN_ROW)
        text = ("… " if at > field.at else "") + field.name + (" …" if at + size < end else "")
        x, y = CELL * (at % IN_ROW), TOP + ROW * (at // IN_ROW)
        _cell(picture, x, y, CELL * size, text, STYLES.get(field.name, "box"))
        at += size


def _cell(picture, x, y, width, text, style, byte=""):
    picture.box(LEFT + x, y, width - 2, ROW - 2, style, 3)
    picture.text(LEFT + x + width / 2, y + 19, text, "small", "middle")
    if byte:
        picture.text(34, y + 19, byte, "small", "end")
