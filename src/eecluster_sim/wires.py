"""GPIO wires between boards.

Rule: a wire is low if anybody drives it low, else high if anybody drives it high, else what its
resistors say: the external one first, then those that boards have switched on, else low.
"""

IN, OUT, OPEN_DRAIN = 1, 3, 7  # machine.Pin of the ESP32
PULL_DOWN, PULL_UP = 1, 2


class Wire:
    """One wire. `pull`: its external resistor, 1 up, 0 down, None for none."""

    def __init__(self, pull: int | None = None):
        self.pull = pull
        self._ends: dict[object, End] = {}

    def end(self, owner: object) -> "End":
        """The pin of this owner on the wire."""
        return self._ends.setdefault(owner, End())

    def level(self) -> int:
        ends = self._ends.values()
        driven = {end.drives() for end in ends}
        if driven & {0, 1}:
            return int(0 not in driven)
        if self.pull is not None:
            return self.pull
        return int(any(end.pull == PULL_UP for end in ends))


class End:
    """A pin: mode, resistor, the level it was set to, and whether it holds that in deep sleep."""

    def __init__(self) -> None:
        self.hold = False
        self.release()

    def release(self) -> None:
        """What a reset does to a pin that does not hold."""
        if not self.hold:
            self.mode, self.pull, self.value = IN, 0, 0

    def set(self, mode: int, pull: int, value: int, hold: int) -> None:
        """Change what is not -1. A held pin keeps all until it is told not to hold."""
        if hold != -1:
            latched, self.hold = self.hold and hold == 1, bool(hold)
        else:
            latched = self.hold
        if latched:
            return
        if mode != -1:
            self.mode = mode
        if pull != -1:
            self.pull = pull
        if value != -1:
            self.value = value

    def drives(self) -> int | None:
        """0, 1, or None where the pin lets the wire go."""
        if self.mode == OUT or (self.mode == OPEN_DRAIN and self.value == 0):
            return self.value
        return None
