"""What is changed from outside: a node taken back, a primary that stands down, events that were
announced, EEPROMs that are formatted.

Loaded when it comes to that. No look of these calls counts a strike. ``node`` is the ``node.Node``
at work, under the lock. Stands on repair, takeover, events, rules, layout, bitmap and errors.
"""

from .bitmap import ids
from .errors import ClusterError
from .events import record
from .layout import owner
from .repair import erase, failure, highest, unkept
from .rules import release
from .takeover import claim, readmit


def ready(node, accept):
    """The state is of now, and writing is allowed: else ``ClusterError``."""
    leading = node.leading
    node.refresh(accept)
    if not node.quorate():
        raise ClusterError("isolated: fewer than %d EEPROMs are ours" % node.config.quorum)
    if owner(node.mine.token) == node.mine.node and (leading or not node.mine.released):
        node.confirm()


def reset_node(node, j):
    """``Cluster.reset_node`` of node ``j``."""
    ready(node, j == node.slots.node)
    mine = node.mine
    if node.leading:
        readmit(mine, 1 << j)
    mine.spare |= 1 << j
    mine.runs[j] = max(0, mine.runs[j])  # the next new beat fulfils it, not one seen before
    node.write()


def stand_down(node):
    """``Cluster.stand_down``."""
    ready(node, False)
    if node.leading:
        release(node.mine)
        node.leading = False
        node.write()


def announced(node, events):
    """``Cluster.announced``."""
    ready(node, False)
    if events and node.leading:
        record(node.mine, events)
        node.write()
    return node.leading


def format(node, force, epoch, eeprom):
    """``Cluster.format``."""
    slots = node.slots
    layout = slots.layout
    node.forget()
    view = node.found()
    if not view.heard or not (force or eeprom is not None) and view.fault:
        raise view.fault or failure(slots, "answers")
    end = layout.end
    if eeprom is not None:
        chosen = 1 << eeprom
        if len(ids(view.good & ~chosen)) < node.config.quorum:
            raise ClusterError("eeprom %d: the others are no quorum; not formatted" % eeprom)
    elif force:
        chosen = node.config.all
        for k in ids(view.heard):
            epoch = max(epoch, highest(slots, k) >> 3)  # consumers have seen it
    else:
        chosen = view.relabel & view.empty
        end = layout.base + len(layout.blank)
    if chosen & ~view.heard:
        raise ClusterError("not all EEPROMs answer; not formatted")
    bad = [k for k in ids(chosen) if not slots.attempt(erase, slots, k, end)]
    node.forget()
    try:
        if epoch:
            ready(node, False)
            claim(node.mine, slots.view, node.config, epoch)
            node.write()
    finally:
        node.forget()
        if bad:
            raise unkept(slots, bad)
