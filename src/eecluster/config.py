"""The arguments of a cluster, checked. Touches no bus. Stands on errors and layout.

Every ``ValueError`` names the argument, what it should be and what it was.
"""

from binascii import crc32

from .layout import EEPROMS, NODES, Layout


def whole(name, value, low, high):
    """``value`` if it is an integer from low to high, else ``ValueError``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError("%s: expected an integer from %d to %d, got %r" % (name, low, high, value))
    return value


def demand(condition, name, expected, value):
    """``ValueError`` unless the condition holds."""
    if not condition:
        raise ValueError("%s: expected %s, got %r" % (name, expected, value))


class Config:
    """What stays the same for the life of a ``Cluster``."""

    def __init__(
        self, eeproms, node_id, nodes, retries, readmit, quorum, interval, cluster_id, size, page_size, base, uid
    ):  # fmt: skip
        demand(isinstance(eeproms, (tuple, list)), "eeproms", "a tuple of I2C addresses", eeproms)
        for address in eeproms:
            whole("eeproms", address, 0x08, 0x77)
        distinct = 1 <= len(set(eeproms)) == len(eeproms) <= EEPROMS
        demand(distinct, "eeproms", "1 to 8 different I2C addresses", eeproms)
        self.addresses = tuple(eeproms)
        self.nodes = whole("nodes", len(eeproms) if nodes is None else nodes, 1, NODES)
        self.node_id = whole("node_id", node_id, 0, self.nodes - 1)
        self.retries = whole("retries", retries, 0, 60)
        self.readmit = readmit if readmit is None else whole("readmit", readmit, 1, 60)
        known = quorum in (None, "majority", "available")
        demand(known, "quorum", 'None, "majority" or "available"', quorum)
        majority = quorum == "majority" or quorum is None and len(eeproms) > 2
        self.quorum = len(eeproms) // 2 + 1 if majority else 1
        number = interval is None or isinstance(interval, (int, float)) and interval > 0
        demand(number, "interval", "None or seconds > 0", interval)
        self.interval = interval
        whole("cluster_id", cluster_id, 0, 0xFFFFFFFF)
        demand(page_size in (32, 64, 128, 256), "page_size", "32, 64, 128 or 256", page_size)
        whole("size", size, page_size, 65536)
        whole("base", base, 0, size - 1)
        demand(uid is None or isinstance(uid, (bytes, bytearray)), "uid", "None or bytes", uid)
        self.uid = 0 if uid is None else crc32(uid) or 1
        self.layout = Layout(self.nodes, len(eeproms), cluster_id, majority, size, page_size, base)
