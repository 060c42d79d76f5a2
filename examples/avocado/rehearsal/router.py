"""The boards' way to the broker: a TCP relay that can lead astray and hold what was sent.

Rule: it never looks into what it relays, which is TLS, and loses nothing: what is held is delivered
by `deliver`, also when the board that sent it is long gone. That is how a message comes late.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Callable

CHUNK = 65536
POLL_S = 0.05


class Relay:
    """One connection. `held`: what the board has sent since it was to be held."""

    def __init__(self, board: socket.socket, broker: socket.socket):
        self.board = board
        self.broker = broker
        self.held: list[bytes] | None = None


class Router:
    """Listens on `port` of this machine and relays to `target`, a (host, port) that can be changed.

    hold   None, or asked with each piece that a board sends: if true, this connection's board is
           not heard any more until `deliver()`
    """

    def __init__(self, target: tuple[str, int]):
        self.target = target
        self.hold: Callable[[], bool] | None = None
        self.connections = 0
        self._held: list[Relay] = []
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def holding(self) -> int:
        """Bytes that are held."""
        return sum(len(piece) for relay in self._held for piece in relay.held or ())

    def deliver(self) -> int:
        """Send what was held; how many bytes. The connection lasts until the broker ends it."""
        count = self.holding
        for relay in self._held:
            pieces, relay.held = relay.held or [], None
            relay.broker.sendall(b"".join(pieces))
        self._held = []
        return count

    def close(self) -> None:
        self._closed = True
        self._listener.close()

    def _listen(self) -> None:
        while not self._closed:
            try:
                board, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(board,), daemon=True).start()

    def _serve(self, board: socket.socket) -> None:
        try:
            broker = socket.create_connection(self.target)
        except OSError:
            board.close()
            return
        relay = Relay(board, broker)
        with board, broker, contextlib.suppress(OSError):
            while not self._closed and self._pass_on(relay):
                pass

    def _pass_on(self, relay: Relay) -> bool:
        """Relay what there is; False at the end. A board that went does not end what is held."""
        sources = [relay.broker] if relay.board.fileno() < 0 else [relay.board, relay.broker]
        ready, _, _ = select.select(sources, [], [], POLL_S)
        for source in ready:
            data = source.recv(CHUNK)
            if source is relay.broker:
                if not data:
                    return False
                if relay.board.fileno() >= 0:
                    relay.board.sendall(data)
            elif not data:
                relay.board.close()
                return relay.held is not None
            else:
                self._from_board(relay, data)
        return True

    def _from_board(self, relay: Relay, data: bytes) -> None:
        if relay.held is None and self.hold is not None and self.hold():
            relay.held = []
            self._held.append(relay)
        if relay.held is None:
            relay.broker.sendall(data)
        else:
            relay.held.append(data)
