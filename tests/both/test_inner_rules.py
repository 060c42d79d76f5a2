"""The decisions, as tables: from what a look found to what is written next. No bus, no chips.

`mine` is node 0's record unless a table says otherwise; a token is written `token(epoch, node)`.
"""

import eecluster.rules as rules
import eecluster.takeover as takeover
from eecluster.bitmap import bits, ids
from eecluster.config import Config
from eecluster.events import pending, rivals
from eecluster.events import record as note
from eecluster.layout import Layout
from eecluster.node import Node
from eecluster.slots import View
from support import raises

LAYOUT = Layout(4, 4, 0, 1, 32768, 64, 0)
ALL = 0b1111


def token(epoch, node):
    return epoch << 3 | 7 - node


def config(eeproms=4, retries=1, readmit=3, interval=None):
    addresses = tuple(range(0x50, 0x50 + eeproms))
    return Config(
        addresses, 0, 4, retries, readmit, "available", interval, 0, 32768, 64, 0, None
    )  # fmt: skip


def record(node=0, **fields):
    """A node's record, all zero but for these fields; `seq` and `run` are those of node 1."""
    made = LAYOUT.new(node)
    for name, value in fields.items():
        if name == "seq":
            made.seqs[1] = value
        elif name == "run":
            made.runs[1] = value
        else:
            assert hasattr(made, name), name
            setattr(made, name, value)
    return made


def look(*records, **fields):
    """What a look found: these records; unless told otherwise all EEPROMs are good."""
    view = View(4)
    view.heard = view.good = view.fresh = ALL
    for each in records:
        view.records[each.node] = each
        view.token = max(view.token, each.token)
    for name, value in fields.items():
        assert hasattr(view, name), name
        setattr(view, name, value)
    return view


def beaten(node, seq, **fields):
    """The record of a node with this own sequence number."""
    made = record(node, **fields)
    made.seqs[node] = seq
    return made


def same(function, *args):
    """True if this call leaves `mine`, its first argument, as it was."""
    before = as_bytes(args[0])
    function(*args)
    return as_bytes(args[0]) == before


def as_bytes(mine):
    data = bytearray(LAYOUT.size)
    LAYOUT.pack(mine, data)
    return bytes(data)


# bitmap


def test_bitmaps():
    table = ((0, []), (1, [0]), (0b101, [0, 2]), (0x80, [7]), (0xFF, [0, 1, 2, 3, 4, 5, 6, 7]))
    for bitmap, numbers in table:
        assert ids(bitmap) == tuple(numbers)
        assert bits([i in numbers for i in range(8)]) == bitmap
    assert bits([5, 0, -1]) == 0b101
    assert bits([]) == 0


# observe: strikes [3]


def test_strikes():
    table = (
        # run and sequence before, sequence now (None: no record), token -> run, sequence
        ("a new beat", 0, 5, 6, 0, -1, 6),
        ("another new beat", -1, 6, 7, 0, -2, 7),
        ("a new beat after strikes", 3, 5, 6, 0, -1, 6),
        ("several beats are one look", 0, 5, 9, 0, -1, 9),
        ("the first beat", 0, 0, 1, 0, -1, 1),
        ("the sequence wraps", 0, 65535, 1, 0, -1, 1),
        ("old content is back", 0, 9, 4, 0, -1, 4),
        ("no beat", 0, 5, 5, 0, 1, 5),
        ("again no beat", 1, 5, 5, 0, 2, 5),
        ("no beat after many", -9, 5, 5, 0, 1, 5),
        ("its record is gone", 1, 5, None, 0, 2, 5),
        ("never heard of", 0, 0, None, 0, 0, 0),
        ("has a record, but no beat yet", 0, 0, 0, 0, 1, 0),
        ("only others know of its claim", 0, 0, None, token(2, 1), 1, 0),
        ("never heard of, another is primary", 0, 0, None, token(2, 3), 0, 0),
        ("strikes end at 127", 127, 5, 5, 0, 127, 5),
        ("one before the end", 126, 5, 5, 0, 127, 5),
        ("beats end at -127", -127, 5, 6, 0, -127, 6),
        ("one before that end", -126, 5, 6, 0, -127, 6),
    )
    for what, run, seen, seq, highest, run_after, seq_after in table:
        mine = record(run=run, seq=seen)
        view = look(token=highest) if seq is None else look(beaten(1, seq), token=highest)
        assert rules.observe(mine, view, config(), 100, False), what
        assert (mine.runs[1], mine.seqs[1]) == (run_after, seq_after), what


def test_a_record_of_another_sequence_is_the_nodes_own():
    mine = record(seq=5)
    theirs = record(2)
    theirs.seqs[1] = 6  # what node 2 last saw of node 1 is no beat of node 1
    rules.observe(mine, look(beaten(1, 5), theirs), config(), 0, False)
    assert (mine.runs[1], mine.seqs[1]) == (1, 5)


def test_own_entry_is_not_touched():
    mine = beaten(0, 7, run=0)
    mine.runs[0] = 2
    rules.observe(mine, look(beaten(0, 9)), config(), 0, False)
    assert (mine.runs[0], mine.seqs[0]) == (2, 7)


def test_interval():
    table = (
        # interval, seconds passed -> counts, strikes after 3 before
        (800, 0, False, 3),
        (800, 699, False, 3),
        (800, 700, True, 4),  # 7/8
        (800, 701, True, 4),
        (800, 1000000, True, 4),
        (801, 700, False, 3),
        (801, 701, True, 4),
        (1, 0, False, 3),
        (1, 1, True, 4),
        (0.5, 0, False, 3),
        (0.5, 1, True, 4),
        (800, -1, True, 0),  # the clock was set back: a new baseline
        (800, -900, True, 0),
        (None, 0, True, 4),
        (None, -900, True, 4),  # without an interval the clock does not matter
    )
    for interval, passed, counts, run in table:
        what = interval, passed
        mine = record(run=3, seq=5, clock=1000)
        view = look(beaten(1, 5))
        assert rules.observe(mine, view, config(interval=interval), 1000 + passed, False) == counts
        assert mine.runs[1] == run, what
        assert mine.clock == (1000 + passed if counts else 1000), what


def test_a_look_that_does_not_count_changes_nothing():
    mine = record(run=3, seq=5, clock=1000, lost=0b0010)
    view = look(beaten(1, 6), beaten(2, 1), good=1, fresh=1, heard=1)
    assert same(rules.observe, mine, view, config(interval=800), 1001, False)


def test_a_new_baseline():
    for interval, clock, new in (
        (800, 0, True),
        (800, 1000, True),
        (None, 0, True),
        (800, 999, False),
    ):
        mine = record(clock=1000)
        mine.runs = [1, 9, -9, 2]
        mine.seqs = [4, 5, 6, 7]
        view = look(beaten(1, 50), beaten(2, 6))
        assert rules.observe(mine, view, config(interval=interval), clock, new)
        assert mine.runs == [1, 0, 0, 0]  # its own entry stays
        assert mine.seqs == [4, 50, 6, 7]
        assert mine.clock == clock


def test_no_second_chance_when_its_eeprom_is_silent_too():
    table = (
        # run and sequences as above; answered, lost before, retries, EEPROMs -> run
        ("its EEPROM answers", 0, 5, 5, 0b1111, 0, 1, 4, 1),
        ("silent with it", 0, 5, 5, 0b1101, 0, 1, 4, 2),
        ("silent with it, more retries", 0, 5, 5, 0b1101, 0, 5, 4, 6),
        ("no retries", 0, 5, 5, 0b1101, 0, 0, 4, 1),
        ("dead anyhow", 9, 5, 5, 0b1101, 0, 1, 4, 10),
        ("never back to fewer", 126, 5, 5, 0b1101, 0, 60, 4, 127),
        ("known to be lost", 0, 5, 5, 0b1101, 0b0010, 1, 4, 1),
        ("it still beats", 0, 5, 6, 0b1101, 0, 1, 4, -1),
        ("another one is silent", 0, 5, 5, 0b1011, 0, 1, 4, 1),
        ("another one is known to be lost", 0, 5, 5, 0b1101, 0b0100, 1, 4, 2),
        ("it has none", 0, 5, 5, 0b0001, 0, 1, 1, 1),
        ("never heard of", 0, 0, None, 0b1101, 0, 1, 4, 0),
        ("its record is gone", 0, 5, None, 0b1101, 0, 1, 4, 2),
    )
    for what, run, seen, seq, answered, lost, retries, eeproms, after in table:
        mine = record(run=run, seq=seen, lost=lost)
        records = () if seq is None else (beaten(1, seq),)
        view = look(*records, heard=answered)
        rules.observe(mine, view, config(eeproms, retries), 0, False)
        assert mine.runs[1] == after, what


def test_that_happens_once():
    mine = record(seq=5)
    dark = {"heard": 0b1101, "good": 0b1101, "fresh": 0b1101}
    rules.observe(mine, look(beaten(1, 6), **dark), config(retries=3), 0, False)
    assert (mine.runs[1], mine.lost) == (-1, 0b0010)
    for strikes in (1, 2, 3):  # it is known now: all chances count
        rules.observe(mine, look(beaten(1, 6), **dark), config(retries=3), 0, False)
        assert mine.runs[1] == strikes
    rules.observe(mine, look(beaten(1, 7)), config(retries=3), 0, False)
    assert (mine.runs[1], mine.lost) == (-1, 0)
    rules.observe(mine, look(beaten(1, 7), **dark), config(retries=3), 0, False)
    assert (mine.runs[1], mine.lost) == (4, 0b0010)


def test_lost():
    table = (
        # good, fresh, EEPROMs -> lost
        (0b1111, 0b1111, 4, 0),
        (0b1111, 0, 4, 0),  # no record of mine yet
        (0b1111, 0b1101, 4, 0b0010),  # one did not take my last record
        (0b0101, 0b0101, 4, 0b1010),
        (0b0101, 0, 4, 0b1010),
        (0b11, 0b11, 2, 0),
        (0, 0, 2, 0b11),
    )
    for good, fresh, eeproms, missing in table:
        view = look(good=good, fresh=fresh)
        assert rules.lost(view, config(eeproms)) == missing, (good, fresh)
        mine = record()
        rules.observe(mine, view, config(eeproms), 0, False)
        assert mine.lost == missing, (good, fresh)


# Who leads, who is silent


def test_leader_and_released():
    table = (
        # view -> the leader's node, released
        ("no token", look(beaten(1, 5)), None, 0),
        ("node 1 leads", look(record(1, token=15 - 1), record(2)), 1, 0),
        ("it stood down", look(record(1, token=14, released=1)), 1, 1),
        ("only others know its token", look(record(1, token=6), record(2, token=14)), None, 0),
        ("it stood down before", look(record(1, token=6, released=1), token=14), None, 0),
        ("no record of it", look(record(2, token=14)), None, 0),
    )
    for what, view, leader, released in table:
        found = rules.leader_of(view)
        assert (found and found.node) == leader, what
        assert rules.released(view) == released, what


def test_silent():
    table = (
        # runs, dead, retries -> silent
        ([0, 0, 0, 0], 0, 0, 0),
        ([0, 1, 2, 3], 0, 0, 0b1110),
        ([0, 1, 2, 3], 0, 1, 0b1100),
        ([0, 1, 2, 3], 0, 2, 0b1000),
        ([0, 1, 2, 3], 0, 3, 0),
        ([0, 1, 2, 3], 0b1000, 1, 0b0100),  # dead already
        ([9, -1, -2, 0], 0, 1, 0),  # the own entry counts something else
        ([0, 127, -127, 0], 0, 60, 0b0010),
    )
    for runs, dead, retries, nodes in table:
        mine = record(dead=dead)
        mine.runs = runs
        assert rules.silent(mine, retries) == nodes, (runs, dead, retries)


def test_members():
    table = (
        ([0, 0, 0, 0], 0, 0),
        ([1, 0, 65535, 0], 0, 0b0101),
        ([1, 2, 3, 4], 0b0110, 0b1001),
        ([0, 2, 3, 4], 0b1111, 0),
    )
    for seqs, dead, nodes in table:
        mine = record(dead=dead)
        mine.seqs = seqs
        assert rules.members(mine) == nodes, (seqs, dead)


# follow [3, 7, 8]


def test_follow_the_highest_token():
    mine = record(
        token=token(1, 0), primary=1, spare=0b1000, released=1, dead=0b1000, n=2, told=[1] * 7
    )
    mine.runs[0] = 2
    theirs = record(
        1, token=token(2, 1), lineage=token(1, 0), dead=0b0100, n=7, told=[1, 2, 3, 4, 5, 6, 7]
    )
    rules.follow(mine, look(theirs))
    assert mine.token == token(2, 1)
    assert mine.primary == 0b0010
    assert (mine.spare, mine.released, mine.runs[0]) == (0, 0, 0)
    assert (mine.dead, mine.n, mine.told) == (0b0100, 7, [1, 2, 3, 4, 5, 6, 7])
    assert mine.told is not theirs.told
    assert (mine.fell, mine.lineage) == (0, 0)


def test_follow_only_what_the_owner_itself_says():
    mine = record(token=token(1, 2), dead=0b0100, n=2, told=[1] * 7)
    stale = record(1, token=token(1, 2), dead=0b1000, n=9, told=[9] * 7)
    rules.follow(mine, look(stale, record(3, token=token(2, 1))))
    assert (mine.token, mine.primary) == (token(2, 1), 0b0010)
    assert (mine.dead, mine.n, mine.told) == (0b0100, 2, [1] * 7)


def test_follow_the_same_token_again():
    mine = record(token=token(2, 1), primary=2, spare=0b1000, dead=0b1000)
    theirs = record(1, token=token(2, 1), dead=0b1100)
    rules.follow(mine, look(theirs))
    assert (mine.dead, mine.spare, mine.primary) == (0b1100, 0b1000, 2)


def test_my_own_token():
    mine = record(token=token(2, 0), primary=1, spare=0b1000, dead=0b1000, released=1)
    assert same(rules.follow, mine, look(mine, record(1, token=token(1, 1), dead=0b0001)))


def test_no_token_yet():
    assert same(rules.follow, record(), look(beaten(1, 1)))


def test_a_claim_of_mine_that_only_others_remember():
    mine = record(token=token(1, 1), lineage=3, announced=1, primary=2, fell=0)
    rules.follow(mine, look(mine, record(2, token=token(2, 0))))
    assert (mine.token, mine.lineage, mine.announced) == (token(2, 0), token(1, 1), 0)
    assert (mine.primary, mine.fell) == (0, 0)  # primary only when it is confirmed


def test_who_notices_a_split_brain_as_its_loser():
    table = (
        # whom node 1 saw as primary, the token the winner replaced (None: no record of it) -> fell
        ("rivals: both replaced token(1, 2)", 0b0010, token(1, 2), 1),
        ("it replaced a much older one", 0b0010, 0, 1),
        ("it replaced mine", 0b0010, token(2, 1), 0),
        ("it replaced one after mine", 0b0010, token(3, 2), 0),
        ("I claimed, but was never confirmed", 0, token(1, 2), 0),
        ("I followed node 2", 0b0100, token(1, 2), 0),
        ("the winner's record is not to be seen", 0b0010, None, 0),
    )
    for what, primary, replaced, fell in table:
        mine = record(1, token=token(2, 1), primary=primary)
        winner = record(0, token=token(4, 0), lineage=replaced or 0)
        view = look(mine, token=token(4, 0)) if replaced is None else look(mine, winner)
        rules.follow(mine, view)
        assert mine.fell == fell, what
        assert mine.lineage == (token(2, 1) if fell else 0), what
        assert mine.primary == 1, what


def test_a_request_is_fulfilled_when_its_node_beats_again():
    table = (
        # node asked for, dead by the primary, its run -> still asked
        (1, 0b0010, -1, True),
        (1, 0, 0, True),
        (1, 0, 2, True),
        (1, 0, -1, False),
        (0, 0b0001, 0, True),
        (0, 0, 0, False),  # this node itself: it is here
    )
    for node, dead, run, asked in table:
        mine = record(token=token(1, 2), spare=1 << node, run=run)
        rules.follow(mine, look(record(2, token=token(1, 2), dead=dead)))
        assert bool(mine.spare) == asked, (node, dead, run)


# may_lead [6, 9]


def test_may_lead():
    member, stranger, dead, asked = (3, 0, 0), (0, 0, 0), (3, 1, 0), (3, 1, 1)
    owned = token(2, 1)
    table = (
        # who, token, released, strikes of node 1, retries, readmit, counted -> may lead
        ("cold start", stranger, 0, 0, 0, 1, 3, False, True),
        ("mine", stranger, token(2, 0), 0, 0, 1, 3, False, True),
        ("mine, dead by another", dead, token(2, 0), 0, 0, 1, None, False, True),
        ("beats", member, owned, 0, -1, 1, 3, True, False),
        ("suspect", member, owned, 0, 1, 1, 3, True, False),
        ("dead", member, owned, 0, 2, 1, 3, True, True),
        ("dead, but this look does not count", member, owned, 0, 9, 1, 3, False, False),
        ("no retries, suspect is dead", member, owned, 0, 1, 0, 3, True, True),
        ("no retries, beats", member, owned, 0, 0, 0, 3, True, False),
        ("more retries", member, owned, 0, 5, 5, 3, True, False),
        ("more retries, dead", member, owned, 0, 6, 5, 3, True, True),
        ("stood down", member, owned, 1, -1, 1, 3, True, True),
        ("stood down, look does not count", member, owned, 1, -1, 1, 3, False, True),
        ("no beat of mine yet", stranger, owned, 0, 9, 1, 3, True, False),
        ("no beat of mine, stood down", stranger, owned, 1, 9, 1, 3, True, False),
        ("I am dead, node 1 too", dead, owned, 0, 2, 1, 3, True, False),
        ("3 more looks", dead, owned, 0, 4, 1, 3, True, False),
        ("and 1 more", dead, owned, 0, 5, 1, 3, True, True),
        ("and 1 more that does not count", dead, owned, 0, 5, 1, 3, False, False),
        ("dead, readmitted at once", dead, owned, 0, 3, 1, 1, True, True),
        ("dead, by hand only", dead, owned, 0, 127, 1, None, True, False),
        ("dead, stood down", dead, owned, 1, 0, 1, 3, True, False),
        ("dead, asked, beats", asked, owned, 0, -1, 1, None, True, False),
        ("dead, asked, suspect", asked, owned, 0, 1, 1, None, True, False),
        ("dead, asked, node 1 dead", asked, owned, 0, 2, 1, None, True, True),
        ("dead, asked, does not count", asked, owned, 0, 2, 1, None, False, False),
    )
    for what, who, highest, released, strikes, retries, readmit, counted, may in table:
        seq, marked, spare = who
        mine = beaten(0, seq, dead=marked, spare=spare, run=strikes)
        view = look(token=highest)
        if highest == owned:
            view.records[1] = record(1, token=owned, released=released)
        settings = config(retries=retries, readmit=readmit)
        assert bool(rules.may_lead(mine, view, settings, counted)) == may, what


# beat [9]


def test_sequence():
    for before, after in ((0, 1), (1, 2), (65534, 65535), (65535, 1)):
        mine = beaten(0, before, token=token(1, 1))
        rules.beat(mine, False, True, config())
        assert mine.seqs == [after, 0, 0, 0]


def test_who_beats():
    table = (
        # leading, done, failed before, released, token of -> beats, failed, released
        ("a primary", True, True, 0, 0, 0, True, 0, 0),
        ("its duty failed", True, False, 0, 0, 0, True, 1, 0),
        ("failed again", True, False, 1, 0, 0, True, 0, 1),
        ("done again", True, True, 1, 0, 0, True, 0, 0),
        ("a standby", False, True, 0, 0, 1, True, 0, 0),
        ("a standby cannot fail", False, False, 0, 0, 1, True, 0, 0),
        ("stood down", False, True, 1, 1, 0, True, 1, 1),
        ("stood down, duty undone", False, False, 1, 1, 0, True, 1, 1),
        ("mine, but not confirmed", False, True, 0, 0, 0, False, 0, 0),
    )
    for what, leading, done, failed, released, node, beats, after, down in table:
        mine = beaten(0, 5, token=token(2, node), released=released, primary=leading)
        mine.runs[0] = failed
        rules.beat(mine, leading, done, config())
        assert mine.seqs[0] == (6 if beats else 5), what
        assert (mine.runs[0], mine.released) == (after, down), what
        assert mine.primary == (leading and not down), what


def test_how_many_duties_may_fail():
    for retries in (0, 1, 5):
        mine = beaten(0, 5, token=token(2, 0), primary=1)
        for _ in range(retries):
            rules.beat(mine, True, False, config(retries=retries))
            assert (mine.released, mine.primary) == (0, 1)
        rules.beat(mine, True, False, config(retries=retries))
        assert (mine.released, mine.primary, mine.runs[0]) == (1, 0, 0)


def test_acknowledge():
    table = (
        # told split, stuck, twin; the lock is stuck now -> fell, stuck, twin
        (0, 0, 0, False, 1, 1, 1),
        (1, 0, 0, False, 0, 1, 1),
        (0, 1, 0, False, 1, 0, 1),
        (0, 1, 0, True, 1, 1, 1),
        (0, 0, 1, False, 1, 1, 0),
        (1, 1, 1, False, 0, 0, 0),
        (2, 2, 2, False, 1, 1, 1),  # another node's reports were announced
    )
    for split, stuck, twin, now, *after in table:
        mine = record(fell=1, stuck=1, twin=1)
        mine.told[4:7] = [split, stuck, twin]
        rules.settle(mine, now)
        assert [mine.fell, mine.stuck, mine.twin] == after, (split, stuck, twin, now)


# lead: claim [5, 6]


def test_the_token_of_a_claim():
    table = (
        # node, token before, start above this epoch -> token
        (0, 0, 0, 0b1_111),
        (3, 0, 0, 0b1_100),
        (0, token(1, 3), 0, token(2, 0)),
        (3, token(1, 0), 0, token(2, 3)),
        (1, token(7, 1), 0, token(8, 1)),  # its own once more: a death has a token of its own
        (0, 0, 100, token(101, 0)),
        (0, token(99, 1), 100, token(101, 0)),
        (0, token(100, 1), 100, token(101, 0)),
        (0, token(200, 1), 100, token(201, 0)),
        (0, 0, 1 << 28, (1 << 28) + 1 << 3 | 7),
    )
    for node, old, epoch, claimed in table:
        mine = record(node, token=old)
        takeover.claim(mine, look(token=old), config(), epoch)
        assert mine.token == claimed, (node, old, epoch)
        assert mine.token > old


def test_who_is_dead_in_a_claim():
    table = (
        # runs, dead before, released -> dead
        ("the old primary", [0, 2, 0, 0], 0, 0, 0b0010),
        ("a suspect is not", [0, 2, 1, 0], 0, 0, 0b0010),
        ("another one too", [0, 2, 2, -1], 0, 0, 0b0110),
        ("those before stay dead", [0, 2, -5, 0], 0b0100, 0, 0b0110),
        ("not who stood down", [0, 2, 0, 0], 0, 1, 0),
        ("but others", [0, 2, 2, 0], 0, 1, 0b0100),
        ("who was dead and stood down stays dead", [0, 2, 0, 0], 0b0010, 1, 0b0010),
        ("never the claimant", [9, 2, 0, 0], 0b0001, 0, 0b0010),
    )
    for what, runs, dead, released, after in table:
        mine = record(token=token(1, 1), dead=dead)
        mine.runs = runs
        view = look(record(1, token=token(1, 1), released=released))
        takeover.claim(mine, view, config(), 0)
        assert mine.dead == after, what


def test_what_a_claim_keeps():
    table = (
        # node 0 claims above the token of; lineage and fell before -> lineage, announced
        ("a takeover", token(3, 1), 5, 0, token(3, 1), 0),
        ("a death under my token", token(3, 0), 5, 0, 5, 1),
        ("a cold start is no failover", 0, 0, 0, 0, 1),
        ("I fell: an unreported split brain", token(3, 1), 21, 1, 21, 0),
    )
    for what, old, lineage, fell, lineage_after, told_after in table:
        mine = record(
            token=old, lineage=lineage, fell=fell, announced=1, primary=1, spare=2, released=1
        )
        mine.runs[0] = 2
        takeover.claim(mine, look(token=old), config(), 0)
        assert (mine.lineage, mine.announced) == (lineage_after, told_after), what
        assert mine.fell == fell
        # not named primary before it is confirmed; requests and duties are of the old token
        assert (mine.primary, mine.spare, mine.released, mine.runs[0]) == (0, 0, 0, 0), what


def test_a_cold_start_of_the_last_node():
    """The token 0 belongs to nobody, though `owner(0)` gives node 7."""
    mine = Layout(8, 4, 0, 1, 32768, 64, 0).new(7)
    takeover.claim(mine, look(), config(), 0)
    assert (mine.token, mine.lineage, mine.announced, mine.dead) == (token(1, 7), 0, 1, 0)


# lead: readmit, asked, proven, resting [5, 8, 9]


def test_asked():
    owned = token(2, 0)
    table = (
        # spare and token of node 1 and of node 2 -> asked of node 0
        (0, owned, 0, owned, 0),
        (0b1000, owned, 0, owned, 0b1000),
        (0b1000, owned, 0b0010, owned, 0b1010),
        (0b1000, token(1, 0), 0b0010, owned, 0b0010),  # an old request
        (0b1000, token(3, 1), 0, owned, 0),  # under a token that is not the highest (a torn view)
    )
    for spare1, token1, spare2, token2, found in table:
        mine = record(0, token=owned, spare=0b0100)  # its own is not one of others
        view = look(
            mine, record(1, token=token1, spare=spare1), record(2, token=token2, spare=spare2)
        )
        view.token = owned
        assert takeover.asked(view, 0) == found, (spare1, token1, spare2, token2)
    assert takeover.asked(look(token=owned), 0) == 0


def test_proven():
    table = (
        ([0, 0, 0, 0], 3, 0),
        ([0, -1, -2, -3], 3, 0b1000),
        ([0, -1, -2, -4], 2, 0b1100),
        ([0, -1, 1, 3], 1, 0b0010),
        ([0, -127, -60, -59], 60, 0b0110),
        ([0, -127, -127, -127], None, 0),
    )
    for runs, looks, nodes in table:
        mine = record()
        mine.runs = runs
        assert takeover.proven(mine, config(readmit=looks)) == nodes, (runs, looks)


def test_readmit():
    table = (
        # dead, readmitted -> dead, runs
        (0b1110, 0b0010, 0b1100, [1, 0, 3, 4]),
        (0b1110, 0b1010, 0b0100, [1, 0, 3, 0]),
        (0b1000, 0b0010, 0b1000, [1, 2, 3, 4]),  # it was not dead: its strikes stay
        (0, 0b1111, 0, [1, 2, 3, 4]),
        (0b1111, 0, 0b1111, [1, 2, 3, 4]),
    )
    for dead, nodes, after, runs in table:
        mine = record(dead=dead)
        mine.runs = [1, 2, 3, 4]
        takeover.readmit(mine, nodes)
        assert (mine.dead, mine.runs) == (after, runs), (dead, nodes)


def test_resting():
    table = (
        # released, looks so far, counted, retries -> rests, looks
        (0, 0, True, 1, 0, 0),
        (0, 1, True, 1, 0, 1),  # not looks: a duty that failed
        (1, 0, True, 1, 1, 1),
        (1, 1, True, 1, 0, 0),  # nobody came within retries + 1 looks
        (1, 1, False, 1, 1, 1),
        (1, 0, True, 0, 0, 0),
        (1, 4, True, 5, 1, 5),
        (1, 5, True, 5, 0, 0),
    )
    for released, looks, counted, retries, rests, after in table:
        mine = record(released=released)
        mine.runs[0] = looks
        assert takeover.resting(mine, counted, config(retries=retries)) == rests, (released, looks)
        assert (mine.released, mine.runs[0]) == (rests, after), (released, looks, counted)


# events: split brain [7]


def test_rivals():
    """`mine` is primary with token(5, 0), which replaced token(2, 1)."""
    table = (
        # as what node 1 named itself primary; did node 1 fall, losing which token -> rival token
        ("never", 0, 0, 0, 0),
        ("its token is the one I replaced", token(2, 1), 0, 0, 0),
        ("one before that", token(1, 1), 0, 0, 0),
        ("beside me", token(3, 1), 0, 0, token(3, 1)),
        ("beside me, in my epoch", token(5, 1), 0, 0, token(5, 1)),
        ("after me: I am not primary for long", token(6, 1), 0, 0, 0),
        ("it told itself: it has written over its claim", 0, 1, token(4, 1), token(4, 1)),
        ("both: the higher", token(3, 1), 1, token(4, 1), token(4, 1)),
        ("both: the higher one is named", token(4, 1), 1, token(3, 1), token(4, 1)),
        ("it fell long ago", 0, 1, token(1, 1), 0),
        ("a lineage without fell is no rival", 0, 0, token(4, 1), 0),
    )
    for what, named, fell, lineage, rival in table:
        mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1)
        theirs = record(1, fell=fell, lineage=lineage)
        view = look(mine, theirs, token=token(5, 0), named=[token(5, 0), named, 0, 0])
        assert rivals(mine, view) == [0, rival, 0, 0], what
        assert view.named[1] == named  # the view stays as it was


def test_a_primary_is_no_rival_of_itself():
    mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1, fell=1)
    assert rivals(mine, look(mine, named=[token(4, 0), 0, 0, 0])) == [0, 0, 0, 0]


def test_split_brain_is_offered_until_it_is_announced():
    mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1, announced=1, n=3)
    view = look(mine, record(1), named=[0, token(3, 1), 0, 0])
    event = ("split_brain", 1, token(3, 1), 3)
    for _ in range(2):
        assert pending(mine, view, 0, 0, 0) == (event,)
    mine.told[4] = 0b0010
    assert pending(mine, view, 0, 0, 0) == ()
    assert mine.told[4] == 0b0010
    # over: may be announced when it happens again
    assert pending(mine, look(mine, record(1)), 0, 0, 0) == ()
    assert mine.told[4] == 0


def test_events_are_differences():
    """As bitmaps: what is, what was told."""
    table = (
        # members, suspects, dead, lost; told joined, suspect, dead, lost -> events (kind, number)
        (0, 0, 0, 0, 0, 0, 0, 0, ()),
        (0b11, 0, 0, 0, 0, 0, 0, 0, (("joined", 0), ("joined", 1))),
        (0b11, 0, 0, 0, 0b11, 0, 0, 0, ()),
        (0b11, 0b10, 0, 0, 0b11, 0, 0, 0, (("suspect", 1),)),
        (0b11, 0, 0, 0, 0b11, 0b10, 0, 0, (("recovered", 1),)),
        (0b01, 0, 0b10, 0, 0b11, 0b10, 0, 0, (("dead", 1),)),  # dead has not recovered
        (0b11, 0, 0, 0, 0b11, 0, 0b10, 0, (("readmitted", 1),)),
        (0, 0, 0, 0b100, 0, 0, 0, 0, (("eeprom_lost", 2),)),
        (0, 0, 0, 0b001, 0, 0, 0, 0b100, (("eeprom_lost", 0), ("eeprom_back", 2))),
        (0, 0, 0, 0b100, 0, 0, 0, 0b100, ()),
    )
    for members, suspects, dead, lost, joined, suspect, died, missing, events in table:
        mine = record(0, token=token(1, 0), dead=dead, announced=1, n=65535)
        mine.told = [joined, suspect, died, missing, 0, 0, 0]
        found = pending(mine, look(mine), members, suspects, lost)
        assert [event[:2] for event in found] == list(events), (members, suspects, dead, lost)
        assert all(event[2:] == (token(1, 0), 65535) for event in found)


def test_announced():
    table = (
        # kind, told before -> told after: joined, suspect, dead, lost, split, stuck, twin
        ("joined", [0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]),
        ("suspect", [0, 0, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0, 0]),
        ("recovered", [0, 3, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]),
        ("dead", [2, 3, 0, 0, 0, 0, 0], [2, 1, 2, 0, 0, 0, 0]),
        ("readmitted", [0, 0, 6, 0, 0, 0, 0], [0, 0, 4, 0, 0, 0, 0]),
        ("eeprom_lost", [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 3, 0, 0, 0]),
        ("eeprom_back", [0, 0, 0, 3, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0]),
        ("split_brain", [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 0, 0]),
        ("lock_stuck", [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 2, 0]),
        ("duplicate_id", [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 2]),
    )
    for kind, before, after in table:
        mine = record(n=65535, fell=1)
        mine.told = before[:]
        note(mine, ((kind, 1, 15, 65535),))
        assert mine.told == after, kind
        assert mine.n == 0, kind  # 16 bits: it wraps
        assert mine.fell == (kind != "split_brain"), kind
        assert mine.announced == 0, kind


def test_announced_failover():
    for told in (0, 1):
        mine = record(announced=told)
        note(mine, [("failover", 0, 15, 0)])
        assert (mine.announced, mine.n) == (1, 1)
        assert mine.told == [0] * 7


def test_announced_refuses_what_is_no_event():
    good = ("joined", 1, 15, 0)
    for bad in (("gone", 1, 15, 0), ("joined", 8, 15, 0), ("joined", -1, 15, 0), "joined", 5):
        mine = record()
        with raises(ValueError, "events"):
            note(mine, (good, bad))
        assert (mine.told, mine.n) == ([0] * 7, 0), bad


def test_nobody_has_strikes_before_the_first_token():
    wide = Layout(8, 8, 0, 1, 32768, 64, 0)
    mine = wide.new(0)
    view = View(8)
    view.heard = view.good = view.fresh = 0xFF
    view.records[0] = mine
    settings = Config(
        tuple(range(0x50, 0x58)), 0, 8, 0, 3, "available", None, 0, 32768, 64, 0, None
    )  # fmt: skip
    assert rules.observe(mine, view, settings, 0, False)
    assert mine.runs == [0] * 8


# What is node 0's in the tables above may be any node's


def test_numbers_end_at_7():
    assert ids(0x1FF) == ids(-1) == (0, 1, 2, 3, 4, 5, 6, 7)


def test_no_node_is_silent_for_itself():
    for node in range(4):
        mine = record(node)
        mine.runs = [9, 9, 9, 9]
        assert rules.silent(mine, 1) == 0b1111 & ~(1 << node), node


def test_another_node_that_is_dead_waits_longer():
    """Node 2 observes node 1, the primary."""
    table = (
        # dead, asked for, strikes -> may lead
        (0, 0, 2, True),
        (0b0100, 0, 2, False),
        (0b0100, 0, 4, False),
        (0b0100, 0, 5, True),
        (0b0100, 0b0100, 2, True),
        (0b0100, 0b0001, 2, False),  # another one is asked for
        (0b0101, 0b0001, 2, False),
        (0b0001, 0, 2, True),  # another one is dead
    )
    for dead, spare, strikes, may in table:
        mine = beaten(2, 3, dead=dead, spare=spare, run=strikes)
        view = look(record(1, token=token(2, 1)))
        assert bool(rules.may_lead(mine, view, config(), True)) == may, (dead, spare, strikes)


def test_no_claimant_is_dead_in_its_own_claim():
    for node in range(4):
        mine = record(node, token=token(1, 1), dead=0b1111)
        takeover.claim(mine, look(token=token(1, 1)), config(), 0)
        assert mine.dead == 0b1111 & ~(1 << node), node


class Looker(Node):
    """A node with three EEPROMs, whose writes reach those in `kept`."""

    def __init__(self, mine, *others, fresh=0b111, held=None, kept=0b111):
        self.config = config(3)
        self.config.quorum = 2
        self.slots = self
        self.mine = mine
        self.others = others
        self.kept = kept
        self.leading = False
        self.done = []
        self.view = look(mine, *others, good=0b111, fresh=fresh, heard=0b111)
        self.view.held = mine.token if held is None else held

    def quorate(self):
        return True

    def write(self):
        self.done.append("write")

    def look(self):
        self.done.append("look")
        mine = self.mine
        self.view = look(mine, *self.others, good=0b111, fresh=self.kept, heard=0b111)
        self.view.held = mine.token

    def load(self, accept):
        assert not accept


def test_confirm():
    """Not yet on a quorum: one more write, one more look, then decide."""
    once = ["write", "look"]
    mine, theirs = token(3, 0), token(3, 1)
    table = (
        # fresh, held, what a write reaches, token of node 1 -> what is done, leads
        ("stands on all", 0b111, mine, 0b111, theirs, [], True),
        ("on a quorum", 0b110, mine, 0b111, theirs, [], True),
        ("on one only", 0b100, mine, 0b111, theirs, once, True),
        ("another token of mine is on all", 0b111, token(2, 0), 0b111, theirs, once, True),
        ("a write reaches a quorum", 0b100, mine, 0b011, theirs, once, True),
        ("a write reaches one", 0b100, mine, 0b001, theirs, once, False),
        ("a write reaches none", 0, 0, 0, theirs, once, False),
        ("replaced", 0b111, mine, 0b111, token(4, 1), [], False),
    )
    for what, fresh, held, kept, other, done, leads in table:
        node = Looker(
            record(0, token=mine), record(1, token=other), fresh=fresh, held=held, kept=kept
        )
        assert bool(node.confirm()) == leads, what
        assert node.leading is leads, what
        assert node.done == done, what
        named = 0b0001 if leads else 0b0010 if other > mine else 0
        assert node.mine.primary == named, what


def test_only_who_is_confirmed_marks_nodes_dead_and_takes_them_back():
    owned = token(3, 0)
    table = (
        # what a write reaches, counted, run of nodes 1 and 2 -> dead, token
        ("silent", 0b111, True, 2, 0, 0b0110, token(4, 0)),
        ("silent, not confirmed", 0b001, True, 2, 0, 0b0100, owned),
        ("silent, this look does not count", 0b111, False, 2, 0, 0b0100, owned),
        ("beats again", 0b111, True, -1, -3, 0, owned),
        ("beats again, not confirmed", 0b001, True, -1, -3, 0b0100, owned),
        ("beats again, this look does not count", 0b111, False, -1, -3, 0b0100, owned),
    )
    for what, kept, counted, one, two, dead, highest in table:
        mine = record(0, token=owned, dead=0b0100, run=one)
        mine.runs[2] = two
        node = Looker(mine, record(1), record(2), fresh=0, held=0, kept=kept)
        node.lead(counted)
        assert (node.mine.dead, node.mine.token) == (dead, highest), what
        assert node.leading == (kept == 0b111), what


def test_all_rivals_are_told():
    mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1, announced=1)
    named = [0, token(3, 1), token(4, 2), 0]
    view = look(mine, record(1), record(2), record(3), named=named)
    assert pending(mine, view, 0, 0, 0) == (
        ("split_brain", 1, token(3, 1), 0),
        ("split_brain", 2, token(4, 2), 0),
    )
    mine.told[4] = 0b0110
    assert pending(mine, view, 0, 0, 0) == ()
    assert mine.told[4] == 0b0110


def test_what_each_node_reports():
    table = (
        ("lock_stuck", "stuck", 1), ("lock_late", "stuck", 2), ("lock_late", "stuck", 3),
        ("duplicate_id", "twin", 1),
    )  # fmt: skip
    for kind, field, value in table:
        for node in range(4):
            mine = record(0, token=token(1, 0), announced=1)
            view = look(*[record(i, **{field: value * (i == node)}) for i in range(1, 4)])
            view.records[0] = record(0, token=token(1, 0))  # as it was written last
            setattr(mine, field, value * (node == 0))
            assert pending(mine, view, 0, 0, 0) == ((kind, node, token(1, 0), 0),)


def test_announced_by_any_primary():
    for me in range(4):
        for told in (0, 1):
            mine = record(me, announced=told)
            note(mine, [("joined", 0, 15, 0)])
            assert mine.announced == told  # its takeover is still to be told, or was
            note(mine, [("failover", me, 15, 1)])
            assert mine.announced == 1


def test_what_is_no_event_is_named():
    for bad in (("joined",), (), ("gone", 1, 15, 0), "joined"):
        text = "events: expected those of a Status, got {!r}".format(bad)
        with raises(ValueError, text):
            note(record(), [bad])
