"""The decisions: from what a look found to what is written next. No bus in here. Stands on layout, bitmap.

``mine`` is this node's own record, changed in place; ``view`` is what the look found (``slots.View``);
``config`` the arguments. The numbers in brackets are the protocol's rules, see the documentation.

``runs[j]`` counts looks in a row: n > 0 without a new beat of node j (strikes), -n with one. The own entry
counts duties that failed in a row or, once stood down, looks since then.
"""

from .bitmap import bits, ids
from .layout import TOLD_SPLIT, TOLD_STUCK, TOLD_TWIN, owner


def observe(mine, view, config, now, baseline):
    """Count strikes [3, 4]. True if this look counts; ``now`` in seconds.

    ``baseline``: there is no record of mine to compare with.
    """
    if config.interval is not None and not baseline:
        passed = now - mine.clock
        if 0 <= passed * 8 < config.interval * 7:
            return False
        baseline = passed < 0  # the clock was set back
    for j in range(config.nodes):
        if j == mine.node:
            continue
        theirs = view.records[j]
        seq = theirs.seqs[j] if theirs else mine.seqs[j]
        run = mine.runs[j]
        if baseline:
            run = 0
        elif seq != mine.seqs[j]:
            run = max(-127, min(run, 0) - 1)
        elif theirs or seq or j == owner(view.token):
            run = min(127, max(run, 0) + 1)
            if ~(view.answered | mine.lost) & config.replicas & 1 << j:
                run = max(run, config.retries + 1)  # its EEPROM went silent with it: no second chance
        mine.seqs[j] = seq
        mine.runs[j] = run
    mine.clock = now
    mine.lost = lost(view, config)
    return True


def lost(view, config):
    """EEPROMs that are missing or did not take my last record: a bitmap."""
    return ~(view.fresh or view.good) & config.replicas


def leader_of(view):
    """The record of the highest token's owner, or None if it does not carry that token."""
    record = view.records[owner(view.token)] if view.token else None
    return record if record and record.token == view.token else None


def released(view):
    """Has the highest token's owner stood down? 0 or 1."""
    leader = leader_of(view)
    return leader.released if leader else 0


def follow(mine, view):
    """Follow the highest token [3, 7, 8] and take over what has been announced."""
    token = view.token
    leader = leader_of(view)
    if token > mine.token:
        if mine.primary >> mine.node & 1 and leader and leader.lineage < mine.token:
            mine.lineage = mine.token  # it did not replace my token, it rivalled it: split brain
            mine.fell = 1
        mine.token = token
        mine.primary = mine.spare = mine.runs[mine.node] = mine.released = 0
    if token and owner(token) != mine.node:
        mine.primary = 1 << owner(token)
        if leader:
            mine.dead = leader.dead
            mine.n = leader.n
            mine.told = list(leader.told)
    for j in ids(mine.spare & ~mine.dead):  # a request is fulfilled when its node beats and is not dead
        if j == mine.node or mine.runs[j] < 0:
            mine.spare ^= 1 << j


def silent(mine, looks):
    """Nodes that are not dead and were silent for more than ``looks`` looks [3, 5]: a bitmap."""
    return bits([run > looks for run in mine.runs]) & ~mine.dead & ~(1 << mine.node)


def proven(mine, config):
    """Nodes that have beaten in as many looks in a row as a readmission takes [5]: a bitmap."""
    return bits([config.readmit and run <= -config.readmit for run in mine.runs])


def members(mine):
    """Nodes whose beat was seen and that are not dead: a bitmap."""
    return bits(mine.seqs) & ~mine.dead


def asked(view, node):
    """Nodes that others than ``node`` ask, under the current token, to take back [8]: a bitmap."""
    found = 0
    for theirs in view.records:
        if theirs and theirs.node != node and theirs.token == view.token:
            found |= theirs.spare
    return found


def may_claim(mine, view, config, counted):
    """May this node, which is not the token's owner, replace it [6, 9]?"""
    if not view.token:
        return True  # a cold start
    # strikes of an earlier look say nothing if this one does not count: there may be a new beat
    strikes = mine.runs[owner(view.token)] - config.retries if counted else 0
    bit = 1 << mine.node
    if mine.dead & bit:
        if mine.spare & bit:  # reset_node() on this board itself
            return strikes > 0
        return config.readmit is not None and strikes > config.readmit
    # not a member before the first beat
    return mine.seqs[mine.node] and (strikes > 0 or released(view))


def claim(mine, view, config, epoch):
    """Turn ``mine`` into a claim of a new epoch above ``epoch`` [5, 6].

    Whoever has too many strikes is dead in it.
    """
    old = view.token
    p = owner(old)
    if p != mine.node or not old:  # a takeover; else I am primary and mark somebody dead
        if not mine.fell:  # an unreported split brain keeps its token: it covers this one too
            mine.lineage = old
        mine.failover_told = 0 if old else 1
    mine.dead |= silent(mine, config.retries) & ~(released(view) << p)
    mine.dead &= ~(1 << mine.node)
    mine.token = max(old >> 3, epoch) + 1 << 3 | 7 - mine.node
    # not named primary until it is confirmed
    mine.primary = mine.spare = mine.runs[mine.node] = mine.released = 0


def readmit(mine, nodes):
    """Take back those of ``nodes``, a bitmap, that are dead, with a clean record [5, 8]."""
    for j in ids(nodes & mine.dead):
        mine.dead ^= 1 << j
        mine.runs[j] = 0


def beat(mine, leading, done, config):
    """One more beat; a primary whose duty failed too often stands down [9]."""
    me = mine.node
    if leading:
        mine.runs[me] = 0 if done else mine.runs[me] + 1
        if mine.runs[me] > config.retries:
            stand_down(mine)
    if leading or mine.released or owner(mine.token) != me:
        mine.seqs[me] = mine.seqs[me] % 0xFFFF + 1  # 0 is: no beat yet
    # else the token is mine but not confirmed: who cannot lead must not look alive


def stand_down(mine):
    """Release the token [9]."""
    mine.released = 1
    mine.primary = mine.runs[mine.node] = 0


def resting(mine, counted, config):
    """Has this owner of the token stood down, and is it still waiting for somebody to claim [9]?"""
    if mine.released and counted:
        mine.runs[mine.node] += 1
        if mine.runs[mine.node] > config.retries:  # nobody came
            mine.released = mine.runs[mine.node] = 0
    return mine.released


def acknowledge(mine, stuck):
    """Take back one's own reports once they were announced; ``stuck``: the lock is stuck right now."""
    told = [bitmap >> mine.node & 1 for bitmap in mine.told]
    mine.fell &= ~told[TOLD_SPLIT]
    mine.stuck = stuck or mine.stuck & ~told[TOLD_STUCK]
    mine.twin &= ~told[TOLD_TWIN]
