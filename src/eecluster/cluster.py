"""The public calls: arguments, the lock around everything, and what a node does under it. Stands
on node.
"""

import time

from .config import Config, demand, whole
from .layout import LATE, STUCK
from .node import Node
from .rules import beat, release
from .slots import Slots
from .status import Status
from .ticks import timer

LOCK_TIMEOUT_MS = 3000
LOOK_VALID_MS = 1000  # chips are not swapped faster than that


class Cluster:
    """Node ``node_id`` of a cluster over the EEPROMs at the addresses ``eeproms``.

    ``i2c``: an I2C object or a function that returns one, called under the lock. ``nodes``: how
    many there may be, 1..8 (default: as many as EEPROMs). ``retries``: looks without a beat that
    are forgiven. ``readmit``: counted looks with a new beat until a dead node is taken back, or
    None: by ``reset_node`` only. ``quorum``: ``"majority"`` (default from three EEPROMs on) or
    ``"available"``. ``interval``: seconds from wake to wake, or None: every look counts.
    ``cluster_id``: 32 bits. ``size``, ``page_size``, ``base``: of the chips, bytes. ``uid``: the
    board's unique id, to find two boards with one number. ``recover``: called under the lock when
    no EEPROM answers. ``clock``: seconds. ``timer``: has MicroPython's ``sleep_ms``,
    ``sleep_us``, ``ticks_ms``, ``ticks_us``, ``ticks_diff``.

    ``ValueError`` names a wrong argument; ``LayoutError``: the pages do not fit. Touches no bus.
    """

    def __init__(
        self, i2c, eeproms, node_id, *, lock=None, nodes=None, retries=1, readmit=3, quorum=None,
        interval=None, cluster_id=0, size=32768, page_size=64, base=0, uid=None, recover=None,
        clock=time.time, timer=timer,
    ):  # fmt: skip
        config = Config(
            eeproms, node_id, nodes, retries, readmit, quorum, interval, cluster_id,
            size, page_size, base, uid,
        )  # fmt: skip
        made = hasattr(i2c, "readfrom_mem_into")
        demand(made or callable(i2c), "i2c", "I2C or a function", i2c)
        if lock is None:
            from .lock import NoLock

            lock = NoLock()
        demand(hasattr(lock, "acquire"), "lock", "a lock", lock)
        if getattr(lock, "seen_by_traffic", False):
            # 17 ms on an RP2040, with a collection too long for a holder to be silent
            from .care import format  # noqa: F401
            from .events import pending  # noqa: F401
            from .lead import lead  # noqa: F401
        demand(recover is None or callable(recover), "recover", "a function", recover)
        demand(callable(clock), "clock", "a function", clock)
        demand(hasattr(timer, "ticks_us"), "timer", "what time has", timer)
        slots = Slots(i2c if made else None, config.addresses, config.layout, timer, node_id)
        self._node = Node(config, slots, clock, lock, recover, None if made else i2c)

    def bus(self):
        """A context manager that holds the lock and gives the I2C object, for other devices on
        the bus.
        """
        return self

    def __enter__(self):
        node = self._node
        if not node.held:
            lock = node.lock
            node.stuck = 0
            if not lock.acquire(node.slots.node, LOCK_TIMEOUT_MS):
                node.stuck = LATE if getattr(lock, "late", 0) else STUCK
            if node.mine:
                node.mine.stuck |= node.stuck
        node.held += 1
        try:
            if node.slots.i2c is None:
                node.slots.i2c = node.make()
        except BaseException:
            self.__exit__()
            raise
        return node.slots.i2c

    def __exit__(self, *error):
        node = self._node
        node.held -= 1
        if not node.held and not node.stuck:
            node.lock.release()

    def health_check(self):
        """Look at everybody, count strikes, take over if it is due. Returns a ``Status``.

        ``OSError``: no EEPROM answers. ``FormatError``, ``ConfigError``: what answers is not ours.
        ``DuplicateNodeError``: another board has this node id.
        """
        with self:
            self._node.check()
            return Status(self._node)

    def confirm(self):
        """Is this node still the primary? Ask right before what cannot be taken back.

        ``OSError``: no EEPROM answers. False without a look if ``health_check()`` found another.
        """
        node = self._node
        if node.leading:
            with self:
                node.refresh(False)
        return node.leading

    def heartbeat(self, done=True):
        """Say that the duty is done (``done=False``: alive, but it failed). Returns a ``Status``.

        Does what ``health_check()`` does if that was not called; errors as there. Writes nothing if
        isolated, or after a ``health_check()`` that raised. After ``retries + 1`` failed duties in
        a row the primary stands down.
        """
        node = self._node
        timer = node.slots.timer
        with self:
            if node.slots.view is None or node.quorate():
                age_ms = timer.ticks_diff(timer.ticks_ms(), node.since)
                if node.leading or node.mine is None or not 0 <= age_ms <= LOOK_VALID_MS:
                    node.refresh(False)
            if node.quorate():
                beat(node.mine, node.leading, done, node.config)
                node.leading = node.leading and not node.mine.released
                node.write()
            return Status(node)

    def reset_node(self, node_id=None):
        """Take a dead node, or another board under its number, back; by default this one.

        The primary does it at once; another node's request waits in its record for the primary.
        ``ClusterError`` if isolated.
        """
        from .lead import readmit

        node = self._node
        me = node.slots.node
        node_id = whole("node_id", me if node_id is None else node_id, 0, node.config.nodes - 1)
        with self:
            node.ready(node_id == me)
            if node.leading:
                readmit(node.mine, 1 << node_id)
            node.mine.spare |= 1 << node_id
            # the next new beat fulfils it, not one seen before
            node.mine.runs[node_id] = max(0, node.mine.runs[node_id])
            node.write()

    def stand_down(self):
        """Let another member be primary, without anybody being marked dead. ``ClusterError`` if
        isolated.
        """
        node = self._node
        with self:
            node.ready(False)
            if node.leading:
                release(node.mine)
                node.leading = False
                node.write()

    def announced(self, events):
        """Record at once that these events of a ``Status`` were published, all of them in one call.

        ``ClusterError`` if isolated: they will be offered again.
        """
        from .events import announced

        with self:
            announced(self._node, events)

    def format(self, force=False, epoch=0):
        """Label blank EEPROMs; with ``force`` make blank ones of all, whatever they hold.

        ``epoch``: become primary with an epoch above this one (above what a consumer has already
        seen). ``FormatError`` or ``ConfigError`` for an EEPROM that is not ours, before anything
        is written.
        """
        from .care import format

        with self:
            format(self._node, force, epoch)
