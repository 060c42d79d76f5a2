"""Events: the difference between what is and what was last announced. Stands on layout,
bitmap and config.

Only a primary needs this; it is loaded when this node is one.

What was announced is seven bitmaps, a flag and a counter in every node's record. Everybody takes
over the primary's at each look, so that a new primary goes on where the old one stopped. An event
is offered at every wake of the primary until ``announced()`` has recorded it.
"""

from .bitmap import ids
from .config import demand
from .layout import LATE, TOLD_SPLIT, TOLD_STUCK, TOLD_TWIN

# places in Record.told, beside the layout's; FAILOVER stands for the record's announced
JOINED = 0
SUSPECT = 1
DEAD = 2
LOST = 3
FAILOVER = 7
GONE = 8  # no place, a flag: the bit went away

# the order in which events are offered, and what each is about
_KINDS = (
    "joined suspect recovered dead failover readmitted split_brain"
    " eeprom_lost eeprom_back lock_stuck lock_late duplicate_id"
).split()
_PLACES = (
    JOINED, SUSPECT, GONE | SUSPECT, DEAD, FAILOVER, GONE | DEAD, TOLD_SPLIT,
    LOST, GONE | LOST, TOLD_STUCK, TOLD_STUCK, TOLD_TWIN,
)  # fmt: skip


def pending(mine, view, members, suspects, lost):
    """The events to announce, each ``(kind, node or EEPROM, token, n)``. The last three are
    bitmaps.

    What was announced and is over is dropped from ``mine``: it can be announced when it happens
    again.
    """
    tokens = rivals(mine, view)
    told = mine.told
    now = [members, suspects, mine.dead, lost, 0, 0, view.twin, 1 << mine.node]
    late = 0
    for j in range(len(tokens)):
        theirs = mine if j == mine.node else view.records[j]
        if theirs:
            now[TOLD_SPLIT] |= (tokens[j] > 0) << j
            now[TOLD_STUCK] |= (theirs.stuck > 0) << j
            late |= (theirs.stuck >= LATE) << j
            now[TOLD_TWIN] |= theirs.twin << j
    for place in (TOLD_SPLIT, TOLD_STUCK, TOLD_TWIN):
        told[place] &= now[place]
    before = told + [mine.announced << mine.node]
    found = []
    for kind, place in zip(_KINDS, _PLACES):
        old = before[place & 7]
        changed = old & ~now[place & 7] if place & GONE else now[place & 7] & ~old
        if place == GONE | SUSPECT:
            changed &= ~mine.dead
        elif place == TOLD_STUCK:  # one or the other
            changed &= late if kind == "lock_late" else ~late
        for j in ids(changed):
            token = tokens[j] if place == TOLD_SPLIT else mine.token
            found.append((kind, j, token, mine.n))
    return tuple(found)


def rivals(mine, view):
    """Per node the token with which it was primary beside this primary (split brain), or 0."""
    found = view.named[:]
    for j in range(len(found)):
        theirs = view.records[j]
        if theirs and theirs.fell:
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
    told = mine.told + [mine.announced << mine.node]
    for event in events:
        place = _PLACES[_KINDS.index(event[0])]
        bit = 1 << event[1]
        told[place & 7] |= bit
        if place & GONE:
            told[place & 7] ^= bit
        elif place == DEAD:
            told[SUSPECT] &= ~bit
        elif place == TOLD_SPLIT:
            mine.fell = 0  # mine was the other side of it
    mine.announced = told.pop() >> mine.node & 1
    mine.told = told
    mine.n = mine.n + 1 & 0xFFFF
