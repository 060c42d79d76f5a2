"""`machine.Pin` of a board on a line. Each call takes effect, then its time (see cpu.py)."""

from .cpu import INIT_CALLS
from .lines import IN, OPEN_DRAIN, OUT, PULL_DOWN, PULL_UP


class Pin:
    """A pin; `end` is what it does to its line. Two objects of one board on a line are one pin."""

    IN = IN
    OUT = OUT
    OPEN_DRAIN = OPEN_DRAIN
    PULL_DOWN = PULL_DOWN
    PULL_UP = PULL_UP

    def __init__(self, board, line):
        self.board = board
        self.end = line.end(board)
        self._cpu = board.cpu

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        now_ns = self._cpu.settle()
        self.end.set(
            now_ns, mode, pull or 0, -1 if value is None else int(bool(value)),
            -1 if hold is None else int(hold),
        )  # fmt: skip
        self._cpu.more(INIT_CALLS - 1)
        self._cpu.call()

    def value(self, level=None):
        """The level of the line, or drive it."""
        cpu = self._cpu
        now_ns = cpu.settle()
        end = self.end
        if level is None:
            level = end.line.level
            cpu.call()
            return level
        end.set(now_ns, -1, -1, 1 if level else 0, -1)
        cpu.call()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)
