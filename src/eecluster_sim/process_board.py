"""A board whose program runs in a process of its own: its life, wake after wake.

Rule: it runs in a greenlet of the scheduler, and starts, serves and ends the processes there.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from .board import DEEPSLEEP_RESET, PWRON_RESET, WDT_RESET, Board, PowerLoss
from .devices import Devices, WakeEnd
from .i2c import EIO
from .process import Exit, Process
from .sensors import Sensor

if TYPE_CHECKING:
    from .server import Lab

S_NS = 1_000_000_000


class Event:
    """Something that happened to a board: `text` says what, for kinds

    boot     a wake begins            (the reset cause)
    line     the program printed      (the line)
    sleep    deep sleep               (milliseconds by the board's clock; 0: for ever)
    reset    reset by itself          (the new reset cause)
    exit     main.py ended            (the exit code, 1 with an exception); no further wake
    hang     no request for long, and no watchdog; no further wake
    killed   the supply failed, or `kill`   (the signal that ended the process)
    off, on  `stop`, `start`
    """

    def __init__(self, at_ns: int, board: "ProcessBoard", kind: str, text: str):
        self.at_ns = at_ns
        self.board = board
        self.kind = kind
        self.text = text

    def __repr__(self) -> str:
        return f"{self.at_ns / S_NS:.3f} node {self.board.node} {self.kind} {self.text}"


class ProcessBoard:
    """A board of a `Lab`. Made by `Lab.add_board`.

    board        the core's `Board`: stats, unreachable, fail_next, short_write, ...
    flash        the folder that is its flash; it survives everything
    lines        all that its programs printed
    running      False after `stop`, a kill, or the end of main.py
    wifi         False: this board does not reach the access point
    sensors      identity (8 bytes) -> `Sensor`; change it in place
    """

    def __init__(
        self, lab: "Lab", board: Board, flash: Path, argv: list[str], boot_ms: int, pins: tuple
    ):
        self.lab = lab
        self.board = board
        self.node: int = board.node
        self.flash = flash
        self.lines: list[str] = []
        self.running = False
        self.wifi = True
        self.sensors = {b"\x28" + board.uid + b"\x01": Sensor(20.0)}
        self.devices = Devices(self, *pins)
        self._argv = argv
        self._boot_ns = boot_ms * 1_000_000
        self._process: Process | None = None
        self._plan: list | None = None  # writes to go, address, moment: see kill_in_write
        self._start_ns: int | None = None  # a start that was asked for

    # What can be done to a board

    def start(self, after_s: float = 0) -> None:
        """Give it power, now or later (nothing runs on it): a power-on reset."""
        if self.running:
            raise RuntimeError(f"node {self.node} is running")
        self.running = True
        self._start_ns = self.lab.world.now_ns + round(after_s * S_NS)
        self.lab.scheduler.call(self.board, self._live)

    def stop(self) -> None:
        """Take its power: SIGKILL for its process; RAM, RTC and its clock are lost."""
        if self.running or self.board.powered:
            self._end("off")

    def kill(self) -> None:
        """Like `stop`, but seen as an accident. Works at any moment; see also `kill_in_write`."""
        if self.running or self.board.powered:
            self._end("killed")

    def kill_in_write(self, n: int = 0, address: int | None = None, moment: str = "during") -> None:
        """Kill it in the n-th EEPROM write from now (0: the next one), to `address` or to any.

        moment: "before" it; "during" (half of the bytes are on the wire, no STOP: the chip stores
        nothing); "after" its STOP, within the chip's write time. A chip that shares the board's
        supply (its `owner`) loses it too, and "after" then tears the page.
        """
        self._plan = [n, address, moment]

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

    # Its life: runs in a greenlet of the scheduler

    def _live(self) -> None:
        """Life after life, as long as somebody has asked for one with `start`."""
        while self._start_ns is not None:
            start_ns, self._start_ns = self._start_ns, None
            life = self.board.life
            self.board.world.sleep(self.board, start_ns - self.board.world.now_ns)
            if self.board.life == life:
                self._live_once()

    def _live_once(self) -> None:
        """From power-on to the loss of power, or to the end of the program."""
        self.board.power_on()
        self.devices.power_on()
        self.lab.note(self, "on")
        life = self.board.life
        cause = PWRON_RESET
        while self.board.life == life:
            end = self.board.wake(self._wake, cause)
            if self.board.life != life:
                if self.running and self._start_ns is None:
                    self._end("killed")  # as planned; stop() and kill() have said so themselves
                return
            self.devices.release_pins()
            if end is None or (end.cause == DEEPSLEEP_RESET and not end.ms):
                self.running = False
                return
            cause = end.cause
            if cause == DEEPSLEEP_RESET:
                self.board.deep_sleep_s(end.ms / 1000)

    def _wake(self, cause: int) -> WakeEnd | None:
        self.devices.boot(cause)
        self.lab.note(self, "boot", str(cause))
        self.board.pause(self._boot_ns)
        process = self._process = self.lab.start_process(self._argv, self.flash)
        try:
            self._serve(process)
        except WakeEnd as end:
            self._show(process)
            kind, text = ("sleep", end.ms) if end.cause == DEEPSLEEP_RESET else ("reset", end.cause)
            self._process = None
            self.lab.note(self, kind, str(text))
            return end
        finally:
            process.kill()
            self._show(process)
        self._process = None
        return None

    def _serve(self, process: Process) -> None:
        """Answer requests until the wake is over."""
        life = self.board.life
        while True:
            request = process.wait(self.lab.patience_s)
            self._show(process)
            if isinstance(request, Exit):
                self.lab.note(self, "exit", str(request.code))
                return
            if request is None:
                self._hang()
                return
            error = None
            try:
                reply = self.devices.handle(request.name, request.args, request.data)
            except OSError as raised:
                error = raised
            if self.board.life != life:
                raise PowerLoss
            if error:
                process.fail(error.errno or EIO, error.strerror or "")
            elif isinstance(reply, bytes):
                process.reply([0], reply)
            else:
                process.reply([reply or 0])

    def _hang(self) -> None:
        bite_ns = self.devices.watchdog_bites_in_ns()
        if bite_ns is not None:
            self.board.pause(bite_ns)
            raise WakeEnd(WDT_RESET)
        self.lab.note(self, "hang")

    def _show(self, process: Process) -> None:
        lines, process.lines = process.lines, []  # note() may let others go on: shown once
        for line in lines:
            self.lines.append(line)
            self.lab.note(self, "line", line)

    def _end(self, kind: str) -> None:
        self.running = False
        self._plan = self._start_ns = None
        self.board.power_off()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            self._show(process)
        self.lab.note(self, kind, process.ended_by if process else "")
        self.lab.scheduler.rouse(self.board)
