"""The part of `greenlet` that the scheduler uses, for tests on MicroPython, which has none.

Rule: each greenlet is a thread, and exactly one of them runs at any time: who switches hands the
turn on, and waits until it is handed back. So nothing here needs a lock of its own, and a run
follows from its seed as with real greenlets. Stands on `_thread` alone.

Left out: values passed by switch() and throw() of anything but GreenletExit into one that has not
started, which nobody needs.
"""

import _thread

STACK_BYTES = 128 * 1024


class GreenletExit(BaseException):
    """Ends a greenlet; its parent goes on as if it had returned."""


class greenlet:
    """Runs `run()` when it is switched to first; at its end its parent goes on.

    dead    it has ended          parent  may be changed until then
    """

    def __init__(self, run, parent=None):
        self.parent = parent or _current
        self.dead = False
        self._run = run
        self._started = False
        self._raised = None  # what it raises when it goes on
        self._turn = _thread.allocate_lock()  # free: it is its turn
        self._turn.acquire()

    def switch(self):
        """Let it go on; returns when the caller is switched to again."""
        global _current
        me = _current
        _current = self
        if self._started:
            self._turn.release()
        else:
            self._started = True
            _thread.stack_size(STACK_BYTES)
            _thread.start_new_thread(self._main, ())
        me._turn.acquire()
        raised, me._raised = me._raised, None
        if raised is not None:
            raise raised

    def throw(self, kind):
        """Raise GreenletExit in it where it waits; one that has not started ends at once."""
        if not self._started:
            self.dead = True
        elif not self.dead:
            self._raised = kind()
            self.switch()

    def _main(self):
        global _current
        parent = None
        try:
            self._run()
        except GreenletExit:
            pass
        except BaseException as error:
            self.parent._raised = error
        self.dead = True
        _current = parent = self.parent
        parent._turn.release()  # from here on nothing is touched: the parent runs


_current = None
_current = greenlet(None)  # the program itself


def getcurrent():
    """The one that runs."""
    return _current
