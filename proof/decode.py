"""An oracle: what the bytes on a chip say, decoded without the library.

Written from the picture of the format in `eecluster/layout.py` alone: own offsets, own rules for
what is summed up, so that a mistake of the library in either cannot hide. Runs on CPython and on
MicroPython.
"""

from binascii import crc32

NODES = 8
LABEL_SIZE = 20
RELEASED, RIVALLED, TAKEOVER_ANNOUNCED, DUPLICATE = 1, 2, 4, 8
LOCK_STUCK, LOCK_LATE, BEATEN, CLOCK_STANDS, ADMITTED = 16, 32, 64, 128, 256
ANNOUNCED = ("joined", "suspect", "dead", "lost", "split", "lock", "duplicate", "settings")

# name: offset, bytes
_FIELDS = {
    "primary": (0, 1),
    "lost": (1, 1),
    "dead": (2, 1),
    "spare": (3, 1),
    "revision": (4, 4),
    "token": (8, 4),
    "flags": (17, 2),
    "n": (19, 4),
    "lineage": (23, 4),
    "clock": (27, 4),
    "uid": (31, 4),
    "incarnation": (35, 2),
    "deaths": (37, 2),
    "settings": (39, 1),
}
_CRC_AT = 12
_PLACE_AT = 16
_ANNOUNCED_AT = 40
_SEQS_AT = 48


def number(data):
    """A big-endian number."""
    return int.from_bytes(bytes(data), "big")


class Format:
    """Where the cluster's pages are on a chip, and what stands in them."""

    def __init__(self, nodes, eeproms, page=64, base=0, cluster_id=0, majority=None):
        self.nodes = nodes
        self.eeproms = eeproms
        self.page = page
        self.base = base
        self.cluster_id = cluster_id
        majority = eeproms > 2 if majority is None else majority
        self.quorum = eeproms // 2 + 1 if majority else 1
        self.copy_size = page if page >= 64 else 2 * page
        self.end = base + page + 2 * NODES * self.copy_size
        self.slot_size = _SEQS_AT + 2 * nodes

    def address(self, node, copy):
        """Where copy 0 (A) or 1 (B) of a node's slot begins."""
        return self.base + self.page + (2 * node + copy) * self.copy_size

    def label_is_good(self, data, eeprom):
        """Does the chip carry the label of EEPROM number `eeprom` of this cluster?"""
        label = bytes(data[self.base : self.base + LABEL_SIZE])
        return (
            label[:4] == b"eecl"
            and label[4] == 1
            and label[5] == self.nodes
            and label[6] == self.eeproms
            and label[7] == eeprom
            and number(label[8:12]) == self.cluster_id
            and number(label[12:14]) == self.page
            and label[14] == self.quorum
            and label[15] == 0
            and number(label[16:20]) == crc32(label[:16])
        )

    def slot(self, data, eeprom, node, copy):
        """One copy as a dict, or None if it is not a valid record of that node for that chip."""
        at = self.address(node, copy)
        raw = bytes(data[at : at + self.slot_size])
        if raw[_PLACE_AT] != node << 4 | eeprom or number(raw[12:16]) != self._check(raw, node):
            return None
        found = {}
        for name, (offset, size) in _FIELDS.items():
            found[name] = number(raw[offset : offset + size])
        found["announced"] = dict(zip(ANNOUNCED, raw[_ANNOUNCED_AT:_SEQS_AT]))
        first = _SEQS_AT + self.nodes
        found["seqs"] = list(raw[_SEQS_AT:first])
        found["strikes"] = [b - 256 if b > 127 else b for b in raw[first : first + self.nodes]]
        return found

    def newest(self, data, eeprom, node):
        """The valid copy with the highest revision on this chip, or None."""
        best = None
        for copy in (0, 1):
            found = self.slot(data, eeprom, node, copy)
            if found and (best is None or found["revision"] > best["revision"]):
                best = found
        return best

    def patch(self, data, eeprom, node, copy, **fields):
        """Change fields of a valid copy on the chip and mend its CRC. `seq`: its own sequence."""
        assert self.slot(data, eeprom, node, copy), "no valid slot to patch"
        at = self.address(node, copy)
        strikes_at = _SEQS_AT + self.nodes
        for name, value in fields.items():
            if name == "seqs":
                raw = bytes(value)
                offset = _SEQS_AT
            elif name == "strikes":
                raw = bytes([count & 0xFF for count in value])
                offset = strikes_at
            else:
                offset, size = (_SEQS_AT + node, 1) if name == "seq" else _FIELDS[name]
                raw = value.to_bytes(size, "big")
            data[at + offset : at + offset + len(raw)] = raw
        raw = bytes(data[at : at + self.slot_size])
        data[at + _CRC_AT : at + _CRC_AT + 4] = self._check(raw, node).to_bytes(4, "big")

    def _check(self, raw, node):
        seed = crc32(bytes((node,)), self.cluster_id)
        return crc32(raw[17:], crc32(raw[:12], seed))
