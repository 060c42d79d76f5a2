"""The decisions, as tables: from what a look found to what is written next. No bus, no chips.

`mine` is node 0's record unless a table says otherwise; a token is written `token(epoch, node)`.
"""

import eecluster.rules as rules
import eecluster.takeover as takeover
from eecluster.bitmap import bits, ids
from eecluster.config import Config
from eecluster.events import pending, rivals
from eecluster.events import record as note
from eecluster.layout import (
    ADMITTED,
    BEATEN,
    LATE,
    OPEN,
    RELEASED,
    RIVALLED,
    SHARED,
    STANDS,
    STUCK,
    TAKEOVER,
    Layout,
)
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
            made.strikes[1] = value
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
        # strikes and sequence before, sequence now (None: no record), token -> strikes, sequence
        ("a new beat", 0, 5, 6, 0, -1, 6),
        ("another new beat", -1, 6, 7, 0, -2, 7),
        ("a new beat after strikes", 3, 5, 6, 0, -1, 6),
        ("several beats are one look", 0, 5, 9, 0, -1, 9),
        ("the first beat", 0, 0, 1, 0, -1, 1),
        ("the sequence wraps", 0, 255, 1, 0, -1, 1),
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
        assert (mine.strikes[1], mine.seqs[1]) == (run_after, seq_after), what


def test_a_record_of_another_sequence_is_the_nodes_own():
    mine = record(seq=5)
    theirs = record(2)
    theirs.seqs[1] = 6  # what node 2 last saw of node 1 is no beat of node 1
    rules.observe(mine, look(beaten(1, 5), theirs), config(), 0, False)
    assert (mine.strikes[1], mine.seqs[1]) == (1, 5)


def test_own_entry_is_not_touched():
    mine = beaten(0, 7, run=0)
    mine.strikes[0] = 2
    rules.observe(mine, look(beaten(0, 9)), config(), 0, False)
    assert (mine.strikes[0], mine.seqs[0]) == (2, 7)


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
        assert mine.strikes[1] == run, what
        assert mine.clock == (1000 + passed if counts else 1000), what


def test_a_look_that_does_not_count_changes_nothing():
    mine = record(run=3, seq=5, clock=1000, lost=0b0010)
    mine.flags = BEATEN | STANDS
    view = look(beaten(1, 6), beaten(2, 1), good=1, fresh=1, heard=1)
    assert same(rules.observe, mine, view, config(interval=800), 1001, False)


def test_a_look_that_counts_makes_room_for_a_beat():
    for interval, passed, new, left in (
        (800, 699, False, BEATEN | STANDS),
        (800, 700, False, 0),
        (800, 0, True, 0),
        (800, -1, False, 0),
        (None, 0, False, 0),
    ):
        mine = record(flags=BEATEN | STANDS | RIVALLED, clock=1000)
        rules.observe(mine, look(), config(interval=interval), 1000 + passed, new)
        assert mine.flags == left | RIVALLED, (interval, passed, new)


def test_a_clock_that_stands():
    """What `clock` says in a look that does not count."""
    table = (
        # sequence of node 1 before and now (None: no record) -> does it stand
        ("no beat", 5, 5, False),
        ("one beat", 5, 6, False),
        ("two beats", 5, 7, True),
        ("many beats", 5, 105, True),
        ("one beat, it wraps", 255, 1, False),
        ("two beats, it wraps", 255, 2, True),
        ("two beats over the end", 254, 1, True),
        ("its first beat", 0, 1, False),
        ("no record", 5, None, False),
        ("no record, no beat", 0, None, False),
    )
    for what, before, now, stands in table:
        mine = record(seq=before, flags=RIVALLED)
        takeover.clock(mine, look() if now is None else look(beaten(1, now)))
        assert mine.flags == RIVALLED | STANDS * stands, what
        assert (mine.strikes, mine.seqs[1]) == ([0, 0, 0, 0], before), what


def test_any_other_node_shows_that_a_clock_stands():
    for node in range(4):
        mine = record(0)
        mine.seqs = [1] * 4
        takeover.clock(mine, look(*[beaten(i, 1 + 2 * (i == node)) for i in range(4)]))
        assert mine.flags == (STANDS if node else 0), node  # its own record says nothing


def test_an_older_record_or_an_unknown_node_does_not_show_that_a_clock_stands():
    table = (
        # known, found
        (9, 8),  # the newer record is on a chip that is out of reach
        (9, 200),
        (1, 128),
        (0, 50),  # its first record
        (9, 10),
        (255, 1),
    )
    for known, found in table:
        mine = record(0, seq=known)
        takeover.clock(mine, look(beaten(1, found)))
        assert mine.flags == 0, (known, found)
    for known, found in ((9, 11), (255, 2), (254, 1), (1, 127)):
        mine = record(0, seq=known)
        takeover.clock(mine, look(beaten(1, found)))
        assert mine.flags == STANDS, (known, found)


def test_a_clock_that_stands_goes_on_standing_until_a_look_counts():
    mine = record(flags=STANDS)
    takeover.clock(mine, look(beaten(1, 0)))
    assert mine.flags == STANDS


def test_a_new_baseline():
    for interval, clock, new in (
        (800, 0, True),
        (800, 1000, True),
        (None, 0, True),
        (800, 999, False),
    ):
        mine = record(clock=1000)
        mine.strikes = [1, 9, -9, 2]
        mine.seqs = [4, 5, 6, 7]
        view = look(beaten(1, 50), beaten(2, 6))
        assert rules.observe(mine, view, config(interval=interval), clock, new)
        assert mine.strikes == [1, 0, 0, 0]  # its own entry stays
        assert mine.seqs == [4, 50, 6, 7]
        assert mine.clock == clock


def test_no_second_chance_when_its_eeprom_is_silent_too():
    table = (
        # strikes and sequences as above; answered, lost before, retries, EEPROMs -> strikes
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
        assert mine.strikes[1] == after, what


def test_that_happens_once():
    mine = record(seq=5)
    dark = {"heard": 0b1101, "good": 0b1101, "fresh": 0b1101}
    rules.observe(mine, look(beaten(1, 6), **dark), config(retries=3), 0, False)
    assert (mine.strikes[1], mine.lost) == (-1, 0b0010)
    for strikes in (1, 2, 3):  # it is known now: all chances count
        rules.observe(mine, look(beaten(1, 6), **dark), config(retries=3), 0, False)
        assert mine.strikes[1] == strikes
    rules.observe(mine, look(beaten(1, 7)), config(retries=3), 0, False)
    assert (mine.strikes[1], mine.lost) == (-1, 0)
    rules.observe(mine, look(beaten(1, 7), **dark), config(retries=3), 0, False)
    assert (mine.strikes[1], mine.lost) == (4, 0b0010)


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
        ("it stood down", look(record(1, token=14, flags=RELEASED)), 1, 1),
        ("only others know its token", look(record(1, token=6), record(2, token=14)), None, 0),
        ("it stood down before", look(record(1, token=6, flags=RELEASED), token=14), None, 0),
        ("no record of it", look(record(2, token=14)), None, 0),
    )
    for what, view, leader, released in table:
        found = rules.leader_of(view)
        assert (found and found.node) == leader, what
        assert rules.released(view) == released, what


def test_silent():
    table = (
        # strikes, dead, retries -> silent
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
        mine.strikes = runs
        assert rules.silent(mine, retries) == nodes, (runs, dead, retries)


def test_members():
    table = (
        ([0, 0, 0, 0], 0, 0),
        ([1, 0, 255, 0], 0, 0b0101),
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
        token=token(1, 0), primary=1, spare=0b1000, flags=RELEASED | BEATEN, dead=0b1000, n=2,
        announced=[1] * 8, incarnation=5, deaths=0xFF,
    )  # fmt: skip
    mine.strikes[0] = 2
    theirs = record(
        1, token=token(2, 1), lineage=token(1, 0), dead=0b0100, n=7, flags=STANDS, settings=9,
        announced=[1, 2, 3, 4, 5, 6, 7, 8], incarnation=6, deaths=0b010000,
    )  # fmt: skip
    rules.follow(mine, look(theirs))
    assert mine.token == token(2, 1)
    assert mine.primary == 0b0010
    assert (mine.spare, mine.flags, mine.strikes[0]) == (0, BEATEN, 0)
    assert (mine.dead, mine.n, mine.announced) == (0b0100, 7, [1, 2, 3, 4, 5, 6, 7, 8])
    assert mine.announced is not theirs.announced
    assert (mine.incarnation, mine.deaths) == (6, 0b010000)
    assert (mine.settings, mine.lineage) == (0, 0)


def test_follow_only_what_the_owner_itself_says():
    old = {"dead": 0b0100, "n": 2, "announced": [1] * 8, "incarnation": 5, "deaths": 1}
    mine = record(token=token(1, 2), **old)
    stale = record(
        1, token=token(1, 2), dead=0b1000, n=9, announced=[9] * 8, incarnation=6, deaths=2
    )
    rules.follow(mine, look(stale, record(3, token=token(2, 1))))
    assert (mine.token, mine.primary) == (token(2, 1), 0b0010)
    for name, value in old.items():
        assert getattr(mine, name) == value, name


def test_follow_the_same_token_again():
    mine = record(token=token(2, 1), primary=2, spare=0b1000, dead=0b1000)
    theirs = record(1, token=token(2, 1), dead=0b1100)
    rules.follow(mine, look(theirs))
    assert (mine.dead, mine.spare, mine.primary) == (0b1100, 0b1000, 2)


def test_my_own_token():
    mine = record(token=token(2, 0), primary=1, spare=0b1000, dead=0b1000, flags=RELEASED)
    assert same(rules.follow, mine, look(mine, record(1, token=token(1, 1), dead=0b0001)))


def test_no_token_yet():
    assert same(rules.follow, record(), look(beaten(1, 1)))


def test_a_claim_of_mine_that_only_others_remember():
    mine = record(token=token(1, 1), lineage=3, flags=TAKEOVER | BEATEN, primary=2)
    rules.follow(mine, look(mine, record(2, token=token(2, 0))))
    assert (mine.token, mine.lineage, mine.flags) == (token(2, 0), token(1, 1), BEATEN)
    assert mine.primary == 0  # only when it is confirmed


def test_who_notices_a_split_brain_as_its_loser():
    table = (
        # whom node 1 saw as primary, the token that the winner replaced (None: no record of it)
        # -> rivalled
        ("rivals: both replaced token(1, 2)", 0b0010, token(1, 2), 1),
        ("it replaced a much older one", 0b0010, 0, 1),
        ("it replaced mine", 0b0010, token(2, 1), 0),
        ("it replaced one after mine", 0b0010, token(3, 2), 0),
        ("I claimed, but was never confirmed", 0, token(1, 2), 0),
        ("I followed node 2", 0b0100, token(1, 2), 0),
        ("the winner's record is not to be seen", 0b0010, None, 0),
    )
    for what, primary, replaced, rivalled in table:
        mine = record(1, token=token(2, 1), primary=primary, flags=BEATEN)
        winner = record(0, token=token(4, 0), lineage=replaced or 0)
        view = look(mine, token=token(4, 0)) if replaced is None else look(mine, winner)
        rules.follow(mine, view)
        assert mine.flags == BEATEN | RIVALLED * rivalled, what
        assert mine.lineage == (token(2, 1) if rivalled else 0), what
        assert mine.primary == 1, what


def test_a_request_is_fulfilled_when_its_node_beats():
    table = (
        # node asked for, dead by the primary, its strikes, its flags (None: no record)
        # -> still asked
        ("still dead", 1, 0b0010, -9, 0, True),
        ("still dead, another board", 1, 0b0010, -9, ADMITTED, True),
        ("no beat yet", 1, 0, 0, 0, True),
        ("silent", 1, 0, 2, 0, True),
        ("the same board may stop again", 1, 0, -1, 0, True),
        ("7 looks", 1, 0, -7, 0, True),
        ("8 looks", 1, 0, -8, 0, False),
        ("more looks", 1, 0, -127, 0, False),
        ("other flags do not matter", 1, 0, -7, 0x1FF & ~ADMITTED, True),
        ("another board, no beat yet", 1, 0, 0, ADMITTED, True),
        ("another board", 1, 0, -1, ADMITTED, False),
        ("no record to be seen", 1, 0, 2, None, True),
        ("no record to be seen, but its last beat", 1, 0, -1, None, False),
        ("this node, dead", 0, 0b0001, 0, 0, True),
        ("this node itself: it is here", 0, 0, 0, 0, False),
    )
    for what, node, dead, strikes, flags, asked in table:
        mine = record(token=token(1, 2), spare=1 << node, run=strikes)
        view = look(record(2, token=token(1, 2), dead=dead))
        if flags is not None:
            view.records[1] = record(1, flags=flags)
        rules.follow(mine, view)
        assert bool(mine.spare) == asked, what


def test_a_request_waits_for_its_own_node():
    mine = record(token=token(1, 3), spare=0b0110)
    mine.strikes = [0, -rules.OPEN_LOOKS, 1 - rules.OPEN_LOOKS, 0]
    rules.follow(mine, look(record(1), record(2), record(3, token=token(1, 3))))
    assert mine.spare == 0b0100


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
            view.records[1] = record(1, token=owned, flags=released * RELEASED)
        settings = config(retries=retries, readmit=readmit)
        assert bool(rules.may_lead(mine, view, settings, counted)) == may, what


# beat [9]


def test_sequence():
    for before, after in ((0, 1), (1, 2), (254, 255), (255, 1)):
        mine = beaten(0, before, token=token(1, 1))
        assert rules.beat(mine, False, True, config())
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
        for stands in (0, STANDS, STANDS | BEATEN):
            flags = released * RELEASED | stands
            mine = beaten(0, 5, token=token(2, node), flags=flags, primary=leading)
            mine.strikes[0] = failed
            assert rules.beat(mine, leading, done, config()), what
            assert mine.seqs[0] == (6 if beats else 5), what
            assert mine.strikes[0] == after, what
            assert mine.flags == down * RELEASED | stands | BEATEN, what
            assert mine.primary == (leading and not down), what


def test_one_beat_for_each_look_that_counts():
    for leading, done, node in (
        (True, True, 0),
        (True, False, 0),
        (False, True, 0),
        (False, True, 1),
    ):
        for flags in (BEATEN, BEATEN | RELEASED, BEATEN | RIVALLED):
            mine = beaten(0, 5, token=token(2, node), primary=leading, flags=flags)
            mine.strikes[0] = 1
            assert same(rules.beat, mine, leading, done, config())
            assert not rules.beat(mine, leading, done, config())
    mine = beaten(0, 5, token=token(2, 1), clock=1000)
    settings = config(interval=800)
    for now, beats in ((1000, 1), (1100, 1), (1699, 1), (1700, 2), (1701, 2), (2400, 3)):
        rules.observe(mine, look(beaten(1, 5)), settings, now, False)
        rules.beat(mine, False, True, settings)
        assert mine.seqs[0] == 5 + beats, now


def test_how_many_duties_may_fail():
    for retries in (0, 1, 5):
        mine = beaten(0, 5, token=token(2, 0), primary=1)
        for _ in range(retries):
            mine.flags = 0  # a look has counted
            assert rules.beat(mine, True, False, config(retries=retries))
            assert (mine.flags, mine.primary) == (BEATEN, 1)
        mine.flags = 0
        assert rules.beat(mine, True, False, config(retries=retries))
        assert (mine.flags, mine.primary, mine.strikes[0]) == (BEATEN | RELEASED, 0, 0)


def test_acknowledge():
    table = (
        # told split, lock, duplicate; what is wrong with the lock now -> flags
        (0, 0, 0, 0, RIVALLED | LATE | SHARED),
        (1, 0, 0, 0, LATE | SHARED),
        (0, 1, 0, 0, RIVALLED | SHARED),
        (0, 1, 0, LATE, RIVALLED | LATE | SHARED),
        (0, 1, 0, STUCK, RIVALLED | LATE | SHARED),
        (0, 0, 1, 0, RIVALLED | LATE),
        (1, 1, 1, 0, 0),
        (2, 2, 2, 0, RIVALLED | LATE | SHARED),  # another node's reports were announced
    )
    for split, lock, duplicate, now, after in table:
        mine = record(flags=RIVALLED | LATE | SHARED | BEATEN | STANDS | TAKEOVER)
        mine.announced[4:7] = [split, lock, duplicate]
        takeover.settle(mine, look(), now)
        assert mine.flags == after | BEATEN | STANDS | TAKEOVER, (split, lock, duplicate, now)


def test_a_lock_fault_goes_as_a_whole():
    for fault in (STUCK, LATE, OPEN):
        mine = record(flags=fault)
        assert same(takeover.settle, mine, look(), 0)
        mine.announced[5] = 1
        assert same(takeover.settle, mine, look(), fault)
        takeover.settle(mine, look(), 0)
        assert mine.flags == 0


def test_another_board_stays_admitted_while_others_ask_for_it():
    owned = token(2, 1)
    table = (
        # spare and token of node 1 -> admitted
        (0b0001, owned, True),
        (0b1111, owned, True),
        (0b0010, owned, False),  # another one is asked for
        (0, owned, False),
        (0b0001, token(1, 2), False),  # an old request
    )
    for spare, theirs, admitted in table:
        mine = record(token=owned, flags=ADMITTED | BEATEN, spare=0b0001)
        view = look(mine, record(1, token=theirs, spare=spare))
        takeover.settle(mine, view, 0)
        assert mine.flags == BEATEN | ADMITTED * admitted, (spare, theirs)
    for me in (1, 2):
        mine = record(me, token=owned, flags=ADMITTED)
        takeover.settle(mine, look(mine, record(3, token=owned, spare=1 << me)), 0)
        assert mine.flags == ADMITTED
    mine = record(flags=BEATEN)
    takeover.settle(mine, look(mine, record(1, spare=1)), 0)
    assert mine.flags == BEATEN  # who was not admitted does not become it


def test_a_lock_that_lets_others_in():
    """Has another node written between two looks at the same EEPROMs?"""
    revisions = [1, 2, 3, 4]
    table = (
        # revisions before and after, EEPROMs before and after -> fault
        ("nobody wrote", revisions, revisions, ALL, ALL, 0),
        ("this node did", revisions, [1, 2, 4, 4], ALL, ALL, 0),
        ("another one did", revisions, [1, 3, 3, 4], ALL, ALL, OPEN),
        ("both did", revisions, [2, 2, 4, 4], ALL, ALL, OPEN),
        ("an EEPROM is gone, and old content shows", revisions, [0, 2, 3, 4], ALL, 0b1110, 0),
        ("an EEPROM is back", revisions, [9, 2, 3, 4], 0b1110, ALL, 0),
        ("its record is gone", revisions, [None, 2, 3, 4], ALL, ALL, 0),
        ("its first record", [None, 2, 3, 4], revisions, ALL, ALL, 0),
    )
    for what, before, after, good_before, good_after, fault in table:
        views = []
        for numbers, good in ((before, good_before), (after, good_after)):
            found = [record(i, revision=n) for i, n in enumerate(numbers) if n is not None]
            views.append(look(*found, good=good))
        assert takeover.disturbed(views[0], views[1], 2) == fault, what


class Holder:
    """What `update` asks of a node: it holds the lock, or went on without it."""

    def __init__(self, view, had):
        self.slots = self
        self.view = view
        self.node = 2
        self.had = had
        self.lock_fault = 0
        self.reported = []

    def report(self):
        self.reported.append(self.lock_fault)


def test_only_others_writes_under_a_lock_that_was_had_are_a_fault():
    for writer, had, fault in ((1, True, OPEN), (2, True, 0), (1, False, 0)):
        holder = Holder(look(record(writer, revision=1)), had)
        for _ in takeover.update(holder):
            holder.view = look(record(writer, revision=2))
        assert holder.lock_fault == fault, (writer, had)
        assert holder.reported == [fault] * had


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
        takeover.claim(mine, look(token=old), config(), epoch, 0)
        assert mine.token == claimed, (node, old, epoch)
        assert mine.token > old


def test_who_is_dead_in_a_claim():
    table = (
        # strikes, dead before, released -> dead
        ("the old primary", [0, 2, 0, 0], 0, 0, 0b0010),
        ("a suspect is not", [0, 2, 1, 0], 0, 0, 0b0010),
        ("another one too", [0, 2, 2, -1], 0, 0, 0b0110),
        ("those before stay dead", [0, 2, -5, 0], 0b0100, 0, 0b0110),
        ("not who stood down", [0, 2, 0, 0], 0, RELEASED, 0),
        ("but others", [0, 2, 2, 0], 0, RELEASED, 0b0100),
        ("who was dead and stood down stays dead", [0, 2, 0, 0], 0b0010, RELEASED, 0b0010),
        ("never the claimant", [9, 2, 0, 0], 0b0001, 0, 0b0010),
    )
    for what, strikes, dead, flags, after in table:
        mine = record(token=token(1, 1), dead=dead)
        mine.strikes = strikes
        view = look(record(1, token=token(1, 1), flags=flags, dead=dead))
        takeover.claim(mine, view, config(), 0, 0)
        assert mine.dead == after, what


def test_deaths_are_counted():
    table = (
        # strikes, dead, released, deaths of nodes 0 to 3 -> deaths
        ("a first death", [0, 2, 0, 0], 0, 0, (0, 0, 0, 0), (0, 1, 0, 0)),
        ("a second", [0, 2, 0, 0], 0, 0, (1, 1, 1, 1), (1, 2, 1, 1)),
        ("a third", [0, 2, 0, 0], 0, 0, (3, 2, 3, 3), (3, 3, 3, 3)),
        ("no more than three", [0, 2, 0, 0], 0, 0, (0, 3, 0, 0), (0, 3, 0, 0)),
        ("two at once", [0, 2, -1, 5], 0, 0, (0, 0, 0, 2), (0, 1, 0, 3)),
        ("dead already", [0, 2, 9, 0], 0b0100, 0, (0, 0, 1, 0), (0, 1, 1, 0)),
        ("a suspect", [0, 2, 1, 0], 0, 0, (0, 0, 0, 0), (0, 1, 0, 0)),
        ("not who stood down", [0, 2, 0, 0], 0, RELEASED, (0, 1, 0, 0), (0, 1, 0, 0)),
        ("the claimant was dead itself", [9, 2, 0, 0], 0b0001, 0, (2, 0, 0, 0), (2, 1, 0, 0)),
    )
    for what, strikes, dead, flags, before, after in table:
        mine = record(token=token(1, 1), dead=dead, deaths=packed_deaths(before))
        mine.strikes = strikes
        view = look(record(1, token=token(1, 1), flags=flags, dead=dead))
        takeover.claim(mine, view, config(), 0, 0)
        assert mine.deaths == packed_deaths(after), what


def packed_deaths(numbers):
    return sum([number << 2 * j for j, number in enumerate(numbers)])


def test_what_a_claim_keeps():
    table = (
        # node 0 claims above the token of; lineage and rivalled before -> lineage, announced
        ("a takeover", token(3, 1), 5, 0, token(3, 1), 0),
        ("a death under my token", token(3, 0), 5, 0, 5, TAKEOVER),
        ("a cold start is no failover", 0, 0, 0, 0, TAKEOVER),
        ("I rivalled: an unreported split brain", token(3, 1), 21, RIVALLED, 21, 0),
        ("the same under my token", token(3, 0), 21, RIVALLED, 21, TAKEOVER),
    )
    for what, old, lineage, rivalled, lineage_after, told_after in table:
        kept = rivalled | BEATEN | STANDS | LATE | SHARED | ADMITTED
        mine = record(
            token=old, lineage=lineage, flags=kept | TAKEOVER | RELEASED, primary=1, spare=2, n=7
        )
        mine.strikes[0] = 2
        takeover.claim(mine, look(token=old), config(), 0, 0)
        assert (mine.lineage, mine.flags) == (lineage_after, kept | told_after), what
        # not named primary before it is confirmed; requests and duties are of the old token
        assert (mine.primary, mine.spare, mine.strikes[0], mine.n) == (0, 0, 0, 7), what


def test_a_takeover_is_to_be_told_even_after_one_that_was_not():
    for before in (0, TAKEOVER):
        for old, after in ((0, TAKEOVER), (token(3, 0), before), (token(3, 1), 0)):
            mine = record(token=old, flags=before)
            takeover.claim(mine, look(token=old), config(), 0, 0)
            assert mine.flags == after, (before, old)


def test_an_incarnation_is_drawn_at_a_cold_start_only():
    table = (
        # token before, uid, clock, draw -> incarnation, 7 before
        (0, 0, 0, 0, 0),
        (0, 0x12345678, 0, 0, 0x5678),
        (0, 0, 0x12345678, 0, 0x5678),
        (0, 0, 0, 0x12345678, 0x5678),
        (0, 0xF0F01111, 0x2222, 0x14444, 0x7777),
        (0, 0xFFFF, 0xFFFF, 3, 3),
        (token(3, 0), 0x1234, 0x1234, 5, 7),
        (token(3, 1), 0x1234, 0x1234, 5, 7),
    )
    for old, uid, clock, draw, incarnation in table:
        for epoch in (0, 100):
            mine = record(token=old, uid=uid, clock=clock, incarnation=7)
            takeover.claim(mine, look(token=old), config(), epoch, draw)
            assert mine.incarnation == incarnation, (old, uid, clock, draw)


def test_what_the_old_leader_may_have_told_has_an_end():
    """Node 0 replaces token(2, 1), or marks somebody dead under its own."""
    table = (
        # strikes of node 1 for nodes 0 to 3, EEPROMs it lost; strikes of node 0, its lost
        # -> announced suspects and lost
        ("nothing", [0, 0, 0, 0], 0, [0, 2, 0, 0], 0, 0, 0),
        ("it suspected node 2, which beats", [0, 0, 1, 0], 0, [0, 2, -1, 0], 0, 0b0100, 0),
        ("still silent: it has only begun", [0, 0, 1, 0], 0, [0, 2, 1, 0], 0, 0, 0),
        ("silent for me alone", [0, 0, 0, 0], 0, [0, 2, 1, 0], 0, 0, 0),
        ("it suspected me, and here I am", [1, 0, 0, 0], 0, [0, 2, 0, 0], 0, 0b0001, 0),
        ("its own strikes are of its duty", [0, 1, 0, 0], 0, [0, 2, 0, 0], 0, 0, 0),
        ("an EEPROM is back", [0, 0, 0, 0], 0b0110, [0, 2, 0, 0], 0b0010, 0, 0b0100),
        ("one more is gone", [0, 0, 0, 0], 0, [0, 2, 0, 0], 0b0010, 0, 0),
    )
    for what, theirs, gone, strikes, missing, suspects, lost in table:
        for told in (0, 0b1000):
            mine = record(token=token(2, 1), lost=missing)
            mine.strikes = strikes[:]
            mine.announced[1] = mine.announced[3] = told
            leader = record(1, token=token(2, 1), lost=gone)
            leader.strikes = theirs
            takeover.claim(mine, look(mine, leader), config(), 0, 0)
            assert mine.announced[1] == suspects | told, what
            assert mine.announced[3] == lost | told, what


def test_who_was_dead_for_the_old_leader_was_no_suspect_of_it():
    mine = record(token=token(2, 1), dead=0b0100)
    leader = record(1, token=token(2, 1), dead=0b0100)
    leader.strikes[2] = 1
    takeover.claim(mine, look(mine, leader), config(), 0, 0)
    assert mine.announced == [0] * 8


def test_only_the_leader_itself_says_what_it_has_told():
    """Its record is an older one, or the token is mine."""
    for mine, other in (
        (record(token=token(2, 1)), record(1, token=token(1, 1), lost=0b0100)),
        (record(token=token(2, 0)), record(1, token=token(1, 1), lost=0b0100)),
        (record(), record(1, lost=0b0100)),
    ):
        other.strikes[2] = 1
        takeover.claim(mine, look(mine, other), config(), 0, 0)
        assert mine.announced == [0] * 8


def test_a_cold_start_of_the_last_node():
    """The token 0 belongs to nobody, though `owner(0)` gives node 7."""
    mine = Layout(8, 4, 0, 1, 32768, 64, 0).new(7)
    takeover.claim(mine, look(), config(), 0, 0)
    assert (mine.token, mine.lineage, mine.flags, mine.dead) == (token(1, 7), 0, TAKEOVER, 0)


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
        # strikes, readmit, dead -> proven
        ([0, 0, 0, 0], 3, ALL, 0),
        ([0, -1, -2, -3], 3, ALL, 0b1000),
        ([0, -1, -2, -4], 2, ALL, 0b1100),
        ([0, -1, 1, 3], 1, ALL, 0b0010),
        ([0, -127, -60, -59], 60, ALL, 0b0110),
        ([0, -127, -127, -127], None, ALL, 0),
        ([0, -9, -9, -9], 3, 0b1010, 0b1010),  # only who is dead
        ([0, -9, -9, -9], 3, 0, 0),
    )
    for strikes, looks, dead, nodes in table:
        mine = record(dead=dead)
        mine.strikes = strikes
        assert takeover.proven(mine, config(readmit=looks)) == nodes, (strikes, looks, dead)


def test_probation_grows_with_deaths():
    table = (
        # readmit, deaths -> looks in a row that it takes
        (3, 0, 3),
        (3, 1, 3),
        (3, 2, 6),
        (3, 3, 12),
        (1, 1, 1),
        (1, 2, 2),
        (1, 3, 4),
        (29, 3, 116),
        (30, 3, 120),
        (31, 2, 62),
        (31, 3, 120),
        (60, 1, 60),
        (60, 2, 120),
        (60, 3, 120),
    )
    for readmit, deaths, looks in table:
        for node in (1, 3):
            mine = record(dead=ALL, deaths=deaths << 2 * node)
            for strikes, proven in ((1 - looks, False), (-looks, True), (-127, True)):
                mine.strikes[node] = strikes
                found = takeover.proven(mine, config(readmit=readmit))
                assert found == proven << node, (readmit, deaths, strikes)
        assert not takeover.proven(mine, config(readmit=None))


def test_readmit():
    table = (
        # dead, readmitted -> dead, strikes
        (0b1110, 0b0010, 0b1100, [1, 0, 3, 4]),
        (0b1110, 0b1010, 0b0100, [1, 0, 3, 0]),
        (0b1000, 0b0010, 0b1000, [1, 2, 3, 4]),  # it was not dead: its strikes stay
        (0, 0b1111, 0, [1, 2, 3, 4]),
        (0b1111, 0, 0b1111, [1, 2, 3, 4]),
    )
    for dead, nodes, after, strikes in table:
        for proven in (0, 1):
            mine = record(dead=dead, deaths=0b11_10_01_11)
            mine.strikes = [1, 2, 3, 4]
            mine.announced[2] = 0b0100
            takeover.readmit(mine, nodes, proven)
            assert (mine.dead, mine.strikes) == (after, strikes), (dead, nodes)
            # that it was dead may have been told, so that it is back is told too
            taken = nodes & dead
            assert mine.announced == [0, 0, 0b0100 | taken, 0, 0, 0, 0, 0], (dead, nodes)
            forgiven = 0 if proven else sum([3 << 2 * j for j in ids(taken)])
            assert mine.deaths == 0b11_10_01_11 & ~forgiven, (dead, nodes)


def test_deaths_are_forgotten():
    table = (
        # strikes and deaths of node 1, dead -> strikes, deaths
        ("not long enough", -126, 2, 0, -126, 2),
        ("one for 127 looks", -127, 2, 0, 0, 1),
        ("the last one", -127, 1, 0, 0, 0),
        ("none to forget", -127, 0, 0, -127, 0),
        ("dead: it has to prove itself first", -127, 3, 0b0010, -127, 3),
        ("another one is dead", -127, 3, 0b0100, 0, 2),
        ("silent", 127, 3, 0, 127, 3),
    )
    for what, strikes, deaths, dead, strikes_after, after in table:
        mine = record(dead=dead, deaths=deaths << 2 | 0b11_00_11, run=strikes)
        takeover.forget_deaths(mine)
        assert mine.strikes == [0, strikes_after, 0, 0], what
        assert mine.deaths == after << 2 | 0b11_00_11, what


def test_who_goes_on_beating_has_all_deaths_forgotten():
    mine = record(deaths=0b11_11_00)
    for n in range(1, 3 * 127 + 1):
        rules.observe(mine, look(beaten(1, n % 255 + 1)), config(), 0, False)
        takeover.forget_deaths(mine)
        assert mine.deaths >> 4 == 0b11  # node 2's: it has no beats
        if n == 126:
            assert mine.deaths == 0b11_11_00
    assert mine.deaths == 0b11_00_00


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
        what = released, looks, counted
        mine = record(flags=released * RELEASED | LATE | BEATEN)
        mine.strikes[0] = looks
        assert bool(takeover.resting(mine, counted, config(retries=retries))) == rests, what
        assert mine.flags == rests * RELEASED | LATE | BEATEN, what
        assert mine.strikes[0] == after, what


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
        ("it rivalled long ago", 0, 1, token(1, 1), 0),
        ("a lineage without rivalled is no rival", 0, 0, token(4, 1), 0),
    )
    for what, named, rivalled, lineage, rival in table:
        mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1)
        theirs = record(1, flags=rivalled * RIVALLED, lineage=lineage)
        view = look(mine, theirs, token=token(5, 0), named=[token(5, 0), named, 0, 0])
        assert rivals(mine, view) == [0, rival, 0, 0], what
        assert view.named[1] == named  # the view stays as it was


def test_a_primary_is_no_rival_of_itself():
    mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1, flags=RIVALLED)
    assert rivals(mine, look(mine, named=[token(4, 0), 0, 0, 0])) == [0, 0, 0, 0]


def test_split_brain_is_offered_until_it_is_announced():
    mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1, flags=TAKEOVER, n=3)
    view = look(mine, record(1), named=[0, token(3, 1), 0, 0])
    event = ("split_brain", 1, token(3, 1), 3)
    for _ in range(2):
        assert pending(mine, view) == (event,)
    mine.announced[4] = 0b0010
    assert pending(mine, view) == ()
    assert mine.announced[4] == 0b0010
    # over: may be announced when it happens again
    assert pending(mine, look(mine, record(1))) == ()
    assert mine.announced[4] == 0


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
        mine = record(0, token=token(1, 0), dead=dead, lost=lost, flags=TAKEOVER, n=255)
        for j in range(4):
            mine.seqs[j] = (members | dead) >> j & 1
            mine.strikes[j] = suspects >> j & 1
        mine.announced = [joined, suspect, died, missing, 0, 0, 0, 0]
        found = pending(mine, look(mine))
        assert [event[:2] for event in found] == list(events), (members, suspects, dead, lost)
        assert all([event[2:] == (token(1, 0), 255) for event in found])


def test_one_life_of_the_cluster_is_told_from_the_next():
    table = (
        # incarnation, n -> n of the events
        (0, 0, 0),
        (0, 0xFFFFFFFF, 0xFFFFFFFF),
        (1, 0, 0x1_0000_0000),
        (0xFFFF, 3, 0xFFFF_0000_0003),
    )
    for incarnation, n, expected in table:
        mine = record(token=token(1, 0), incarnation=incarnation, n=n, lost=1)
        events = (("failover", 0, token(1, 0), expected), ("eeprom_lost", 0, token(1, 0), expected))
        assert pending(mine, look(mine)) == events


def test_a_suspect_of_the_primary_only():
    mine = record(0, token=token(1, 0), flags=TAKEOVER)
    mine.strikes = [5, 0, 0, 2]  # its own are of its duty
    theirs = record(1)
    theirs.strikes = [0, 0, 3, 0]
    assert pending(mine, look(mine, theirs)) == (("suspect", 3, token(1, 0), 0),)


def test_announced():
    table = (
        # kind, told before -> told after: joined, suspect, dead, lost, split, lock, duplicate,
        # settings
        ("joined", [0, 0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0]),
        ("suspect", [0, 0, 0, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0, 0, 0]),
        ("recovered", [0, 3, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]),
        ("dead", [2, 3, 0, 0, 0, 0, 0, 0], [2, 1, 2, 0, 0, 0, 0, 0]),
        ("readmitted", [0, 0, 6, 0, 0, 0, 0, 0], [0, 0, 4, 0, 0, 0, 0, 0]),
        ("eeprom_lost", [0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 3, 0, 0, 0, 0]),
        ("eeprom_back", [0, 0, 0, 3, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0]),
        ("split_brain", [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 0, 0, 0]),
        ("lock_stuck", [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 2, 0, 0]),
        ("lock_late", [0, 0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 3, 0, 0]),
        ("lock_open", [0, 0, 0, 0, 0, 2, 0, 0], [0, 0, 0, 0, 0, 2, 0, 0]),
        ("duplicate_id", [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 2, 0]),
        ("settings_differ", [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 2]),
        ("clock_stands", [0, 0, 0, 0, 0, 0, 0, 4], [0, 0, 0, 0, 0, 0, 0, 6]),
    )
    for kind, before, after in table:
        for takeover_told in (0, TAKEOVER):
            mine = record(n=0xFFFFFFFF, flags=RIVALLED | LATE | BEATEN | takeover_told)
            mine.announced = before[:]
            note(mine, ((kind, 1, 15, 255),))
            assert mine.announced == after, kind
            assert mine.n == 0, kind  # 32 bits: it wraps
            rivalled = 0 if kind == "split_brain" else RIVALLED
            assert mine.flags == rivalled | LATE | BEATEN | takeover_told, kind


def test_announced_counts():
    mine = record(n=0xFFFF)
    note(mine, (("joined", 1, 15, 255), ("joined", 2, 15, 255)))
    assert (mine.n, mine.announced[0]) == (0x10000, 0b0110)


def test_announced_failover():
    for told in (0, TAKEOVER):
        mine = record(flags=told | BEATEN)
        note(mine, [("failover", 0, 15, 0)])
        assert (mine.flags, mine.n) == (TAKEOVER | BEATEN, 1)
        assert mine.announced == [0] * 8


def test_announced_refuses_what_is_no_event():
    good = ("joined", 1, 15, 0)
    for bad in (("gone", 1, 15, 0), ("joined", 8, 15, 0), ("joined", -1, 15, 0), "joined", 5):
        mine = record()
        with raises(ValueError, "events"):
            note(mine, (good, bad))
        assert (mine.announced, mine.n) == ([0] * 8, 0), bad


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
    assert mine.strikes == [0] * 8


# What is node 0's in the tables above may be any node's


def test_numbers_end_at_7():
    assert ids(0x1FF) == ids(-1) == (0, 1, 2, 3, 4, 5, 6, 7)


def test_no_node_is_silent_for_itself():
    for node in range(4):
        mine = record(node)
        mine.strikes = [9, 9, 9, 9]
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
        takeover.claim(mine, look(token=token(1, 1)), config(), 0, 0)
        assert mine.dead == 0b1111 & ~(1 << node), node
        assert mine.announced[2] == 1 << node, node  # readmitted


class Looker(Node):
    """A node with three EEPROMs, whose writes reach those in `kept`."""

    def __init__(self, mine, *others, fresh=0b111, held=None, kept=0b111):
        self.config = config(3)
        self.config.quorum = 2
        self.slots = self
        self.timer = self
        self.node = mine.node
        self.had = False
        self.lock_fault = 0
        self.mine = mine
        self.others = others
        self.kept = kept
        self.leading = False
        self.done = []
        self.view = look(mine, *others, good=0b111, fresh=fresh, heard=0b111)
        self.view.held = mine.token if held is None else held

    def quorate(self):
        return True

    def ticks_us(self):
        return 0

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
        # what a write reaches, counted, strikes of nodes 1 and 2 -> dead, token
        ("silent", 0b111, True, 2, 0, 0b0110, token(4, 0)),
        ("silent, not confirmed", 0b001, True, 2, 0, 0b0100, owned),
        ("silent, this look does not count", 0b111, False, 2, 0, 0b0100, owned),
        ("beats again", 0b111, True, -1, -3, 0, owned),
        ("not long enough", 0b111, True, -1, -2, 0b0100, owned),
        ("beats again, not confirmed", 0b001, True, -1, -3, 0b0100, owned),
        ("beats again, this look does not count", 0b111, False, -1, -3, 0b0100, owned),
    )
    for what, kept, counted, one, two, dead, highest in table:
        mine = record(0, token=owned, dead=0b0100, run=one)
        mine.strikes[2] = two
        node = Looker(mine, record(1), record(2), fresh=0, held=0, kept=kept)
        node.lead(counted, None)
        assert (node.mine.dead, node.mine.token) == (dead, highest), what
        assert node.leading == (kept == 0b111), what


def test_all_rivals_are_told():
    mine = record(0, token=token(5, 0), lineage=token(2, 1), primary=1, flags=TAKEOVER)
    named = [0, token(3, 1), token(4, 2), 0]
    view = look(mine, record(1), record(2), record(3), named=named)
    assert pending(mine, view) == (
        ("split_brain", 1, token(3, 1), 0),
        ("split_brain", 2, token(4, 2), 0),
    )
    mine.announced[4] = 0b0110
    assert pending(mine, view) == ()
    assert mine.announced[4] == 0b0110


def test_deaths_in_what_a_primary_does():
    """Node 2 is dead by token(3, 0), for the second or third time."""
    table = (
        # deaths, strikes of node 2, it is asked for by node 1 -> dead, deaths
        ("on probation", 2, -5, 0, 0b0100, 2),
        ("proven", 2, -6, 0, 0, 2),
        ("on a longer one", 3, -11, 0, 0b0100, 3),
        ("proven at last", 3, -12, 0, 0, 3),
        ("by a person's request", 3, -1, 1, 0, 0),
        ("both: a person has seen to it", 3, -12, 1, 0, 0),
    )
    for what, deaths, strikes, asked, dead, after in table:
        mine = record(0, token=token(3, 0), dead=0b0100, deaths=deaths << 4)
        mine.strikes[2] = strikes
        theirs = record(1, token=token(3, 0), spare=asked << 2)
        node = Looker(mine, theirs, record(2))
        node.lead(True, None)
        assert (mine.dead, mine.deaths >> 4) == (dead, after), what


def test_a_member_that_beats_for_long_has_a_death_forgotten():
    for counted, leads, after in ((True, True, 1), (False, True, 2), (True, False, 2)):
        mine = record(0, token=token(3, 0), deaths=2 << 2, run=-127)
        node = Looker(mine, record(1), held=None if leads else 0, kept=0b111 * leads)
        node.lead(counted, None)
        assert (node.leading, mine.deaths) == (leads, after << 2)


def test_what_has_begun_is_written_before_it_can_be_told():
    once = ["write", "look"]
    table = (
        # noted, suspects and lost now, announced of both, counted -> what is done
        ("nothing", (0, 0), 0, 0, 0, 0, True, []),
        ("a suspect", (0, 0), 0b0010, 0, 0, 0, True, once),
        ("noted", (0b0010, 0), 0b0010, 0, 0, 0, True, []),
        ("announced", (0, 0), 0b0010, 0, 0b0010, 0, True, []),
        ("another suspect", (0b0010, 0), 0b0110, 0, 0, 0, True, once),
        ("an EEPROM", (0, 0), 0, 0b010, 0, 0, True, once),
        ("noted", (0, 0b010), 0, 0b010, 0, 0, True, []),
        ("announced", (0, 0), 0, 0b010, 0, 0b010, True, []),
        ("another EEPROM", (0, 0b100), 0, 0b110, 0, 0, True, once),
        ("one for the other", (0b0010, 0), 0, 0b010, 0, 0, True, once),
        ("not counted", (0, 0), 0b0010, 0b010, 0, 0, False, []),
        ("no token of mine before", None, 0b0010, 0b010, 0, 0, True, []),
    )
    for what, noted, suspects, lost, told, told_lost, counted, done in table:
        mine = record(0, token=token(3, 0), lost=lost)
        mine.strikes = [suspects >> j & 1 for j in range(4)]
        mine.announced[1] = told
        mine.announced[3] = told_lost
        node = Looker(mine, record(1), record(2))
        node.lead(counted, noted)
        assert (node.done, node.leading, mine.token) == (done, True, token(3, 0)), what


def test_who_is_replaced_while_that_is_written_does_not_lead():
    mine = record(0, token=token(3, 0), lost=0b010)
    node = Looker(mine, record(1))
    node.others = (record(1, token=token(4, 1)),)  # since the last look
    node.lead(True, (0, 0))
    assert (node.leading, node.mine.token) == (False, token(4, 1))
    mine = record(0, token=token(3, 0), lost=0b010)
    node = Looker(mine, record(1), kept=0b001)
    node.lead(True, (0, 0))
    assert (node.leading, node.done) == (False, ["write", "look"] * 2)


def test_what_was_noted_and_is_over_counts_as_told():
    table = (
        # noted, strikes, dead, lost -> announced suspects and lost
        ("nothing noted", (0, 0), [0, 1, 0, 0], 0, 0b010, 0, 0),
        ("still so", (0b0010, 0b010), [0, 1, 0, 0], 0, 0b010, 0, 0),
        ("recovered", (0b0110, 0), [0, 1, -1, 0], 0, 0, 0b0100, 0),
        ("dead has not recovered", (0b0110, 0), [0, -1, 0, 0], 0b0100, 0, 0b0010, 0),
        ("an EEPROM is back", (0, 0b011), [0, 0, 0, 0], 0, 0b001, 0, 0b010),
    )
    for what, noted, strikes, dead, lost, suspects, back in table:
        for told in (0, 0b1000):
            mine = record(0, token=token(3, 0), dead=dead, lost=lost)
            mine.strikes = strikes[:]
            mine.announced[1] = mine.announced[3] = told
            node = Looker(mine, record(1), record(2))
            node.lead(True, noted)
            assert mine.announced[1] == suspects | told, what
            assert mine.announced[3] == back | told, what
            assert mine.token == token(3, 0)


def test_what_is_over_is_told_of_a_confirmed_primary_in_a_look_that_counts():
    for counted, noted, kept in ((False, (2, 2), 0b111), (True, None, 0b111), (True, (2, 2), 1)):
        mine = record(0, token=token(3, 0))
        node = Looker(mine, record(1), fresh=kept, kept=kept)
        node.lead(counted, noted)
        assert mine.announced == [0] * 8


def test_a_write_shows_that_the_lock_is_open():
    table = (
        # the lock was had, what is wrong with it, revision of node 1 afterwards -> fault
        (True, 0, 1, 0),
        (True, 0, 2, OPEN),
        (False, 0, 2, 0),  # it was not held: others may write
        (False, STUCK, 2, STUCK),
        (True, LATE, 2, LATE),
    )
    for had, before, revision, fault in table:
        mine = record(0, token=token(3, 0), flags=before)
        node = Looker(mine, record(1, revision=1), fresh=0, held=0)
        node.had = had
        node.lock_fault = before
        node.others = (record(1, revision=revision),)
        assert node.confirm()
        assert node.lock_fault == fault, (had, before, revision)
        assert mine.flags == fault, (had, before, revision)


def test_what_each_node_reports():
    table = (
        ("lock_stuck", STUCK), ("lock_late", LATE), ("lock_open", OPEN),
        ("duplicate_id", SHARED), ("clock_stands", STANDS),
    )  # fmt: skip
    for kind, flag in table:
        for node in range(4):
            mine = record(0, token=token(1, 0), flags=TAKEOVER)
            view = look(*[record(i, flags=flag * (i == node)) for i in range(1, 4)])
            view.records[0] = record(0, token=token(1, 0))  # as it was written last
            mine.flags |= flag * (node == 0)
            event = (kind, node, token(1, 0), 0)
            for _ in range(2):
                assert pending(mine, view) == (event,)
            note(mine, [event])
            assert pending(mine, view) == ()
            assert sum(mine.announced) == 1 << node
            view.records = [None] * 4  # over: may be announced when it happens again
            mine.flags = TAKEOVER
            assert pending(mine, view) == ()
            assert mine.announced == [0] * 8


def test_two_boards_that_a_look_tells_apart():
    mine = record(0, token=token(1, 0), flags=TAKEOVER)
    for view in (look(record(1), duplicate=0b0010), look(duplicate=0b0010)):
        assert pending(mine, view) == (("duplicate_id", 1, token(1, 0), 0),)


def test_a_lock_has_one_fault_at_a_time():
    mine = record(0, token=token(1, 0), flags=TAKEOVER | OPEN)
    view = look(record(1, flags=LATE), record(2, flags=STUCK), record(3, flags=OPEN))
    kinds = [event[:2] for event in pending(mine, view)]
    assert kinds == [("lock_stuck", 2), ("lock_late", 1), ("lock_open", 0), ("lock_open", 3)]
    mine.announced[5] = 0b0110  # another fault of the same lock is not told until that was over
    assert [event[:2] for event in pending(mine, view)] == [("lock_open", 0), ("lock_open", 3)]


def test_settings_that_differ():
    table = (
        # settings and flags of node 1, dead -> events
        ("alike", 7, 0, 0, ()),
        ("not alike", 8, 0, 0, ("settings_differ",)),
        ("not alike, but dead", 8, 0, 0b0010, ()),
        ("its clock stands", 7, STANDS, 0, ("clock_stands",)),
        ("its clock stands, and is dead", 7, STANDS, 0b0010, ()),
        ("both: the clock first", 8, STANDS, 0, ("clock_stands",)),
    )
    for what, settings, flags, dead, kinds in table:
        mine = record(0, token=token(1, 0), flags=TAKEOVER, settings=7, dead=dead)
        mine.announced[2] = dead
        found = pending(mine, look(mine, record(1, settings=settings, flags=flags)))
        assert found == tuple([(kind, 1, token(1, 0), 0) for kind in kinds]), what


def test_settings_and_clocks_of_several_nodes():
    mine = record(0, token=token(1, 0), flags=TAKEOVER, settings=7)
    for flags, kind in ((0, "settings_differ"), (STANDS, "clock_stands")):
        view = look(mine, *[record(i, settings=i, flags=flags) for i in (1, 2, 3)])
        assert [event[:2] for event in pending(mine, view)] == [(kind, i) for i in (1, 2, 3)]


def test_what_boards_must_have_in_common():
    """The check is one byte; these changes show in it."""
    alike = config(interval=900).settings
    assert config(interval=900).settings == alike
    assert 0 <= alike <= 0xFF
    for changes in (
        {"interval": 900, "retries": 2},
        {"interval": 900, "readmit": 4},
        {"interval": 900, "readmit": None},
        {"interval": 60},
        {"interval": 899.5},
        {"interval": None},
    ):
        assert config(**changes).settings != alike, changes


def test_announced_by_any_primary():
    for me in range(4):
        for told in (0, TAKEOVER):
            mine = record(me, flags=told)
            note(mine, [("joined", 0, 15, 0)])
            assert mine.flags == told  # its takeover is still to be told, or was
            note(mine, [("failover", me, 15, 1)])
            assert mine.flags == TAKEOVER


def test_what_is_no_event_is_named():
    for bad in (("joined",), (), ("gone", 1, 15, 0), "joined"):
        text = "events: expected those of a Status, got {!r}".format(bad)
        with raises(ValueError, text):
            note(record(), [bad])
