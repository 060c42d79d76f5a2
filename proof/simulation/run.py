"""Plays a history: shipped `Cluster` objects on simulated boards, the oracle beside them.

`run` raises `Breach` at the first promise that is broken. Here are the events that are more than a
fault: boards together, boards that hang. Stands on wakes, other_boards and calm_time.
"""

from eecluster_sim.scheduler import Scheduler
from proof.judges.fault_limits import BLANK
from proof.simulation import calm_time, other_boards
from proof.simulation.events import NS
from proof.simulation.wakes import Wakes

DEPTH = 3  # boards that hang within each other's pauses


class Simulation(Wakes):
    """One run of a history."""

    def __init__(self, history, log=None):
        super().__init__(history, log)
        self.world.pause_at = self.pause
        self.at = 0  # the event that is next
        self.depth = 0

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
            self.world.now_ns = max(self.world.now_ns, at_s * NS)
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

    # Events

    def do_wake(self, node, *options):
        self.wake(node, options)

    def do_twin(self, node):
        other_boards.twin(self, node)

    def do_calm(self, seed, rounds, gone):
        calm_time.calm(self, seed, rounds, gone)

    def do_misfit(self, node, what):
        other_boards.misfit(self, node, what)

    def do_replace(self, node):
        other_boards.replace(self, node)

    def do_together(self, seed, order, *wakes):
        """Several boards at once, transaction by transaction."""
        world = self.world
        free = [(node, options) for node, *options in wakes if self.boards[node] not in self.busy]
        if world.scheduler is not None or len(free) < 2:
            for node, options in free:
                self.wake(node, options)
            return
        self.count("together " + order)
        with Scheduler(world, seed, order) as scheduler:
            self.together = True
            for node, options in free:
                scheduler.spawn(self.boards[node], self.wake, node, options, world.hung_ns)
            scheduler.run()
            self.together = False

    def do_loop(self, node, count, gap_s):
        self.count("loop")
        for _ in range(count):
            self.wake(node, [])
            self.world.advance_s(gap_s)

    def do_router(self, works):
        self.router = bool(works)

    def do_hush(self, seconds):
        """Whoever led last does not wake for so long."""
        node = 7 - (self.oracle.highest & 7)
        if self.oracle.highest:
            self.hushed[node] = self.world.now_ns + seconds * NS
            self.note(f"node {node} does not wake for {seconds} s")
            self.count("the primary stays away")

    def do_flaps(self, node):
        """A board whose supply comes and goes is back."""
        self.count("flapping")
        self.wake(node, [])

    # A board that stops

    def pause(self, board, seconds):
        """While this board hangs, the others live on."""
        self.count("hang long" if seconds > 30 else "hang short")
        self.note(f"{board} hangs for {seconds} s")
        end_ns = self.world.now_ns + int(seconds * NS)
        if self.depth < DEPTH and not self.calm:
            self.depth += 1
            special, board.special = board.special, True
            self.until(end_ns)
            board.special = special
            self.depth -= 1
        self.world.now_ns = max(self.world.now_ns, end_ns)
        self.note(f"{board} goes on")

    # At the beginning

    def wrap(self, seqs):
        """Sequences near their end, before anything else has happened, and revisions near a power
        of two.
        """
        self.count("sequence wrap")
        form = self.oracle.format
        for place in self.places:
            for node, seq in enumerate(seqs):
                for copy in (0, 1):
                    found = form.slot(place.data, place.number, node, copy)
                    if found:
                        revision = found["revision"] + 0xFFFF - 20
                        form.patch(place.data, place.number, node, copy, seq=seq, revision=revision)
