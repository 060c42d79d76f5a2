"""The format on the EEPROMs: the only file that knows offsets. Stands on errors.

Big-endian. Page 0 of the cluster's area is the label, then come two copies, A and B, of a slot for each
node 0..7, each copy alone in its page (in two pages where a page has 32 bytes)::

    page  0      label
    page  1, 2   slot of node 0, copies A and B
    ...
    page 15, 16  slot of node 7, copies A and B      = 1,088 bytes with 64-byte pages

Label, 20 bytes. All of it follows from the arguments: boards that label at once write the same bytes::

    0  magic "eecl"     4  version   5  nodes    6  EEPROMs   7  number of this EEPROM
    8  cluster id (4)  12  page size (2)        14  quorum: 1 majority, 0 available   15  zero
    16 CRC-32 of bytes 0..15

Slot, 40 + 3 * nodes bytes, at most 64::

    0  primary   1  retry   2  dead   3  spare      the first version's bitmaps, bit i = node i
    4  revision (4)       orders the copies; grows with every write
    8  token (4)          the highest this node has ever read: epoch << 3 | 7 - node
    12 CRC-32 (4)         of bytes 0..11 and 17..end, seeded with cluster id and node
    16 place              node << 4 | number of the EEPROM
    17 flags              see RELEASED and its neighbours
    18 lost               EEPROMs that the last counted look missed
    19 n (2)              how often events were announced
    21 lineage (4)        primary: the token it replaced; with FELL: the token it lost
    25 clock (4)          this node's clock at its last counted look, seconds
    29 uid (4)            CRC-32 of the board's unique id; 0: none
    33 told (7)           what was announced: joined, suspect, dead, lost, split, stuck, twin
    40 sequences (2 each) own at the own place, else the one last seen of that node; 0: no beat yet
    .. runs (1 each)      looks in a row: +n silent (strikes), -n with a new beat; own: see rules

The EEPROM's number is outside the CRC, so that replicas of one record have one check sum, which serves as
its fingerprint; the number is checked against the place it was read from.
"""

import struct
from binascii import crc32

from .errors import LayoutError

NODES = 8
EEPROMS = 8

RELEASED = 1  # the token's owner stood down; the next member may claim
FELL = 2  # this node was primary, lost in a split brain, and `lineage` is the token it lost
FAILOVER_TOLD = 4  # this primary's takeover has been announced
STUCK = 8  # the lock could not be had; kept until announced
TWIN = 16  # a second board wrote this slot; kept until announced

HEAD_AT = 4  # revision, token, CRC and place: what tells replicas of a record apart
HEAD_SIZE = 13
CRC_AT = 12
CRC_SIZE = 4
PLACE_AT = 16
LABEL_SIZE = 20
BLANK = 0xFF

_LABEL = ">4sBBBBIHBB"
_MAGIC = b"eecl"
_VERSION = 1


def make_token(epoch, node):
    """The fencing token of ``node`` in ``epoch``: in one epoch the lowest node has the highest."""
    return epoch << 3 | 7 - node


def owner(token):
    """The node that may claim this token, and nobody else."""
    return 7 - (token & 7)


def revision_of(data):
    """The revision in a slot's bytes."""
    return int.from_bytes(data[4:8], "big")


class Record:
    """What a slot says, in plain numbers and lists; the fields are the layout's."""

    def __init__(self, nodes):
        self.primary = self.retry = self.dead = self.spare = 0
        self.revision = self.token = self.flags = self.lost = 0
        self.n = self.lineage = self.clock = self.uid = 0
        self.told = [0] * 7
        self.seqs = [0] * nodes
        self.runs = [0] * nodes


class Layout:
    """Addresses, labels and slots of one cluster on chips of one kind.

    ``size``, ``page_size`` and ``base`` in bytes. ``LayoutError`` if the pages do not fit.
    """

    def __init__(
        self, nodes, eeproms, cluster_id=0, majority=False, size=32768, page_size=64, base=0
    ):
        self.nodes = nodes
        self.eeproms = eeproms
        self.cluster_id = cluster_id
        self.majority = majority
        self.page_size = page_size
        self.base = base
        self.slot_pages = 1 if page_size >= 64 else 2
        self.end = base + (1 + 2 * NODES * self.slot_pages) * page_size
        if self.end > size or base % page_size:
            raise LayoutError(
                "base %d: needs %d bytes from a page boundary on, in a chip of %d bytes"
                % (base, self.end - base, size)
            )
        self._format = ">4BII4xBBBHIII7B%dH%db" % (nodes, nodes)
        self.slot_size = struct.calcsize(self._format)

    def slot(self, node, copy):
        """Address of copy 0 (A) or 1 (B) of a node's slot, in bytes."""
        if not (0 <= node < NODES and 0 <= copy <= 1):
            raise LayoutError("no slot for node %d, copy %d" % (node, copy))
        return self.base + (1 + (2 * node + copy) * self.slot_pages) * self.page_size

    def label(self, eeprom):
        """The label of EEPROM number ``eeprom``, 20 bytes."""
        text = struct.pack(
            _LABEL, _MAGIC, _VERSION, self.nodes, self.eeproms, eeprom,
            self.cluster_id, self.page_size, self.majority, 0,
        )  # fmt: skip
        return text + struct.pack(">I", crc32(text))

    def foreign_label(self, data):
        """What a valid label of another cluster, place or version says; None if it is no valid label."""
        if bytes(data[:4]) != _MAGIC or struct.unpack(">I", data[16:])[0] != crc32(data[:16]):
            return None
        return (
            "version %d, nodes %d, eeproms %d, number %d, cluster_id %d, page_size %d, majority %d"
            % (struct.unpack(_LABEL, data[:16])[1:8])
        )

    def crc(self, data, node):
        """The check sum that a slot of ``node`` must carry."""
        return crc32(data[17:], crc32(data[:12], crc32(bytes((node,)), self.cluster_id)))

    def valid(self, data, node, eeprom):
        """Is this an intact slot of ``node``, written to this EEPROM of this cluster?"""
        return data[PLACE_AT] == node << 4 | eeprom and struct.unpack_from(">I", data, CRC_AT)[
            0
        ] == self.crc(data, node)

    def pack(self, record, node, data):
        """Write a record into the bytearray ``data``, all but the EEPROM's number."""
        r = record
        struct.pack_into(
            self._format, data, 0, r.primary, r.retry, r.dead, r.spare, r.revision, r.token,
            node << 4, r.flags, r.lost, r.n, r.lineage, r.clock, r.uid, *(r.told + r.seqs + r.runs)
        )  # fmt: skip
        struct.pack_into(">I", data, CRC_AT, self.crc(data, node))

    def unpack(self, data):
        """The record in ``data``, which must be valid."""
        r = Record(self.nodes)
        v = struct.unpack(self._format, data)
        r.primary, r.retry, r.dead, r.spare, r.revision, r.token = v[:6]
        r.flags, r.lost, r.n, r.lineage, r.clock, r.uid = v[7:13]
        r.told = list(v[13:20])
        r.seqs = list(v[20 : 20 + self.nodes])
        r.runs = list(v[20 + self.nodes :])
        return r
