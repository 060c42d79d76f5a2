"""The notebook's two boards: real ones, or, where there are none, simulated ones.

Both kinds have `ports`, for ``%%micropython --select``, `folder`, for files that are to be copied,
and these methods:

    copy(path)   copy a file to the flash of both
    off(n)       board n loses its power
    on(n)        it has power again, and is ready
    close()      end what was started
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMEOUT_S = 60  # for what mpremote does
START_S = 20  # until a board that was plugged in answers


def connect(ports):
    """The boards at these two serial ports; two simulated ones if there are no ports."""
    if not ports:
        from simulated import SimulatedBoards  # Linux only

        return SimulatedBoards()
    if len(ports) != 2:
        raise ValueError(f"the ports are {ports}: name two, of board 0 and of board 1, or none")
    return RealBoards(ports)


class Boards:
    """What both kinds have in common."""

    ports: list[str]

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="eecluster-")
        self.folder = Path(self._folder.name)

    def copy(self, path):
        for port in self.ports:
            done = mpremote(port, "cp", str(path), f":{Path(path).name}")
            if done.returncode:
                raise ConnectionError(f"cannot copy {path} to {port}: {done.stdout}")

    def close(self):
        self._folder.cleanup()


class RealBoards(Boards):
    """Boards at serial ports. Only you can take their power, so you are asked to."""

    def __init__(self, ports):
        super().__init__()
        self.ports = list(ports)

    def off(self, n):
        input(f"Press the reset button (EN) of board {n}, at {self.ports[n]}. Then Enter here: ")

    def on(self, n):
        input(f"Has board {n} power? Then Enter here: ")
        deadline = time.monotonic() + START_S
        while (done := mpremote(self.ports[n], "exec", "pass")).returncode:
            if time.monotonic() > deadline:
                raise ConnectionError(f"board {n} does not answer: {done.stdout}")


def mpremote(port, *args):
    """Run mpremote on a port, without a reset: the finished process, with all that it printed."""
    return subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port, "resume", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
