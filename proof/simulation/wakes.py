"""One wake of a board, as a program on it would run it.

Rule: what boards say, and what their writes say, goes to the oracle at once. Stands on arming,
coverage, faults, quick_world, oracle and the library.
"""

from eecluster import Cluster
from eecluster_sim.parts import find_part
from proof.breach import Breach
from proof.judges.oracle import Oracle
from proof.judges.rulebook import Rulebook
from proof.simulation.arming import arm, begin_claim, disarm
from proof.simulation.coverage import Coverage
from proof.simulation.events import CALLS, NS, Wake
from proof.simulation.faults import Faults
from proof.simulation.quick_world import FIRST, QuickWorld

AWAKE_S = 60  # I6: no wake is longer, the times that a history lets a board hang left out
TRANSACTIONS = 20_000  # I6: nor has it more of them


class StuckLock:
    """A lock that cannot be had, so it is ignored."""

    def acquire(self, node_id, timeout_ms):
        return False

    def release(self):
        raise AssertionError("released, but never had")


class Wakes:
    """A cluster, and its boards' wakes. `counts`: see coverage."""

    def __init__(self, history, log=None):
        self.history = history
        self.log = log
        setup = history.setup
        self.setup = setup
        self.coverage = Coverage(self)
        self.counts = self.coverage.counts
        self.wakes = 0
        self.busy = set()  # boards in the middle of a wake
        self.inside = set()  # those in the middle of a call, or about to go on
        self.calm = None
        self.rules = Rulebook(setup["retries"], setup["readmit"], setup["interval"])
        self.oracle = Oracle(
            setup["nodes"],
            setup["eeproms"],
            setup["quorum"] == "majority",
            setup["mild"],
            find_part(setup["part"]).page,
        )
        self.oracle.on_claim = self.coverage.claimed
        self.oracle.on_attempt = lambda board: begin_claim(self, board)
        self.oracle.on_write = self.wrote
        self.world = QuickWorld(
            self.oracle,
            setup["nodes"],
            setup["eeproms"],
            setup["drifts"],
            setup["owned"],
            setup["part"],
        )
        self.boards = self.world.boards
        self.places = self.world.places
        self.faults = Faults(self)
        self.arguments = {
            "eeproms": [FIRST + place.number for place in self.places],
            "size": self.places[0].part.size,
            "page_size": self.places[0].part.page,
            **{name: setup[name] for name in ("nodes", "quorum", "retries", "readmit", "interval")},
        }
        self.together = False
        self.hushed = {}  # node -> until when it does not wake
        self.router = True  # without it no duty succeeds

    def count(self, kind, n=1):
        self.coverage.count(kind, n)

    def note(self, text):
        if self.log:
            self.log(f"{self.world.now_ns / NS:14.3f} {text}")

    # Wakes

    def wake(self, node, options, hung_ns=None):
        """One wake of a board that is not awake already. (look, beat, messages sent).

        `hung_ns`: the world's, when those that run beside it began.
        """
        board = self.boards[node]
        if board in self.busy:
            self.count("awake already")
            return None
        if self.hushed.get(node, 0) > self.world.now_ns and not self.calm:
            return None
        wake = Wake(options)
        wake.done = wake.done and self.router
        if not board.powered:
            board.power_on()
        arm(self, board, wake)
        self.busy.add(board)
        self.inside.add(board)
        self.coverage.claims.pop(board, None)
        if hung_ns is None:
            hung_ns = self.world.hung_ns
        board.stats.reset()
        self.wakes += 1
        result = [None, None, 0]
        before = self.oracle.newest(self.places, node) if self.calm else None
        try:
            board.wake(self.program, board, wake, result)
        finally:
            self.busy.discard(board)
            self.inside.discard(board)
            disarm(board)
        self.judge(board, self.world.hung_ns - hung_ns)
        self.coverage.woke(board, wake)
        if self.calm:
            self.calm.woke(board, *result)
            after = self.oracle.newest(self.places, node)
            rule = self.rules.complaint(node, before, after, asked=bool(wake.calls))
            if rule:
                raise Breach(rule[0], f"{rule[1]}: {board}")
        if self.setup["wrap"] and self.wakes < 40 * len(self.boards):
            self.coverage.wrapped(board)
        return result

    def cluster(self, board, lock=None, **changes):
        """What the program of a board makes at each wake."""
        arguments = {**self.arguments, **changes}
        return Cluster(
            board.make_i2c, node_id=board.node, lock=lock, uid=board.uid, recover=board.recover,
            clock=board.clock, timer=board.timer, **arguments,
        )  # fmt: skip

    def program(self, board, wake, result):
        """The program of a board. It gives up when the library raises, until its next wake."""
        oracle = self.oracle
        try:
            cluster = self.cluster(board, StuckLock() if wake.locked else None)
            board.floor = oracle.highest
            look = cluster.health_check()
            if self.log:
                self.note(f"look {look}")
            if look.is_primary:
                self.confirmed(board, look.token)
            elif look.role == "isolated":
                self.count("isolated")
            for name, args in wake.calls:
                self.note(f"{board} {name} {args}")
                getattr(cluster, CALLS[name])(*args)
                self.count(name)
            if wake.work_s:
                self.away(board, "work", wake.work_s)
            if look.is_primary:
                board.floor = oracle.highest
                if cluster.confirm():
                    self.confirmed(board, look.token)
                    if wake.stall_s:
                        self.away(board, "stall", wake.stall_s)
                    if wake.done:
                        oracle.published(board, look.token)
                        result[2] += 1
                    if look.events and wake.told:
                        cluster.announced(look.events)
                        oracle.announced(look.events)
            board.floor = oracle.highest
            beat = cluster.heartbeat(wake.done)
            if self.log:
                self.note(f"beat {beat}")
            if beat.is_primary:
                self.confirmed(board, beat.token)
            result[0], result[1] = look, beat
        except OSError as error:
            self.count("errors")
            self.note(f"{board}: {error!r}")

    def away(self, board, why, seconds):
        """The board is busy with something else, between two calls."""
        self.count(why)
        self.note(f"{board}: {why}")
        if seconds > 1:  # what the look found is good for a second: let chips be exchanged later
            self.inside.discard(board)
        self.world.hang(board, seconds)
        self.inside.add(board)
        board.pause(0)  # its supply may have failed meanwhile

    def confirmed(self, board, token):
        self.coverage.claims.pop(board, None)
        self.oracle.confirmed(board, token, board.floor)

    def wrote(self, board, place):
        """A valid record was written (called by the oracle)."""
        self.coverage.wrote(board, place)
        self.faults.written(place)

    def judge(self, board, hung_ns):
        """I6. `hung_ns`: so long a board hung meanwhile."""
        awake_s = (board.stats.awake_ns - hung_ns) / NS
        used = board.stats.transactions
        if awake_s > AWAKE_S or used > TRANSACTIONS:
            raise Breach("I6", f"{board} was awake for {awake_s:.1f} s, {used} transactions")
        self.coverage.worst("worst_transactions", used)
        self.coverage.worst("worst_ms", int(awake_s * 1000))
