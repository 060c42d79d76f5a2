"""One wake of a board, as a program on it would run it, and what is to happen in it.

Rule: what boards say, and what their writes say, goes to the oracle at once; `counts` tells how
often each fault was carried out. Stands on story, faults, field, oracle and the library.
"""

from eecluster import Cluster
from eecluster_sim.parts import find_part
from proof.breach import Breach
from proof.faults import Faults
from proof.field import FIRST, Field
from proof.oracle import Oracle
from proof.promises import BLANK
from proof.rulebook import Rulebook
from proof.story import CALLS, NS, Wake

AWAKE_S = 60  # I6: no wake is longer, the times that a history lets a board hang left out
TRANSACTIONS = 20_000  # I6: nor has it more of them


class StuckLock:
    """A lock that cannot be had, so it is ignored."""

    def acquire(self, node_id, timeout_ms):
        return False

    def release(self):
        raise AssertionError("released, but never had")


class Wakes:
    """A cluster, and its boards' wakes. `counts`: faults carried out, and what else happened."""

    def __init__(self, history, log=None):
        self.history = history
        self.log = log
        setup = history.setup
        self.setup = setup
        self.counts: dict[str, int] = {}
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
        self.oracle.on_claim = self.claimed
        self.oracle.on_attempt = self.claiming
        self.oracle.on_write = self.wrote
        self.field = Field(
            self.oracle,
            setup["nodes"],
            setup["eeproms"],
            setup["drifts"],
            setup["owned"],
            setup["part"],
        )
        self.boards = self.field.boards
        self.places = self.field.places
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
        self.claims = {}  # board -> token claimed in this wake and not confirmed yet
        self.leading = {}  # node -> token of its last wake as primary

    def count(self, kind, n=1):
        self.counts[kind] = self.counts.get(kind, 0) + int(n)

    def note(self, text):
        if self.log:
            self.log(f"{self.field.now_ns / NS:14.3f} {text}")

    # Wakes

    def wake(self, node, options, hung_ns=None):
        """One wake of a board that is not awake already. (look, beat, messages sent).

        `hung_ns`: the field's, when those that run beside it began.
        """
        board = self.boards[node]
        if board in self.busy:
            self.count("awake already")
            return None
        if self.hushed.get(node, 0) > self.field.now_ns and not self.calm:
            return None
        wake = Wake(options)
        wake.done = wake.done and self.router
        if not board.powered:
            board.power_on()
        self.plan(board, wake)
        self.busy.add(board)
        self.inside.add(board)
        self.claims.pop(board, None)
        if hung_ns is None:
            hung_ns = self.field.hung_ns
        board.stats.reset()
        self.wakes += 1
        result = [None, None, 0]
        before = self.oracle.newest(self.places, node) if self.calm else None
        try:
            board.wake(self.program, board, wake, result)
        finally:
            self.busy.discard(board)
            self.inside.discard(board)
            board.special = False
            board.hang = None
            board.at_claim = []
            board.weak = ()
            board.doomed = False
            board.disarm()
        self.judge(board, wake, self.field.hung_ns - hung_ns)
        if self.calm:
            self.calm.woke(board, *result)
            after = self.oracle.newest(self.places, node)
            rule = self.rules.complaint(node, before, after, asked=bool(wake.calls))
            if rule:
                raise Breach(rule[0], f"{rule[1]}: {board}")
        if self.setup["wrap"] and self.wakes < 40 * len(self.boards):
            self.wrapped(board)
        return result

    def wrapped(self, board):
        """Has its sequence just begun anew, while an EEPROM was away?"""
        record = self.oracle.newest(self.places, board.node)
        away = any([not place.plugged for place in self.places])
        if away and record and record["seqs"][board.node] < 3:
            self.count("sequence wrap, chip away")

    def plan(self, board, wake):
        """Arm what is to happen in this wake, as far as it is within the promises."""
        said = []
        if wake.crash:
            n, moment, tear, *claim = wake.crash
            if self.faults.may_fall(board):
                board.doomed = True
                for place in self.places:
                    place.tear = tear
                if claim:
                    board.at_claim.append(("crash_at", (n, moment)))
                else:
                    board.crash_at = (n, moment)
                said.append(f"crash {wake.crash}")
            else:
                wake.crash = None
                self.count("skipped")
        if wake.fail:
            n, errno, every, done, *claim = wake.fail
            if self.faults.may_fail(n, every):
                if claim:
                    board.at_claim.append(("failing", (n, errno, every, bool(done))))
                else:
                    board.fail_next(n, errno, every, bool(done))
                self.count("fail")
                self.count("fail 264", errno == 264)
                self.count("fail done", bool(done))
                said.append(f"fail {wake.fail}")
            else:
                self.count("skipped")
        if wake.short:
            board.short_write = wake.short[0]
            self.count("short")
            said.append(f"short {wake.short}")
        if wake.hang:
            if wake.hang[2:]:
                board.at_claim.append(("hang", tuple(wake.hang[:2])))
            else:
                board.hang = tuple(wake.hang)
                board.special = True
            said.append(f"hang {wake.hang}")
        if wake.weak:
            board.weak = {self.places[k].address for k in wake.weak[0]}
            self.count("weak")
            said.append(f"weak {wake.weak[0]}")
        for name in ("lock", "undone"):
            self.count(name, wake.locked if name == "lock" else not wake.done)
        if self.log:
            self.note(f"{board} wakes {' '.join(said)}")

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
        self.field.hang(board, seconds)
        self.inside.add(board)
        board.pause(0)  # its supply may have failed meanwhile

    def confirmed(self, board, token):
        self.claims.pop(board, None)
        self.oracle.confirmed(board, token, board.floor)

    def judge(self, board, wake, hung_ns):
        """I6, and what this wake has been an example of. `hung_ns`: a board hung meanwhile."""
        awake_s = (board.stats.awake_ns - hung_ns) / NS
        used = board.stats.transactions
        if awake_s > AWAKE_S or used > TRANSACTIONS:
            raise Breach("I6", f"{board} was awake for {awake_s:.1f} s, {used} transactions")
        self.counts["worst_transactions"] = max(self.counts.get("worst_transactions", 0), used)
        self.counts["worst_ms"] = max(self.counts.get("worst_ms", 0), int(awake_s * 1000))
        if board.crashed and wake.crash:
            self.count("crash " + wake.crash[1])
            self.count(f"torn {wake.crash[2]}", any([p.owner is board for p in self.places]))
            self.note(f"{board} has lost its supply")
        if board in self.claims:
            token = self.claims[board]
            tops = [self.oracle.format.top(place.data, place.number) for place in self.places]
            some = sum([top >= token for top in tops])
            self.count("claim on a minority", some < self.oracle.format.quorum)
            if board.crashed:
                self.count("claimer dies unconfirmed")
                self.count("claim on some chips, crash", some < len(tops))
        before = self.leading.get(board.node)
        if before and before < self.oracle.highest and not board.crashed:
            self.count("old primary back")
            del self.leading[board.node]

    def claiming(self, board):
        """A board is writing a claim (called by the oracle): what waits for that begins now."""
        board.floor = self.oracle.highest  # what a claim reads after its write, it must see
        for name, value in board.at_claim:
            if name == "failing":
                board.fail_next(*value)
            elif name == "crash_at":
                board.crash_at = value
            else:
                board.hang = value
            board.special = True
        board.at_claim = []

    def claimed(self, board, token):
        """A token nobody has written before (called by the oracle)."""
        self.claims[board] = token
        self.leading[board.node] = token
        self.note(f"{board} claims {token}")
        self.count("claims")
        self.count("cold start together", token >> 3 == 1 and len(self.busy) > 1)
        records = [self.oracle.newest(self.places, node) for node in range(self.setup["nodes"])]
        older = [record for record in records if record and record["token"] < token]
        if older:
            leader = max(older, key=lambda record: record["token"])
            self.count("a dead node claims", leader["dead"] >> board.node & 1)
        asked = [record["spare"] & records[board.node]["dead"] for record in older]
        self.count("death over an old request", any(asked))

    def wrote(self, board, place):
        """A valid record was written (called by the oracle)."""
        empty = self.faults.set_back.get(place) == BLANK or place in self.faults.virgin
        if empty and any([other is not board for other in self.claims if other in self.busy]):
            self.count("blank filled beside a claim")
        self.faults.written(place)
