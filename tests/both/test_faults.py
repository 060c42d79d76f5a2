"""The fault table, a test for each row. Crashes and torn pages are in test_crashes.

That pages of other nodes and the rest of each chip stay as they were, and that tokens do not go
back, is checked by the kit at each wake.
"""

from cluster_kit import Kit
from eecluster import ConfigError, DuplicateNodeError, FormatError
from support import raises


def leaders(last):
    return [node for node in last if last[node].is_primary]


def kinds(status):
    return [event[:2] for event in status.events]


def cut(kit, *sides):
    """Cut the bus: each side is (nodes, chips) that reach each other."""
    everything = {0x50 + k for k in range(len(kit.chips))}
    for nodes, chips in sides:
        for node in nodes:
            kit.boards[node].unreachable = everything - {0x50 + k for k in chips}
    kit.cut = True


def mend(kit):
    for board in kit.boards:
        board.unreachable = set()


# Beginnings


def test_both_nodes_cold_start_together():
    total = 0
    for n in range(1000):
        kit = Kit(2)
        kit.between(0, n, lambda: kit.wake(1))
        kit.wake(0)
        kit.rounds(1)
        kit.settled()
        if kit.world.scheduler is not None:
            break
        total += 1
    assert 20 < total < 1000


def test_a_third_node_cold_starts_between_two():
    for n in range(0, 90, 5):
        kit = Kit(3)
        kit.between(0, n, lambda: cold_start_between(kit, n))
        kit.wake(0)
        kit.rounds(1)
        kit.settled()


def cold_start_between(kit, n):
    kit.between(1, 90 - n, lambda: kit.wake(2))
    kit.wake(1)


def test_all_eeproms_blank():
    kit = Kit(3)
    kit.rounds(3)
    for chip in kit.chips:
        kit.blank(chip)
    kit.highest = 0  # all memory is gone: documented, format(epoch=...) is the remedy
    kit.owners = {}
    last = kit.rounds(1)
    assert leaders(last) == [0] and last[0].epoch == 1
    assert kit.settled() == 0


def test_one_replaced_by_a_blank_one():
    for eeproms in (2, 3):
        for k in range(eeproms):
            kit = Kit(2, eeproms)
            kit.rounds(3)
            kit.blank(kit.chips[k])
            status = kit.wake(0)
            assert status.is_primary
            assert ("eeprom_lost", k) in kinds(status)
            assert kit.beats[0].eeproms == tuple(range(eeproms))
            assert kit.format.label_is_good(kit.chips[k].data, k)
            assert kit.wake(1).eeproms == tuple(range(eeproms))
            assert kit.settled() == 0


def test_a_majority_replaced_by_blank_ones_at_once_is_not_taken_for_the_cluster():
    kit = Kit(3)
    kit.rounds(3)
    token = kit.wake(0).token
    kit.blank(kit.chips[1])
    kit.blank(kit.chips[2])
    last = kit.rounds(2)
    assert all([s.token >= token for s in last.values()])


def test_one_back_after_a_year_with_its_old_content():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        old = bytes(kit.chips[0].data)
        kit.chips[0].plugged = False
        kit.rounds(3, (1,))  # node 0 dies with its chip
        kit.rounds(8)
        before = kit.wake(1)
        assert before.is_primary and before.eeproms == tuple(range(1, eeproms))
        kit.chips[0].load(old)
        kit.chips[0].plugged = True
        last = kit.rounds(2)
        assert leaders(last) == [1]
        assert last[1].token == before.token and last[1].dead == ()
        assert kit.settled() == 1
        assert last[1].eeproms == tuple(range(eeproms))


def test_one_back_with_old_content_while_the_others_are_gone():
    kit = Kit(2, 3)
    kit.rounds(3)
    old = bytes(kit.chips[0].data)
    kit.rounds(3, (1,))
    kit.rounds(4)
    kit.chips[0].load(old)
    for chip in kit.chips[1:]:
        chip.plugged = False
    images = kit.images()
    last = kit.rounds(3)
    assert [s.role for s in last.values()] == ["isolated"] * 2
    assert kit.images() == images


# Wrong chips


def test_one_with_foreign_data():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        kit.chips[1].fill(0x42)
        image = bytes(kit.chips[1].data)
        last = kit.rounds(5)
        assert leaders(last) == [0]
        assert ("eeprom_lost", 1) in kinds(last[0])
        assert last[1].eeproms == ((0,) if eeproms == 2 else (0, 2))
        assert bytes(kit.chips[1].data) == image


def test_foreign_data_in_a_cold_start():
    kit = Kit(2)
    kit.chips[1].fill(0x42)
    kit.chips[1].data[7] = 0x43  # of one value alone it would be a bus that is held
    images = kit.images()
    for _ in range(3):
        with raises(FormatError, "0x51", "format(force=True)"):
            kit.wake(0)
    assert kit.images() == images


def test_one_cloned_to_another_address():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        kit.chips[1].load(kit.chips[0].data)
        image = bytes(kit.chips[1].data)
        last = kit.rounds(5)
        assert leaders(last) == [0] and 1 not in last[0].eeproms
        assert ("eeprom_lost", 1) in kinds(last[0])
        assert bytes(kit.chips[1].data) == image
        assert kit.wake(1).role == "standby"


def test_two_swapped():
    """Each is a whole replica: its number goes with it."""
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        kit.world.bus.swap(kit.chips[0], kit.chips[1])
        last = kit.rounds(2)
        assert leaders(last) == [0]
        assert last[1].eeproms == tuple(range(eeproms))
        assert kit.newest(0)["revision"] == kit.format.newest(kit.chips[0].data, 0, 0)["revision"]
        kit.world.bus.swap(kit.chips[0], kit.chips[1])
        assert kit.settled() == 0


def test_one_at_the_address_of_another_that_is_gone():
    """It may be a copy: it is not used."""
    kit = Kit(2, 3)
    kit.rounds(3)
    kit.chips[0].plugged = False
    kit.world.bus.swap(kit.chips[0], kit.chips[1])
    assert kit.rounds(1)[1].eeproms == (2,)


# Two boards with one number


def test_two_boards_with_one_node_id():
    kit = Kit(2)
    kit.rounds(3)
    images = kit.images()
    with raises(DuplicateNodeError, "1", "reset_node"):
        kit.wake(1, uid=b"other!")
    assert kit.images() == images
    assert kit.settled() == 0


def test_two_boards_with_one_node_id_cold_start_together():
    for n in range(0, 100, 2):
        kit = Kit(1, 2)
        kit.cut = True  # two owners of one token is what this is about
        answers = []

        def other():
            answers.append(attempt(kit, b"other!"))

        kit.between(0, n, other)
        answers.append(attempt(kit, b"mine!!"))
        if not answers[1:]:
            answers.append(attempt(kit, b"other!"))
        for _ in range(2):  # at the latest one look later one of them keeps out
            answers = [attempt(kit, b"mine!!"), attempt(kit, b"other!")]
        assert sorted(answers) == ["keeps out", "primary"], (n, answers)


def attempt(kit, uid):
    try:
        return kit.wake(0, uid=uid).role
    except DuplicateNodeError:
        return "keeps out"


def test_a_board_is_replaced_and_reset_on_itself():
    kit = Kit(2)
    kit.rounds(3)
    kit.call(1, "reset_node", uid=b"newone")
    assert kit.wake(1, uid=b"newone").role == "standby"
    kit.wake(0)
    assert kit.wake(1, uid=b"newone").role == "standby"
    with raises(DuplicateNodeError):
        kit.wake(1)  # the old board must not come back


def test_a_board_is_replaced_and_reset_on_the_primary():
    kit = Kit(2)
    kit.rounds(3)
    kit.rounds(3, (0,))  # node 1 is dead
    kit.call(0, "reset_node", 1)
    assert kit.wake(1, uid=b"newone").role == "standby"
    kit.wake(0)
    assert kit.wake(1, uid=b"newone").role == "standby"
    with raises(DuplicateNodeError):
        kit.wake(1)


# Numbers that wrap


def test_sequence_wrap():
    kit = Kit(2)
    kit.rounds(2)
    for node in (0, 1):
        kit.patch(node, seq=253)
    kit.rounds(1)
    for _ in range(5):
        last = kit.rounds(1)
        assert leaders(last) == [0]
        assert last[0].members == last[1].members == (0, 1)
        assert last[0].suspects == last[1].suspects == ()
    seqs = kit.newest(0)["seqs"]
    assert 0 < seqs[0] < 10 and 0 < seqs[1] < 10


def test_sequence_wrap_while_an_eeprom_is_away():
    kit = Kit(2)
    kit.rounds(2)
    for node in (0, 1):
        kit.patch(node, seq=254)
    kit.rounds(1)
    kit.chips[0].plugged = False
    kit.rounds(4)
    kit.chips[0].plugged = True
    for _ in range(3):
        last = kit.rounds(1)
        assert leaders(last) == [0]
        assert last[0].suspects == last[1].suspects == ()
    assert kit.newest(0)["seqs"][0] < 20


def test_a_dead_node_is_still_noticed_at_the_wrap():
    kit = Kit(2)
    kit.rounds(2)
    kit.patch(0, seq=255)
    kit.wake(1)
    kit.rounds(2, (1,))
    assert kit.settled((1,)) == 1


# Chips that lie


def test_eeprom_that_acknowledges_and_stores_nothing():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        kit.chips[0].write_protect = True
        image = bytes(kit.chips[0].data)
        last = kit.rounds(3)
        assert leaders(last) == [0] and last[0].dead == last[0].suspects == ()
        assert ("eeprom_lost", 0) in kinds(last[0])
        kit.rounds(2, (1,))
        assert kit.settled((1,)) == 1
        assert bytes(kit.chips[0].data) == image
        kit.chips[0].write_protect = False
        kit.rounds(4)
        assert kit.settled() == 1


def test_all_eeproms_store_nothing():
    kit = Kit(2)
    for chip in kit.chips:
        chip.write_protect = True
    with raises(OSError, "0x50"):
        kit.wake(0)
    for chip in kit.chips:
        chip.write_protect = False
    kit.rounds(2)
    for chip in kit.chips:
        chip.write_protect = True
    with raises(OSError, "0x50"):
        kit.wake(0)


def test_eeprom_that_answers_garbage():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        kit.chips[0].fault = "garbage"
        last = kit.rounds(3)
        assert leaders(last) == [0] and last[0].dead == ()
        assert 0 not in last[0].eeproms
        assert ("eeprom_lost", 0) in kinds(last[0])
        kit.rounds(2, (1,))
        assert kit.settled((1,)) == 1
        kit.chips[0].fault = None
        kit.rounds(4)
        assert kit.settled() == 1
        assert kit.wake(1).eeproms == tuple(range(eeproms))


def test_bit_rot_in_one_copy():
    kit = Kit(2)
    kit.rounds(4)
    start = kit.images()
    for at in range(kit.format.slot_size):
        kit.restore(start)
        kit.chips[at & 1].flip(kit.format.address(0, at >> 1 & 1) + at, at & 7)
        last = kit.rounds(1)
        assert leaders(last) == [0]
        assert last[1].role == "standby" and last[1].dead == last[1].suspects == ()
    assert kit.settled() == 0


def test_bit_rot_in_both_copies():
    kit = Kit(2)
    kit.rounds(4)
    for copy in (0, 1):
        kit.chips[0].flip(kit.format.address(0, copy) + 9, 3)
    last = kit.rounds(2)
    assert leaders(last) == [0] and last[1].suspects == ()
    assert kit.format.slot(kit.chips[0].data, 0, 0, 0) and kit.format.slot(
        kit.chips[0].data, 0, 0, 1
    )


def test_bit_rot_in_both_copies_on_both_chips():
    for node in (0, 1):
        kit = Kit(2)
        kit.rounds(4)
        token = kit.wake(0).token
        for chip in kit.chips:
            for copy in (0, 1):
                chip.flip(kit.format.address(node, copy) + 9, 3)
        kit.rounds(3)
        kit.settled()
        assert kit.wake(0).token >= token  # the other node's record remembers it
        assert kit.wake(0).dead == ()


def test_nack_while_a_write_is_in_progress():
    for write_ms in (5, 10, 12):
        kit = Kit(2)
        for chip in kit.chips:
            chip.write_ns = write_ms * 1000000
        kit.rounds(3)
        assert kit.wake(0).eeproms == (0, 1)
        assert ("eeprom_lost", 0) not in kinds(kit.beats[0])
        kit.rounds(2, (1,))
        assert kit.settled((1,)) == 1


# Errors on the bus


def test_oserror_with_any_errno():
    for errno in (5, 19, 110, 116, 264, -1):
        kit = Kit(2)
        kit.rounds(3)
        for node in (0, 1):
            kit.boards[node].fail_next(20, errno, 3)  # each third transaction
            status = kit.wake(node)
            assert status.primary == 0 and status.eeproms == (0, 1)
            kit.boards[node].disarm()
        for node in (0, 1):
            kit.boards[node].fail_next(100000, errno)
            with raises(OSError) as caught:
                kit.wake(node)
            assert caught.error.args[0] == errno
            kit.boards[node].disarm()
        assert kit.settled() == 0


def test_drivers_of_all_ports():
    for driver in ("softi2c", "esp32-legacy", "esp32-idf55", "esp32-idf6", "rp2040"):
        kit = Kit(2, driver=driver)
        kit.rounds(3)
        kit.chips[0].plugged = False
        kit.rounds(3, (1,))
        assert kit.settled((1,)) == 1


def test_an_error_after_the_transfer_took_place():
    kit = Kit(2)
    kit.rounds(3)
    for n in range(1, 12):
        kit.boards[0].fail_next(5, 116, n, True)
        assert kit.wake(0).is_primary
        kit.boards[0].disarm()
        assert kit.wake(1).suspects == ()


def test_short_write_that_raises_nothing():
    for n in range(0, 64, 3):
        kit = Kit(2)
        kit.boards[0].short_write = n
        kit.wake(0)
        kit.rounds(2)
        kit.boards[0].short_write = n
        assert kit.wake(0).is_primary
        kit.boards[1].short_write = n
        assert kit.wake(1).eeproms == (0, 1)
        assert kit.settled() == 0


class ShortWriter:
    """An I2C object whose writes to some addresses never arrive in full, without an error."""

    def __init__(self, board, addresses):
        self.board = board
        self.addresses = addresses
        self.i2c = board.make_i2c()

    def __getattr__(self, name):
        return getattr(self.i2c, name)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.board.short_write = 5 if addr in self.addresses else None
        self.i2c.writeto_mem(addr, memaddr, buf, addrsize=addrsize)
        self.board.short_write = None

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self.i2c.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)


def test_sda_stuck_low():
    kit = Kit(2)
    kit.rounds(3)
    kit.world.bus.stuck = "sda"
    kit.world.bus.recoverable = False
    start = kit.world.now_ns
    for node in (0, 1):
        with raises(OSError, "0x50", "0x51"):
            kit.wake(node)
    assert kit.world.now_ns - start < 40 * 10**9  # bounded
    kit.world.bus.stuck = None
    assert kit.settled() == 0


def test_sda_stuck_low_and_recovered():
    kit = Kit(2)
    kit.rounds(3)
    for node in (0, 1):
        kit.world.bus.stuck = "sda"
        assert kit.wake(node, recover=kit.boards[node].recover).primary == 0
    assert kit.settled() == 0


def test_sda_stuck_low_after_the_look_and_recovered():
    kit = Kit(2)
    kit.rounds(3)

    def duty(cluster, status):
        kit.world.bus.stuck = "sda"
        assert cluster.confirm()

    assert kit.wake(0, duty, recover=kit.boards[0].recover).is_primary
    assert kit.world.bus.stuck is None
    assert kit.settled() == 0


def test_scl_stuck_low():
    kit = Kit(2)
    kit.rounds(3)
    kit.world.bus.stuck = "scl"
    calls = []
    with raises(OSError, "0x50"):
        kit.wake(0, recover=lambda: calls.append(1))
    assert calls == [1]
    kit.world.bus.stuck = None
    assert kit.settled() == 0


def test_bus_stuck_during_a_wake():
    for n in range(0, 40, 3):
        kit = Kit(2)
        kit.rounds(3)

        def stick():
            kit.world.bus.stuck = "scl"

        kit.between(0, n, stick)
        try:
            kit.wake(0)
        except OSError:
            pass
        kit.world.scheduler = None
        kit.world.bus.stuck = None
        kit.rounds(1)
        assert kit.settled() == 0


# Locks and company


class StuckLock:
    """What a busy line that is stuck active looks like."""

    def acquire(self, node_id, timeout_ms):
        return False

    def release(self):
        raise AssertionError("released, but never had")


def test_busy_line_stuck_active():
    kit = Kit(2)
    kit.rounds(3)
    for node in (0, 1):
        assert kit.wake(node, lock=StuckLock()).primary == 0
    assert ("lock_stuck", 0) in kinds(kit.beats[0])
    assert ("lock_stuck", 1) in kinds(kit.wake(0))


def test_lock_ignored_and_two_masters_at_once():
    takeover_between(2, 1)


def test_a_takeover_within_each_moment_of_the_primarys_wake():
    takeover_between(3, 3)


def takeover_between(boards, step):
    """The primary is slow: at each of its transactions the others take over; then it goes on."""
    others = range(1, boards)
    for n in range(0, 200, step):
        kit = Kit(boards)
        kit.rounds(3)
        published = len(kit.published)
        kit.between(0, n, lambda: kit.rounds(4, others))
        confirmed_before = []
        kit.run(0, slow_duty, kit, confirmed_before)
        if kit.world.scheduler is not None:
            kit.world.scheduler = None
            assert n > 15
            return
        assert [node for node, _ in kit.published[published:]][-1] == 1
        assert confirmed_before in ([], [0])
        kit.rounds(1)
        assert kit.settled() == 1
    raise AssertionError("the wake does not end")


def slow_duty(kit, confirmed):
    """Like a wake, but acts only if nobody did meanwhile: what is confirmed is on time."""
    cluster = kit.cluster(0)
    highest = kit.highest
    if cluster.health_check().is_primary and cluster.confirm() and kit.highest == highest:
        confirmed.append(0)
        kit.act(0, highest)
    cluster.heartbeat()


def test_a_slow_node():
    kit = Kit(2, interval=900)
    for _ in range(8):
        for node in (0, 1):
            status = kit.wake(node, lambda cluster, status: kit.world.advance_s(300))
            assert status.primary == 0 and status.dead == ()
            kit.world.advance_s(300)


def test_a_primary_that_hangs_after_confirm():
    kit = Kit(2)
    kit.rounds(3)

    def hang(cluster, status):
        kit.world.advance_s(4000)
        kit.rounds(4, (1,))

    old = kit.wake(0, hang)
    assert kit.wake(1).token > old.token  # what the consumer tells the two by
    assert kit.beats[0].role == "dead"
    assert kit.settled() == 1


def test_the_old_primary_comes_back():
    kit = Kit(2)
    kit.rounds(3)
    kit.rounds(4, (1,))
    for _ in range(6):
        assert leaders(kit.rounds(1)) == [1]
    assert kit.settled() == 1
    assert kit.wake(1).dead == ()


def test_a_flapping_node():
    kit = Kit(3)
    kit.rounds(3)
    kit.rounds(4, (0, 1))
    assert kit.wake(0).dead == (2,)
    for _ in range(6):
        kit.wake(2)
        assert kit.rounds(2, (0, 1))[0].dead == (2,)
    epoch = kit.rounds(1, (0, 1))[0].epoch
    kit.rounds(4)
    last = kit.rounds(1)
    assert last[0].dead == () and last[0].epoch == epoch == 2  # one token for one death


# Clocks


def live(kit, period_s, until_s, drifts, dead_from=None):
    """Each board wakes every `period_s` of its own clock. `dead_from`: node -> when it ends, s."""
    dead_from = dead_from or {}
    now_s = kit.world.now_ns // 10**9
    due = [now_s + 7 * i for i in range(len(kit.boards))]
    last = {}
    while True:
        node = due.index(min(due))
        if due[node] > until_s:
            return last
        if kit.world.now_ns < due[node] * 10**9:
            kit.world.now_ns = int(due[node] * 10**9)
        if due[node] < dead_from.get(node, until_s + 1):
            last[node] = kit.wake(node)
        due[node] += period_s * (1 + drifts[node])


def drifting(drifts, **options):
    kit = Kit(len(drifts), interval=900, **options)
    for board, drift in zip(kit.boards, drifts):
        board.drift_ppm = round(drift * 1000000)
        board.set_clock(0)
    return kit


def test_drift_at_the_stated_limit():
    for drifts in ((0.05, -0.05), (-0.05, 0.05), (0.05, 0, -0.05)):
        kit = drifting(drifts)
        last = live(kit, 900, 200 * 900, drifts)
        assert leaders(last) == [0]
        for status in last.values():
            assert status.dead == () and status.epoch == 1, status


def test_failover_with_drift():
    for drifts in ((0.05, -0.05), (-0.05, 0.05)):
        kit = drifting(drifts)
        last = live(kit, 900, 20 * 900, drifts, {0: 10 * 900})
        assert last[1].is_primary and last[1].dead == (0,)


def intervals(kit, count, nodes=(0, 1)):
    for _ in range(count):
        for node in nodes:
            last = kit.wake(node)
            kit.world.advance_s(10)
        kit.world.advance_s(900 - 20 * len(nodes))
    return last


def test_clock_set_back():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    assert kit.wake(1).suspects == (0,)
    kit.boards[1].set_clock(1000)
    kit.world.advance_s(900)
    status = kit.wake(1)
    assert status.suspects == () and not status.is_primary  # a new baseline
    kit.world.advance_s(900)
    assert kit.wake(1).suspects == (0,)
    kit.world.advance_s(900)
    assert kit.wake(1).is_primary


def test_clock_set_forward():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    kit.boards[1].set_clock(1000000)
    kit.world.advance_s(-880)  # right after its last look
    status = kit.wake(1)
    assert status.suspects == (0,) and status.dead == ()  # one strike too early, no more
    kit.world.advance_s(870)
    for _ in range(3):
        kit.wake(0)
        kit.world.advance_s(10)
        assert kit.wake(1).suspects == ()
        kit.world.advance_s(880)


def test_a_look_counts_after_seven_eighths_of_the_interval():
    kit = Kit(2, interval=800)
    for _ in range(3):
        kit.wake(0)
        kit.wake(1)
        kit.world.advance_s(780)
    kit.wake(1)
    assert kit.newest(1)["strikes"][0] == 1
    kit.world.advance_s(680)  # 690 s since then
    kit.wake(1)
    assert kit.newest(1)["strikes"][0] == 1
    assert kit.wake(1).is_primary  # 700 s


def test_observer_in_a_reset_loop():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    kit.wake(0)
    for _ in range(50):
        status = kit.wake(1)
        assert status.primary == 0 and status.suspects == () and status.dead == ()
    for _ in range(50):  # the supply fails too: the clock starts anew each time
        kit.boards[1].power_off()
        kit.boards[1].power_on()
        status = kit.wake(1)
        assert status.primary == 0 and status.suspects == () and status.dead == ()


def test_observer_in_a_reset_loop_that_never_beats():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    for _ in range(12):
        kit.wake(0)
        for _ in range(9):
            kit.world.advance_s(80)
            status = kit.wake(1, beat=False)
            assert status.primary == 0 and 0 not in status.dead


def test_primary_in_a_reset_loop():
    kit = Kit(2, interval=900)
    intervals(kit, 3)
    for _ in range(5):
        for _ in range(30):
            status = kit.wake(0)
            assert status.is_primary and 1 not in status.dead
            kit.world.advance_s(20)
        kit.wake(1)


# Bad wires and cut buses


def test_observer_with_a_bad_bus():
    kit = Kit(2, 3)
    kit.rounds(3)
    cut(kit, ((1,), (1,)))
    images = kit.images()
    for _ in range(5):
        assert kit.wake(1).role == "isolated"
    assert kit.images() == images
    mend(kit)
    kit.wake(0)
    kit.rounds(4)
    assert kit.settled() == 0


def test_observer_that_does_not_reach_the_others_chip():
    kit = Kit(2)
    kit.rounds(3)
    kit.boards[1].unreachable = {0x50}
    for _ in range(5):
        last = kit.rounds(1)
        assert leaders(last) == [0] and last[1].dead == () and last[0].dead == ()
    kit.boards[1].unreachable = set()
    assert kit.settled() == 0


def test_claimer_dies_between_write_and_read():
    kit = Kit(3)
    kit.rounds(3)
    kit.rounds(1, (1, 2))
    token = kit.wake(1, beat=False).token  # confirmed, no beat, and then never again
    assert token >> 3 == 2
    last = kit.rounds(3, (2,))
    assert last[2].is_primary and last[2].dead == (0, 1)
    assert kit.settled((2,)) == 2


def test_a_token_that_was_written_to_a_minority_only():
    kit = Kit(3)
    kit.rounds(3)
    kit.rounds(1, (1, 2))
    kit.cut = True
    writer = lambda: ShortWriter(kit.boards[1], {0x51, 0x52})  # noqa: E731
    status = kit.wake(1, i2c=writer, beat=False)
    assert not status.is_primary and status.epoch == 2
    kit.cut = False
    assert kit.wake(0).primary == 1  # the highest token names the primary, wherever it stands
    last = kit.rounds(3, (0, 2))
    assert last[2].is_primary and 1 in last[2].dead
    kit.rounds(4)
    assert kit.settled() == 2


def test_a_node_that_cannot_be_confirmed_does_not_look_alive():
    kit = Kit(3)
    kit.rounds(3)
    writer = lambda: ShortWriter(kit.boards[1], {0x51, 0x52})  # noqa: E731
    for _ in range(8):
        status = kit.wake(1, i2c=writer)
        assert not status.is_primary
        last = kit.wake(2)
    assert last.is_primary


def test_a_board_that_reaches_other_eeproms_than_its_peer():
    kit = Kit(2)
    kit.rounds(3)
    cut(kit, ((0,), (0,)), ((1,), (1,)))
    kit.rounds(4)  # two EEPROMs: a duplicate reading rather than none
    assert leaders(kit.rounds(1)) == [0, 1]
    mend(kit)
    kit.rounds(1)
    last = kit.rounds(1)
    assert leaders(last) == [0]  # the lowest numbered claimant


def test_a_board_that_reaches_other_eeproms_than_its_peer_with_a_majority():
    kit = Kit(2, 3)
    kit.rounds(3)
    kit.boards[0].unreachable = {0x52}
    kit.boards[1].unreachable = {0x50}
    for _ in range(4):
        last = kit.rounds(1)
        assert leaders(last) == [0] and last[0].dead == last[1].dead == ()
    kit.rounds(2, (1,))
    assert kit.settled((1,)) == 1
    kit.rounds(4)
    assert kit.settled() == 1


def test_an_isolated_board_that_goes_on_beating():
    kit = Kit(3)
    kit.rounds(3)
    kit.boards[0].unreachable = {0x51, 0x52}
    for _ in range(3):
        images = kit.images()
        assert kit.wake(0).role == "isolated"
        assert kit.beats[0].role == "isolated"
        assert kit.images() == images
        last = kit.rounds(1, (1, 2))
    assert last[1].is_primary and last[1].dead == (0,)
    kit.boards[0].unreachable = set()
    kit.rounds(4)
    assert kit.settled() == 1


def test_bus_cut_and_mended_2_2():
    kit = Kit(4)
    kit.rounds(3)
    token = kit.wake(0).token
    cut(kit, ((0, 1), (0, 1)), ((2, 3), (2, 3)))
    kit.cut = False
    images = kit.images()
    for _ in range(5):
        last = kit.rounds(1)
        assert [s.role for s in last.values()] == ["isolated"] * 4
    assert kit.images() == images
    mend(kit)
    last = kit.rounds(1)
    assert leaders(last) == [0] and last[0].token == token
    assert kit.settled() == 0
    assert kit.wake(3).dead == ()


def test_bus_cut_and_mended_2_3():
    kit = Kit(5)
    kit.rounds(3)
    cut(kit, ((0, 1), (0, 1)), ((2, 3, 4), (2, 3, 4)))
    kit.cut = False
    last = kit.rounds(3)
    assert leaders(last) == [2]
    assert last[2].dead == (0, 1)
    assert last[0].role == last[1].role == "isolated"
    mend(kit)
    for _ in range(6):
        assert leaders(kit.rounds(1)) == [2]
    assert kit.wake(2).dead == ()
    assert kit.settled() == 2


def test_bus_cut_with_two_eeproms_and_mended():
    for first in (0, 1):
        kit = Kit(2)
        kit.rounds(3)
        cut(kit, ((0,), (0,)), ((1,), (1,)))
        kit.rounds(4)
        mend(kit)
        kit.rounds(2, (first, 1 - first))
        last = kit.rounds(2)
        assert leaders(last) == [0]
        assert last[1].primary == 0
        kit.rounds(4)
        assert kit.wake(0).dead == ()
        assert kit.settled() == 0


# Ends


def test_last_member_dies_a_dead_one_returns():
    for boards in (2, 3):
        kit = Kit(boards)
        kit.rounds(3)
        for last_alive in range(1, boards):
            kit.rounds(4, range(last_alive, boards))
        assert kit.settled((boards - 1,)) == boards - 1
        looks = 0
        while not kit.wake(0).is_primary:
            looks += 1
            assert looks <= 1 + 2 + 3  # a baseline, then more than retries + readmit strikes
        assert kit.settled((0,)) == 0


def test_all_eeproms_lost_and_back():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.rounds(3)
        for chip in kit.chips:
            chip.plugged = False
        for node in (0, 1):
            with raises(OSError, "0x50", "0x51"):
                kit.wake(node)
        for chip in kit.chips:
            chip.plugged = True
        assert kit.settled() == 0
        assert kit.wake(0).dead == ()


def test_all_eeproms_lost_and_back_with_one_object():
    kit = Kit(2)
    kit.rounds(3)
    cluster = kit.cluster(0)
    cluster.health_check()
    for chip in kit.chips:
        chip.plugged = False
    with raises(OSError):
        kit.run(0, cluster.confirm)
    with raises(OSError):
        kit.run(0, cluster.health_check)
    for chip in kit.chips:
        chip.plugged = True
    assert kit.run(0, cluster.health_check).is_primary
    assert kit.run(0, cluster.confirm)


def test_an_eeprom_goes_silent_together_with_its_node():
    kit = Kit(2, owned=True)
    kit.rounds(3)
    kit.boards[0].power_off()
    status = kit.wake(1)  # no second chance
    assert status.is_primary and status.dead == (0,)


def test_an_eeprom_goes_silent_and_its_node_still_beats():
    kit = Kit(2)
    kit.rounds(3)
    kit.chips[0].plugged = False
    for _ in range(4):
        last = kit.rounds(1)
        assert leaders(last) == [0] and last[1].dead == last[1].suspects == ()
    # The loss is known now: a missed beat gets its second chance again.
    status = kit.wake(1)
    assert status.suspects == (0,) and status.dead == ()
    assert kit.wake(1).is_primary


def test_boards_with_different_configurations():
    changes = (
        ({"nodes": 3}, "nodes 2, not 3"),
        ({"quorum": "majority"}, "quorum 1, not 2"),
        ({"cluster_id": 7}, "cluster_id 0, not 7"),
        ({"page_size": 128}, "page_size 64, not 128"),
    )
    for change, text in changes:
        kit = Kit(2)
        kit.rounds(3)
        images = kit.images()
        with raises(ConfigError, "0x5", text, "boards alike"):
            kit.wake(1, **change)
        assert kit.images() == images
        assert kit.settled() == 0


def test_boards_with_another_number_of_eeproms():
    kit = Kit(2, 3)
    kit.rounds(3)
    images = kit.images()
    with raises(ConfigError, "0x5"):
        kit.wake(1, eeproms=(0x50, 0x51))
    assert kit.images() == images


def test_a_board_with_the_eeproms_in_another_order():
    """The labels tell which is which."""
    kit = Kit(2)
    kit.rounds(3)
    status = kit.wake(1, eeproms=(0x51, 0x50))
    assert (status.role, status.eeproms) == ("standby", (0, 1))
    assert kit.settled() == 0


def test_a_chips_label_damaged():
    kit = Kit(2)
    kit.rounds(3)
    start = kit.images()
    for at in range(20):
        kit.restore(start)
        kit.chips[0].flip(at, at & 7)
        last = kit.rounds(1)
        assert leaders(last) == [0] and last[1].eeproms == (0, 1)
        assert kit.format.label_is_good(kit.chips[0].data, 0)


def test_a_blank_chip_filled_while_a_peer_claims():
    for n in range(0, 60, 2):
        kit = Kit(3)
        kit.rounds(3)
        kit.rounds(1, (1, 2))
        kit.blank(kit.chips[2])
        kit.between(1, n, lambda: kit.wake(2))
        kit.wake(1)
        kit.world.scheduler = None
        kit.chips[0].plugged = False  # what was confirmed must be known without it
        last = kit.rounds(1)
        assert all([s.epoch >= 2 for s in last.values()]), last
        kit.chips[0].plugged = True
        kit.rounds(2, (1, 2))
        kit.settled((1, 2))


def test_a_request_of_reset_node_older_than_a_new_death():
    kit = Kit(3, readmit=None)
    kit.rounds(3)
    kit.rounds(4, (0, 1))
    assert kit.wake(0).dead == (2,)
    kit.call(1, "reset_node", 2)  # asked by node 1 ...
    assert kit.wake(0).dead == ()  # ... granted
    kit.wake(1)
    kit.rounds(2, (0, 1))
    assert kit.wake(0).dead == (2,)  # dead again: it never came
    kit.rounds(4)
    assert kit.wake(0).dead == (2,)  # it beats now, but nobody asked again
    assert kit.wake(2).role == "dead"


def test_a_request_of_reset_node_does_not_survive_a_takeover():
    kit = Kit(3, readmit=None)
    kit.rounds(3)
    kit.rounds(4, (0, 1))
    kit.call(1, "reset_node", 2)
    kit.rounds(3, (1,))
    kit.rounds(3, (1, 2))
    assert kit.wake(1).dead == (0, 2)


def test_duty_failing_on_every_board():
    kit = Kit(3)
    for _ in range(12):
        for node in range(3):
            status = kit.wake(node, done=False)
            assert status.dead == ()
    assert len({node for node, _ in kit.published}) == 3  # everybody has tried
    kit.rounds(3)
    kit.settled()


def test_cold_start_with_one_chip_missing():
    for eeproms in (2, 3):
        kit = Kit(2, eeproms)
        kit.chips[1].plugged = False
        kit.rounds(2)
        assert kit.settled() == 0
        kit.chips[1].plugged = True
        kit.rounds(2)
        assert kit.wake(1).eeproms == tuple(range(eeproms))
        assert kit.settled() == 0


def test_a_minority_token_beside_another_record_of_the_same_revision():
    """Crashes with parts of the chips out of reach leave two records of one revision."""
    kit = Kit(2, 5, retries=0)
    kit.rounds(3)
    board = kit.boards[1]

    def beat_on_the_last_two(cluster):
        cluster.health_check()
        board.unreachable = {0x50, 0x51, 0x52}
        cluster.heartbeat()
        board.unreachable = set()

    for _ in range(2):
        kit.wake(0)
        kit.run(1, beat_on_the_last_two, kit.cluster(1))
    # With only the others in reach it beats once more, then claims, and dies after the first chip.
    board.unreachable = {0x53, 0x54}
    kit.wake(1)
    writes = kit.chips[0].page_writes
    start = kit.images()
    for n in range(200):
        kit.restore(start)
        board.crash_at = (n, "after")
        kit.wake(1)
        if kit.chips[0].page_writes > writes:
            break
    tokens = [kit.format.newest(chip.data, k, 1)["token"] for k, chip in enumerate(kit.chips)]
    assert tokens == [22, 15, 15, 15, 15], tokens
    # What stands on one chip is not confirmed: what is must be known without that chip.
    board.unreachable = set()
    board.power_on()
    status = kit.wake(1, beat=False)
    kit.boards[0].unreachable = {0x50}
    other = kit.wake(0)
    assert not (status.is_primary and other.is_primary), (status, other)


def test_a_look_that_does_not_count_claims_nothing():
    """Strikes of earlier looks are no reason while a new beat is there to be seen."""
    kit = Kit(2, interval=900, readmit=None)
    intervals(kit, 3)
    intervals(kit, 3, (0,))
    intervals(kit, 3, (1,))  # dead by now, and it has counted three looks without a beat of node 0
    kit.world.advance_s(-870)  # right after its last look
    assert kit.wake(0).dead == (1,)
    kit.call(1, "reset_node")
    status = kit.wake(1)
    assert not status.is_primary and status.primary == 0
    assert kit.settled((0,)) == 0


def test_who_never_beat_does_not_take_over():
    kit = Kit(2)
    kit.rounds(3, (0,))

    def counts(cluster):
        cluster.health_check()
        cluster.reset_node(0)  # it has a slot now, but has never done anything

    for _ in range(4):
        kit.run(1, counts, kit.cluster(1))
    assert kit.newest(1)["strikes"][0] > 1
    assert not kit.wake(1).is_primary
    assert kit.wake(1).is_primary  # now it is a member


def test_a_boards_own_request_does_not_let_another_board_in():
    kit = Kit(2, readmit=None)
    kit.rounds(3)
    kit.rounds(3, (0,))
    kit.call(1, "reset_node")
    with raises(DuplicateNodeError):
        kit.wake(1, uid=b"newone")
    kit.wake(0)
    assert kit.wake(1).role == "standby"


def test_a_claim_that_only_others_remember_is_written_before_it_counts():
    kit = Kit(3)
    kit.rounds(3)
    kit.rounds(1, (1, 2))
    writer = lambda: ShortWriter(kit.boards[1], {0x51, 0x52})  # noqa: E731
    assert not kit.wake(1, i2c=writer, beat=False).is_primary
    assert kit.wake(2).primary == 1
    kit.blank(kit.chips[0])  # the only chip with the claim itself
    status = kit.wake(1, beat=False)
    assert status.is_primary and status.epoch >= 2
    assert ("split_brain", 0) not in kinds(status)  # node 0 was replaced, it is no rival
    for k in (1, 2):
        assert kit.format.newest(kit.chips[k].data, k, 1)["token"] == status.token
