"""What only a node decides that leads or is about to: claim, readmit, rest. No bus in here.

Loaded when it comes to that; a standby's wake does without. The arguments are those of ``rules``.
Stands on rules, layout and bitmap.
"""

from .bitmap import bits, ids
from .layout import owner
from .rules import released, silent


def claim(mine, view, config, epoch):
    """Turn ``mine`` into a claim of a new epoch above ``epoch`` [5, 6].

    Whoever has too many strikes is dead in it.
    """
    old = view.token
    p = owner(old)
    me = mine.node
    if p != me or not old:  # a takeover; else I am primary and mark somebody dead
        if not mine.fell:  # an unreported split brain keeps its token: it covers this one too
            mine.lineage = old
        mine.announced = not old
    mine.dead |= silent(mine, config.retries) & ~(released(view) << p)
    mine.dead &= ~(1 << me)
    mine.token = max(old >> 3, epoch) + 1 << 3 | 7 - me
    # not named primary until it is confirmed
    mine.primary = mine.spare = mine.runs[me] = mine.released = 0


def asked(view, me):
    """Nodes that others than ``me`` ask, under the current token, to take back [8]: a bitmap."""
    found = 0
    for theirs in view.records:
        if theirs and theirs.node != me and theirs.token == view.token:
            found |= theirs.spare
    return found


def proven(mine, config):
    """Nodes that have beaten in as many looks in a row as a readmission takes [5]: a bitmap."""
    return bits([config.readmit and run <= -config.readmit for run in mine.runs])


def readmit(mine, nodes):
    """Take back those of ``nodes``, a bitmap, that are dead, with a clean record [5, 8]."""
    for j in ids(nodes & mine.dead):
        mine.dead ^= 1 << j
        mine.runs[j] = 0


def readmitted(mine, view, config):
    """``mine``, with those taken back that are asked for or have proven themselves [5, 8]."""
    readmit(mine, mine.spare | asked(view, mine.node) | proven(mine, config))
    return mine


def resting(mine, counted, config):
    """Has this owner of the token stood down, and is it still waiting for somebody to claim [9]?"""
    me = mine.node
    if mine.released and counted:
        mine.runs[me] += 1
        if mine.runs[me] > config.retries:  # nobody came
            mine.released = mine.runs[me] = 0
    return mine.released
