"""What must hold for any record, any damage and any view: examples by hypothesis, which prints how
to replay one that fails.
"""

from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from proof.decode import Format

from eecluster import rules, takeover
from eecluster.bitmap import bits, ids
from eecluster.config import Config
from eecluster.eeprom import Eeproms
from eecluster.errors import LayoutError
from eecluster.layout import Layout, Record, owner
from eecluster.slots import View

BYTE = st.integers(0, 0xFF)
HALF = st.integers(0, 0xFFFF)
WORD = st.integers(0, 0xFFFFFFFF)
FIELDS = {
    "primary": BYTE,
    "lost": BYTE,
    "dead": BYTE,
    "spare": BYTE,
    "revision": WORD,
    "token": WORD,
    "flags": HALF,
    "n": WORD,
    "lineage": WORD,
    "clock": WORD,
    "uid": WORD,
    "incarnation": HALF,
    "deaths": HALF,
    "settings": BYTE,
}


@st.composite
def layouts(draw):
    """Any layout that fits its chip."""
    page = draw(st.sampled_from((32, 64, 128, 256)))
    base = page * draw(st.integers(0, 16))
    return Layout(
        draw(st.integers(1, 8)), draw(st.integers(1, 8)), draw(WORD), 1, 16384, page, base
    )


@st.composite
def records(draw, layout, node):
    """Any record of a node, as far as a slot has room for it."""
    made = layout.new(node)
    for name, values in FIELDS.items():
        setattr(made, name, draw(values))
    made.announced = draw(st.lists(BYTE, min_size=8, max_size=8))
    made.seqs = draw(st.lists(BYTE, min_size=layout.nodes, max_size=layout.nodes))
    strikes = st.integers(-128, 127)
    made.strikes = draw(st.lists(strikes, min_size=layout.nodes, max_size=layout.nodes))
    return made


def packed(layout: Layout, mine: Record, k: int) -> bytearray:
    data = bytearray(layout.size)
    layout.pack(mine, data)
    data[16] |= k
    return data


@st.composite
def slots(draw):
    """(layout, record, node, EEPROM, its slot there)."""
    layout = draw(layouts())
    node = draw(st.integers(0, layout.nodes - 1))
    k = draw(st.integers(0, layout.values[0] - 1))
    mine = draw(records(layout, node))
    return layout, mine, node, k, packed(layout, mine, k)


# The format


@given(slots())
def test_pack_and_unpack(slot):
    layout, mine, node, k, data = slot
    assert layout.intact(data, node, k)
    found = layout.unpack(data, node)
    for name in (*FIELDS, "node", "announced", "seqs", "strikes"):
        assert getattr(found, name) == getattr(mine, name), name
    assert packed(layout, found, k) == data


@given(slots())
def test_the_decoder_of_the_tests_reads_the_same(slot):
    layout, mine, node, k, data = slot
    eeproms, cluster_id, page, _ = layout.values
    oracle = Format(layout.nodes, eeproms, page, layout.base, cluster_id)
    assert list(layout.slots) == [oracle.address(i >> 1, i & 1) for i in range(16)]
    assert (layout.end, layout.size) == (oracle.end, oracle.slot_size)
    chip = bytearray(16384)
    at = oracle.address(node, 1)
    chip[at : at + len(data)] = data
    found = oracle.slot(chip, k, node, 1)
    assert found is not None
    for name in FIELDS:
        assert found[name] == getattr(mine, name), name
    assert (found["seqs"], found["strikes"]) == (mine.seqs, mine.strikes)
    assert list(found["announced"].values()) == mine.announced


@given(slots(), st.data())
def test_a_corrupted_byte_is_refused(slot, data):
    layout, _, node, k, golden = slot
    at = data.draw(st.integers(0, layout.size - 1), "byte")
    golden[at] ^= data.draw(st.integers(1, 255), "damage")
    assert not layout.intact(golden, node, k)


@given(slots(), st.integers(0, 15))
def test_the_number_of_the_eeprom_is_checked_by_place_alone(slot, other):
    """Replicas have one check sum, so this half of a byte is all that tells them apart."""
    layout, _, node, k, golden = slot
    golden[16] = golden[16] & 0xF0 | other
    assert layout.intact(golden, node, k) == (other == k)
    assert layout.intact(golden, node, other)


@given(slots(), st.data())
def test_a_torn_slot_is_refused(slot, data):
    """The beginning of a new record over the rest of an old one."""
    layout, _, node, k, old = slot
    new = packed(layout, data.draw(records(layout, node), "new"), k)
    torn_at = data.draw(st.integers(1, layout.size - 1), "torn at")
    torn = new[:torn_at] + old[torn_at:]
    if torn not in (old, new):
        assert not layout.intact(torn, node, k)


@given(slots(), st.data())
def test_a_slot_with_blank_bytes_is_refused(slot, data):
    layout, _, node, k, golden = slot
    start = data.draw(st.integers(0, layout.size - 1), "from")
    end = data.draw(st.integers(start + 1, layout.size), "to")
    blank = golden[:start] + b"\xff" * (end - start) + golden[end:]
    if blank != golden:
        assert not layout.intact(blank, node, k)


@given(slots(), st.integers(0, 7), st.integers(0, 7))
def test_a_slot_is_valid_in_one_place(slot, node, k):
    layout, _, its_node, its_k, golden = slot
    assert layout.intact(golden, node, k) == ((node, k) == (its_node, its_k))


@given(slots(), WORD)
def test_a_slot_is_valid_in_one_cluster(slot, cluster_id):
    layout, _, node, k, golden = slot
    other = Layout(layout.nodes, 8, cluster_id, 1, 16384, 64, 0)
    assert other.intact(golden, node, k) == (cluster_id == layout.values[1])


@given(layouts(), st.integers(0, 7))
def test_labels(layout, k):
    label = layout.label(k)
    assert len(label) == 20
    assert label[:5] == b"eecl\x01"
    assert int.from_bytes(label[16:], "big") == crc32(label[:16])
    assert len({layout.label(i) for i in range(8)}) == 8


class _Recorder:
    """Notes what it should write; its own timer."""

    def __init__(self):
        self.written = []

    def writeto_mem(self, _address, at, data, **_options):
        self.written.append(range(at, at + len(data)))

    def ticks_us(self):
        return 0


@given(layouts(), st.integers(-70000, 70000), st.integers(0, 256))
@example(Layout(2, 2, 0, 1, 16384, 64, 64), 63, 1)
@example(Layout(2, 2, 0, 1, 16384, 64, 64), 64 + 1088, 1)
@example(Layout(2, 2, 0, 1, 16384, 64, 64), 64 + 1088 - 1, 2)
def test_nothing_outside_is_written(layout, at, count):
    i2c = _Recorder()
    inside = layout.base <= at and at + count <= layout.end
    try:
        Eeproms(i2c, (0x50,), layout, i2c, 0).write(0, at, bytes(count))
    except LayoutError:
        assert not inside
        assert i2c.written == []
    else:
        assert inside
        assert i2c.written == [range(at, at + count)]


# Sets and tokens


@given(BYTE)
def test_bitmaps(bitmap):
    numbers = ids(bitmap)
    assert list(numbers) == sorted(set(numbers))
    assert bits([i in numbers for i in range(8)]) == bitmap


@given(st.data(), WORD, st.integers(0, 7), st.integers(0, 1 << 28), WORD)
def test_a_claim_is_above_all_and_mine(data, old, node, epoch, draw):
    old = min(old, (1 << 32) - 9)  # in the last epoch nobody can claim any more
    layout = Layout(8, 8, 0, 1, 32768, 64, 0)
    mine = data.draw(records(layout, node))
    before = mine.incarnation
    view = View(8)
    view.token = old
    takeover.claim(mine, view, _config(), epoch, draw)
    assert mine.token > old
    assert mine.token >> 3 > epoch
    assert owner(mine.token) == node
    assert not mine.dead >> node & 1
    if old:
        assert mine.incarnation == before
    packed(layout, mine, 0)


@given(st.lists(st.tuples(BYTE, BYTE, BYTE, st.booleans()), max_size=30))
def test_deaths_stay_within_their_bits(rounds):
    """A model: how often each node died since a person or 127 beats took that back."""
    layout = Layout(8, 8, 0, 1, 32768, 64, 0)
    mine = layout.new(0)
    model = [0] * 8
    for silent, beating, back, proven in rounds:
        for j in range(1, 8):
            mine.strikes[j] = 2 if silent >> j & 1 else -127 if beating >> j & 1 else 0
        dead = [mine.dead >> j & 1 for j in range(8)]
        view = View(8)
        view.token = mine.token or 7
        takeover.forget_deaths(mine)
        takeover.claim(mine, view, _config(retries=1), 0, 0)
        takeover.readmit(mine, back, proven)
        for j in range(1, 8):
            if not dead[j] and silent >> j & 1:
                model[j] = min(3, model[j] + 1)
                dead[j] = 1
            elif not dead[j] and beating >> j & 1:
                model[j] = max(0, model[j] - 1)
            if dead[j] and back >> j & 1:
                dead[j] = 0
                model[j] = model[j] if proven else 0
        assert [mine.deaths >> 2 * j & 3 for j in range(8)] == model
        assert bits(dead) == mine.dead


# Strikes


def _config(**changes):
    arguments = {"retries": 1, "readmit": 3, "interval": None, **changes}
    return Config(
        tuple(range(0x50, 0x58)), 0, 8, arguments["retries"], arguments["readmit"], "available",
        arguments["interval"], 0, 32768, 64, 0, None,
    )  # fmt: skip


LOOKS = st.lists(st.tuples(st.booleans(), BYTE), min_size=1, max_size=300)


@given(LOOKS, st.integers(0, 60))
@example([(False, 0xFF)] * 300, 60)
@example([(True, 0xFF)] * 300, 60)
def test_strikes_and_beats_in_a_row(looks, retries):
    """A model: how many looks in a row node 1 was silent or beat; its EEPROM may be silent too."""
    layout = Layout(8, 8, 0, 1, 32768, 64, 0)
    config = _config(retries=retries)
    mine, theirs = layout.new(0), layout.new(1)
    theirs.seqs[1] = mine.seqs[1] = 200  # wraps on the way
    silent = beats = 0
    was_lost = False
    for beaten, answered in looks:
        if beaten:
            theirs.seqs[1] = theirs.seqs[1] % 255 + 1
        view = View(8)
        view.records = [None, theirs] + [None] * 6
        view.heard = view.good = view.fresh = answered
        rules.observe(mine, view, config, 0, False)
        lost = not answered >> 1 & 1
        silent, beats = (0, beats + 1) if beaten else (silent + 1, 0)
        if silent and lost and not was_lost:
            silent = max(silent, retries + 1)
        was_lost = lost
        assert mine.strikes[1] == max(-127, min(127, silent - beats))
        assert bool(rules.silent(mine, retries) >> 1 & 1) == (silent > retries)
        packed(layout, mine, 0)  # fits its slot


@given(st.integers(1, 10**6), WORD, WORD)
@example(800, 1000, 1699)
@example(800, 1000, 1700)
@example(800, 1000, 999)
def test_seven_eighths_of_the_interval(interval, last, now):
    mine = Layout(8, 8, 0, 1, 32768, 64, 0).new(0)
    mine.clock = last
    mine.strikes[1] = 5
    mine.seqs[1] = 9
    counted = rules.observe(mine, View(8), _config(interval=interval), now, False)
    passed = now - last
    assert counted == (passed < 0 or passed >= interval * 7 / 8)
    assert mine.strikes[1] == (0 if passed < 0 else 6 if counted else 5)


@given(st.lists(st.integers(-1, 2000), max_size=60), st.integers(1, 900))
def test_a_beat_for_each_look_that_counts(steps, interval):
    """However often a board wakes, unless its clock stands."""
    layout = Layout(8, 8, 0, 1, 32768, 64, 0)
    mine = layout.new(0)
    mine.token = 1 << 3  # node 7's
    config = _config(interval=interval)
    now = beats = 0
    for i, step in enumerate(steps):
        now = max(0, now + step)
        counted = rules.observe(mine, View(8), config, now, i == 0)
        before = packed(layout, mine, 0)
        assert rules.beat(mine, False, True, config) == counted
        assert counted or packed(layout, mine, 0) == before
        beats += counted
        assert mine.seqs[0] == (beats - 1) % 255 + 1


@pytest.mark.parametrize("step", [0, 1, 254, 255])
def test_the_sequence_never_becomes_zero_and_always_changes(step):
    mine = Layout(8, 8, 0, 1, 32768, 64, 0).new(0)
    mine.token = 1 << 3  # node 7's
    mine.seqs[0] = step
    for _ in range(3):
        before = mine.seqs[0]
        mine.flags = 0  # a look has counted
        assert rules.beat(mine, False, True, _config())
        assert mine.seqs[0] not in (0, before)
        assert mine.seqs[0] <= 0xFF
