"""examples/avocado on boards that are real MicroPython processes, with a real broker and TLS.

Unless a test says otherwise, the boards are nodes 0 and 1, node 0 is primary with token 15, and the
clocks begin on 2026-01-01 at the beginning of a slot.
"""

# pyright: reportAttributeAccessIssue=false

import json
import os
import subprocess

import pytest

import avocado_board_lab
from avocado_board_kit import kept
from avocado_board_lab import APP, INTERVAL_S, UNIX_2000_S, Silence, Stub, add_board, lab_of
from eecluster import Cluster
from eecluster_sim.process import find_micropython
from eecluster_sim.sensors import Sensor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
    ),
]

READING, EVENT, REFUSED = "rosie/reading", "rosie/event", "rosie/refused/rosie-0"
NO_ACCESS_POINT = "wifi: no access point after 20 s"
ALONE = {"retries": 60}  # does not stand down for somebody who does not exist


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = avocado_board_lab.Authority(tmp_path_factory.mktemp("avocado") / "ca")
    made.server()
    return made


@pytest.fixture(scope="module")
def running_broker(authority):
    avocado_board_lab.need_mosquitto()
    with avocado_board_lab.Broker(authority) as broker:
        yield broker


@pytest.fixture
def broker(running_broker):
    yield running_broker
    running_broker.retain(REFUSED, None)
    running_broker.messages()


@pytest.fixture
def lab():
    with lab_of(patience_s=3) as lab:
        yield lab


@pytest.fixture
def add(lab, authority):
    """add(node, port, ...) -> a board with the application; the lock's wire joins all of them."""

    def add(node, port, **options):
        board = add_board(lab, node, port, authority.board(f"rosie-{node}"), **options)
        lab.wire(18, *lab.boards)
        return board

    return add


def slot_at(lab, seconds=None):
    """The number of the slot at these virtual seconds."""
    now_s = lab.now_s if seconds is None else seconds
    return (UNIX_2000_S + lab.start_s + int(now_s)) // INTERVAL_S


def boots(lab, board):
    return [
        event.at_ns / 1e9 for event in lab.events if event.board is board and event.kind == "boot"
    ]


def run_wakes(lab, board, count):
    """Run until the board has gone to sleep so many times more."""
    done = []
    lab.on_event = lambda event: (
        done.append(1) if event.board is board and event.kind in ("sleep", "exit") else None
    )
    assert lab.run_until(lambda: len(done) >= count, count * 2 * INTERVAL_S), board.lines
    lab.on_event = None


def requests_of(board, prefix):
    """A list that grows with what the board's program asks of these devices."""
    asked = []
    handle = board.devices.handle

    def noted(name, args, data):
        if name.startswith(prefix):
            asked.append(name)
        return handle(name, args, data)

    board.devices.handle = noted
    return asked


def said(board, text):
    return [line for line in board.lines if text in line]


# The usual


def test_two_boards_for_an_hour(lab, add, broker):
    boards = [add(node, broker.port, at_s=60 * node) for node in (0, 1)]
    lab.run(4 * INTERVAL_S)
    found = broker.messages()
    readings = [message for topic, message in found if topic == READING]
    assert [message["slot"] for message in readings] == [slot_at(lab, 0) + i for i in range(4)]
    assert {message["node"] for message in readings} == {0}
    assert [(message["token"], message["epoch"]) for message in readings] == [(15, 1)] * 4
    assert [message["celsius"] for message in readings] == [20.0] * 4
    assert readings[0]["rom"] == (b"\x28" + boards[0].board.uid + b"\x01").hex()
    assert [message["sequence"] for _, message in found] == list(range(len(found)))
    joined = [
        (m["kind"], m["about"], m["n"] & 0xFFFFFFFF, m["token"]) for t, m in found if t == EVENT
    ]
    assert joined == [("joined", 0, 0, 15), ("joined", 1, 0, 15)]
    assert not said(boards[0], "Traceback") + said(boards[1], "Traceback")


def test_wakes_are_on_time_and_apart(lab, add, broker):
    boards = [add(node, broker.port, at_s=60 * node, drift=0.05 * node) for node in (0, 1)]
    lab.run(5 * INTERVAL_S)
    at = boots(lab, boards[0])
    assert [t // INTERVAL_S for t in at] == list(range(5))
    assert [round(t % INTERVAL_S) for t in at[1:]] == [225] * 4  # the middle of the first half
    slow = boots(lab, boards[1])
    assert [round(slow[i + 1] - slow[i]) for i in range(4)] == [945] * 4


def test_a_standby_does_not_even_import_what_publishes(lab, add, broker):
    """Whoever imports one of these fails; and no device but bus, lock, clocks and RTC is asked."""
    add(0, broker.port)
    poison = "raise Exception('a standby needs no network')"
    names = ("network", "ssl", "tls", "umqtt", "ntptime", "onewire", "ds18x20", "socket")
    files = {f"{name}.py": poison for name in names if name != "socket"}
    standby = add(1, broker.port, at_s=60, files=files)
    asked = requests_of(standby, "")
    lab.run(3 * INTERVAL_S)
    assert len(boots(lab, standby)) == 3
    assert len(said(standby, "node 1: standby")) == 3
    assert not said(standby, "Traceback")
    assert not [name for name in asked if name.startswith(("wlan", "ow_", "ntp"))]
    assert asked.count("set_rtc_memory") == 0
    assert max(event_awake_s(lab, standby)) < 0.5  # 0.35 of them are the start


def event_awake_s(lab, board):
    """How long each wake of the board took."""
    booted, found = 0.0, []
    for event in lab.events:
        if event.board is board and event.kind == "boot":
            booted = event.at_ns / 1e9
        if event.board is board and event.kind == "sleep":
            found.append(event.at_ns / 1e9 - booted)
    return found


def test_a_failover_is_told_by_the_new_primary(lab, add, broker):
    boards = [add(node, broker.port, at_s=60 * node) for node in (0, 1)]
    run_wakes(lab, boards[1], 2)
    boards[0].stop()
    broker.messages()
    run_wakes(lab, boards[1], 5)
    found = broker.messages()
    assert {message["token"] for topic, message in found} == {22}
    kinds = [(m["kind"], m["about"]) for t, m in found if t == EVENT]
    assert ("dead", 0) in kinds and ("failover", 1) in kinds
    assert len(set(kinds)) == len(kinds)  # each once
    slots = [m["slot"] for t, m in found if t == READING]
    assert slots == list(range(slots[0], slots[0] + len(slots))) and len(slots) >= 2


# Without a network


def test_a_reading_outlives_an_outage(lab, add, broker):
    board = add(0, broker.port)
    run_wakes(lab, board, 2)
    broker.messages()
    lab.wifi(False)
    run_wakes(lab, board, 1)
    failed_slot = slot_at(lab)
    lab.wifi(True)
    run_wakes(lab, board, 1)
    found = broker.messages()
    readings = [message for topic, message in found if topic == READING]
    assert [message["slot"] for message in readings] == [failed_slot, failed_slot + 1]
    assert [message["token"] for message in readings] == [15, 15]
    assert readings[0]["sequence"] < readings[1]["sequence"]
    (app,) = [message for topic, message in found if topic == EVENT]
    assert (app["kind"], app["about"], app["n"]) == ("app", 0, failed_slot)
    assert (app["what"], app["slot"]) == (NO_ACCESS_POINT, failed_slot + 1)
    run_wakes(lab, board, 1)
    assert [topic for topic, _ in broker.messages()] == [READING]  # and nothing is told again


def test_a_reading_without_an_answer_is_sent_again_as_it_was(lab, add, broker):
    """It has arrived, but the board loses its connection before it knows."""
    board = add(0, broker.port)
    run_wakes(lab, board, 1)
    first = board.devices.do_rtc_memory()
    run_wakes(lab, board, 1)
    (_, reading), *_ = broker.messages()[-2:]
    before = board.devices.do_rtc_memory()
    assert first != before
    board.devices.do_set_rtc_memory(with_reading(before, reading))
    run_wakes(lab, board, 1)
    again = broker.messages(READING)[0]
    assert again == reading


def with_reading(data, message):
    """The RTC memory with this message's reading still in it."""
    fields = json.loads(data[4:])
    sixteenths = round(message["celsius"] * 16)
    fields[4] = [[message["taken_at"], message["sequence"], sixteenths, message["rom"]]]
    return packed(fields)


def packed(fields):
    text = json.dumps(fields, separators=(",", ":")).encode()
    return kept.crc32(text, kept.FORMAT).to_bytes(4, "big") + text


@pytest.mark.slow
def test_boards_take_turns_while_the_router_is_off(lab, add, broker):
    """Nobody is marked dead for it, and what both have measured arrives in the end."""
    boards = [add(node, broker.port, at_s=60 * node) for node in (0, 1)]
    run_wakes(lab, boards[0], 3)
    broker.messages()
    lab.wifi(False)
    outage = range(slot_at(lab) + 1, slot_at(lab) + 9)
    lab.run(9 * INTERVAL_S)
    for board in boards:
        assert len(said(board, NO_ACCESS_POINT[6:])) >= 3
        assert not said(board, ", dead")
    tokens = {int(line.split("token ")[1].split()[0]) for line in said(boards[0], "primary, ")}
    assert len(tokens) >= 2
    lab.wifi(True)
    lab.run(2 * INTERVAL_S)
    found = broker.messages(READING)
    boards[found[0]["node"]].wifi = False  # so that the other one has its turn
    lab.run(6 * INTERVAL_S)
    found += broker.messages(READING)
    assert {message["node"] for message in found} == {0, 1}
    assert set(outage) <= {message["slot"] for message in found}
    for node in (0, 1):  # none is older for its consumer than one before it
        mine = [message["token"] for message in found if message["node"] == node]
        assert mine == sorted(mine)


@pytest.mark.slow
def test_times_are_corrected_when_the_clock_is_set(lab, add, broker):
    """The clock is 5 % slow, and was not set for four hours. The sensor shows the true time."""
    board = add(0, broker.port, drift=0.05, changes=ALONE)
    (rom,) = board.sensors
    board.sensors[rom] = Sensor(lambda seconds: seconds / 200)
    run_wakes(lab, board, 1)
    lab.wifi(False)
    run_wakes(lab, board, 16)
    lab.wifi(True)
    run_wakes(lab, board, 1)
    readings = broker.messages(READING)
    assert len(readings) == 18
    for message in readings:
        true_s = message["celsius"] * 200 + UNIX_2000_S + lab.start_s
        assert abs(message["taken_at"] - true_s) < 200 / 16 + 3


def test_what_does_not_fit_is_counted(lab, add, broker):
    board = add(0, broker.port)
    run_wakes(lab, board, 1)
    sequence, synced, *_ = json.loads(board.devices.do_rtc_memory()[4:])
    full = [[synced - 900 * i, 1000 - i, -880, "28ff641e8216042d"] for i in range(60, 0, -1)]
    while len(packed([sequence, synced, "", [7, 0], full, []])) > 2048:
        del full[0]
    board.devices.do_set_rtc_memory(packed([sequence, synced, "", [7, 0], full, []]))
    broker.messages()
    run_wakes(lab, board, 1)
    found = broker.messages()
    assert len([1 for topic, _ in found if topic == READING]) == len(full)
    what = [message["what"] for topic, message in found if topic == EVENT and "what" in message]
    assert what == ["memory: full, 8 readings and 0 failures lost"]


def test_damaged_memory_is_told(lab, add, broker):
    board = add(0, broker.port)
    run_wakes(lab, board, 1)
    board.devices.do_set_rtc_memory(b"\xff" * 40)
    broker.messages()
    run_wakes(lab, board, 1)
    what = [message["what"] for message in broker.messages(EVENT) if "what" in message]
    assert what == ["memory: 40 bytes in the RTC were damaged: all was forgotten"]


# Clocks


NO_NTP = "host = 'pool.ntp.org'\ndef settime():\n    raise OSError(-202)"


def test_nothing_is_published_by_a_clock_that_was_never_set(lab, add, broker):
    board = add(0, broker.port, files={"ntptime.py": NO_NTP}, changes=ALONE)
    run_wakes(lab, board, 2)
    assert broker.messages() == []
    assert len(said(board, "Fault: no answer from pool.ntp.org, and the clock is not set")) == 2
    assert [round(t) for t in boots(lab, board)] == [0, 900]  # by the interval
    first_slot = slot_at(lab, 0)
    (board.flash / "ntptime.py").unlink()
    run_wakes(lab, board, 1)
    found = broker.messages()
    slots = [message["slot"] for topic, message in found if topic == READING]
    assert slots == [first_slot, first_slot + 1, first_slot + 2]
    (app,) = [message for topic, message in found if message.get("kind") == "app"]
    assert app["n"] == first_slot
    assert app["what"].endswith("the clock is not set (2 times)")


def test_a_clock_that_was_set_will_do_for_a_while(lab, add, broker):
    board = add(0, broker.port)
    run_wakes(lab, board, 1)
    (board.flash / "ntptime.py").write_text(NO_NTP)
    run_wakes(lab, board, 2)
    assert len(broker.messages(READING)) == 3


# The sensor


def spoil(sensors, **attributes):
    for sensor in sensors.values():
        for name, value in attributes.items():
            setattr(sensor, name, value)


def test_a_garbled_read_is_tried_again(lab, add, broker):
    board = add(0, broker.port)
    (sensor,) = board.sensors.values()
    sensor.garbled = 2
    run_wakes(lab, board, 1)
    assert [message["celsius"] for message in broker.messages(READING)] == [20.0]


@pytest.mark.parametrize(
    ("what", "break_it"),
    [
        ("CRC error", lambda sensors: spoil(sensors, garbled=99)),
        ("no DS18B20 answers: check pin, wires and pull-up", lambda sensors: sensors.clear()),
        (
            "85.0 degrees is no reading",
            lambda sensors: spoil(sensors, celsius=85),
        ),
        (
            "-60.0 degrees is no reading",
            lambda sensors: spoil(sensors, celsius=-60),
        ),
    ],
)
def test_a_broken_sensor_is_told_and_another_board_tries(lab, add, broker, what, break_it):
    boards = [add(node, broker.port, at_s=60 * node) for node in (0, 1)]
    break_it(boards[0].sensors)
    run_wakes(lab, boards[0], 1)
    (app,) = broker.messages()
    assert (app[0], app[1]["what"]) == (EVENT, "sensor: " + what)
    run_wakes(lab, boards[0], 1)
    lab.run(INTERVAL_S)
    assert {message["node"] for message in broker.messages(READING)} == {1}
    assert not said(boards[1], "dead")


# What hangs


def test_the_watchdog_ends_a_wake_that_hangs(lab, add, broker):
    """The broker accepts the connection and says nothing, and no timeout helps."""
    with Silence() as silence:
        boards = [add(node, silence.port, at_s=60 * node) for node in (0, 1)]
        asked = requests_of(boards[0], ("wlan", "ow"))
        assert lab.run_until(lambda: len(boots(lab, boards[0])) == 2, INTERVAL_S)
        assert boots(lab, boards[0])[1] == pytest.approx(120, abs=1)
        del asked[:]
        run_wakes(lab, boards[0], 1)
        assert asked == []  # the wake after that does not try again
        assert lab.now_s < 121
    config = boards[0].flash / "config.json"
    config.write_text(avocado_board_lab.config(0, broker.port))
    run_wakes(lab, boards[0], 1)
    assert boots(lab, boards[0])[2] // INTERVAL_S == 1  # on time
    found = broker.messages()
    assert [message["slot"] - slot_at(lab) for t, message in found if t == READING] == [-1, 0]
    (app,) = [message for topic, message in found if message.get("kind") == "app"]
    assert (app["what"], app["n"]) == ("hung in tls", slot_at(lab) - 1)


SHORT_WAIT = "import avocado.broker\navocado.broker.TIMEOUT_S = 0.3\nimport app"


def first_byte(link, over):
    """A broker that answers CONNECT, and SUBSCRIBE with the first byte of an answer only."""
    link.recv(1000)
    link.sendall(b"\x20\x02\x00\x00")
    while link.recv(1000)[:1] != b"\x82":
        pass
    link.sendall(b"\x90")
    over.wait(10)


@pytest.mark.parametrize("step", ["tls", "mqtt"])
def test_no_wait_for_the_broker_is_endless(lab, add, authority, step):
    main = {"main.py": SHORT_WAIT, "app.py": APP / "main.py"}
    with Silence() if step == "tls" else Stub(authority, first_byte) as server:
        board = add(0, server.port, files=main)
        run_wakes(lab, board, 1)
    assert lab.now_s < 5  # of virtual time: no watchdog
    *_, failures = json.loads(board.devices.do_rtc_memory()[4:])
    assert [what for *_, what in failures] == [step + ": no answer in time"]


def test_a_socket_that_is_to_block_gets_a_timeout():
    """umqtt.simple does that in the middle of each message. An ESP32 forgets its timeout then; the
    unix port does not, so the test above could not tell.
    """
    program = """
from avocado.broker import Stream, TIMEOUT_S
class Socket:
    def settimeout(self, seconds):
        print(seconds == TIMEOUT_S, seconds)
    read = write = close = None
Stream(Socket(), Socket).setblocking(True)
Stream(Socket(), Socket).setblocking(False)
"""
    path = f"{APP}:{avocado_board_lab.UMQTT.parents[1]}:{avocado_board_lab.ROOT / 'src'}:.frozen"
    done = subprocess.run(
        [str(find_micropython()), "-c", program],
        env={"MICROPYPATH": path, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["True", "15", "False", "0"], done.stderr


# Who is in charge


def test_who_was_replaced_meanwhile_publishes_nothing(lab, add, broker):
    """Another one takes over between the look and the question whether this one is in charge."""
    board = add(0, broker.port)
    rival = lab.world.add_board(1)

    def take_over(name, args, data):
        if name == "wlan_connect":
            cluster = Cluster(
                rival.make_i2c, (0x50, 0x51), 1, nodes=2, clock=rival.clock, timer=rival.timer
            )
            cluster.format(epoch=4)
        return handle(name, args, data)

    handle, board.devices.handle = board.devices.handle, take_over
    run_wakes(lab, board, 1)
    assert said(board, "replaced meanwhile: nothing is published")
    assert board.lines[-1].startswith("node 0: standby, primary 1, token 46")
    assert broker.messages() == []
    *_, readings, failures = json.loads(board.devices.do_rtc_memory()[4:])
    assert (len(readings), failures) == (1, [])  # kept until this board is primary again


def refusal(fence):
    epoch = fence >> 3
    return {
        "cluster": "rosie", "thing": "rosie-0", "token": 15, "fence": fence, "epoch": epoch,
        "remedy": f"cluster.format(epoch={epoch})",
    }  # fmt: skip


def test_a_refused_board_publishes_nothing_until_the_remedy(lab, add, broker):
    broker.retain(REFUSED, refusal(47))
    board = add(0, broker.port)
    broker.messages()
    run_wakes(lab, board, 2)
    assert broker.messages() == []
    assert board.lines[-1].startswith("node 0: standby, primary None")  # it has stood down
    (what,) = set(said(board, "Fault"))
    assert what.endswith("token 15 is refused, 47 was seen: cluster.format(epoch=5)")
    remedy = "from avocado import settings\ncluster = settings.cluster(settings.load())\n"
    remedy += refusal(47)["remedy"] + "\nimport machine\nmachine.deepsleep(1000)"
    (board.flash / "main.py").write_text(remedy)
    run_wakes(lab, board, 1)
    (board.flash / "main.py").write_bytes((APP / "main.py").read_bytes())
    run_wakes(lab, board, 1)
    found = broker.messages(READING)
    assert [message["token"] for message in found] == [55] * 3
    assert len({message["slot"] for message in found}) == 3


def test_an_old_refusal_is_ignored(lab, add, broker):
    broker.retain(REFUSED, refusal(15))
    board = add(0, broker.port)
    broker.messages()
    run_wakes(lab, board, 1)
    assert len(broker.messages(READING)) == 1


# Set-up


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda flash: (flash / "config.json").unlink(), "config.json: no such file. Copy the"),
        (lambda flash: (flash / "config.json").write_text("{"), "config.json: not JSON. Copy the"),
        (lambda flash: (flash / "key.der").unlink(), "key.der: no such file. Copy the folder"),
    ],
)
def test_a_spoilt_folder_is_told_on_the_repl(lab, add, spoil, message):
    """No watchdog and no deep sleep get in the way of whoever mends it."""
    board = add(0, 1)
    spoil(board.flash)
    asked = requests_of(board, ("wdt", "deepsleep"))
    lab.run(5)
    assert board.lines[-1].startswith("ValueError: " + message)
    assert (asked, board.running) == ([], False) and lab.events[-1].kind == "exit"


def test_a_wrong_config_is_told_on_the_repl(lab, add):
    board = add(0, 1, changes={"node_id": 2})
    asked = requests_of(board, ("wdt", "deepsleep"))
    lab.run(5)
    assert board.lines[-1] == "ValueError: node_id: expected 0..1, got 2"
    assert asked == []


def test_without_eeproms_a_board_says_so_and_sleeps(lab, add, broker):
    board = add(0, broker.port)
    for chip in lab.world.chips:
        chip.plugged = False
    run_wakes(lab, board, 2)
    assert said(board, "no EEPROM answers at 0x50, 0x51")
    assert [round(t) for t in boots(lab, board)] == [0, 900]
    for chip in lab.world.chips:
        chip.plugged = True
    run_wakes(lab, board, 1)
    (app,) = broker.messages(EVENT)
    assert app["what"].startswith("no EEPROM answers at 0x50, 0x51")


@pytest.mark.slow
@pytest.mark.parametrize("lock", ["busy_line", "arbitration"])
def test_locks_on_wires(authority, broker, lock):
    """Two boards that wake in the same moment share the bus bit by bit."""
    with lab_of(wires=True) as lab:
        for node in (0, 1):
            certificates = authority.board(f"rosie-{node}")
            add_board(
                lab, node, broker.port, certificates, changes={"lock": lock, "interval_s": 60}
            )
        lab.wire(18, *lab.boards)
        lab.run(130)
        assert lab.boards[0].lines[-1].startswith("node 0: primary, primary 0, token 15")
        assert "members 0 1" in lab.boards[1].lines[-1]
        assert not said(lab.boards[0], "Traceback") + said(lab.boards[1], "Traceback")


def test_the_package_has_all_files():
    package = json.loads((APP / "package.json").read_text())
    names = sorted(path.name for path in (APP / "avocado").glob("*.py"))
    source = "github:eecluster/eecluster/examples/avocado/avocado/"
    assert package["urls"] == [["avocado/" + name, source + name] for name in names]
    deps = [["github:eecluster/eecluster", "HEAD"], ["umqtt.simple", "latest"]]
    assert package["deps"] == deps
