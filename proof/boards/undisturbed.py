"""Boards that wake one after the other, undisturbed: how a search comes to its start.

Rule: what a wake leaves on the chips follows from what was there, so each is run once. Who judges
the wakes is handed in. Stands on canonical and program.
"""

from proof.boards.canonical import Canonical
from proof.boards.images import keyed
from proof.boards.machine import DONE
from proof.boards.program import WAKE, Program
from proof.breach import Breach


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

    ``most``: I6, no wake may take more transfers than that, if all EEPROMs answer.
    """

    def __init__(self, setup, images, judge):
        self.setup = setup
        self.images = images
        self.judge = judge
        self.canonical = Canonical(setup, images)
        self.everywhere = (1 << setup.eeproms) - 1
        # three looks or so; nothing that was seen takes more than four fifths of it
        self.most = setup.eeproms * (24 + 16 * setup.nodes)
        # And more for each that is silent, because there is no lock: another board's write may be
        # why. Each look goes on twice as often as the others may write, with two tries each time.
        self.patience = 3 * 2 * 2 * (setup.nodes + 2)
        self.runs = 0  # of programs: other wakes are known
        self._wakes = {}

    def wake(self, image, node, calls=WAKE, reach=None, highest=0):
        """One wake, undisturbed."""
        reach = self.everywhere if reach is None else reach
        key = keyed((image, node, calls, reach, highest))
        found = self._wakes.get(key)
        if found is None:
            found = self._wakes[key] = self.run(image, node, calls, reach, highest)
        return found

    def limit(self, reach):
        """How many transfers a wake may take that reaches these EEPROMs."""
        silent = sum([not reach >> k & 1 for k in range(self.setup.eeproms)])
        return self.most + silent * self.patience

    def run(self, image, node, calls, reach=None, highest=0, watch=None):
        """One wake; ``highest``: the highest token that was confirmed before it.

        ``watch(n, image, k, at, data, highest)`` hears of each transfer before it takes place.
        """
        reach = self.everywhere if reach is None else reach
        state = [image, None, 0, 0]
        began = [highest]
        asked = any([call[:5] == "reset" for call in calls])
        limit = self.limit(reach)
        self.runs += 1

        def transfer(k, at, count, data):
            image = state[0]
            if watch:
                watch(state[2], image, k, at, data, began[0])
            state[2] += 1
            if state[2] > limit:
                raise Breach("I6", "node %d makes more than %d transfers" % (node, limit))
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

    def quorate(self, reach):
        """Are these EEPROMs a quorum?"""
        return sum([reach >> k & 1 for k in range(self.setup.eeproms)]) >= self.setup.format.quorum
