"""Boards as real processes: a `Lab` runs each board's main.py in MicroPython, in virtual time.

    with Lab(seed=1) as lab:
        lab.add_eeprom("AT24C256", 0x50)
        board = lab.add_board("main.py", node=0, files={"node.py": "NODE = 0"})
        lab.run(3600)
        print(board.lines)

Each wake is a process of its own; `deepsleep` ends it, and the next one starts when the virtual
time for it has come. Everything but the interpreters happens in this process, one request at a
time, so a run with the same seed and the same programs is the same run.

Limits: what a program does without asking its board (computing, real sockets) takes no virtual
time; `boot_ms` stands for starting and importing. asyncio waits in real time and therefore does
not work. All I2C objects are on the one bus, whatever their pins. boot.py is not run.
"""

import secrets
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .chip import Eeprom
from .flash import fill
from .lab_board import S_NS, Event, LabBoard
from .lab_scheduler import LabScheduler
from .process import Process, command, default_interpreter, listen
from .process_board import ProcessBoard
from .wire.lines import Line
from .world import World

EPOCH_2026_S = 820_540_800  # 2026-01-01 00:00:00 in seconds since 2000-01-01
BOOT_MS = 350  # to the first line of main.py: glenn20/upy-esp32-experiments
PATIENCE_S = 30.0  # real seconds without a request: the program hangs


class Lab:
    """A world of boards that are processes. A context manager: leaving it ends them all.

    wires      the bus is simulated bit by bit; boards have it at the pins `scl` and `sda`
    seed       of the world's and the scheduler's randomness
    start_s    the true time at the beginning, in seconds since 2000-01-01
    on_event   called with each `Event`; all of them are in `events`
    """

    def __init__(
        self,
        seed: int = 0,
        start_s: int = EPOCH_2026_S,
        on_event: Callable[[Event], None] | None = None,
        patience_s: float = PATIENCE_S,
        wires: bool = False,
    ):
        self.world = World(seed, wires)
        self.scheduler = LabScheduler(self.world, seed=seed)
        self.start_s = start_s
        self.boards: list[ProcessBoard] = []
        self.events: list[Event] = []
        self.on_event = on_event
        self.patience_s = patience_s
        self.wifi_since_ns: int | None = 0
        self._folder = tempfile.TemporaryDirectory(prefix="eecluster-sim-")
        self._listener: socket.socket = listen()
        self._condition: Callable[[], object] | None = None
        self._met = self._closed = False

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End all processes and remove the boards' flash."""
        self._closed = True
        self.scheduler.close()
        self._listener.close()
        self._folder.cleanup()

    # Setting up

    def add_eeprom(self, part: str, address: int, owner: ProcessBoard | None = None) -> Eeprom:
        """Connect a blank chip; `owner`: the board whose supply it shares."""
        chip = self.world.add_eeprom(part, address, owner=owner.board if owner else None)
        if owner and not owner.board.powered:
            chip.lose_power(self.world.now_ns)
        return chip

    def add_board(
        self,
        main: str | Path,
        node: int,
        *,
        files: Mapping[str, str | Path] | None = None,
        library: str | Path | None = None,
        interpreter: str | None = None,
        heap: str | None = None,
        i2c_driver: str = "esp32-idf55",
        drift: float = 0.0,
        uid: bytes | None = None,
        boot_ms: int = BOOT_MS,
        at_s: float | None = 0,
        scl: int = 22,
        sda: int = 21,
    ) -> ProcessBoard:
        """Connect a board that runs the file `main` as its main.py.

        files         more files for its flash: name -> contents, or the `Path` of a file to copy
        library       the folder that becomes lib/eecluster (.py or .mpy files); default: this one
        interpreter   "micropython" or "cpython"; default: MicroPython if there is one
        heap          MicroPython's heap, like "48K" (64-bit: about twice what a board needs)
        i2c_driver    of `machine.I2C`, see `i2c.DRIVERS`; `SoftI2C` always is SoftI2C
        drift         0.05: its clock is slow, 5 % more time passes than it believes
        at_s          when it gets power, in virtual seconds from now; None: at `start()`
        scl, sda      in a Lab with wires: the pins on the bus
        """
        interpreter = interpreter or default_interpreter()
        flash = Path(self._folder.name) / f"node{node}-{len(self.boards)}"
        fill(flash, Path(main), files or {}, library)
        core = self.world.add_board(node, driver=i2c_driver, drift=drift, uid=uid)
        core.power_off()  # until it is started
        argv = command(interpreter, heap)
        board = ProcessBoard(
            self, core, flash, lambda: self._start_process(argv, flash), boot_ms, (scl, sda)
        )
        self.boards.append(board)
        if at_s is not None:
            board.start(at_s)
        return board

    def wire(self, pin: int, *boards: ProcessBoard, pull: int | None = 1) -> Line:
        """Connect this pin of these boards; `pull`: the wire's resistor, 1 up, 0 down, None."""
        line = self.world.lines.line(f"pin {pin}", pull)
        for board in boards:
            board.connect(pin, line)
        return line

    def wifi(self, on: bool) -> None:
        """Switch the access point."""
        if on != (self.wifi_since_ns is not None):
            self.wifi_since_ns = self.world.now_ns if on else None

    # Running

    @property
    def now_s(self) -> float:
        """Virtual seconds since the beginning."""
        return self.world.now_ns / S_NS

    def run(self, seconds: float) -> None:
        """Let so many virtual seconds pass."""
        self.run_until(lambda: False, seconds)

    def run_until(self, condition: Callable[[], object], timeout_s: float) -> bool:
        """Run until the condition holds (True), or for `timeout_s` virtual seconds (False).

        It is asked after each event, and then the world stands still: what the caller does next
        happens before anything else.
        """
        end_ns = self.world.now_ns + round(timeout_s * S_NS)
        self._met = bool(condition())
        self._condition = condition
        if not self._met:
            self.scheduler.run(until_s=end_ns / S_NS)
        self._condition = None
        if not self._met:
            self.world.now_ns = end_ns
        return self._met

    # For the boards

    def note(self, board: LabBoard, kind: str, text: str = "") -> None:
        """Record an event; if it is what `run_until` waits for, the world stands still."""
        if self._closed:
            return
        event = Event(self.world.now_ns, board, kind, text)
        self.events.append(event)
        if self.on_event:
            self.on_event(event)
        if self._condition and not self._met and self._condition():
            self._met = True
            self.scheduler.stand_still()

    def _start_process(self, argv: list[str], flash: Path) -> Process:
        return Process(argv, flash, self._listener, secrets.token_hex(8))
