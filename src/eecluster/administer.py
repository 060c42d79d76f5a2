"""What is changed from outside: a node taken back, a primary that stands down, events that were
announced, EEPROMs that are formatted.

Loaded when it comes to that. No look of these calls counts a strike. ``node`` is the ``node.Node``
at work, under the lock. Stands on repair, takeover, events, rules and what those stand on.
"""

from .bitmap import ids
from .config import whole
from .errors import ClusterError
from .events import record
from .layout import RELEASED, owner
from .repair import erase, failure, highest, name
from .rules import release
from .takeover import claim, readmit


def ready(node, accept):
    """The state is of now, and writing is allowed: else ``ClusterError``."""
    node.refresh(accept)
    if not node.quorate():
        raise ClusterError("isolated: fewer than %d EEPROMs are ours" % node.config.quorum)
    mine = node.mine
    if not node.leading and owner(mine.token) == mine.node and not mine.flags & RELEASED:
        node.confirm()  # there was no health_check()


def reset_node(node, j):
    """``Cluster.reset_node`` of node ``j``, or of this one: None."""
    me = node.slots.node
    j = whole("node_id", me if j is None else j, 0, node.config.nodes - 1)
    ready(node, j == me)
    mine = node.mine
    if node.leading:
        readmit(mine, 1 << j, 0)
    mine.spare |= 1 << j
    mine.strikes[j] = max(0, mine.strikes[j])  # the next new beat fulfils it, not one seen before
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
    events = tuple(events)
    ready(node, False)
    if events and node.leading:
        record(node.mine, events)
        node.write()
    return node.leading


def format(node, force, epoch, eeprom):
    """``Cluster.format``."""
    slots = node.slots
    layout = slots.layout
    whole("epoch", epoch, 0, 1 << 28)
    if eeprom is not None:
        whole("eeprom", eeprom, 0, len(slots.addresses) - 1)
    node.forget()
    view = node.found()
    if not view.heard or not (force or eeprom is not None) and view.fault:
        raise view.fault or failure(slots, "answers")
    end = layout.end
    if eeprom is not None:
        chosen = 1 << eeprom
        if len(ids(view.good & ~chosen)) < node.config.quorum:
            raise ClusterError("eeprom %d: no quorum without it" % eeprom)
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
            claim(node.mine, slots.view, node.config, epoch, slots.timer.ticks_us())
            node.write()
    finally:
        node.forget()
        if bad:
            names = ", ".join([name(slots, k) for k in bad])
            raise ClusterError("%s does not keep what is written: check WP pin" % names)
