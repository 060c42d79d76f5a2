"""Plays a history: shipped `Cluster` objects on simulated boards, the oracle beside them.

A history is data, so that parts can be taken out of it: a setup, and events in the order of their
true times. `run` raises `oracle.Breach` at the first promise that is broken. Events are
`[seconds, name, *arguments]`; beside those of `proof.faults.Faults` there are::

    wake      node, *options                one wake: look, duty, beat
    together  seed, order, [node, *options]...   several boards awake at once
    hush      seconds                       whoever led last does not wake for so long
    router    works                         0: from now on no duty succeeds
    flaps     node                          a wake of a board whose supply comes and goes
    loop      node, count, gap_s            a board that resets again and again
    twin      node                          another board with this number wakes
    misfit    node, what                    a board with another configuration wakes
    replace   node                          another board takes this number over (reset_node)
    calm      seed, rounds, [nodes]         faults end; all but these nodes wake; I5 must hold

Options of a wake: crash n moment tear · fail n errno every done · short n · hang n seconds · weak
chips (its writes to them arrive in part) · work seconds (between look and confirm) · stall seconds
(after confirm) · lock · undone · untold · reset node · stand_down. `n` counts bus transactions from
the wake on; with a last argument "claim", from the first write of a claim on. A board that hangs
does so while the events of that time happen.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from eecluster import Cluster
from eecluster_sim.rand import Random
from eecluster_sim.scheduler import Scheduler
from proof.faults import BLANK, Faults
from proof.field import FIRST, Field
from proof.oracle import Breach, Calm, Oracle

NS = 1_000_000_000
PERIOD_S = 900
AWAKE_S = 60  # I6: no wake is longer, the times that a history lets a board hang left out
TRANSACTIONS = 20_000  # I6: nor has it more of them
DEPTH = 3  # boards that hang within each other's pauses
ERRORS = (5, 19, 110, 116, 264)
MISFITS = ({"quorum": None}, {"cluster_id": 7}, {"nodes": None}, {"page_size": 128})

CALLS = {"reset": "reset_node", "stand_down": "stand_down"}


@dataclass
class History:
    """setup: nodes, eeproms, quorum, retries, readmit, interval, drifts (ppm), owned, warm, wrap,
    mild; events: see the module.
    """

    setup: dict[str, Any]
    events: list[list] = field(default_factory=list)

    def dumps(self):
        return json.dumps({"setup": self.setup, "events": self.events}, separators=(",", ":"))

    @staticmethod
    def loads(text):
        data = json.loads(text)
        return History(data["setup"], data["events"])


class StuckLock:
    """A lock that cannot be had, so it is ignored."""

    def acquire(self, node_id, timeout_ms):
        return False

    def release(self):
        raise AssertionError("released, but never had")


class Wake:
    """The options of one wake."""

    def __init__(self, options):
        self.done = self.told = True
        self.lock = None
        self.work_s = self.stall_s = 0
        self.crash = self.hang = self.fail = self.short = self.weak = None
        self.calls = []
        for name, *args in options:
            if name == "undone":
                self.done = False
            elif name == "untold":
                self.told = False
            elif name == "lock":
                self.lock = StuckLock()
            elif name in ("work", "stall"):
                setattr(self, name + "_s", args[0])
            elif name in CALLS:
                self.calls.append((name, args))
            else:
                setattr(self, name, args)


class Play:
    """One run. `counts`: how often each fault was carried out, and what else happened."""

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
        self.at = 0  # the event that is next
        self.end_s = 0
        self.oracle = Oracle(
            setup["nodes"], setup["eeproms"], setup["quorum"] == "majority", setup["mild"]
        )
        self.oracle.on_claim = self.claimed
        self.oracle.on_attempt = self.claiming
        self.oracle.on_write = self.wrote
        self.field = Field(
            1, self.oracle, setup["nodes"], setup["eeproms"], setup["drifts"], setup["owned"]
        )
        self.field.pause_at = self.pause
        self.boards = self.field.boards
        self.places = self.field.places
        self.faults = Faults(self)
        self.arguments = {
            "eeproms": [FIRST + place.number for place in self.places],
            "size": self.places[0].part.size,
            **{name: setup[name] for name in ("nodes", "quorum", "retries", "readmit", "interval")},
        }
        self.depth = 0
        self.together = False
        self.hushed = {}  # node -> until when it does not wake
        self.router = True  # without it no duty succeeds
        self.claims = {}  # board -> token claimed in this wake and not confirmed yet
        self.leading = {}  # node -> token of its last wake as primary

    # The run

    def run(self):
        """Play all events."""
        setup = self.setup
        self.count("start blank", not setup["warm"])
        self.count("drift at the limit", 50000 in map(abs, setup["drifts"]))
        if setup["warm"]:
            for _ in range(2):
                for node in range(setup["nodes"]):
                    self.wake(node, [])
            self.faults.virgin.clear()
        if setup["wrap"]:
            self.wrap(setup["wrap"])
        self.until(1 << 80)
        return self

    def until(self, end_ns):
        """Play the events up to this time."""
        events = self.history.events
        while self.at < len(events) and events[self.at][0] * NS <= end_ns:
            at_s, name, *args = events[self.at]
            self.at += 1
            self.field.now_ns = max(self.field.now_ns, at_s * NS)
            self.event(name, args)

    def event(self, name, args):
        method = getattr(self, "do_" + name, None)
        if method:
            method(*args)
            return
        done = getattr(self.faults, name)(*args)
        if self.log:
            self.note(f"{name} {args}{'' if done else ': skipped'}")
        if not done:
            self.count("skipped")
            return
        kind = name
        if name == "flip":
            kind = "rot both" if len(args[2]) > 1 else "rot"
        elif name == "clock":
            kind = "clock forward" if args[1] > 0 else "clock back"
        elif name == "stuck":
            kind = "stuck " + args[0]
        elif name == "slow":
            kind = "slow chip"
        self.count(kind)
        if name == "unplug" and not any([place.plugged for place in self.places]):
            self.count("all lost")
        if name == "blank" and all([self.faults.set_back.get(p) == BLANK for p in self.places]):
            self.count("all blank")
        if name == "reach" and len({frozenset(board.unreachable) for board in self.boards}) == 2:
            self.count("cut")

    def count(self, kind, n=1):
        self.counts[kind] = self.counts.get(kind, 0) + int(n)

    def note(self, text):
        if self.log:
            self.log(f"{self.field.now_ns / NS:14.3f} {text}")

    # Wakes

    def do_wake(self, node, *options):
        self.wake(node, options)

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
        try:
            board.wake(self.program, board, wake, result)
        finally:
            self.busy.discard(board)
            self.inside.discard(board)
            board.special = False
            board.hang = None
            board.at_claim = []
            board.weak = ()
            board.disarm()
        self.judge(board, wake, self.field.hung_ns - hung_ns)
        if self.calm:
            self.calm.woke(board, *result)
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
            self.count(name, wake.lock is not None if name == "lock" else not wake.done)
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
            cluster = self.cluster(board, wake.lock)
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

    # What else boards do

    def do_together(self, seed, order, *wakes):
        """Several boards at once, transaction by transaction."""
        field = self.field
        free = [(node, options) for node, *options in wakes if self.boards[node] not in self.busy]
        if field.scheduler is not None or len(free) < 2:
            for node, options in free:
                self.wake(node, options)
            return
        self.count("together " + order)
        with Scheduler(field, seed, order) as scheduler:
            self.together = True
            for node, options in free:
                scheduler.spawn(self.boards[node], self.wake, node, options, field.hung_ns)
            scheduler.run()
            self.together = False

    def do_loop(self, node, count, gap_s):
        self.count("loop")
        for _ in range(count):
            self.wake(node, [])
            self.field.advance_s(gap_s)

    def do_router(self, works):
        self.router = bool(works)

    def do_hush(self, seconds):
        """Whoever led last does not wake for so long."""
        node = 7 - (self.oracle.highest & 7)
        if self.oracle.highest:
            self.hushed[node] = self.field.now_ns + seconds * NS
            self.note(f"node {node} does not wake for {seconds} s")
            self.count("the primary stays away")

    def do_flaps(self, node):
        """A board whose supply comes and goes is back."""
        self.count("flapping")
        self.wake(node, [])

    def do_twin(self, node):
        """Another board with this number. It must find the records of the right one."""
        board = self.boards[node]
        quorum = self.oracle.format.quorum
        records = [
            self.oracle.format.newest(place.data, place.number, node)
            for place in self.places
            if self.faults.answers(place, board)
        ]
        asked = any(
            [(self.newest_spare(other) >> node) & 1 for other in range(self.setup["nodes"])]
        )
        if self.busy or asked or len(records) < quorum or not all(records):
            self.count("skipped")
            return
        self.count("twin")
        self.stranger(board, b"twin!!", {})

    def newest_spare(self, node):
        record = self.oracle.newest(self.places, node)
        return record["spare"] if record else 0

    def do_misfit(self, node, what):
        """A board with another configuration. It finds labels that say so on all chips."""
        change: dict[str, Any] = dict(MISFITS[what])
        if "nodes" in change:
            change["nodes"] = self.setup["nodes"] % 8 + 1
            node = min(node, change["nodes"] - 1)
        if "quorum" in change:
            other = "available" if self.setup["quorum"] == "majority" else "majority"
            change["quorum"] = other
        same = "quorum" in change and len(self.places) == 1
        for place in self.places:
            good = self.oracle.format.label_is_good(place.data, place.number)
            same = same or (self.faults.answers(place) and not good)
        if self.busy or same:
            self.count("skipped")
            return
        self.count("misfit")
        self.stranger(self.boards[node], None, change)

    def stranger(self, board, uid, changes):
        """A wake of a board that is not of this cluster: it must not write, nor lead."""
        self.oracle.mute.add(board)
        mine, board.uid = board.uid, uid or board.uid
        errors = []

        def program():
            try:
                errors.append(self.cluster(board, **changes).health_check().role)
            except OSError as error:
                errors.append(repr(error))

        try:
            board.wake(program)
        finally:
            board.uid = mine
            self.oracle.mute.discard(board)
        self.note(f"a stranger with number {board.node}: {errors}")
        if errors == ["primary"]:
            raise Breach("I1", f"a stranger with number {board.node} is primary")

    def do_replace(self, node):
        """Another board comes for good: reset_node() on it, as the documentation says."""
        board = self.boards[node]
        if board in self.busy:
            return
        uid, board.uid = board.uid, b"new" + self.wakes.to_bytes(4, "big")
        done = []

        def program():
            try:
                self.cluster(board).reset_node()
                done.append(True)
            except OSError as error:
                self.note(f"{board}: {error!r}")

        self.busy.add(board)
        board.wake(program)
        self.busy.discard(board)
        if done:
            self.count("replace")
        else:
            board.uid = uid
        self.note(f"{board} replaced: {done}")

    # Time without faults

    def do_calm(self, seed, rounds, gone):
        """All faults end. The promise of a primary must hold now."""
        if self.busy:
            return
        setup = self.setup
        self.router = True
        self.faults.mend()
        self.note(f"calm, gone: {gone}")
        if not setup["mild"]:
            self.oracle.highest = 0
            self.oracle.accepted = 0
            self.oracle.sender = None
        for node in range(setup["nodes"]):
            self.answer_duplicate(node)
        random = Random(seed)
        alive = [node for node in range(setup["nodes"]) if node not in gone]
        members = self.oracle.members(self.places) & set(alive)
        bound = setup["retries"] + 2 + (setup["interval"] is not None)
        if not members:
            bound += (setup["readmit"] or 1) + 1
            self.count("no member left")
        now_s = self.field.now_ns / NS
        due = {node: now_s + 1 + random.below(PERIOD_S) for node in alive}
        self.calm = Calm(alive, bound, setup["readmit"], setup["interval"] is not None)
        revive = set() if members or setup["readmit"] else set(alive)
        for _ in range((bound + rounds) * len(alive)):
            node = min(due, key=lambda node: due[node])
            self.field.now_ns = max(self.field.now_ns, int(due[node] * NS))
            self.wake(node, [["reset", node]] if node in revive else [])
            revive.discard(node)
            jitter_s = random.below(PERIOD_S // 10) - PERIOD_S // 20
            due[node] += PERIOD_S * (1 + setup["drifts"][node] / 1e6) + jitter_s
        if self.calm.leader is None:
            raise AssertionError("the time without faults was too short to tell")
        self.calm = None
        self.count("calm")

    def answer_duplicate(self, node):
        """All chips that knew of a replaced board may have been lost. The library says so at each
        wake (DuplicateNodeError), and what to do: reset_node() once more.
        """
        record = self.oracle.newest(self.places, node)
        if record and record["uid"] not in (0, crc32(self.boards[node].uid)):
            self.do_replace(node)

    # A board that stops

    def pause(self, board, seconds):
        """While this board hangs, the others live on."""
        self.count("hang long" if seconds > 30 else "hang short")
        self.note(f"{board} hangs for {seconds} s")
        end_ns = self.field.now_ns + int(seconds * NS)
        if self.depth < DEPTH and not self.calm:
            self.depth += 1
            special, board.special = board.special, True
            self.until(end_ns)
            board.special = special
            self.depth -= 1
        self.field.now_ns = max(self.field.now_ns, end_ns)
        self.note(f"{board} goes on")

    # At the beginning

    def wrap(self, seqs):
        """Sequences near their end, before anything else has happened."""
        self.count("sequence wrap")
        form = self.oracle.format
        for place in self.places:
            for node, seq in enumerate(seqs):
                for copy in (0, 1):
                    if form.slot(place.data, place.number, node, copy):
                        form.patch(place.data, place.number, node, copy, seq=seq)
