"""What a node knows of its cluster, as one readable line or as attributes. Stands on bitmap."""

from .bitmap import ids

_SETS = ("members", "suspects", "dead", "absent", "eeproms")


class Status:
    """The answer of ``health_check()`` and ``heartbeat()``. Sets are tuples of numbers.

    ``role``: ``"primary"``, ``"standby"``, ``"dead"`` (others see it so) or ``"isolated"`` (no
    quorum of EEPROMs: no duty). ``primary``: the id of the node in charge or None. ``token``: the
    fencing token to send along. ``suspects``: silent, given another chance. ``absent``: never
    heard of. ``eeproms``: the numbers of those that answered and are ours. ``events``: for the
    primary to announce.
    """

    def __init__(self, role, node_id, primary, token, events, *bitmaps):
        self.role = role
        self.is_primary = role == "primary"
        self.node_id = node_id
        self.primary = primary
        self.token = token
        self.epoch = token >> 3
        self.events = events
        for name, bitmap in zip(_SETS, bitmaps):
            setattr(self, name, ids(bitmap))

    def __repr__(self):
        from .care import status

        return status(self, _SETS)
