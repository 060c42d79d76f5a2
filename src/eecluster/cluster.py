"""The public calls: arguments, the lock around everything, and what a node does under it. Stands
on node.
"""

import time

from .config import Config, demand
from .layout import LATE, STUCK
from .node import CHECKED, FAILED, UNCHECKED, Node
from .slots import Slots
from .status import Status
from .ticks import timer

LOCK_TIMEOUT_MS = 3000


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
        if type(lock).__name__ == "NoLock":
            lock = None
        demand(lock is None or hasattr(lock, "acquire"), "lock", "a lock", lock)
        if getattr(lock, "seen_by_traffic", False):
            # 17 ms on an RP2040, with a collection too long for a holder to be silent
            from .administer import ready  # noqa: F401
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
        node.held += 1
        try:
            if node.held == 1:
                lock = node.lock
                node.lock_fault = 0
                node.had = False
                if lock:
                    node.had = lock.acquire(node.slots.node, LOCK_TIMEOUT_MS)
                    if not node.had:
                        node.lock_fault = LATE if getattr(lock, "late", 0) else STUCK
                node.slots.expect(not node.had)
                if node.mine:
                    node.report()
            if node.slots.i2c is None:
                node.slots.i2c = node.make()
            return node.slots.i2c
        except BaseException:
            self.__exit__(True)
            raise

    def __exit__(self, error, value=None, at=None):  # *_ would take memory: there may be none
        node = self._node
        node.held -= 1
        if error:
            node.forget()
        if not node.held and node.had:
            node.lock.release()
            node.had = False

    def health_check(self):
        """Look at everybody, count strikes, take over if it is due. Returns a ``Status``.

        ``OSError``: no EEPROM answers. ``FormatError``, ``ConfigError``: what answers is not ours.
        ``DuplicateNodeError``: another board has this node id.
        """
        node = self._node
        node.state = FAILED  # until the lock is let go
        with self:
            node.check()
            status = Status(node)
        node.state = CHECKED
        return status

    def confirm(self):
        """Is this node still the primary? Ask right before what cannot be taken back.

        ``OSError``: no EEPROM answers. False without a look if the last call found another.
        """
        node = self._node
        if node.leading:
            with self:
                node.refresh(False)
        return node.leading

    def heartbeat(self, done=True):
        """Say that the duty is done (``done=False``: alive, but it failed). Returns a ``Status``.

        Does what ``health_check()`` does if there was none since the last ``heartbeat()``; errors
        as there. Writes nothing if isolated, or right after a ``health_check()`` that raised. After
        ``retries + 1`` failed duties in a row the primary stands down.
        """
        node = self._node
        state = node.state
        node.state = UNCHECKED
        with self:
            node.beat(done, state)
            return Status(node)

    def check_in(self):
        """A standby's whole wake: ``health_check()`` and, unless this node is the primary, its
        ``heartbeat()``, while the lock is taken once. Returns a ``Status``; errors as there.

        A primary does its duty then, and calls ``heartbeat()``.
        """
        with self:
            status = self.health_check()
            return status if status.is_primary else self.heartbeat()

    def reset_node(self, node_id=None):
        """Take a dead node, or another board under its number, back; by default this one.

        The primary does it at once; another node's request waits in its record for the primary.
        ``ClusterError`` if isolated.
        """
        from .administer import reset_node

        with self:
            reset_node(self._node, node_id)

    def stand_down(self):
        """Let another member be primary, without anybody being marked dead. ``ClusterError`` if
        isolated.
        """
        from .administer import stand_down

        with self:
            stand_down(self._node)

    def announced(self, events):
        """Record at once that these events of a ``Status`` were published, all of them in one call.

        True if it is recorded. False: this node is not the primary any more, who will offer them
        again. ``ClusterError`` if isolated.
        """
        from .administer import announced

        with self:
            return announced(self._node, events)

    def format(self, force=False, epoch=0, eeprom=None):
        """Label blank EEPROMs. ``force``: make blank ones of all, whatever they hold; the cluster
        goes on with an epoch above the highest that was found on them. ``eeprom``: of this one
        only, by its number, while the others are a quorum: a used chip as a replacement.

        ``epoch``: become primary with an epoch above this one, where the chips cannot tell what a
        consumer has seen. ``FormatError`` or ``ConfigError`` for an EEPROM that is not ours, before
        anything is written.
        """
        from .administer import format

        with self:
            format(self._node, force, epoch, eeprom)
