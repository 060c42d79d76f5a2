"""Is a fault within the promises? Says so before it happens.

Rule: in a mild history a fault that would leave what I2 promises is not carried out ("skipped"). So
what is left of a history when events are taken out of it is within the promises as well, and a
breach is always a real one.

What I2 allows, in terms of chips. A chip is *set back* from the moment it lost its content, or got
an older one, until a record of the cluster has been written to it.

* Majority of n EEPROMs, quorum q: chips that are set back are at most n - q, blank ones that were
  never written included; while some of them hold an old content (they count in a look, and do not
  know), they and those that a board does not reach are at most n - q together. If none is, any
  board may reach any chips. Chips are not exchanged while a board is in the middle of a wake: a
  call writes to what its look found.
* Available: all boards reach the same chips, and one that holds the highest confirmed token, or a
  higher one, answers.
"""

OLD, BLANK = "old", "blank"


class FaultLimits:
    """What is wrong with the chips now, and whether more may be."""

    def __init__(self, simulation):
        self.simulation = simulation
        self.world = simulation.world
        self.places = simulation.world.places
        self.boards = simulation.world.boards
        self.format = simulation.oracle.format
        self.mild = simulation.history.setup["mild"]
        self.majority = simulation.history.setup["quorum"] == "majority"
        self.spare = len(self.places) - self.format.quorum  # chips that may be wrong
        self.set_back = {}  # place -> OLD or BLANK
        self.virgin = set() if simulation.history.setup["warm"] else set(self.places)

    def written(self, place):
        """A valid record was written to this chip."""
        self.set_back.pop(place, None)
        self.virgin.discard(place)

    def answers(self, place, board=None):
        """Does this chip answer as one of ours (to this board)? One whose supply is about to fail
        with its board's does not.
        """
        if place.alien or place.fault or not (place.plugged and place.powered):
            return False
        if place.owner is not None and place.owner.doomed:
            return False
        return board is None or place.address not in board.unreachable

    def allowed(self, chips=False):
        """Is the state as it is now within the promises? `chips`: one was exchanged just now."""
        if not self.mild:
            return True
        busy = self.simulation.inside
        if not self.majority:
            if busy or any([board.unreachable for board in self.boards]):
                return False
            top = self.simulation.oracle.highest
            return any(
                [
                    self.answers(place) and self.format.top(place.data, place.number) >= top
                    for place in self.places
                ]
            )
        lost = set(self.set_back)
        if chips and (busy or len(lost | self.virgin) > self.spare):
            return False
        if OLD in self.set_back.values():
            if busy:
                return False
            for board in self.boards:
                away = {place for place in self.places if not self.answers(place, board)}
                if len(lost | away) > self.spare:
                    return False
        return True

    def reachable(self, change, undo):
        """Carry out what takes chips away from boards, unless that is too much."""
        change()
        if self.allowed():
            return True
        undo()
        return False

    def exchange(self, place, how, change):
        """Change the content of a chip, unless that is too much. OLD or BLANK: what it is then."""
        if self.simulation.inside:
            return False
        image, was = bytes(place.data), self.set_back.get(place)
        change(place.data)
        self.set_back[place] = how
        if self.allowed(True):
            place.busy_until_ns = 0
            return True
        place.data[:] = image
        self.set_back.pop(place)
        if was:
            self.set_back[place] = was
        return False

    # Faults tied to a wake

    def may_fall(self, board):
        """May the supply of this board fail, with its chip's?"""
        if not self.mild:
            return True
        for place in self.places:
            if place.owner is not board:
                continue
            if not self.majority:
                # the highest token, confirmed or not, must stand on another chip too: this board
                # may confirm it in this very wake
                tops = [self.format.top(p.data, p.number) for p in self.places if self.answers(p)]
                others = [
                    self.format.top(p.data, p.number)
                    for p in self.places
                    if p is not place and self.answers(p)
                ]
                if (
                    self.simulation.inside
                    or self.simulation.together
                    or not others
                    or max(others) < max(tops)
                ):
                    return False
            powered, place.powered = place.powered, False
            fine = self.allowed()
            place.powered = powered
            if not fine:
                return False
        return True

    def may_fail(self, n, every):
        """May so many transactions of a wake fail? Up to four in a row no chip is lost by it."""
        if not self.mild or n <= 4 or every > 1:
            return True
        return self.majority and not self.set_back
