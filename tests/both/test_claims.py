"""What a claim, a quorum and the highest token rest on: cases that each need one rule to come out
right. The other rules have theirs in test_faults.
"""

from cluster_kit import Kit

MOST_TRANSACTIONS = 300


def claims_between(prepare, outer, inner):
    """`inner` wakes as a whole before each transaction of a `health_check` of `outer`.

    How often `inner` led then. Once it does, the claim of `outer` must have seen it.
    """
    led = 0
    for n in range(MOST_TRANSACTIONS):
        kit = Kit(3)
        prepare(kit)
        found = []
        kit.between(outer, n, lambda: found.append(kit.wake(inner)))
        status = kit.call(outer, "health_check")
        if not found:
            return led
        if found[0].is_primary:
            led += 1
            assert not status.is_primary, n
            assert status.token >= found[0].token, n
    raise AssertionError("the look does not end")


def test_a_claim_sees_another_one_that_was_confirmed_in_it():
    def blank(kit):
        pass

    def first_is_silent(kit):
        kit.rounds(3)
        kit.rounds(1, (1, 2))

    for prepare, outer, inner in ((blank, 1, 0), (blank, 2, 1), (first_is_silent, 2, 1)):
        assert claims_between(prepare, outer, inner) > 5


def test_a_blank_chip_is_no_part_of_a_quorum():
    kit = Kit(2, 3)
    kit.rounds(3)
    kit.chips[2].plugged = False
    kit.rounds(4, (1,))
    assert kit.published[-1][0] == 1  # its token is on chips 0 and 1
    kit.chips[0].plugged = False
    kit.blank(kit.chips[1])
    kit.chips[2].plugged = True  # it knows of the token before
    images = kit.images()
    last = kit.rounds(3)
    assert [s.role for s in last.values()] == ["isolated"] * 2
    assert kit.images() == images
    kit.chips[0].plugged = True
    assert kit.settled() == 1


def test_a_token_in_an_older_copy_counts():
    """Node 0's newest record is on a chip that was away when it claimed on the other one."""
    kit = Kit(2)
    kit.rounds(3)
    kit.chips[0].plugged = False
    kit.rounds(6)
    kit.chips[0].plugged, kit.chips[1].plugged = True, False
    kit.rounds(3, (0,))  # after its last beat node 1 is silent: dead, a new epoch
    token = kit.highest
    kit.chips[1].plugged = True
    a, b = [kit.format.newest(chip.data, k, 0) for k, chip in enumerate(kit.chips)]
    assert a["revision"] < b["revision"] and a["token"] == token > b["token"]
    status = kit.wake(0)
    assert status.is_primary and status.token == token
    assert kit.settled() == 0


def test_who_is_replaced_within_its_duty_beats_as_what_it_is_now():
    for pause_s in (0, 0.5, 2):
        kit = Kit(2)
        kit.rounds(3)
        assert kit.wake(1).suspects == (0,)
        replaced = []

        def duty(cluster, status, kit=kit, replaced=replaced, pause_s=pause_s):
            replaced.append(kit.run(1, lambda: kit.cluster(1).health_check()))
            kit.world.advance_s(pause_s)

        assert kit.wake(0, duty).is_primary
        assert replaced[0].is_primary, replaced
        assert (kit.beats[0].role, kit.beats[0].token) == ("dead", replaced[0].token), pause_s
        assert kit.newest(0)["primary"] == 0b10
