"""The oracle of the long runs: judges what boards write and claim, and never asks the library.

It knows the chips' raw bytes, which it decodes with `proof.decode` alone, what boards say in public
(`Status`, `confirm()`), and the messages that reach a consumer. A promise that is broken is a
`Breach`, raised where it happens. The numbers are those of docs/protocol.md, "What is promised".

I1  a token has one owner: nobody acts with another's, and no record carries one that its owner has
    never claimed. I2: no confirmation succeeds with a lower token than one that ended before it
    began. I3: the consumer's view. I4: who writes where, and where nobody may. I5: see Calm.
"""

from binascii import crc32

from proof.breach import Breach
from proof.decode import LABEL_SIZE, Format


class Bytes(Format):
    """What the oracle asks of a chip's bytes."""

    def token(self, data, eeprom, node, copy):
        """The token in one copy, None if it is not a valid record."""
        at = self.base + self.page + (2 * node + copy) * self.copy_size
        raw = bytes(data[at : at + self.slot_size])
        place = node << 4 | eeprom
        if raw[16] != place or int.from_bytes(raw[12:16], "big") != self._check(raw, node):
            return None
        return int.from_bytes(raw[8:12], "big")

    def label(self, k):
        """The label that EEPROM k should carry."""
        text = b"eecl" + bytes((1, self.nodes, self.eeproms, k))
        text += self.cluster_id.to_bytes(4, "big") + self.page.to_bytes(2, "big")
        text += bytes((self.quorum, 0))
        return text + crc32(text).to_bytes(4, "big")

    def top(self, data, eeprom):
        """The highest token in any valid copy on a chip; -1: there is no valid copy."""
        found = [self.token(data, eeprom, i >> 1, i & 1) for i in range(2 * self.nodes)]
        return max([-1 if token is None else token for token in found])

    def is_ours(self, data, eeprom):
        """Does the protocol treat this chip as the cluster's, a blank one included?"""
        label = self.label(eeprom)
        pages = bytes(data[self.base : self.end])
        if self.label_is_good(data, eeprom) or self.top(data, eeprom) >= 0:
            return True
        rest = pages[LABEL_SIZE:].strip(b"\xff")
        return not rest and all([a in (b, 0xFF) for a, b in zip(pages, label, strict=False)])


class Oracle:
    """What has been claimed, confirmed and published so far.

    strict   the history stays within what I2 needs
    mute     boards that may not write, because they are not of this cluster
    """

    def __init__(self, nodes, eeproms, majority, strict, page=64):
        self.format = Bytes(nodes, eeproms, page, majority=majority)
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


class Calm:
    """I5, in a time without faults: `alive` wake regularly, the others never.

    Exactly one primary within `bound` looks of the slowest; then it stays, publishes at each wake,
    and nobody that is alive is marked dead. After two looks of everybody at most one is primary.
    """

    def __init__(self, alive, bound, readmit, spare):
        self.looks = dict.fromkeys(alive, 0)
        self.bound = bound
        self.readmit = readmit
        self.spare = spare  # the first look of each may not count
        self.primary = dict.fromkeys(alive, False)
        self.leader = None
        self.dead: set | None = None  # those that beat and are marked dead, at its last wake
        self.told = set()
        self.extra = False  # this wake is one too many: its look does not count
        self.since = 0  # wakes of the leader

    def woke(self, board, look, beat, published):
        """A wake is over: the `Status` of look and beat (None: an error), messages sent."""
        node = board.node
        if look is None or beat is None:
            raise Breach("I5", f"{board} meets an error, with all EEPROMs in order")
        self.looks[node] += not self.extra
        self.primary[node] = beat.is_primary
        slowest = min(self.looks.values())
        leaders = [node for node, primary in self.primary.items() if primary]
        if slowest >= 2 + self.spare and len(leaders) > 1:
            raise Breach("I5", f"nodes {leaders} are primary after two looks of everybody")
        if self.leader is not None:
            self._stays(board, look, beat, published)
        elif slowest >= self.bound:
            if len(leaders) != 1:
                raise Breach("I5", f"primaries after {slowest} looks of everybody: {leaders}")
            self.leader = leaders[0]

    def _stays(self, board, look, beat, published):
        if board.node != self.leader:
            if look.is_primary or beat.is_primary or look.primary != self.leader:
                raise Breach("I5", f"node {self.leader} was primary, but now {beat}")
            return
        if not look.is_primary or not beat.is_primary or published != 1:
            raise Breach("I5", f"the primary does not stay: {look} / {beat}, sent {published}")
        self.since += not self.extra
        dead = set(look.dead) & self.looks.keys()
        if self.dead is not None and dead - self.dead:
            raise Breach("I5", f"{sorted(dead - self.dead)} beat, and were marked dead: {look}")
        self.dead = dead
        if dead and self.readmit and self.since > self.readmit + 5:
            raise Breach("I5", f"{sorted(dead)} beat, and are not taken back: {look}")
