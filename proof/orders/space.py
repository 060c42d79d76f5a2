"""A space: one small situation, and what may happen in it. It is explored to its end.

It says what led to it, who does what in it, and what else may happen on the way:

before     steps from blank chips on: (node,) or (node, calls) is a wake; ("blank", chip);
           ("reach", bitmap): the EEPROMs that answer from then on, all without it
programs   (node, wakes) for each board: these run at the same time, in every order
outside    what happens to chips, in this order, at any time: ("lost", chip) and ("back", chip), for
           all nodes or only for those named after the chip; ("blank", chip)
reach      node -> bitmap of the EEPROMs it reaches, where not all
crashes    how many times a board may lose its supply, before any write
tears      what a page may be then, if its chip loses its supply with the board
overtaken  None, or a bound: how many times a board may have read something when somebody else
           writes there, or something happens to that chip

Stands on nothing.
"""


class Space:
    def __init__(
        self, setup, before, programs, outside=(), reach=None, crashes=0, tears=(),
        overtaken=None,
    ):  # fmt: skip
        self.setup = setup
        self.before = before
        self.programs = programs
        self.outside = outside
        self.reach = reach or {}
        self.crashes = crashes
        self.tears = tears
        self.overtaken = overtaken
