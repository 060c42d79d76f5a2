"""What once went wrong, a test for each: its name says what must hold, its docstring what did not.

That pages of other nodes and the rest of each chip stay as they were, and that tokens do not go
back, is checked by the kit at each wake.
"""

from cluster_kit import Kit
from eecluster import Cluster, DuplicateNodeError
from support import raises

DAY_S = 24 * 3600


class Lock:
    """Can be had or not, as `free` says."""

    def __init__(self):
        self.free = True

    def acquire(self, _node, _timeout_ms):
        return self.free

    def release(self):
        pass


def quiet(**options):
    """Two nodes, of which 0 is primary; everything was announced."""
    kit = Kit(2, **options)
    kit.rounds(2)
    kit.wake(0, lambda cluster, status: cluster.announced(status.events))
    assert kit.rounds(1, (1, 0))[0].events == ()
    kit.wake(1)
    return kit


# Looking


def test_an_eeprom_that_stops_answering_in_mid_look_is_no_part_of_the_quorum():
    """It counted as soon as one valid copy was read. With a stale chip beside it that made a
    quorum, in which the token that stood in the copies not read was unknown: two primaries.
    """
    kit = Kit(3)
    kit.rounds(2)
    kit.chips[0].plugged = False
    kit.rounds(2, (1, 2))
    assert kit.wake(1).token == 22  # node 1 took over, on the EEPROMs 1 and 2 only
    kit.chips[0].plugged = True
    kit.chips[2].plugged = False
    board = kit.boards[0]
    images = kit.images()
    isolated = informed = 0
    for n in range(200):
        kit.between(0, n, lambda: board.unreachable.add(0x51))
        status = kit.call(0, "health_check")
        was_cut = kit.world.scheduler is None
        kit.world.scheduler = None
        board.unreachable = set()
        kit.restore(images)
        if not was_cut:
            break
        assert not status.is_primary, (n, status)
        if status.role == "isolated":
            isolated += 1
        else:
            assert status.token == 22, (n, status)
            informed += 1
    assert isolated > 5 and not was_cut
    assert status.token == 22 and status.eeproms == (0, 1)


def test_a_torn_page_on_one_eeprom_hides_no_record_on_the_others():
    """A page with two blank bytes, the first and the place, passed for a blank one though the
    rest of its head was written. The intact copies on the other EEPROMs have that head: they
    were taken for known and never read, and the highest token was missed.
    """
    kit = Kit(3)
    kit.rounds(2, (0, 1))
    kit.wake(1)
    assert kit.wake(1, beat=False).token == 22  # it took over, and died before its beat
    f = kit.format
    data = kit.chips[0].data
    slots = [f.slot(data, 0, 1, copy) for copy in (0, 1)]
    copy = [slot and slot["token"] for slot in slots].index(22)
    at = f.address(1, copy)
    data[at] = data[at + 16] = 0xFF  # the write was torn: these two bytes were only erased
    assert f.slot(data, 0, 1, copy) is None
    status = kit.wake(0, beat=False)
    assert not status.is_primary
    assert (status.primary, status.token) == (1, 22)


def test_a_look_of_a_week_ago_is_not_relied_on():
    """The age of the look was negative by then, so it passed for a new one, and the heartbeat
    wrote to a foreign chip. Only a board that stays awake for so long has seen it.
    """
    for days in (1, 7, 12, 13):  # ticks_diff() is negative from 6.2 to 12.4 days
        kit = Kit(2)
        kit.rounds(2)
        kit.boards[1].wake(look_and_beat_later, kit, days)


def look_and_beat_later(kit, days):
    cluster = kit.cluster(1)
    assert cluster.health_check().eeproms == (0, 1)
    kit.world.advance_s(days * DAY_S)
    chip = kit.chips[1]
    chip.fill(0x42)  # another one is in its place
    writes = chip.page_writes
    status = cluster.heartbeat()
    assert chip.page_writes == writes, days
    assert status.eeproms == (0,), days


# Calls


def test_format_with_an_epoch_does_not_take_over_another_boards_slot():
    """It accepted the record of the board that has this node id, wrote its own over it, and the
    rightful board was the one that was refused then.
    """
    kit = Kit(2)
    kit.rounds(2)
    images = kit.images()
    with raises(DuplicateNodeError, "node_id 1"):
        kit.call(1, "format", False, 50, uid=b"other")
    assert kit.images() == images
    assert kit.wake(1).role == "standby"


def test_format_raises_if_no_eeprom_answers():
    """It returned as if all was well."""
    kit = Kit(2)
    for chip in kit.chips:
        chip.plugged = False
    with raises(OSError, "no EEPROM answers", "0x50", "0x51"):
        kit.call(0, "format")


def test_announced_takes_any_iterable_of_events():
    """The check of the events used a generator up: nothing was recorded, but the counter in the
    events moved on, so the same events came again under a new key and were published twice.
    """
    for wrap in (iter, lambda events: (event for event in events), reversed):
        kit = Kit(2)
        kit.rounds(1)
        offered = []

        def duty(cluster, status, wrap=wrap, offered=offered):
            offered.extend(status.events)
            cluster.announced(wrap(status.events))

        kit.wake(0, duty)
        assert [event[:2] for event in offered] == [("joined", 0), ("joined", 1)]
        assert kit.rounds(1, (1, 0))[0].events == ()


def test_announced_refuses_an_event_that_is_too_short():
    """IndexError instead of ValueError."""
    kit = Kit(2)
    kit.rounds(2)
    images = kit.images()
    for event in ((), ("joined",), [], ["dead"]):
        with raises(ValueError, "events"):
            kit.call(0, "announced", [event])
    assert kit.images() == images


def test_a_lock_that_fails_after_the_look_is_reported():
    """Only a look took note of it. The calls after it went to the bus without the lock, and
    nobody was told.
    """
    for name in ("heartbeat", "announced", "confirm", "bus"):
        kit = quiet()
        kit.run(0, stuck_in, kit, name)
        events = kit.rounds(1, (1, 0))[0].events
        assert [event[:2] for event in events] == [("lock_stuck", 0)], name


def stuck_in(kit, name):
    """A wake of the primary in which this call, and only this one, does not get the lock."""
    lock = Lock()
    cluster = kit.cluster(0, lock=lock)
    assert cluster.health_check().is_primary
    lock.free = False
    if name == "bus":
        with cluster.bus():
            pass
    elif name == "announced":
        cluster.announced([("joined", 1)])
    else:
        getattr(cluster, name)()
    lock.free = True
    if name != "heartbeat":
        cluster.heartbeat()


# Arguments and errors


def test_an_oserror_without_an_errno_ends_in_oserror():
    """IndexError: a user's I2C object may raise `OSError()`."""

    class I2C:
        def readfrom_mem_into(self, *_args, **_options):
            raise OSError()

        writeto_mem = readfrom_mem_into

    kit = Kit(2)
    for name in ("health_check", "heartbeat", "format", "stand_down"):
        with raises(OSError, "no EEPROM answers", "0x50"):
            kit.call(0, name, i2c=I2C())


def test_an_address_that_is_a_list_is_a_value_error():
    """TypeError: unhashable."""
    for eeproms in ([[1]], ([0x50],), [{}], ([0x50], 0x51)):
        with raises(ValueError, "eeproms"):
            Cluster(print, eeproms, 0)


def test_a_replaced_board_is_accepted_although_the_old_one_had_just_reported():
    """The old board's last beat was taken for the first one of the new board."""
    kit = Kit(2)
    kit.rounds(3)
    node0 = kit.cluster(0)
    node0.health_check()  # it sees the last beat of the old board
    node0.reset_node(1)
    node0.heartbeat()
    assert kit.cluster(1, uid=b"another").health_check().role == "standby"


# Chips exchanged in the middle of a wake


def exchanged_in_the_duty(exchange):
    """The primary is busy when somebody exchanges chips: (what they hold, before and after its
    beat, its Status).
    """
    kit = Kit(2, 3)
    kit.rounds(3)
    cluster = kit.cluster(0)
    assert cluster.health_check().is_primary
    kit.world.advance_s(900)
    exchange(kit)
    before = kit.images()
    status = cluster.heartbeat()
    return before, kit.images(), status


def test_a_chip_is_replaced_by_a_copy_of_another_one_in_the_duty():
    """The second look compared check sums, which are the same on a copy: it was written to."""

    def clone(kit):
        kit.chips[2].load(kit.chips[1].data)

    before, after, status = exchanged_in_the_duty(clone)
    assert after[2] == before[2]
    assert (status.role, status.eeproms) == ("primary", (0, 1))


def test_two_chips_are_swapped_in_the_duty():
    def swap(kit):
        one, other = bytes(kit.chips[1].data), bytes(kit.chips[2].data)
        kit.chips[1].load(other)
        kit.chips[2].load(one)

    before, after, status = exchanged_in_the_duty(swap)
    assert (status.role, status.eeproms) == ("primary", (0, 1, 2))
    assert after[0] != before[0]
    for number, k in ((1, 2), (2, 1)):  # written as what they are
        assert Kit(2, 3).format.newest(after[k], number, 0)["seqs"][0] == 4
