"""What a board's program asks for, and the replies: the simulator's end of `upy/_simlink.py`.

Rule: one request, one reply. How the bytes travel is not known here.
"""


class Request:
    """What a program asked for: a name, integers, bytes."""

    def __init__(self, body: bytes):
        head, _, self.data = body.partition(b"\n")
        self.name, *words = head.decode().split()
        self.args = [int(word) for word in words]


class Exit:
    """The program ended by itself, with this exit code."""

    def __init__(self, code: int):
        self.code = code


def done(value: int | bytes | None) -> bytes:
    """The reply to a request that was performed."""
    if isinstance(value, bytes):
        return b"ok 0\n" + value
    return f"ok {value or 0}\n".encode()


def failed(errno: int, text: str) -> bytes:
    """The reply to a request that is an OSError for the program."""
    return f"err {errno}\n{text}".encode()
