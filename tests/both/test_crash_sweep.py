"""Every crash in every state that a few wakes lead to; deeper ones are in
tests/host/test_searches.py.
"""

from proof.boards.program import Setup
from proof.boards.tears import TEARS, torn
from proof.breach import Breach
from proof.crashes.sweep import CUT, Sweep, calls

from eecluster_sim import Random
from support import raises


def swept(setup, wakes):
    sweep = Sweep(setup)
    sweep.reach(wakes)
    sweep.crash()
    assert sweep.cuts > 10 * len(sweep.left) / 3
    return sweep


def test_one_node():
    sweep = swept(Setup(1, 1), 3)
    assert len(sweep.origins) > 5


def test_two_nodes_after_one_wake():
    sweep = Sweep(Setup(2, 1))
    sweep.reach(1)
    for operation in sweep.operations:
        sweep.cut(sweep.after((sweep.images.blank, 0), (1, "wake")), operation)
    assert len(sweep.left) > 50


def test_three_chips():
    sweep = Sweep(Setup(2, 3))
    sweep.cut((sweep.images.blank, 0), (0, "wake"))
    assert len(sweep.left) > 20


# One image for all that say the same


def agrees(setup, seed, wakes=60):
    """Boards cannot tell a canonical image from the one it stands for: the same wakes, on both."""
    sweep = Sweep(setup)
    random = Random(seed)
    raw = sweep.images.blank, 0
    small = raw
    different = 0
    for _ in range(wakes):
        node, name = random.choice(sweep.operations)
        wake = sweep.undisturbed.wake(raw[0], node, calls(name), highest=raw[1])
        raw = wake.image, max(raw[1], wake.confirmed)
        small = sweep.after(small, (node, name))
        assert sweep.canonical(*raw) == small, (seed, node, name)
        different += raw != small
    assert different > wakes / 2


def test_canonical_images_of_two_nodes():
    for seed in range(5):
        agrees(Setup(2, 1), seed)


def test_canonical_images_of_three_nodes_and_chips():
    agrees(Setup(3, 2, retries=2, readmit=2), 1)
    agrees(Setup(3, 3, readmit=None), 2)


def test_canonical_is_canonical():
    sweep = Sweep(Setup(2, 2))
    sweep.reach(2)
    for image, highest in sweep.origins:
        assert sweep.canonical(image, highest) == (image, highest)


# Is the sweep right?


def test_a_breach_is_told_with_the_way_to_it():
    sweep = Sweep(Setup(2, 1))
    sweep.reach(1)
    sweep.undisturbed.most = 30  # no wake may take longer, which is wrong for some
    with raises(Breach, "I6: node ", "makes more than 30 transfers") as caught:
        sweep.crash()
    moves = caught.error.moves
    assert 1 <= len(moves) <= 2, moves
    again = Sweep(Setup(2, 1))
    again.undisturbed.most = 30
    with raises(Breach, "I6: node ", "makes more than 30 transfers"):
        again.replay(moves, print)


def test_a_cut_is_replayed():
    lines = []
    Sweep(Setup(2, 1)).replay([[0, "wake"], [0, "failed duty", 7, CUT]], lines.append)
    assert lines[0].startswith("wake: node 0: primary")
    assert lines[1:] == ["node 0, failed duty, transfer 7: cut"]


def test_torn_pages():
    old, new = bytes(64), b"\x01" * 64
    found = [torn(tear, old, new) for tear in TEARS]
    assert found[:3] == [old, new, b"\xff" * 64]
    assert len(set(found)) == len(TEARS)
    assert all([len(page) == 64 for page in found])
