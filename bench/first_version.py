"""The yardstick: the first version of this system, as its builder described it.

In every EEPROM, without check sums or second copies::

    0 primary   1 retry   2 dead   3 spare      bitmaps, bit i = node i
    4 sequences (2 each, big-endian)            a node adds one when it has done its duty

Each field is written to each EEPROM with a `writeto_mem` of its own and 10 ms of waiting after it,
and is read on its own. What the description leaves open is done in the cheapest way: reads go to
the first EEPROM that answers, fields that did not change are not written, and what a node last saw
of the others (`seen`) is kept off the bus, in memory that outlives deep sleep.

Runs on CPython and on MicroPython. Not for use: it survives little of what eecluster does.
"""

PRIMARY = 0
RETRY = 1
DEAD = 2
SEQUENCES = 4
WAIT_MS = 10
LOCK_TIMEOUT_MS = 3000


class Status:
    """What the caller needs to know."""

    def __init__(self, is_primary):
        self.is_primary = is_primary
        self.events = ()


class FirstVersion:
    """Node `node_id` of `nodes`. `seen`: a list of the last seen sequences, one for each node."""

    def __init__(self, i2c, eeproms, node_id, *, nodes, seen, lock, timer):
        self.i2c = i2c
        self.eeproms = eeproms
        self.node = node_id
        self.nodes = nodes
        self.seen = seen
        self.lock = lock
        self.timer = timer
        self.primary = False

    def health_check(self):
        """Suspect or bury the silent, take over if the primary was one of them."""
        self.lock.acquire(self.node, LOCK_TIMEOUT_MS)
        try:
            before = [self.read(at, 1) for at in (PRIMARY, RETRY, DEAD)]
            primary, retry, dead = self.judge(*before)
            for at, new in enumerate((primary, retry, dead)):
                if new != before[at]:
                    self.write(at, new, 1)
            self.primary = primary & -primary == 1 << self.node  # several bits: the lowest node
            return Status(self.primary)
        finally:
            self.lock.release()

    def judge(self, primary, retry, dead):
        """The three bitmaps after looking at everybody's sequence."""
        for other in range(self.nodes):
            bit = 1 << other
            if other == self.node or dead & bit:
                continue
            sequence = self.read(SEQUENCES + 2 * other, 2)
            if sequence != self.seen[other]:
                self.seen[other] = sequence
                retry &= ~bit
            elif sequence == 0:
                pass  # never heard of
            elif retry & bit:
                retry &= ~bit
                dead |= bit
                primary &= ~bit
            else:
                retry |= bit
        return primary or 1 << self.node, retry, dead

    def confirm(self):
        """It had no such thing: a primary is one until its next look."""
        return self.primary

    def heartbeat(self):
        """The duty is done."""
        self.lock.acquire(self.node, LOCK_TIMEOUT_MS)
        try:
            at = SEQUENCES + 2 * self.node
            self.write(at, self.read(at, 2) + 1 & 0xFFFF, 2)
        finally:
            self.lock.release()

    def read(self, at, size):
        """One field, from the first EEPROM that answers."""
        for address in self.eeproms:
            try:
                data = self.i2c.readfrom_mem(address, at, size, addrsize=16)
                return int.from_bytes(data, "big")
            except OSError:
                pass
        raise OSError("no EEPROM answers")

    def write(self, at, value, size):
        """One field, to each EEPROM. The node of one that cannot be written is dead."""
        for k, address in enumerate(self.eeproms):
            try:
                self.i2c.writeto_mem(address, at, value.to_bytes(size, "big"), addrsize=16)
            except OSError:
                dead = self.read(DEAD, 1)
                if not dead >> k & 1:
                    self.write(DEAD, dead | 1 << k, 1)
            self.timer.sleep_ms(WAIT_MS)
