"""Every operation of a board cut off everywhere, in every state that so many wakes lead to.

Rule: a state is what the chips hold, up to numbers that say the same (canonical). From blank chips
on every operation of every board is done in every state that was found, whole and undisturbed; then
each is cut off before each of its transfers, and in each page write, with each way in which a page
can be torn. From whatever that leaves the cluster must recover: with all boards, with the others
alone, and with the others alone when the EEPROM of the dead board is gone with it.

A board that is cut off leaves the chips as they are then, so the cuts between two writes leave the
same; tests/both/test_crashes.py cuts in the simulator, where the program itself is ended.
Stands on judge, recovery and undisturbed.
"""

from proof.boards.images import Images, keyed
from proof.boards.program import WAKE
from proof.boards.tears import TEARS, torn
from proof.boards.undisturbed import Undisturbed
from proof.breach import Breach
from proof.judges.judge import Judge
from proof.judges.recovery import Recovery

OPERATIONS = {
    "wake": WAKE,
    "failed duty": ("check", "fail"),
    "announced": ("check", "announced", "beat"),
    "stand_down": ("check", "stand_down", "beat"),
}
CUT = "cut"  # before a transfer; else the tear that a page write leaves


def operations(nodes):
    """[(node, name)]: everything that a board may do in a wake."""
    names = list(OPERATIONS) + ["reset%d" % node for node in range(nodes)]
    return [(node, name) for node in range(nodes) for name in names]


def calls(name):
    """The calls of an operation."""
    return OPERATIONS.get(name) or ("check", name, "beat")


class Sweep:
    """All states of a cluster, and all crashes in them.

    states, cuts, left    how many: states, transfers and tears at which a board was cut off, and
                          different things that this left    wakes    that it took to recover
    """

    def __init__(self, setup):
        self.setup = setup
        self.images = Images(setup)
        judge = Judge(setup, self.images)
        self.undisturbed = Undisturbed(setup, self.images, judge)
        self.recovery = Recovery(setup, self.undisturbed, judge)
        self.canonical = self.undisturbed.canonical
        self.operations = operations(setup.nodes)
        self.most_transfers = 0  # of a wake
        self.origins: dict = {(self.images.blank, 0): None}  # state -> (state before, operation)
        self.cuts = 0
        self.left = set()

    @property
    def states(self):
        return len(self.origins)

    def reach(self, wakes, progress=None):
        """Find the states that so many wakes can lead to."""
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

    def after(self, state, operation):
        """The state after a whole operation."""
        node, name = operation
        wake = self.guarded(
            state, operation, self.undisturbed.wake, state[0], node, calls(name), None, state[1]
        )
        self.most_transfers = max(self.most_transfers, wake.transfers)
        return self.canonical(wake.image, max(state[1], wake.confirmed))

    def guarded(self, state, move, fn, *args):
        """The result of ``fn(*args)``; a ``Breach`` in it gets the way to it."""
        try:
            return fn(*args)
        except Breach as breach:
            breach.moves = self.way(state) + [move]
            raise

    def way(self, state):
        """The operations that led to a state."""
        moves = []
        while self.origins.get(state):
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

    def cut(self, state, operation, only=None):
        """Cut one operation everywhere, or only there."""
        trace = []

        def watch(n, image, k, at, data, highest):
            trace.append((image, k, at, data, highest))

        node, name = operation
        args = state[0], node, calls(name), None, state[1], watch
        wake = self.guarded(state, operation, self.undisturbed.run, *args)
        trace.append((wake.image, 0, 0, None, max(wake.confirmed, state[1])))
        left = []
        for n, (image, k, at, data, highest) in enumerate(trace):
            left.append(((n, CUT), image, highest))
            if data:
                old, new = self.images.page_write(image, k, at, data)
                for tear in TEARS:  # old and new: what the cuts before and after leave
                    after = self.images.replace(image, k, at // len(old), torn(tear, old, new))
                    left.append(((n, tear), after, highest))
        for where, image, highest in left:
            if only in (None, where):
                self.cuts += 1
                key = keyed(self.canonical(image, highest) + (node,))
                if key not in self.left:
                    self.left.add(key)
                    self.guarded(state, operation + where, self.recover, image, highest, node)

    def recover(self, image, highest, node):
        """What follows from what a cut of that node has left."""
        everybody = tuple(range(self.setup.nodes))
        others = tuple([other for other in everybody if other != node])
        self.recovery.settle(image, everybody, highest=highest)
        if others:
            self.recovery.settle(image, others, highest=highest)
            if 1 < self.setup.eeproms > node:
                reach = {other: self.undisturbed.everywhere & ~(1 << node) for other in others}
                self.recovery.settle(image, others, reach, highest)

    def replay(self, moves, log):
        """Do these operations, the last one perhaps cut off. ``Breach`` as it was found."""
        state = self.images.blank, 0
        for move in moves:
            if len(move) > 2:
                log("node %d, %s, transfer %d: %s" % tuple(move))
                self.cut(state, tuple(move[:2]), tuple(move[2:]))
                return
            wake = self.undisturbed.wake(state[0], move[0], calls(move[1]), highest=state[1])
            log("%s: %s" % (move[1], wake.status))
            state = self.after(state, tuple(move))
