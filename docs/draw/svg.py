"""One style for all pictures, light and dark. Stands on nothing.

A picture is at most 460 wide, so that its text can be read on a phone without scrolling. Whether it
is light or dark follows the `color-scheme` of the page that shows it.
"""

from xml.sax.saxutils import escape

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2933 }
.small { font-size: 12.5px; fill: #52606d }
.strong { font-weight: 600 }
.mono { font: 12.5px ui-monospace, monospace }
.note { fill: #b4232c }
.line { fill: none; stroke: #1f2933; stroke-width: 1.5 }
.thin { fill: none; stroke: #9aa5b1; stroke-width: 1 }
.rule { fill: none; stroke: #cbd2d9; stroke-width: 1; stroke-dasharray: 3 4 }
.head { fill: #1f2933 }
.box { fill: #f5f7fa; stroke: #9aa5b1; stroke-width: 1.2 }
.a { fill: #dceefb; stroke: #0b69a3; stroke-width: 1.5 }
.b { fill: #fdf0dd; stroke: #b4540a; stroke-width: 1.5 }
.c { fill: #e3f4e8; stroke: #1c7a45; stroke-width: 1.5 }
.off { fill: #fde8e8; stroke: #b4232c; stroke-width: 1.5 }
.free { fill: none; stroke: #9aa5b1; stroke-width: 1; stroke-dasharray: 4 3 }
.curve { fill: none; stroke-width: 2.2; stroke-linejoin: round }
.s0 { stroke: #0b69a3 } .s1 { stroke: #b4540a } .s2 { stroke: #1c7a45 } .s3 { stroke: #8a3ffc }
.s4 { stroke: #b4232c }
.t0 { fill: #0b69a3 } .t1 { fill: #b4540a } .t2 { fill: #1c7a45 } .t3 { fill: #8a3ffc }
.t4 { fill: #b4232c }
.paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb } .small { fill: #b0bac5 } .note { fill: #ff8a80 }
  .line { stroke: #e4e7eb } .thin { stroke: #7b8794 } .rule { stroke: #3e4c59 }
  .head { fill: #e4e7eb } .box { fill: #1f2933; stroke: #7b8794 }
  .a { fill: #103a56; stroke: #62b0e8 } .b { fill: #4a2f10; stroke: #f0a04b }
  .c { fill: #123d25; stroke: #5fcf8d } .off { fill: #4d1c1f; stroke: #ff8a80 }
  .free { stroke: #7b8794 }
  .s0 { stroke: #62b0e8 } .s1 { stroke: #f0a04b } .s2 { stroke: #5fcf8d } .s3 { stroke: #b794ff }
  .s4 { stroke: #ff8a80 }
  .t0 { fill: #62b0e8 } .t1 { fill: #f0a04b } .t2 { fill: #5fcf8d } .t3 { fill: #b794ff }
  .t4 { fill: #ff8a80 }
  .paper { fill: #131416 }
}
"""
WIDTH = 440
HEAD = 8  # length of an arrow's head


class Picture:
    """Shapes and texts in pixels from the upper left corner. `title`: for who cannot see it."""

    def __init__(self, title, height, width=WIDTH):
        self.title = title
        self.width = width
        self.height = height
        self.parts = []

    def text(self, x, y, text, style="", anchor="start"):
        """`anchor`: "start", "middle" or "end" of the text is at x; y is its base line."""
        where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        self.parts.append(f'<text {where} class="{style}">{escape(text)}</text>')

    def box(self, x, y, width, height, style="box", round_px=6):
        where = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self.parts.append(f'<rect {where} rx="{round_px}" class="{style}"/>')

    def circle(self, x, y, radius, style):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{style}"/>')

    def path(self, points, style="line"):
        """A line through the points."""
        steps = "L".join([f"{x:.1f},{y:.1f}" for x, y in points])
        self.parts.append(f'<path d="M{steps}" class="{style}"/>')

    def arrow(self, points, style="line"):
        """A line through the points with a head at its end."""
        (x1, y1), (x2, y2) = points[-2:]
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        dx, dy = (x2 - x1) / length * HEAD, (y2 - y1) / length * HEAD
        self.path([*points[:-1], (x2 - dx, y2 - dy)], style)
        corners = [
            (x2, y2),
            (x2 - dx - dy / 2, y2 - dy + dx / 2),
            (x2 - dx + dy / 2, y2 - dy - dx / 2),
        ]
        text = " ".join([f"{x:.1f},{y:.1f}" for x, y in corners])
        self.parts.append(f'<polygon points="{text}" class="head"/>')

    def svg(self):
        size = f'width="{self.width}" height="{self.height}"'
        view = f'viewBox="0 0 {self.width} {self.height}" role="img"'
        paper = f'<rect width="{self.width}" height="{self.height}" class="paper"/>'
        title = f"<title>{escape(self.title)}</title>"
        body = "\n".join([title, f"<style>{STYLE}</style>", paper, *self.parts])
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}>\n{body}\n</svg>\n'
