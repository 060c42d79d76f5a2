"""Boards that wake one after the other, undisturbed: how a search comes to its start, and what
follows from its end.

Rule: what a wake leaves on the chips follows from what was there, so each is run once. Who judges
the wakes is handed in. Stands on canonical and program.
"""

from proof.boards.canonical import Canonical
from proof.boards.images import keyed
from proof.boards.machine import DONE
from proof.boards.program import WAKE, Program
from proof.breach import Breach

STAYS = 3  # rounds in which nothing may change, after those in which the dead are taken back


class Wake:
    """What one wake did: the image it left, its last ``Status`` or None, how many transfers it
    took, and the highest token that it confirmed.
    """

    def __init__(self, image, status, transfers, confirmed):
        self.image = image
        self.status = status
        self.transfers = transfers
        self.confirmed = confirmed


class Undisturbed:
    """Wakes of a cluster's boards on ``images``, under the eyes of ``judge``.

    ``most``: I6, no wake may take more transfers than that.
    """

    def __init__(self, setup, images, judge):
        self.setup = setup
        self.images = images
        self.judge = judge
        self.canonical = Canonical(setup, images)
        self.everywhere = (1 << setup.eeproms) - 1
        # three looks or so; nothing that was seen takes more than three quarters of it
        self.most = setup.eeproms * (24 + 16 * setup.nodes)
        self.runs = 0  # of programs: other wakes are known
        self._wakes = {}
        self.settled = []  # (image, nodes, their reach, highest)
        self._settled = set()

    def wake(self, image, node, calls=WAKE, reach=None, highest=0):
        """One wake, undisturbed."""
        reach = self.everywhere if reach is None else reach
        key = keyed((image, node, calls, reach, highest))
        found = self._wakes.get(key)
        if found is None:
            found = self._wakes[key] = self.run(image, node, calls, reach, highest)
        return found

    def run(self, image, node, calls, reach=None, highest=0, watch=None):
        """One wake; ``highest``: the highest token that was confirmed before it.

        ``watch(n, image, k, at, data, highest)`` hears of each transfer before it takes place.
        """
        reach = self.everywhere if reach is None else reach
        state = [image, None, 0, 0]
        began = [highest]
        asked = any([call[:5] == "reset" for call in calls])
        self.runs += 1

        def transfer(k, at, count, data):
            image = state[0]
            if watch:
                watch(state[2], image, k, at, data, began[0])
            state[2] += 1
            if state[2] > self.most:
                raise Breach("I6", "node %d makes more than %d transfers" % (node, self.most))
            if not reach >> k & 1:
                return None
            if data is None:
                return self.images.read(image, k, at, count)
            if not self.quorate(reach):
                raise Breach("[1]", "node %d writes without a quorum" % node)
            self.judge.write(image, node, k, at, data, asked, reach == self.everywhere)
            state[0] = self.images.write(image, k, at, data)
            return DONE

        def note(kind, value):
            if kind == "status":
                state[1] = value
            elif kind == "confirmed":
                self.judge.confirmed(node, value, began[0])
                began[0] = state[3] = max(began[0], value)

        Program(self.setup, node, (calls,)).run(transfer, note)
        if calls == WAKE and reach == self.everywhere and not watch:
            self.judge.counted(node, image, state[0])
        return Wake(*state)

    def prepare(self, steps):
        """(image, highest confirmed token) after these steps from blank chips on: see Space."""
        image = self.images.blank
        highest = 0
        reach = None
        for step in steps:
            kind = step[0]
            if kind == "blank":
                image = self.images.blank_chip(image, step[1])
            elif kind == "reach":
                reach = step[1]
            else:
                wake = self.wake(image, kind, step[1] if len(step) > 1 else WAKE, reach, highest)
                image = wake.image
                highest = max(highest, wake.confirmed)
        return image, highest

    def settle(self, image, nodes, reach=None, highest=0):
        """I5: when these nodes go on waking in turn, is there soon one primary, and does it stay?

        ``reach``: node -> bitmap of the EEPROMs that it reaches. ``Breach`` if not.
        """
        reached = tuple(sorted(reach.items())) if reach else None
        key = keyed((image, nodes, reached, highest))
        if key not in self._settled:
            self._settled.add(key)
            self.settled.append((image, nodes, reached, highest))
            for order in (nodes, tuple(reversed(nodes))):
                self._settle(image, order, reach or {}, highest)

    def _settle(self, image, nodes, reach, highest):
        setup = self.setup
        able = [node for node in nodes if self.able(image, reach.get(node, self.everywhere))]
        begin = setup.retries + 2  # from this round on there is one primary
        patience = setup.readmit or 0
        statuses = {}
        leaders: list = []
        dead: set = set()
        for n in range(1, begin + 2 * patience + STAYS + 1):
            for node in nodes:
                wake = self.wake(image, node, WAKE, reach.get(node), highest)
                image, highest = self.canonical(wake.image, max(highest, wake.confirmed))
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
                if n == begin + patience + STAYS:
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
        return self.quorate(good) or half and self.quorate(reach)

    def quorate(self, reach):
        """Are these EEPROMs a quorum?"""
        return sum([reach >> k & 1 for k in range(self.setup.eeproms)]) >= self.setup.format.quorum


def told(statuses):
    """All statuses in one line."""
    return "; ".join([str(status) for status in statuses.values()])
