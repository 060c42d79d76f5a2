"""The oracle of the long runs: judges what boards write and claim, and never asks the library.

It knows the chips' raw bytes, which it decodes with `proof.decode` alone, what boards say in public
(`Status`, `confirm()`), and the messages that reach a consumer. A promise that is broken is a
`Breach`, raised where it happens. The numbers are those of docs/protocol.md, "What is promised".

I1  a token has one owner: nobody acts with another's, and no record carries one that its owner has
    never claimed. I2: no confirmation succeeds with a lower token than one that ended before it
    began. I3: the consumer's view. I4: who writes where, and where nobody may. I5: see calm.
"""

from proof.breach import Breach
from proof.judges.calm import Calm
from proof.judges.raw import RawChips


class Oracle:
    """What has been claimed, confirmed and published so far.

    strict   the history stays within what I2 needs
    mute     boards that may not write, because they are not of this cluster
    """

    def __init__(self, nodes, eeproms, majority, strict, page=64):
        self.format = RawChips(nodes, eeproms, page, majority=majority)
        self.labels = [self.format.label(k) for k in range(eeproms)]
        self.slots = [self.format.address(node, 0) for node in range(nodes + 1)]
        self.strict = strict
        self.mute = set()
        self.claimed = {0}
        self.highest = 0  # confirmed
        self.accepted = 0  # the highest token the consumer has seen
        self.sender = None  # who sent it
        self.dropped = 0
        self.messages = 0
        self.told = set()
        self.repeated = 0
        self.calm: Calm | None = None
        self.on_claim = lambda board, token: None
        self.on_attempt = lambda board: None
        self.on_write = lambda board, place: None

    # I4, I1: writes

    def writes(self, board, place, memaddr, buf):
        """A board writes `buf`. Called before it is stored."""
        n = len(buf)
        if board in self.mute:
            raise Breach("I4", f"{board}, which is not of this cluster, writes to {place}")
        if place.alien:
            raise Breach("I4", f"{board} writes to the foreign chip at {place}")
        start = self.slots[board.node]
        page = self.format.page
        if start <= memaddr and memaddr + n <= self.slots[board.node + 1]:
            if memaddr % page + n > page:
                raise Breach("I4", f"{board} writes over the end of a page of {place}")
            token = int.from_bytes(bytes(buf[8:12]), "big")
            begins = (memaddr - start) % self.format.copy_size == 0 and n >= 12
            if begins and token not in self.claimed and token not in board.tried:
                board.tried = (token,)
                self.on_attempt(board)
        elif memaddr != self.format.base or bytes(buf) != self.labels[place.number][:n]:
            raise Breach("I4", f"{board} writes to byte {memaddr} of {place}: not its own")

    def written(self, board, place, memaddr):
        """The write has been stored: is it a record, and is its token somebody's claim?"""
        if memaddr == self.format.base:
            return
        node = board.node
        copy = (memaddr - self.slots[node]) // self.format.copy_size
        token = self.format.token(place.data, place.number, node, copy)
        if token is None:
            return
        if token not in self.claimed:
            if 7 - (token & 7) != node:
                raise Breach("I1", f"{board} writes token {token}, which nobody has claimed")
            self.claimed.add(token)
            self.on_claim(board, token)
        self.on_write(board, place)

    # I1, I2, I3: what boards say

    def confirmed(self, board, token, floor):
        """A call of a board ended as primary; `floor`: `highest` when it began."""
        if 7 - (token & 7) != board.node:
            raise Breach("I1", f"{board} is primary with token {token}, which is not its own")
        if token not in self.claimed:
            raise Breach("I1", f"{board} is primary with token {token}, which is on no chip")
        if self.strict and token < floor:
            raise Breach("I2", f"{board} confirmed {token} after {floor} had been confirmed")
        self.highest = max(self.highest, token)

    def published(self, board, token):
        """A message with this token reaches the consumer, who drops those with a lower one."""
        self.messages += 1
        if token < self.accepted:
            self.dropped += 1
            return
        if token == self.accepted and self.sender != board.node:
            raise Breach("I3", f"token {token} from {board} and from node {self.sender}")
        if token > self.highest:
            raise Breach("I3", f"{board} acted with token {token}, which was never confirmed")
        self.accepted, self.sender = token, board.node

    def announced(self, events):
        """`announced()` succeeded: these were published."""
        for kind, node, _, n in events:
            key = kind, node, n
            if key in self.told:
                self.repeated += 1
            self.told.add(key)
            if self.calm and self.calm.leader is not None:
                if key in self.calm.told:
                    raise Breach("events", f"{key} was announced, and is offered once more")
                self.calm.told.add(key)

    # What is on the chips

    def newest(self, places, node):
        """The newest valid record of a node on these chips, as a dict, or None."""
        best = None
        for place in places:
            found = self.format.newest(place.data, place.number, node)
            if found and (best is None or found["revision"] > best["revision"]):
                best = found
        return best

    def members(self, places):
        """The nodes that may take over at their next looks: they have beaten, and are not dead."""
        token = max([self.format.top(place.data, place.number) for place in places])
        records = [self.newest(places, node) for node in range(self.format.nodes)]
        leader = records[7 - (token & 7)] if token > 0 else None
        found = set()
        for node, mine in enumerate(records):
            view = leader if leader and leader["token"] == token else mine
            if mine and view and mine["seqs"][node] and not view["dead"] >> node & 1:
                found.add(node)
        return found
