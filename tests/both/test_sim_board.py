"""Boards: wakes, clocks, supply, and the faults that can be planned."""

from eecluster_sim import DEEPSLEEP_RESET, HARD_RESET, PWRON_RESET, PowerLoss, World
from support import raises

MS = 1000000
S = 1000 * MS
BIT = 2500


def make(drift=0.0, part="24LC256", owned=False):
    world = World(1)
    board = world.add_board(3, drift=drift)
    chip = world.add_eeprom(part, 0x50, owner=board if owned else None)
    return world, chip, board


def write(board, data=b"abcdefgh", memaddr=0):
    board.i2c.writeto_mem(0x50, memaddr, data, addrsize=16)


def test_a_new_board():
    world, _, board = make()
    assert world.boards == [board]
    assert board.powered and board.reset_cause == PWRON_RESET and board.wakes == 0
    assert len(board.uid) == 6
    assert board.uid != world.add_board(4).uid
    assert world.add_board(5, uid=b"abcdef").uid == b"abcdef"


def test_wake_returns_and_counts():
    world, _, board = make()
    assert board.wake(lambda a, b: (a, b), 1, 2) == (1, 2)
    assert board.wakes == 1 and not board.crashed
    board.wake(board.timer.sleep_ms, 20)
    board.deep_sleep_s(10)
    board.wake(board.timer.sleep_ms, 3)
    assert board.stats.awake_ns == 23 * MS
    assert board.wakes == 3
    assert world.now_ns == 10 * S + 23 * MS
    board.stats.reset()
    assert board.stats.awake_ns == 0


def test_deep_sleep_inside_a_wake_is_not_awake():
    _, _, board = make(0.05)

    def work():
        board.timer.sleep_ms(3)
        board.deep_sleep_s(10)
        board.timer.sleep_ms(4)

    board.wake(work)
    assert board.stats.awake_ns == 7 * MS


def test_an_error_leaves_the_wake():
    _, _, board = make()
    with raises(OSError):
        board.wake(board.i2c.writeto, 0x51, b"")
    assert board.powered and board.stats.awake_ns == 11 * BIT


def test_reset_causes():
    _, _, board = make()
    causes = []

    def note():
        causes.append(board.reset_cause)

    board.wake(note)
    board.wake(note)
    board.deep_sleep_s(1)
    board.wake(note)
    board.power_off()
    board.deep_sleep_s(1)
    board.wake(note)
    assert causes == [PWRON_RESET, HARD_RESET, DEEPSLEEP_RESET, PWRON_RESET]


def test_i2c_is_new_in_each_wake():
    _, _, board = make()
    first = board.wake(lambda: board.i2c)
    assert board.wake(lambda: board.i2c) is not first


def test_deep_sleep_drifts():
    for drift, true_s in ((0.05, 945), (-0.05, 855), (0, 900)):
        world, _, board = make(drift)
        board.deep_sleep_s(900)
        assert world.now_ns == true_s * S
        assert board.clock() == 900
        board.deep_sleep_s(0.5)
        assert board.clock() == 900
        board.deep_sleep_s(0.5)
        assert board.clock() == 901


def test_clock_agrees_with_sleep_for_any_drift():
    for ppm in range(-50000, 50001, 7919):
        _, _, board = make(ppm / 1000000)
        for wakes in range(1, 20):
            board.deep_sleep_s(900)
            assert board.clock() == 900 * wakes


def test_clock_is_set_and_lost():
    world, _, board = make()
    assert board.clock() == 0
    board.set_clock(1000)
    world.advance_s(5)
    assert board.clock() == 1005
    board.set_clock(10)  # back
    assert board.clock() == 10
    board.power_off()
    board.power_on()
    assert board.clock() == 0
    board.rtc_s = 700
    board.power_off()
    world.advance_s(100)
    board.power_on()
    world.advance_s(1)
    assert board.clock() == 701


def test_timer():
    world, _, board = make(0.05)
    timer = board.timer
    timer.call_ns = 0
    timer.sleep_ms(7)
    timer.sleep_us(1500)
    timer.sleep_ms(-3)
    assert world.now_ns == 8500000
    assert timer.ticks_ms() == 8 and timer.ticks_us() == 8500
    board.deep_sleep_s(100)
    assert board.wake(timer.ticks_ms) == 0


def test_reading_the_ticks_takes_time():
    world, _, board = make()
    start = board.timer.ticks_us()
    loops = 0
    while board.timer.ticks_diff(board.timer.ticks_us(), start) < 100:
        loops += 1
        assert loops < 1000
    assert world.now_ns <= 102000


def test_ticks_wrap_at_2_to_30():
    _, _, board = make()
    timer = board.timer
    timer.call_ns = 0
    timer.offset_ns = ((1 << 30) - 5) * MS
    start = timer.ticks_ms()
    assert start == (1 << 30) - 5
    timer.sleep_ms(8)
    assert timer.ticks_ms() == 3
    assert timer.ticks_diff(timer.ticks_ms(), start) == 8
    assert timer.ticks_diff(start, timer.ticks_ms()) == -8
    assert timer.ticks_add(start, 8) == 3
    assert timer.ticks_add(3, -8) == start


def reached(n, moment, chip, board):
    """Two writes of eight bytes, the supply fails; what is stored of the two, and the time."""
    board.crash_at = (n, moment)
    done = []

    def work():
        write(board)
        done.append(1)
        board.timer.sleep_ms(5)
        write(board, b"ABCDEFGH", 64)
        done.append(2)

    assert board.wake(work) is None
    assert board.crash_at is None
    return len(done), bytes(chip.data[:8]), bytes(chip.data[64:72])


def test_crash_at_each_moment():
    none = b"\xff" * 8
    expected = {
        (0, "before"): (0, none, none),
        (0, "during"): (0, none, none),
        (0, "after"): (0, b"abcdefgh", none),
        (1, "before"): (1, b"abcdefgh", none),
        (1, "during"): (1, b"abcdefgh", none),
        (1, "after"): (1, b"abcdefgh", b"ABCDEFGH"),
        (2, "before"): (2, b"abcdefgh", b"ABCDEFGH"),
    }
    for (n, moment), result in expected.items():
        _, chip, board = make()
        assert reached(n, moment, chip, board) == result, (n, moment)
        assert board.crashed == (n < 2) and board.powered == (n == 2)


def test_time_of_a_crash():
    bits = 1 + 9 * 11 + 1
    for moment, ns in (("before", 0), ("during", bits * BIT // 2), ("after", bits * BIT)):
        world, _, board = make()
        board.crash_at = (0, moment)
        board.wake(write, board)
        assert world.now_ns == board.stats.awake_ns == ns, moment


def test_crash_after_a_nack():
    _, _, board = make()
    board.crash_at = (0, "after")
    assert board.wake(board.i2c.writeto, 0x51, b"") is None
    assert board.crashed


def test_crash_counts_transactions_of_every_kind():
    _, _, board = make()
    board.crash_at = (2, "before")

    def work():
        board.i2c.readfrom(0x50, 1)
        with raises(OSError):
            board.i2c.writeto(0x51, b"")
        assert board.crash_at == (0, "before")
        board.i2c.readfrom(0x50, 1)
        raise AssertionError("survived")

    board.wake(work)
    assert board.crashed


def test_a_bad_moment():
    _, _, board = make()
    with raises(ValueError, "sometimes", "during"):
        board.crash_at = (0, "sometimes")


def test_a_crash_that_was_not_reached_is_forgotten():
    _, _, board = make()
    board.crash_at = (5, "before")
    board.wake(write, board)
    assert board.crash_at is None and not board.armed
    board.timer.sleep_ms(5)
    for _ in range(9):
        board.i2c.readfrom(0x50, 1)


def test_after_a_crash_comes_a_power_up():
    _, _, board = make()
    board.deep_sleep_s(50)
    board.crash_at = (0, "before")
    board.wake(write, board)
    assert not board.powered and board.crashed
    assert board.wake(lambda: (board.reset_cause, board.clock())) == (PWRON_RESET, 0)
    assert board.powered and not board.crashed and board.wakes == 2


def test_the_dead_do_nothing_more():
    world, chip, board = make()
    errors = []

    def work():
        i2c = board.i2c
        try:
            write(board)
        except Exception:
            errors.append("PowerLoss is no Exception")
        finally:
            for act in (
                lambda: i2c.writeto_mem(0x50, 0, b"ghost", addrsize=16),
                lambda: board.make_i2c().writeto(0x50, b"\0\0ghost"),
                lambda: board.timer.sleep_ms(1),
                board.timer.ticks_ms,
                board.recover,
            ):
                try:
                    act()
                    errors.append("survived")
                except PowerLoss:
                    pass

    board.crash_at = (0, "before")
    board.wake(work)
    assert board.crashed
    assert errors == []
    assert chip.data[:16] == b"\xff" * 16


def test_an_i2c_object_does_not_survive_a_power_cut():
    _, chip, board = make()
    old = board.i2c
    board.power_off()
    board.power_on()
    with raises(PowerLoss):
        old.writeto(0x50, b"\0\0ghost")
    assert chip.page_writes == 0
    board.i2c.writeto(0x50, b"\0\0alive")
    assert chip.page_writes == 1


def test_power_loss_of_the_program_itself():
    _, _, board = make()

    def work():
        raise PowerLoss

    board.wake(work)
    assert not board.powered and board.crashed


def test_a_chip_on_the_supply_of_the_board():
    world, chip, board = make(owned=True)
    chip.tear = "erased"
    board.crash_at = (0, "after")
    board.wake(write, board)
    assert not chip.powered
    assert chip.data[:64] == b"\xff" * 64 and chip.page_writes == 1
    other = world.add_board(4)
    assert other.i2c.scan() == []
    board.power_on()
    assert chip.powered
    assert other.i2c.scan() == [0x50]
    board.wake(write, board)
    board.power_off()  # within the write time
    assert chip.data[:8] == b"\xff" * 8


def test_a_chip_on_its_own_supply_is_not_torn():
    _, chip, board = make()
    chip.tear = "erased"
    board.crash_at = (0, "after")
    board.wake(write, board)
    assert chip.powered and chip.data[:8] == b"abcdefgh"


def test_fram_keeps_half_of_a_write():
    _, chip, board = make(part="FM24W256")
    board.crash_at = (0, "during")
    board.wake(write, board)
    assert chip.data[:8] == b"ab" + b"\xff" * 6  # 5 of 11 bytes: chip address, address, two of data


def test_unreachable_is_for_one_board():
    world, chip, board = make()
    other = world.add_board(4)
    board.unreachable.add(0x50)
    assert board.i2c.scan() == [] and other.i2c.scan() == [0x50]
    with raises(OSError):
        write(board)
    board.crash_at = (0, "during")
    board.wake(write, board)
    assert chip.page_writes == 0
    board.unreachable.clear()
    assert board.wake(lambda: board.i2c.scan()) == [0x50]


def test_short_write():
    world, chip, board = make()
    board.short_write = 3
    assert board.i2c.readfrom(0x50, 1) == b"\xff"  # waits for a write
    assert board.short_write == 3
    board.stats.reset()
    write(board)
    assert chip.data[:8] == b"abc" + b"\xff" * 5
    assert board.stats.bytes == 1 + 2 + 3 + 1  # the fourth was sent, not acknowledged
    assert board.stats.bus_ns == (7 * 9 + 2) * BIT
    world.advance_s(1)
    write(board)
    assert chip.data[:8] == b"abcdefgh"
    world.advance_s(1)
    board.short_write = 4
    assert board.i2c.writeto(0x50, b"\0\0xyz") == 4
    assert chip.data[:3] == b"xyc"
    world.advance_s(1)
    board.short_write = 0
    write(board, b"nothing")
    assert chip.data[:3] == b"xyc"
    board.short_write = 99
    write(board, b"all")
    assert chip.data[:3] == b"all"


def outcomes(board, n):
    result = ""
    for _ in range(n):
        try:
            board.i2c.readfrom(0x50, 1)
            result += "."
        except OSError as error:
            result += "N" if error.errno == 19 else "T"
    return result


def test_fail_next():
    _, _, board = make()
    board.fail_next(2)
    assert outcomes(board, 4) == "NN.."
    board.fail_next(1, errno=116)
    assert outcomes(board, 2) == "T."
    board.fail_next(2, every=3)
    assert outcomes(board, 9) == "..N..N..."
    board.fail_next(5)
    board.fail_next(0)
    assert outcomes(board, 2) == ".."
    assert not board.armed


def test_a_failed_write_is_not_stored_unless_done():
    for done in (False, True):
        _, chip, board = make()
        board.fail_next(1, errno=264, done=done)
        with raises(OSError) as caught:
            write(board)
        assert caught.error.errno == 264
        assert chip.page_writes == int(done)


def test_planned_faults_combine():
    _, chip, board = make()
    board.fail_next(1)
    board.short_write = 2
    board.crash_at = (2, "before")
    with raises(OSError):
        write(board)
    write(board)
    assert chip.data[:8] == b"ab" + b"\xff" * 6
    with raises(PowerLoss):
        write(board)
    assert not board.armed


def test_a_stuck_bus_does_not_save_from_a_crash():
    world, _, board = make()
    world.bus.stuck = "scl"
    board.crash_at = (1, "after")

    def work():
        with raises(OSError):
            write(board)
        write(board)

    board.wake(work)
    assert board.crashed


def test_clocks_of_boards_are_their_own():
    world = World()
    slow, fast = world.add_board(0, drift=0.05), world.add_board(1, drift=-0.05)
    world.advance_s(21000)
    assert slow.clock() == 20000
    assert fast.clock() == 21000 * 20 // 19
