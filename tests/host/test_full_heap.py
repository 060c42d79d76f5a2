"""A board whose heap is full inside a hold of the lock: MicroPython, with so little memory that it
is.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.executable).parent / "micropython"
PROGRAM = """
import gc
import sys

sys.path.insert(0, "src")

from eecluster import BusyLine, Cluster

class Timer:
    now_us = 0

    def ticks_us(self):
        self.now_us += 5
        return self.now_us

    def sleep_us(self, us):
        self.now_us += us

    def ticks_ms(self):
        return self.now_us // 1000

    def ticks_diff(self, later, earlier):
        return later - earlier

class Pin:
    IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = range(5)
    low = False

    def init(self, mode=-1, pull=-1, value=None):
        Pin.low = mode == Pin.OUT and value == 0

    def __call__(self):
        return not Pin.low

class Bus:
    def readfrom_mem_into(self, *args, **options):
        raise OSError(19)

kept = None

def fill():
    global kept
    while True:
        kept = [kept]

def block():
    with cluster.bus():
        print("taken", Pin.low)
        fill()

def call():
    Bus.readfrom_mem_into = lambda *args, **options: fill()
    cluster.health_check()

timer = Timer()
cluster = Cluster(Bus(), (0x50,), 0, lock=BusyLine(Pin(), timer=timer), timer=timer)
for way in (block, block, call):
    try:
        way()
    except MemoryError:
        pulled = Pin.low
        kept = None
        gc.collect()
        print("full", pulled)
with cluster.bus():
    print("taken", Pin.low)
print("let go", not Pin.low)
"""


@pytest.mark.skipif(not MICROPYTHON.exists(), reason="no micropython (Linux on x86-64): make setup")
@pytest.mark.parametrize("heap_kb", [200, 203, 211])
def test_the_lock_is_let_go_although_there_is_no_memory(heap_kb):
    command = [MICROPYTHON, "-X", f"heapsize={heap_kb}k", "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "taken True", "full False", "taken True", "full False", "full False", "taken True",
        "let go True",
    ]  # fmt: skip
