"""Slots on the EEPROMs: looking at everybody's, writing one's own. Stands on eeprom, layout and
bitmap.

A look tells for every copy on every EEPROM whether it is valid, but it does not read every byte
of it. A copy is read in full the first time its content turns up. On the next EEPROM only its
head is read: revision, token and CRC, the fingerprint. A head that equals one that was read in
full and found valid says nothing new; any other is read in full. One's own slot is always read in
full, on every EEPROM, because what is written next depends on it. A second look in the same wake
compares the CRC of every copy with those the first one has read in full, and if one differs,
looks again at everything.
"""

from .bitmap import bits, ids
from .eeprom import STEPS, TRIES, Eeproms
from .layout import BLANK, CRC_AT, HEAD_AT, HEAD_SIZE, LABEL_SIZE, LOST_AT, PLACE_AT

PASSES = 4


class View:
    """What one look found. EEPROMs are bitmaps of their numbers."""

    def __init__(self, nodes):
        self.heard = 0
        self.good = 0  # ours, with at least one valid slot: these count for the quorum
        self.empty = 0  # ours or blank, without a valid slot: written with a quorum only
        self.odd = 0  # without a valid slot, and the label is not as it should be: to be judged
        self.relabel = 0  # the label is not as it should be
        self.fresh = 0  # good, and my newest record is on it
        self.held = 0  # the token in that record
        self.records = [None] * nodes  # the newest valid record of each node
        self.token = 0  # the highest in any valid copy
        self.named = [0] * nodes  # the highest token with which a node named itself primary
        self.duplicate = 0  # nodes whose slot holds one revision written by two boards
        self.fault = None  # the error that says why one that answered is neither good nor empty


class Slots(Eeproms):
    """The slots of all nodes, seen from ``node``. Copy i is copy A or B, ``i & 1``, of node ``i
    >> 1``.
    """

    def __init__(self, i2c, addresses, layout, timer, node):
        super().__init__(i2c, addresses, layout, timer, node)
        self.view = None
        self.fault = None  # the last OSError of an EEPROM that did not answer
        self.all = range(len(addresses))
        self.copies = range(2 * layout.nodes)
        self.known = []  # heads of what was read in full: a valid or a blank slot
        self.slot = memoryview(bytearray(layout.size))
        self.head = memoryview(bytearray(HEAD_SIZE))
        self.rank = [(0, 0)] * len(addresses)  # of my newest record on each EEPROM
        self.target = [0] * len(addresses)  # the copy of mine to overwrite on each: not the newest

    def look(self):
        """Read every EEPROM that answers. Returns the ``View``, also kept as ``view``.

        Silent ones are tried again, all of them in each pass: so they share the pauses. With
        ``BusArbitration`` a node that is silent for long loses the bus. Where others may be
        writing, one that this node's last record does not miss already is tried for longer.
        """
        self.view = None  # until this one has come to its end
        view = View(self.layout.nodes)
        self.known = [b""] * len(self.copies)
        self.tries = 2
        begun_us = 0
        for n in range(PASSES + self.extra):
            missing = ~view.heard
            if n == PASSES:
                begun_us = self.timer.ticks_us()
            if n >= PASSES:
                if self.timer.ticks_diff(self.timer.ticks_us(), begun_us) > self.patience_us:
                    break
                mine = view.records[self.node]
                missing &= ~(mine[1][LOST_AT] if mine else 0)
            for k in self.all:
                if missing >> k & 1:
                    self.timer.sleep_us(min(n, STEPS) * self.pause_us)
                    n = 0
                    self.rank[k] = (0, 0)
                    self.target[k] = 2 * self.node
                    self.attempt(self.look_at, k, view)
        self.tries = TRIES
        for node, newest in enumerate(view.records):
            if newest:
                view.records[node] = self.layout.unpack(newest[1], node)
        newest = max(self.rank)
        view.held = newest[1]
        if view.held:
            view.fresh = bits([newest == rank for rank in self.rank]) & view.good
        self.view = view
        return view

    def same(self):
        """Do all EEPROMs still hold what the last look found, all the same? Reads only check
        sums.
        """
        for k in self.all:
            if not (self.view.good | self.view.empty) >> k & 1:
                return False
            for i in self.copies:
                if not self.attempt(self.familiar, k, i, CRC_AT):
                    return False
        return True

    def store(self, mine):
        """Write my record, its revision raised, over the older copy on every good EEPROM, and
        read back.

        EEPROMs without a valid slot get it too: the caller has made sure of a quorum without them.
        Returns the bitmap of those that hold it now; only these are still good in ``view``.
        """
        view = self.view
        layout = self.layout
        slot = self.slot
        mine.revision += 1
        layout.pack(mine, slot)
        todo = view.good | view.empty
        for k in ids(todo & view.relabel):
            self.attempt(self.write, k, layout.base, layout.label(k))
        view.good = view.relabel = view.empty = 0
        for _ in range(2):  # a short write raises nothing, so what did not arrive is written again
            todo ^= self.keeping(todo)
        self.known[self.target[0] ^ 1] = bytes(slot[HEAD_AT:PLACE_AT])
        view.fresh = view.good
        view.held = mine.token
        return view.good

    def keeping(self, chips):
        """Write the slot to these EEPROMs and read it back. Those that keep it, a bitmap, are good
        in the view now.
        """
        view = self.view
        layout = self.layout
        slot = self.slot
        kept = 0
        for at in range(0, layout.size, len(layout.blank)):
            for k in ids(chips):
                slot[PLACE_AT] = self.node << 4 | k
                page = slot[at : at + len(layout.blank)]
                self.attempt(self.write, k, layout.slots[self.target[k]] + at, page)
        for k in ids(chips):
            if self.attempt(self.check, k):
                kept |= 1 << k
                self.target[k] ^= 1
        view.good |= kept
        return kept

    def look_at(self, k, view):
        """Read one EEPROM. It counts only if it answers to the end."""
        bit = 1 << k
        layout = self.layout
        label = bytearray(LABEL_SIZE)
        self.read(k, layout.base, label)
        ours = label == layout.label(k)
        valid = 0
        if ours or not layout.whole(label):  # else of another cluster, or of another place
            for i in self.copies:
                valid |= self.copy(k, i, view)
        view.heard |= bit
        view.odd &= ~bit
        if not ours:
            view.relabel |= bit
        if valid:
            view.good |= bit
        elif ours:
            view.empty |= bit
        else:
            view.odd |= bit

    def copy(self, k, i, view):
        """Read one copy, no more of it than is needed. True if it is valid."""
        node = i >> 1
        slot = self.slot
        layout = self.layout
        if node != self.node and self.familiar(k, i, HEAD_AT):
            return self.head[PLACE_AT - HEAD_AT] != BLANK != self.head[0]
        for _ in range(2):  # once more, in case it was the wires
            self.read(k, layout.slots[i], slot)
            valid = layout.intact(slot, node, k)
            blank = slot[HEAD_AT : PLACE_AT + 1] == layout.blank[:HEAD_SIZE]
            if (valid or blank) and not self.known[i]:
                self.known[i] = bytes(slot[HEAD_AT:PLACE_AT])
            if valid:
                self.load(k, i, view)
                return True
            if blank:
                break
        return False

    def familiar(self, k, i, at):
        """Does this copy, from byte ``at`` on, look like one of its node's that was read in
        full, and is it in its place?
        """
        one = self.known[i]
        other = self.known[i ^ 1]
        if not (one or other):
            return False
        at -= HEAD_AT
        self.read(k, self.layout.slots[i] + HEAD_AT + at, self.head[at:])
        head = self.head[at : PLACE_AT - HEAD_AT]
        if self.head[PLACE_AT - HEAD_AT] not in (i >> 1 << 4 | k, BLANK):
            return False  # of another EEPROM
        return head == one[at:] or head == other[at:]

    def load(self, k, i, view):
        """Take over what a valid copy says."""
        node = i >> 1
        slot = self.slot
        rank = self.layout.rank(slot)
        view.token = max(view.token, rank[1])
        if slot[0] >> node & 1:
            view.named[node] = max(view.named[node], rank[1])
        newest = view.records[node]  # its rank and bytes, until the look is over
        if newest and newest[0][0] == rank[0] and newest[0][2] != rank[2]:
            view.duplicate |= 1 << node  # both boards see the same bytes: the lower id stays
        if not newest or rank > newest[0]:
            view.records[node] = rank, bytes(slot)
        if node == self.node and rank > self.rank[k]:
            self.rank[k] = rank
            self.target[k] = i ^ 1

    def check(self, k):
        """Read back what was written."""
        slot = self.slot
        data = bytearray(len(slot))
        self.read(k, self.layout.slots[self.target[k]], data)
        slot[PLACE_AT] = self.node << 4 | k
        return data == slot

    def attempt(self, call, *args):
        """The call's result, or None if the EEPROM does not answer."""
        try:
            return call(*args)
        except OSError as error:
            self.fault = error
