"""What the tests share on CPython and on MicroPython."""


class raises:
    """`with raises(ValueError, "0x50", "taken"):` the block raises that, and its text says each.

    The exception is in `.error` afterwards.
    """

    def __init__(self, kind, *fragments):
        self.kind = kind
        self.fragments = fragments
        self.error = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _traceback):
        name = self.kind.__name__
        assert error is not None, "{} was not raised".format(name)
        if not isinstance(error, self.kind):
            return False
        for fragment in self.fragments:
            assert fragment in str(error), "{}: no {!r} in {!r}".format(name, fragment, str(error))
        self.error = error
        return True
