"""A board whose programs run in processes of their own: its life, wake after wake.

Rule: it runs in a greenlet of the scheduler, and starts, serves and ends the processes there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol

from .board import DEEPSLEEP_RESET, PWRON_RESET, WDT_RESET, Board, PowerLoss
from .devices import WakeEnd
from .lab_board import Event as Event
from .lab_board import LabBoard, Place
from .lab_scheduler import LabScheduler
from .link import Exit, Request

FOREVER_NS = 1 << 70


class Program(Protocol):
    """A program that runs: what process.py gives. `lines`: printed, and not taken from here yet."""

    lines: list[str]

    @property
    def ended_by(self) -> str: ...

    def wait(self, patience_s: float) -> Request | Exit | None: ...

    def reply(self, body: bytes) -> None: ...

    def kill(self) -> None: ...


class TimedPlace(Place, Protocol):
    """A place with a scheduler. patience_s: real seconds without a request, then a program hangs"""

    scheduler: LabScheduler
    patience_s: float


class ProcessBoard(LabBoard):
    """A board of a `Lab`, made by `Lab.add_board`. What can be done to it: see `LabBoard`.

    flash        the folder that is its flash; it survives everything
    """

    lab: TimedPlace

    def __init__(
        self,
        lab: TimedPlace,
        board: Board,
        flash: Path,
        start_program: Callable[[], Program],
        boot_ms: int,
        pins: tuple[int, int],
    ):
        super().__init__(lab, board, *pins)
        self.flash = flash
        self._start_program = start_program
        self._boot_ns = boot_ms * 1_000_000
        self._program: Program | None = None
        self._life = board.life  # in which its greenlet is

    def _live(self) -> None:
        self.lab.scheduler.call(self.board, self._live_on)

    def _end_program(self) -> str:
        program, self._program = self._program, None
        if program is not None:
            program.kill()
            self._show(program)
        self.lab.scheduler.rouse(self.board)
        return program.ended_by if program else ""

    # Its life: runs in a greenlet of the scheduler

    def _live_on(self) -> None:
        """Life after life, as long as somebody has asked for one with `start`."""
        while self._start_ns is not None:
            start_ns, self._start_ns = self._start_ns, None
            life = self.board.life
            self.board.world.sleep(self.board, start_ns - self.board.world.now_ns)
            if self.board.life == life:
                self._live_once(life)

    def _live_once(self, life: int) -> None:
        """From power-on to the loss of power, or to a deep sleep without end."""
        self._life = life
        self.board.power_on()
        self.devices.power_on()
        self.lab.note(self, "on")
        cause = PWRON_RESET
        while self.board.life == life:
            end: WakeEnd | None = self.board.wake(self._wake, cause)
            if end is None or self.board.life != life:
                break
            cause = end.cause
            if cause == DEEPSLEEP_RESET and not end.ms:
                return
            if cause == DEEPSLEEP_RESET:
                self.board.deep_sleep_s(end.ms / 1000)
        if self.running and self._start_ns is None:
            self._lose_power("killed")  # as planned; stop() and kill() have said so themselves

    def _wake(self, cause: int) -> WakeEnd:
        self.devices.boot(cause)
        self.lab.note(self, "boot", str(cause))
        self._pause(self._boot_ns)
        program = self._program = self._start_program()
        try:
            self._serve(program)
        except WakeEnd as end:
            self._finish(program)
            self._note_end(end)
            return end
        finally:
            program.kill()
            self._show(program)

    def _serve(self, program: Program) -> NoReturn:
        """Answer requests until the wake is over: WakeEnd, PowerLoss."""
        while True:
            request = program.wait(self.lab.patience_s)
            self._show(program)
            self._demand_power()
            if not isinstance(request, Request):
                self._stand_still(program, request)
            reply = self.devices.answer(request)
            self._demand_power()
            program.reply(reply)

    def _stand_still(self, program: Program, ended: Exit | None) -> NoReturn:
        """Its program has ended, or hangs (None): its pins stay as they are until the watchdog
        bites, or the supply fails."""
        self._finish(program)
        bite_ns = self.devices.watchdog_bites_in_ns()
        self.running = bite_ns is not None
        if ended:
            self.lab.note(self, "exit", str(ended.code))
        elif not self.running:
            self.lab.note(self, "hang")
        self._pause(FOREVER_NS if bite_ns is None else bite_ns)
        raise WakeEnd(WDT_RESET)

    def _finish(self, program: Program) -> None:
        """It does nothing more, with the board's supply still there."""
        program.kill()
        self._show(program)
        self._demand_power()
        self._program = None  # how it ended is no news

    def _note_end(self, end: WakeEnd) -> None:
        if end.cause == DEEPSLEEP_RESET:
            self.running = end.ms > 0
            self.lab.note(self, "sleep", str(end.ms))
        else:
            self.lab.note(self, "reset", str(end.cause))

    def _pause(self, duration_ns: int) -> None:
        self._demand_power()  # who was told something may have taken it
        self.board.pause(duration_ns)

    def _demand_power(self) -> None:
        if self.board.life != self._life:
            raise PowerLoss

    def _show(self, program: Program) -> None:
        lines, program.lines = program.lines, []  # who is told may let others go on: shown once
        self._said(lines)
