"""The format on the EEPROMs: the only file that knows offsets. Stands on errors.

Big-endian. Page 0 of the cluster's area is the label, then come two copies, A and B, of a slot
for each node 0..7, each copy alone in its page (in two pages where a page has 32 bytes)::

    page  0      label
    page  1, 2   slot of node 0, copies A and B
    ...
    page 15, 16  slot of node 7, copies A and B      = 1,088 bytes with 64-byte pages

Label, 20 bytes. All of it follows from the arguments: boards that label at once write the same
bytes::

    0  magic "eecl"     4  version   5  nodes    6  EEPROMs   7  number of this EEPROM
    8  cluster id (4)  12  page size (2)        14  quorum: how many EEPROMs   15  zero
    16 CRC-32 of bytes 0..15

Slot, 48 + 2 * nodes bytes, at most 64::

    0  primary            bitmaps, bit i = node i: whom this node follows or is
    1  lost               EEPROMs that the last counted look missed
    2  dead   3  spare    dead nodes; nodes that somebody asks to take back
    4  revision (4)       orders the copies; grows with every write
    8  token (4)          the highest this node has ever read: epoch << 3 | 7 - node
    12 CRC-32 (4)         of bytes 0..11 and 17..end, seeded with cluster id and node
    16 place              node << 4 | number of the EEPROM
    17 flags (2)          1 released: the token's owner stood down; the next member may claim
                          2 rivalled: was primary, lost in a split brain; its token is in lineage
                          4 takeover: this primary's has been announced
                          8 shared: another board wrote this slot; kept until announced
                          16, 32 the lock, kept until announced: 16 stuck, 32 late, 48 open
                          64 beaten: there was a beat since the last counted look
                          128 clock stands: others' beats moved, this node's clock did not
                          256 admitted: another board's slot, taken over by request
    19 n (4)              how often events were announced
    23 lineage (4)        primary: the token it replaced; with rivalled: the token it lost
    27 clock (4)          this node's clock at its last counted look, seconds
    31 uid (4)            CRC-32 of the board's unique id; 0: none
    35 incarnation (2)    drawn by a cold start; tells one life of the cluster from the next
    37 deaths (2)         2 bits for each node: how often it died lately
    39 settings           a check of what must be equal on all boards; see config
    40 announced (8)      joined, suspect, dead, lost, split, lock, duplicate, settings
    48 sequences (1 each) own at the own place, else the one last seen of that node; 0: no beat yet
    .. strikes (1 each)   looks in a row: +n silent, -n with a new beat; own: see rules

The EEPROM's number is outside the CRC, so that replicas of one record have one check sum, which
serves as its fingerprint; the number is checked against the place it was read from.
"""

import struct
from binascii import crc32

from .errors import LayoutError

NODES = 8
EEPROMS = 8

HEAD_AT = 4  # revision, token, CRC and place: what tells replicas of a record apart
HEAD_SIZE = 13
CRC_AT = 12
PLACE_AT = 16
LOST_AT = 1
UID_AT = 31
LABEL_SIZE = 20
BLANK = 0xFF

JOINED = 0  # places in what was announced
SUSPECT = 1
DEAD = 2
LOST = 3
SPLIT = 4
LOCK = 5
DUPLICATE = 6
SETTINGS = 7

RELEASED = 1  # in Record.flags
RIVALLED = 2
TAKEOVER = 4
SHARED = 8
STUCK = 16  # somebody else had the lock
LATE = 32  # this node was too slow for it
OPEN = 48  # it lets others in as well; also the mask of these three
BEATEN = 64
STANDS = 128
ADMITTED = 256
REPORTS = 314  # RIVALLED, SHARED, OPEN and ADMITTED: kept until somebody has seen them


def owner(token):
    """The node that may claim this token, and nobody else: token = epoch << 3 | 7 - node.

    So within one epoch the lowest numbered node has the highest token.
    """
    return 7 - (token & 7)


class Record:
    """What a slot says, in numbers and lists named as in the layout; ``node``: whose slot it is."""

    def __init__(self, node, nodes, values):
        self.node = node
        self.primary, self.lost, self.dead, self.spare, self.revision, self.token = values[:6]
        self.flags, self.n, self.lineage, self.clock, self.uid = values[8:13]
        self.incarnation, self.deaths, self.settings = values[13:16]
        self.announced = list(values[16:24])
        self.seqs = list(values[24 : 24 + nodes])
        self.strikes = list(values[24 + nodes :])


class Layout:
    """Addresses, labels and slots of one cluster on chips of one kind.

    ``size``, ``page_size`` and ``base`` in bytes. ``LayoutError`` if the pages do not fit.
    """

    def __init__(self, nodes, eeproms, cluster_id, quorum, size, page_size, base):
        self.nodes = nodes
        self.values = eeproms, cluster_id, page_size, quorum
        self.blank = bytes([BLANK]) * page_size
        self.base = base
        stride = max(page_size, 64)
        self.end = base + page_size + 2 * NODES * stride
        self.slots = range(base + page_size, self.end, stride)
        if self.end > size or base % page_size:
            raise LayoutError(
                "base %d: %d bytes from a page boundary do not fit %d"
                % (base, self.end - base, size)
            )
        self.format = ">4BIIIBHIIIIHHB8B%dB%db" % (nodes, nodes)
        self.size = struct.calcsize(self.format)

    def label(self, k):
        """The label of EEPROM number ``k``, 20 bytes."""
        eeproms, cluster_id, page_size, quorum = self.values
        text = struct.pack(
            ">4s4BIHBB", b"eecl", 1, self.nodes, eeproms, k, cluster_id, page_size, quorum, 0
        )  # fmt: skip
        return text + struct.pack(">I", crc32(text))

    def whole(self, label):
        """Is this a label, of whatever cluster and EEPROM?"""
        return label[:4] == b"eecl" and label[16:] == struct.pack(">I", crc32(label[:16]))

    def crc(self, data, node):
        """The check sum that a slot of ``node`` must carry."""
        total = crc32(data[17:], crc32(data[:12], crc32(bytes((node,)), self.values[1])))
        return struct.pack(">I", total)

    def new(self, node):
        """The record of a node that has none yet."""
        return Record(node, self.nodes, (0,) * (24 + 2 * self.nodes))

    def intact(self, data, node, k):
        """Is ``data`` a valid slot of ``node``, written to EEPROM ``k``?"""
        return data[PLACE_AT] == node << 4 | k and data[CRC_AT:PLACE_AT] == self.crc(data, node)

    def rank(self, data):
        """What orders valid copies of one slot: revision, token, and the lower uid first."""
        revision, token = struct.unpack_from(">II", data, 4)
        return revision, token, -struct.unpack_from(">I", data, UID_AT)[0]

    def unpack(self, data, node):
        """The record in ``data``, an intact slot of ``node``."""
        return Record(node, self.nodes, struct.unpack(self.format, data))

    def pack(self, mine, data):
        """Write a record into the bytearray ``data``; Slots sets the EEPROM number in its place."""
        struct.pack_into(
            self.format, data, 0, mine.primary, mine.lost, mine.dead, mine.spare, mine.revision,
            mine.token, 0, mine.node << 4, mine.flags, mine.n, mine.lineage, mine.clock, mine.uid,
            mine.incarnation, mine.deaths, mine.settings,
            *(mine.announced + mine.seqs + mine.strikes)
        )  # fmt: skip
        data[CRC_AT:PLACE_AT] = self.crc(data, mine.node)
