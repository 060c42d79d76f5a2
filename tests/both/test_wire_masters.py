"""The masters on the wires, one board at a time: bytes, errors, what they do to the lines."""

from eecluster import Cluster
from eecluster_sim import DRIVERS, World
from support import raises

US = 1000
MS = 1000000
SOFT = "softi2c"
ARBITRATING = "rp2040"
CLEARING = ("esp32-legacy", "esp32-idf55", "esp32-idf6")


def make(driver, wires=True, freq=400000, record=False):
    """(world, chip, board, its I2C)."""
    world = World(1, wires)
    chip = world.add_eeprom("24LC256", 0x50)
    board = world.add_board(0, driver, freq)
    world.bus.trace = []
    world.lines.record = [] if record else None
    return world, chip, board, board.make_i2c()


def errno_of(function, *args, **kwargs):
    with raises(OSError) as caught:
        function(*args, **kwargs)
    return caught.error.errno


def conditions(world, since=0):
    """START ("S") and STOP ("P") conditions in the record, with their times."""
    level = {"scl": 1, "sda": 1}
    found = []
    for ns, name, value in world.lines.record:
        if name == "sda" and level["scl"] and ns >= since:
            found.append((ns, "P" if value else "S"))
        if name in level:
            level[name] = value
    return found


def letters(world, since=0):
    return "".join(letter for _, letter in conditions(world, since))


def end_of(world, line):
    """The end of somebody on that line who is not a board."""
    return line.end("probe")


def released(world):
    bus = world.bus
    ends = list(bus.scl.ends.values()) + list(bus.sda.ends.values())
    world.lines.settle(world.now_ns + MS)
    return all(end.drives is None for end in ends) and bus.scl.level and bus.sda.level


def program(board, i2c):
    """What every master can do; returns all results, errors as their numbers."""
    results = []

    def attempt(function, *args, **kwargs):
        try:
            results.append(function(*args, **kwargs))
        except OSError as error:
            results.append(-error.errno)

    wait = board.timer.sleep_ms
    buf = bytearray(5)
    attempt(i2c.scan)
    attempt(i2c.writeto_mem, 0x50, 0x123, b"\x00\xffabc\x55", addrsize=16)
    attempt(i2c.readfrom_mem, 0x50, 0x123, 3, addrsize=16)  # busy writing
    attempt(i2c.writeto, 0x50, b"")
    wait(6)
    attempt(i2c.readfrom_mem, 0x50, 0x122, 8, addrsize=16)
    attempt(i2c.writeto, 0x50, b"\x01\x25")
    attempt(i2c.readfrom, 0x50, 2)
    attempt(i2c.readfrom_into, 0x50, buf)
    results.append(bytes(buf))
    attempt(i2c.writevto, 0x50, (b"\x00\x40", b"xy", bytearray(b"z")))
    wait(6)
    attempt(i2c.readfrom_mem_into, 0x50, 0x40, buf, addrsize=16)
    results.append(bytes(buf))
    attempt(i2c.writeto_mem, 0x50, 0x01, b"\x20pq")  # 8 bits of address, the chip takes 16
    wait(6)
    attempt(i2c.readfrom_mem, 0x51, 0, 1, addrsize=16)
    attempt(i2c.readfrom, 0x51, 1)
    attempt(i2c.readfrom, 0x51, 0)
    attempt(i2c.writeto, 0x51, b"abc")
    attempt(i2c.writeto_mem, 0x51, 0, b"abc", addrsize=16)
    return results


def test_all_do_what_the_transaction_level_does():
    for driver in DRIVERS:
        runs = []
        for wires in (False, True):
            world, chip, board, i2c = make(driver, wires)
            results = program(board, i2c)
            what = [entry[2:] for entry in world.bus.trace]
            runs.append((results, bytes(chip.data), chip.wear, what, board.stats.transactions))
            assert all(first < last for first, last, *_ in world.bus.trace), driver
        for k, (plain, wired) in enumerate(zip(*runs)):
            assert plain == wired, "{}, {}: {} {}".format(driver, k, plain, wired)
        assert chip.data[0x123:0x129] == b"\x00\xffabc\x55"
        assert released(world), driver


def test_the_trace_has_the_times_of_start_and_stop_on_the_lines():
    for driver in DRIVERS:
        world, _, board, i2c = make(driver, record=True)
        i2c.writeto_mem(0x50, 0x40, b"abc", addrsize=16)
        board.timer.sleep_ms(6)
        board.cpu.settle()
        made = len(conditions(world))
        i2c.readfrom_mem(0x50, 0x40, 3, addrsize=16)
        board.cpu.settle()
        found = conditions(world)
        assert letters(world)[made:] == "SSP", driver
        start_ns, end_ns, *_ = world.bus.trace[-1]
        assert start_ns == found[made][0], driver
        assert 0 <= end_ns - found[-1][0] <= 2 * US, driver
        assert board.stats.bytes == (1 + 2 + 3) + (1 + 2 + 1 + 3), driver


def test_bytes_of_all_kinds_arrive():
    for driver in (SOFT, ARBITRATING, CLEARING[0]):
        world, chip, board, i2c = make(driver)
        for at, block in ((0, bytes(range(64))), (64, bytes(range(192, 256))), (128, b"\0" * 64)):
            i2c.writeto_mem(0x50, at, block, addrsize=16)
            board.timer.sleep_ms(6)
            assert chip.data[at : at + 64] == block, driver
        assert i2c.readfrom_mem(0x50, 0, 192, addrsize=16) == chip.data[:192], driver


# SoftI2C


def test_the_constructor_of_softi2c_sends_a_stop_and_a_start_if_the_pins_were_high_before():
    world, _, board, _ = make(SOFT, record=True)
    board.cpu.settle()
    assert letters(world) == "P"
    board.make_i2c()
    board.cpu.settle()
    assert letters(world) == "PSP"


def test_the_others_are_made_without_a_touch():
    for driver in (ARBITRATING,) + CLEARING:
        world, _, board, _ = make(driver, record=True)
        board.make_i2c()
        board.cpu.settle()
        assert world.lines.record == [], driver


def test_a_bit_of_softi2c_takes_two_delays_and_four_pin_calls():
    # 400 kHz and 300 kHz: 500000 // freq is 1 us; 250 kHz: 2 us; 1 MHz: 0, so 1 us
    for freq, expected_ns in ((400000, 2400), (300000, 2400), (250000, 4400), (1000000, 2400)):
        world, _, board, i2c = make(SOFT, freq=freq)
        world.lines.record = []
        i2c.writeto(0x50, b"\xff\xff")  # edges of SCL within the third byte
        falls = [ns for ns, name, level in world.lines.record if name == "scl" and level == 0]
        assert [b - a for a, b in zip(falls[-8:-2], falls[-7:-1])] == [expected_ns] * 6, freq


def test_a_refused_data_byte_ends_a_write_without_an_error():
    for driver in (SOFT, ARBITRATING):
        world, chip, board, i2c = make(driver)
        refuse_after(world, 4)  # address, two of memory, one of data: the next is refused
        assert i2c.writeto_mem(0x50, 0x40, b"abcdef", addrsize=16) is None
        assert world.bus.trace[-1][6:] == (b"a", True), driver
        board.timer.sleep_ms(6)
        refuse_after(world, 4)
        assert i2c.writeto(0x50, b"\x00\x40xyz") == 3, driver
        assert released(world), driver
    for driver in CLEARING:
        world, chip, board, i2c = make(driver)
        refuse_after(world, 4)
        wrong = errno_of(i2c.writeto_mem, 0x50, 0x40, b"abcdef", addrsize=16)
        assert wrong == board.driver.nack, driver
        assert released(world), driver


def test_a_refused_memory_address_leaves_the_buffer_as_it_was():
    # soft: the STOP comes after an address; hardware: STOP at once, and then that
    for driver, expected in ((SOFT, "SSP"), (ARBITRATING, "SPSP")):
        world, chip, board, i2c = make(driver, record=True)
        board.cpu.settle()
        since_ns = world.now_ns + 1
        refuse_after(world, 2)
        buf = bytearray(b"before")
        i2c.readfrom_mem_into(0x50, 0, buf, addrsize=16)
        assert buf == b"before", driver
        board.cpu.settle()
        assert letters(world, since_ns) == expected, driver
        assert world.bus.trace[-1][6:] == (b"", True), driver
        assert released(world), driver


def refuse_after(world, count):
    """The chip at 0x50 stops to answer after so many bytes of the next transfer."""
    receiver = world.bus.receivers[world.chips[0]]
    acknowledge = receiver._acknowledge
    left = [count]

    def once(now_ns):
        if left[0]:
            left[0] -= 1
            acknowledge(now_ns)
        else:
            receiver._acknowledge = acknowledge
            receiver._later(now_ns, None)
            receiver._forget()
            world.bus.leave(receiver)

    receiver._acknowledge = once


def test_a_write_without_stop_holds_the_bus_where_the_driver_can():
    for driver in DRIVERS:
        world, chip, board, i2c = make(driver, record=True)
        chip.data[0x40:0x42] = b"ab"
        board.cpu.settle()
        since_ns = world.now_ns + 1
        assert i2c.writeto(0x50, b"\0\x40", False) == 2
        assert i2c.readfrom(0x50, 2) == b"ab"
        board.cpu.settle()
        assert letters(world, since_ns) == ("SPSP" if driver in CLEARING else "SSP"), driver


def test_a_write_of_no_bytes_is_made_by_software_on_the_rp2_alone():
    for driver, bit_ns in ((SOFT, 2400), (ARBITRATING, 4400), ("esp32-idf55", 2800)):
        world, chip, board, i2c = make(driver, record=True)
        i2c.writeto(0x50, b"")
        falls = [ns for ns, name, level in world.lines.record if name == "scl" and level == 0]
        assert falls[-3] - falls[-4] == bit_ns, driver


def test_new_objects_of_a_board_take_the_place_of_the_old_one():
    world, chip, board, i2c = make(ARBITRATING)
    listeners = len(world.bus.listeners)
    for _ in range(5):
        board.make_i2c()
    assert len(world.bus.listeners) == listeners


# Clock stretching and stuck lines


def test_a_stretched_clock_is_waited_for_up_to_the_timeout():
    for driver in DRIVERS:
        world, chip, board, i2c = make(driver)
        stretch(world, 40 * MS)
        i2c.writeto_mem(0x50, 0x40, b"abc", addrsize=16)
        assert chip.data[0x40:0x43] == b"abc", driver
        start_ns, end_ns, *_ = world.bus.trace[-1]
        assert 40 * MS < end_ns - start_ns < 41 * MS, driver
    for length_ns in range(1 * US, 20 * US, 130):
        world, chip, board, i2c = make(ARBITRATING, record=True)
        stretch(world, length_ns)
        i2c.writeto(0x50, b"\0\0")
        clock = [(ns, level) for ns, name, level in world.lines.record if name == "scl"]
        highs = [b[0] - a[0] for a, b in zip(clock, clock[1:]) if a[1]]
        assert min(highs) >= 1000, length_ns  # counted from when it really is high


def test_a_clock_stretched_too_long_is_a_timeout():
    for driver in DRIVERS:
        world, chip, board, i2c = make(driver)
        stretch(world, 70 * MS)
        before_ns = world.now_ns
        wrong = errno_of(i2c.writeto_mem, 0x50, 0x40, b"abc", addrsize=16)
        assert wrong == board.driver.timeout, driver
        assert 50 * MS <= world.now_ns - before_ns < 60 * MS, driver
        assert world.bus.trace == []
        world.advance_s(0.1)
        assert released(world), driver
        i2c.writeto_mem(0x50, 0x40, b"abc", addrsize=16)
        assert chip.data[0x40:0x43] == b"abc", driver


def stretch(world, length_ns):
    """Somebody holds SCL from its third fall on."""
    bus = world.bus
    left = [3]
    end = end_of(world, bus.scl)
    changed = bus.scl.changed

    def hold(now_ns, level):
        changed(now_ns, level)
        if level == 0:
            left[0] -= 1
            if left[0] == 0:
                end.drive(now_ns, 0)
                world.lines.at(now_ns + length_ns, end.drive, None)

    bus.scl.changed = hold


def test_stuck_lines():
    for driver in DRIVERS:
        world, chip, board, i2c = make(driver)
        world.bus.stuck = "scl"
        assert errno_of(i2c.writeto, 0x50, b"\0\0a") == board.driver.timeout, driver
        world.bus.stuck = None
        world.advance_s(0.1)
        i2c = board.make_i2c()
        assert i2c.readfrom_mem(0x50, 0, 2, addrsize=16) == b"\xff\xff", driver


def test_softi2c_takes_a_stuck_sda_for_acknowledges():
    world, chip, board, i2c = make(SOFT)
    world.bus.stuck = "sda"
    assert i2c.writeto(0x50, b"\0\0a") == 3
    assert i2c.readfrom(0x50, 2) == b"\0\0"


# A busy bus


def begin_foreign_transfer(world):
    """Somebody's START, address and half a byte of 0 are on the bus; SCL is low."""
    scl, sda = end_of(world, world.bus.scl), end_of(world, world.bus.sda)
    at = world.lines.at
    ns = world.now_ns + 1000
    at(ns, sda.drive, 0)
    for k in range(14):
        bit = 0xA0 >> (7 - k) & 1 if k < 8 else 0
        at(ns + 2000, scl.drive, 0)
        at(ns + 3000, sda.drive, None if bit or k == 8 else 0)
        at(ns + 4000, scl.drive, None)
        ns += 4000
    at(ns + 2000, scl.drive, 0)
    world.advance_s(0.0001)
    world.lines.settle(world.now_ns)
    return scl, sda


def test_an_arbitrating_master_waits_for_the_stop():
    world, chip, board, i2c = make(ARBITRATING)
    scl, sda = begin_foreign_transfer(world)
    stop_ns = world.now_ns + 20 * MS
    world.lines.at(stop_ns - 2 * US, scl.drive, None)
    world.lines.at(stop_ns, sda.drive, None)
    i2c.writeto_mem(0x50, 0, b"a", addrsize=16)
    start_ns = world.bus.trace[-1][0]
    assert stop_ns + 1300 <= start_ns <= stop_ns + 3000
    assert chip.data[0] == 0x61


def test_an_arbitrating_master_does_not_wait_for_ever():
    world, chip, board, i2c = make(ARBITRATING)
    begin_foreign_transfer(world)
    assert errno_of(i2c.writeto, 0x50, b"\0\0a") == board.driver.timeout
    assert 50 * MS <= world.now_ns <= 52 * MS


def test_one_that_was_made_in_the_middle_takes_the_bus_for_free():
    world, chip, board, _ = make(ARBITRATING)
    scl, sda = begin_foreign_transfer(world)
    now_ns = world.now_ns
    i2c = board.make_i2c()  # a board that wakes: its peripheral has not heard the START
    world.lines.at(now_ns + 1 * MS, scl.drive, None)
    world.lines.at(now_ns + 30 * MS, sda.drive, None)
    assert errno_of(i2c.writeto, 0x50, b"\0\0a") == board.driver.nack  # SDA is low: it has lost
    assert world.now_ns < now_ns + 2 * MS


def test_an_esp32_clears_a_busy_bus_and_goes_on():
    for driver in CLEARING:
        world, chip, board, i2c = make(driver, record=True)
        scl, sda = begin_foreign_transfer(world)
        since_ns = world.now_ns
        sda.drive(since_ns, None)
        world.lines.at(since_ns + 5 * US, scl.drive, None)  # the other one's next clock
        i2c.writeto_mem(0x50, 0x40, b"abc", addrsize=16)
        assert i2c.cleared == 1
        assert letters(world, since_ns) == "PSP", driver  # the first STOP is in the other's byte
        assert chip.data[0x40:0x43] == b"abc", driver


def test_an_esp32_gives_clocks_while_sda_is_low_but_nine_at_most():
    for released_us, clocks in ((9, 0), (40, 3), (104, 9)):  # 10.2 us each, from 13.2 us on
        world, chip, board, i2c = make("esp32-legacy", record=True)
        scl, sda = begin_foreign_transfer(world)
        scl.drive(world.now_ns, None)
        world.advance_s(0.000001)
        world.lines.settle(world.now_ns)
        since_ns = world.now_ns
        world.lines.at(since_ns + released_us * US, sda.drive, None)
        world.bus._following.clear()  # no chip listens
        errno_of(i2c.writeto, 0x51, b"a")
        stop_ns = [ns for ns, letter in conditions(world, since_ns + 5 * US) if letter == "P"][0]
        rises = [
            ns
            for ns, name, level in world.lines.record
            if name == "scl" and level and since_ns < ns <= stop_ns
        ]
        assert len(rises) == clocks + 1, released_us  # the STOP has one too


def test_the_legacy_driver_clears_at_each_tenth_nack_whatever_is_between():
    world, chip, board, i2c = make("esp32-legacy")
    for _ in range(9):
        errno_of(i2c.writeto, 0x51, b"a")
        i2c.writeto(0x50, b"\0\0")
    assert i2c.cleared == 0
    i2c = board.make_i2c()  # the count is static in the driver
    errno_of(i2c.writeto, 0x51, b"a")
    assert i2c.cleared == 1
    for _ in range(9):
        errno_of(i2c.writeto, 0x51, b"a")
    assert i2c.cleared == 1
    i2c.scan()  # 111 do not answer
    assert i2c.cleared == 1 + 12
    world, chip, board, i2c = make("esp32-idf55")
    i2c.scan()
    assert i2c.cleared == 0


# Supply, pauses, clock


def test_a_supply_that_fails_leaves_the_lines_let_go_and_the_chip_may_hold_sda():
    for driver in DRIVERS:
        for after_ns in range(3 * US, 400 * US, 37 * US):
            world, chip, board, i2c = make(driver)
            chip.fill(0)
            world.advance_s(0.001)
            dies_ns = world.now_ns + after_ns

            def die(now_ns):
                board.power_off()

            world.lines.at(dies_ns, die)
            board.wake(lambda: i2c.readfrom_mem(0x50, 0, 40, addrsize=16))
            assert board.crashed, driver
            assert world.now_ns <= dies_ns + 10 * US
            assert board.scl.end.drives is None and board.sda.end.drives is None
            world.lines.settle(world.now_ns + MS)
            assert world.bus.scl.level == 1
            end = end_of(world, world.bus.scl)
            end.drive(world.now_ns + 2 * MS, 0)  # somebody's clock moves nothing in it
            assert board.scl.end.drives is None, driver
            end.drive(world.now_ns + 3 * MS, None)
            world.lines.settle(world.now_ns + 4 * MS)
            held = world.bus.receivers[chip].end.drives == 0
            assert world.bus.sda.level == (0 if held else 1)
            if after_ns > 350 * US:
                assert held, driver


def test_a_dead_life_moves_nothing():
    for driver in DRIVERS:
        world, chip, board, i2c = make(driver, record=True)
        board.power_off()
        board.power_on()
        changes = len(world.lines.record)
        died = False
        try:
            i2c.scan()
        except BaseException as error:
            died = type(error).__name__ == "PowerLoss"
        assert died, driver
        assert len(world.lines.record) == changes


def test_pauses_come_inside_a_soft_transfer_only():
    lengths = {}
    for driver in (SOFT, ARBITRATING, "esp32-idf55"):
        world, chip, board, i2c = make(driver)
        board.cpu.pause_calls = 40
        board.cpu.pause_ns = 3 * MS
        board.cpu.apart_ns = 100 * US
        for _ in range(30):
            assert i2c.readfrom_mem(0x50, 0, 4, addrsize=16) == b"\xff\xff\xff\xff"
        times = [end_ns - start_ns for start_ns, end_ns, *_ in world.bus.trace]
        lengths[driver] = len(set(times))
        if driver == SOFT:
            shortest = min(times)
            assert sum(ns > shortest + 100 * US for ns in times) > 5
    assert lengths[SOFT] > 10
    assert lengths[ARBITRATING] == lengths["esp32-idf55"] == 1


def test_the_clock_error_of_the_board_is_in_its_bits():
    for driver in DRIVERS:
        times = []
        for rate_ppm in (0, 100000):
            world, chip, board, i2c = make(driver)
            board.cpu.rate_ppm = rate_ppm
            i2c.readfrom_mem(0x50, 0, 100, addrsize=16)
            start_ns, end_ns, *_ = world.bus.trace[-1]
            times.append(end_ns - start_ns)
        assert 107 <= times[1] * 100 // times[0] <= 110, (driver, times)


def test_each_call_costs_the_time_of_one_call():
    for driver in DRIVERS:
        world, chip, board, i2c = make(driver)
        for what, calls in ((i2c.scan, 1), (lambda: i2c.writeto(0x50, b"\0\0"), 1)):
            lengths = []
            for call_ns in (0, 1000 * US):
                board.cpu.call_ns = call_ns
                begin_ns = board.cpu.settle()
                what()
                lengths.append(board.cpu.settle() - begin_ns)
            assert (lengths[1] - lengths[0] + 500 * US) // MS == calls, (driver, lengths)


# A cluster


def test_a_cluster_works_on_every_master():
    for driver in DRIVERS:
        world = World(1, wires=True)
        for address in (0x50, 0x51):
            world.add_eeprom("AT24C256", address)
        boards = [world.add_board(node, driver) for node in (0, 1)]
        seen = []
        for board in boards + boards:
            seen.append(board.wake(report, board))
        assert seen == [
            ("primary", (0,)),
            ("standby", (0, 1)),
            ("primary", (0, 1)),
            ("standby", (0, 1)),
        ], (driver, seen)
        assert released(world)


def report(board):
    cluster = Cluster(
        board.make_i2c,
        (0x50, 0x51),
        board.node,
        nodes=2,
        uid=board.uid,
        clock=board.clock,
        timer=board.timer,
    )
    role = cluster.health_check().role
    return role, tuple(cluster.heartbeat().members)


def test_a_bus_that_is_cut_works_on_both_sides_and_is_mended():
    world = World(1, wires=True)
    near, far = (world.add_eeprom("AT24C256", address) for address in (0x50, 0x51))
    boards = [
        world.add_board(node, driver=driver) for node, driver in ((0, "softi2c"), (1, "rp2040"))
    ]
    i2cs = [board.make_i2c() for board in boards]
    bus = world.bus
    other = bus.cut((boards[1], far))
    assert [board.bus for board in boards] == [bus, other]
    for board, i2c, here, there in zip(boards, i2cs, (near, far), (0x51, 0x50)):
        i2c.writeto_mem(here.address, 7, bytes((board.node + 1,)), addrsize=16)
        with raises(OSError):
            i2c.readfrom_mem(there, 7, 1, addrsize=16)
    assert (near.data[7], far.data[7]) == (1, 2)
    bus.mend(other)
    world.advance_s(1)
    for i2c in i2cs + [board.make_i2c() for board in boards]:
        values = [i2c.readfrom_mem(address, 7, 1, addrsize=16) for address in (0x50, 0x51)]
        assert values == [b"\x01", b"\x02"]
