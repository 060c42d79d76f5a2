"""What the EEPROMs say, read from their bytes: the demo's judge.

It decodes the format (see `eecluster/layout.py`) by itself, so that a mistake of the library's own
reading cannot hide from it.
"""

import struct
import zlib

PAGE = 64
NODES_MAX = 8


class Slot:
    """One valid copy of a node's slot. Bitmaps: bit i = node i. seqs: own at the own place."""

    def __init__(self, data: bytes, nodes: int):
        self.primary, _, self.dead = data[:3]
        self.revision, self.token = struct.unpack_from(">II", data, 4)
        self.seqs = data[48 : 48 + nodes]
        self.strikes = struct.unpack_from(f"{nodes}b", data, 48 + nodes)


class Truth:
    """The state of the cluster by the bytes of these chips (chip i is EEPROM i).

    slots[i]  the newest valid slot of node i, or None
    token     the highest anywhere
    primary   the node that it names, if that node's slot says so too, else None
    """

    def __init__(self, chips: list, nodes: int):
        copies = [[*_slots(chips, nodes, node)] for node in range(nodes)]
        self.slots = [max(found, key=lambda s: s.revision, default=None) for found in copies]
        self.token = max((slot.token for found in copies for slot in found), default=0)
        owner = 7 - (self.token & 7)
        slot = self.slots[owner] if self.token and owner < nodes else None
        named = slot is not None and slot.token == self.token and slot.primary >> owner & 1
        self.primary = owner if named else None

    def beats(self, node: int) -> int:
        """The node's own sequence number, 0 without a beat."""
        slot = self.slots[node]
        return slot.seqs[node] if slot else 0

    def dead(self, node: int) -> bool:
        """Does the primary say that it is dead?"""
        slot = self.slots[self.primary] if self.primary is not None else None
        return bool(slot and slot.dead >> node & 1)

    def suspected_by(self, node: int) -> list[int]:
        """Who counts strikes of it, and does not know it to be dead."""
        return [
            i
            for i, slot in enumerate(self.slots)
            if slot and i != node and slot.strikes[node] > 0 and not slot.dead >> node & 1
        ]


def _slots(chips: list, nodes: int, node: int):
    for number, chip in enumerate(chips):
        if not (chip.plugged and chip.powered):
            continue
        for copy in (0, 1):
            at = PAGE * (1 + 2 * node + copy)
            data = bytes(chip.data[at : at + 48 + 2 * nodes])
            if data[16] == node << 4 | number and _crc(data, node) == data[12:16]:
                yield Slot(data, nodes)


def _crc(data: bytes, node: int) -> bytes:
    """Of all but itself and the place, seeded with the cluster id (0 here) and the node."""
    crc = zlib.crc32(bytes([node]), 0)
    crc = zlib.crc32(data[:12], crc)
    return zlib.crc32(data[17:], crc).to_bytes(4, "big")


def newest_token(chip, nodes: int) -> int:
    """The highest token on one chip's bytes, plugged or not, whatever its number."""
    tokens = [0]
    for page in range(1, 1 + 2 * nodes):
        data = bytes(chip.data[PAGE * page : PAGE * page + 48 + 2 * nodes])
        if _crc(data, (page - 1) // 2) == data[12:16]:
            tokens.append(Slot(data, nodes).token)
    return max(tokens)
