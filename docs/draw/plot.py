"""Curves with their names at them, on linear or logarithmic axes. Stands on svg."""

import math
from typing import NamedTuple

from docs.draw.svg import Picture

LEFT, RIGHT, TOP, BOTTOM = 62, 24, 40, 50
HEIGHT = 320


class Axis(NamedTuple):
    """`marks`: value -> what stands there; the first and the last are the ends of the axis."""

    name: str
    marks: dict
    log: bool = False

    def share(self, value):
        """0 at the beginning of the axis, 1 at its end."""
        values = [min(self.marks), value, max(self.marks)]
        start, here, end = [math.log(each) for each in values] if self.log else values
        return (here - start) / (end - start)


class Plot:
    """One plot of curves; `right`: room for their names at the right."""

    def __init__(self, title, x, y, right=RIGHT):
        self.picture = Picture(title, HEIGHT)
        self.x_axis, self.y_axis = x, y
        self.width = self.picture.width - LEFT - right
        self.height = HEIGHT - TOP - BOTTOM
        self.curves = 0
        self._axes()

    def at(self, x, y):
        """Pixels."""
        up = self.height * self.y_axis.share(y)
        return LEFT + self.width * self.x_axis.share(x), TOP + self.height - up

    def curve(self, points, name, dx=8, dy=5, anchor="start"):
        """The name stands (dx, dy) from the last point."""
        picture, style = self.picture, self.curves
        picture.path([self.at(*point) for point in points], f"curve s{style}")
        x, y = self.at(*points[-1])
        picture.text(x + dx, y + dy, name, f"small strong t{style}", anchor)
        self.curves += 1

    def mark_x(self, value, name):
        """A vertical line with words at its top."""
        bottom, top = self.at(value, min(self.y_axis.marks)), self.at(value, max(self.y_axis.marks))
        self.picture.path([bottom, top], "thin")
        self.picture.text(top[0] + 5, top[1] + 14, name, "small")

    def _axes(self):
        picture = self.picture
        picture.text(8, 22, self.y_axis.name, "small")
        x0, y0 = min(self.x_axis.marks), min(self.y_axis.marks)
        for value, label in self.y_axis.marks.items():
            left, y = self.at(x0, value)
            picture.path([(left, y), (left + self.width, y)], "rule" if value != y0 else "thin")
            picture.text(left - 7, y + 5, label, "small", "end")
        for value, label in self.x_axis.marks.items():
            x, bottom = self.at(value, y0)
            picture.path([(x, bottom), (x, bottom + 5)], "thin")
            picture.text(x, bottom + 20, label, "small", "middle")
        picture.text(LEFT + self.width / 2, HEIGHT - 8, self.x_axis.name, "small", "middle")

    def svg(self):
        return self.picture.svg()
