"""Every operation of a board cut off everywhere, in every state that a cluster can come to.

Rule: a state is what the chips hold, up to numbers that say the same (canon). From blank chips on
every operation of every board is done in every state that was found, so many wakes deep; each is
cut off before each of its transfers, and in each page write, with each way in which a page can be
torn. From whatever that leaves the cluster must recover (quiet): with all boards, with the others
alone, and with the others alone when the EEPROM of the dead board is gone with it.

A board that is cut off leaves the chips as they are then, so the cuts between two writes leave the
same; tests/both/test_crashes.py cuts in the simulator, where the program itself is ended.
Stands on canon, judge and quiet.
"""

from proof.judge import Breach, Judge
from proof.machine import Images
from proof.quiet import TEARS, WAKE, Quiet, torn


def operations(nodes):
    """[(node, calls)]: everything that a board may do in a wake."""
    found = []
    for node in range(nodes):
        found.append((node, WAKE))
        found.append((node, ("check", "fail")))
        found.append((node, ("check", "announced", "beat")))
        found.append((node, ("check", "stand_down", "beat")))
        for other in range(nodes):
            found.append((node, ("check", "reset%d" % other, "beat")))
    return found


class Sweep:
    """All states of a cluster, and all crashes in them.

    states, cuts, left    how many: states, transfers and tears at which a board was cut off, and
                          different things that this left    wakes    that it took to recover
    """

    def __init__(self, setup):
        self.setup = setup
        self.images = Images(setup)
        self.quiet = Quiet(setup, self.images, Judge(setup, self.images))
        self.canon = self.quiet.canon
        self.operations = operations(setup.nodes)
        self.origins = {(self.images.blank, 0): None}  # state -> (state before, operation)
        self.cuts = 0
        self.left = set()
        self.most_transfers = 0

    def reach(self, wakes, progress=None):
        """Find the states that so many wakes can lead to. True if there are no others at all."""
        fresh = list(self.origins)
        for _ in range(wakes):
            found = []
            for state in fresh:
                for operation in self.operations:
                    after = self.after(state, operation)
                    if after not in self.origins:
                        self.origins[after] = state, operation
                        found.append(after)
                if progress:
                    progress(self)
            fresh = found
        return not fresh

    def after(self, state, operation):
        """The state after a whole operation."""
        try:
            wake = self.quiet.wake(state[0], *operation, highest=state[1])
        except Breach as breach:
            breach.moves = self.way(state) + [operation]
            raise
        self.most_transfers = max(self.most_transfers, wake.transfers)
        return self.canon(wake.image, max(state[1], wake.confirmed))

    def way(self, state):
        """The operations that led to a state."""
        moves = []
        while self.origins[state]:
            state, operation = self.origins[state]
            moves.append(operation)
        return moves[::-1]

    def crash(self, progress=None):
        """Cut every operation in every state."""
        for state in self.origins:
            for operation in self.operations:
                self.cut(state, operation)
            if progress:
                progress(self)

    def cut(self, state, operation):
        """Cut one operation everywhere."""
        trace = []

        def watch(n, image, k, at, data, highest):
            trace.append((image, k, at, data, highest))

        wake = self.quiet.run(state[0], *operation, highest=state[1], watch=watch)
        trace.append((wake.image, 0, 0, None, max(wake.confirmed, state[1])))
        for n, (image, k, at, data, highest) in enumerate(trace):
            moves = [operation + ("cut before transfer %d" % n,)]
            self.cuts += 1
            self.recover(state, moves, image, highest, operation[0])
            if data:
                for tear in TEARS:  # old and new: what the cuts before and after leave
                    self.cuts += 1
                    moves = [operation + ("%s page in transfer %d" % (tear, n),)]
                    old, new = self.images.page_write(image, k, at, data)
                    after = self.images.replace(image, k, at // len(old), torn(tear, old, new))
                    self.recover(state, moves, after, highest, operation[0])

    def recover(self, state, moves, image, highest, node):
        """What follows from what a cut has left."""
        image, highest = self.canon(image, highest)
        key = image, highest, node
        if key in self.left:
            return
        self.left.add(key)
        everybody = tuple(range(self.setup.nodes))
        others = tuple([other for other in everybody if other != node])
        try:
            self.quiet.settle(image, everybody, highest=highest)
            if others:
                self.quiet.settle(image, others, highest=highest)
                if 1 < self.setup.eeproms > node:
                    reach = {other: self.quiet.everywhere & ~(1 << node) for other in others}
                    self.quiet.settle(image, others, reach, highest)
        except Breach as breach:
            breach.moves = self.way(state) + moves + breach.moves
            raise
