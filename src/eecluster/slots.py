"""Slots on the EEPROMs: looking at everybody's, writing one's own. Stands on layout, bitmap
and, when a chip's label is not as it should be, on care.

A look tells for every copy on every EEPROM whether it is valid, but it does not read every byte of it. A
copy is read in full the first time its content turns up. On the next EEPROM only its head is read:
revision, token and CRC, the fingerprint. A head that equals one that was read in full and found valid says
nothing new; any other is read in full. One's own slot is always read in full, on every EEPROM, because
what is written next depends on it. A second look in the same wake compares the CRC of every copy with
what the first one read there, and only where one differs looks again.
"""

from .bitmap import bits, ids
from .layout import BLANK, CRC_AT, HEAD_AT, HEAD_SIZE, LABEL_SIZE, PLACE_AT


class View:
    """What one look found. EEPROMs are bitmaps of their numbers."""

    def __init__(self, nodes):
        self.answered = 0
        self.good = 0  # ours, with at least one valid slot: these count for the quorum
        self.empty = 0  # ours or blank, without a valid slot
        self.relabel = 0  # the label is not as it should be
        self.fresh = 0  # good, and my newest record is on it
        self.held = 0  # the token in that record
        self.records = [None] * nodes  # the newest valid record of each node
        self.token = 0  # the highest in any valid copy
        self.named = [0] * nodes  # the highest token with which a node named itself primary
        self.twins = 0  # nodes whose slot holds one revision written by two boards
        self.fault = None  # the error that says why one that answered is neither good nor empty


class Slots:
    """The slots of all nodes, seen from ``node``. Copy i is copy A or B, ``i & 1``, of node ``i >> 1``."""

    def __init__(self, layout, eeproms, node):
        self.layout = layout
        self.eeproms = eeproms
        self.node = node
        self.view = None
        self.error = None  # the last OSError of an EEPROM that did not answer
        self.replicas = range(len(eeproms.addresses))
        self.copies = range(2 * layout.nodes)
        self.known = []  # heads of what was read in full: a valid or a blank slot
        self.slot = memoryview(bytearray(layout.slot_size))
        self.head = memoryview(bytearray(HEAD_SIZE))
        self.revisions = [0] * len(self.replicas)  # of my newest record on each EEPROM
        self.target = [0] * len(self.replicas)  # the copy of mine to overwrite on each: not the newest

    def look(self):
        """Read every EEPROM that answers. Returns the ``View``, also kept as ``view``."""
        self.view = view = View(self.layout.nodes)
        self.known = [b""] * len(self.copies)
        for k in self.replicas:
            self.revisions[k] = 0
            self.target[k] = 2 * self.node
            try:
                self.look_at(k, view)
            except OSError as error:
                self.error = error
                view.answered &= ~(1 << k)
        newest = max(self.revisions)
        view.fresh = bits([newest and newest == revision for revision in self.revisions]) & view.good
        if newest:
            view.held = view.records[self.node].token
        return view

    def unchanged(self):
        """Do all EEPROMs still hold what the last look found, all of them the same? Reads only check sums."""
        for k in self.replicas:
            if not (self.view.good | self.view.empty) >> k & 1:
                return False
            for i in self.copies:
                if not self.attempt(self.familiar, k, i, CRC_AT):
                    return False
        return True

    def write(self, mine):
        """Write my record, its revision raised, over the older copy on every good EEPROM, and read back.

        EEPROMs without a valid slot get it too: the caller has made sure of a quorum without them.
        Returns the bitmap of those that hold it now; only these are still good in ``view``.
        """
        view = self.view
        mine.revision += 1
        self.layout.pack(mine, self.slot)
        todo = view.good | view.empty
        for k in ids(todo & view.relabel):
            self.attempt(self.eeproms.write, k, self.layout.base, self.layout.label(k))
        view.good = view.relabel = view.empty = 0
        for _ in range(2):  # a short write raises nothing, so what did not arrive is written again
            for at in range(0, len(self.slot), len(self.layout.blank)):
                for k in ids(todo):
                    self.attempt(self.write_page, k, at)
            for k in ids(todo):
                if self.attempt(self.arrived, k, self.target[k]):
                    todo ^= 1 << k
                    view.good |= 1 << k
                    self.target[k] ^= 1
        self.known[self.target[0] ^ 1] = bytes(self.slot[HEAD_AT:PLACE_AT])
        view.fresh = view.good
        view.held = mine.token
        return view.good

    # Looking

    def look_at(self, k, view):
        """Read one EEPROM."""
        bit = 1 << k
        label = bytearray(LABEL_SIZE)
        self.eeproms.read(k, self.layout.base, label)
        view.answered |= bit
        fault = None
        if label != self.layout.label(k):
            from .care import judge_label

            view.relabel |= bit
            fault = judge_label(self, k, label)
        if not fault:
            for i in self.copies:
                if self.look_at_copy(k, i, view):
                    view.good |= bit
            if view.relabel & bit and not view.good & bit:
                from .care import judge_pages

                fault = judge_pages(self, k, view)
        if fault:
            view.fault = fault
        elif not view.good & bit:
            view.empty |= bit

    def look_at_copy(self, k, i, view):
        """Read one copy, no more of it than is needed. True if it is valid."""
        node = i >> 1
        if node != self.node and self.familiar(k, i, HEAD_AT):
            place = self.head[PLACE_AT - HEAD_AT]
            if place == node << 4 | k or place == BLANK:
                return place != BLANK
        for _ in range(2):  # once more, in case it was the wires
            self.eeproms.read(k, self.layout.slots[i], self.slot)
            record = self.layout.unpack(self.slot, node, k)
            blank = self.slot[0] == BLANK == self.slot[PLACE_AT]  # no bitmap and no place of ours
            if (record or blank) and not self.known[i]:
                self.known[i] = bytes(self.slot[HEAD_AT:PLACE_AT])
            if record:
                self.take(k, i, view, record)
                return True
            if blank:
                break
        return False

    def familiar(self, k, i, at):
        """Does this copy, from byte ``at`` on, look like one of its node's that was read in full?"""
        known = self.known[i], self.known[i ^ 1]
        if not (known[0] or known[1]):
            return False
        head = self.head[at - HEAD_AT : PLACE_AT + (at == HEAD_AT) - HEAD_AT]
        self.eeproms.read(k, self.layout.slots[i] + at, head)
        head = self.head[at - HEAD_AT : PLACE_AT - HEAD_AT]
        return head == known[0][at - HEAD_AT :] or head == known[1][at - HEAD_AT :]

    def take(self, k, i, view, record):
        """Take over what a valid record says."""
        node = i >> 1
        view.token = max(view.token, record.token)
        if record.primary >> node & 1:
            view.named[node] = max(view.named[node], record.token)
        newest = view.records[node]
        if newest and newest.revision == record.revision and newest.uid != record.uid:
            view.twins |= 1 << node  # both boards see the same bytes: the lower id stays
        if not newest or (record.revision, -record.uid) > (newest.revision, -newest.uid):
            view.records[node] = record
        if node == self.node and record.revision > self.revisions[k]:
            self.revisions[k] = record.revision
            self.target[k] = i ^ 1

    # Writing

    def write_page(self, k, at):
        """Start writing the page of my record that begins at byte ``at`` of it."""
        self.slot[PLACE_AT] = self.node << 4 | k
        page = self.slot[at : at + len(self.layout.blank)]
        self.eeproms.write(k, self.layout.slots[self.target[k]] + at, page)

    def arrived(self, k, i):
        """Read back what was written."""
        found = bytearray(len(self.slot))
        self.eeproms.read(k, self.layout.slots[i], found)
        self.slot[PLACE_AT] = self.node << 4 | k
        return found == self.slot

    def attempt(self, call, *args):
        """The call's result, or None if the EEPROM does not answer."""
        try:
            return call(*args)
        except OSError as error:
            self.error = error
