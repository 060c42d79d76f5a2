"""What a board of a `Lab` leaves behind when its supply fails, or when it is restarted: nothing.

And what a board keeps that only has nothing to do any more: its pins, as they are.
"""

import socket

import pytest

from eecluster_sim import Lab

RACK = "import machine, time\nfrom machine import *\nfrom eecluster import BusyLine\n"
I2C = "i2c = SoftI2C(scl=Pin(22), sda=Pin(21), freq=400_000)\n"
HOLD = RACK + I2C + "print(BusyLine(Pin(18)).acquire(0, 1000), 'held')\n"
WAIT = "while True: time.sleep_ms(10)\n"
WRITE = "while True:\n    time.sleep_ms(10)\n    i2c.writeto_mem(0x50, 0, b'x', addrsize=16)\n"
ASK = RACK + "while True:\n    print(BusyLine(Pin(18)).acquire(1, 300))\n    deepsleep(1000)\n"


@pytest.fixture
def lab():
    with Lab(seed=1, patience_s=5) as lab:
        lab.add_eeprom("AT24C256", 0x50)
        yield lab


@pytest.fixture
def lab_with_wires():
    with Lab(seed=1, patience_s=5, wires=True) as lab:
        lab.add_eeprom("AT24C256", 0x50)
        yield lab


@pytest.fixture
def add(tmp_path):
    """add(lab, program, ...) -> a board that runs it."""

    def add(lab, program, **options):
        main = tmp_path / f"main{len(lab.boards)}.py"
        main.write_text(program)
        return lab.add_board(main, len(lab.boards), interpreter="cpython", **options)

    return add


def run_until_event(lab, kind, text="", timeout_s=60):
    def happened():
        return lab.events and (event := lab.events[-1]).kind == kind and text in event.text

    assert lab.run_until(happened, timeout_s), lab.events


def kinds(lab):
    return [event.kind for event in lab.events]


# Ways to lose the supply

LOSSES = {
    "stop": lambda board: board.stop(),
    "kill": lambda board: board.kill(),
    "kill_in_write": lambda board: board.kill_in_write(),
    "core": lambda board: board.board.power_off(),
}
losses = pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)


@losses
def test_a_lock_s_line_is_let_go(lab, add, lose):
    """The survivor waited for all of its timeout, at every lock, and told of a stuck lock."""
    one = add(lab, HOLD + WRITE)
    two = add(lab, ASK, at_s=None)
    line = lab.wire(18, one, two)
    run_until_event(lab, "line", "True held")
    assert line.level == 0
    lose(one)
    two.start()
    lab.run(3)
    assert not one.running and line.level == 1
    assert two.lines == ["True"] * 2


@pytest.mark.parametrize("name", ["stop", "kill", "core"])
@pytest.mark.parametrize("driver", ["esp32-idf55", "rp2040", "softi2c"])
def test_the_bus_is_let_go(lab_with_wires, add, name, driver):
    """In the middle of a transfer, bit by bit."""
    lab = lab_with_wires
    kind = "SoftI2C(scl=Pin(22), sda=Pin(21))" if driver == "softi2c" else "I2C(0)"
    program = RACK + f"i2c = {kind}\nprint('ready')\nwhile True: i2c.readfrom(0x50, 64)"
    one = add(lab, program, i2c_driver=driver)
    run_until_event(lab, "line", "ready")
    lab.run(0.0004)  # some ten bytes
    scl, sda = one.board.scl.end, one.board.sda.end
    LOSSES[name](one)
    lab.run(0.1)
    assert (scl.drives, sda.drives) == (None, None)
    two = add(lab, RACK + "from eecluster import recover_bus\nrecover_bus(Pin(22), Pin(21))\n" + I2C
              + "print(len(i2c.readfrom_mem(0x50, 0, 64, addrsize=16)))")  # fmt: skip
    lab.run(1)
    assert two.lines == ["64"]


@losses
def test_held_pins_and_pulls_are_let_go(lab, add, lose):
    program = RACK + I2C
    program += "Pin(18, Pin.OUT, value=0, hold=True)\nPin(19, Pin.IN, Pin.PULL_UP, hold=True)\n"
    one = add(lab, program + "print('set')\n" + WRITE)
    lines = [lab.wire(18, one), lab.wire(19, one, pull=None)]
    run_until_event(lab, "line", "set")
    assert [line.level for line in lines] == [0, 1]
    lose(one)
    lab.run(1)
    assert [line.level for line in lines] == [1, 0]
    one.start()
    run_until_event(lab, "boot")
    assert [line.level for line in lines] == [1, 0]


@losses
def test_rtc_clock_and_sensors_forget(lab, add, lose):
    program = RACK + I2C + "import onewire, ds18x20\n"
    program += "bus = ds18x20.DS18X20(onewire.OneWire(Pin(4)))\n(rom,) = bus.scan()\n"
    program += "print(RTC().memory(), time.time(), bus.read_temp(rom), reset_cause())\n"
    program += "RTC().memory(b'kept')\nRTC().datetime((2026, 1, 1, 0, 0, 0, 0, 0))\n"
    program += "bus.convert_temp()\ntime.sleep(1)\nprint('set')\n"
    one = add(lab, program + WRITE)
    run_until_event(lab, "line", "set")
    lose(one)
    lab.run(1)
    one.start()
    run_until_event(lab, "line", "set")
    assert one.lines == ["b'' 0 85.0 1", "set"] * 2


def test_a_supply_that_fails_in_deep_sleep(lab, add):
    """It was taken for a running board, that never woke again and could not be started."""
    one = add(lab, RACK + "print(reset_cause())\ndeepsleep(10_000)")
    lab.run(5)
    one.board.power_off()
    lab.run(20)
    assert not one.running and kinds(lab)[-2:] == ["sleep", "killed"]
    one.start()
    lab.run(1)
    assert one.lines == ["1", "1"]


# At any moment

ALL = RACK + "import sys\nprint(reset_cause())\nif reset_cause() == 1: reset()\n{}"


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("kind", "last"),
    [
        ("on", ""),
        ("boot", ""),
        ("line", ""),
        ("reset", ""),
        ("sleep", "deepsleep(1000)"),
        ("sleep", "deepsleep()"),
        ("exit", "sys.exit(0)"),
        ("hang", "while True: pass"),
    ],
)
def test_a_kill_when_anything_happens_is_the_end(lab, add, kind, last, restart):
    """Killed when it was switched on it lived on; when it booted, a new start came too late."""
    lab.patience_s = 0.5 if kind == "hang" else 5
    one = add(lab, ALL.format(last))
    run_until_event(lab, kind)
    one.kill()
    assert not one.running and not one.board.powered
    count = len(lab.events)
    if restart:
        one.start()
        lab.run(0.1)
        assert kinds(lab)[count - 1 : count + 2] == ["killed", "on", "boot"]
    else:
        lab.run(10)
        assert len(lab.events) == count and lab.events[-1].kind == "killed"
        assert not one.running and not one.board.powered


def test_a_kill_at_the_last_line_is_the_end(lab, add):
    """Who was dead already ended with an `exit`."""
    one = add(lab, "print('last')")
    run_until_event(lab, "line")
    one.kill()
    lab.run(1)
    assert kinds(lab) == ["on", "boot", "line", "killed"]


@pytest.mark.parametrize("last", ["deepsleep()", "sys.exit(0)", "while True: pass"])
def test_a_board_that_has_ended_can_be_started_in_the_same_moment(lab, add, last):
    """It was `running` until the simulation went on."""
    lab.patience_s = 0.5
    one = add(lab, ALL.format(last))
    run_until_event(lab, {"d": "sleep", "s": "exit", "w": "hang"}[last[0]])
    assert not one.running
    one.start()
    lab.run(2)
    assert one.lines == ["1", "2"] * 2


# What has only nothing to do any more


@pytest.mark.parametrize("last", ["", "1 / 0\n", "while True: pass\n"])
def test_a_board_that_hangs_or_has_ended_keeps_its_pins(lab, add, last):
    """As on a board, where the prompt comes: only the supply or a reset ends what its pins do."""
    lab.patience_s = 0.5
    one = add(lab, HOLD + last)
    two = add(lab, ASK, at_s=1)
    line = lab.wire(18, one, two)
    lab.run(5)
    assert not one.running and one.board.powered and line.level == 0
    assert set(two.lines) == {"False"}
    one.stop()
    lab.run(3)
    assert two.lines[-2:] == ["True", "True"]


@pytest.mark.parametrize(
    ("last", "told"), [("", ["exit", "reset"]), ("while True: pass\n", ["reset"])]
)
def test_a_watchdog_lets_the_line_go(lab, add, last, told):
    lab.patience_s = 0.5
    first = "if machine.reset_cause() == 3:\n    print(RTC().memory())\n    deepsleep()\n"
    one = add(lab, RACK + first + "WDT(timeout=4000)\nRTC().memory(b'kept')\n" + HOLD + last)
    two = add(lab, ASK, at_s=1)
    line = lab.wire(18, one, two)
    lab.run(3)
    assert one.running and line.level == 0
    lab.run(3)
    assert line.level == 1
    assert one.lines == ["True held", "b'kept'"]
    assert [event.kind for event in lab.events if event.kind in ("exit", "reset")] == told
    assert two.lines[0] == "False" and two.lines[-1] == "True"


def test_a_watchdog_bites_who_only_meets_errors(lab, add):
    program = RACK + I2C + "print(reset_cause())\nWDT(timeout=2000)\nwhile True:\n"
    one = add(lab, program + "    try: i2c.readfrom(0x51, 1)\n    except OSError: pass\n")
    lab.world.bus.stuck = "scl"
    lab.run(6)
    assert one.lines == ["1", "3", "3"]


# Chips


def test_a_chip_has_power_when_its_board_has(lab, add):
    one = add(lab, RACK + WAIT, at_s=5)
    two = add(lab, RACK + WAIT, at_s=None)
    chips = [
        lab.add_eeprom("AT24C256", 0x51 + i, owner=board) for i, board in enumerate((one, two))
    ]
    assert [chip.powered for chip in chips] == [False, False]
    lab.run(6)
    assert [chip.powered for chip in chips] == [True, False]
    two.start(3)
    lab.run(1)
    assert [chip.powered for chip in chips] == [True, False]
    one.kill()
    lab.run(3)
    assert [chip.powered for chip in chips] == [False, True]


def test_a_start_of_a_board_that_has_ended_takes_its_power_first(lab, add):
    one = add(lab, RACK + "print(1)")
    chip = lab.add_eeprom("AT24C256", 0x51, owner=one)
    chip.tear = "erased"
    lab.run(1)
    chip.store(0, b"torn", lab.world.now_ns)
    one.start()
    lab.run(1)
    assert chip.powered and bytes(chip.data[:4]) == b"\xff" * 4


def test_a_kill_in_a_write_cannot_be_planned_with_wires(lab_with_wires, add):
    one = add(lab_with_wires, RACK + WAIT)
    with pytest.raises(ValueError, match="lines.at"):
        one.kill_in_write()
    with pytest.raises(ValueError, match="moment"):
        one.kill_in_write(moment="later")


# Processes and sockets


@pytest.mark.parametrize("name", ["stop", "kill"])
def test_sockets_end_with_the_board(lab, add, name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        program = "import socket\nlink = socket.socket()\n"
        program += f"link.connect(('127.0.0.1', {server.getsockname()[1]}))\nlink.send(b'1')\n"
        one = add(lab, program + RACK + "print('open')\n" + WAIT)
        run_until_event(lab, "line", "open")
        link, _ = server.accept()
        with link:
            assert link.recv(10) == b"1"
            LOSSES[name](one)
            link.settimeout(5)
            assert link.recv(10) == b""


def test_a_process_that_never_came_to_connect_is_in_nobody_s_way(lab, add):
    lab.patience_s = 0
    one = add(lab, RACK + "print('here')\n" + WAIT)
    lab.run(1)
    assert kinds(lab) == ["on", "boot", "hang"]
    lab.patience_s = 5
    one.start()
    lab.run(1)
    assert one.lines == ["here"] and one.running
