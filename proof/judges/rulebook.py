"""Rules of docs/protocol.md that show in what a node writes, whatever the promises say of it.

A mistake in them breaks no promise at once: it kills boards too early, or lets the wrong one lead.
Decides from records as ``decode`` reads them. Runs on CPython and on MicroPython.
"""


def longest_probation(readmit):
    """Looks until a node that died again and again is taken back [5]; 0: never by itself."""
    return min(4 * (readmit or 0), 120)


class Rulebook:
    """``retries``, ``readmit`` and ``interval`` (seconds or None) of the cluster."""

    def __init__(self, retries, readmit, interval=None):
        self.retries = retries
        self.readmit = readmit
        self.interval = interval

    def complaint(self, node, old, new, leader=None, asked=False):
        """(rule, how ``node`` breaks it that writes ``new`` over ``old``), or None.

        ``leader``: the record of the highest token's owner, if it carries it, and nobody else may
        have written since the node looked. ``asked``: it was told to reset a node.
        """
        if not old or old["revision"] == new["revision"]:
            return None
        mine = 7 - (new["token"] & 7) == node
        claims = mine and new["token"] > old["token"]
        died = new["dead"] & ~old["dead"]
        if mine and died and not claims:
            return "[5]", "a node dies without a new epoch"
        if new["token"] > old["token"] and new["spare"] and not asked:
            return "[8]", "a request outlives its token"
        if claims and leader and leader["dead"] >> node & 1 and not old["spare"] >> node & 1:
            silent = old["strikes"][7 - (leader["token"] & 7)] + 1
            if self.readmit is None or silent <= self.retries + self.readmit:
                return "[6]", "a dead node claims after %d silent looks" % silent
        if self.interval:
            passed = new["clock"] - old["clock"]
            if passed and 0 <= passed * 8 < self.interval * 7:
                return "[3]", "a look counts after %d s" % passed
        return None

    def miscount(self, node, old, new, seqs):
        """How a wake that nobody disturbed has counted wrong, or None: rule [3].

        ``old``, ``new``: the node's records before and after; ``seqs``: the sequence of each node.
        """
        for j, seq in enumerate(seqs):
            taken_back = old["dead"] >> j & 1 and not new["dead"] >> j & 1
            if j == node or not seq or taken_back:
                continue
            run = new["strikes"][j]
            if seq != old["seqs"][j]:
                if run >= 0:
                    return "a beat of node %d is not counted" % j
            elif run < max(old["strikes"][j], 0) + 1:
                return "silence of node %d is not counted" % j
        return None
