"""Events: the difference between what is and what was last announced. Pure. Stands on bitmap, layout.

What was announced is seven bitmaps and a counter in every node's record. Everybody takes over the latest, so
that a new primary goes on where the old one stopped, whichever EEPROMs and nodes are lost. An event
is offered at every wake of the primary until ``announced()`` has recorded it.
"""

from .bitmap import ids
from .layout import FAILOVER_TOLD, FELL, STUCK, TWIN

JOINED, SUSPECT, DEAD, LOST, SPLIT, STUCK_AT, TWIN_AT = range(7)  # places in Record.told

# kind, its bitmap, and whether the bit appeared (1) or went away (0); the order in which they are offered
_KINDS = (
    ("joined", JOINED, 1),
    ("suspect", SUSPECT, 1),
    ("recovered", SUSPECT, 0),
    ("dead", DEAD, 1),
    ("failover", None, 1),
    ("readmitted", DEAD, 0),
    ("split_brain", SPLIT, 1),
    ("eeprom_lost", LOST, 1),
    ("eeprom_back", LOST, 0),
    ("lock_stuck", STUCK_AT, 1),
    ("duplicate_id", TWIN_AT, 1),
)


def rivals(mine, me, view):
    """Per node the token with which it was primary beside this primary (split brain), or 0."""
    found = [0] * len(view.records)
    for j in range(len(found)):
        theirs = view.records[j]
        token = view.named[j]
        if theirs and theirs.flags & FELL:
            token = max(token, theirs.lineage)
        if j != me and mine.lineage < token < mine.token:
            found[j] = token
    return found


def present(mine, me, view, members, suspects, lost, rival_tokens):
    """What is, as seven bitmaps in the order of ``Record.told``."""
    split = stuck = 0
    twins = view.twins
    for j in range(len(view.records)):
        theirs = mine if j == me else view.records[j]
        bit = 1 << j
        if rival_tokens[j]:
            split |= bit
        if theirs and theirs.flags & STUCK:
            stuck |= bit
        if theirs and theirs.flags & TWIN:
            twins |= bit
    return [members, suspects, mine.dead, lost, split, stuck, twins]


def pending(mine, me, now, rival_tokens):
    """The events to announce, each ``(kind, node or EEPROM, token, n)``; ``now`` from ``present``."""
    found = []
    for kind, place, appeared in _KINDS:
        if place is None:
            changed = 0 if mine.flags & FAILOVER_TOLD else 1 << me
        elif appeared:
            changed = now[place] & ~mine.told[place]
        else:
            changed = mine.told[place] & ~now[place]
            if place == SUSPECT:
                changed &= ~now[DEAD]  # it did not recover, it died
        for j in ids(changed):
            token = rival_tokens[j] if kind == "split_brain" else mine.token
            found.append((kind, j, token, mine.n))
    return tuple(found)


def announce(mine, me, events):
    """Record that ``events`` were announced; ``ValueError`` for one that is none of ours."""
    for event in events:
        for kind, place, appeared in _KINDS:
            if event[0] == kind:
                break
        else:
            raise ValueError("events: %r is not an event of this cluster" % (event,))
        bit = 1 << event[1]
        if place is None:
            mine.flags |= FAILOVER_TOLD
        elif appeared:
            mine.told[place] |= bit
        else:
            mine.told[place] &= ~bit
        if place == DEAD:
            mine.told[SUSPECT] &= ~bit
        if place == SPLIT:
            mine.flags &= ~FELL  # mine was the other side of it
    mine.n = mine.n + 1 & 0xFFFF


def forget(mine, now):
    """Drop what was announced and is over, so that it can be announced when it happens again."""
    for place in (SPLIT, STUCK_AT, TWIN_AT):
        mine.told[place] &= now[place]


def acknowledge(mine, me, stuck):
    """Take back one's own reports once they were announced; ``stuck``: the lock is stuck right now."""
    for flag, place in ((FELL, SPLIT), (STUCK, STUCK_AT), (TWIN, TWIN_AT)):
        if mine.told[place] >> me & 1 and not (flag == STUCK and stuck):
            mine.flags &= ~flag
