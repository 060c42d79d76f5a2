"""The public calls: arguments, the lock around everything, and what a node does under it. Stands on node."""

import time

from .config import Config, demand, whole
from .eeprom import Eeproms
from .lock import NoLock
from .node import Node
from .rules import beat, claim, readmit, stand_down

if not hasattr(time, "ticks_ms"):  # CPython
    from . import hosttime as default_timer
else:
    default_timer = time

LOCK_TIMEOUT_MS = 3000
LOOK_VALID_MS = 1000  # chips are not swapped faster than that


class Cluster:
    """Node ``node_id`` of a cluster over the EEPROMs at the addresses ``eeproms``.

    ``i2c``: an I2C object or a function that returns one, called under the lock. ``nodes``: how many there
    may be, 1..8 (default: as many as EEPROMs). ``retries``: looks without a beat that are forgiven.
    ``readmit``: counted looks with a new beat until a dead node is taken back, or None: by
    ``reset_node`` only. ``quorum``: ``"majority"`` (default from three EEPROMs on) or ``"available"``.
    ``interval``: seconds from wake to wake, or None: every look counts. ``cluster_id``: 32 bits. ``size``,
    ``page_size``, ``base``: of the chips, bytes. ``uid``: the board's unique id, to find two boards with one
    number. ``recover``: called under the lock when no EEPROM answers. ``clock``: seconds. ``timer``: has
    MicroPython's ``sleep_ms``, ``sleep_us``, ``ticks_ms``, ``ticks_us``, ``ticks_diff``.

    ``ValueError`` names a wrong argument; ``LayoutError``: the pages do not fit. Touches no bus.
    """

    def __init__(
        self, i2c, eeproms, node_id, *, lock=None, nodes=None, retries=1, readmit=3, quorum=None, interval=None,
        cluster_id=0, size=32768, page_size=64, base=0, uid=None, recover=None, clock=time.time, timer=default_timer,
    ):  # fmt: skip
        config = Config(
            eeproms, node_id, nodes, retries, readmit, quorum, interval, cluster_id, size, page_size, base, uid
        )  # fmt: skip
        made = hasattr(i2c, "readfrom_mem_into")
        demand(made or callable(i2c), "i2c", "an I2C object or a function that makes one", i2c)
        demand(lock is None or hasattr(lock, "acquire"), "lock", "None or a lock", lock)
        demand(recover is None or callable(recover), "recover", "None or a function", recover)
        demand(callable(clock), "clock", "a function", clock)
        demand(hasattr(timer, "ticks_us"), "timer", "what MicroPython's time has", timer)
        self._make_i2c = None if made else i2c
        self._lock = lock or NoLock()
        self._held = 0  # how many times this node holds the lock
        self._recover = recover
        eeproms = Eeproms(i2c if made else None, config.addresses, config.layout, timer, node_id)
        self._node = Node(config, eeproms, clock)

    def bus(self):
        """A context manager that holds the lock and gives the I2C object, for other devices on the bus."""
        return self

    def __enter__(self):
        node = self._node
        if not self._held:
            node.stuck = not self._lock.acquire(node.node, LOCK_TIMEOUT_MS)
        self._held += 1
        try:
            if node.eeproms.i2c is None:
                node.eeproms.i2c = self._make_i2c()
        except BaseException:
            self.__exit__()
            raise
        return node.eeproms.i2c

    def __exit__(self, *error):
        self._held -= 1
        if not self._held and not self._node.stuck:
            self._lock.release()

    def health_check(self):
        """Look at everybody, count strikes, take over if it is due. Returns a ``Status``.

        ``OSError``: no EEPROM answers. ``FormatError``, ``ConfigError``: what answers is not ours.
        ``DuplicateNodeError``: another board has this node id.
        """
        node = self._node
        with self:
            try:
                node.check()
            except OSError:
                if node.slots.view.answered or not self._recover:
                    raise
                self._recover()
                if self._make_i2c:
                    node.eeproms.i2c = self._make_i2c()
                node.check()
            return node.status()

    def confirm(self):
        """Is this node still the primary? Ask right before what cannot be taken back."""
        node = self._node
        if node.leading:
            with self:
                node.refresh()
        return node.leading

    def heartbeat(self, done=True):
        """Say that the duty is done (``done=False``: alive, but it failed). Returns a ``Status``.

        Writes nothing if isolated. After ``retries + 1`` failed duties in a row the primary stands down.
        """
        node = self._node
        with self:
            if node.slots.view is None or node.quorate():
                age_ms = node.eeproms.timer.ticks_diff(node.eeproms.timer.ticks_ms(), node.looked_ms)
                if node.leading or node.mine is None or age_ms > LOOK_VALID_MS:
                    node.refresh()
            if node.quorate():
                beat(node.mine, node.leading, done, node.config)
                node.leading = node.leading and not node.mine.released
                node.write()
            return node.status()

    def reset_node(self, node_id=None):
        """Take a dead node, or another board under its number, back; by default this one.

        The primary does it at once; another node's request waits in its record for the primary.
        ``ClusterError`` if isolated.
        """
        node = self._node
        bit = 1 << (node.node if node_id is None else whole("node_id", node_id, 0, node.config.nodes - 1))
        with self:
            node.ready(bit >> node.node & 1)
            if node.leading:
                readmit(node.mine, bit)
            node.mine.spare |= bit
            node.write()

    def stand_down(self):
        """Let another member be primary, without anybody being marked dead. ``ClusterError`` if isolated."""
        node = self._node
        with self:
            node.ready()
            if node.leading:
                stand_down(node.mine)
                node.leading = False
                node.write()

    def announced(self, events):
        """Record at once that these events of a ``Status`` were published, all of them in one call.

        ``ClusterError`` if isolated: they will be offered again.
        """
        from .events import announce

        node = self._node
        with self:
            node.ready()
            if events:
                announce(node.mine, events)
                if not node.status().events:  # the key of what is left stays the same
                    node.mine.n = node.mine.n + 1 & 0xFFFF
                node.write()

    def format(self, force=False, epoch=0):
        """Label blank EEPROMs; with ``force`` make blank ones of all, whatever they hold.

        ``epoch``: become primary with an epoch above this one (above what a consumer has already seen).
        ``FormatError`` or ``ConfigError`` for an EEPROM that is not ours, before anything is written.
        """
        from .care import format_all

        whole("epoch", epoch, 0, 1 << 28)
        node = self._node
        with self:
            node.mine = None
            node.leading = False
            format_all(node.slots, force)
            if epoch:
                node.ready(True)
                claim(node.mine, node.slots.view, node.config, epoch)
                node.write()
