"""What only a node decides that leads or is about to: confirm, claim, readmit, rest. No bus here.

Loaded when it comes to that; a standby's wake does without. ``lead`` and ``confirm`` decide in
steps: whenever they yield, the record is to be written and the EEPROMs are to be looked at, which
changes the ``node`` that they are handed: its record ``mine`` and its last view. The other
arguments are those of ``rules``. Stands on rules, layout and bitmap.
"""

from .bitmap import ids
from .layout import (
    ADMITTED,
    DEAD,
    DUPLICATE,
    LOCK,
    LOST,
    OPEN,
    RELEASED,
    RIVALLED,
    SHARED,
    SPLIT,
    STANDS,
    SUSPECT,
    TAKEOVER,
    owner,
)
from .rules import SEQUENCES, follow, leader_of, released, silent


def lead(node, counted, noted):
    """The token is mine or I may replace it: confirm it, do what a primary does, or claim.

    ``noted``: suspects and lost EEPROMs, two bitmaps, as my record on the EEPROMs says; None: there
    was no token of mine in it. What has begun since is written before it can be told.
    """
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
        forget_deaths(mine)
        wanted = mine.spare | asked(view, mine.node)
        readmit(mine, wanted, 0)
        readmit(mine, proven(mine, config), 1)
        if noted:
            close(mine, *noted)
        if not silent(mine, config.retries):
            if noted and news(mine, noted):
                yield from update(node)
                yield from confirm(node)
            return
    claim(mine, view, config, 0, node.slots.timer.ticks_us())
    yield from update(node)
    yield from confirm(node)


def update(node):
    """Write and look, and see whether the lock kept everybody else from writing meanwhile."""
    before = node.slots.view
    yield
    if node.had and not node.lock_fault:
        node.lock_fault = disturbed(before, node.slots.view, node.slots.node)
        node.report()


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
            return
        if mine.token == view.held and len(ids(view.fresh)) >= node.config.quorum:
            mine.primary = 1 << mine.node
            mine.dead &= ~mine.primary
            node.leading = True
            return
        if left:  # not yet on a quorum
            yield from update(node)


def claim(mine, view, config, epoch, draw):
    """Turn ``mine`` into a claim of a new epoch above ``epoch`` [5, 6].

    Whoever has too many strikes is dead in it. ``draw``: any number, for a new incarnation.
    """
    old = view.token
    p = owner(old)
    me = mine.node
    if p != me or not old:  # a takeover; else I am primary and mark somebody dead
        if not mine.flags & RIVALLED:  # else it keeps the lost token, which covers this one too
            mine.lineage = old
        mine.flags = mine.flags & ~TAKEOVER | (0 if old else TAKEOVER)
        leader = leader_of(view)
        if leader:
            close(mine, silent(leader, 0), leader.lost)
    if not old:
        mine.incarnation = (mine.uid ^ mine.clock ^ draw) & 0xFFFF
    for j in ids(silent(mine, config.retries) & ~(released(view) << p)):
        mine.dead |= 1 << j
        mine.deaths += (mine.deaths >> 2 * j & 3 < 3) << 2 * j
    readmit(mine, 1 << me, 1)
    mine.token = max(old >> 3, epoch) + 1 << 3 | 7 - me
    # not named primary until it is confirmed
    mine.primary = mine.spare = mine.strikes[me] = 0
    mine.flags &= ~RELEASED


def close(mine, suspects, lost):
    """What a record says and is over may have been told to somebody: its end has to be."""
    mine.announced[SUSPECT] |= suspects & ~silent(mine, 0) & ~mine.dead
    mine.announced[LOST] |= lost & ~mine.lost


def news(mine, noted):
    """Has something begun that is neither announced nor ``noted``?"""
    suspects = silent(mine, 0) & ~noted[0] & ~mine.announced[SUSPECT]
    return suspects or mine.lost & ~noted[1] & ~mine.announced[LOST]


def clock(mine, view):
    """Two beats of somebody take an interval at least: if none has passed by the own clock, that
    stands still. ``mine`` says so.
    """
    for j, theirs in enumerate(view.records):
        known = mine.seqs[j] if theirs and j != mine.node else 0
        # more than half of them: it is an older record, and the newer one is out of reach
        if known and 1 < (theirs.seqs[j] - known) % SEQUENCES < SEQUENCES // 2:
            mine.flags |= STANDS


def disturbed(before, now, me):
    """OPEN if another node than ``me`` has written between two looks at the same EEPROMs."""
    if before.good == now.good:
        for old, new in zip(before.records, now.records):
            if old and new and old.revision != new.revision and new.node != me:
                return OPEN
    return 0


def settle(mine, view, lock_fault):
    """Take back one's own reports once somebody has seen them; ``lock_fault``: what is wrong with
    the lock right now.
    """
    if not asked(view, mine.node) >> mine.node & 1:
        mine.flags &= ~ADMITTED
    announced = mine.announced
    bit = 1 << mine.node
    if announced[SPLIT] & bit:
        mine.flags &= ~RIVALLED
    if announced[LOCK] & bit and not lock_fault:
        mine.flags &= ~OPEN
    if announced[DUPLICATE] & bit:
        mine.flags &= ~SHARED


def asked(view, me):
    """Nodes that others than ``me`` ask, under the current token, to take back [8]: a bitmap."""
    found = 0
    for theirs in view.records:
        if theirs and theirs.node != me and theirs.token == view.token:
            found |= theirs.spare
    return found


def proven(mine, config):
    """Dead nodes that have beaten in as many looks in a row as their readmission takes [5]: a
    bitmap. That is ``readmit``, twice that after a second death, four times after more of them.
    """
    readmit = config.readmit
    found = 0
    for j in ids(mine.dead):
        deaths = max(1, mine.deaths >> 2 * j & 3)
        if readmit and mine.strikes[j] <= -min(readmit << deaths - 1, 120):
            found |= 1 << j
    return found


def readmit(mine, nodes, proven):
    """Take back those of ``nodes``, a bitmap, that are dead, with a clean record [5, 8]; unless
    they have ``proven`` themselves, also without their deaths.
    """
    for j in ids(nodes & mine.dead):
        mine.dead ^= 1 << j
        mine.strikes[j] = 0
        mine.announced[DEAD] |= 1 << j  # somebody may have been told, before it could be noted
        if not proven:
            mine.deaths &= ~(3 << 2 * j)


def forget_deaths(mine):
    """One for each 127 looks in a row in which a member has beaten [5]."""
    for j, strikes in enumerate(mine.strikes):
        if strikes == -127 and mine.deaths >> 2 * j & 3 and not mine.dead >> j & 1:
            mine.deaths -= 1 << 2 * j
            mine.strikes[j] = 0


def resting(mine, counted, config):
    """Has this owner of the token stood down, and is it still waiting for somebody to claim [9]?"""
    me = mine.node
    if mine.flags & RELEASED and counted:
        mine.strikes[me] += 1
        if mine.strikes[me] > config.retries:  # nobody came
            mine.strikes[me] = 0
            mine.flags ^= RELEASED
    return mine.flags & RELEASED
