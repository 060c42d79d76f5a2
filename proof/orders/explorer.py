"""Every order of bus transfers of several boards, searched to the end.

Rule: states in which the same can follow (see moves) are visited once.

Two transfers can be exchanged without anybody noticing unless they concern the same page of the
same chip and one of them writes. So it is enough to look at orders in which each board reads as
late as it can: a search goes from one write to the next, and before each it decides who of the
others has read that page already. For the same reason a board loses its supply only where it would
write, or at the end: whether that happens before or after a read, only the board itself could tell.
A confirmation begins as late as it can, which is when it may promise most. tests/both/test_explore
holds this against a search that makes every single step.

Where that is too much, a space sets a bound: how many times a board may be caught between a read
and what happens next to what it has read, the kind of thing that goes wrong between boards.

Runs on CPython and on MicroPython. Stands on moves.
"""

from proof.boards.images import PAGE, keyed
from proof.boards.tears import TEARS
from proof.breach import Breach
from proof.orders.moves import BOARDS, CRASHES, OFF, TURN, Moves


class Explorer(Moves):
    """All that can happen in a ``space`` (see space).

    states   how many different states there are, each after a write or something like it
    moves    how many ways lead to them             ends     what the chips hold at the end of all
    """

    def __init__(self, space):
        super().__init__(space)
        self.states = self.moves = 0

    def run(self, progress=None, limit=None):
        """Visit everything, nearest first. ``Breach`` at the first one, with a shortest way to it;
        False if the limit cut it short.
        """
        states = [self.start]
        origins: list = [(0, ())]  # of each state: where it came from, and how
        seen = {keyed(self.start)}
        for number, state in enumerate(states):  # grows on the way
            self.states = number + 1
            if progress and not self.states % 1000:
                progress(self)
            if limit and self.states > limit:
                return False
            try:
                followers = self.followers(state)
            except Breach as breach:
                way = [breach.moves]
                while number:
                    number, moves = origins[number]
                    way.append(moves)
                breach.moves = [move for moves in reversed(way) for move in moves]
                raise
            for moves, after in followers:
                self.moves += 1
                key = keyed(after)
                if key not in seen:
                    seen.add(key)
                    states.append(after)
                    origins.append((number, moves))
        return True

    def followers(self, state):
        """[(moves, state)]: what can happen next. ``Breach`` if that breaks a promise."""
        found = []
        ways = [self.way(state, b) for b in self.boards]
        for b in self.boards:
            place = self.place(ways[b][-1], b)
            if place.request is None:
                continue
            k, at, _, data = place.request
            page = None if data is None else (k, at // PAGE)  # None: nobody is disturbed
            for moves, before in self.choices(state, ways, b, page):
                try:
                    found.append(self.step(moves, before, b))
                except Breach as breach:
                    breach.moves = moves + [(self.nodes[b], 1)]
                    raise
            if data is not None and state[CRASHES] < self.space.crashes:
                touched = page if self.space.tears else None
                for moves, before in self.choices(state, ways, b, touched):
                    found += self.crash(moves, before, b)
        if state[TURN] < len(self.space.outside):
            found += self.outside(state, ways)
        if not found:
            self.end(state, ways)
        return found

    def replay(self, moves, log):
        """Make these moves, one transfer after the other; ``log`` gets a line for each. What
        follows in quiet is judged too. ``Breach`` as it was found.
        """
        state = self.start
        for who, what, *how in moves:
            if who in self.nodes:
                b = self.nodes.index(who)
                for _ in range(1 if what == OFF else what):
                    request = self.place((None, state[BOARDS + 2 * b]), b).request
                    if request is None:
                        raise ValueError("node %d has nothing left to do" % who)
                    log(in_words(who, *request))
                    if what == OFF:
                        if request[3] is None:
                            raise ValueError("node %d does not write there" % who)
                        log("node %d loses its supply %s" % (who, " ".join(how)))
                        state = self.crash([], state, b)[1 + TEARS.index(how[0]) if how else 0][1]
                    else:
                        state = self.step([], state, b)[1]
                    token = self.place((None, state[BOARDS + 2 * b]), b).confirmed
                    if token:
                        log("node %d is confirmed with token %d" % (who, token))
            else:
                log("EEPROM %d: %s" % (what, who))
                ways = [[(None,) + state[BOARDS + 2 * b : BOARDS + 2 * b + 2]] for b in self.boards]
                state = self.outside(state, ways)[0][1]
        ways = [self.way(state, b) for b in self.boards]
        if all([self.place(way[-1], b).request is None for b, way in enumerate(ways)]):
            log("all programs end; the boards wake in turn")
            self.end(state, ways)


def in_words(node, k, at, count, data):
    """A transfer in words."""
    what = (
        "reads %d bytes at %d" % (count, at)
        if data is None
        else "writes %d bytes at %d" % (count, at)
    )
    return "node %d %s of EEPROM %d" % (node, what, k)
