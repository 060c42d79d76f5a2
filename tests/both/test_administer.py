"""What a person or a consumer changes: formatting, events that were announced; and a standby's wake
in one hold of the lock.
"""

from cluster_kit import Kit
from eecluster import ClusterError, FormatError
from support import raises


class Counting:
    """A lock that counts how often it is taken."""

    def __init__(self):
        self.taken = 0

    def acquire(self, node_id, timeout_ms):
        self.taken += 1
        return True

    def release(self):
        pass


# check_in


def test_a_standby_checks_in_with_one_hold():
    kit = Kit(2)
    kit.rounds(3)
    before = kit.newest(1)["seqs"][1]
    lock = Counting()
    status = kit.run(1, kit.cluster(1, lock=lock).check_in)
    assert (status.role, lock.taken) == ("standby", 1)
    assert kit.newest(1)["seqs"][1] == before + 1


def test_a_primary_that_checks_in_reports_after_its_duty():
    kit = Kit(2)
    kit.rounds(3)
    before = kit.newest(0)["seqs"][0]
    lock = Counting()
    cluster = kit.cluster(0, lock=lock)

    def wake():
        assert cluster.check_in().is_primary
        assert lock.taken == 1
        assert kit.newest(0)["seqs"][0] == before
        cluster.heartbeat()

    kit.run(0, wake)
    assert kit.newest(0)["seqs"][0] == before + 1


def test_a_cluster_of_boards_that_check_in_fails_over():
    kit = Kit(3)

    def wake(node):
        cluster = kit.cluster(node)
        status = cluster.check_in()
        if status.is_primary:
            cluster.heartbeat()
        return status

    for _ in range(3):
        roles = [kit.run(node, wake, node).role for node in range(3)]
    assert roles == ["primary", "standby", "standby"]
    for _ in range(3):
        roles = [kit.run(node, wake, node).role for node in (1, 2)]
    assert roles == ["primary", "standby"]


# announced


def test_who_was_replaced_meanwhile_records_nothing():
    kit = Kit(2)
    kit.rounds(3)
    cluster = kit.cluster(0)
    events = kit.run(0, cluster.health_check).events
    assert events
    kit.rounds(4, (1,))  # node 1 takes over
    images = kit.images()
    assert kit.run(0, cluster.announced, events) is False
    assert kit.images() == images
    assert kit.run(1, kit.cluster(1).announced, ()) is True


# format


def erased(kit, node, *args, **named):
    """Format by this board. Not as `kit.run`: that pages of others change is what is wanted."""
    kit.boards[node].wake(lambda: kit.cluster(node).format(*args, **named))


def test_tokens_go_on_above_those_that_were_found():
    kit = Kit(2)
    kit.rounds(3)
    kit.rounds(4, (1,))  # a takeover: epoch 2
    last = kit.wake(1).token
    erased(kit, 0, True)
    assert kit.rounds(2)[0].token > last


def test_also_above_those_of_another_configuration():
    """A cluster that grows: the labels are of other arguments than the board's."""
    for change in ({"nodes": 3}, {"cluster_id": 5}, {"page_size": 32}):
        kit = Kit(2)
        kit.rounds(3)
        kit.rounds(4, (1,))
        last = kit.wake(1).token
        cluster = kit.cluster(1, **change)
        kit.boards[1].wake(cluster.format, True)
        assert cluster.health_check().token > last, change


def test_blank_chips_begin_with_the_first_epoch():
    kit = Kit(2)
    kit.call(0, "format")
    assert kit.wake(0).epoch == 1


def test_one_used_chip_is_adopted():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        token = kit.rounds(3)[0].token
        size = kit.chips[1].part.size
        kit.chips[1].load(bytes(range(256)) * (size // 256))
        assert 1 not in kit.rounds(1)[0].eeproms
        others = [bytes(chip.data) for chip in kit.chips if chip is not kit.chips[1]]
        erased(kit, 0, eeprom=1)
        assert [bytes(chip.data) for chip in kit.chips if chip is not kit.chips[1]] == others
        last = kit.rounds(2)
        assert last[0].token == token and 1 in last[1].eeproms


def test_a_chip_is_not_adopted_if_the_others_are_no_quorum():
    kit = Kit(1)
    kit.rounds(2)
    images = kit.images()
    with raises(ClusterError, "eeprom 0", "quorum"):
        erased(kit, 0, eeprom=0)
    assert kit.images() == images


def test_a_short_write_while_formatting_is_made_again():
    kit = Kit(2)
    kit.rounds(2)
    board = kit.boards[0]

    def erase():
        board.short_write = 3
        kit.cluster(0).format(force=True)

    board.wake(erase)
    assert kit.wake(0).is_primary


def test_a_chip_that_keeps_nothing_is_named_and_the_others_are_formatted():
    kit = Kit(2, 3)
    kit.rounds(3)
    token = kit.wake(0).token
    kit.chips[2].write_protect = True
    with raises(ClusterError, "0x52", "does not keep", "WP"):
        kit.boards[0].wake(lambda: kit.cluster(0).format(force=True))
    kit.chips[2].write_protect = False
    assert kit.wake(0).token > token


def test_format_without_force_leaves_foreign_data_alone():
    kit = Kit(2)
    kit.chips[0].load(bytes(range(256)) * (kit.chips[0].part.size // 256))
    images = kit.images()
    with raises(FormatError, "0x50", "Not written"):
        kit.call(0, "format")
    assert kit.images() == images
