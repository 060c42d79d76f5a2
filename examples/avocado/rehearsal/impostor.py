"""A broker whose certificate nobody trusts: right name, foreign authority."""

import contextlib
import socket
import ssl
import threading

import trustme

TIMEOUT_S = 5


class Impostor:
    """Listens on `port` of this machine. `received`: bytes that somebody sent it after TLS."""

    def __init__(self, host: str):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert(host).configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.visits = self.received = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.visits += 1
            visitor.settimeout(TIMEOUT_S)
            with visitor, contextlib.suppress(OSError):  # ssl.SSLError is one
                stream = self._context.wrap_socket(visitor, server_side=True)
                self.received += len(stream.recv(4096))
