"""The simulated world: virtual time, one bus, its chips and boards.

Rule: time moves only by what boards do. Without a scheduler the boards take turns as the caller
calls them, and every transaction or sleep simply moves `now_ns` on. With a scheduler, `now_ns` is
the local time of the board that is running.
"""

from .board import Board
from .bus import Bus
from .chip import Eeprom
from .rand import Random
from .wire.bus import WireBus
from .wire.lines import Lines


class World:
    """now_ns, bus, lines, boards, random; scheduler is None or what decides whose turn it is.

    wires   the bus is made of two lines, and everything on it works bit by bit
    """

    def __init__(self, seed: int = 0, wires: bool = False):
        self.seed = seed
        self.random = Random(seed)
        self.now_ns = 0
        self.wires = wires
        self.lines = Lines()
        self.bus: WireBus = WireBus(self) if wires else Bus()  # type: ignore[assignment]
        self.boards = []
        self._named = {}
        self.scheduler = None

    @property
    def chips(self) -> list:
        return self.bus.chips

    def add_eeprom(self, part: str, address: int, owner=None) -> Eeprom:
        """Connect a new, blank chip; `owner`: the board whose supply it shares."""
        return self.bus.add(Eeprom(part, address, self.random.fork(), owner))

    def add_board(self, node=0, driver="softi2c", freq=400000, drift=0.0, uid=None) -> Board:
        """A board; drift 0.05: its clock is slow, 5 % more time passes than it believes."""
        board = Board(self, node, driver, freq, drift, uid)
        self.boards.append(board)
        return board

    def line(self, name: str, pull=1, rise_ns=2000):
        """The line of that name, a new one if there is none yet: for `board.pin(line)`."""
        if name not in self._named:
            self._named[name] = self.lines.line(name, pull, rise_ns)
        return self._named[name]

    def advance_s(self, seconds):
        """Let time pass while nobody does anything."""
        self.now_ns += int(seconds * 1000000000)

    # What boards call

    def transaction(self, board, duration_ns: int) -> int:
        """Called before each transaction: others may go first. Returns when it starts."""
        if self.scheduler is not None:
            self.scheduler.before_transaction(board)
        free_at_ns = self.bus.free_at_ns
        return free_at_ns if free_at_ns > self.now_ns else self.now_ns

    def sleep(self, board, duration_ns: int):
        """Time passes for this board."""
        self.now_ns += duration_ns
        if self.scheduler is not None:
            self.scheduler.after_sleep(board)
        self.lines.settle(self.now_ns)
