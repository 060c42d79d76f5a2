"""What happened in a simulation: how often each fault was carried out, and what else wakes were
examples of.

`ROWS` says for each row of the fault table which counters tell of it; a test checks that each fault
is made. Stands on fault_limits.
"""

from proof.judges.fault_limits import BLANK

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


class Coverage:
    """The counters of a simulation. `counts`: of those named worst_... the largest.

    claims    board -> token that it claimed in this wake and that is not confirmed yet
    leading   node -> token of its last wake as primary
    """

    def __init__(self, simulation):
        self.simulation = simulation
        self.counts: dict[str, int] = {}
        self.claims = {}
        self.leading = {}

    def count(self, kind, n=1):
        self.counts[kind] = self.counts.get(kind, 0) + int(n)

    def worst(self, kind, n):
        self.counts[kind] = max(self.counts.get(kind, 0), n)

    def woke(self, board, wake):
        """A wake is over: what has it been an example of?"""
        simulation = self.simulation
        if board.crashed and wake.crash:
            owned = any([place.owner is board for place in simulation.places])
            self.count("crash " + wake.crash[1])
            self.count(f"torn {wake.crash[2]}", owned)
            simulation.note(f"{board} has lost its supply")
        if board in self.claims:
            form = simulation.oracle.format
            tops = [form.top(place.data, place.number) for place in simulation.places]
            some = sum([top >= self.claims[board] for top in tops])
            self.count("claim on a minority", some < form.quorum)
            if board.crashed:
                self.count("claimer dies unconfirmed")
                self.count("claim on some chips, crash", some < len(tops))
        before = self.leading.get(board.node)
        if before and before < simulation.oracle.highest and not board.crashed:
            self.count("old primary back")
            del self.leading[board.node]

    def wrapped(self, board):
        """Has its sequence just begun anew, while an EEPROM was away?"""
        record = self.simulation.oracle.newest(self.simulation.places, board.node)
        away = any([not place.plugged for place in self.simulation.places])
        if away and record and record["seqs"][board.node] < 3:
            self.count("sequence wrap, chip away")

    def claimed(self, board, token):
        """A token nobody has written before (called by the oracle)."""
        simulation = self.simulation
        self.claims[board] = token
        self.leading[board.node] = token
        simulation.note(f"{board} claims {token}")
        self.count("claims")
        self.count("cold start together", token >> 3 == 1 and len(simulation.busy) > 1)
        nodes = range(simulation.setup["nodes"])
        records = [simulation.oracle.newest(simulation.places, node) for node in nodes]
        older = [record for record in records if record and record["token"] < token]
        if older:
            leader = max(older, key=lambda record: record["token"])
            self.count("a dead node claims", leader["dead"] >> board.node & 1)
        asked = [record["spare"] & records[board.node]["dead"] for record in older]
        self.count("death over an old request", any(asked))

    def wrote(self, board, place):
        """A valid record is on this chip now."""
        faults = self.simulation.faults
        empty = faults.set_back.get(place) == BLANK or place in faults.virgin
        rivals = [other for other in self.claims if other in self.simulation.busy]
        if empty and any([other is not board for other in rivals]):
            self.count("blank filled beside a claim")
