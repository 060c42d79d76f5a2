"""The format, byte for byte: golden labels and slots worked out by hand, addresses, refusals.

The hex was written from the picture in `eecluster/layout.py`; its check sums come from Python's
zlib and are computed once more by the decoder of the tests.
"""

from binascii import unhexlify

from proof.decode import crc32

from eecluster.eeprom import Eeproms
from eecluster.errors import LayoutError
from eecluster.layout import (
    ADMITTED,
    BEATEN,
    LATE,
    NODES,
    OPEN,
    RELEASED,
    REPORTS,
    RIVALLED,
    SHARED,
    STANDS,
    STUCK,
    TAKEOVER,
    Layout,
    owner,
)
from support import raises

CLUSTER_ID = 0x01020304
FIELDS = (
    "node", "primary", "lost", "dead", "spare", "revision", "token", "flags", "n", "lineage",
    "clock", "uid", "incarnation", "deaths", "settings", "announced", "seqs", "strikes",
)  # fmt: skip
# from the picture: the number in front of each flag
FLAGS = (
    (RELEASED, 1), (RIVALLED, 2), (TAKEOVER, 4), (SHARED, 8), (STUCK, 16), (LATE, 32),
    (OPEN, 48), (BEATEN, 64), (STANDS, 128), (ADMITTED, 256),
)  # fmt: skip


def layout(nodes=2, eeproms=2, cluster_id=0, quorum=1, size=32768, page_size=64, base=0):
    return Layout(nodes, eeproms, cluster_id, quorum, size, page_size, base)


def from_hex(text):
    return unhexlify(text.replace(" ", "").replace("\n", ""))


def packed(format, mine, k):
    """The slot as it is written to EEPROM number k."""
    data = bytearray(format.size)
    format.pack(mine, data)
    data[16] |= k
    return bytes(data)


# Labels


LABELS = (
    # nodes, EEPROMs, number, cluster id, page size, quorum; then the bytes:
    # magic       ver nodes EEPROMs number  cluster id   page   quorum zero  CRC-32
    ((2, 2, 0, 0, 64, 1), "65 65 63 6c  01 02 02 00  00 00 00 00  00 40  01 00  14 52 b0 e9"),
    ((2, 2, 1, 0, 64, 1), "65 65 63 6c  01 02 02 01  00 00 00 00  00 40  01 00  03 29 a4 aa"),
    (
        (8, 3, 2, 0xDEADBEEF, 256, 2),
        "65 65 63 6c  01 08 03 02  de ad be ef  01 00  02 00  6b 6d e6 38",
    ),
    (
        (1, 1, 0, 0xFFFFFFFF, 32, 1),
        "65 65 63 6c  01 01 01 00  ff ff ff ff  00 20  01 00  b4 8d 86 5d",
    ),
)


def test_label_bytes():
    for (nodes, eeproms, k, cluster_id, page, quorum), text in LABELS:
        golden = from_hex(text)
        assert len(golden) == 20
        assert int.from_bytes(golden[16:], "big") == crc32(golden[:16])
        made = layout(nodes, eeproms, cluster_id, quorum, 32768, page).label(k)
        assert made == golden, (k, made)


def test_label_does_not_depend_on_base_and_size():
    assert layout(base=1024, size=8192).label(1) == layout().label(1)


# Slots


# node 1 of 2, EEPROM 1
TWO = from_hex(
    "02 01 80 04"  # primary, lost, dead, spare
    "00 00 01 02  00 00 00 1e"  # revision; token: epoch 3, 7 - 1
    "de aa f3 e8  11"  # CRC; node 1, EEPROM 1
    "01 45  01 02 03 04"  # flags: released, takeover, beaten, admitted; n
    "00 00 00 17  38 6d 43 80  de ad be ef"  # lineage, clock, uid
    "ab cd  00 0d  fa"  # incarnation; deaths: node 0 once, node 1 three times; settings
    "01 02 03 04 05 06 07 08"  # announced
    "ff 01"  # sequences
    "7f 81"  # strikes: 127, -127
)
# node 7 of 8, EEPROM 7
EIGHT = from_hex(
    "80 42 24 18"
    "ff fe fd fc  ff ff ff f8"  # token: the highest that node 7 can own
    "71 30 67 22  77"
    "00 ba  ff ff ff ff"  # flags: rivalled, shared, the lock is open, the clock stands
    "12 34 56 78  00 00 00 01  00 00 00 00"
    "ff fe  c6 39  00"  # deaths of nodes 0 to 7: 1, 2, 3, 0, 2, 1, 0, 3
    "80 40 20 10 08 04 02 01"
    "01 02 03 04 05 06 07 ab"
    "01 ff 00 02 fe 00 03 fd"  # 1, -1, 0, 2, -2, 0, 3, -3
)


def record_of_two():
    mine = layout().new(1)
    mine.primary, mine.lost, mine.dead, mine.spare = 2, 1, 0x80, 4
    mine.revision, mine.token = 0x102, 3 << 3 | 6
    mine.flags = RELEASED | TAKEOVER | BEATEN | ADMITTED
    mine.n = 0x1020304
    mine.lineage, mine.clock, mine.uid = 0x17, 0x386D4380, 0xDEADBEEF
    mine.incarnation, mine.deaths, mine.settings = 0xABCD, 1 | 3 << 2, 250
    mine.announced = [1, 2, 3, 4, 5, 6, 7, 8]
    mine.seqs = [255, 1]
    mine.strikes = [127, -127]
    return mine


def record_of_eight():
    mine = layout(8, 8).new(7)
    mine.primary, mine.lost, mine.dead, mine.spare = 0x80, 0x42, 0x24, 0x18
    mine.revision, mine.token = 0xFFFEFDFC, 0xFFFFFFF8
    mine.flags = RIVALLED | SHARED | OPEN | STANDS
    mine.n = 0xFFFFFFFF
    mine.lineage, mine.clock, mine.uid = 0x12345678, 1, 0
    mine.incarnation, mine.settings = 0xFFFE, 0
    mine.deaths = 1 | 2 << 2 | 3 << 4 | 2 << 8 | 1 << 10 | 3 << 14
    mine.announced = [0x80, 0x40, 0x20, 0x10, 8, 4, 2, 1]
    mine.seqs = [1, 2, 3, 4, 5, 6, 7, 0xAB]
    mine.strikes = [1, -1, 0, 2, -2, 0, 3, -3]
    return mine


def test_golden_check_sums():
    for golden, node, cluster_id in ((TWO, 1, CLUSTER_ID), (EIGHT, 7, 0)):
        check = crc32(golden[17:], crc32(golden[:12], crc32(bytes((node,)), cluster_id)))
        assert int.from_bytes(golden[12:16], "big") == check


def test_slot_bytes_of_two_nodes():
    assert packed(layout(cluster_id=CLUSTER_ID), record_of_two(), 1) == TWO


def test_slot_bytes_of_eight_nodes():
    assert packed(layout(8, 8), record_of_eight(), 7) == EIGHT


def same(a, b):
    for name in FIELDS:
        assert getattr(a, name) == getattr(b, name), name


def test_unpack_golden_slots():
    for format, golden, made in (
        (layout(cluster_id=CLUSTER_ID), TWO, record_of_two()),
        (layout(8, 8), EIGHT, record_of_eight()),
    ):
        assert format.intact(golden, made.node, golden[16] & 15)
        found = format.unpack(golden, made.node)
        same(found, made)
        assert packed(format, found, golden[16] & 15) == golden


def test_sizes():
    sizes = [layout(nodes).size for nodes in range(1, 9)]
    assert sizes == [50, 52, 54, 56, 58, 60, 62, 64]


def test_a_new_record_is_zero():
    data = packed(layout(), layout().new(0), 0)
    assert data[:12] == bytes(12)
    assert data[16:] == bytes(52 - 16)


def test_the_first_four_bytes():
    for at, name in enumerate(("primary", "lost", "dead", "spare")):
        mine = layout(8).new(3)
        setattr(mine, name, 0b1000_0001)
        expected = [0, 0, 0, 0]
        expected[at] = 0b1000_0001
        assert list(packed(layout(8), mine, 0)[:4]) == expected, name


def test_each_flag_has_its_bit():
    for flag, bit in FLAGS:
        mine = layout().new(0)
        mine.flags = flag
        data = packed(layout(), mine, 0)
        assert data[17] << 8 | data[18] == bit, bit
        assert layout().unpack(data, 0).flags == flag


def test_the_lock_has_two_bits():
    assert STUCK | LATE == OPEN
    others = [flag for flag, _ in FLAGS if flag not in (STUCK, LATE, OPEN)]
    assert not any([flag & OPEN for flag in others])
    assert sum(others) + OPEN == 0x1FF  # each bit is one of theirs


def test_which_flags_are_reports():
    assert REPORTS == RIVALLED | SHARED | OPEN | ADMITTED


def test_a_flag_that_is_taken_back_is_gone():
    mine = layout().unpack(packed(layout(), record_of_two(), 0), 1)
    mine.flags &= ~RELEASED
    assert packed(layout(), mine, 0)[17:19] == bytes((1, 0x44))


def test_each_node_has_two_bits_of_deaths():
    for node in range(8):
        mine = layout(8, 8).new(0)
        mine.deaths = 3 << 2 * node
        data = packed(layout(8, 8), mine, 0)
        expected = [0, 0]
        expected[1 - node // 4] = 3 << 2 * (node % 4)
        assert list(data[37:39]) == expected, node


def test_replicas_differ_in_the_number_of_the_eeprom_only():
    one, other = (packed(layout(8, 8), record_of_eight(), k) for k in (0, 5))
    assert [i for i in range(64) if one[i] != other[i]] == [16]
    assert (one[16], other[16]) == (0x70, 0x75)


# What is not a valid slot


def test_a_slot_is_valid_in_its_place_only():
    format = layout(cluster_id=CLUSTER_ID)
    for node in range(8):
        for k in range(8):
            assert format.intact(TWO, node, k) == ((node, k) == (1, 1))


def test_another_place_byte_does_not_make_another_nodes_slot():
    moved = bytearray(TWO)
    moved[16] = 0x01  # claims to be of node 0; the check sum knows better
    assert not layout(cluster_id=CLUSTER_ID).intact(moved, 0, 1)


def test_a_slot_of_another_cluster_is_refused():
    assert not layout(cluster_id=CLUSTER_ID + 1).intact(TWO, 1, 1)


def test_any_flipped_bit_is_refused():
    for format, golden, node in ((layout(cluster_id=CLUSTER_ID), TWO, 1), (layout(8, 8), EIGHT, 7)):
        data = bytearray(golden)
        for at in range(len(data)):
            for bit in range(8):
                data[at] ^= 1 << bit
                assert not format.intact(data, node, golden[16] & 15), (at, bit)
                data[at] ^= 1 << bit


def test_blank_and_zero_are_refused():
    for node in range(8):
        for k in range(8):
            assert not layout(8, 8).intact(b"\xff" * 64, node, k)
            assert not layout(8, 8).intact(bytes(64), node, k)


# Order and owners


def test_copies_are_ordered_by_revision_token_and_the_lower_uid():
    def rank(revision, token, uid):
        mine = layout().new(0)
        mine.revision, mine.token, mine.uid = revision, token, uid
        return layout().rank(packed(layout(), mine, 0))

    ascending = (
        rank(0, 0xFFFFFFFF, 0),
        rank(1, 7, 2),
        rank(1, 7, 1),
        rank(1, 15, 0xFFFFFFFF),
        rank(1, 15, 1),
        rank(0x100, 0, 0),
        rank(0x80000000, 0, 0),
    )
    for i in range(1, len(ascending)):
        assert ascending[i - 1] < ascending[i], i
    assert ascending[1][:2] == (1, 7)


def test_owner_of_a_token():
    table = ((7, 0), (6, 1), (0, 7), (15, 0), (8, 7), (3 << 3 | 6, 1), (0xFFFFFFF8, 7))
    for token, node in table:
        assert owner(token) == node, token
    # within an epoch the lowest numbered node has the highest token, above all of the epoch before
    tokens = [epoch << 3 | 7 - node for epoch in (1, 2) for node in range(7, -1, -1)]
    assert tokens == sorted(tokens)
    assert [owner(token) for token in tokens] == [7, 6, 5, 4, 3, 2, 1, 0] * 2


# Addresses


def test_addresses():
    table = (
        # page, base, copies A and B of node 0, copy B of node 7, end
        (32, 0, 32, 96, 992, 1056),
        (64, 0, 64, 128, 1024, 1088),
        (128, 0, 128, 256, 2048, 2176),
        (256, 0, 256, 512, 4096, 4352),
        (32, 32, 64, 128, 1024, 1088),
        (64, 1024, 1088, 1152, 2048, 2112),
        (128, 128, 256, 384, 2176, 2304),
        (256, 28416, 28672, 28928, 32512, 32768),
    )
    for page, base, a, b, last, end in table:
        format = layout(8, 8, page_size=page, base=base)
        assert (format.base, format.end) == (base, end), (page, base)
        assert len(format.slots) == 2 * NODES
        assert (format.slots[0], format.slots[1], format.slots[15]) == (a, b, last), (page, base)


def test_each_copy_is_alone_in_its_pages():
    for page in (32, 64, 128, 256):
        format = layout(8, 8, page_size=page, base=page)
        pages = {format.base // page}
        taken = 1
        for at in format.slots:
            mine = range(at // page, (at + format.size - 1) // page + 1)
            assert at % page == 0
            pages.update(mine)
            taken += len(mine)
        assert len(pages) == taken, page
        assert min(pages) == 1
        assert (max(pages) + 1) * page <= format.end


def test_nodes_do_not_move_the_slots():
    assert list(layout(1).slots) == list(layout(8).slots)


def test_pages_that_do_not_fit():
    fits = ((1088, 64, 0), (1056, 32, 0), (4352, 256, 0), (32768, 64, 32768 - 1088))
    for size, page, base in fits:
        layout(size=size, page_size=page, base=base)
        with raises(LayoutError, "base %d" % base, "do not fit %d" % (size - 1)):
            layout(size=size - 1, page_size=page, base=base)
        with raises(LayoutError, "base %d" % (base + page)):
            layout(size=size, page_size=page, base=base + page)


def test_base_is_a_page_boundary():
    for page, base in ((64, 1), (64, 32), (32, 16), (128, 64), (256, 255), (64, 63)):
        with raises(LayoutError, "page boundary"):
            layout(page_size=page, base=base)


# Nothing outside


class Recorder:
    """Only notes what it should write; it is its own timer."""

    def __init__(self):
        self.written = []

    def writeto_mem(self, address, at, data, addrsize):
        self.written.append((address, at, len(data), addrsize))

    def ticks_us(self):
        return 0


def test_nothing_outside_is_written():
    for page, base in ((32, 0), (64, 0), (64, 1024), (128, 256), (256, 512)):
        format = layout(page_size=page, base=base)
        i2c = Recorder()
        chips = Eeproms(i2c, (0x50, 0x51), format, i2c, 0)
        for at, count in (
            (base - 1, 1),
            (base - page, page),
            (-1, 1),
            (base - 1, 2),
            (format.end, 1),
            (format.end - 1, 2),
            (format.end - page + 1, page),
            (32767, 1),
            (65536 + base, 1),
        ):
            with raises(LayoutError, "0x51", "byte %d" % at):
                chips.write(1, at, bytes(count))
        assert i2c.written == []
        chips.write(1, base, bytes(page))
        chips.write(0, format.end - 1, bytes(1))
        chips.write(0, format.end - page, bytes(page))
        assert i2c.written == [
            (0x51, base, page, 16),
            (0x50, format.end - 1, 1, 16),
            (0x50, format.end - page, page, 16),
        ]
