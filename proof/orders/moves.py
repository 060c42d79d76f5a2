"""The moves of boards and chips in a space: what a state is, and the states that follow from one.

Rule: what can happen from here on follows from the chips' contents, from where each board's program
waits, and from what the judge has to remember: that is a state. A transfer is one atomic step, and
a chip's write is done when it ends.

Runs on CPython and on MicroPython. Stands on judge, recovery, undisturbed and
machine.
"""

from proof.boards.images import PAGE, Images
from proof.boards.machine import CRASH, DONE, UNKNOWN, Machine
from proof.boards.program import Program
from proof.boards.tears import torn
from proof.boards.undisturbed import Undisturbed
from proof.breach import Breach
from proof.judges.judge import Judge
from proof.judges.recovery import Recovery

# places in a state
IMAGE = 0  # what the chips hold
TURN = 1  # how much of the outside has happened
REACH = 2  # for each board the EEPROMs that answer it, a bitmap
HIGHEST = 3  # the highest token that was confirmed
CRASHES = 4
OVERTAKEN = 5  # how many reads had been made when somebody wrote there, if the space counts them
BOARDS = 6  # for each board: its place, and the highest confirmed token when its confirmation began

OFF = "crash"  # in a move: the board loses its supply


class Moves:
    """All moves in a ``space`` (see space). ``ends``: what the chips hold where nobody moves."""

    def __init__(self, space):
        self.space = space
        self.setup = space.setup
        self.images = Images(self.setup)
        self.judge = Judge(self.setup, self.images)
        self.undisturbed = Undisturbed(self.setup, self.images, self.judge)
        self.recovery = Recovery(self.setup, self.undisturbed, self.judge)
        self.nodes = [node for node, _ in space.programs]
        self.boards = range(len(self.nodes))
        self.machines = [Machine(Program(self.setup, *program)) for program in space.programs]
        self.asked = ["reset" in str(wakes) for _, wakes in space.programs]
        image, highest = self.undisturbed.prepare(space.before)
        reach = tuple([space.reach.get(node, self.undisturbed.everywhere) for node in self.nodes])
        self.start = (image, 0, reach, highest, 0, 0) + (0, 0) * len(self.nodes)
        self.ends = set()

    def place(self, point, b):
        return self.machines[b].places[point[1]]

    def way(self, state, b):
        """[(page, place, began)]: where board b comes to by reading alone, from where it is on.

        ``page``: what was read last. ``began`` as in a state. At the last place it writes, changes
        what the judge remembers, or is at its end.
        """
        i = BOARDS + 2 * b
        number, began = state[i : i + 2]
        image = state[IMAGE]
        reach = state[REACH][b]
        machine = self.machines[b]
        limit = self.undisturbed.limit(reach)

        def answer(k, at, count, data):
            if data is not None:
                return UNKNOWN
            return self.images.read(image, k, at, count) if reach >> k & 1 else None

        found: list = [(None, number, began)]
        while True:
            place = machine.places[number]
            if place.request is None or place.request[3] is not None:
                return found
            k, at = place.request[:2]
            if place.begins:
                began = state[HIGHEST]
            number = machine.go(number, answer(*place.request), answer)
            token = machine.places[number].confirmed
            if token > state[HIGHEST]:
                return found
            if token:
                self.judge.confirmed(self.nodes[b], token, began)
            found.append(((k, at // PAGE), number, began))
            if len(found) > limit:
                raise Breach("I6", "node %d reads more than %d times" % (self.nodes[b], len(found)))

    def choices(self, state, ways, b, page, chip=None):
        """[(moves, state)]: board b (None: nobody) has come to the end of its way, and of the
        others each either waits or has read ``page`` (or anything on ``chip``).
        """
        found = [([], state)]
        for other in self.boards:
            way = ways[other]
            points = [0]
            if other == b:
                points = [len(way) - 1]
            else:
                for n in range(1, len(way)):
                    read = way[n][0]
                    if read == page or read[0] == chip:
                        points.append(n)
            more = []
            for moves, before in found:
                for n in points:
                    _, number, began = way[n]
                    i = BOARDS + 2 * other
                    overtaken = before[OVERTAKEN]
                    if n and other != b and self.space.overtaken is not None:
                        if overtaken == self.space.overtaken:
                            break
                        overtaken += 1
                    after = before[:OVERTAKEN] + (overtaken,) + before[BOARDS:i]
                    made = [(self.nodes[other], n)] if n else []
                    more.append((moves + made, after + (number, began) + before[i + 2 :]))
            found = more
        return found

    def step(self, moves, state, b):
        """Board b makes its transfer."""
        place = self.machines[b].places[state[BOARDS + 2 * b]]
        k, at, count, data = place.request
        image = state[IMAGE]
        if not state[REACH][b] >> k & 1:
            answer = None
        elif data is None:
            answer = self.images.read(image, k, at, count)
        else:
            answer = DONE
            if not self.space.outside and not self.undisturbed.quorate(state[REACH][b]):
                raise Breach("[1]", "node %d writes without a quorum" % self.nodes[b])
            self.judge.write(image, self.nodes[b], k, at, data, self.asked[b])
            image = self.images.write(image, k, at, data)
        return moves + [(self.nodes[b], 1)], self.answered(state, b, answer, image)

    def crash(self, moves, state, b):
        """Board b loses its supply right before its write, or in it."""
        image = state[IMAGE]
        name = self.nodes[b], OFF
        found = [(moves + [name], self.answered(state, b, CRASH, image))]
        k, at, _, data = self.machines[b].places[state[BOARDS + 2 * b]].request
        if self.space.tears and state[REACH][b] >> k & 1:
            old, new = self.images.page_write(image, k, at, data)
            for tear in self.space.tears:
                after = self.images.replace(image, k, at // PAGE, torn(tear, old, new))
                found.append((moves + [name + (tear,)], self.answered(state, b, CRASH, after)))
        return found

    def answered(self, state, b, answer, image):
        """The state after the answer to board b."""
        i = BOARDS + 2 * b
        place = self.machines[b].places[state[i]]
        highest = state[HIGHEST]
        began = highest if place.begins else state[i + 1]
        number = self.machines[b].go(state[i], answer)
        token = self.machines[b].places[number].confirmed
        if token:
            self.judge.confirmed(self.nodes[b], token, began)
            highest = max(highest, token)
        crashes = state[CRASHES] + (answer == CRASH)
        start = (image, state[TURN], state[REACH], highest, crashes, state[OVERTAKEN])
        return start + state[BOARDS:i] + (number, began) + state[i + 2 :]

    def outside(self, state, ways):
        """What happens to a chip next: it is lost, back, or blank."""
        event = self.space.outside[state[TURN]]
        kind, k = event[:2]
        nodes = event[2:] or self.nodes
        found = []
        for moves, before in self.choices(state, ways, None, None, k):
            image = before[IMAGE]
            reach = before[REACH]
            if kind == "blank":
                image = self.images.blank_chip(image, k)
            else:
                bit = 1 << k
                reach = tuple(
                    [
                        mask if node not in nodes else mask & ~bit if kind == "lost" else mask | bit
                        for node, mask in zip(self.nodes, reach)
                    ]
                )
            after = (image, state[TURN] + 1, reach) + before[HIGHEST:]
            found.append((moves + [event], after))
        return found

    def end(self, state, ways):
        """Nobody writes any more: what follows when the boards wake in turn?"""
        image = state[IMAGE]
        reach = {node: mask for node, mask in zip(self.nodes, state[REACH])}
        crashed = [self.nodes[b] for b in self.boards if self.place(ways[b][-1], b).crashed]
        self.ends.add((image, tuple(crashed)))
        away = [crashed]
        if state[CRASHES] < self.space.crashes:  # or it happens after the last write
            away += [crashed + [node] for node in self.nodes if node not in crashed]
        for gone in [[]] + away:
            nodes = [node for node in range(self.setup.nodes) if node not in gone]
            if nodes:
                self.recovery.settle(image, tuple(nodes), reach, state[HIGHEST])
