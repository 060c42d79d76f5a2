"""Events: the difference between what is and what was last announced. Stands on lead.

Only a primary needs this; it is loaded when this node is one.

What was announced is seven bitmaps and a counter in every node's record. Everybody takes over the
primary's at each look, so that a new primary goes on where the old one stopped. An event is
offered at every wake of the primary until ``announced()`` has recorded it.
"""

from .lead import ready

# places in Record.told
JOINED = 0
SUSPECT = 1
DEAD = 2
LOST = 3
SPLIT = 4
STUCK = 5
TWIN = 6

# kind, its bitmap, and whether the bit appeared (1) or went away (0); offered in this order
_KINDS = (
    ("joined", JOINED, 1),
    ("suspect", SUSPECT, 1),
    ("recovered", SUSPECT, 0),
    ("dead", DEAD, 1),
    ("failover", 7, 1),
    ("readmitted", DEAD, 0),
    ("split_brain", SPLIT, 1),
    ("eeprom_lost", LOST, 1),
    ("eeprom_back", LOST, 0),
    ("lock_stuck", STUCK, 1),
    ("duplicate_id", TWIN, 1),
)


def pending(mine, view, members, suspects, lost):
    """The events to announce, each ``(kind, node or EEPROM, token, n)``. The last three are
    bitmaps.

    What was announced and is over is dropped from ``mine``: it can be announced when it happens
    again.
    """
    tokens = rivals(mine, view)
    told = mine.told
    now = [members, suspects, mine.dead, lost, 0, 0, view.twin, 1 << mine.node]
    for j in range(len(tokens)):
        theirs = mine if j == mine.node else view.records[j]
        if theirs:
            now[SPLIT] |= (tokens[j] > 0) << j
            now[STUCK] |= theirs.stuck << j
            now[TWIN] |= theirs.twin << j
    for place in (SPLIT, STUCK, TWIN):
        told[place] &= now[place]
    found = []
    for kind, place, appeared in _KINDS:
        before = mine.failover_told << mine.node if kind == "failover" else told[place]
        changed = now[place] & ~before if appeared else before & ~now[place]
        if kind == "recovered":
            changed &= ~mine.dead
        for j in range(8):
            if changed >> j & 1:
                found.append((kind, j, tokens[j] if kind == "split_brain" else mine.token, mine.n))
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


def announced(node, events):
    """``Cluster.announced``. ``ValueError`` if one of the events is none of ours: none is
    recorded.
    """
    kinds = [kind[0] for kind in _KINDS]
    for event in events:
        if (
            not isinstance(event, (tuple, list))
            or event[0] not in kinds
            or event[1] not in range(8)
        ):
            raise ValueError("events: expected those of a Status, got %r" % (event,))
    ready(node, False)
    if not events:
        return
    mine = node.mine
    for event in events:
        kind, place, appeared = _KINDS[kinds.index(event[0])]
        bit = 1 << event[1]
        if kind == "failover":
            mine.failover_told = 1
        elif appeared:
            mine.told[place] |= bit
        else:
            mine.told[place] &= ~bit
        if kind == "dead":
            mine.told[SUSPECT] &= ~bit
        if kind == "split_brain":
            mine.fell = 0  # mine was the other side of it
    mine.n = mine.n + 1 & 0xFFFF
    node.write()
