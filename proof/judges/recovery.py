"""I5 in the searches: when boards go on waking in turn, there is soon one primary, and it stays.

Runs on CPython and on MicroPython. Stands on undisturbed and judge.
"""

from proof.boards.images import keyed
from proof.boards.program import WAKE
from proof.breach import Breach
from proof.judges.rulebook import longest_probation

STAYS = 3  # rounds in which nothing may change, after those in which the dead are taken back


class Recovery:
    """What follows from images. ``settled``: (image, nodes, their reach, highest) of all judged."""

    def __init__(self, setup, undisturbed, judge):
        self.setup = setup
        self.undisturbed = undisturbed
        self.judge = judge
        self.settled = []
        self._known = set()

    def settle(self, image, nodes, reach=None, highest=0):
        """I5: when these nodes go on waking in turn, is there soon one primary, and does it stay?

        ``reach``: node -> bitmap of the EEPROMs that it reaches. ``Breach`` if not.
        """
        reached = tuple(sorted(reach.items())) if reach else None
        key = keyed((image, nodes, reached, highest))
        if key not in self._known:
            self._known.add(key)
            self.settled.append((image, nodes, reached, highest))
            for order in (nodes, tuple(reversed(nodes))):
                self._settle(image, order, reach or {}, highest)

    def _settle(self, image, nodes, reach, highest):
        setup = self.setup
        boards = self.undisturbed
        able = [node for node in nodes if self.able(image, reach.get(node, boards.everywhere))]
        begin = setup.retries + 2  # from this round on there is one primary
        patience = setup.readmit or 0
        probation = longest_probation(setup.readmit)
        statuses = {}
        leaders: list = []
        dead: set = set()
        for n in range(1, begin + patience + probation + STAYS + 1):
            for node in nodes:
                wake = boards.wake(image, node, WAKE, reach.get(node), highest)
                image, highest = boards.canonical(wake.image, max(highest, wake.confirmed))
                statuses[node] = wake.status
            before, was_dead = leaders, dead
            leaders = [node for node in nodes if statuses[node] and statuses[node].is_primary]
            if n == begin and not leaders:
                if not all([statuses[node] and statuses[node].role == "dead" for node in able]):
                    raise Breach("I5", "no primary after %d rounds: %s" % (n, told(statuses)))
                if not able or setup.readmit is None:
                    return  # as promised: they wait for their EEPROMs, or for reset_node()
                begin += patience
            if n >= begin:
                if len(leaders) != 1 or any([statuses[node].role == "isolated" for node in able]):
                    raise Breach("I5", "after %d rounds: %s" % (n, told(statuses)))
                dead = set(statuses[leaders[0]].dead).intersection(able)
                if n > begin and (leaders != before or dead - was_dead):
                    raise Breach("I5", "after %d rounds still changes: %s" % (n, told(statuses)))
                if n == begin + probation + STAYS:
                    if dead and patience:
                        raise Breach("I5", "not taken back: %s" % told(statuses))
                    return

    def able(self, image, reach):
        """May a node lead that reaches these EEPROMs? Those without a slot do not count, unless
        they are half of all or more: then there never was a quorum.
        """
        good = self.judge.good(image) & reach
        empty = reach & ~good
        half = sum([empty >> k & 1 for k in range(self.setup.eeproms)]) * 2 >= self.setup.eeproms
        return self.undisturbed.quorate(good) or half and self.undisturbed.quorate(reach)


def told(statuses):
    """All statuses in one line."""
    return "; ".join([str(status) for status in statuses.values()])
