"""More steps than bench.board has, on MicroPython, and the making of its images, on CPython.

    micropython -m bench.steps SYSTEM ROLE NODES EEPROMS STEP

Steps: heap, trace, idle, replay. Stands on board.
"""
# pyright: reportAttributeAccessIssue=false
# mypy: disable-error-code="attr-defined"

import gc
import sys

from bench.board import ROLE_NODE, RamI2C, Setting, import_library, loaded
from bench.peers import blank, wake


def make_image(system, role, nodes, eeproms, path):
    """Bring a cluster into a steady state in which the node of that role is next, and save it."""
    setting = Setting(system, nodes, eeproms)
    for chip in setting.i2c.chips:
        chip[:] = bytes([blank(system)]) * len(chip)
    for _ in range(12):
        for node in range(nodes):
            wake(setting.peer(node), setting.still)
    for node in range(ROLE_NODE[role]):
        wake(setting.peer(node), setting.still)
    with open(path, "wb") as file:
        for part in setting.parts():
            file.write(part)


def heap(setting, node, trace_path):
    """Bytes: reachable after the import; allocated by the first wake, by later ones on the same
    object, by one more on a new object."""
    before = used()
    import_library(setting.system)
    imported = used() - before
    peer = None
    found = []
    for i in range(5):
        before = used()
        gc.disable()
        if i in (0, 4):
            peer = setting.peer(node)
        wake(peer, setting.still)
        found.append(gc.mem_alloc() - before)
        gc.enable()
        for other in range(setting.nodes):
            if other != node:
                wake(setting.peer(other), setting.still)
    return imported, found[0], max(found[1:4]), found[4]


def used():
    """Bytes that are reachable."""
    gc.collect()
    return gc.mem_alloc()


class Tracing(RamI2C):
    """Notes each transfer: (is it a write, address, memory address, bytes)."""

    def __init__(self, chips):
        self.chips = chips
        self.transfers = []

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self.transfers.append((False, addr, memaddr, len(buf)))
        RamI2C.readfrom_mem_into(self, addr, memaddr, buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.transfers.append((True, addr, memaddr, len(buf)))
        RamI2C.writeto_mem(self, addr, memaddr, buf)


def trace(setting, node, trace_path):
    """The transfers of the step `look`."""
    setting.i2c = Tracing(setting.i2c.chips)
    setting.peer(node).health_check()
    return setting.i2c.transfers


def idle(setting, node, trace_path):
    """All that `replay` does but for the transfers."""
    return replay(setting, node, trace_path, False)


def replay(setting, node, trace_path, really=True):
    """The transfers of the step `look`, without the library: what they cost is the simulator's.

    Returns the bytes that they allocated.
    """
    i2c = setting.i2c
    with open(trace_path) as file:
        transfers = eval(file.read())
    buf = memoryview(bytearray(256))
    views = [buf[: transfer[3]] for transfer in transfers]
    before = gc.mem_alloc()  # no collection: what it costs depends on what is on the stack
    for i in range(len(transfers) if really else 0):
        is_write, addr, memaddr, _ = transfers[i]
        if is_write:
            i2c.writeto_mem(addr, memaddr, views[i], addrsize=16)
        else:
            i2c.readfrom_mem_into(addr, memaddr, views[i], addrsize=16)
    return gc.mem_alloc() - before


STEPS = {"heap": heap, "trace": trace, "idle": idle, "replay": replay}


def main(system, role, nodes, eeproms, step):
    setting, name = loaded(system, role, nodes, eeproms)
    print(STEPS[step](setting, ROLE_NODE[role], "trace" + name))


if __name__ == "__main__":
    main(*sys.argv[1:])
