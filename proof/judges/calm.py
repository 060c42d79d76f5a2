"""I5: in a time without faults there is soon one primary, and it stays. Stands on rulebook."""

from proof.breach import Breach
from proof.judges.rulebook import longest_probation


class Calm:
    """A time without faults: `alive` wake regularly, the others never.

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
        if dead and self.readmit and self.since > longest_probation(self.readmit) + 5:
            raise Breach("I5", f"{sorted(dead)} beat, and are not taken back: {look}")
