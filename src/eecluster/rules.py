"""The decisions: from what a look found to what is written next. No bus in here. Stands on layout.

``mine`` is this node's own record, changed in place; ``view`` is what the look found (``slots.View``). The
numbers in brackets are the protocol's rules, see the documentation.

``runs[j]`` counts looks in a row: n > 0 without a new beat of node j (strikes), -n with one. The own entry
counts duties that failed in a row or, once stood down, looks since then.
"""

from .layout import FAILOVER_TOLD, FELL, RELEASED, make_token, owner

RUN_MAX = 127


def observe(mine, me, view, now, interval, retries, eeproms, baseline=False):
    """Count strikes [3, 4]. True if this look counts; ``now`` and ``interval`` in seconds.

    ``baseline``: there is no record of mine to compare with.
    """
    if interval is not None and not baseline:
        passed = now - mine.clock
        if 0 <= passed * 8 < interval * 7:
            return False
        baseline = passed < 0  # the clock was set back
    for j in range(len(mine.runs)):
        if j == me:
            continue
        theirs = view.records[j]
        seq = theirs.seqs[j] if theirs else mine.seqs[j]
        run = mine.runs[j]
        if baseline:
            run = 0
        elif seq != mine.seqs[j]:
            run = min(run, 0) - 1
        elif theirs or seq or j == owner(view.token):
            run = max(run, 0) + 1
            if j < eeproms and not (view.answered | mine.lost) >> j & 1:
                run = max(run, retries + 1)  # its EEPROM went silent with it: no second chance
        mine.seqs[j] = seq
        mine.runs[j] = max(-RUN_MAX, min(RUN_MAX, run))
    mine.clock = now
    mine.lost = lost(view, eeproms)
    return True


def lost(view, eeproms):
    """EEPROMs that are missing or did not take my last record: a bitmap."""
    return ~(view.fresh if view.fresh else view.good) & (1 << eeproms) - 1


def leader_of(view):
    """The record of the highest token's owner, or None if it does not carry that token."""
    record = view.records[owner(view.token)] if view.token else None
    return record if record and record.token == view.token else None


def released(view):
    """Has the highest token's owner stood down? 0 or 1."""
    leader = leader_of(view)
    return leader.flags & RELEASED if leader else 0


def follow(mine, me, view):
    """Follow the highest token [3, 7, 8] and take over what has been announced."""
    token = view.token
    leader = leader_of(view)
    if token > mine.token:
        if mine.primary >> me & 1 and leader and leader.lineage < mine.token:
            mine.lineage = mine.token  # it did not replace my token, it rivalled it: split brain
            mine.flags |= FELL
        mine.token = token
        mine.primary = 0
        mine.spare = 0
        mine.runs[me] = 0
        mine.flags &= ~RELEASED
    if token and owner(token) != me:
        mine.primary = 1 << owner(token)
        if leader:
            mine.dead = leader.dead
    for theirs in view.records:  # the latest announcement, whoever recorded it
        if theirs and 0 < (theirs.n - mine.n & 0xFFFF) < 0x8000:
            mine.n = theirs.n
            mine.told = list(theirs.told)
    for j in range(len(mine.runs)):  # a request is fulfilled when its node beats and is not dead
        if not mine.dead >> j & 1 and (j == me or mine.runs[j] < 0):
            mine.spare &= ~(1 << j)


def silent(mine, me, looks):
    """Nodes that are not dead and were silent for more than ``looks`` looks [3, 5]: a bitmap."""
    found = 0
    for j in range(len(mine.runs)):
        if mine.runs[j] > looks and j != me:
            found |= 1 << j
    return found & ~mine.dead


def may_claim(mine, me, view, retries, readmit):
    """May this node, which is not the token's owner, replace it [6, 9]?"""
    if not view.token:
        return True  # a cold start
    strikes = mine.runs[owner(view.token)]
    if mine.dead >> me & 1:
        if mine.spare >> me & 1:  # reset_node() on this board itself
            return strikes > retries
        return readmit is not None and strikes > retries + readmit
    if not mine.seqs[me]:
        return False  # not a member before the first beat
    return released(view) or strikes > retries


def claim(mine, me, view, retries):
    """Turn ``mine`` into a claim of a new epoch; whoever has too many strikes is dead in it [5, 6]."""
    old = view.token
    p = owner(old)
    if p != me or not old:  # a takeover; else I am primary and mark somebody dead
        if (
            not mine.flags & FELL
        ):  # an unreported split brain keeps its token: it covers this one too
            mine.lineage = old
        mine.flags &= ~FAILOVER_TOLD
        if not old:
            mine.flags |= FAILOVER_TOLD
    mine.dead |= silent(mine, me, retries) & ~(released(view) << p)
    mine.dead &= ~(1 << me)
    mine.token = make_token((old >> 3) + 1, me)
    mine.primary = 0  # until it is confirmed
    mine.spare = 0
    mine.runs[me] = 0
    mine.flags &= ~RELEASED


def readmissions(mine, view, readmit):
    """Dead nodes that the primary takes back [5, 8]: a bitmap."""
    found = mine.spare
    for j in range(len(mine.runs)):
        if readmit is not None and mine.runs[j] <= -readmit:
            found |= 1 << j
        theirs = view.records[j]
        if theirs and theirs.token == view.token:
            found |= theirs.spare
    return found & mine.dead


def readmit_asked(me, view):
    """Has another node asked, under the current token, to take node ``me`` back [8]?"""
    for j in range(len(view.records)):
        theirs = view.records[j]
        if j != me and theirs and theirs.token == view.token and theirs.spare >> me & 1:
            return True
    return False


def resting(mine, me, counted, retries):
    """Has this owner of the token stood down, and is it still waiting for somebody to claim [9]?"""
    if mine.flags & RELEASED and counted:
        mine.runs[me] += 1
        if mine.runs[me] > retries:  # nobody came
            mine.flags &= ~RELEASED
            mine.runs[me] = 0
    return mine.flags & RELEASED


def primary(mine, me, view, leading):
    """The node in charge as far as this one knows, or None."""
    p = owner(mine.token)
    if not (leading if p == me else mine.token and not released(view)):
        return None
    return p


def members(mine):
    """Nodes whose beat was seen and that are not dead: a bitmap."""
    found = 0
    for j in range(len(mine.seqs)):
        if mine.seqs[j]:
            found |= 1 << j
    return found & ~mine.dead
