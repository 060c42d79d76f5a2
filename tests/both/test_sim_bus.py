"""The I2C object and the bus: API, wire time, errors of the drivers, stuck lines, trace."""

from eecluster_sim import DRIVERS, Bus, Eeprom, World
from support import raises

MS = 1000000
BIT = 2500  # ns at 400 kHz


def make(driver="softi2c", part="24LC256"):
    world = World(1)
    chip = world.add_eeprom(part, 0x50)
    board = world.add_board(0, driver)
    return world, chip, board


def errno_of(function, *args, **kwargs):
    with raises(OSError) as caught:
        function(*args, **kwargs)
    return caught.error.errno


def test_write_and_read_with_16_bit_addresses():
    world, chip, board = make()
    assert board.i2c.writeto_mem(0x50, 0x123, b"abc", addrsize=16) is None
    assert chip.data[0x123:0x126] == b"abc"
    world.advance_s(1)
    assert board.i2c.readfrom_mem(0x50, 0x123, 3, addrsize=16) == b"abc"
    buf = bytearray(5)
    assert board.i2c.readfrom_mem_into(0x50, 0x122, buf, addrsize=16) is None
    assert buf == b"\xffabc\xff"
    view = memoryview(bytearray(8))
    board.i2c.readfrom_mem_into(0x50, 0x123, view[2:4], addrsize=16)
    assert bytes(view) == b"\0\0ab\0\0\0\0"


def test_plain_writes_and_reads():
    world, chip, board = make()
    assert board.i2c.writeto(0x50, b"\x00\x05hello") == 7
    assert chip.data[5:10] == b"hello"
    world.advance_s(1)
    assert board.i2c.writeto(0x50, b"\x00\x06") == 2
    assert board.i2c.readfrom(0x50, 2) == b"el"
    buf = bytearray(2)
    board.i2c.readfrom_into(0x50, buf)
    assert buf == b"lo"
    assert board.i2c.writevto(0x50, (b"\x00\x40", b"ab", bytearray(b"c"))) == 5
    assert chip.data[64:67] == b"abc"


def test_default_addrsize_is_8_as_in_micropython():
    world, chip, board = make()
    board.i2c.writeto_mem(0x50, 0x01, b"\x20xyz")  # the chip takes 0x20 for address
    assert chip.data[0x120:0x123] == b"xyz"
    world.advance_s(1)
    board.i2c.writeto(0x50, b"\x00\x20")
    assert board.i2c.readfrom_mem(0x50, 0x01, 3) == b"xyz"
    board.i2c.writeto_mem(0x50, 0x01300000, b"ab", addrsize=32)  # two of the four bytes are data
    assert chip.data[0x130:0x134] == b"\0\0ab"


def test_bad_addrsize_is_a_value_error():
    world, _, board = make()
    for addrsize in (12, 40, -8):
        with raises(ValueError, "addrsize"):
            board.i2c.writeto_mem(0x50, 0, b"a", addrsize=addrsize)
        with raises(ValueError, "addrsize"):
            board.i2c.readfrom_mem(0x50, 0, 1, addrsize=addrsize)
    assert world.now_ns == 0


def test_scan_finds_what_answers():
    world, chip, board = make()
    other = world.add_eeprom("24LC256", 0x53)
    assert board.i2c.scan() == [0x50, 0x53]
    chip.plugged = False
    assert board.i2c.scan() == [0x53]
    other.powered = False
    assert board.i2c.scan() == []
    assert world.now_ns == 3 * 112 * 11 * BIT


def test_wire_time_and_bytes():
    world, _, board = make()
    stats = board.stats

    def spent(function, *args, **kwargs):
        stats.reset()
        before_ns = world.now_ns
        function(*args, **kwargs)
        assert world.now_ns - before_ns == stats.bus_ns
        assert stats.transactions == 1
        world.advance_s(1)
        return stats.bus_ns // BIT, stats.bytes

    i2c = board.i2c
    assert spent(i2c.writeto, 0x50, b"") == (1 + 9 + 1, 1)
    assert spent(i2c.writeto, 0x50, b"abc") == (1 + 4 * 9 + 1, 4)
    assert spent(i2c.writeto_mem, 0x50, 0, b"x" * 64, addrsize=16) == (1 + 67 * 9 + 1, 67)
    assert spent(i2c.readfrom, 0x50, 4) == (1 + 5 * 9 + 1, 5)
    assert spent(i2c.readfrom_mem, 0x50, 0, 64, addrsize=16) == (1 + 27 + 1 + 65 * 9 + 1, 68)
    assert spent(i2c.readfrom_mem, 0x50, 0, 1) == (1 + 18 + 1 + 18 + 1, 4)
    with raises(OSError):
        spent(i2c.writeto_mem, 0x51, 0, b"x" * 64, addrsize=16)
    assert (stats.bus_ns // BIT, stats.bytes) == (11, 1)
    stats.reset()
    board.make_i2c(freq=100000).writeto(0x50, b"")
    assert stats.bus_ns == 11 * 10000


def test_busy_chip_does_not_answer():
    world, _, board = make()
    board.i2c.writeto_mem(0x50, 0, b"a", addrsize=16)
    stop_ns = world.now_ns
    assert errno_of(board.i2c.writeto, 0x50, b"") == 19
    world.now_ns = stop_ns + 5 * MS - 1
    assert errno_of(board.i2c.readfrom_mem, 0x50, 0, 1, addrsize=16) == 19
    world.now_ns = stop_ns + 5 * MS
    assert board.i2c.readfrom_mem(0x50, 0, 1, addrsize=16) == b"a"


def test_fram_answers_at_once():
    _, _, board = make(part="FM24W256")
    board.i2c.writeto_mem(0x50, 0, b"a", addrsize=16)
    assert board.i2c.readfrom_mem(0x50, 0, 1, addrsize=16) == b"a"


def test_errno_of_each_driver():
    expected = {
        "softi2c": (19, 116),
        "esp32-legacy": (19, 116),
        "esp32-idf55": (19, 19),
        "esp32-idf6": (264, 264),
        "rp2040": (5, 110),
    }
    assert sorted(expected) == sorted(DRIVERS)
    for driver, (nack, timeout) in expected.items():
        world, _, board = make(driver)
        assert errno_of(board.i2c.writeto, 0x51, b"a") == nack, driver
        assert errno_of(board.i2c.readfrom_mem, 0x51, 0, 1, addrsize=16) == nack, driver
        assert board.i2c.scan() == [0x50]
        world.bus.stuck = "sda"
        assert errno_of(board.i2c.writeto, 0x50, b"a") == timeout, driver


def test_unknown_driver():
    with raises(ValueError, "spi", "softi2c"):
        make("spi")


def test_read_of_nothing_from_nobody():
    for driver in ("esp32-idf55", "esp32-idf6"):
        assert make(driver)[2].i2c.readfrom(0x51, 0) == b""
    for driver in ("softi2c", "esp32-legacy", "rp2040"):
        errno_of(make(driver)[2].i2c.readfrom, 0x51, 0)


def test_stop_false_keeps_a_write_from_being_stored_only_where_it_is_honoured():
    for driver, stored in (("softi2c", False), ("esp32-legacy", True), ("esp32-idf55", True)):
        _, chip, board = make(driver)
        assert board.i2c.writeto(0x50, b"\0\0abc", False) == 5
        assert (chip.data[:3] == b"abc") == stored, driver
    _, chip, board = make()
    chip.load(b"abc")
    board.i2c.writeto(0x50, b"\0\x01", False)
    assert board.i2c.readfrom(0x50, 1) == b"b"


def test_stuck_lines():
    world, chip, board = make()
    for line in ("sda", "scl"):
        world.bus.stuck = line
        before_ns = world.now_ns
        board.stats.reset()
        with raises(OSError):
            board.i2c.writeto_mem(0x50, 0, b"a", addrsize=16)
        assert world.now_ns - before_ns == board.stats.bus_ns == 50 * MS
        assert board.stats.bytes == 0 and board.stats.transactions == 1
    assert chip.page_writes == 0
    assert board.i2c.scan() == []


def test_nine_clocks_free_sda_and_never_scl():
    world, _, board = make()
    world.bus.stuck = "sda"
    before_ns = world.now_ns
    board.recover()
    assert world.bus.stuck is None
    assert world.now_ns - before_ns == 11 * BIT
    assert board.i2c.scan() == [0x50]
    world.bus.stuck = "sda"
    world.bus.recoverable = False
    board.recover()
    assert world.bus.stuck == "sda"
    world.bus.recoverable = True
    world.bus.stuck = "scl"
    board.recover()
    assert world.bus.stuck == "scl"


def test_trace():
    world, _, board = make()
    board.i2c.writeto(0x50, b"")
    world.bus.trace = trace = []
    board.i2c.writeto_mem(0x50, 7, bytearray(b"ab"), addrsize=16)
    stop_ns = world.now_ns
    with raises(OSError):
        board.i2c.readfrom_mem(0x50, 7, 2, addrsize=16)
    world.now_ns = 10 * MS
    board.i2c.readfrom_mem(0x50, 7, 2, addrsize=16)
    board.i2c.readfrom(0x50, 1)
    start_ns = 11 * BIT
    assert trace == [
        (start_ns, start_ns + 47 * BIT, 0, "w", 0x50, 7, b"ab", True),
        (stop_ns, stop_ns + 11 * BIT, 0, "r", 0x50, 7, b"", False),
        (10 * MS, 10 * MS + 57 * BIT, 0, "r", 0x50, 7, b"ab", True),
        (10 * MS + 57 * BIT, 10 * MS + 77 * BIT, 0, "r", 0x50, None, b"\xff", True),
    ]


def test_transactions_follow_each_other():
    world, _, board = make()
    world.bus.free_at_ns = 3 * MS  # somebody else has the bus until then
    board.i2c.writeto(0x50, b"")
    assert world.now_ns == world.bus.free_at_ns == 3 * MS + 11 * BIT


def test_one_address_one_chip():
    world, chip, _ = make()
    with raises(ValueError, "0x50"):
        world.add_eeprom("24LC256", 0x50)
    assert world.chips == [chip]
    world.bus.remove(chip)
    assert world.chips == [] and world.bus.by_address == {}
    world.bus.add(chip)
    assert world.bus.by_address == {0x50: chip}


def test_chips_move_and_swap():
    bus = Bus()
    one, other = bus.add(Eeprom("24LC256", 0x50)), bus.add(Eeprom("24LC256", 0x51))
    with raises(ValueError, "0x51"):
        one.address = 0x51
    one.address = 0x52
    assert bus.by_address == {0x51: other, 0x52: one}
    bus.swap(one, other)
    assert (one.address, other.address) == (0x51, 0x52)
    assert bus.by_address == {0x51: one, 0x52: other}
    assert sorted(chip.address for chip in bus.chips) == [0x51, 0x52]


def test_garbage_over_the_bus():
    _, chip, board = make()
    chip.load(b"\0" * 64)
    chip.fault = "garbage"
    board.i2c.writeto_mem(0x50, 0, b"a", addrsize=16)
    assert board.i2c.readfrom_mem(0x50, 0, 64, addrsize=16) != b"\0" * 64
    assert chip.data[:64] == b"\0" * 64
