"""Two boards for who has none: MicroPython processes behind serial ports, on one simulated bus.

Each board is an interpreter of tools/pty_relay.py. Its `machine` and `time` are those of
src/eecluster_sim/upy, which ask for everything over a socket; here is the other end. A thread per
board answers, one request at a time, from one `World` with two chips. Time is virtual: it passes
only when a board uses the bus or sleeps.

A board's power is its process. The chips have a supply of their own, and keep what they hold.
"""

import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from boards import Boards

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

from eecluster_sim import World  # noqa: E402
from eecluster_sim.devices import Devices, WakeEnd  # noqa: E402
from eecluster_sim.process import SHIMS, Request  # noqa: E402

EEPROMS = (0x50, 0x51)
BUSY_LINE_PIN = 18


class Bus(socketserver.ThreadingTCPServer):
    """The world, and the socket at which its boards ask: EECLUSTER_SIM=127.0.0.1:PORT:NODE."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Link)
        self.turn = threading.Lock()
        self.world = World(seed=1)
        for address in EEPROMS:
            self.world.add_eeprom("AT24C256", address)
        self.devices = [self._add_board(node) for node in range(len(EEPROMS))]

    def _add_board(self, node):
        board = self.world.add_board(node)
        owner: Any = SimpleNamespace(
            board=board,
            sensors={},
            wifi_since_ns=lambda: None,
            true_time_us=lambda: 0,
            before_write=lambda address, size: None,
        )
        devices = Devices(owner, scl=22, sda=21)
        devices.lines[BUSY_LINE_PIN] = self.world.line("busy")
        return board, devices

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Link(socketserver.StreamRequestHandler):
    """A board's process, from its first request to its end. The format: see upy/_simlink.py."""

    server: Bus

    def handle(self):
        self.connection.settimeout(None)
        board, devices = self.server.devices[int(self.message().split()[1])]
        with self.server.turn:
            board.power_on()
            devices.power_on()
            devices.boot(board.reset_cause)
        try:
            while body := self.message():
                with self.server.turn:
                    reply = answer(devices, Request(body))
                self.wfile.write(len(reply).to_bytes(4, "big") + reply)
        except (WakeEnd, ConnectionError):
            pass  # deepsleep() and reset() end the process; the relay starts another at once
        finally:
            with self.server.turn:
                board.power_off()

    def message(self):
        """The next message; empty when the process has gone."""
        head = self.rfile.read(4)
        return self.rfile.read(int.from_bytes(head, "big")) if len(head) == 4 else b""


def answer(devices, request):
    """The reply to a request."""
    try:
        value = devices.handle(request.name, request.args, request.data)
    except OSError as error:
        return f"err {error.errno}\n{error.strerror}".encode()
    if isinstance(value, bytes):
        return b"ok 0\n" + value
    return f"ok {value or 0}\n".encode()


class SimulatedBoards(Boards):
    """Two of them, with blank chips. They end with this process at the latest."""

    def __init__(self):
        super().__init__()
        self.ports = [str(self.folder / f"board{n}") for n in range(len(EEPROMS))]
        self._relays: dict[int, subprocess.Popen] = {}
        self.bus = Bus().__enter__()
        for n in range(len(self.ports)):
            self.on(n)

    def on(self, n):
        if n in self._relays:
            raise RuntimeError(f"board {n} has power already")
        relay = [ROOT / "tools" / "pty_relay.py", self.ports[n], self.folder / f"flash{n}"]
        process = subprocess.Popen(
            [sys.executable, *relay, ROOT / "src", SHIMS],
            env=os.environ | {"EECLUSTER_SIM": f"127.0.0.1:{self.bus.server_address[1]}:{n}"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # "interrupt" in Jupyter is not for the boards
        )
        self._relays[n] = process
        assert process.stdout
        if not process.stdout.readline():  # it prints a line when the board is there
            raise ChildProcessError(f"board {n} does not start: {relay[0]} has printed why")

    def off(self, n):
        relay = self._relays.pop(n)
        relay.terminate()
        relay.communicate()

    def close(self):
        for n in list(self._relays):
            self.off(n)
        self.bus.__exit__()
        super().close()
