"""On each board of a contest: take the lock again and again, and use the bus under it."""

import gc
import time

from machine import Pin, SoftI2C, Timer

from eecluster import BusArbitration, BusyLine

CHIP = 0x50
BYTES = 32
TIMEOUT_MS = 3000
REST_US = 4000  # at most, between two turns

scl, sda = Pin(22), Pin(21)
has_it = Pin(15, Pin.OUT, value=0)  # high from acquire to release
pauses_us = [0, 0]  # how many, the longest


def collect(_):
    since = time.ticks_us()
    gc.collect()
    pauses_us[0] += 1
    pauses_us[1] = max(pauses_us[1], time.ticks_diff(time.ticks_us(), since))


def patiently(transfer):
    """The chip is deaf while it writes."""
    for _ in range(20):
        try:
            return transfer()
        except OSError:
            time.sleep_us(500)
    raise OSError("the EEPROM does not answer")


def use(i2c, node, number):
    """Write and read back: True if that is the same."""
    page = (8 + node) * 64
    data = bytearray((node * 37 + number + i * 5) & 0xFF for i in range(BYTES))
    data[0], data[1] = node, number
    patiently(lambda: i2c.writeto_mem(CHIP, page, data, addrsize=16))
    return patiently(lambda: i2c.readfrom_mem(CHIP, page, BYTES, addrsize=16)) == data


def contend(node, name, rounds, seed, collect_ms, objects):
    lock = BusyLine(Pin(18)) if name == "BusyLine" else BusArbitration(scl, sda)
    live = [(i, 20 + i * 0.1) for i in range(objects)]
    pauses_us[:] = 0, 0
    i2c = None
    had = gave_up = bad = longest = 0
    timer = Timer(period=collect_ms, mode=Timer.PERIODIC, callback=collect) if collect_ms else None
    for number in range(rounds):
        seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
        time.sleep_us((seed >> 8) % REST_US)
        since = time.ticks_us()
        if not lock.acquire(node, TIMEOUT_MS):
            gave_up += 1
            continue
        has_it(1)
        longest = max(longest, time.ticks_diff(time.ticks_us(), since))
        had += 1
        if i2c is None:
            i2c = SoftI2C(scl=scl, sda=sda, freq=400_000)
        bad += not use(i2c, node, number)
        has_it(0)
        lock.release()
    if timer:
        timer.deinit()
    print(had, gave_up, bad, longest, pauses_us[0], pauses_us[1], len(live))
