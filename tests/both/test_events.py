"""Events: what the primary is given to announce, once each, whoever is primary."""

from cluster_kit import Kit
from support import raises


def told(kit, node, kind=None):
    """What node offers in a wake, and announces: [(kind, node or EEPROM)]; or one kind of it."""
    offered = []

    def duty(cluster, status):
        offered.extend(status.events)
        cluster.announced(status.events)

    kit.wake(node, duty)
    return [event[:2] for event in offered if kind in (None, event[0])]


def quiet(boards=2, eeproms=None, **options):
    """A cluster in which everything was announced."""
    kit = Kit(boards, eeproms, **options)
    kit.rounds(2)
    told(kit, 0)
    kit.rounds(1, range(1, boards))
    assert told(kit, 0) == []
    kit.rounds(1, range(1, boards))
    return kit


def test_joined():
    kit = Kit(3)
    assert told(kit, 0) == []  # a member from its first beat
    kit.rounds(1, (1,))
    assert told(kit, 0) == [("joined", 0), ("joined", 1)]
    kit.rounds(1, (1, 2))
    assert told(kit, 0) == [("joined", 2)]
    kit.rounds(1, (1, 2))
    assert told(kit, 0) == []


def test_suspect_and_recovered():
    kit = quiet(retries=3)
    assert told(kit, 0) == []
    assert told(kit, 0) == [("suspect", 1)]
    assert told(kit, 0) == []
    kit.wake(1)
    assert told(kit, 0) == [("recovered", 1)]
    kit.wake(1)
    assert told(kit, 0) == []


def test_the_end_is_offered_of_what_may_have_been_told():
    """A crash between publishing and announced(): nobody knows whether it was published."""
    kit = quiet(retries=3)
    kit.wake(0)
    assert [event[0] for event in kit.wake(0).events] == ["suspect"]  # not announced
    kit.wake(1)
    assert told(kit, 0) == [("recovered", 1)]
    kit.wake(1)
    assert told(kit, 0) == []


def test_dead_and_readmitted():
    kit = quiet(3)
    kit.rounds(1, (0, 1))
    kit.rounds(1, (1,))
    assert told(kit, 0) == [("suspect", 2)]
    kit.rounds(1, (1,))
    assert told(kit, 0) == [("dead", 2)]
    kit.rounds(1, (1,))
    assert told(kit, 0) == []
    for _ in range(2):
        kit.rounds(1, (1, 2))
        assert told(kit, 0) == []
    kit.rounds(1, (1, 2))
    assert told(kit, 0) == [("readmitted", 2)]
    kit.rounds(1, (1, 2))
    assert told(kit, 0) == []


def test_a_second_death_is_announced_again():
    kit = quiet()
    kit.rounds(2, (0,))
    assert told(kit, 0) == [("dead", 1)]
    kit.rounds(4, (1, 0))
    kit.wake(1)
    assert told(kit, 0) == [("readmitted", 1)]
    kit.rounds(2, (0,))
    assert told(kit, 0) == [("dead", 1)]


def test_failover():
    kit = quiet(3)
    kit.rounds(1, (1, 2))
    status = kit.wake(1)
    assert status.is_primary
    assert [event[:3] for event in status.events] == [
        ("dead", 0, status.token),
        ("failover", 1, status.token),
    ]
    kit.wake(2)
    assert told(kit, 1) == [("dead", 0), ("failover", 1)]
    kit.wake(2)
    assert told(kit, 1) == []


def test_a_cold_start_is_no_failover():
    kit = Kit(2)
    for _ in range(4):
        assert ("failover", 0) not in told(kit, 0)
        kit.wake(1)


def test_stand_down_is_a_failover_without_a_death():
    kit = quiet()
    kit.wake(0, lambda cluster, status: cluster.stand_down())
    assert told(kit, 1) == [("failover", 1)]
    kit.wake(0)
    assert told(kit, 1) == []


def test_a_dead_primary_that_died_unannounced():
    kit = quiet(3)
    kit.rounds(2, (1, 2))  # node 1 leads and says nothing
    kit.rounds(2, (2,))
    kit.rounds(1, (2,))
    events = kit.wake(2).events
    assert [event[:2] for event in events] == [("dead", 0), ("dead", 1), ("failover", 2)]


def test_split_brain():
    for first in (0, 1):
        kit = quiet()
        token = mended(kit)
        offered = []
        for _ in range(8):  # whoever looks first, and although the loser overwrites its claim
            for node in (first, 1 - first):
                offered.extend(kit.wake(node, announce).events)
        splits = {event for event in offered if event[0] == "split_brain"}
        assert len(splits) == 1, offered
        assert splits.pop()[:3] == ("split_brain", 1, token)
        told_again = [e for e in offered if e[0] == "split_brain"]
        assert len(told_again) == 1  # it was announced at once


def announce(cluster, status):
    cluster.announced(status.events)


def mended(kit):
    """Both nodes lead on their side of a cut bus, then it is mended: the token of node 1."""
    kit.boards[0].unreachable = {0x51}
    kit.boards[1].unreachable = {0x50}
    kit.cut = True
    kit.rounds(3)
    token = kit.wake(1).token
    for board in kit.boards:
        board.unreachable = set()
    return token


def test_split_brain_is_found_when_the_loser_looks_often_first():
    kit = quiet()
    token = mended(kit)
    kit.wake(1)
    kit.wake(1)  # its slot no longer carries the claim, in neither copy
    offered = kit.wake(0).events
    assert ("split_brain", 1, token) in [event[:3] for event in offered]


def test_an_ordinary_takeover_is_no_split_brain():
    kit = quiet(3)
    kit.rounds(3, (1, 2))
    kit.rounds(8)
    kit.rounds(3, (2,))
    kit.rounds(8)
    for node in range(3):
        assert told(kit, node, "split_brain") == []


def test_eeprom_lost_and_back():
    kit = quiet(2, 3)
    kit.chips[2].plugged = False
    assert told(kit, 0) == [("eeprom_lost", 2)]
    kit.wake(1)
    assert told(kit, 0) == []
    kit.wake(1)
    kit.chips[2].plugged = True
    assert told(kit, 0) == []  # it answers, but does not hold the cluster's state yet
    kit.wake(1)
    assert told(kit, 0) == [("eeprom_back", 2)]
    kit.wake(1)
    assert told(kit, 0) == []


def test_lock_stuck_on_the_primary():
    class Lock:
        free = False

        def acquire(self, node_id, timeout_ms):
            return self.free

        def release(self):
            pass

    kit = quiet()
    kit.options["lock"] = lock = Lock()
    assert told(kit, 0) == [("lock_stuck", 0)]
    del kit.options["lock"]
    kit.wake(1)
    kit.options["lock"] = lock
    assert told(kit, 0) == []  # still stuck: said already
    lock.free = True
    kit.wake(1)
    assert told(kit, 0) == []
    lock.free = False
    kit.wake(1, lock=None)
    assert told(kit, 0) == [("lock_stuck", 0)]  # anew


def test_lock_stuck_on_a_standby():
    class Lock:
        def acquire(self, node_id, timeout_ms):
            return False

        def release(self):
            pass

    kit = quiet()
    kit.wake(1, lock=Lock())
    assert told(kit, 0) == [("lock_stuck", 1)]
    kit.wake(1)
    assert told(kit, 0) == []
    kit.wake(1)
    assert told(kit, 0) == []
    kit.wake(1, lock=Lock())
    assert told(kit, 0) == [("lock_stuck", 1)]


def test_duplicate_id():
    """Two boards with one id write the same revision to different chips: it takes bad luck."""
    kit = quiet(2)
    # The other board's write reaches chip 1 only, as after two cold starts at once.
    image = bytes(kit.chips[1].data)
    kit.wake(1, uid=kit.boards[1].uid)
    kit.chips[1].load(image)
    for copy in (0, 1):
        slot = kit.format.slot(kit.chips[0].data, 0, 1, copy)
        other = kit.format.slot(kit.chips[1].data, 1, 1, copy)
        if slot["revision"] > other["revision"]:
            kit.format.patch(
                kit.chips[1].data, 1, 1, copy, revision=slot["revision"], uid=0xFFFFFFFF
            )
    assert told(kit, 0) == [("duplicate_id", 1)]
    kit.wake(1)
    assert told(kit, 0, "duplicate_id") == []
    kit.rounds(2, (1, 0))
    assert told(kit, 0, "duplicate_id") == []


# Keys


def keys(events):
    return [(event[0], event[1], event[3]) for event in events]


def test_an_event_is_offered_under_the_same_key_until_it_is_announced():
    kit = Kit(2)
    kit.rounds(2)
    first = keys(kit.wake(0).events)
    assert first == [("joined", 0, first[0][2]), ("joined", 1, first[0][2])]
    for _ in range(3):
        kit.wake(1)
        assert keys(kit.wake(0).events) == first
    kit.wake(1)
    told(kit, 0)
    kit.wake(1)
    assert kit.wake(0).events == ()


def test_heartbeat_offers_what_health_check_offers():
    kit = Kit(2)
    kit.rounds(2)
    events = kit.wake(0).events
    assert events and kit.beats[0].events == events


def test_the_next_announcement_has_another_key():
    kit = quiet(2, 3)
    kit.chips[2].plugged = False
    lost = keys(kit.wake(0).events)
    kit.wake(1)
    told(kit, 0)
    kit.chips[2].plugged = True
    kit.rounds(1, (1, 0, 1))
    assert told(kit, 0) == [("eeprom_back", 2)]
    kit.chips[2].plugged = False
    kit.wake(1)
    again = keys(kit.wake(0).events)
    assert lost[0][:2] == again[0][:2] == ("eeprom_lost", 2)
    assert lost[0][2] != again[0][2]


def test_a_crash_between_publishing_and_announced_repeats_the_key():
    kit = Kit(2)
    kit.rounds(2)
    seen = []

    def publish(cluster, status):
        seen.append(keys(status.events))
        kit.boards[0].crash_at = (0, "before")
        cluster.announced(status.events)

    kit.wake(0, publish)
    kit.wake(1)
    kit.wake(0, lambda cluster, status: seen.append(keys(status.events)))
    assert seen[0] == seen[1] != []


def test_what_is_left_out_is_offered_again():
    kit = Kit(2)
    kit.rounds(2)
    before = kit.wake(0, lambda cluster, status: cluster.announced(status.events[:1])).events
    kit.wake(1)
    after = kit.wake(0).events
    assert [event[:2] for event in after] == [event[:2] for event in before[1:]]


def test_what_was_not_announced_survives_a_failover_under_the_same_key():
    kit = Kit(3)
    kit.rounds(2)
    before = keys(kit.wake(0).events)
    kit.rounds(3, (1, 2))
    after = keys(kit.wake(1).events)
    for key in before:
        assert key in after or key[1] == 0  # that one has not joined, it is dead


def test_what_was_announced_survives_a_failover():
    kit = quiet(3)
    for chip in kit.chips[:1]:
        chip.plugged = False  # and one EEPROM less
    told(kit, 0)
    kit.rounds(3, (1, 2))
    assert told(kit, 1) == [("dead", 0), ("failover", 1)]
    kit.rounds(3, (2,))
    assert told(kit, 2) == [("dead", 1), ("failover", 2)]


def test_announced_twice_is_no_harm():
    kit = Kit(2)
    kit.rounds(2)

    def twice(cluster, status):
        cluster.announced(status.events)
        cluster.announced(status.events)

    assert kit.wake(0, twice).events
    kit.wake(1)
    assert kit.wake(0).events == ()


def test_announced_nothing_writes_nothing():
    kit = quiet()
    images = kit.images()
    kit.call(0, "announced", ())
    assert kit.images() == images


def test_announced_something_else():
    kit = Kit(2)
    kit.rounds(2)
    bad = (
        [("nonsense", 0, 15, 0)],
        [("joined", 300, 15, 0)],
        [("joined", -1, 15, 0)],
        [5],
        [("joined", 0, 15, 0), ("nonsense", 0, 15, 0)],
    )

    def duty(cluster, status):
        for events in bad:
            with raises(ValueError, "events"):
                cluster.announced(events)

    before = kit.wake(0, duty).events
    kit.wake(1)
    assert kit.wake(0).events == before != ()


def test_a_newcomer_does_not_wind_the_announcements_back():
    for n in (3, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF):
        kit = Kit(3)
        kit.rounds(2, (0, 1))
        told(kit, 0)
        for node in (0, 1):
            kit.patch(node, n=n)
        kit.rounds(1, (0, 1))
        kit.wake(2)
        kit.rounds(1, (1,))
        assert ("joined", 2) in told(kit, 0), n


def test_order_of_kinds():
    kit = Kit(3)
    kit.rounds(2)
    kit.chips[2].plugged = False
    kit.rounds(3, (0, 1))
    names = [event[0] for event in kit.wake(0).events]
    assert names == ["joined", "joined", "dead", "eeprom_lost"]


def test_another_event_never_has_the_key_of_an_announced_one():
    """Also when the application publishes some kinds only and never announces the others."""
    kit = Kit(2)
    kit.rounds(2)
    seen = []

    def duty(cluster, status):
        mine = [event for event in status.events if event[0] in ("dead", "readmitted")]
        seen.extend(keys(mine))
        cluster.announced(mine)

    for _ in range(3):
        for _ in range(3):
            kit.wake(0, duty)
        for _ in range(13):  # a third readmission takes four times as long
            kit.wake(1)
            kit.wake(0, duty)
        kit.wake(1)
    assert [key[0] for key in seen] == ["dead", "readmitted"] * 3
    assert len(set(seen)) == 6, seen
