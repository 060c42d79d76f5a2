"""Boards as machines: what a board does next follows from what it has read so far.

Rule: a board knows of the world what its transfers brought it, and nothing else; its clock stands
still. So its program is a function from the answers so far to its next transfer, and running it
again with the same answers brings it to the same place: that is how a search goes back. The shipped
``Cluster`` runs as it is, on an I2C object that answers from a list.

Runs on CPython and on MicroPython. Stands on program and images.
"""

from proof.boards.images import keyed
from proof.boards.program import PowerLoss

# answers to a transfer, beside what was read, and None if nobody acknowledges
DONE = 1  # it is written
CRASH = -1  # the board loses its supply
UNKNOWN = -2  # none yet


class Pending(BaseException):
    """The answers are used up: here the board waits for its transfer."""


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
