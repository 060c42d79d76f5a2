"""A board of a `Lab`, as who stands before it has it: what can be done to it, and what it has said.

Rule: nothing here knows how the board's program runs. Who does makes a class of it, with the two
methods at the end of `LabBoard`: process_board.py, for boards as processes of this machine.
"""

from typing import Protocol

from .board import MOMENTS, Board
from .devices import Devices
from .sensors import Sensor
from .wire.lines import Line

S_NS = 1_000_000_000


class Event:
    """Something that happened to a board: `text` says what, for kinds

    boot     a wake begins            (the reset cause)
    line     the program printed      (the line)
    sleep    deep sleep               (milliseconds by the board's clock; 0: for ever)
    reset    reset by itself          (the new reset cause)
    exit     main.py ended            (the exit code, 1 with an exception); no further wake, unless
             there is a watchdog
    hang     no request for long, and no watchdog; no further wake
    killed   the supply failed, or `kill`   (the signal that ended the process)
    off, on  `stop`, `start`
    """

    def __init__(self, at_ns: int, board: "LabBoard", kind: str, text: str):
        self.at_ns = at_ns
        self.board = board
        self.kind = kind
        self.text = text

    def __repr__(self) -> str:
        return f"{self.at_ns / S_NS:.3f} node {self.board.node} {self.kind} {self.text}"


class Place(Protocol):
    """What a board needs to know of where it is: a `Lab`."""

    start_s: int
    wifi_since_ns: int | None

    def note(self, board: "LabBoard", kind: str, text: str = "") -> None: ...


class LabBoard:
    """A board of a `Lab`.

    board        the core's `Board`: stats, unreachable, fail_next, short_write, ...
    lines        all that its programs printed
    running      False after `stop`, a kill, or the end of main.py
    wifi         False: this board does not reach the access point
    sensors      identity (8 bytes) -> `Sensor`; change it in place
    """

    def __init__(self, lab: Place, board: Board, scl: int, sda: int):
        self.lab = lab
        self.board = board
        self.node: int = board.node
        self.lines: list[str] = []
        self.running = False
        self.wifi = True
        self.sensors = {b"\x28" + board.uid + b"\x01": Sensor(20.0)}
        self.devices = Devices(self, scl, sda)
        self._start_ns: int | None = None  # a start that was asked for
        self._plan: list | None = None  # writes to go, address, moment: see kill_in_write

    # What can be done to a board

    def start(self, after_s: float = 0) -> None:
        """Give it power, now or later (nothing runs on it): a power-on reset."""
        if self.running:
            raise RuntimeError(f"node {self.node} is running")
        if self.board.powered:  # its program has ended
            self.board.power_off()
        self.running = True
        self._start_ns = self.board.world.now_ns + round(after_s * S_NS)
        self._live()

    def stop(self) -> None:
        """Take its power: RAM, RTC, its clock and what its pins did are lost."""
        if self.running or self.board.powered:
            self._lose_power("off")

    def kill(self) -> None:
        """Like `stop`, but seen as an accident. Works at any moment; see also `kill_in_write`."""
        if self.running or self.board.powered:
            self._lose_power("killed")

    def kill_in_write(self, n: int = 0, address: int | None = None, moment: str = "during") -> None:
        """Kill it in the n-th EEPROM write from now (0: the next one), to `address` or to any.

        moment: "before" it; "during" (half of the bytes are on the wire, no STOP: the chip stores
        nothing); "after" its STOP, within the chip's write time. A chip that shares the board's
        supply (its `owner`) loses it too, and "after" then tears the page.
        """
        if moment not in MOMENTS:
            raise ValueError(f"the moment is one of {MOMENTS}, not {moment!r}")
        if self.board.world.wires:
            raise ValueError("with wires there are no transactions to fail: see world.lines.at")
        self._plan = [n, address, moment]

    def connect(self, pin: int, line: Line) -> None:
        """Solder this pin to that line."""
        self.devices.lines[pin] = line

    # What its devices ask

    def true_time_us(self) -> int:
        return self.lab.start_s * 1_000_000 + self.board.world.now_ns // 1000

    def wifi_since_ns(self) -> int | None:
        return self.lab.wifi_since_ns if self.wifi else None

    def before_write(self, address: int, size: int) -> None:
        """A write of `size` data bytes is about to begin: is it the one to be killed in?"""
        if self._plan is None or size < 1 or self._plan[1] not in (None, address):
            return
        if self._plan[0] == 0:
            self.board.crash_at = (0, self._plan[2])
            self._plan = None
        else:
            self._plan[0] -= 1

    # For who runs it

    def _said(self, lines: list[str]) -> None:
        """Its program has printed these."""
        for line in lines:
            self.lines.append(line)
            self.lab.note(self, "line", line)

    def _lose_power(self, kind: str) -> None:
        """The supply is gone, for this kind of reason."""
        self.running = False
        self._plan = self._start_ns = None
        self.board.power_off()
        self.lab.note(self, kind, self._end_program())

    # How it runs

    def _live(self) -> None:
        """A start was asked for, at `_start_ns`. Returns at once."""
        raise NotImplementedError

    def _end_program(self) -> str:
        """The supply is gone: end what runs, with no word to it. How it ended, if that is known."""
        raise NotImplementedError
