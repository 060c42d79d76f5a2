"""Draws the waveforms of docs/two_masters.md from VCD files of simulated runs.

    python docs/waveforms.py [FOLDER]       (default: docs/img)

Two scenes: an arbitration of BusArbitration, and two SoftI2C masters that write at once. The time
axis has pieces of different scale, because microseconds decide what takes milliseconds.
"""

import io
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from vcd.reader import TokenKind, tokenize

from eecluster import BusArbitration
from eecluster_sim import Scheduler, World
from eecluster_sim.wire import vcd

FOLDER = Path(__file__).resolve().parent / "img"
WIDTH, LEFT, RIGHT = 460, 14, 14  # not wider: a phone shows it without scrolling
ROW, HIGH = 68, 26  # from row to row, from low to high
TOP = 66
NS = 1
US = 1000
MS = 1000000

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2933 }
.small { font-size: 12px; fill: #52606d }
.bit { font: 13px ui-monospace, monospace; text-anchor: middle }
.note { font-size: 13px; fill: #b4232c }
.wave { fill: none; stroke-width: 2; stroke-linejoin: round }
.a { stroke: #0b69a3 } .b { stroke: #b4540a } .wire { stroke: #1f2933 }
.rule { stroke: #cbd2d9; stroke-width: 1; stroke-dasharray: 3 3 }
.axis { stroke: #9aa5b1; stroke-width: 1 }
.paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb } .small { fill: #9aa5b1 } .note { fill: #ff8a80 }
  .a { stroke: #62b0e8 } .b { stroke: #f0a04b } .wire { stroke: #e4e7eb }
  .rule { stroke: #3e4c59 } .axis { stroke: #52606d } .paper { fill: #131416 }
}
"""


# Runs


def arbitration():
    """Nodes 2 and 6 want the bus 4 us apart. Returns the record and when node 2 started."""
    world = World(1, wires=True)
    world.lines.record = []

    def contend(board, start_us):
        board.cpu.call_ns = 5 * US
        board.timer.sleep_us(start_us)
        lock = board.cpu.charge(BusArbitration(board.scl, board.sda, timer=board.timer))
        lock.acquire(board.node, 100)

    with Scheduler(world, 1) as scheduler:
        for node, start_us in ((2, 0), (6, 4)):
            scheduler.spawn(world.add_board(node), contend, world.boards[-1], start_us)
        scheduler.run(until_s=0.055)
    start_ns = next(ns for ns, name, level in world.lines.record if (name, level) == ("sda", 0))
    return world.lines.record, start_ns


def collision():
    """Nodes 0 and 1 write A5 and 66 to the same byte at once. Returns the record and the chip."""
    world = World(1, wires=True)
    world.lines.record = []
    chip = world.add_eeprom("AT24C256", 0x50)

    def write(board, byte):
        board.make_i2c().writeto_mem(0x50, 0, bytes((byte,)), addrsize=16)

    with Scheduler(world, 1) as scheduler:
        for node, byte in ((0, 0xA5), (1, 0x66)):
            scheduler.spawn(world.add_board(node), write, world.boards[-1], byte)
        scheduler.run()
    world.advance_s(1)
    world.lines.settle(world.now_ns)
    return world.lines.record, chip


# Reading them back


def waves(record):
    """name -> [(ns, level)], from the VCD that the record makes."""
    text = io.StringIO()
    vcd.write(text, record)
    names, found, now_ns = {}, {}, 0
    for token in tokenize(io.BytesIO(text.getvalue().encode())):
        if token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
        elif token.kind is TokenKind.CHANGE_TIME:
            now_ns = token.time_change * vcd.TICK_NS
        elif token.kind is TokenKind.CHANGE_SCALAR:
            level = 0 if token.scalar_change.value == "0" else 1  # z: let go
            found.setdefault(names[token.scalar_change.id_code], []).append((now_ns, level))
    return found


def level_at(wave, ns):
    """The level at that time."""
    return [level for at, level in wave if at <= ns][-1]


# Drawing


class Picture:
    """`pieces`: (from_ns, to_ns, share of the width) of the time axis, in order."""

    def __init__(self, title, pieces, rows):
        self.height = TOP + ROW * rows + 16
        self.parts = []
        self.pieces = []
        x, width = float(LEFT), WIDTH - LEFT - RIGHT
        for start, end, share in pieces:
            self.pieces.append((start, end, x, x + width * share))
            x += width * share
        self.title = title

    def x(self, ns):
        piece = [piece for piece in self.pieces if ns <= piece[1]] or self.pieces[-1:]
        start, end, left, right = piece[0]
        return left + (right - left) * (min(max(ns, start), end) - start) / (end - start)

    def y(self, row, level=0):
        return TOP + ROW * row + HIGH * (1 - level)

    def text(self, x, y, text, style=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{style}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, style):
        points = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self.parts.append(f'<line {points} class="{style}"/>')

    def wave(self, row, name, wave, style):
        """One line, with its name above it."""
        self.text(LEFT, self.y(row, 1) - 8, name, "small")
        start, end = self.pieces[0][0], self.pieces[-1][1]
        level = level_at(wave, start)
        path = [f"M{self.x(start):.1f},{self.y(row, level):.1f}"]
        for ns, new in wave:
            if start < ns < end and new != level:
                path.append(f"H{self.x(ns):.1f}V{self.y(row, new):.1f}")
                level = new
        path.append(f"H{self.x(end):.1f}")
        self.parts.append(f'<path d="{"".join(path)}" class="wave {style}"/>')

    def rule(self, ns, label, rows, style="small"):
        """A vertical line with a label at its top."""
        self.line(self.x(ns), TOP - 40, self.x(ns), self.y(rows - 1) + 14, "rule")
        self.text(self.x(ns) + 4, TOP - 44, label, style)

    def scale(self, rows):
        """Under each piece how long it is."""
        y = self.y(rows - 1) + 30
        for start, end, left, right in self.pieces:
            length = end - start
            label = f"{length / MS:.1f} ms" if length >= MS else f"{length / US:.0f} µs"
            self.line(left + 2, y, right - 2, y, "axis")
            self.line(left + 2, y - 4, left + 2, y + 4, "axis")
            self.line(right - 2, y - 4, right - 2, y + 4, "axis")
            self.text((left + right) / 2 - 20, y + 16, label, "small")

    def svg(self):
        size = f'width="{WIDTH}" height="{self.height}" viewBox="0 0 {WIDTH} {self.height}"'
        paper = f'<rect width="{WIDTH}" height="{self.height}" class="paper"/>'
        title = f"<title>{escape(self.title)}</title>"
        body = "\n".join([title, f"<style>{STYLE}</style>", paper, *self.parts])
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{body}\n</svg>\n'


def draw_arbitration():
    record, start = arbitration()
    found = waves(record)
    slots = [start + 600 * US + 2500 * US * i for i in range(4)]
    pieces = [
        (start - 30 * US, start + 250 * US, 0.36),
        (start + 250 * US, slots[3] - 50 * US, 0.5),
        (slots[3] - 50 * US, slots[3] + 60 * US, 0.14),
    ]
    picture = Picture(
        "Two nodes send their master codes 0000 1nnn: node 2 (010) and, a little later, 6 (110)",
        pieces, 4,
    )  # fmt: skip
    picture.rule(start, "START, then 0000 1", 4)
    for i, label in enumerate(("bit 2", "bit 1", "bit 0")):
        picture.rule(slots[i], label, 4)
    picture.rule(slots[3], "STOP", 4)
    names = (("node 2 on SDA", "sda_node2", "a"), ("node 6 on SDA", "sda_node6", "b"),
             ("SDA", "sda", "wire"), ("SCL", "scl", "wire"))  # fmt: skip
    for row, (name, wave, style) in enumerate(names):
        picture.wave(row, name, found[wave], style)
    lost = slots[0] + 1000 * US
    picture.text(picture.x(lost) - 8, picture.y(1, 1) - 8, "lets go, finds SDA low: lost", "note")
    for i, bit in enumerate("010"):
        picture.text(picture.x(slots[i] + 500 * US), picture.y(0) + 18, bit, "bit")
    picture.text(picture.x(slots[0] + 500 * US), picture.y(1) + 18, "1", "bit")
    picture.scale(4)
    return picture.svg()


def draw_collision():
    record, chip = collision()
    found = waves(record)
    clocks = [ns for ns, level in found["scl"] if level]
    data = clocks[-10:-1]  # before the STOP
    start = data[0] - 2 * US
    picture = Picture(
        "Two masters write one byte at the same time: both are told that all went well",
        [(start, data[8] + 5 * US, 1.0)], 4,
    )  # fmt: skip
    rows = (("node 0 sends A5", "sda_node0", "a"), ("node 1 sends 66", "sda_node1", "b"),
            ("SDA", "sda", "wire"), ("SCL", "scl", "wire"))  # fmt: skip
    for row, (name, wave, style) in enumerate(rows):
        picture.wave(row, name, found[wave], style)
        if row < 3:
            for ns in data[:8]:  # what the chip finds when SCL rises
                bit = str(level_at(found[wave], ns + 200 * NS))
                picture.text(picture.x(ns + 500 * NS), picture.y(row) + 18, bit, "bit")
    for i, ns in enumerate(data):
        picture.rule(ns, f"bit {7 - i}" if i < 8 else "ack", 4)
    stored = f"chip stores {chip.data[0]:02X}"
    picture.text(LEFT + 40, picture.y(2, 1) - 8, stored, "note")
    picture.scale(4)
    return picture.svg()


PICTURES = {"arbitration.svg": draw_arbitration, "collision.svg": draw_collision}


def main(folder: str | Path = FOLDER):
    for name, draw in PICTURES.items():
        (Path(folder) / name).write_text(draw(), encoding="utf-8")
        print(Path(folder) / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
