"""The wire between a simulated board's process and the simulator.

One request, one reply, and the process waits in between: the simulator answers when the virtual
time for it has come. That is all there is to sleeping, to bus transactions and to being switched
off (no answer ever comes).

    request   4 bytes length (big-endian), then  b"name int int ...\n" + data
    reply     4 bytes length (big-endian), then  b"ok int ...\n" + data   or   b"err errno\n" + text

The first request is b"hello key\n". Address and key are in the environment:
EECLUSTER_SIM=host:port:key. The same file serves MicroPython's unix port and CPython.
"""

import os
import socket
import sys


def call(name, *args, data=b""):
    """Send one request, wait for its reply: (list of ints, bytes). OSError as the device has it."""
    _send((" ".join([name] + [str(int(a)) for a in args]) + "\n").encode(), data)
    body = _receive(int.from_bytes(_receive(4), "big"))
    end = body.index(b"\n")
    words = body[:end].decode().split()
    values = [int(word) for word in words[1:]]
    if words[0] != "ok":
        raise OSError(values[0], body[end + 1 :].decode())
    return values, body[end + 1 :]


def ask(name, *args, data=b""):
    """Like `call`, for requests whose answer is one integer."""
    return call(name, *args, data=data)[0][0]


def fetch(name, *args, data=b""):
    """Like `call`, for requests whose answer is bytes."""
    return call(name, *args, data=data)[1]


def _send(head, data):
    message = (len(head) + len(data)).to_bytes(4, "big") + head + data
    # send() may send a part only; for all of it MicroPython has write(), CPython sendall()
    (_link.write if hasattr(_link, "write") else _link.sendall)(message)


def _receive(count):
    data = b""
    while len(data) < count:
        part = _link.recv(count - len(data))
        if not part:  # the simulator is gone, and with it this board
            sys.exit(1)
        data += part
    return data


def _connect():
    address = os.getenv("EECLUSTER_SIM")
    if not address:
        raise OSError(
            "EECLUSTER_SIM is not set: this module only works inside a board of eecluster_sim"
        )
    host, port, key = address.split(":")
    link = socket.socket()
    link.connect(socket.getaddrinfo(host, int(port), 0, socket.SOCK_STREAM)[0][-1])
    return link, key


_link, _key = _connect()
_send(b"hello " + _key.encode() + b"\n", b"")
