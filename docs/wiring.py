"""Draws the pictures of docs/avocado.md: how the boards are wired, and the way of a reading.

    python docs/wiring.py [FOLDER]       (default: docs/img)

Both are narrow with large letters, because a page shrinks them to the width of a phone. Wires that
are joined have a dot; where two cross without one, the one in front has a gap around it.
"""

import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "img"
CONFIG = DOCS.parent / "examples" / "avocado" / "config.json"
WIDTH = 600
MID = WIDTH / 2

STYLE = """
text { font: 17px system-ui, sans-serif; fill: #1f2933 }
.title { font-size: 19px; font-weight: 600 }
.small { font-size: 15px; fill: #52606d }
.paper { fill: #ffffff }
.box { fill: #f5f7fa; stroke: #7b8794; stroke-width: 2 }
.cloud { fill: none; stroke: #9aa5b1; stroke-width: 2; stroke-dasharray: 6 5 }
.wire { stroke-width: 2.5; fill: none; stroke-linejoin: round }
.wire.gap { stroke: #ffffff; stroke-width: 9 }
.rail { stroke: #c81e1e } .gnd { stroke: #3e4c59 } .scl { stroke: #0b69a3 }
.sda { stroke: #b4540a } .busy { stroke: #7c3aad } .data { stroke: #1b7f4b }
.vin { stroke: #a61b6b }
.part { fill: #ffffff } .dot { stroke: none }
.dot.rail { fill: #c81e1e } .dot.gnd { fill: #3e4c59 } .dot.scl { fill: #0b69a3 }
.dot.sda { fill: #b4540a } .dot.busy { fill: #7c3aad } .dot.data { fill: #1b7f4b }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb } .small { fill: #9aa5b1 }
  .paper, .part { fill: #131a20 } .wire.gap { stroke: #131a20 }
  .box { fill: #1f2933; stroke: #7b8794 } .cloud { stroke: #52606d }
  .rail { stroke: #ff7b72 } .gnd { stroke: #cbd2d9 } .scl { stroke: #62b0e8 }
  .sda { stroke: #f0a04b } .busy { stroke: #c69cf0 } .data { stroke: #5cc98f }
  .vin { stroke: #f28cb8 }
  .dot.rail { fill: #ff7b72 } .dot.gnd { fill: #cbd2d9 } .dot.scl { fill: #62b0e8 }
  .dot.sda { fill: #f0a04b } .dot.busy { fill: #c69cf0 } .dot.data { fill: #5cc98f }
}
"""


class Sheet:
    """Collects what is drawn, in order: later things lie on earlier ones."""

    def __init__(self, height):
        self.height = height
        self.parts = []

    def text(self, x, y, text, style="", anchor="start"):
        place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
        self.parts.append(f'<text {place} class="{style}">{escape(text)}</text>')

    def box(self, x, y, width, height, style="box"):
        size = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self.parts.append(f'<rect {size} rx="6" class="{style}"/>')

    def wire(self, style, *points):
        path = "M" + "L".join(f"{x:g},{y:g}" for x, y in points)
        self.parts.append(f'<path d="{path}" class="wire {style}"/>')

    def dot(self, style, x, y):
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="5" class="dot {style}"/>')

    def resistor(self, style, x, y, upright=True):
        """Its body, 14 by 40, in the middle of a wire that is there already."""
        width, height = (14, 40) if upright else (40, 14)
        size = f'x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}"'
        self.parts.append(f'<rect {size} class="wire part {style}"/>')

    def diode(self, style, x, y):
        """Conducts to the right for x < MID, else to the left: towards the middle."""
        way = 1 if x < MID else -1
        body = f"M{x - 7 * way:g},{y - 8:g}v16l{14 * way},-8z"
        self.parts.append(f'<path d="{body}" class="wire part {style}"/>')
        self.parts.append(f'<path d="M{x + 7 * way:g},{y - 9:g}v18" class="wire {style}"/>')

    def arrow(self, style, start, end):
        """An upright wire with a head at its end."""
        x, y = end
        back = -10 if y > start[1] else 10
        self.wire(style, start, end)
        self.wire(style, (x - 7, y + back), end, (x + 7, y + back))

    def svg(self):
        size = f'width="{WIDTH}" height="{self.height}" viewBox="0 0 {WIDTH} {self.height}"'
        paper = f'<rect width="{WIDTH}" height="{self.height}" class="paper"/>'
        body = "\n".join([f"<style>{STYLE}</style>", paper, *self.parts])
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{body}\n</svg>\n'


# The wiring

LINES = {"rail": 226, "busy": 263, "scl": 300, "sda": 337, "gnd": 374}  # name -> x
EDGE = {0: 190, 1: 410}  # where a column's boxes face the lines
BOX = 178  # width of a box
FIRST, LAST = 128, 826  # where the lines begin and end


def inner(node, inwards):
    """x of a place so far inside the boxes of a node's column."""
    return EDGE[node] - inwards if node == 0 else EDGE[node] + inwards


def column_box(sheet, node, y, height):
    sheet.box(EDGE[node] - BOX if node == 0 else EDGE[node], y, BOX, height)


def pin(sheet, node, y, label, line):
    """A pin of a box, named, and its wire to one of the lines."""
    sheet.wire("gap", (inner(node, -6), y), (LINES[line], y))
    sheet.wire(line, (EDGE[node], y), (LINES[line], y))
    sheet.dot(line, LINES[line], y)
    sheet.text(inner(node, 9), y + 6, label, anchor="end" if node == 0 else "start")


def lines(sheet):
    """The five lines between the boards, and the pull-ups at their top."""
    for name, x in LINES.items():
        top = 468 if name == "gnd" else FIRST
        sheet.wire(name, (x, top), (x, LAST))
        sheet.text(x, LAST + 22, {"busy": "busy", "rail": "rail"}.get(name, name.upper()),
                   "small", "middle")  # fmt: skip
    sheet.wire("rail", (LINES["rail"], FIRST), (LINES["sda"], FIRST))
    for name in ("busy", "scl", "sda"):
        sheet.resistor(name, LINES[name], FIRST + 44)
        sheet.dot("rail", LINES[name], FIRST)
    sheet.text(LINES["busy"] + 14, FIRST - 12, "10 kΩ", "small", "end")
    sheet.text(LINES["scl"] - 14, FIRST - 12, "2 × 4.7 kΩ", "small")


def sensor(sheet, node, config):
    """The DS18B20 above its board, on the board's own 3.3 V."""
    column_box(sheet, node, 44, 66)
    middle = inner(node, BOX / 2)
    sheet.text(middle, 70, "DS18B20", "title", "middle")
    pins = ((-62, "VDD", "rail"), (0, "DQ", "data"), (62, "GND", "gnd"))
    for offset, name, style in pins:
        sheet.wire(style, (middle + offset, 110), (middle + offset, 196))
        sheet.text(middle + offset, 101, name, "small", "middle")
    sheet.wire("data", (middle - 62, 146), (middle, 146))
    sheet.resistor("data", middle - 31, 146, upright=False)
    sheet.dot("rail", middle - 62, 146)
    sheet.dot("data", middle, 146)
    sheet.text(middle - 31, 172, "4.7 kΩ", "small", "middle")
    for offset, name in ((-62, "3V3"), (0, str(config["sensor_pin"])), (62, "GND")):
        sheet.text(middle + offset, 215, name, anchor="middle")


def board(sheet, node, config):
    column_box(sheet, node, 196, 334)
    middle = inner(node, BOX / 2)
    sheet.text(inner(node, BOX - 10), 360, f"ESP32, node {node}", "title",
               "start" if node == 0 else "end")  # fmt: skip
    pin(sheet, node, 256, "3V3", "rail")
    sheet.diode("rail", EDGE[node] + (17 if node == 0 else -17), 256)
    pin(sheet, node, 298, str(config["lock_pin"]), "busy")
    pin(sheet, node, 396, str(config["scl_pin"]), "scl")
    pin(sheet, node, 432, str(config["sda_pin"]), "sda")
    pin(sheet, node, 468, "GND", "gnd")
    for offset, name, style in ((-45, "VIN", "vin"), (45, "GND", "gnd")):
        sheet.wire(style, (middle + offset, 530), (middle + offset, 572))
        sheet.text(middle + offset, 522, name, anchor="middle")


def battery(sheet, node):
    column_box(sheet, node, 572, 64)
    middle = inner(node, BOX / 2)
    sheet.text(middle - 45, 592, "+", anchor="middle")
    sheet.text(middle + 45, 592, "−", anchor="middle")
    sheet.text(middle, 622, "4 NiMH cells, AA", anchor="middle")


def eeprom(sheet, node, config):
    column_box(sheet, node, 668, 170)
    side = "start" if node == 0 else "end"
    sheet.text(inner(node, BOX - 10), 694, "AT24C256", "title", side)
    sheet.text(inner(node, BOX - 10), 716, f"at 0x{config['eeproms'][node]:02X}", anchor=side)
    pin(sheet, node, 734, "VCC, A0" if node else "VCC", "rail")
    pin(sheet, node, 761, "SCL", "scl")
    pin(sheet, node, 788, "SDA", "sda")
    pin(sheet, node, 815, "GND, WP, A1, A2" if node else "GND, WP, A0–A2", "gnd")


def draw_wiring():
    config = json.loads(CONFIG.read_text("utf-8"))
    sheet = Sheet(886)
    sheet.text(MID, 26, "Two boards, two EEPROMs, one bus", "title", "middle")
    lines(sheet)
    for node in (0, 1):
        board(sheet, node, config)
        sensor(sheet, node, config)
        battery(sheet, node)
        eeprom(sheet, node, config)
    sheet.text(MID, 876, "The diodes are Schottky diodes: either board feeds the rail.", "small",
               "middle")  # fmt: skip
    return sheet.svg()


# The way of a reading and of an event


def station(sheet, middle, y, width, title, *words):
    """A box with a title and lines of words; returns the y of its lower edge."""
    height = 40 + 22 * len(words)
    sheet.box(middle - width / 2, y, width, height)
    sheet.text(middle, y + 26, title, "title", "middle")
    for i, word in enumerate(words):
        sheet.text(middle, y + 49 + 22 * i, word, "small", "middle")
    return y + height


def draw_path():
    sheet = Sheet(742)
    left, right = 150, 450
    for node, x, role in ((0, left, "primary"), (1, right, "standby")):
        end = station(sheet, x, 20, 236, f"node {node}", role, "ESP32, DS18B20, EEPROM")
    sheet.wire("scl", (left + 118, 62), (right - 118, 62))
    sheet.text(MID, 52, "I2C", "small", "middle")
    sheet.box(14, 190, 572, 456, "cloud")
    sheet.text(572, 214, "AWS", "small", "end")
    core = station(sheet, MID, 232, 536, "IoT Core", "certificate, policy, two rules")
    fence = station(sheet, left, 386, 236, "Lambda: reading", "drops a token lower than",
                    "the highest it has seen")  # fmt: skip
    mail = station(sheet, right, 386, 236, "Lambda: mail", "one mail for each event,", "in words")
    station(sheet, left, 540, 236, "DynamoDB", "readings; ledger")
    ses = station(sheet, right, 540, 236, "SES", "sends the mail")
    station(sheet, right, 684, 236, "your mailbox")
    for start, stop in ((end, 232), (core, 386), (fence, 540)):
        sheet.arrow("data", (left - 70, start), (left - 70, stop))
    for start, stop in ((core, 386), (mail, 540), (ses, 684)):
        sheet.arrow("sda", (right + 70, start), (right + 70, stop))
    for start, stop in ((386, core), (232, end)):
        sheet.arrow("rail", (left + 100, start), (left + 100, stop))
    sheet.text(left + 112, 146, "by MQTT over mutual TLS;", "small")
    sheet.text(left + 112, 168, "by node 1 after a takeover", "small")
    sheet.text(left - 58, 352, "rosie/reading", "small")
    sheet.text(right + 58, 352, "rosie/event", "small", "end")
    sheet.text(left + 112, 352, "refused", "small")
    sheet.text(20, 684, "“refused”: to a board whose", "small")
    sheet.text(20, 706, "token is too low", "small")
    return sheet.svg()


PICTURES = {"avocado_path.svg": draw_path, "avocado_wiring.svg": draw_wiring}


def main(folder: str | Path = FOLDER):
    for name, draw in PICTURES.items():
        (Path(folder) / name).write_text(draw(), encoding="utf-8")
        print(Path(folder) / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
