"""On each board of the walkthrough: what stands in the README up to `join`, with machine.I2C."""

import gc
import sys
import time

from machine import I2C, Pin, freq

gc.collect()
before = gc.mem_alloc()
since = time.ticks_us()
from eecluster import Cluster  # noqa: E402

import_us = time.ticks_diff(time.ticks_us(), since)
gc.collect()
print(sys.version)
print(freq() // 1_000_000)
print(import_us / 1000)
print(gc.mem_alloc() - before)
print(gc.mem_free())

i2c = I2C(0, scl=Pin(5), sda=Pin(4), freq=400_000)


def join(node_id):
    return Cluster(i2c, (0x50, 0x51), node_id, readmit=None)
