"""What a node knows of its cluster, as one readable line or as attributes. Stands on rules, layout,
bitmap; when this node is the primary on events.
"""

from .bitmap import ids
from .layout import owner
from .rules import members, released, silent


class Status:
    """The answer of ``health_check()`` and ``heartbeat()``. Sets are tuples of numbers.

    ``role``: ``"primary"``, ``"standby"``, ``"dead"`` (others see it so) or ``"isolated"`` (no
    quorum of EEPROMs: no duty). ``primary``: the id of the node in charge or None. ``token``: the
    fencing token to send along. ``suspects``: silent, given another chance. ``absent``: never heard
    of. ``eeproms``: the numbers of those that answered and are ours. ``events``: for the primary to
    announce.
    """

    def __init__(self, node):
        view = node.slots.view
        mine = node.mine
        me = node.slots.node
        role = "standby"
        if not mine or not node.quorate():
            role = "isolated"
            mine = node.config.layout.new(me)
        elif node.leading:
            role = "primary"
        elif mine.dead >> me & 1:
            role = "dead"
        alive = members(mine)
        suspects = silent(mine, 0)
        self.node_id = me
        self.role = role
        self.is_primary = role == "primary"
        self.token = max(mine.token, view.token if view else 0)
        self.epoch = self.token >> 3
        self.primary = owner(mine.token)
        self.events = ()
        if self.is_primary:
            from .events import pending

            self.events = pending(mine, view)
        elif self.primary == me or not mine.token or released(view):
            self.primary = None
        self.members = ids(alive)
        self.suspects = ids(suspects)
        self.dead = ids(mine.dead)
        self.absent = ids((1 << node.config.nodes) - 1 & ~alive & ~mine.dead)
        self.eeproms = ids(view.good) if view else ()

    def __repr__(self):
        text = "node %d: %s, primary %s, token %d (epoch %d)" % (
            self.node_id, self.role, self.primary, self.token, self.epoch
        )  # fmt: skip
        for name in "members suspects dead absent eeproms".split():
            numbers = getattr(self, name)
            if numbers:
                text += ", %s %s" % (name, " ".join(map(str, numbers)))
        if self.events:
            text += ", events " + " ".join(["%s:%d" % event[:2] for event in self.events])
        return text
