"""What is searched: small situations, each explored to its end.

A space says what led to it, who does what in it, and what else may happen on the way:

before     steps from blank chips on: (node,) or (node, calls) is a wake; ("blank", chip);
           ("keep", name) and ("stale", chip, name): the chip is as it was then; ("reach", bitmap):
           the EEPROMs that answer from then on, all without it
programs   (node, wakes) for each board: these run at the same time, in every order
outside    what happens to chips, in this order, at any time: ("lost", chip) and ("back", chip), for
           all nodes or only for those named after the chip; ("blank", chip)
reach      node -> bitmap of the EEPROMs it reaches, where not all
crashes    how many times a board may lose its supply, before any write
tears      what a page may be then, if its chip loses its supply with the board
overtaken  None, or a bound: how many times a board may have read something when somebody else
           writes there, or something happens to that chip
"""

from proof.program import Setup
from proof.quiet import TEARS, WAKE

SLOW = ("check", "pause", "confirm", "pause", "beat")
LATE = ("check", "beat")  # without a confirmation of its own


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


def rounds(nodes, count, first=0):
    return [(node,) for _ in range(count) for node in range(first, nodes)]


def silent_primary(nodes):
    """Node 0 led, and has been silent for a look of each of the others."""
    return rounds(nodes, 3) + rounds(nodes, 1, 1)


def once(*nodes):
    return [(node, (WAKE,)) for node in nodes]


def twice(*nodes):
    return [(node, (WAKE, WAKE)) for node in nodes]


def cold_start(nodes, eeproms, **options):
    """All boards wake for the first time, on blank chips."""
    return Space(Setup(nodes, eeproms), [], once(*range(nodes)), **options)


def returns(nodes, eeproms, programs=once, **options):
    """The silent primary comes back in the moment in which the others replace it."""
    return Space(Setup(nodes, eeproms), silent_primary(nodes), programs(*range(nodes)), **options)


def claims(eeproms, **options):
    """Nodes 1 and 2 replace node 0 at once."""
    return Space(Setup(3, eeproms), silent_primary(3), once(1, 2), **options)


def reset(eeproms, **options):
    """Node 0 was replaced and is dead. Somebody resets it while node 1 is replaced in turn."""
    before = silent_primary(3) + [(1,), (2,), (2,)]
    programs = [(0, (("check", "reset0", "beat"),)), (1, (WAKE,)), (2, (WAKE,))]
    return Space(Setup(3, eeproms), before, programs, **options)


def stand_down(eeproms, **options):
    """The primary stands down, and goes on, while the other looks."""
    programs = [(0, (("check", "stand_down", "beat"), WAKE)), (1, (WAKE, WAKE))]
    return Space(Setup(2, eeproms), rounds(2, 3), programs, **options)


def stood_down(eeproms, **options):
    """The primary has stood down: two others claim at once."""
    before = rounds(3, 3) + [(0, ("check", "stand_down"))]
    return Space(Setup(3, eeproms), before, once(1, 2), **options)


def repair(**options):
    """One of three chips is blank, and is filled while node 1 claims and node 0 comes back."""
    before = silent_primary(2) + [("blank", 2)]
    return Space(Setup(2, 3), before, once(0, 1), **options)


def blank_in_between(**options):
    """A chip is swapped for a blank one while node 1 claims and node 0 comes back."""
    return Space(Setup(2, 3), silent_primary(2), once(0, 1), outside=(("blank", 2),), **options)


def lost_in_between(eeproms, nodes=(0, 1), **options):
    """A chip is lost for these nodes in the middle of it."""
    outside = (("lost", 0) + nodes,)
    return Space(Setup(2, eeproms), silent_primary(2), once(0, 1), outside, **options)


def back_in_between(eeproms, **options):
    """A chip that was lost before the claim is back in the middle of it."""
    before = silent_primary(2)
    reach = {node: (1 << eeproms) - 2 for node in (0, 1)}
    return Space(Setup(2, eeproms), before, once(0, 1), (("back", 0),), reach, **options)


def other_chips(**options):
    """Each of two boards reaches two of three chips, not the same ones."""
    reach = {0: 0b011, 1: 0b110}
    return Space(Setup(2, 3), silent_primary(2), once(0, 1), reach=reach, **options)


def minority_claim(**options):
    """Node 1 claims, and in the middle of it only chip 0 answers it any more."""
    outside = (("lost", 1, 1), ("lost", 2, 1))
    return Space(Setup(2, 3), silent_primary(2), once(1, 0), outside=outside, **options)


def blank_quorum(**options):
    """The claim of node 1 stands on chips 1 and 2. Chip 2 is swapped for a blank one, and chip 1
    is out of reach: node 0 has nothing but chip 0, which missed the claim, and the blank one.
    """
    before = silent_primary(2) + [("reach", 0b110), (1,), ("blank", 2)]
    outside = (("back", 1),)
    return Space(Setup(2, 3), before, once(0, 1), outside, {0: 0b101, 1: 0b101}, **options)


def older_copy(**options):
    """Node 0's newest record is on chip 1, which was away when it claimed anew on chip 0. So the
    highest token is in no newest record.
    """
    before = rounds(2, 3) + [("reach", 0b10)] + rounds(2, 6) + [("reach", 0b01), (0,), (0,), (0,)]
    return Space(Setup(2, 2), before, once(0, 1), **options)


def claim_breaks_off(**options):
    """Node 1 loses its supply in its claim and comes back; node 0 does not reach chip 0."""
    programs = twice(1) + once(0)
    return Space(Setup(2, 3), silent_primary(2), programs, reach={0: 0b110}, crashes=1, **options)


def isolated(**options):
    """The primary reaches one chip of three, and goes on; the other replaces it."""
    return Space(Setup(2, 3), silent_primary(2), twice(0, 1), reach={0: 0b001}, **options)


def pauses(eeproms, **options):
    """Both boards pause for seconds between their calls, and look again."""
    programs = [(0, (SLOW,)), (1, (SLOW,))]
    return Space(Setup(2, eeproms), silent_primary(2), programs, **options)


def replaced_in_duty(eeproms, **options):
    """Node 0 leads but pauses in its duty; node 1 has given it up and claims."""
    programs = [(0, (LATE, WAKE)), (1, (WAKE, WAKE))]
    return Space(Setup(2, eeproms), silent_primary(2), programs, **options)


QUICK = {
    "cold start, 2 boards, 1 chip": cold_start(2, 1, crashes=1, tears=TEARS),
    "cold start, 2 boards, 2 chips": cold_start(2, 2, crashes=1),
    "returns, 2 boards, 1 chip": returns(2, 1, crashes=2, tears=TEARS),
    "returns, 2 boards, 2 chips": returns(2, 2, crashes=1, tears=TEARS),
    "returns, 2 boards, 3 chips": returns(2, 3, crashes=1),
    "returns, 2 boards, 2 chips, 2 wakes": returns(2, 2, twice),
    "returns, 3 boards, 1 chip": returns(3, 1),
    "claims, 3 nodes, 1 chip": claims(1, crashes=1),
    "claims, 3 nodes, 2 chips": claims(2),
    "claims, 3 nodes, 3 chips": claims(3, overtaken=1),
    "reset, 1 chip": reset(1),
    "stand down, 1 chip": stand_down(1, crashes=1),
    "stood down, 2 chips": stood_down(2),
    "repair": repair(overtaken=1),
    "blank in between": blank_in_between(overtaken=1),
    "lost in between, 2 chips": lost_in_between(2, overtaken=1),
    "lost in between, 3 chips": lost_in_between(3, overtaken=1),
    "back in between, 3 chips": back_in_between(3, overtaken=1),
    "other chips": other_chips(crashes=1),
    "minority claim": minority_claim(overtaken=1),
    "blank quorum": blank_quorum(overtaken=1),
    "older copy": older_copy(),
    "claim breaks off": claim_breaks_off(overtaken=1),
    "isolated": isolated(),
    "pauses, 1 chip": pauses(1, crashes=1),
    "pauses, 2 chips": pauses(2, overtaken=1),
    "cold start, 2 boards, 3 chips": cold_start(2, 3, crashes=1, overtaken=1),
    "replaced in its duty, 1 chip": replaced_in_duty(1),
    "replaced in its duty, 2 chips": replaced_in_duty(2, overtaken=1),
}

LONG = {
    "cold start, 2 boards, 3 chips, all": cold_start(2, 3, crashes=1),
    "cold start, 3 boards, 1 chip": cold_start(3, 1, crashes=1),
    "returns, 3 boards, 1 chip, crash": returns(3, 1, crashes=1),
    "returns, 3 boards, 2 chips": returns(3, 2),
    "returns, 3 boards, 3 chips": returns(3, 3, overtaken=2),
    "claims, 3 nodes, 3 chips, all": claims(3, crashes=1, tears=TEARS),
    "reset, 2 chips": reset(2, overtaken=2),
    "stand down, 2 chips": stand_down(2),
    "repair, all": repair(crashes=1, tears=TEARS),
    "blank in between, all": blank_in_between(),
    "lost in between, 2 chips, all": lost_in_between(2),
    "lost in between, 3 chips, all": lost_in_between(3),
    "back in between, 2 chips, all": back_in_between(2),
    "back in between, 3 chips, 2": back_in_between(3, overtaken=2),
    "minority claim, 2": minority_claim(overtaken=2),
    "claim breaks off, all": claim_breaks_off(),
    "blank quorum, all": blank_quorum(),
    "replaced in its duty, 2 chips, all": replaced_in_duty(2),
}
SPACES = dict(QUICK)
SPACES.update(LONG)
