"""The arguments of a cluster, checked. Touches no bus. Stands on layout.

Every ``ValueError`` names the argument, what it should be and what it was.
"""

from binascii import crc32

from .layout import EEPROMS, NODES, Layout


def demand(good, key, expected, value):
    """``ValueError`` unless the value of the argument ``key`` is good."""
    if not good:
        raise ValueError("%s: expected %s, got %r" % (key, expected, value))


def whole(key, value, start, end):
    """``value`` if it is an integer from start to end, else ``ValueError``."""
    good = isinstance(value, int) and start <= value <= end
    demand(good, key, "%d..%d" % (start, end), value)
    return value


class Config:
    """What stays the same for the life of a ``Cluster``."""

    def __init__(
        self, eeproms, node_id, nodes, retries, readmit, quorum, interval, cluster_id,
        size, page_size, base, uid,
    ):  # fmt: skip
        expected = "1..8 distinct addresses"
        demand(isinstance(eeproms, (tuple, list)), "eeproms", expected, eeproms)
        for address in eeproms:
            whole("eeproms", address, 0x08, 0x77)
        count = len(eeproms)
        demand(1 <= len(set(eeproms)) == count <= EEPROMS, "eeproms", expected, eeproms)
        self.addresses = eeproms
        self.all = (1 << count) - 1  # all of them, as a bitmap
        self.nodes = whole("nodes", count if nodes is None else nodes, 1, NODES)
        whole("node_id", node_id, 0, self.nodes - 1)
        self.retries = whole("retries", retries, 0, 60)
        self.readmit = None if readmit is None else whole("readmit", readmit, 1, 60)
        demand(quorum in (None, "majority", "available"), "quorum", "majority or available", quorum)
        majority = quorum == "majority" or quorum is None and count > 2
        self.quorum = count // 2 + 1 if majority else 1
        good = interval is None or isinstance(interval, (int, float)) and interval > 0
        demand(good, "interval", "seconds", interval)
        self.interval = interval
        demand(page_size in (32, 64, 128, 256), "page_size", "32, 64, 128 or 256", page_size)
        whole("cluster_id", cluster_id, 0, 0xFFFFFFFF)
        whole("size", size, 4096, 65536)  # smaller chips have one address byte
        whole("base", base, 0, size)
        demand(uid is None or isinstance(uid, (bytes, bytearray)), "uid", "bytes", uid)
        self.uid = crc32(uid) or 1 if uid else 0
        # tells most boards apart that are not set alike
        self.settings = (int(8 * (interval or 0)) * 61 + retries * 17 + (readmit or 0)) % 251
        self.layout = Layout(self.nodes, count, cluster_id, self.quorum, size, page_size, base)
