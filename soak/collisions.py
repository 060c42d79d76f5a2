"""What happens when two boards use the EEPROMs at the same time, with and without a lock?

Two boards of a steady cluster with two EEPROMs wake within 20 ms of each other, and each does what
it does in every wake: `health_check()`, `heartbeat()`; the primary confirms in between. Below them
are the wires, bit by bit, and boards within the limits of the locks, or far outside. Afterwards the
boards wake some times more, one after the other, to see whether the cluster gets over it.

Counted, besides what the names say:

    corrupt_bytes   bytes of the chips that are neither what they were nor what anybody was asked to
                    write there: before any check sum; foreign_bytes: those outside the cluster's
    busy_polls      transfers that a chip did not answer because it was writing: no failure
    takeovers       node 1 became primary: it could not read that node 0 is alive
    stale_confirms  a confirmation that began after one with a higher token had ended (promise I2)

    python -m soak.collisions DRIVER LOCK SEED      replays one
"""

import functools
import sys

from bench.locks import STRATEGIES

from eecluster import Cluster, NoLock
from eecluster_sim import Scheduler, World
from soak import jobs, locks

CODE = ("src/eecluster", *jobs.SIMULATOR, "soak/collisions.py")
WAKES = 10_000
APART_US = 20_000
QUIET_ROUNDS = 8  # `readmit` and some more
ADDRESSES = (0x50, 0x51)
USED = 5 * 64  # bytes of a chip that a cluster of two nodes uses: the label, two copies each
DRIVERS = {"SoftI2C": "softi2c", "ESP32 I2C": "esp32-idf55", "arbitrating I2C": "rp2040"}
LOCKS = {"no lock": lambda board: NoLock(), **STRATEGIES}
OUTSIDE = " outside its limits"  # after a lock's name: boards as in the last of locks.LIMITS


def cluster(board, lock):
    return Cluster(
        board.make_i2c, ADDRESSES, board.node, lock=lock, uid=board.uid, clock=board.clock,
        timer=board.timer,
    )  # fmt: skip


@functools.cache
def steady() -> tuple:
    """The chips' contents when both nodes are members and nothing is left to announce."""
    world = World()
    chips = [world.add_eeprom("AT24C256", address) for address in ADDRESSES]
    boards = [world.add_board(node) for node in (0, 1)]
    for _ in range(4):
        for board in boards:
            node = cluster(board, None)
            node.announced(node.health_check().events)
            node.heartbeat()
            world.advance_s(900)
    return tuple(bytes(chip.data) for chip in chips)


class Judge:
    """A lock around the lock: who is inside, and how long did they wait?"""

    def __init__(self, lock, board, inside, found):
        self.lock = lock
        self.board = board
        self.inside = inside
        self.found = found

    def acquire(self, node_id, timeout_ms):
        since_ns = self.board.cpu.settle()
        won = self.lock.acquire(node_id, timeout_ms)
        wait_ns = self.board.cpu.settle() - since_ns
        self.found["acquires"] += 1
        self.found["wait_ns"] += wait_ns
        self.found["worst_wait_ns"] = max(self.found["worst_wait_ns"], wait_ns)
        if won:
            self.found["doubles"] += bool(self.inside)
            self.inside.add(node_id)
        else:
            self.found["failures"] += 1
        return won

    def release(self):
        self.board.cpu.settle()
        self.inside.discard(self.board.node)
        self.lock.release()


class Watched:
    """An I2C object that tells which bytes it was given to write, and counts its errors."""

    def __init__(self, i2c, written, found):
        self.i2c = i2c
        self.written = written
        self.found = found

    def writeto_mem(self, addr, memaddr, buf, *, addrsize):
        for i, byte in enumerate(bytes(buf)):
            self.written.add((addr, memaddr + i, byte))
        self._count(self.i2c.writeto_mem, addr, memaddr, buf, addrsize)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize):
        self._count(self.i2c.readfrom_mem_into, addr, memaddr, buf, addrsize)

    def _count(self, call, addr, memaddr, buf, addrsize):
        self.found["transfers"] += 1
        chip = self.i2c.bus.by_address[addr]
        writing = self.i2c.board.cpu.now_ns() < chip.busy_until_ns
        try:
            call(addr, memaddr, buf, addrsize=addrsize)
        except OSError:
            self.found["busy_polls" if writing else "failed_transfers"] += 1
            raise


class Trial:
    """Two wakes at the same time. `found`: the figures."""

    def __init__(self, seed, driver, lock):
        self.world = World(seed, wires=True)
        self.make_lock = LOCKS[lock.replace(OUTSIDE, "")]
        limits = locks.LIMITS["all of these" if OUTSIDE in lock else "within"]
        self.chips = [self.world.add_eeprom("AT24C256", address) for address in ADDRESSES]
        for chip, image in zip(self.chips, steady(), strict=True):
            chip.load(image)
        for node in (0, 1):
            board = self.world.add_board(node, driver=DRIVERS[driver])
            limits.apply(board.cpu, self.world.random)
        self.inside: set[int] = set()
        self.written: set[tuple] = set()
        self.confirmed: list[tuple] = []  # (began_ns, ended_ns, token)
        self.found = dict.fromkeys(
            (
                "wakes", "acquires", "wait_ns", "worst_wait_ns", "doubles", "failures",
                "transfers", "busy_polls", "failed_transfers", "failed_calls", "corrupt_bytes",
                "foreign_bytes", "stuck_buses", "takeovers", "stale_confirms", "not_recovered",
            ),
            0,
        )  # fmt: skip

    def run(self):
        with Scheduler(self.world, self.world.seed) as scheduler:
            for board in self.world.boards:
                start_us = self.world.random.below(APART_US)
                scheduler.spawn(board, self.wake, board, start_us)
            scheduler.run()
        self.world.advance_s(1)
        self.world.lines.settle(self.world.now_ns)
        bus = self.world.bus
        self.found["stuck_buses"] = int(not (bus.scl.level and bus.sda.level))
        tokens = {token for _, _, token in self.confirmed}
        self.found["takeovers"] = int(any(token & 7 == 7 - 1 for token in tokens))
        self.found["stale_confirms"] = sum(
            one[1] < other[0] and one[2] > other[2]
            for one in self.confirmed
            for other in self.confirmed
        )
        self._compare()
        self.found["not_recovered"] = int(not recovers(self.chips))
        return self.found

    def wake(self, board, start_us):
        """What the board's program does."""
        found = self.found
        board.timer.sleep_us(start_us)
        lock = Judge(self.make_lock(board), board, self.inside, found)
        node = cluster(board, lock)
        make = board.make_i2c
        node._node.make = lambda: Watched(make(), self.written, found)
        found["wakes"] += 1
        for call in (node.health_check, node.confirm, node.heartbeat):
            began_ns = board.cpu.settle()
            try:
                if call() is True:
                    assert node._node.mine
                    token = node._node.mine.token
                    self.confirmed.append((began_ns, board.cpu.settle(), token))
            except OSError:
                found["failed_calls"] += 1

    def _compare(self):
        """Bytes that are neither what they were nor what anybody was asked to write there."""
        for chip, before in zip(self.chips, steady(), strict=True):
            for at, (old, new) in enumerate(zip(before, chip.data, strict=True)):
                if new != old and (chip.address, at, new) not in self.written:
                    self.found["corrupt_bytes"] += 1
                    self.found["foreign_bytes"] += at >= USED


def recovers(chips) -> bool:
    """Some quiet wakes of each board later: one primary, both members, both EEPROMs good?"""
    world = World()
    for chip in chips:
        world.add_eeprom("AT24C256", chip.address).load(chip.data)
    boards = [world.add_board(node) for node in (0, 1)]
    statuses = []
    for _ in range(QUIET_ROUNDS):
        statuses = []
        for board in boards:
            try:
                node = cluster(board, None)
                node.health_check()
                statuses.append(node.heartbeat())
            except OSError:
                pass  # it tries again
            world.advance_s(900)
    primaries = [status for status in statuses if status.is_primary]
    return (
        len(statuses) == 2
        and len(primaries) == 1
        and all(s.members == s.eeproms == (0, 1) for s in statuses)
    )


def one(seed, driver, lock):
    """The figures of two wakes."""
    return Trial(seed, driver, lock).run()


def make_jobs(wakes):
    """So many wakes for each driver and each lock, and SoftI2C with locks that fail."""
    code = jobs.fingerprint(*CODE)
    pairs = [(driver, lock) for lock in LOCKS for driver in DRIVERS]
    pairs += [("SoftI2C", lock + OUTSIDE) for lock in STRATEGIES]
    return [
        jobs.Job(f"{driver}, {lock}", one, (driver, lock), wakes // 2, code)
        for driver, lock in pairs
    ]


COLUMNS = {
    "corrupt bytes": "corrupt_bytes",
    "failed transfers": "failed_transfers",
    "failed calls": "failed_calls",
    "stuck buses": "stuck_buses",
    "two holders": "doubles",
    "takeovers": "takeovers",
    "stale confirms": "stale_confirms",
    "not recovered": "not_recovered",
}
HEADS = ("I2C", "lock", "wakes", *COLUMNS, "mean ms", "worst ms")


def row(driver, lock, found):
    """The figures of a job as text, under HEADS: counts per 10,000 wakes."""
    counts = [f"{found[name] * 10_000 / found['wakes']:,.0f}" for name in COLUMNS.values()]
    mean_ms = found["wait_ns"] / found["acquires"] / 1e6
    worst_ms = found["worst_wait_ns"] / 1e6
    waits = [f"{mean_ms:.0f}", f"{worst_ms:.0f}"] if worst_ms else ["", ""]
    return [driver, lock, f"{found['wakes']:,}", *counts, *waits]


def main(driver, lock, seed):
    for name, value in one(int(seed), driver, lock).items():
        print(f"{name:16} {value:,}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
