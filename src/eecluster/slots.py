"""Slots on the EEPROMs: looking at everybody's, writing one's own. Stands on layout, eeprom and bitmap.

A look tells for every copy on every EEPROM whether it is valid, but it does not read every byte of it. A
copy is read in full the first time its content turns up. On the next EEPROM only its head is read:
revision, token and CRC, the fingerprint. A head that equals one that was read in full and found valid says
nothing new; any other is read in full. One's own slot is always read in full, on every EEPROM, because
what is written next depends on it. A second look in the same wake compares the CRC of every copy with
what the first one read there, and only where one differs looks again.
"""

from .bitmap import ids
from .errors import ClusterError, ConfigError, FormatError, LayoutError
from .layout import (
    BLANK,
    CRC_AT,
    CRC_SIZE,
    HEAD_AT,
    HEAD_SIZE,
    LABEL_SIZE,
    PLACE_AT,
    owner,
    revision_of,
)


class View:
    """What one look found. EEPROMs are bitmaps of their numbers."""

    def __init__(self, nodes):
        self.answered = 0
        self.good = 0  # ours, with at least one valid slot: these count for the quorum
        self.empty = 0  # ours or blank, without a valid slot
        self.relabel = 0  # of these two, the ones whose label has to be written
        self.fresh = 0  # good, and my newest record is on it
        self.records = [None] * nodes  # the newest valid record of each node
        self.token = 0  # the highest in any valid copy
        self.named = [0] * nodes  # the highest token with which a node named itself primary
        self.twins = 0  # nodes whose slot holds one revision written by two boards
        self.fault = None  # the error that says why one that answered is neither good nor empty


class Slots:
    """The slots of all nodes, seen from node ``me``."""

    def __init__(self, layout, eeproms, me):
        self.layout = layout
        self.eeproms = eeproms
        self.me = me
        self.view = None
        self.error = None  # the last OSError of an EEPROM that did not answer
        copies = 2 * layout.nodes
        size = layout.slot_size
        known = memoryview(bytearray(copies * size))
        self._known = [known[i * size : (i + 1) * size] for i in range(copies)]
        self._have = 0  # copies whose content is in _known
        self._crcs = memoryview(bytearray(len(eeproms.addresses) * copies * CRC_SIZE))
        self._slot = memoryview(bytearray(size))
        self._blank = bytes([BLANK]) * size
        self._head = memoryview(bytearray(HEAD_SIZE))
        self._label = memoryview(bytearray(LABEL_SIZE))
        self._own = [None] * len(eeproms.addresses)  # (revision, token, copy) of mine on each

    def look(self):
        """Read every EEPROM that answers. Returns the ``View``, also kept as ``view``."""
        layout = self.layout
        self.view = view = View(layout.nodes)
        self._have = 0
        for k in range(len(self._own)):
            self._own[k] = None
            try:
                self._look_at(k, view)
            except OSError as error:
                self.error = error
                view.answered &= ~(1 << k)
        for node in range(layout.nodes):
            newest = self._newest(node)
            if newest is not None:
                view.records[node] = layout.unpack(newest)
        mine = view.records[self.me]
        for k in ids(view.good):
            if self._own[k] and self._own[k][0] == mine.revision:
                view.fresh |= 1 << k
        return view

    def unchanged(self):
        """Does every EEPROM still hold what the last look found? Reads only check sums."""
        view = self.view
        usable = view.good | view.empty
        crc = self._head[:CRC_SIZE]
        for k in range(len(self._own)):
            if usable >> k & 1:
                for i in range(len(self._known)):
                    try:
                        self.eeproms.read(k, self._at(i) + CRC_AT, crc)
                    except OSError:
                        return False
                    if crc != self._crc(k, i):
                        return False
            elif view.answered >> k & 1:
                return False  # it was foreign or garbled: look again
            else:
                try:
                    self.eeproms.read(k, self.layout.base, crc)
                    return False  # it is back
                except OSError:
                    pass
        return True

    def holding(self, token):
        """EEPROMs on which my newest valid copy carries this token, as a bitmap."""
        held = 0
        for k in ids(self.view.good):
            if self._own[k] and self._own[k][1] == token:
                held |= 1 << k
        return held

    def write(self, record, fill):
        """Write my record, its revision raised, over the older copy on every good EEPROM, and read back.

        ``fill``: EEPROMs without a valid slot that get it too. Returns the bitmap of those that hold it
        now; the others are no longer good in ``view``.
        """
        layout = self.layout
        view = self.view
        record.revision += 1
        layout.pack(record, self.me, self._slot)
        targets = todo = view.good | fill
        for k in ids(targets & view.relabel):
            self._try(self.eeproms.write, k, layout.base, layout.label(k))
        for _ in range(2):  # a short write raises nothing, so what did not arrive is written again
            self._write_pages(todo)
            for k in ids(todo):
                if self._arrived(k):
                    todo &= ~(1 << k)
                    self._own[k] = (record.revision, record.token, self._target(k))
        view.good = targets & ~todo
        view.fresh = view.good
        view.empty &= ~targets
        view.relabel &= ~targets
        return view.good

    def format(self, k, erase):
        """Label EEPROM ``k``; with ``erase`` make it blank first. ``OSError`` if it does not take it."""
        layout = self.layout
        page = bytes([BLANK]) * layout.page_size
        if erase:
            for at in range(layout.base, layout.end, layout.page_size):
                self.eeproms.write(k, at, page)
        self.eeproms.write(k, layout.base, layout.label(k))
        self.eeproms.read_back(k, layout.base, self._label)
        if self._label != layout.label(k):
            raise ClusterError(
                "EEPROM 0x%02x does not keep what is written: check its write-protect pin and its size"
                % self.eeproms.addresses[k]
            )

    # Looking

    def _look_at(self, k, view):
        layout = self.layout
        bit = 1 << k
        label = self._label
        self.eeproms.read(k, layout.base, label)
        view.answered |= bit
        labelled = label == layout.label(k)
        if not labelled:
            other = layout.foreign_label(label)
            if other:
                view.fault = ConfigError(
                    "EEPROM 0x%02x should be number %d of this cluster but its label says: %s. Not written. Give all"
                    " boards the same arguments and each chip its address, or format(force=True)"
                    % (self.eeproms.addresses[k], k, other)
                )
                return
        valid = False
        for i in range(len(self._known)):
            if self._look_at_copy(k, i, view):
                valid = True
        if valid:
            view.good |= bit
        elif labelled or self._is_blank(k):
            view.empty |= bit
        else:
            view.fault = FormatError(
                "EEPROM 0x%02x holds data that is not this cluster's. Not written. If nobody needs it:"
                " format(force=True)" % self.eeproms.addresses[k]
            )
            return
        if not labelled:
            view.relabel |= bit

    def _look_at_copy(self, k, i, view):
        node = i >> 1
        known = self._known[i]
        if self._have >> i & 1 and node != self.me:
            head = self._head
            self.eeproms.read(k, self._at(i) + HEAD_AT, head)
            place = BLANK if known[PLACE_AT] == BLANK else node << 4 | k
            if head[:12] == known[HEAD_AT:PLACE_AT] and head[12] == place:
                self._crc(k, i)[:] = head[8:12]
                return place != BLANK
        slot = self._slot
        for _ in range(2):  # once more, in case it was the wires
            self.eeproms.read(k, self._at(i), slot)
            self._crc(k, i)[:] = slot[CRC_AT:PLACE_AT]
            if self.layout.valid(slot, node, k):
                self._take(k, i, view)
                return True
            if slot == self._blank:
                if not self._have >> i & 1:
                    self._keep(i)
                break
        return False

    def _take(self, k, i, view):
        slot = self._slot
        node = i >> 1
        record = self.layout.unpack(slot)
        view.token = max(view.token, record.token)
        if record.primary >> node & 1 and owner(record.token) == node:
            view.named[node] = max(view.named[node], record.token)
        if node == self.me and (self._own[k] is None or record.revision > self._own[k][0]):
            self._own[k] = (record.revision, record.token, i & 1)
        if self._have >> i & 1 and self._known[i][PLACE_AT] != BLANK:
            known = self.layout.unpack(self._known[i])
            if record.revision == known.revision and record.uid != known.uid:
                view.twins |= 1 << node  # both boards see the same bytes: the lower id stays
            if (record.revision, -record.uid) <= (known.revision, -known.uid):
                return
        self._keep(i)

    def _keep(self, i):
        self._known[i][:] = self._slot
        self._have |= 1 << i

    def _newest(self, node):
        best = None
        for i in (2 * node, 2 * node + 1):
            known = self._known[i]
            if self._have >> i & 1 and known[PLACE_AT] != BLANK:
                if best is None or revision_of(known) > revision_of(best):
                    best = known
        return best

    def _is_blank(self, k):
        # a label that was torn while a blank chip got it has bytes of ours among the blank ones
        layout = self.layout
        blank = bytes([BLANK]) * layout.page_size
        ours = layout.label(k) + blank[LABEL_SIZE:]
        page = bytearray(layout.page_size)
        for at in range(layout.base, layout.end, layout.page_size):
            self.eeproms.read(k, at, page)
            for found, wanted in zip(page, ours):
                if found != BLANK and found != wanted:
                    return False
            ours = blank
        return True

    # Writing

    def _write_pages(self, targets):
        size = self.layout.page_size
        for start in range(0, len(self._slot), size):
            for k in ids(targets):
                self._slot[PLACE_AT] = self._slot[PLACE_AT] & 0xF0 | k
                at = self._at_target(k) + start
                self._try(self.eeproms.write, k, at, self._slot[start : start + size])

    def _arrived(self, k):
        known = self._known[2 * self.me]  # free for this: a look after a write starts anew
        self._slot[PLACE_AT] = self._slot[PLACE_AT] & 0xF0 | k
        if not self._try(self.eeproms.read_back, k, self._at_target(k), known):
            return False
        self._crc(k, 2 * self.me + self._target(k))[:] = known[CRC_AT:PLACE_AT]
        return known == self._slot

    def _try(self, call, k, at, data):
        try:
            call(k, at, data)
            return True
        except LayoutError:
            raise  # our own mistake, not the bus's
        except OSError as error:
            self.error = error
            return False

    # Addresses

    def _at(self, i):
        return self.layout.slot(i >> 1, i & 1)

    def _target(self, k):
        return 1 - self._own[k][2] if self._own[k] else 0

    def _at_target(self, k):
        return self.layout.slot(self.me, self._target(k))

    def _crc(self, k, i):
        at = (k * len(self._known) + i) * CRC_SIZE
        return self._crcs[at : at + CRC_SIZE]
