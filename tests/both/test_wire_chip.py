"""A chip's two pins, bit by bit, against the data sheets.

AT24C256: Device Operation, Device Addressing, Write Operations, Read Operations. 24LC256: 4.0 Bus
Characteristics, 5.0 Device Addressing, 6.0 Write Operations, 7.0 Acknowledge Polling. M24256 (ST)
says where a STOP counts. FM24CL64B (FRAM): Memory Operation. UM10204: the bus.
"""

from wire_kit import HELLO, PinMaster, changes, make

US = 1000
MS = 1000000
DEAD_MIDWAY = range(9)  # clocks into a byte at which the master goes away


def idle(world):
    """Nobody drives a line."""
    world.lines.settle(world.now_ns + 2 * US)
    return world.bus.scl.level == 1 and world.bus.sda.level == 1


def holds_sda(world, chip):
    """Whether the chip drives SDA low now."""
    world.lines.settle(world.now_ns + 2 * US)
    return world.bus.sda.end(chip).drives == 0


def dies(master):
    """The master's board loses its supply, with SCL low for long enough and SDA let go."""
    master.board.timer.sleep_us(2)
    master.board.cpu.settle()
    master.board.power_off()


def cut_read(master, chip, clocks):
    """A read of 0x00 bytes whose master has gone after so many clocks of the first data byte."""
    chip.fill(0)
    assert master.call(chip.address, 1)
    master.clocks(clocks)
    dies(master)


# Address, acknowledge, START, STOP (AT24C256: Device Addressing; 24LC256: 4.5, 5.0)


def test_only_the_own_address_is_acknowledged():
    for own in (0x50, 0x53, 0x57):
        world, chip, master = make(address=own)
        for address in range(128):
            for reads in (0, 1):
                acked = master.call(address, reads)
                assert acked == (address == own), (own, address, reads)
                if acked and reads:
                    assert master.take(False) == HELLO[address - own]
                    chip.pointer = 0
                master.stop()
                assert idle(world)
        assert chip.data[:5] == HELLO and chip.page_writes == 0


def test_master_codes_are_not_acknowledged():
    """0000 1nnn (UM10204 5.3.2): eight masters may arbitrate with them, and no chip answers."""
    world, _chip, master = make(record=True)
    for code in range(8):
        master.start()
        assert not master.send(0x08 | code)
        master.stop()
        assert idle(world)
    assert changes(world, "sda/0x50") == []


def test_each_byte_of_a_write_is_acknowledged_and_stored():
    world, chip, master = make()
    assert master.write(0x50, b"\x00\x10abc") == 5
    assert chip.data[0x10:0x13] == b"abc" and chip.page_writes == 1
    assert idle(world)


def test_the_write_time_begins_with_stop():
    world, chip, master = make(record=True)
    master.write(0x50, b"\x00\x10abc")
    stop_ns = changes(world, "sda")[-1][0]
    assert world.bus.scl.level == 1
    assert chip.busy_until_ns == stop_ns + 5 * MS


def test_bytes_for_another_chip_are_not_heard():
    """Data that looks like its own address byte is no address (AT24C256: Device Addressing)."""
    world, chip, master = make(record=True)
    other = world.add_eeprom("24LC256", 0x51)
    raw = bytes([0x01, 0x00]) + bytes([0xA2, 0xA3, 0xA0] * 3)
    assert master.write(0x50, raw) == len(raw)
    assert chip.data[0x100:0x109] == raw[2:]
    assert other.page_writes == 0 and changes(world, "sda/0x51") == []
    assert world.bus.receivers[other].sending is False


def test_clocks_without_start_are_ignored():
    world, _chip, master = make(record=True)
    for _ in range(3):
        master.bits("101000001")  # would be its address
        master.bits("101000011")
    assert changes(world, "sda/0x50") == []


def test_stop_ends_the_transfer():
    """After STOP only a START counts (24LC256: 4.3)."""
    _, chip, master = make()
    assert master.write(0x50, b"\x00\x10") == 2
    assert not master.send(ord("x"))
    master.stop()
    assert chip.page_writes == 0 and chip.pointer == 0x10


# Reads (AT24C256: Read Operations)


def test_random_and_sequential_read():
    _, _chip, master = make()
    assert master.read_at(0x50, 1, 1) == b"e"
    assert master.read_at(0x50, 0, 5) == HELLO


def test_current_address_read_goes_on():
    _, _chip, master = make()
    assert master.read_at(0x50, 1, 2) == b"el"
    assert master.read(0x50, 1) == b"l"
    assert master.read(0x50, 1) == b"o"


def test_sequential_read_rolls_over_at_the_end_of_the_chip():
    _, chip, master = make()
    chip.data[-2:] = b"yz"
    assert master.read_at(0x50, 0x7FFE, 5) == b"yzhel"
    assert master.read(0x50, 1) == b"l"


def test_all_byte_values_pass():
    _, chip, master = make()
    for start in range(0, 256, 64):
        raw = bytes(range(start, start + 64))
        chip.busy_until_ns = 0
        assert master.write(0x50, bytes([0x02, start]) + raw) == 66
        chip.busy_until_ns = 0
        assert master.read_at(0x50, 0x0200 + start, 64) == raw


def test_not_acknowledged_is_the_end_of_a_read():
    """The master that wants no more does not acknowledge; the chip lets SDA go."""
    world, chip, master = make()
    chip.fill(0)
    assert master.call(0x50, 1)
    assert master.take(True) == 0 and master.take(False) == 0
    assert not holds_sda(world, chip)
    assert master.clocks(20) == [1] * 20


def test_a_repeated_start_ends_a_read():
    world, chip, master = make()
    chip.fill(0xFF)  # so that SDA is free for a START within the byte
    assert master.call(0x50, 1) and master.take(True) == 0xFF
    master.clocks(3)
    assert master.read_at(0x50, 0, 2) == b"\xff\xff"
    assert idle(world)


# Writes (AT24C256: Write Operations; 24LC256: 6.0)


def test_roll_over_stays_in_the_page():
    _, chip, master = make()
    assert master.write(0x50, b"\x00\x7eABCD") == 6
    assert chip.data[0x7E:0x80] == b"AB" and chip.data[0x40:0x42] == b"CD"
    assert chip.data[0x80:0x82] == b"\xff\xff"


def test_during_the_write_time_nothing_is_acknowledged():
    """Acknowledge polling (24LC256: 7.0)."""
    world, chip, master = make(record=True)
    master.write(0x50, b"\x00\x10abc")
    until_ns = chip.busy_until_ns
    polls = 0
    while True:
        started_ns = world.now_ns
        acked = master.call(0x50, 0)
        master.stop()
        if acked:
            break
        polls += 1
        assert polls < 100
    assert polls > 10
    start_ns = [ns for ns, level in changes(world, "sda") if not level and ns >= started_ns][0]
    assert start_ns >= until_ns
    assert master.read_at(0x50, 0x10, 3) == b"abc"


def test_a_start_during_the_write_time_is_not_heard():
    """It is ready in the middle of the address byte, but has missed the START."""
    world, chip, master = make()
    chip.busy_until_ns = world.now_ns + 50 * US
    master.start()
    assert world.now_ns < chip.busy_until_ns
    assert not master.send(0xA0)
    assert world.now_ns > chip.busy_until_ns
    master.stop()
    assert master.call(0x50, 0)


def test_other_chips_answer_during_the_write_time():
    world, chip, master = make()
    world.add_eeprom("24LC256", 0x51).load(b"other")
    master.write(0x50, b"\x00\x10abc")
    assert world.now_ns < chip.busy_until_ns
    assert master.read(0x51, 5) == b"other"


def test_stop_within_a_byte_writes_nothing():
    """A STOP counts in the tenth bit's place only (M24256: Write Operations)."""
    for n in range(1, 8):
        for level in "01":
            world, chip, master = make()
            assert master.call(0x50, 0)
            assert master.send(0) and master.send(0x10) and master.send(ord("x"))
            master.bits(level * n)
            master.stop()
            assert chip.page_writes == 0 and chip.busy_until_ns == 0, (n, level)
            assert chip.data[0x10] == 0xFF
            assert idle(world)
            assert master.read(0x50, 1) == b"\xff", (n, level)
            assert chip.pointer == 0x11


def test_stop_within_the_address_bytes_writes_nothing():
    for sent in (b"", b"\x00", b"\x00\x10"):
        for n in range(8):
            world, chip, master = make()
            assert master.call(0x50, 0)
            for byte in sent:
                assert master.send(byte)
            master.bits("1" * n)
            master.stop()
            assert chip.page_writes == 0 and chip.busy_until_ns == 0 and idle(world)
            assert master.read_at(0x50, 0, 5) == HELLO


def test_start_before_stop_forgets_the_data_and_keeps_the_address():
    for n in range(8):
        _, chip, master = make()
        assert master.call(0x50, 0)
        for byte in b"\x00\x01xyz":
            assert master.send(byte)
        master.bits("1" * n)
        assert master.read(0x50, 2) == HELLO[1:3], n
        assert chip.page_writes == 0 and chip.data[:5] == HELLO


def test_write_protect_is_acknowledged_and_not_stored():
    """WP high: the chip answers, and is ready at once (24LC256: 6.3)."""
    _, chip, master = make()
    chip.write_protect = True
    assert master.write(0x50, b"\x00\x00abc") == 5
    assert master.read_at(0x50, 0, 5) == HELLO


def test_garbage_acknowledges_and_keeps_nothing():
    _, chip, master = make()
    chip.fault = "garbage"
    assert master.write(0x50, b"\x00\x00abc") == 5
    first, second = master.read_at(0x50, 0, 16), master.read_at(0x50, 0, 16)
    assert first != second and first[:5] != HELLO
    assert chip.data[:5] == HELLO


# FRAM: no write time, and each byte that is complete is stored


def test_fram_is_ready_at_once():
    _, chip, master = make("FM24CL64B")
    assert master.write(0x50, b"\x00\x3eABCD") == 6
    assert master.call(0x50, 0)
    assert master.read_at(0x50, 0x3E, 4) == b"ABCD"
    assert chip.data[0x40:0x42] == b"CD"  # no pages to roll over in


def test_fram_keeps_complete_bytes_whatever_follows():
    """To give up a write, START or STOP must come before the eighth bit (Memory Operation)."""

    def start(_world, _chip, master):
        master.start()

    def stop(_world, _chip, master):
        master.stop()

    def no_power(world, chip, _master):
        chip.lose_power(world.now_ns)

    def dead_master_and_no_power(world, chip, master):
        dies(master)
        chip.lose_power(world.now_ns)

    for ending in (start, stop, no_power, dead_master_and_no_power):
        for n in range(8):
            world, chip, master = make("MB85RC256V")
            assert master.call(0x50, 0)
            for byte in b"\x00\x00ab":
                assert master.send(byte)
            master.bits("0" * n)
            ending(world, chip, master)
            assert chip.data[:5] == b"abllo", (ending, n)


# What goes wrong


def test_a_master_that_dies_in_a_read_leaves_sda_low():
    """The chip goes on holding its bit, and lets go within nine clocks (UM10204 3.1.16)."""
    for clocks in DEAD_MIDWAY:
        world, chip, master = make()
        cut_read(master, chip, clocks)
        assert holds_sda(world, chip) == (clocks < 8), clocks  # the ninth place is the master's
        needed = 0
        rescuer = PinMaster(world.add_board(1))
        while not rescuer.sda():
            rescuer.scl(0)
            rescuer.scl(1)
            needed += 1
            assert needed <= 9
        assert needed == max(8 - clocks, 0), clocks
        rescuer.stop()
        assert idle(world)
        chip.load(HELLO)
        assert rescuer.read_at(0x50, 0, 5) == HELLO


def test_software_reset():
    """START, nine clocks, START, STOP (AT24C256C: Software Reset), wherever it was."""
    for value in (0x00, 0xFF, 0x5A):
        for clocks in DEAD_MIDWAY:
            world, chip, master = make()
            chip.fill(value)
            assert master.call(0x50, 1)
            master.clocks(clocks)
            dies(master)
            rescuer = PinMaster(world.add_board(1))
            rescuer.start()
            rescuer.clocks(9)
            rescuer.start()
            rescuer.stop()
            assert idle(world), (value, clocks)
            assert rescuer.read_at(0x50, 0, 3) == bytes([value] * 3)


def test_software_reset_forgets_a_write():
    for n in range(9):
        world, chip, master = make()
        assert master.call(0x50, 0)
        for byte in b"\x00\x00ab":
            assert master.send(byte)
        master.bits("1" * n)
        dies(master)
        rescuer = PinMaster(world.add_board(1))
        rescuer.start()
        rescuer.clocks(9)
        rescuer.start()
        rescuer.stop()
        assert idle(world)
        assert chip.page_writes == 0 and chip.data[:5] == HELLO, n
        assert rescuer.read_at(0x50, 0, 5) == HELLO


def test_a_master_that_dies_before_stop_changes_nothing():
    world, chip, master = make()
    assert master.call(0x50, 0)
    for byte in b"\x00\x00ab":
        assert master.send(byte)
    dies(master)
    world.advance_s(1)
    assert chip.page_writes == 0
    rescuer = PinMaster(world.add_board(1))
    assert rescuer.read_at(0x50, 0, 5) == HELLO


def test_a_chip_without_power_lets_sda_go():
    for clocks in range(8):
        world, chip, master = make()
        chip.fill(0)
        assert master.call(0x50, 1)
        master.clocks(clocks)
        assert holds_sda(world, chip)
        chip.lose_power(world.now_ns)
        assert not holds_sda(world, chip)
        assert master.clocks(12) == [1] * 12
        master.stop()
        assert not master.call(0x50, 1)
        master.stop()
        chip.restore_power()
        assert master.clocks(9) == [1] * 9  # it has heard no START
        assert master.read_at(0x50, 0, 2) == b"\0\0"


def test_a_chip_that_shares_its_board_s_supply_lets_sda_go():
    world, chip, master = make()
    chip.owner = master.board
    cut_read(master, chip, 3)
    assert not holds_sda(world, chip) and idle(world)


def test_a_chip_that_is_pulled_out_stores_nothing():
    world, chip, master = make()
    assert master.call(0x50, 0)
    for byte in b"\x00\x00ab":
        assert master.send(byte)
    chip.plugged = False
    master.stop()
    assert chip.page_writes == 0 and chip.busy_until_ns == 0
    assert not master.call(0x50, 0)
    master.stop()
    chip.plugged = True
    assert master.read_at(0x50, 0, 5) == HELLO


def test_a_chip_that_is_removed_lets_sda_go():
    world, chip, master = make()
    cut_read(master, chip, 3)
    assert holds_sda(world, chip)
    world.bus.remove(chip)
    assert not holds_sda(world, chip) and idle(world)


def test_a_chip_that_is_pulled_out_in_a_read_is_silent():
    world, chip, master = make()
    chip.fill(0)
    assert master.call(0x50, 1)
    master.clocks(3)
    chip.plugged = False
    master.clocks(1)
    assert master.clocks(12) == [1] * 12


def test_swapped_chips_answer_at_each_other_s_address():
    world, chip, master = make()
    other = world.add_eeprom("24LC256", 0x51)
    other.load(b"other")
    world.bus.swap(chip, other)
    assert master.read(0x50, 5) == b"other" and master.read(0x51, 5) == HELLO
    world.bus.remove(chip)
    assert not master.call(0x51, 1)
    master.stop()
    assert idle(world)


# Timing


def test_the_chip_moves_sda_only_while_scl_is_low():
    """Data out is valid 50 to 900 ns after SCL has fallen (AT24C256: AC Characteristics, tAA)."""
    world, chip, master = make(record=True)
    chip.load(bytes((0x55, 0xAA, 0x00, 0xFF, 0x0F)))
    master.write(0x50, b"\x01\x00\xa5\x5a")
    chip.busy_until_ns = 0
    assert master.read_at(0x50, 0, 5) == b"\x55\xaa\x00\xff\x0f"
    moves = changes(world, "sda/0x50")
    assert len(moves) > 30
    falls = [ns for ns, level in changes(world, "scl") if level == 0]
    for ns, _ in moves:
        late_ns = ns - max([fall for fall in falls if fall <= ns])
        assert 50 <= late_ns <= 900, (ns, late_ns)
    assert changes(world, "scl/0x50") == []
