"""What runs on MicroPython: the heap of a lock.    micropython -m bench.lock_heap STRATEGY

Prints bytes: what importing the strategy adds to the library, its object, and what one acquire and
release allocate.
"""

# pyright: reportAttributeAccessIssue=false
# mypy: disable-error-code="attr-defined"

import gc
import sys

import eecluster


class Timer:
    """Passes 10 us in each look at it. Like the module `time`, it binds no methods."""

    now_us = 0

    @staticmethod
    def ticks_us():
        Timer.now_us += 10
        return Timer.now_us

    @staticmethod
    def ticks_diff(later, earlier):
        return later - earlier

    @staticmethod
    def sleep_us(us):
        Timer.now_us += us


class Pin:
    """The only one on its line: high unless it is driven low."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP = 2

    def __init__(self):
        self.mode = self.IN
        self.level = 0

    def init(self, mode, pull=0, value=1):
        self.mode = mode
        self.level = value

    def __call__(self, level=None):
        if level is None:
            return 1 if self.mode == 1 else self.level
        self.level = level


def used():
    """Bytes that are reachable."""
    gc.collect()
    return gc.mem_alloc()


def main(strategy):
    timer, pins = Timer, (Pin(), Pin())
    found = [used()]
    make = getattr(eecluster, strategy)
    found.append(used())
    lock = make(*pins[: 1 if strategy == "BusyLine" else 2], timer=timer)
    found.append(used())
    gc.disable()
    won = lock.acquire(5, 1000)
    lock.release()
    found.append(gc.mem_alloc())
    if not won:
        raise ValueError("not acquired")
    print([found[i + 1] - found[i] for i in range(3)])


if __name__ == "__main__":
    main(sys.argv[1])
