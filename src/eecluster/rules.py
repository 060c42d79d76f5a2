"""The decisions of every wake: from what a look found to what is written next. No bus in here.

``mine`` is this node's own record, changed in place; ``view`` is what the look found
(``slots.View``); ``config`` the arguments. The numbers in brackets are the protocol's rules, see
the documentation. What only a node that leads or is about to decides is in ``takeover``. Stands on
layout and bitmap.

``strikes[j]`` counts looks in a row: n > 0 without a new beat of node j, -n with one. The own entry
counts duties that failed in a row or, once stood down, looks since then.
"""

from .bitmap import bits, ids
from .layout import ADMITTED, BEATEN, RELEASED, RIVALLED, STANDS, TAKEOVER, owner

SEQUENCES = 255  # they go from 1 to that
OPEN_LOOKS = 8


def observe(mine, view, config, clock, new):
    """Count strikes [3, 4]. True if this look counts; ``clock``: now, in seconds.

    ``new``: there is no record of mine to compare with.
    """
    if config.interval and not new:
        passed = clock - mine.clock
        if 0 <= passed * 8 < config.interval * 7:
            return False
        new = passed < 0  # the clock was set back: a new baseline
    mine.flags &= ~(BEATEN | STANDS)
    seqs = mine.seqs
    for j, theirs in enumerate(view.records):
        if j == mine.node:
            continue
        seq = theirs.seqs[j] if theirs else seqs[j]
        strikes = mine.strikes[j]
        if new:
            strikes = 0
        elif seq != seqs[j]:
            strikes = max(-127, min(strikes, 0) - 1)
        elif theirs or seq or view.token and j == owner(view.token):
            strikes = min(127, max(strikes, 0) + 1)
            if ~(view.heard | mine.lost) & config.all & 1 << j:
                # its EEPROM went silent with it: no second chance
                strikes = max(strikes, config.retries + 1)
        seqs[j] = seq
        mine.strikes[j] = strikes
    mine.clock = clock
    mine.lost = lost(view, config)
    return True


def lost(view, config):
    """EEPROMs that are missing or did not take my last record: a bitmap."""
    return ~(view.fresh or view.good or view.empty) & config.all


def leader_of(view):
    """The record of the highest token's owner, or None if it does not carry that token."""
    record = view.records[owner(view.token)] if view.token else None
    return record if record and record.token == view.token else None


def released(view):
    """Has the highest token's owner stood down? 0 or 1."""
    leader = leader_of(view)
    return leader.flags & RELEASED if leader else 0


def follow(mine, view):
    """Follow the highest token [3, 7, 8] and take over what its owner has announced."""
    token = view.token
    leader = leader_of(view)
    p = owner(token)
    if token > mine.token:
        if p == mine.node:  # a claim of mine that only others remember
            mine.lineage = mine.token
            mine.flags &= ~TAKEOVER
        elif mine.primary >> mine.node & 1 and leader and leader.lineage < mine.token:
            mine.lineage = mine.token  # it did not replace my token, it rivalled it: split brain
            mine.flags |= RIVALLED
        mine.token = token
        mine.primary = mine.spare = mine.strikes[mine.node] = 0
        mine.flags &= ~RELEASED
    if token and p != mine.node:
        mine.primary = 1 << p
        if leader:
            mine.dead = leader.dead
            mine.deaths = leader.deaths
            mine.n = leader.n
            mine.incarnation = leader.incarnation
            mine.announced = leader.announced[:]
    for j in ids(mine.spare & ~mine.dead):
        theirs = view.records[j]
        # fulfilled: this node itself is here, or another board, or for long enough the same one
        beats = OPEN_LOOKS if theirs and not theirs.flags & ADMITTED else 1
        if j == mine.node or mine.strikes[j] <= -beats:
            mine.spare ^= 1 << j


def silent(mine, retries):
    """Nodes that are not dead and were silent for more than ``retries`` looks [3, 5]: a bitmap."""
    return bits([strikes > retries for strikes in mine.strikes]) & ~mine.dead & ~(1 << mine.node)


def members(mine):
    """Nodes whose beat was seen and that are not dead: a bitmap."""
    return bits(mine.seqs) & ~mine.dead


def may_lead(mine, view, config, counted):
    """Is the token mine, or may I replace it [6, 9]?"""
    p = owner(view.token)
    if not view.token or p == mine.node:
        return True  # a cold start, or mine
    # strikes of an earlier look say nothing if this one does not count: there may be a new beat
    strikes = mine.strikes[p] - config.retries if counted else 0
    me = mine.node
    if mine.dead >> me & 1:
        if mine.spare >> me & 1:  # reset_node() on this board itself
            return strikes > 0
        return config.readmit and strikes > config.readmit
    # not a member before the first beat
    return mine.seqs[me] and (strikes > 0 or released(view))


def beat(mine, leading, done, config):
    """One more beat; a primary whose duty failed too often stands down [9].

    False: nothing to write. There is one beat for each look that counts, so that a board in a
    reset loop wears no chip; more of them if its clock stands still and so none counts.
    """
    if mine.flags & (BEATEN | STANDS) == BEATEN:
        return False
    mine.flags |= BEATEN
    me = mine.node
    if leading:
        mine.strikes[me] = 0 if done else mine.strikes[me] + 1
        if mine.strikes[me] > config.retries:
            release(mine)
    if leading or mine.flags & RELEASED or owner(mine.token) != me:
        mine.seqs[me] = mine.seqs[me] % SEQUENCES + 1  # 0 is: no beat yet
    # else the token is mine but not confirmed: who cannot lead must not look alive
    return True


def release(mine):
    """Release the token [9]."""
    mine.flags |= RELEASED
    mine.primary = mine.strikes[mine.node] = 0
