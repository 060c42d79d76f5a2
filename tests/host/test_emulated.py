"""`make emulated` without a firmware: its wires, its chip and its judges, which node runs.

Each judge gets what it is there for, planted, and must say so. With EECLUSTER_FIRMWARE=file.uf2 one
test runs all of it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eecluster.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
EMULATED = ROOT / "emulated"
sys.path.insert(0, str(ROOT))

from emulated import prepare  # noqa: E402

# A master made of two wires, without a clock: each step takes 1 us.
PRELUDE = """
import { Wire } from './machine/wire.mjs';
import { Chip } from './machine/chip.mjs';
import { Judge, Holders, Pages } from './judge.mjs';
const say = (value) => console.log(JSON.stringify(value));
const judge = new Judge();
const faults = () => judge.faults.map(({ sentence }) => sentence);
const hex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
const [scl, sda] = [new Wire('SCL'), new Wire('SDA')];
class Master {
  constructor() { this.now = 0; }
  set(wire, high) { this.now += 1000; wire.pull(this, !high, this.now); }
  start() { this.set(sda, 1); this.set(scl, 1); this.set(sda, 0); this.set(scl, 0); }
  stop() { this.set(sda, 0); this.set(scl, 1); this.set(sda, 1); }
  bit(high) {
    this.set(sda, high); this.set(scl, 1);
    const seen = sda.level ? 1 : 0;
    this.set(scl, 0);
    return seen;
  }
  send(byte) {
    for (let i = 7; i >= 0; i--) this.bit((byte >> i) & 1);
    return this.bit(1) === 0;
  }
  receive(more) {
    let byte = 0;
    for (let i = 0; i < 8; i++) byte = byte << 1 | this.bit(1);
    this.bit(more ? 0 : 1);
    return byte;
  }
  at(address, data = []) {
    this.start();
    return [0xa0, address >> 8, address & 255, ...data].map((byte) => this.send(byte));
  }
  write(address, data) {
    const heard = this.at(address, data);
    this.stop();
    return heard.every((acknowledged) => acknowledged);
  }
  read(address, count) {
    if (!this.at(address).every((heard) => heard)) return null;
    this.start();
    this.send(0xa1);
    const data = Array.from({ length: count }, (_, i) => this.receive(i < count - 1));
    this.stop();
    return data;
  }
}
const master = new Master();
const chip = new Chip(0x50, scl, sda);
"""


@pytest.fixture(scope="module")
def node():
    """node(script): what the script said, each line parsed."""
    program = shutil.which("node")
    if program is None:
        why = "node is not installed (Debian, Ubuntu: apt-get install nodejs npm)"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)

    def run(script):
        done = subprocess.run(
            [program, "--input-type=module", "--eval", PRELUDE + script],
            cwd=EMULATED,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


# The wires and the chip


def test_a_wire_is_low_if_anybody_pulls(node):
    said = node("""
        const levels = [];
        for (const [who, low] of [[1, true], [2, true], [1, false], [2, false]]) {
          scl.pull(who, low, 0);
          levels.push(scl.level);
        }
        say(levels);
    """)
    assert said == [[False, False, False, True]]


def test_the_chip_keeps_what_was_written_and_is_deaf_meanwhile(node):
    written, deaf, read, blank = node("""
        say(master.write(0x1234, [1, 2, 0xa5]));
        say(master.read(0x1234, 3));
        master.now += 5e6;
        say(master.read(0x1234, 4));
        say(chip.memory.filter((byte) => byte !== 255).length);
    """)
    assert written is True
    assert deaf is None
    assert read == [1, 2, 0xA5, 0xFF]
    assert blank == 3


def test_the_chip_wraps_within_a_page(node):
    [(first, last, beyond)] = node("""
        master.write(64 + 62, [1, 2, 3]);
        say([chip.memory[64], chip.memory[127], chip.memory[128]]);
    """)
    assert (first, last, beyond) == (3, 2, 0xFF)


@pytest.mark.parametrize(
    ("end", "stored"),
    [
        ("master.stop();", True),
        ("master.bit(1); master.bit(1); master.bit(0); master.stop();", False),  # inside a byte
        ("master.start(); master.stop();", False),  # recover_bus: forget it
    ],
)
def test_what_the_chip_stores_at_the_end(node, end, stored):
    assert node(f"master.at(0, [7]); {end} say(chip.memory[0] === 7);") == [stored]


def test_another_address_is_not_for_the_chip(node):
    assert node("master.start(); say(master.send(0xa2)); master.stop();") == [False]


def test_a_chip_without_supply_tears_the_page_that_it_writes_and_no_other(node):
    [others, torn, alive] = node("""
        master.write(0, [9, 9]);
        master.now += 5e6;
        master.write(64, Array(64).fill(1));
        let turn = 0;
        chip.losePower(master.now + 1, () => (turn++ % 2 ? 0.5 : 0));
        say([...chip.memory.subarray(0, 2), chip.memory[128]]);
        say([chip.memory[64], chip.memory[65]]);
        say(master.read(0, 1));
    """)
    assert (others, torn, alive) == ([9, 9, 0xFF], [0xFF, 1], [9])


def test_the_hardware_i2c_reads_what_it_wrote(node):
    """The controller that rp2040js leaves open, with its callbacks called by hand."""
    [heard, stored, byte, unheard] = node("""
        import { HardwareI2C } from './machine/i2c.mjs';
        const device = {
          completeStart() {}, completeStop() {}, completeRead(value) { this.value = value; },
          completeWrite(heard) { this.heard = heard; }, setInterrupts(mask) { this.raised = mask; },
          completeConnect(heard) { this.heard = heard; },
        };
        const board = { now_ns: 0, mcu: { i2c: [device] }, clock: { createAlarm(f) {
          return { schedule(ns) { queue.push(() => { board.now_ns += ns; f(); }); } };
        } } };
        const queue = [];
        new HardwareI2C(board, scl, sda);
        const call = (name, ...args) => {
          device[name](...args);
          while (queue.length) queue.shift()();
        };
        call('onStart'); call('onConnect', 0x50, 0);
        for (const byte of [0, 0, 0xc3]) call('onWriteByte', byte);
        say(device.heard);
        call('onStop');
        say(chip.memory[0]);
        board.now_ns += 5e6;
        call('onStart'); call('onConnect', 0x50, 0);
        for (const byte of [0, 0]) call('onWriteByte', byte);
        call('onStart'); call('onConnect', 0x50, 1); call('onReadByte', false); call('onStop');
        say(device.value);
        call('onStart'); call('onConnect', 0x51, 0);
        say([device.heard, device.raised]);
    """)
    assert (heard, stored, byte, unheard) == (True, 0xC3, 0xC3, [False, 16])


# The judges, each with what it is there for


def test_a_double_holder_is_seen(node):
    [alone, double] = node("""
        const holders = new Holders(judge, 'here');
        holders.took('0', 0); holders.letGo('0'); holders.took('1', 5e6);
        say(faults());
        holders.took('0', 6e6);
        say(faults());
    """)
    assert alone == []
    assert double == ["a double holder: here: board 0 got the lock at 6.000 ms while 1 had it"]


def test_who_pulls_the_bus_beside_the_holder_is_seen(node):
    [allowed, foreign] = node("""
        const holders = new Holders(judge, 'here');
        holders.watch(scl, sda);
        const [zero, one] = ['0', '1'].map((name) => ({ isBoard: true, name }));
        scl.pull(one, true, 0); scl.pull(one, false, 0);
        holders.took('0', 0);
        scl.pull(zero, true, 0); sda.pull(chip, true, 0);
        say(faults());
        scl.pull(one, true, 2e6);
        say(faults());
    """)
    assert allowed == []
    assert foreign == ["a double holder: here: board 1 pulled SCL at 2.000 ms while 0 had the lock"]


LAYOUT = Layout(2, 2, 0, 1, 32768, 64, 0)
CHIPS = "const chips = [chip, new Chip(0x51, scl, sda)]; const pages = new Pages(judge, chips, 2);"


def record(node_id, place, token=15):
    """A slot as the library writes it, in hex."""
    mine = LAYOUT.new(node_id)
    mine.revision, mine.token = 3, token
    data = bytearray(LAYOUT.size)
    LAYOUT.pack(mine, data)
    data[16] |= place
    assert LAYOUT.intact(bytes(data), node_id, place)
    return data.hex()


def flipped(text):
    return text[:-1] + format(int(text[-1], 16) ^ 1, "x")


@pytest.mark.parametrize(
    ("awake", "address", "data", "fault"),
    [
        (0, 0, LAYOUT.label(0).hex(), None),
        (0, 64, record(0, 0), None),
        (1, 4 * 64, record(1, 0), None),
        (0, 0, flipped(LAYOUT.label(0).hex()), "no label"),
        (0, 0, LAYOUT.label(1).hex(), "no label"),
        (0, 64, flipped(record(0, 0)), "no record"),
        (0, 64, record(0, 1), "no record"),  # of the other EEPROM
        (0, 64, record(1, 0), "no record"),
        (1, 64, record(0, 0), "not its page"),
        (0, 17 * 64, record(0, 0), "not its page"),  # behind the cluster's
        (0, 65, "00" * 64, "not its page"),  # runs into the next one
    ],
)
def test_a_corrupt_write_is_seen(node, awake, address, data, fault):
    [found] = node(f"""
        {CHIPS}
        pages.awake = {awake};
        pages.written(0, {address}, hex('{data}'), 1e6);
        say(faults());
    """)
    if fault is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith("a corrupt byte: ") and found[0].endswith(fault)


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("", None),
        ("chip.memory[20000] = 0;", "a corrupt byte: EEPROM 0 has one outside of the cluster now"),
        ("chip.memory[64 * 7] = 0;", "a corrupt byte: EEPROM 0 has one in the slot of node 3 now"),
        (
            "chip.memory[64 * 3] ^= 1;",
            "a corrupt byte: EEPROM 0 has no intact record of node 1 now",
        ),
        ("roles = {0: 'standby', 1: 'standby'};", "0 primaries now"),
        ("roles = {0: 'primary', 1: 'primary'};", "2 primaries now"),
        ("roles = {0: 'standby', 1: 'primary'};", "and the highest token node 0's"),
    ],
)
def test_a_corrupt_chip_and_a_missing_primary_are_seen(node, planted, fault):
    writes = "".join(
        f"chips[{place}].memory.set(hex('{record(node_id, place)}'), {64 * (1 + 2 * node_id)});"
        for place in range(2)
        for node_id in range(2)
    )
    [found] = node(f"""
        {CHIPS} {writes}
        let roles = {{0: 'primary', 1: 'standby'}};
        {planted}
        pages.rest('now', roles);
        say(faults());
    """)
    assert found == [] if fault is None else len(found) == 1 and fault in found[0]


WAKE = "node 0: primary, primary 0, token 15 (epoch 1), members 0 1, eeproms 0 1"


@pytest.mark.parametrize(
    ("end", "text", "fault"),
    [
        ("asleep", WAKE, None),
        (None, WAKE, "a wake without an end: node 0, planted: still awake"),
        ("watchdog", WAKE, "a wake without an end: node 0, planted: watchdog"),
        ("asleep", WAKE + "\npublish event ('lock_late', 1)", "a give-up without contention: "),
        ("asleep", WAKE + "\npublish event ('lock_stuck', 0)", "a give-up without contention: "),
        ("asleep", "Traceback (most recent call last)", "an exception: "),
    ],
)
def test_a_wake_without_an_end_is_seen(node, end, text, fault):
    """Boards that do nothing but end so, and say that."""
    [found] = node(f"""
        import {{ First }} from './steps/first.mjs';
        const pin = {{ setInputValue() {{}}, addListener() {{}} }};
        const board = {{
          name: '0', wires: [], mcu: {{ gpio: Array(30).fill(pin) }},
          end: null, now_ns: 0, age_ms: 0,
          serial: {{ text: {json.dumps(text)} }},
          run() {{ this.end = {json.dumps(end)}; }},
          unplug() {{}},
        }};
        const wiring = {{ eeproms: [0x50, 0x51], nodes: 2, scl: 22, sda: 21, lock: 18 }};
        const first = new First({{ judge, first: wiring, board: () => board }});
        first.when = 'planted';
        let stopped = false;
        try {{ first.wake(0); }} catch {{ stopped = true; }}
        say(stopped === faults().length > 0 && faults());
    """)
    assert found == [] if fault is None else len(found) == 1 and found[0].startswith(fault)


def test_what_a_contender_did_not_write_is_seen(node):
    [found] = node("""
        import { isContenders, BYTES } from './steps/contests.mjs';
        const bytes = (id, number) => Array.from({ length: BYTES }, (_, i) =>
          i === 0 ? id : i === 1 ? number : (id * 37 + number + i * 5) & 255);
        const torn = bytes(3, 9);
        torn[20] ^= 4;
        say([
          isContenders(11 * 64, bytes(3, 9), [3, 5]),
          isContenders(11 * 64, torn, [3, 5]),
          isContenders(12 * 64, bytes(3, 9), [3, 5]),
          isContenders(11 * 64, bytes(3, 9), [5]),
          isContenders(11 * 64, bytes(3, 9).slice(1), [3, 5]),
        ]);
    """)
    assert found == [True, False, False, False, False]


def test_another_output_of_the_walkthrough_is_seen(node):
    [same, other] = node("""
        judge.compare(1, 'f()', 'True', 'True');
        say(faults());
        judge.compare(1, 'f()', 'True', 'False');
        say(faults());
    """)
    assert same == []
    assert other == ["the walkthrough differs: board 1: f()\n  README: True\n  board:  False"]


# What is prepared


def test_the_walkthrough_is_the_readmes():
    readme = (ROOT / "README.md").read_text("utf-8")
    session = prepare.walkthrough(readme)
    assert {line["node"] for line in session} == {0, 1}
    outputs = [line["want"] for line in session if line["want"]]
    assert len(outputs) >= 12
    for want in outputs:
        assert want in readme
    assert "World" not in json.dumps(session)
    for node_id in (0, 1):  # each board runs what mentions it, and nothing of the other
        codes = "".join(line["code"] for line in session if line["node"] == node_id)
        assert f"node{node_id} = join({node_id})" in codes
        assert f"node{1 - node_id}" not in codes
    looped = [line["code"] for line in session if line["code"].startswith("for ")]
    assert [code.splitlines()[0] for code in looped] == [
        "for node in (node0,):",
        "for node in (node1,):",
    ]


def test_the_nodes_differ_in_their_number_only():
    source = (ROOT / "examples" / "first" / "node.py").read_bytes()
    assert prepare.numbered(source, 0) == source
    assert re.findall(rb"\d+", prepare.numbered(source, 1)) == [b"1"]
    with pytest.raises(SystemExit, match="no line NODE_ID"):
        prepare.numbered(b"NODE = 1\n", 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no UF2 file"),
        (b"PK" + bytes(510), "is no UF2 file"),
        (bytes.fromhex("0a324655")[::-1] + bytes(508), "is not for the RP2040"),
    ],
)
def test_another_file_is_no_firmware(node, tmp_path, content, message):
    path = tmp_path / "file.uf2"
    path.write_bytes(content)
    [said] = node(f"""
        import {{ readFirmware }} from './machine/firmware.mjs';
        try {{ readFirmware({json.dumps(str(path))}); }} catch (error) {{ say(error.message); }}
    """)
    assert message in said


@pytest.mark.parametrize("firmware", ["", "no/such.uf2"])
def test_without_a_firmware_it_says_where_to_get_one(firmware):
    done = subprocess.run(
        ["make", "emulated", f"FIRMWARE={firmware}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "micropython.org" in done.stdout and "RPI_PICO" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    "EECLUSTER_FIRMWARE" not in os.environ,
    reason="EECLUSTER_FIRMWARE names no firmware: micropython.org, RPI_PICO, 1.20 or later",
)
def test_all_of_it_with_a_firmware():
    done = subprocess.run(
        ["make", "emulated", f"FIRMWARE={os.environ['EECLUSTER_FIRMWARE']}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "no faults" in done.stdout
