"""Chips that are kept in files."""

import json

import pytest

from eecluster_sim import Eeprom, FileEeprom, World
from eecluster_sim.files import load, save


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chip.bin"


def used():
    chip = Eeprom("AT24C32", 0x51)
    chip.store(0, b"abc", 0)
    chip.store(40, b"def", 0)
    chip.store(41, b"g", 0)
    return chip


def test_contents_and_wear_survive(path):
    chip = used()
    save(chip, path)
    fresh = Eeprom("AT24C32", 0x50)
    fresh.data[100] = 1
    load(fresh, path)
    assert fresh.data == chip.data
    assert fresh.wear == chip.wear == [1, 2] + [0] * 126
    assert fresh.page_writes == 3
    assert fresh.address == 0x50


def test_the_file_is_a_line_of_json_and_the_contents(path):
    save(used(), path)
    head, _, content = path.read_bytes().partition(b"\n")
    assert json.loads(head) == {
        "format": "eecluster-chip-1",
        "part": "AT24C32",
        "address": 0x51,
        "wear": {"0": 1, "1": 2},
    }
    assert len(content) == 4096 and content[:4] == b"abc\xff"


def test_contents_with_newlines(path):
    chip = used()
    chip.fill(0x0A)
    save(chip, path)
    fresh = Eeprom("AT24C32", 0x50)
    load(fresh, path)
    assert fresh.data == b"\n" * 4096


def test_an_interrupted_save_leaves_the_old_file(path, monkeypatch):
    chip = used()
    save(chip, path)
    before = path.read_bytes()
    chip.store(0, b"new", 0)
    monkeypatch.setattr("os.replace", lambda *_: pytest.skip)
    save(chip, path)  # dies before the last step
    assert path.read_bytes() == before


def test_no_file(path):
    with pytest.raises(OSError):
        load(used(), path)


@pytest.mark.parametrize(
    "content, complaint",
    [
        (b"", "not a file of a simulated chip"),
        (b"\x00\xff\n", "not a file of a simulated chip"),
        (b"[1]\n", "not a file of a simulated chip"),
        (b'{"format": "other"}\n', "not a file of a simulated chip"),
        (b'{"format": "eecluster-chip-1", "part": "24LC256", "wear": {}}\n', "holds a 24LC256"),
        (b'{"format": "eecluster-chip-1", "part": "AT24C32", "wear": {}}\n123', "holds 3 bytes"),
        (b'{"format": "eecluster-chip-1", "part": "AT24C32"}\n' + bytes(4096), "wear"),
        (
            b'{"format": "eecluster-chip-1", "part": "AT24C32", "wear": {"128": 1}}\n'
            + bytes(4096),
            "wear",
        ),
    ],
)
def test_damaged_files_are_refused_and_change_nothing(path, content, complaint):
    path.write_bytes(content)
    chip = used()
    before = bytes(chip.data), list(chip.wear)
    with pytest.raises(ValueError, match=complaint):
        load(chip, path)
    assert (bytes(chip.data), list(chip.wear)) == before


def test_file_eeprom_on_a_bus(path):
    for wake in range(3):
        world = World()
        with FileEeprom(path, "24LC256", 0x50) as chip:
            world.bus.add(chip)
            board = world.add_board()
            assert chip.data[:1] == (bytes([wake - 1]) if wake else b"\xff")
            board.i2c.writeto_mem(0x50, 0, bytes([wake]), addrsize=16)
    assert FileEeprom(path, "24LC256", 0x50).wear[0] == 3


def test_file_eeprom_saves_when_told(path):
    chip = FileEeprom(path, "24LC256", 0x50)
    assert not path.exists()
    chip.save()
    assert path.exists()
