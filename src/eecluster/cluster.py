"""The cluster as one node sees it: each call takes the lock, looks, decides and writes.

The rules are in ``rules`` and ``events``, the bus is in ``slots`` and ``eeprom``; this is what joins them.
One's own record is the state: it is read at each look, changed in RAM, and written by a claim or by
``heartbeat``. Stands on everything else.
"""

import time

from . import events, rules
from .bitmap import count, ids
from .config import Config, demand, whole
from .eeprom import Eeproms
from .errors import ClusterError, DuplicateNodeError
from .layout import FAILOVER_TOLD, RELEASED, STUCK, TWIN, Record, make_token, owner
from .lock import NoLock
from .slots import Slots
from .status import Status

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
        self._config = config = Config(
            eeproms, node_id, nodes, retries, readmit, quorum, interval, cluster_id, size, page_size, base, uid
        )  # fmt: skip
        made = hasattr(i2c, "readfrom_mem_into")
        demand(made or callable(i2c), "i2c", "an I2C object or a function that makes one", i2c)
        demand(lock is None or hasattr(lock, "acquire"), "lock", "None or a lock", lock)
        demand(recover is None or callable(recover), "recover", "None or a function", recover)
        demand(callable(clock), "clock", "a function", clock)
        demand(hasattr(timer, "ticks_us"), "timer", "what MicroPython's time has", timer)
        self._me = node_id
        self._make_i2c = None if made else i2c
        self._lock = lock or NoLock()
        self._recover = recover
        self._clock = clock
        self._timer = timer
        self._eeproms = Eeproms(config.addresses, config.layout, timer, node_id)
        if made:
            self._eeproms.i2c = i2c
        self._slots = Slots(config.layout, self._eeproms, node_id)
        self._bus = _Bus(self)
        self._mine = None  # my record, with what is not written yet
        self._leading = False  # confirmed primary at the last look
        self._stuck = False  # the lock could not be had
        self._looked_ms = 0

    # The public calls

    def bus(self):
        """A context manager that holds the lock and gives the I2C object, for other devices on the bus."""
        return self._bus

    def health_check(self):
        """Look at everybody, count strikes, take over if it is due. Returns a ``Status``.

        ``OSError``: no EEPROM answers. ``FormatError``, ``ConfigError``: what answers is not ours.
        ``DuplicateNodeError``: another board has this node id.
        """
        with self._bus:
            self._check()
            return self._status()

    def confirm(self):
        """Is this node still the primary? Ask right before what cannot be taken back."""
        if not self._leading:
            return False
        with self._bus:
            self._refresh()
            return self._leading

    def heartbeat(self, done=True):
        """Say that the duty is done (``done=False``: alive, but it failed). Returns a ``Status``.

        Writes nothing if isolated. After ``retries + 1`` failed duties in a row the primary stands down.
        """
        with self._bus:
            if self._slots.view is None or self._quorate() and self._mine is None:
                self._check()
            elif self._quorate() and (self._leading or self._age_ms() > LOOK_VALID_MS):
                self._refresh()
            if self._quorate():
                self._beat(done)
            return self._status()

    def reset_node(self, node_id=None):
        """Take a dead node, or another board under its number, back; by default this one.

        The primary does it at once; another node's request waits in its record for the primary.
        ``ClusterError`` if isolated.
        """
        i = self._me if node_id is None else whole("node_id", node_id, 0, self._config.nodes - 1)
        with self._bus:
            self._refresh(i == self._me)
            self._demand_quorum("reset_node")
            if self._leading:
                self._readmit(1 << i)
            self._mine.spare |= 1 << i
            self._write()

    def stand_down(self):
        """Let another member be primary, without anybody being marked dead. ``ClusterError`` if isolated."""
        with self._bus:
            self._refresh()
            self._demand_quorum("stand_down")
            if self._leading:
                self._release()
                self._write()

    def announced(self, announcements):
        """Record at once that these events of a ``Status`` were published. False if isolated: they come again."""
        with self._bus:
            self._refresh()
            if announcements and self._quorate():
                events.announce(self._mine, self._me, announcements)
                self._write()
            return self._quorate()

    def format(self, force=False, epoch=0):
        """Label blank EEPROMs; with ``force`` make blank ones of all, whatever they hold.

        ``epoch``: become primary with an epoch above this one (above what a consumer has already seen).
        ``FormatError`` or ``ConfigError`` for an EEPROM that is not ours, before anything is written.
        """
        whole("epoch", epoch, 0, 1 << 28)
        with self._bus:
            view = self._slots.look()
            if force and count(view.answered) < len(self._config.addresses):
                raise OSError(self._errno(), "format: an EEPROM does not answer; nothing was written")
            if view.fault and not force:
                raise view.fault
            for k in ids(view.answered if force else view.relabel & view.empty):
                self._slots.format(k, force)
            self._slots.view = self._mine = None
            self._leading = False
            if epoch:
                view = self._look()
                self._demand_quorum("format")
                self._load(view, True)
                self._raise_epoch(view, epoch)

    # What they are made of; the lock is held

    def _check(self):
        config = self._config
        me = self._me
        self._leading = False
        view = self._look()
        if not self._quorate():
            return
        baseline = self._load(view)
        mine = self._mine
        counted = rules.observe(
            mine, me, view, int(self._clock()) & 0xFFFFFFFF, config.interval, config.retries, len(config.addresses), baseline
        )
        rules.follow(mine, me, view)
        if view.token and owner(view.token) == me:
            if rules.resting(mine, me, counted, config.retries):
                pass
            elif self._confirm() and counted:
                self._readmit(rules.readmissions(mine, view, config.readmit))
                if rules.silent(mine, me, config.retries):
                    self._claim()
        elif rules.may_claim(mine, me, view, config.retries, config.readmit):
            self._claim()
        events.acknowledge(mine, me, self._stuck)

    def _beat(self, done):
        mine = self._mine
        me = self._me
        if self._leading:
            mine.runs[me] = 0 if done else mine.runs[me] + 1
            if mine.runs[me] > self._config.retries:
                self._release()
        mine.seqs[me] = mine.seqs[me] % 0xFFFF + 1  # 0 is: no beat yet
        self._write()

    def _look(self):
        self._looked_ms = self._timer.ticks_ms()
        view = self._slots.look()
        if not view.answered and self._recover:
            self._recover()
            if self._make_i2c:
                self._eeproms.i2c = self._make_i2c()
            view = self._slots.look()
        if not view.answered:
            raise OSError(
                self._errno(),
                "no EEPROM answers at %s: check wires, pull-ups, supply and addresses" % self._places(),
            )
        if view.fault and not view.good:
            raise view.fault
        return view

    def _load(self, view, accept=False):
        """Make my record of this look the state, unless RAM knows more. True if it says nothing yet."""
        stored = view.records[self._me]
        uid = self._config.uid
        mine = self._mine
        self._mine = None
        new = stored is None
        if stored and uid and stored.uid not in (0, uid):
            if not accept and not rules.readmit_asked(self._me, view):
                raise DuplicateNodeError(
                    "node_id %d is another board's (slot %08x, this board %08x). Give this one its own number, or after"
                    " a replacement call reset_node(%d) on it" % (self._me, stored.uid, uid, self._me)
                )
            new = True
        elif mine and (new or stored.revision <= mine.revision):
            stored = mine
            new = False
        self._mine = mine = stored or Record(self._config.nodes)
        mine.uid = uid or mine.uid
        view.token = max(view.token, mine.token)
        if self._stuck:
            mine.flags |= STUCK
        if view.twins >> self._me & 1:
            mine.flags |= TWIN
        return new

    def _refresh(self, accept=False):
        """Look again if anything changed since the last look; am I still the primary?"""
        if self._mine is None and not accept:
            return self._check()
        now_ms = self._timer.ticks_ms()
        if self._mine is None or not self._slots.unchanged():
            view = self._look()
            if self._quorate():
                self._load(view, accept)
                rules.follow(self._mine, self._me, view)
        self._looked_ms = now_ms
        self._leading = self._leading and self._confirm()

    def _confirm(self):
        """Is nothing higher than my token read, and does it stand in my slot on a quorum?"""
        mine = self._mine
        for last in (False, True):
            rules.follow(mine, self._me, self._slots.view)
            self._leading = False
            if not self._quorate() or not mine.token or owner(mine.token) != self._me:
                break
            if count(self._slots.holding(mine.token)) >= self._config.quorum:
                mine.primary = 1 << self._me
                self._leading = True
                break
            if not last:  # not yet on a quorum: write first, read after
                self._write()
                self._load(self._look())
        return self._leading

    def _claim(self):
        rules.claim(self._mine, self._me, self._slots.view, self._config.retries)
        self._write()
        self._load(self._look())
        self._confirm()

    def _raise_epoch(self, view, epoch):
        mine = self._mine
        mine.lineage = view.token
        mine.token = make_token(max(epoch, view.token >> 3) + 1, self._me)
        mine.primary = 0
        mine.flags |= FAILOVER_TOLD
        self._write()

    def _release(self):
        self._mine.flags |= RELEASED
        self._mine.runs[self._me] = 0
        self._mine.primary = 0
        self._leading = False

    def _readmit(self, nodes):
        self._mine.dead &= ~nodes
        for j in ids(nodes):
            self._mine.runs[j] = 0

    def _write(self):
        mine = self._mine
        mine.retry = rules.silent(mine, self._me, 0)
        if not self._slots.write(mine, self._slots.view.empty):
            raise OSError(
                self._errno(),
                "no EEPROM at %s keeps what is written: check write protection and supply" % self._places(),
            )

    def _quorate(self):
        """Does this look count: a quorum of good EEPROMs, or of blank ones only, a cold start?"""
        view = self._slots.view
        return count(view.good or view.empty) >= self._config.quorum

    def _demand_quorum(self, call):
        if not self._quorate():
            raise ClusterError(
                "%s: fewer than %d EEPROMs of %s are ours and answer; nothing was written"
                % (call, self._config.quorum, self._places())
            )

    def _status(self):
        me = self._me
        view = self._slots.view
        quorate = self._quorate()
        mine = self._mine if quorate else None
        if mine is None:
            mine = Record(self._config.nodes)
            mine.token = view.token
        dead = mine.dead
        role = "isolated"
        if quorate:
            role = "primary" if self._leading else "dead" if dead >> me & 1 else "standby"
        members = rules.members(mine)
        suspects = rules.silent(mine, me, 0)
        found = ()
        if self._leading:
            rival_tokens = events.rivals(mine, me, view)
            lost = rules.lost(view, len(self._config.addresses))
            now = events.present(mine, me, view, members, suspects, lost, rival_tokens)
            events.forget(mine, now)
            found = events.pending(mine, me, now, rival_tokens)
        absent = (1 << self._config.nodes) - 1 & ~members & ~dead
        primary = rules.primary(mine, me, view, self._leading) if quorate else None
        return Status(role, me, primary, mine.token, members, suspects, dead, absent, view.good, found)

    def _age_ms(self):
        return self._timer.ticks_diff(self._timer.ticks_ms(), self._looked_ms)

    def _errno(self):
        error = self._slots.error
        return error.args[0] if error and error.args else 5

    def _places(self):
        return ", ".join(["0x%02x" % address for address in self._config.addresses])


class _Bus:
    """Holds the lock and gives the I2C object; may be nested."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._depth = 0

    def __enter__(self):
        c = self._cluster
        if not self._depth:
            c._stuck = not c._lock.acquire(c._me, LOCK_TIMEOUT_MS)
        self._depth += 1
        try:
            if c._eeproms.i2c is None:
                c._eeproms.i2c = c._make_i2c()
        except BaseException:
            self.__exit__()
            raise
        return c._eeproms.i2c

    def __exit__(self, *error):
        self._depth -= 1
        if not self._depth and not self._cluster._stuck:
            self._cluster._lock.release()
