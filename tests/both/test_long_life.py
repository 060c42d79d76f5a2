"""What a cluster meets in years: reset loops, boards that come and go or are replaced, settings
that differ, clocks that stand, a lock that does not lock, a crash right after an event was told.
"""

from cluster_kit import Kit
from eecluster import Cluster, DuplicateNodeError
from eecluster_sim import World
from support import raises


def intervals(kit, count, nodes=(0, 1), s=900):
    for _ in range(count):
        kit.world.advance_s(s)
        for node in nodes:
            kit.wake(node)


def writes(kit):
    return sum([chip.page_writes for chip in kit.chips])


def kinds(status):
    return [event[:2] for event in status.events]


def announce(kit, node):
    """A wake of the primary that announces all: what it told, without the joining."""
    found = []

    def duty(cluster, status):
        found.extend(kinds(status))
        assert cluster.announced(status.events) or not status.events

    kit.wake(node, duty)
    return [event for event in found if event[0] != "joined"]


# Wear


def test_a_board_in_a_reset_loop_writes_once_in_an_interval():
    for node in (0, 1):
        kit = Kit(2, interval=900)
        intervals(kit, 3)
        announce(kit, 0)
        for _ in range(3):
            kit.world.advance_s(450)
            kit.wake(1 - node)
            kit.world.advance_s(440)
            before = writes(kit)
            for _ in range(40):
                kit.wake(node)
            assert 0 < writes(kit) - before <= len(kit.chips), node


def test_nor_more_often_where_the_clock_begins_anew_at_each_boot():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    before = writes(kit)
    for _ in range(60):
        kit.boards[1].power_off()
        kit.boards[1].power_on()
        kit.wake(1)
    assert writes(kit) - before <= 2 * len(kit.chips)


def test_a_wake_between_two_looks_that_count_still_reports_once():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    seq = kit.newest(1)["seqs"][1]
    kit.world.advance_s(900)
    kit.wake(1, beat=False)  # a crash before the beat: the next wake makes up for it
    kit.wake(1)
    assert kit.newest(1)["seqs"][1] == seq + 1
    kit.wake(1)
    assert kit.newest(1)["seqs"][1] == seq + 1


# A node that comes and goes


def test_its_probation_grows_and_is_forgotten_after_a_good_while():
    kit = Kit(2, readmit=2)
    kit.rounds(3)
    looks = []
    for _ in range(4):
        kit.rounds(3, (0,))
        assert kit.wake(0).dead == (1,)
        n = 0
        while kit.wake(0).dead:
            kit.wake(1)
            n += 1
            assert n < 30
        looks.append(n)
        kit.rounds(1)
    assert looks == [2, 4, 8, 8]
    kit.rounds(3 * 130)
    kit.rounds(3, (0,))
    n = 0
    while kit.wake(0).dead:
        kit.wake(1)
        n += 1
    assert n == 2


def test_a_person_takes_it_back_with_a_clean_record():
    kit = Kit(2, readmit=2)
    kit.rounds(3)
    for _ in range(3):
        kit.rounds(3, (0,))
        kit.call(0, "reset_node", 1)
        kit.rounds(2, (1, 0))
    kit.rounds(3, (0,))
    assert kit.newest(0)["deaths"] == 1 << 2


# A replaced board


def test_a_request_means_a_board_and_the_old_one_is_not_let_in_again():
    """The old board is still powered, and reports before and after the new one."""
    for first in (1, "new"):
        kit = Kit(3)
        kit.rounds(3)
        kit.call(0, "reset_node", 1)
        new = {"uid": b"new one"}
        if first == 1:
            kit.wake(1)
            kit.rounds(1, (0, 2))
        assert kit.wake(1, **new).role == "standby"
        for _ in range(3):
            with raises(DuplicateNodeError, "node_id 1"):
                kit.wake(1)
            kit.rounds(1, (0, 2))
            assert kit.wake(1, **new).role == "standby"
        assert kit.wake(0).members == (0, 1, 2)


def test_a_board_can_be_replaced_again():
    kit = Kit(2)
    kit.rounds(3)
    for uid in (b"second", b"third"):
        kit.call(0, "reset_node", 1)
        for _ in range(3):
            assert kit.wake(1, uid=uid).role == "standby"
            kit.wake(0)
    with raises(DuplicateNodeError):
        kit.wake(1, uid=b"second")


def test_a_second_replacement_before_the_first_one_has_looked_again():
    kit = Kit(2)
    kit.rounds(3)
    kit.call(0, "reset_node", 1)
    kit.wake(1, uid=b"dies soon")
    kit.rounds(4, (0,))
    kit.call(0, "reset_node", 1)
    assert kit.wake(1, uid=b"third").role == "standby"
    with raises(DuplicateNodeError):
        kit.wake(1, uid=b"dies soon")


# Events


def test_the_end_is_told_of_what_was_told_right_before_a_crash():
    """Published, and the supply fails before announced()."""
    for what in ("eeprom", "node", "death"):
        kit = Kit(3, readmit=1)
        kit.rounds(3)
        announce(kit, 0)
        told = []

        def crash(cluster, status, told=told):
            told.extend(kinds(status))
            raise KeyboardInterrupt

        if what == "eeprom":
            kit.chips[2].plugged = False
        else:
            kit.rounds(1, (0, 1) if what == "death" else (1,))
        with raises(KeyboardInterrupt):
            kit.wake(0, crash)
        begun = {"eeprom": "eeprom_lost", "node": "suspect", "death": "dead"}[what]
        end = {"eeprom": "eeprom_back", "node": "recovered", "death": "readmitted"}[what]
        assert (begun, 2) in told, (what, told)
        kit.chips[2].plugged = True
        ends = []
        for _ in range(4):
            kit.rounds(1, (1, 2))
            ends += announce(kit, 0)
        assert ends.count((end, 2)) == 1, (what, ends)


def test_also_by_a_primary_that_has_taken_over():
    kit = Kit(3)
    kit.rounds(3)
    announce(kit, 0)
    kit.chips[2].plugged = False
    kit.wake(0)  # offered, perhaps told; and this board is gone
    kit.chips[2].plugged = True
    for _ in range(3):
        kit.rounds(1, (1, 2))
    assert ("eeprom_back", 2) in announce(kit, 1)


def test_a_key_is_used_once_whatever_is_formatted():
    kit = Kit(2)
    seen = []
    for life in range(3):
        kit.rounds(3)
        status = kit.wake(0)
        keys = [(event[0], event[1], event[3]) for event in status.events]
        assert ("joined", 1) in kinds(status)
        assert not set(keys) & set(seen)
        seen += keys
        kit.world.advance_s(1000 + life)
        if life == 1:
            for chip in kit.chips:
                kit.blank(chip)
            kit.owners = {}
            kit.highest = 0
        else:
            kit.boards[0].wake(kit.cluster(0).format, True)


# Settings and clocks


def test_a_board_that_is_set_otherwise_is_told_of():
    for options in ({"interval": 20}, {"retries": 3}, {"readmit": None}):
        kit = Kit(3, interval=900)
        kit.options["interval"] = 900
        for _ in range(3):
            kit.world.advance_s(900)
            kit.wake(0)
            kit.wake(1)
            kit.wake(2, **options)
        kit.world.advance_s(900)
        assert ("settings_differ", 2) in announce(kit, 0), options
        kit.world.advance_s(900)
        assert ("settings_differ", 2) not in announce(kit, 0)


def test_a_clock_that_stands_still_is_told_of():
    kit = Kit(2, interval=900)
    intervals(kit, 2)
    announce(kit, 0)
    stopped = {"clock": lambda: 5}
    found = []
    for _ in range(6):
        kit.world.advance_s(900)
        kit.wake(1, **stopped)
        found += announce(kit, 0)
    assert ("clock_stands", 1) in found
    assert ("dead", 1) not in found
    # the primary's own
    kit = Kit(2, interval=900)
    intervals(kit, 2)
    events = []
    for _ in range(6):
        kit.world.advance_s(900)
        events += kinds(kit.wake(0, **stopped))
        kit.wake(1)
    assert ("clock_stands", 0) in events


# A lock


class Shared:
    """It lets everybody in."""

    def acquire(self, node_id, timeout_ms):
        return True

    def release(self):
        pass


def test_a_lock_that_lets_others_in_is_told_of():
    """Another board writes between two looks of one hold."""
    found = []
    for n in range(0, 120, 6):
        kit = Kit(3, lock=Shared(), retries=0)
        kit.rounds(3)
        kit.wake(1)
        kit.between(2, n, lambda kit=kit: kit.wake(1))
        for _ in range(3):
            found += kinds(kit.wake(2))
    assert ("lock_open", 2) in found
    assert [event for event in found if event[0] == "lock_open"] == [("lock_open", 2)] * 10


def test_a_lock_that_locks_is_not():
    kit = Kit(3, lock=Shared(), retries=0)
    for _ in range(3):
        kit.rounds(3)
        kit.rounds(3, (1, 2))
        assert "lock_open" not in [event[0] for event in kit.wake(1).events + kit.wake(2).events]


def test_chips_with_one_address_byte_are_refused():
    world = World()
    board = world.add_board(0)
    with raises(ValueError, "size: expected 4096..65536, got 2048"):
        Cluster(board.i2c, (0x50,), 0, size=2048)
