"""What every judge raises."""


class Breach(Exception):
    """A promise was broken, or a rule of docs/protocol.md: ``promise`` is its number there.

    Not an OSError: no application survives it. ``moves``: how a search came to it, ``command``:
    what replays it.
    """

    def __init__(self, promise, text):
        super().__init__("%s: %s" % (promise, text))
        self.promise = promise
        self.moves = []
        self.command = ""
