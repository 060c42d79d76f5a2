"""Every fault of the long runs that is not tied to a wake: what it does.

What is carried out is up to `fault_limits`. Stands on it and on quick_world.
"""

from proof.judges.fault_limits import BLANK, OLD, FaultLimits
from proof.simulation.quick_world import FIRST


class Faults(FaultLimits):
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

        place = self.places[k]  # a blank chip has no number but its place's
        return self.at_home(place) and self.exchange(place, BLANK, change)

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
        """Bit rot in the label. Where the chip belongs it says nothing that is not known, so
        nothing is set back by it.
        """
        place = self.places[k]
        ours = self.at_home(place) and self.format.top(place.data, k) >= 0
        if ours and not self.simulation.inside:
            place.data[self.format.base + at] ^= 1 << bit
        return ours and not self.simulation.inside

    def foreign(self, k):
        """Somebody plugs another chip into this place."""
        return self._another(k, b"\x42" * self.format.end)

    def clone(self, k, other):
        """A chip with the content of another one, whose place this is not."""
        place = self.places[other]
        good = other != k and not place.alien and self.format.label_is_good(place.data, other)
        good = good and self.places[k].address != FIRST + other
        return good and self._another(k, bytes(place.data[: self.format.end]))

    def swap(self, k, other):
        """Two chips change their places. Each is a whole replica: its number goes with it, and so
        does everything that is known of it here, but for its address and its supply.
        """
        one, two = self.places[k], self.places[other]
        for place in (one, two):
            if place.alien or not self.format.label_is_good(place.data, place.number):
                return False
        if k == other or self.simulation.inside:
            return False
        return self.reachable(lambda: self._move(one, two), lambda: self._move(two, one))

    def at_home(self, place):
        """Is in this chip's place what belongs there?"""
        return not place.alien and place.address == FIRST + place.number

    def _move(self, one, two):
        self.world.bus.swap(one, two)
        one.owner, two.owner = two.owner, one.owner
        one.powered, two.powered = two.powered, one.powered

    def _another(self, k, content):
        place = self.places[k]
        if place.alien or self.simulation.inside:
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
        place.drawer = None
        place.alien = False
        place.busy_until_ns = 0

    def back(self, k):
        """The chip that belongs to this place is back; after a swap both are."""
        place = self.places[k]
        if self.simulation.inside:
            return False
        if place.alien:
            self._return(place)
            return True
        there = self.world.bus.by_address[FIRST + k]
        return there is not place and self.reachable(
            lambda: self._move(place, there), lambda: self._move(there, place)
        )

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
        if self.simulation.inside and self.mild:
            return False  # a look that sees some chips only
        self.world.bus.stuck = line
        self.world.bus.recoverable = bool(recoverable)
        self.world.stuck = True
        return True

    def unstuck(self):
        self.world.bus.stuck = None
        self.world.stuck = False
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
            if place.alien:
                self._return(place)
            if place.address != FIRST + place.number:
                self._move(place, self.world.bus.by_address[FIRST + place.number])
            if not self.format.is_ours(place.data, place.number):  # rotten all over: a new one
                self.set_back[place] = BLANK
                place.data[: self.format.end] = b"\xff" * self.format.end
