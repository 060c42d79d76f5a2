"""On a board that is alone on the wire: take a lock with so much on the heap."""

import gc
import time

from machine import Pin

from eecluster import BusArbitration, BusyLine

locks = {"BusyLine": BusyLine(Pin(18)), "BusArbitration": BusArbitration(Pin(22), Pin(21))}


def measure(name, objects):
    lock = locks[name]
    live = [(i, 20 + i * 0.1) for i in range(objects)]
    gc.collect()
    time.sleep_ms(100)  # since the last turn: so it waits no longer than others
    since = time.ticks_us()
    had = lock.acquire(0, 3000)
    us = time.ticks_diff(time.ticks_us(), since)
    if had:
        lock.release()
    print(had, us, getattr(lock, "late", "?"), len(live))
