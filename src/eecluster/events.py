"""Events: the difference between what is and what was last announced. Stands on rules, layout,
bitmap and config.

Only a primary needs this; it is loaded when this node is one.

What was announced is eight bitmaps, a flag and a counter in every node's record. Everybody takes
over the primary's at each look, so that a new primary goes on where the old one stopped. An event
is offered at every wake of the primary until ``announced()`` has recorded it.

An event may be told and the board crash before that is recorded. So before one is offered that
says that something begins, the primary's record says so too, and what a record says and is over
counts as announced: then its end is offered. That is takeover's part.
"""

from .bitmap import ids
from .config import demand
from .layout import (
    DEAD,
    DUPLICATE,
    JOINED,
    LATE,
    LOCK,
    LOST,
    OPEN,
    RIVALLED,
    SETTINGS,
    SPLIT,
    STANDS,
    STUCK,
    SUSPECT,
    TAKEOVER,
)
from .rules import members, silent

FAILOVER = 8  # stands for the flag TAKEOVER
GONE = 16  # no place, a flag: the bit went away
# of a place with several kinds: 32 * (its place in what `pending` calls parts)
DIFFER = 4
CLOCK = 5

# the order in which events are offered, and what each is about
_KINDS = (
    "joined suspect recovered dead failover readmitted split_brain eeprom_lost eeprom_back"
    " lock_stuck lock_late lock_open duplicate_id settings_differ clock_stands"
).split()
_PLACES = (
    JOINED, SUSPECT, GONE | SUSPECT, DEAD, FAILOVER, GONE | DEAD, SPLIT, LOST, GONE | LOST,
    LOCK | 2 * STUCK, LOCK | 2 * LATE, LOCK | 2 * OPEN, DUPLICATE,
    SETTINGS | 32 * DIFFER, SETTINGS | 32 * CLOCK,
)  # fmt: skip


def pending(mine, view):
    """The events to announce, each ``(kind, node or EEPROM, token, n)``.

    What was announced and is over is dropped from ``mine``: it can be announced when it happens
    again.
    """
    tokens = rivals(mine, view)
    announced = mine.announced
    me = mine.node
    now = [members(mine), silent(mine, 0), mine.dead, mine.lost, 0, 0, view.duplicate, 0, 1 << me]
    parts = [0] * 6  # nodes, by what is wrong with their lock or settings
    for j in range(len(tokens)):
        theirs = mine if j == mine.node else view.records[j]
        if theirs:
            bit = 1 << j
            parts[(theirs.flags & OPEN) >> 4] |= bit
            if not mine.dead & bit:
                if theirs.flags & STANDS:
                    parts[CLOCK] |= bit
                elif theirs.settings != mine.settings:
                    parts[DIFFER] |= bit
            now[SPLIT] |= (tokens[j] > 0) << j
            now[DUPLICATE] |= (theirs.flags >> 3 & 1) << j
    now[LOCK] = parts[1] | parts[2] | parts[3]
    now[SETTINGS] = parts[DIFFER] | parts[CLOCK]
    parts[0] = 0xFF
    for place in (SPLIT, LOCK, DUPLICATE, SETTINGS):
        announced[place] &= now[place]
    before = announced + [(mine.flags >> 2 & 1) << mine.node]
    n = mine.incarnation << 32 | mine.n
    found = []
    for kind, place in zip(_KINDS, _PLACES):
        old = before[place & 15]
        new = now[place & 15]
        changed = old & ~new if place & GONE else new & ~old & parts[place >> 5]
        if place == GONE | SUSPECT:
            changed &= ~mine.dead
        for j in ids(changed):
            found.append((kind, j, tokens[j] if place == SPLIT else mine.token, n))
    return tuple(found)


def rivals(mine, view):
    """Per node the token with which it was primary beside this primary (split brain), or 0."""
    found = view.named[:]
    for j in range(len(found)):
        theirs = view.records[j]
        if theirs and theirs.flags & RIVALLED:
            found[j] = max(found[j], theirs.lineage)
        if j == mine.node or not mine.lineage < found[j] < mine.token:
            found[j] = 0
    return found


def record(mine, events):
    """Note in ``mine`` that these events were announced. ``ValueError`` if one of them is none of
    ours: none is noted.
    """
    for event in events:
        good = (
            isinstance(event, (tuple, list))
            and len(event) > 1
            and event[0] in _KINDS
            and event[1] in range(8)
        )
        demand(good, "events", "those of a Status", event)
    announced = mine.announced + [(mine.flags >> 2 & 1) << mine.node]
    for event in events:
        place = _PLACES[_KINDS.index(event[0])]
        bit = 1 << event[1]
        announced[place & 15] |= bit
        if place & GONE:
            announced[place & 15] ^= bit
        elif place == DEAD:
            announced[SUSPECT] &= ~bit
        elif place == SPLIT:
            mine.flags &= ~RIVALLED  # mine was the other side of it
    mine.flags = mine.flags & ~TAKEOVER | (announced.pop() >> mine.node & 1) << 2
    mine.announced = announced
    mine.n = mine.n + 1 & 0xFFFFFFFF
