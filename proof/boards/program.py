"""What a board does, with everything handed in: the shipped ``Cluster``, its wires, its time.

Runs on CPython and on MicroPython. Stands on breach and decode.
"""

from eecluster import Cluster
from proof.breach import Breach
from proof.decode import Format

FIRST = 0x50  # I2C address of EEPROM 0
MOST_US = 60_000_000  # I6: no wake takes longer
NACK = 19  # ENODEV
WAKE = ("check", "confirm", "beat")  # the calls of an ordinary wake: see Program


class PowerLoss(BaseException):
    """The board loses its supply."""


class Setup:
    """The arguments of all boards, and how the oracle reads what they write."""

    def __init__(self, nodes, eeproms, quorum=None, retries=1, readmit=3):
        self.nodes = nodes
        self.eeproms = eeproms
        self.retries = retries
        self.readmit = readmit
        self.majority = eeproms > 2 if quorum is None else quorum == "majority"
        self.options = {
            "nodes": nodes,
            "quorum": "majority" if self.majority else "available",
            "retries": retries,
            "readmit": readmit,
        }
        self.format = Format(nodes, eeproms, majority=self.majority)

    def cluster(self, node, i2c, timer):
        """A new ``Cluster``, as after each wake."""
        addresses = [FIRST + k for k in range(self.eeproms)]
        uid = bytes((node + 1,))
        return Cluster(
            i2c, addresses, node, uid=uid, clock=timer.clock, timer=timer, **self.options
        )


class Timer:
    """MicroPython's ``time``, on which only sleeping takes time."""

    def __init__(self):
        self.now_us = 0

    def clock(self):
        return 0

    def sleep_us(self, us):
        self.now_us += us
        if self.now_us > MOST_US:
            raise Breach("I6", "a board waits for more than %d s" % (MOST_US // 1000000))

    def sleep_ms(self, ms):
        self.sleep_us(1000 * ms)

    def ticks_us(self):
        return self.now_us

    def ticks_ms(self):
        return self.now_us // 1000

    def ticks_diff(self, one, other):
        return one - other


class Wires:
    """An I2C object that asks ``transfer(k, at, count, data)``; ``data`` None: it reads.

    An answer None means that nobody acknowledges.
    """

    def __init__(self, transfer):
        self.transfer = transfer

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize):
        answer = self.transfer(addr - FIRST, memaddr, len(buf), None)
        if answer is None:
            raise OSError(NACK)
        buf[:] = answer

    def writeto_mem(self, addr, memaddr, buf, *, addrsize):
        if self.transfer(addr - FIRST, memaddr, len(buf), bytes(buf)) is None:
            raise OSError(NACK)


SCRATCH = ("slot", "head")  # buffers that each call fills before it reads them
FIXED = ("config", "layout", "addresses", "all", "copies", "i2c", "timer", "make", "lock", "clock")


def frozen(value, met):
    """All that an object remembers, as a tuple that can be compared; ``met``: {} at first.

    An object that is met again is the same one, which matters where it can be changed.
    """
    if value is None or isinstance(value, (bool, int, str, bytes, BaseException)):
        return repr(value)
    if isinstance(value, (tuple, range)):
        return tuple([frozen(item, met) for item in value])
    if id(value) in met:
        return "same", met[id(value)]
    met[id(value)] = len(met)
    if isinstance(value, list):
        return ("list",) + tuple([frozen(item, met) for item in value])
    kept = value if isinstance(value, dict) else value.__dict__
    names = [name for name in sorted(kept) if name not in SCRATCH and name not in FIXED]
    return tuple([(repr(name), frozen(kept[name], met)) for name in names])


class Program:
    """What a board does in some wakes: for each a tuple of calls.

    ``check`` ``confirm`` ``beat``  the calls of an ordinary wake; ``fail``: heartbeat(done=False)
    ``pause``                       for longer than heartbeat() relies on a look
    ``stand_down`` ``announced``    as named; ``reset0`` to ``reset7``: reset_node() of that node

    A wake ends early when a call raises or the supply fails.
    """

    def __init__(self, setup, node, wakes):
        self.setup = setup
        self.node = node
        self.wakes = wakes

    def run(self, transfer, note):
        """Do it all; ``note(kind, value)`` hears of ``call``, ``confirmed``, ``status`` and
        ``crash``. With a call come its name and a function that tells all that the board knows.
        """
        for w, wake in enumerate(self.wakes):
            timer = Timer()
            cluster = self.setup.cluster(self.node, Wires(transfer), timer)
            status = None
            try:
                for c, call in enumerate(wake):

                    def knows(w=w, c=c, cluster=cluster, timer=timer, status=status):
                        if not c:
                            return w, c
                        return w, c, timer.now_us, frozen((status, cluster._node), {})

                    note("call", (call, knows))
                    status = self._call(cluster, timer, call, status, note)
            except PowerLoss:
                note("crash", None)
            except OSError:
                pass  # the board's program ends there

    def _call(self, cluster, timer, call, status, note):
        if call == "confirm":
            if cluster.confirm():
                note("confirmed", status.token)
            return status
        if call == "pause":
            timer.sleep_ms(2000)
        elif call == "stand_down":
            cluster.stand_down()
        elif call == "announced":
            cluster.announced(status.events)
        elif call[:5] == "reset":
            cluster.reset_node(int(call[5:]))
        else:
            if call == "check":
                status = cluster.health_check()
            else:
                status = cluster.heartbeat(call == "beat")
            note("status", status)
            if status.is_primary:
                note("confirmed", status.token)
        return status
