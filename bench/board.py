"""What runs on MicroPython: one wake on chips in RAM, stopped after the step that is asked for.

    micropython -m bench.board SYSTEM ROLE NODES EEPROMS STEP

`image-SYSTEM-ROLE-NODES-EEPROMS` holds the cluster's bytes of each EEPROM, in a steady state in
which a node of that role is next. Steps, each with those before it:

    start     loads the image              look      knows its role
    import    imports the library          wake      the whole wake

bench.steps has more of them. Small, because it shares the heap with what is measured. The I2C
object allocates nothing that a real one would not; time stands still, so that nothing varies.
CPython makes the images with it.
"""

import sys

from bench.peers import FIRST_ADDRESS, make, wake

USED = 1088  # bytes from 0 on that a cluster uses
ROLE_NODE = {"primary": 0, "standby": 1}


class RamI2C:
    """The part of machine.I2C that is used, on a bytearray for each chip; no write time."""

    def __init__(self, chips):
        self.chips = chips

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        chip = self.chips[addr - FIRST_ADDRESS]
        for i in range(len(buf)):
            buf[i] = chip[memaddr + i]

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf)
        return buf

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        chip = self.chips[addr - FIRST_ADDRESS]
        for i in range(len(buf)):
            chip[memaddr + i] = buf[i]


class Still:
    """Timer and clock, which stand still, and a lock that nobody else wants."""

    def ticks_ms(self):
        return 0

    def ticks_diff(self, later, earlier):
        return 0

    def sleep_ms(self, ms):
        pass

    def acquire(self, node_id, timeout_ms):
        return True

    clock = ticks_us = release = ticks_ms
    sleep_us = sleep_ms


class Setting:
    """The chips, and all that is handed to a node."""

    def __init__(self, system, nodes, eeproms):
        self.system = system
        self.nodes = nodes
        self.i2c = RamI2C([bytearray(USED) for _ in range(eeproms)])
        self.seen = [bytearray(nodes) for _ in range(nodes)]
        self.still = Still()

    def parts(self):
        """All that is kept in the image."""
        return self.i2c.chips + self.seen

    def load(self, path):
        with open(path, "rb") as file:
            for part in self.parts():
                file.readinto(part)

    def peer(self, node):
        """Node `node` as after a wake."""
        still = self.still
        return make(
            self.system, node, self.nodes, len(self.i2c.chips), self.i2c, self.seen[node],
            still, still, still.clock, bytes((2, 0, 0, 0, 0, node)),
        )  # fmt: skip


def import_library(system):
    """What every wake pays for."""
    if system == "eecluster":
        import eecluster  # noqa: F401
    else:
        import bench.first_version  # noqa: F401


def loaded(system, role, nodes, eeproms):
    """A setting with its image, and the name of that role, size and system in files."""
    setting = Setting(system, int(nodes), int(eeproms))
    name = "-" + "-".join((system, role, nodes, eeproms))
    setting.load("image" + name)
    return setting, name


def main(system, role, nodes, eeproms, step):
    setting, _ = loaded(system, role, nodes, eeproms)
    if step != "start":
        import_library(system)
    if step in ("look", "wake"):
        peer = setting.peer(ROLE_NODE[role])
        status = wake(peer, setting.still) if step == "wake" else peer.health_check()
        if status.is_primary != (role == "primary"):
            raise ValueError(str(status))


if __name__ == "__main__":
    main(*sys.argv[1:])
