"""What only a node decides that leads or is about to: confirm, claim, readmit, rest. No bus here.

Loaded when it comes to that; a standby's wake does without. ``lead`` and ``confirm`` decide in
steps: whenever they yield, the record is to be written and the EEPROMs are to be looked at, which
changes the ``node`` that they are handed: its record ``mine`` and its last view. The other
arguments are those of ``rules``. Stands on rules, layout and bitmap.
"""

from .bitmap import bits, ids
from .layout import owner
from .rules import follow, released, silent


def lead(node, counted):
    """The token is mine or I may replace it: confirm it, do what a primary does, or claim."""
    mine = node.mine
    view = node.slots.view
    config = node.config
    if view.token and owner(view.token) == mine.node:
        if resting(mine, counted, config):
            return
        yield from confirm(node)
        if not (node.leading and counted):
            return
        mine = node.mine  # it may have looked again
        view = node.slots.view
        readmit(mine, mine.spare | asked(view, mine.node) | proven(mine, config))
        if not silent(mine, config.retries):
            return
    claim(mine, view, config, 0)
    yield
    yield from confirm(node)


def confirm(node):
    """Is nothing higher than my token read, and does it stand in my slot on a quorum? Says so in
    ``node.leading``.
    """
    node.leading = False
    for left in (1, 0):
        mine = node.mine
        view = node.slots.view
        follow(mine, view)
        if not node.quorate() or owner(mine.token) != mine.node:
            break
        if mine.token == view.held and len(ids(view.fresh)) >= node.config.quorum:
            mine.primary = 1 << mine.node
            mine.dead &= ~mine.primary
            node.leading = True
            break
        if left:  # not yet on a quorum
            yield


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


def resting(mine, counted, config):
    """Has this owner of the token stood down, and is it still waiting for somebody to claim [9]?"""
    me = mine.node
    if mine.released and counted:
        mine.runs[me] += 1
        if mine.runs[me] > config.retries:  # nobody came
            mine.released = mine.runs[me] = 0
    return mine.released
