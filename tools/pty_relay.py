"""A serial port with a MicroPython process behind it, which mpremote and its like take for a board.

    python tools/pty_relay.py PORT FLASH [DIR ...]

PORT is a symlink that it makes, to a pseudo terminal: give it to ``mpremote connect``. FLASH is the
board's flash: a folder of its own, in which MicroPython runs; modules come from there, from ``lib``
in it, and from each DIR. MicroPython knows the raw REPL by itself; what makes it a board is done
here:

- The port stays when a program closes it, and when the interpreter ends.
- When that ends (Ctrl-D at the prompt, ``sys.exit()``, a crash), another one starts in the same
  mode, raw or friendly, after the words ``soft reboot``. Neither boot.py nor main.py is run.
- Ctrl-C interrupts what runs: as a signal, because no terminal makes one of it here. A program that
  has switched that off (``micropython.kbd_intr(-1)``) gets the byte.

Linux only. ``:/`` of mpremote is the root of this machine, not the flash: use relative paths. It
prints a line when it is ready, and ends on SIGTERM, or with the process that started it.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tty
from pathlib import Path

BESIDE = Path(sys.executable).parent / "micropython"
MICROPYTHON = str(BESIDE) if BESIDE.exists() else shutil.which("micropython") or str(BESIDE)
CTRL_A, CTRL_C = b"\x01", b"\x03"
# What the interpreter says when it enters these modes.
RAW = b"raw REPL; CTRL-B to exit\r\n>"
FRIENDLY = b'Type "help()" for more information.\r\n>>> '
START_S = 20  # until the first prompt, on a busy machine
LOOK_S = 1  # how often to see whether the parent is still there
# It must start with SIGINT ignored: else CPython, in which the interpreter is packed, catches it.
COMMAND = 'trap "" INT; exec "$0" -i'


class Board:
    """An interpreter. `output`: the descriptor to read from."""

    def __init__(self, flash, path):
        search = [str(flash / "lib"), *map(str, path), ".frozen"]
        self._process = subprocess.Popen(
            ["sh", "-c", COMMAND, MICROPYTHON],
            cwd=flash,
            env=os.environ | {"MICROPYPATH": ":".join(search)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdin and self._process.stdout
        self._input = self._process.stdin.fileno()
        self.output = self._process.stdout.fileno()
        os.set_blocking(self._input, False)

    def send(self, data):
        """Give it these bytes. What does not fit into its buffer is lost, as on a board."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._input, data)

    def read(self):
        """What it has printed; empty if it has ended."""
        return os.read(self.output, 4096)

    def read_until(self, end):
        """What it prints up to those bytes."""
        found = b""
        while not found.endswith(end):
            if not select.select([self.output], [], [], START_S)[0]:
                raise TimeoutError(f"after {START_S} s MicroPython has printed only {found!r}")
            found += (data := self.read())
            if not data:
                raise ChildProcessError(f"{MICROPYTHON} ended at its start: {found!r}")
        return found

    def interrupt(self):
        """Interrupt what runs; False if nothing does, or wants no interrupts.

        The interpreter catches SIGINT just as long as Ctrl-C is to be an interrupt.
        """
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        caught = int(status.split("SigCgt:")[1].split()[0], 16)
        if not caught >> (signal.SIGINT - 1) & 1:
            return False
        self._process.send_signal(signal.SIGINT)
        return True

    def end(self):
        """End it and close its pipes."""
        self._process.kill()
        self._process.communicate()


class Relay:
    """Carries bytes between the port and the interpreter behind it."""

    def __init__(self, port, flash, path=()):
        self.port, self.flash = Path(port), Path(flash).resolve()
        self.path = [Path(each).resolve() for each in path]
        self.flash.mkdir(parents=True, exist_ok=True)
        self.parent = os.getppid()  # it may end as soon as the port is there
        self.raw = False
        self.seen = b""  # the end of what the interpreter has printed
        self.waiting = b""  # for somebody to read the port
        self.here, self.there = os.openpty()  # `there` stays open: without it, reading `here` fails
        tty.setraw(self.there)
        os.set_blocking(self.here, False)
        self.board = Board(self.flash, self.path)
        self.from_board(self.board.read_until(FRIENDLY))
        if self.port.is_symlink():  # left over from a relay that was killed
            self.port.unlink()
        self.port.symlink_to(os.ttyname(self.there))

    def run(self):
        """Carry bytes for as long as the process lives that started this one."""
        while os.getppid() == self.parent:
            self.step()

    def step(self):
        """Wait for something, and carry it."""
        full = bool(self.waiting)  # then nothing more is taken from the interpreter: it has to wait
        sources = [self.here] if full else [self.here, self.board.output]
        readable, writable, _ = select.select(sources, [self.here] if full else [], [], LOOK_S)
        if self.here in writable:
            self.waiting = self.waiting[os.write(self.here, self.waiting) :]
        if self.here in readable:
            self.to_board(os.read(self.here, 4096))
        if self.board.output in readable:
            if data := self.board.read():
                self.from_board(data)
            else:
                self.restart()

    def to_board(self, data):
        """Bytes from the port."""
        before, ctrl_c, after = data.partition(CTRL_C)
        self.board.send(before)
        if ctrl_c:
            if not self.board.interrupt():
                self.board.send(ctrl_c)
            self.to_board(after)

    def from_board(self, data):
        """Bytes that the interpreter has printed."""
        self.waiting += data
        self.seen = (self.seen + data)[-256:]
        raw, friendly = self.seen.rfind(RAW), self.seen.rfind(FRIENDLY)
        if raw != friendly:  # else both are long ago
            self.raw = raw > friendly

    def restart(self):
        """Start another interpreter in the mode in which the last one ended."""
        self.board.end()
        self.board = Board(self.flash, self.path)
        banner = self.board.read_until(FRIENDLY)
        if self.raw:
            self.board.send(CTRL_A)
            banner = self.board.read_until(RAW)
        self.from_board(b"MPY: soft reboot\r\n" + banner.lstrip())

    def close(self):
        """End the interpreter and take the port away."""
        self.board.end()
        self.port.unlink(missing_ok=True)
        os.close(self.there)
        os.close(self.here)


@contextlib.contextmanager
def relay(port, flash, path=()):
    """A relay in a process of its own, ready, for as long as the block lasts."""
    command = [sys.executable, __file__, port, flash, *path]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        if not process.stdout.readline():
            raise ChildProcessError(f"no relay at {port}: it ended with code {process.wait()}")
        yield process
    finally:
        process.terminate()
        process.communicate()


def main(port, flash, *path):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    this = Relay(port, flash, path)
    try:
        print(f"{port}: MicroPython in {flash}", flush=True)
        this.run()
    finally:
        this.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python tools/pty_relay.py PORT FLASH [DIR ...]")
    main(*sys.argv[1:])
