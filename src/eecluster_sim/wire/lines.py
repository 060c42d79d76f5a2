"""Lines: what wires do when several ends drive them.

Rule: a line is low if any end drives it low, else high if any drives it high, else what its
resistors say: the external one first, then those that ends have switched on, else low. A line that
is let go rises `rise_ns` later; falling takes no time.

Actions come in the order of their times. What is due in between (a rise, an output of a chip, a
planned fault) is done by `Lines.settle` before the next action looks, at its own time.
"""

import heapq

IN, OUT, OPEN_DRAIN = 1, 3, 7  # machine.Pin of the ESP32
PULL_DOWN, PULL_UP = 1, 2


class Lines:
    """All lines of a world and what is due on them.

    due      (ns, number, call, arguments) of each such thing, a heap
    record   None, or a list that gets (ns, name, level) for each change: of a line under its name,
             of what an end drives under "name/owner" (0, 1, None: let go)
    """

    record: list

    def __init__(self):
        self.record = None  # type: ignore[assignment]
        self.due = []
        self._count = 0  # keeps what is due at the same time in order

    def line(self, name: str, pull: int | None = 1, rise_ns: int = 0) -> "Line":
        """A new line."""
        return Line(self, name, pull, rise_ns)

    def at(self, ns: int, call, *args):
        """Have call(ns, *args) done at that time."""
        self._count += 1
        heapq.heappush(self.due, (ns, self._count, call, args))

    def settle(self, now_ns: int):
        """Do what is due up to now."""
        due = self.due
        while due and due[0][0] <= now_ns:
            ns, _, call, args = heapq.heappop(due)
            call(ns, *args)


class Line:
    """One line. `pull`: its external resistor, 1 up, 0 down, None for none.

    level     as it is now (after `Lines.settle`)
    stuck     None, 0 or 1: shorted to ground or to the supply
    changed   None, or a function (now_ns, level) that is told of each change
    """

    stuck: int | None

    def __init__(self, lines, name, pull, rise_ns):
        self.lines = lines
        self.name = name
        self.pull = pull
        self.rise_ns = rise_ns
        self.changed = None
        self.ends = {}
        self._lows = 0  # how many ends drive it low, and high
        self._highs = 0
        self._stuck = None
        self._rising_ns = None
        self.level = int(pull == 1)

    def end(self, owner) -> "End":
        """The end of this owner (a board, a chip) on the line."""
        if owner not in self.ends:
            self.ends[owner] = End(self, owner)
        return self.ends[owner]

    def read(self, now_ns: int) -> int:
        """The level now."""
        self.lines.settle(now_ns)
        return self.level

    def stick(self, now_ns: int, level):
        """Short it to ground (0) or to the supply (1), or mend it (None)."""
        self.lines.settle(now_ns)
        self._stuck = level
        self.update(now_ns)

    def cut(self, now_ns: int, owners, far=None) -> "Line":
        """Cut it: these owners' ends are on the line that is returned, with a resistor too."""
        far = far or self.lines.line(self.name + "'", self.pull, self.rise_ns)
        self._move(now_ns, far, [end for owner, end in self.ends.items() if owner in owners])
        return far

    def mend(self, now_ns: int, far: "Line"):
        """Join the line that `cut` has returned again."""
        far._move(now_ns, self, list(far.ends.values()))

    def _move(self, now_ns, target, ends):
        self.lines.settle(now_ns)
        for end in ends:
            drives = end.drives
            end.drive(now_ns, None)
            del self.ends[end.owner]
            target.ends[end.owner] = end
            end.line = target
            end.drive(now_ns, drives)
        self.update(now_ns)
        target.update(now_ns)

    def count(self, old, new):
        """An end drives `new` instead of `old`."""
        if old == 0:
            self._lows -= 1
        elif old == 1:
            self._highs -= 1
        if new == 0:
            self._lows += 1
        elif new == 1:
            self._highs += 1

    def update(self, now_ns: int):
        """Follow what drives the line now."""
        if self._stuck is not None:
            level = self._stuck
        elif self._lows:
            level = 0
        elif self._highs or self.pull == 1:
            level = 1
        elif self.pull == 0:
            level = 0
        else:
            level = int(any(end.pull == PULL_UP for end in self.ends.values()))
        if level == self.level:
            self._rising_ns = None
        elif level and self.rise_ns and not self._highs and self._stuck is None:
            if self._rising_ns is None:
                self._rising_ns = now_ns + self.rise_ns
                self.lines.at(self._rising_ns, self._risen)
        else:
            self._set(now_ns, level)

    def _risen(self, now_ns):
        if self._rising_ns == now_ns:  # else it was pulled again meanwhile
            self._set(now_ns, 1)

    def _set(self, now_ns, level):
        self._rising_ns = None
        self.level = level
        if self.lines.record is not None:
            self.lines.record.append((now_ns, self.name, level))
        if self.changed is not None:
            self.changed(now_ns, level)


class End:
    """What one owner does to a line: as a pin (mode, pull, value, hold), or driving it directly.

    drives   0, 1, or None where it lets the line go
    clamps   its board has no power and clamps the line low through its protection diodes
    """

    def __init__(self, line, owner):
        self.line = line
        self.owner = owner
        self.drives = None
        self.clamps = False
        self.hold = False
        self.pull = 0  # as it is on the line; the others are as the program wants them
        self.mode, self.wanted_pull, self.value = IN, 0, 0

    def drive(self, now_ns: int, drives):
        """Drive it 0, 1, or let it go (None)."""
        if drives != self.drives:
            line = self.line
            line.lines.settle(now_ns)
            line.count(self.drives, drives)
            self.drives = drives
            if line.lines.record is not None:
                line.lines.record.append((now_ns, line.name + "/" + str(self.owner), drives))
            line.update(now_ns)

    def set(self, now_ns: int, mode: int, pull: int, value: int, hold: int):
        """Change what is not -1.

        A held pin shows it later: when `hold` is given again, either value, which lets go of it
        first (MicroPython's ports/esp32/machine_pin.c).
        """
        if value != -1:
            self.value = value
        if mode != -1:
            self.mode = mode
        if pull != -1:
            self.wanted_pull = pull
        if hold != -1:
            self.hold = False
        self._follow(now_ns)
        if hold != -1:
            self.hold = bool(hold)

    def release(self, now_ns: int):
        """What a reset does. A held pin shows it when it does not hold any more (gpio_hold_dis)."""
        self.set(now_ns, IN, 0, 0, -1)

    def clamp(self, now_ns: int, clamps: bool):
        """The board's protection diodes clamp the line, or do not any more."""
        self.clamps = clamps
        self._follow(now_ns)

    def _follow(self, now_ns):
        if self.hold:
            return
        other_pull = self.wanted_pull != self.pull
        if other_pull:  # in one step with what it drives: no glitch between the two
            self.line.lines.settle(now_ns)
            self.pull = self.wanted_pull
        mode = self.mode
        if self.clamps:
            self.drive(now_ns, 0)
        elif mode == OUT or (mode == OPEN_DRAIN and self.value == 0):
            self.drive(now_ns, self.value)
        else:
            self.drive(now_ns, None)
        if other_pull:
            self.line.update(now_ns)
