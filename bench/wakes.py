"""The bus in the simulator's virtual time: what a wake of a standby and of a primary costs.

All nodes wake in turn, every wake with a new object, until nothing is left to announce; then two
rounds are measured, because the copies of a slot take turns, and the wake with the longest bus time
counts. The processor's own time is not in it: the simulator's boards compute in no time.

bus_ms       for how long the lock is held, waiting for write cycles included
wire_ms      for how long bits are on the wires          wire_bytes   with all address bytes
page_writes  of the EEPROM with the most of them
"""

from bench.peers import FIRST_ADDRESS, blank, make, wake
from eecluster_sim import World

SIZES = ((2, 2), (8, 3), (8, 8))  # nodes, EEPROMs
ROLES = ("standby", "primary")
PART = "AT24C256B"  # 64-byte pages, 5 ms
FREQ = 400_000
INTERVAL_S = 100


class Stopwatch:
    """A lock that adds up for how long it was held, waiting for write cycles included."""

    def __init__(self, world):
        self.world = world
        self.held_ns = 0
        self.since_ns = 0

    def acquire(self, node_id, timeout_ms):
        self.since_ns = self.world.now_ns
        return True

    def release(self):
        self.held_ns += self.world.now_ns - self.since_ns


class Bench:
    """Boards and chips of one system."""

    def __init__(self, system, nodes, eeproms):
        self.system = system
        self.world = World(seed=1)
        self.boards = [self.world.add_board(node=i, freq=FREQ) for i in range(nodes)]
        self.chips = [self.world.add_eeprom(PART, FIRST_ADDRESS + k) for k in range(eeproms)]
        for chip in self.chips:
            chip.fill(blank(system))
        self.seen = [[0] * nodes for _ in range(nodes)]

    def wake(self, board):
        """One wake: its status and its figures."""
        self.world.advance_s(INTERVAL_S)
        board.stats.reset()
        written = [chip.page_writes for chip in self.chips]
        lock = Stopwatch(self.world)
        peer = make(
            self.system, board.node, len(self.boards), len(self.chips), board.make_i2c(),
            self.seen[board.node], lock, board.timer, board.clock, board.uid,
        )  # fmt: skip
        status = board.wake(wake, peer, board.timer)
        if status is None:
            raise RuntimeError(f"node {board.node} lost its supply")
        return status, {
            "bus_ms": lock.held_ns / 1e6,
            "wire_ms": board.stats.bus_ns / 1e6,
            "wire_bytes": board.stats.bytes,
            "page_writes": max(
                chip.page_writes - old for chip, old in zip(self.chips, written, strict=True)
            ),
        }

    def round(self):
        """One wake of every board: a list of (status, figures)."""
        return [self.wake(board) for board in self.boards]

    def settle(self):
        """Wake everybody until nobody has anything to announce and one is primary."""
        for _ in range(20):
            wakes = self.round()
            if _steady(wakes):
                return
        raise RuntimeError(f"{self.system} does not settle: {[status for status, _ in wakes]}")


def _steady(wakes):
    statuses = [status for status, _ in wakes]
    return sum(s.is_primary for s in statuses) == 1 and not any(s.events for s in statuses)


def measure(system, nodes, eeproms):
    """role -> name of the figure -> number, of the wake with the longest bus time in that role."""
    bench = Bench(system, nodes, eeproms)
    for _ in range(3):  # the first round may look steady before the last node has joined
        bench.settle()
    wakes = bench.round() + bench.round()
    if not _steady(wakes[:nodes]) or not _steady(wakes[nodes:]):
        raise RuntimeError(f"{system}: no steady state")
    found = {}
    for role in ROLES:
        mine = [figures for status, figures in wakes if status.is_primary == (role == "primary")]
        found[role] = max(mine, key=lambda figures: figures["bus_ms"])
    return found
