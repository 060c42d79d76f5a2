"""Every fault of the long runs that is not tied to a wake: what it does.

`ROWS` says for each row of the fault table how the histories make it; a test
checks that each of them is made. What is carried out is up to `proof.promises`. Stands on it.
"""

from proof.promises import BLANK, OLD, Promises

# row of the table: what counts for it, in the counters of a run
ROWS = {
    "crash at every bus transaction": ("crash before", "crash during", "crash after"),
    "torn page": ("torn old", "torn new", "torn mixed", "torn erased"),
    "crash between the writes to two EEPROMs": ("claim on some chips, crash",),
    "both nodes cold-start together": ("cold start together",),
    "all EEPROMs blank": ("start blank", "all blank"),
    "one replaced by a blank one": ("blank",),
    "one back with its old content": ("stale", "plug"),
    "foreign data": ("foreign",),
    "cloned to another address": ("clone",),
    "two swapped": ("swap",),
    "two boards with one node id": ("twin",),
    "a board replaced": ("replace",),
    "sequence wrap": ("sequence wrap",),
    "sequence wrap while an EEPROM is away": ("sequence wrap, chip away",),
    "acknowledges and stores nothing": ("protect",),
    "answers garbage": ("garbage",),
    "bit rot in one copy": ("rot",),
    "bit rot in both copies": ("rot both",),
    "NACK while a write is in progress": ("slow chip",),
    "OSError with any errno": ("fail", "fail 264", "fail done"),
    "short write": ("short", "weak"),
    "SDA stuck low": ("stuck sda",),
    "SCL stuck low": ("stuck scl",),
    "lock stuck or ignored": ("lock",),
    "two masters at once": ("together time", "together random"),
    "a slow node": ("hang short",),
    "a board that pauses anywhere": ("hang long",),
    "drift": ("drift at the limit",),
    "clock set back, set forward": ("clock back", "clock forward"),
    "observer in a reset loop": ("loop",),
    "observer with a bad bus": ("isolated",),
    "hangs after confirm": ("stall", "work"),
    "the old primary comes back": ("old primary back",),
    "a flapping node": ("flapping",),
    "claimer dies between write and read": ("claimer dies unconfirmed",),
    "last member dies, a dead one returns": ("a dead node claims",),
    "bus cut": ("cut",),
    "all EEPROMs lost, and back": ("all lost",),
    "different configurations": ("misfit",),
    "label damaged": ("label",),
    "token on a minority only": ("claim on a minority",),
    "other EEPROMs than its peer": ("reach",),
    "isolated board that goes on beating": ("isolated",),
    "blank chip filled while a peer claims": ("blank filled beside a claim",),
    "request older than a new death": ("death over an old request",),
    "duty failing": ("undone",),
    "stands down": ("stand_down",),
    "board dead for long, and back": ("off",),
}


class Faults(Promises):
    """The faults that are not tied to a wake. Each method is an event; True: it was carried out."""

    # Events

    def unplug(self, k):
        place = self.places[k]

        def change():
            place.plugged = False

        def undo():
            place.plugged = True

        return place.plugged and self.reachable(change, undo)

    def plug(self, k):
        changed = not self.places[k].plugged
        self.places[k].plugged = True
        return changed

    def garbage(self, k):
        place = self.places[k]

        def change():
            place.fault = "garbage"

        return self.reachable(change, lambda: self.sane(k))

    def sane(self, k):
        self.places[k].fault = None
        return True

    def protect(self, k):
        self.places[k].write_protect = True
        return True

    def unprotect(self, k):
        self.places[k].write_protect = False
        return True

    def slow(self, k, ms):
        self.places[k].write_ns = ms * 1000000
        return True

    def blank(self, k):
        def change(data):
            data[: self.format.end] = b"\xff" * self.format.end

        place = self.places[k]
        return not place.alien and self.exchange(place, BLANK, change)

    def save(self, k):
        """Keep an image of this chip, for `stale`."""
        place = self.places[k]
        if not place.alien:
            place.saved = bytes(place.data[: self.format.end])
        return True

    def stale(self, k):
        place = self.places[k]

        def change(data):
            data[: self.format.end] = place.saved

        return place.saved and not place.alien and self.exchange(place, OLD, change)

    def flip(self, k, node, copies, at, bit):
        """Bit rot in one copy of a node's slot, or in both."""
        place = self.places[k]

        def change(data):
            for copy in copies:
                data[self.format.address(node, copy) + at] ^= 1 << bit

        return not place.alien and self.exchange(place, OLD, change)

    def label(self, k, at, bit):
        """Bit rot in the label. It says nothing that is not known, so nothing is set back by it."""
        place = self.places[k]
        ours = not place.alien and self.format.top(place.data, k) >= 0
        if ours and not self.play.inside:
            place.data[self.format.base + at] ^= 1 << bit
        return ours and not self.play.inside

    def foreign(self, k):
        """Somebody plugs another chip into this place."""
        return self._another(k, b"\x42" * self.format.end)

    def clone(self, k, other):
        """A chip with the content of another place."""
        place = self.places[other]
        good = other != k and not place.alien and self.format.label_is_good(place.data, other)
        return good and self._another(k, bytes(place.data[: self.format.end]))

    def swap(self, k, other):
        """Two chips change their places."""
        one, two = self.places[k], self.places[other]
        for place in (one, two):
            if place.alien or not self.format.label_is_good(place.data, place.number):
                return False
        if k == other:
            return False
        images = [bytes(place.data[: self.format.end]) for place in (one, two)]
        if not self._another(k, images[1]):
            return False
        if not self._another(other, images[0]):
            self._return(one)
            return False
        one.partner, two.partner = two, one
        return True

    def _another(self, k, content):
        place = self.places[k]
        if place.alien or self.play.inside:
            return False
        place.drawer = bytes(place.data[: self.format.end])
        place.data[: len(content)] = content
        place.alien = True
        place.busy_until_ns = 0
        if self.allowed():
            return True
        self._return(place)
        return False

    def _return(self, place):
        place.data[: len(place.drawer)] = place.drawer
        place.drawer = place.partner = None
        place.alien = False
        place.busy_until_ns = 0

    def back(self, k):
        """The chip that belongs to this place is back (after a swap: both)."""
        place = self.places[k]
        if not place.alien or self.play.inside:
            return False
        partner = place.partner
        self._return(place)
        if partner:
            self._return(partner)
        return True

    def reach(self, node, chips):
        """This board does not reach these chips (none: it reaches all)."""
        board = self.boards[node]
        before = board.unreachable

        def change():
            board.unreachable = {self.places[k].address for k in chips}

        def undo():
            board.unreachable = before

        if not chips:
            change()
            return True
        return self.reachable(change, undo)

    def stuck(self, line, recoverable):
        if self.play.inside and self.mild:
            return False  # a look that sees some chips only
        self.field.bus.stuck = line
        self.field.bus.recoverable = bool(recoverable)
        self.field.stuck = True
        return True

    def unstuck(self):
        self.field.bus.stuck = None
        self.field.stuck = False
        return True

    def clock(self, node, delta_s):
        board = self.boards[node]
        board.set_clock(max(0, board.clock() + delta_s))
        return True

    def off(self, node):
        """The board's supply fails; the next wake brings it back."""
        board = self.boards[node]
        owned = [place for place in self.places if place.owner is board]
        if not board.powered or (self.mild and owned and not self.may_fall(board)):
            return False
        board.power_off()
        return True

    # The end of all faults

    def mend(self):
        """Everything answers again, and the chips in their places are the cluster's."""
        self.unstuck()
        for board in self.boards:
            board.unreachable = set()
            board.disarm()
            if not board.powered:
                board.power_on()
        for place in self.places:
            place.plugged = True
            place.fault = place.tear = None
            place.write_protect = False
            self.slow(place.number, 5)
            self.back(place.number)
            if not self.format.is_ours(place.data, place.number):  # rotten all over: a new one
                self.set_back[place] = BLANK
                place.data[: self.format.end] = b"\xff" * self.format.end
