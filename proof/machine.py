"""Boards as machines: what a board does next follows from what it has read so far.

Rule: a board knows of the world what its transfers brought it, and nothing else; its clock stands
still. So its program is a function from the answers so far to its next transfer, and running it
again with the same answers brings it to the same place: that is how a search goes back. The shipped
``Cluster`` runs as it is, on an I2C object that answers from a list.

Contents of chips are kept once and have numbers: an *image* is the number of what all chips hold
together. Runs on CPython and on MicroPython. Stands on decode.
"""

import sys

from eecluster import Cluster
from proof.breach import Breach
from proof.decode import Format

FIRST = 0x50  # I2C address of EEPROM 0
PAGE = 64
MOST_US = 60_000_000  # I6: no wake takes longer
CPYTHON = sys.implementation.name == "cpython"
NACK = 19  # ENODEV
# answers to a transfer, beside what was read, and None if nobody acknowledges
DONE = 1  # it is written
CRASH = -1  # the board loses its supply
UNKNOWN = -2  # none yet


def keyed(value):
    """A tuple as the key of a dict or set. MicroPython adds up the hashes of a tuple's items, so
    that most of ours would collide; those of strings differ.
    """
    return value if CPYTHON else str(value)


class Pending(BaseException):
    """The answers are used up: here the board waits for its transfer."""


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


class Images:
    """What the chips hold, as numbers. Only pages that some node uses are kept."""

    def __init__(self, setup):
        self.eeproms = setup.eeproms
        self.pages = [b"\xff" * PAGE]
        self.per_chip = 1 + 2 * setup.nodes
        self._page_ids = {self.pages[0]: 0}
        self.tuples = []
        self._ids = {}
        self._written = {}
        self.blank = self.number((0,) * (self.per_chip * setup.eeproms))

    def number(self, pages):
        """The number of an image, given as a tuple of page numbers, chip after chip."""
        key = keyed(pages)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.tuples)
            self.tuples.append(pages)
        return found

    def read(self, image, k, at, count):
        """Bytes of chip k."""
        page = at // PAGE
        if page >= self.per_chip:
            return self.pages[0][:count]  # of a node that does not exist
        data = self.pages[self.tuples[image][k * self.per_chip + page]]
        at %= PAGE
        return data[at : at + count]

    def write(self, image, k, at, data):
        """The image after a page write."""
        key = keyed((image, k, at, data))
        found = self._written.get(key)
        if found is None:
            new = self.page_write(image, k, at, data)[1]
            found = self._written[key] = self.replace(image, k, at // PAGE, new)
        return found

    def page_write(self, image, k, at, data):
        """The page before and after a write."""
        start = at % PAGE
        old = self.read(image, k, at - start, PAGE)
        return old, old[:start] + data + old[start + len(data) :]

    def replace(self, image, k, page, content):
        """The image with another content of one page."""
        pages = list(self.tuples[image])
        pages[k * self.per_chip + page] = self.page_number(content)
        return self.number(tuple(pages))

    def page_number(self, content):
        """The number of a page with that content."""
        number = self._page_ids.get(content)
        if number is None:
            number = self._page_ids[content] = len(self.pages)
            self.pages.append(content)
        return number

    def blank_chip(self, image, k):
        """The image with a new chip in the place of chip k."""
        return self.exchange(image, k, self.blank)

    def exchange(self, image, k, other):
        """The image with chip k as it is in another image."""
        start, end = k * self.per_chip, (k + 1) * self.per_chip
        pages = self.tuples[image]
        return self.number(pages[:start] + self.tuples[other][start:end] + pages[end:])

    def chip(self, image, k):
        """All bytes of the cluster's pages on chip k."""
        pages = self.tuples[image][k * self.per_chip : (k + 1) * self.per_chip]
        return b"".join([self.pages[page] for page in pages])


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


class Place:
    """Where a program waits: ``request`` is its next transfer, None at its end.

    first      it is the first transfer of a call
    begins     a confirmation that comes later in the call has not begun before this transfer: the
               first one, or a write of a claim, because a claim reads after it has written
    confirmed  the token that was confirmed since the transfer before, or 0
    crashed    the last wake was cut off
    following  the number of the place after each answer to the request
    """

    def __init__(self, back, answer):
        self.back = back
        self.answer = answer
        self.request = None
        self.first = self.begins = False
        self.confirmed = 0
        self.crashed = False
        self.following = {}


class Machine:
    """All places that a program can come to, found as they are needed. ``replays`` counts runs.

    Where a call begins, what the board knows is all in its objects; two ways to the same knowledge
    lead to one place.
    """

    def __init__(self, program):
        self.program = program
        self.places = []
        self.replays = 0
        self.calls = {}  # what the board knows at the first transfer of a call -> place
        self.start = self._find(None, None)

    def go(self, number, answer, more=None):
        """The number of the place after that answer to its request.

        ``more``: what it is good to know next; from a request to its answer, or to UNKNOWN.
        """
        found = self.places[number].following.get(answer)
        if found is None:
            found = self._find(number, answer, more)
        return found

    def _find(self, back, answer, more=None):
        """Run the program with all answers that lead there, up to its next transfer."""
        answers = []
        requests = []
        number = back
        while number is not None:
            answers.append(answer)
            requests.append(self.places[number].request)
            answer = self.places[number].answer
            number = self.places[number].back
        answers.reverse()
        requests.reverse()
        run = _Run(self, back, answers, requests, more)
        self.replays += 1
        try:
            self.program.run(run.transfer, run.note)
            run.arrive(None)
        except Pending:
            pass
        return run.found


class _Run:
    """A program that runs to a new place and perhaps on. ``found``: the number of that place."""

    def __init__(self, machine, back, answers, requests, more):
        self.machine = machine
        self.back = back
        self.answers = answers
        self.requests = requests  # what the board asked when it came there first
        self.used = 0
        self.more = more
        self.found = None
        self.knows = None  # what the board knew when a call began, if no transfer followed yet
        self.place = None
        self.call = None
        self.crashed = False
        if not answers:
            self.place = Place(None, None)

    def transfer(self, k, at, count, data):
        """What the board gets for this request."""
        if self.used == len(self.answers):
            self.arrive((k, at, count, data))
            answer = UNKNOWN if self.more is None else self.more(k, at, count, data)
            if answer is UNKNOWN:
                raise Pending
            self.answers.append(answer)
            self.requests.append((k, at, count, data))
        answer = self.answers[self.used]
        assert self.requests[self.used] == (k, at, count, data), "not the same program again"
        self.used += 1
        self.knows = None
        if self.used == len(self.answers):
            self.place = Place(self.back, answer)
        if answer == CRASH:
            raise PowerLoss
        return answer

    def note(self, kind, value):
        if kind == "call":
            self.crashed = False
            self.call = value[0]
            if self.place:
                self.knows = value[1]()
        elif kind == "confirmed" and self.place:
            self.place.confirmed = max(self.place.confirmed, value)
        elif kind == "crash":
            self.crashed = True

    def arrive(self, request):
        """The program waits at a place. One that is known ends the run."""
        machine = self.machine
        place = self.place
        assert place
        place.request = request
        place.first = self.knows is not None
        written = request is not None and request[3] is not None
        place.begins = place.first or written and self.call in ("check", "confirm")
        place.crashed = self.crashed
        key = None
        if place.first:
            key = self.knows, place.confirmed
        elif request is None:
            key = place.crashed, place.confirmed
        number = len(machine.places)
        if key is not None:
            number = machine.calls.setdefault(keyed(key), number)
        known = number < len(machine.places)
        if not known:
            machine.places.append(place)
        if place.back is not None:
            machine.places[place.back].following[place.answer] = number
        if self.found is None:
            self.found = number
        self.back = number
        self.place = None
        if known:
            raise Pending
