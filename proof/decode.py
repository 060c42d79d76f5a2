"""An oracle: what the bytes on a chip say, decoded without the library.

Written from the picture of the format in `eecluster/layout.py` alone: own offsets, own rules for
what is summed up, so that a mistake of the library in either cannot hide. Runs on CPython and on
MicroPython.
"""

from binascii import crc32

NODES = 8
LABEL_SIZE = 20
RELEASED, FELL, FAILOVER_TOLD, STUCK, TWIN = 1, 2, 4, 8, 16
TOLD = ("joined", "suspect", "dead", "lost", "split", "stuck", "twin")

# name: offset, bytes
_FIELDS = {
    "primary": (0, 1),
    "retry": (1, 1),
    "dead": (2, 1),
    "spare": (3, 1),
    "revision": (4, 4),
    "token": (8, 4),
    "flags": (17, 1),
    "lost": (18, 1),
    "n": (19, 2),
    "lineage": (21, 4),
    "clock": (25, 4),
    "uid": (29, 4),
}
_CRC_AT = 12
_PLACE_AT = 16
_TOLD_AT = 33
_SEQS_AT = 40


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
        self.slot_size = _SEQS_AT + 3 * nodes

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
        found["told"] = dict(zip(TOLD, raw[_TOLD_AT:_SEQS_AT]))
        found["seqs"] = [number(raw[i : i + 2]) for i in self._seqs()]
        first = _SEQS_AT + 2 * self.nodes
        found["runs"] = [b - 256 if b > 127 else b for b in raw[first : first + self.nodes]]
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
        runs_at = _SEQS_AT + 2 * self.nodes
        for name, value in fields.items():
            if name == "seqs":
                raw = b"".join([seq.to_bytes(2, "big") for seq in value])
                offset = _SEQS_AT
            elif name == "runs":
                raw = bytes([run & 0xFF for run in value])
                offset = runs_at
            else:
                offset, size = (_SEQS_AT + 2 * node, 2) if name == "seq" else _FIELDS[name]
                raw = value.to_bytes(size, "big")
            data[at + offset : at + offset + len(raw)] = raw
        raw = bytes(data[at : at + self.slot_size])
        data[at + _CRC_AT : at + _CRC_AT + 4] = self._check(raw, node).to_bytes(4, "big")

    def _seqs(self):
        return range(_SEQS_AT, _SEQS_AT + 2 * self.nodes, 2)

    def _check(self, raw, node):
        seed = crc32(bytes((node,)), self.cluster_id)
        return crc32(raw[17:], crc32(raw[:12], seed))
