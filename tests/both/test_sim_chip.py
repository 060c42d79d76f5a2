"""The simulated chips against their data sheets, and the chip's own faults."""

from eecluster_sim import PARTS, Eeprom, Random
from support import raises

MS = 1000000


def make(part="24LC256", address=0x50):
    return Eeprom(part, address, Random(1))


def read(chip, memaddr, n):
    buf = bytearray(n)
    chip.fetch(memaddr, buf)
    return bytes(buf)


def test_parts_are_as_in_the_data_sheets():
    known = {
        "AT24C32": (4096, 32, 10, 1000000, 3),
        "AT24C64": (8192, 32, 10, 1000000, 3),
        "AT24C128": (16384, 64, 5, 1000000, 3),
        "AT24C256": (32768, 64, 5, 100000, 2),
        "AT24C256B": (32768, 64, 5, 1000000, 3),
        "AT24C256C": (32768, 64, 5, 1000000, 3),
        "24LC256": (32768, 64, 5, 1000000, 3),
        "FM24C256": (32768, 64, 6, 100000, 3),
        "AT24C512": (65536, 128, 5, 1000000, 3),
    }
    for name, numbers in known.items():
        part = PARTS[name]
        assert (part.size, part.page, part.write_ms, part.endurance, part.pins) == numbers, name
        assert not part.fram and part.pages == part.size // part.page
    for name, size in (("FM24CL64B", 8192), ("FM24W256", 32768), ("MB85RC256V", 32768)):
        assert PARTS[name].fram and PARTS[name].size == size
    assert len(PARTS) == 12


def test_unknown_part_is_refused():
    with raises(ValueError, "AT24C999", "24LC256"):
        make("AT24C999")


def test_address_pins_limit_the_address():
    make("AT24C256", 0x53)
    with raises(ValueError, "AT24C256", "0x50..0x53", "0x54"):
        make("AT24C256", 0x54)
    make("24LC256", 0x57)
    with raises(ValueError, "0x58"):
        make("24LC256", 0x58)
    with raises(ValueError, "0x4f"):
        make("24LC256", 0x4F)
    chip = make("AT24C256", 0x50)
    with raises(ValueError, "0x54"):
        chip.address = 0x54
    assert chip.address == 0x50


def test_a_new_chip_is_blank():
    chip = make("AT24C32")
    assert len(chip.data) == 4096
    assert chip.data == b"\xff" * 4096


def test_a_write_is_stored_and_takes_the_write_time_from_stop():
    for name, write_ms in (("AT24C256", 5), ("FM24C256", 6), ("AT24C32", 10)):
        chip = make(name)
        chip.store(130, b"abc", 7 * MS)
        assert chip.busy_until_ns == (7 + write_ms) * MS
        assert read(chip, 129, 5) == b"\xffabc\xff"


def test_write_time_of_a_clone_can_be_set():
    chip = make()
    chip.write_ns = 10 * MS
    chip.store(0, b"a", 0)
    assert chip.busy_until_ns == 10 * MS


def test_write_rolls_over_inside_its_page():
    chip = make()
    chip.store(64 + 60, b"abcdefgh", 0)
    assert chip.data[:64] == b"\xff" * 64
    assert chip.data[64:68] == b"efgh"
    assert chip.data[68:124] == b"\xff" * 56
    assert chip.data[124:128] == b"abcd"
    assert chip.data[128:] == b"\xff" * (32768 - 128)
    assert chip.pointer == 68


def test_roll_over_follows_the_page_size_of_the_part():
    for name, page in (("AT24C64", 32), ("AT24C512", 128)):
        chip = make(name)
        chip.store(page - 1, b"ab", 0)
        assert chip.data[0:1] == b"b" and chip.data[page - 1 : page] == b"a"
        assert chip.data[page : page + 1] == b"\xff"


def test_of_more_than_a_page_the_last_bytes_win():
    chip = make("AT24C32")
    sent = bytes(range(80))
    chip.store(40, sent, 0)
    expected = bytearray(b"\xff" * 32)
    for i in range(80):
        expected[(8 + i) % 32] = sent[i]
    assert chip.data[32:64] == expected
    assert chip.pointer == 32 + (8 + 80) % 32


def test_any_buffer_can_be_written_and_filled():
    chip = make()
    source = memoryview(bytearray(b"0123456789"))
    chip.store(60, source[2:8], 0)
    assert chip.data[60:64] == b"2345" and chip.data[0:2] == b"67"
    target = bytearray(6)
    chip.fetch(60, memoryview(target)[1:5])
    assert target == b"\x002345\x00"


def test_address_bits_above_the_size_are_ignored():
    chip = make("AT24C32")
    chip.store(0x1005, b"a", 0)
    assert chip.data[5:6] == b"a"
    assert read(chip, 0xF005, 1) == b"a"


def test_sequential_read_wraps_at_the_end():
    chip = make("AT24C32")
    chip.load(b"start")
    chip.data[4094:] = b"yz"
    assert read(chip, 4094, 5) == b"yzsta"
    assert chip.pointer == 3
    assert read(chip, 0, 2 * 4096 + 3) == bytes(chip.data) * 2 + b"sta"


def test_read_without_address_goes_on_where_the_last_ended():
    chip = make()
    chip.load(b"abcdef")
    assert read(chip, 1, 2) == b"bc"
    assert read(chip, None, 2) == b"de"
    chip.receive(b"\x00\x02", 0)  # a write of the address alone sets the pointer
    assert read(chip, None, 1) == b"c"
    assert chip.page_writes == 0 and chip.busy_until_ns == 0


def test_without_stop_nothing_is_stored():
    chip = make()
    chip.receive(b"\x00\x02abc", None)
    assert chip.data == b"\xff" * 32768
    assert chip.pointer == 2 and chip.page_writes == 0 and chip.busy_until_ns == 0


def test_with_one_address_byte_the_first_data_byte_is_taken_for_address():
    chip = make()
    chip.receive(b"\x01\x20xyz", 0)
    assert chip.data[0x120:0x123] == b"xyz"
    chip.pointer = 0x0045
    chip.receive(b"\x01", 0)
    assert chip.pointer == 0x0145


def test_wear_counts_writes_of_pages():
    chip = make()
    for memaddr, data in ((0, b"a"), (63, b"ab"), (64, b"a" * 64), (32767, b"z")):
        chip.store(memaddr, data, 0)
    assert (chip.wear[0], chip.wear[1], chip.wear[2], chip.wear[511]) == (2, 1, 0, 1)
    assert sum(chip.wear) == chip.page_writes == 4
    assert not chip.worn
    chip.wear[3] = 1000001
    assert chip.worn


def test_fram_has_no_pages_and_no_write_time():
    chip = make("FM24CL64B")
    chip.store(60, b"abcdefgh", 0)
    assert chip.data[60:68] == b"abcdefgh"
    assert chip.busy_until_ns == 0
    assert chip.wear[0] == chip.wear[1] == 1 and chip.page_writes == 2
    chip.store(8190, b"wrap", 0)
    assert chip.data[8190:] == b"wr" and chip.data[:2] == b"ap"
    assert chip.pointer == 2 and chip.wear[127] == 1 and chip.wear[0] == 2
    chip.store(0, b"x" * 8192 + b"y", 0)
    assert chip.data == b"y" + b"x" * 8191 and chip.pointer == 1


def test_fram_stores_what_it_got_without_stop():
    chip = make("FM24W256")
    chip.receive(b"\x00\x02abc", None)
    assert chip.data[2:5] == b"abc"
    chip.store(0, b"q", 0)
    chip.lose_power(0)  # there is no write in progress to be torn
    assert chip.data[:1] == b"q"


def torn(tear, seed=1):
    """A page of old bytes (0x11), of which ten are being rewritten (0x22) when power fails."""
    chip = Eeprom("24LC256", 0x50, Random(seed))
    chip.fill(0x11)
    chip.tear = tear
    chip.store(64, b"\x22" * 10, 0)
    chip.lose_power(5 * MS - 1)
    assert not chip.powered
    assert chip.data[:64] == b"\x11" * 64 and chip.data[128:] == b"\x11" * (32768 - 128)
    return bytes(chip.data[64:128])


def test_torn_page_as_told():
    assert torn("old") == b"\x11" * 64
    assert torn("new") == b"\x22" * 10 + b"\x11" * 54
    assert torn("erased") == b"\xff" * 64
    mixed = torn("mixed")
    assert mixed[10:] == b"\x11" * 54
    assert sorted(set(mixed[:10])) == [0x11, 0x22]
    assert torn("mixed") == mixed
    assert len({torn("mixed", seed) for seed in range(8)}) > 1
    with raises(ValueError, "half"):
        torn("half")


def test_torn_page_by_seed():
    results = [torn(None, seed) for seed in range(40)]
    assert results == [torn(None, seed) for seed in range(40)]
    for tear in ("old", "new", "erased"):
        assert torn(tear) in results
    plain = (torn("old"), torn("new"), torn("erased"))
    assert any(result not in plain for result in results)


def test_a_finished_write_is_not_torn():
    chip = make()
    chip.tear = "erased"
    chip.store(0, b"abc", 0)
    chip.lose_power(5 * MS)
    chip.restore_power()
    assert chip.powered
    assert chip.data[:3] == b"abc"


def test_a_write_is_torn_once():
    chip = make()
    chip.tear = "old"
    chip.store(0, b"abc", 0)
    chip.lose_power(1)
    chip.data[:3] = b"xyz"
    chip.restore_power()
    chip.lose_power(2)
    assert chip.data[:3] == b"xyz"


def test_write_protect_acknowledges_and_stores_nothing():
    for name in ("24LC256", "FM24W256"):
        chip = make(name)
        chip.write_protect = True
        chip.store(5, b"abc", 0)
        assert chip.data == b"\xff" * 32768
        assert chip.busy_until_ns == 0 and chip.page_writes == 0
        assert chip.pointer == 5


def test_garbage_reads_noise_and_swallows_writes():
    chip = make()
    chip.fault = "garbage"
    chip.store(0, b"abc", 0)
    assert chip.data[:3] == b"\xff\xff\xff" and chip.page_writes == 0
    first, second = read(chip, 0, 32), read(chip, 0, 32)
    assert first != second and first != b"\xff" * 32
    again = make()
    again.fault = "garbage"
    assert read(again, 0, 32) == first


def test_bit_rot_fill_and_load():
    chip = make("AT24C32")
    chip.flip(3, 7)
    assert chip.data[3] == 0x7F
    chip.flip(3, 7)
    assert chip.data[3] == 0xFF
    chip.fill(0xA5)
    assert chip.data == b"\xa5" * 4096
    chip.load(b"ab")
    assert chip.data[:3] == b"ab\xa5"
    with raises(ValueError, "4097", "AT24C32"):
        chip.load(bytes(4097))
    assert len(chip.data) == 4096
    assert chip.page_writes == 0


def test_random_is_the_same_everywhere():
    random = Random(7)
    assert [random.next32() for _ in range(3)] == [1488427486, 3658321688, 372893455]
    assert random.bytes(5) == b"q\xda^\x03y"
    random = Random(0)
    assert {random.below(4) for _ in range(100)} == {0, 1, 2, 3}
    assert {random.choice("ab") for _ in range(50)} == {"a", "b"}
    assert 150 < sum([random.chance(200) for _ in range(1000)]) < 250
    assert len({Random(seed).next32() for seed in range(1000)}) == 1000
