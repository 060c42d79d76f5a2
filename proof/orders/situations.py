"""The situations that matter, as spaces: what led there, and who does what. Stands on space."""

from proof.boards.program import WAKE, Setup
from proof.orders.space import Space

SLOW = ("check", "pause", "confirm", "pause", "beat")
LATE = ("check", "beat")  # without a confirmation of its own


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
