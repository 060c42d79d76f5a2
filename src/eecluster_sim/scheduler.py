"""Boards that run at the same time: each in a greenlet, interleaved between bus transactions.

Rule: a board is left only before a transaction, and in "time" order also when time has passed for
it (sleep, deep sleep); what it does from one such point to the next is a step. So a run follows
from its seed alone. Each board has its own local time; a transaction starts at the later of that
and the end of the last one on the bus.

Orders:
  "time"    the board with the lowest local time goes next (ties: seeded). What really happens.
  "random"  any board may go next, whatever its local time: boards that pause anywhere. With
            `horizon_s`, only one that is at most so far ahead of the slowest, so that deep sleep
            keeps its meaning.
  choose    a function decides, given the list of ready boards (two or more, in spawning order):
            the way to visit every interleaving. Each choice is about one transaction. None: the
            run ends here, which saves the rest of one that is known.
"""

from greenlet import GreenletExit, getcurrent, greenlet

from .board import Board
from .i2c import PowerLoss
from .rand import Random

ORDERS = ("time", "random")

_NEVER_NS = 1 << 80


class Scheduler:
    """Runs programs of boards; attaches itself to the world until close(). A context manager.

    steps    how many there were             running  the board whose turn it is, or None
    waiting  boards that are not finished    failed   the board whose program raised
    """

    def __init__(self, world, seed=0, order="time", choose=None, horizon_s=None):
        if order not in ORDERS:
            raise ValueError(f"the order is one of {ORDERS}, not {order!r}")
        if world.scheduler is not None:
            raise ValueError("the world has a scheduler already: close() it first")
        self.world = world
        self.random = Random(seed)
        self.steps = 0
        self.running: Board | None = None
        self.failed: Board | None = None
        self.waiting: list[Board] = []
        self._timed = order == "time" and choose is None
        self._choose = choose or self.random.choice
        self._horizon_ns = None if horizon_s is None else int(horizon_s * 1000000000)
        self._tasks = {}
        self._fresh = []  # not started yet (not kept in "time" order)
        self._hub = getcurrent()
        self._last_step = -1
        self._until_ns = _NEVER_NS
        self._others_ns = -1  # "time" order: before that nobody else can be next
        self._begun_ns = self._ended_ns = 0  # the last step; the last program that ended
        self._ending = False
        world.scheduler = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def spawn(self, board: Board, fn, *args):
        """Run fn(*args) as the program of this board, from the current time on.

        PowerLoss ends it; any other exception leaves run(). A program that the board still has
        from before a power cut is ended; one that is alive is a ValueError.
        """
        if board in self._tasks:
            if board.powered:
                raise ValueError(f"node {board.node} runs a program already")
            self._end(board)
        board.local_ns = self.world.now_ns
        self._tasks[board] = greenlet(lambda: self._main(board, fn, args), self._hub)
        self.waiting.append(board)
        if not self._timed:
            self._fresh.append(board)
        self._others_ns = -1

    def run(self, until_s=None, steps=None):
        """Run until all boards are finished, or nothing is left to do before until_s (virtual
        seconds), or `steps` were made. True if it was the steps. Call it again to go on.

        World time is then the end of all, or until_s, or the time of the last step.
        """
        start_ns = self.world.now_ns
        self._until_ns = _NEVER_NS if until_s is None else int(until_s * 1000000000)
        self._last_step = -1 if steps is None else self.steps + steps
        try:
            board = self._next()
            while board is not None:
                self._tasks[board].switch()
                board = self._next()
        finally:
            self.running = None
            self.world.now_ns = max(start_ns, self._begun_ns, self.world.bus.free_at_ns)
        if self.steps == self._last_step:
            return True
        if not self.waiting:
            self.world.now_ns = max(self.world.now_ns, self._ended_ns)
        elif until_s is not None:
            self.world.now_ns = max(self.world.now_ns, self._until_ns)
        return False

    def close(self):
        """End the programs that are not finished, and detach from the world."""
        for board in list(self.waiting):
            self._end(board)
        self.world.scheduler = None

    # Called by the world, in the greenlet of the board

    def before_transaction(self, board: Board):
        """Here others may go first."""
        if self.running is not board:
            return  # somebody looks at the bus from outside
        if self._ending:
            raise GreenletExit
        if self.steps != self._last_step and self.world.now_ns < self._others_ns:
            self.steps += 1  # the same board again, without asking
        elif board.powered:  # else its I2C object raises PowerLoss: no turn for the dead
            self._yield(board)

    def after_sleep(self, board: Board):
        """Time has passed for the board: others may be earlier now."""
        if self.running is not board:
            return
        if self._ending:
            raise GreenletExit
        now_ns = self.world.now_ns
        if not self._timed:
            if now_ns > self._until_ns:
                self._yield(board)
        elif self.steps != self._last_step and now_ns < self._others_ns:
            self.steps += 1
            self._begun_ns = now_ns
        else:
            self._yield(board)

    # Programs

    def _main(self, board, fn, args):
        try:
            fn(*args)
        except PowerLoss:
            if board.powered:
                board.power_off()
        except Exception:
            self.failed = board
            raise
        finally:
            if self._tasks.get(board) is getcurrent():
                self._ended_ns = max(self._ended_ns, self.world.now_ns)
                self._forget(board)

    def _forget(self, board):
        del self._tasks[board]
        self.waiting.remove(board)
        if board in self._fresh:
            self._fresh.remove(board)

    def _end(self, board):
        """End a program wherever it is; what it does on the way out reaches nobody."""
        task = self._tasks[board]
        self._forget(board)
        if task is getcurrent():
            return  # it has lost its power, and meets PowerLoss at its next transaction
        running, now_ns = self.running, self.world.now_ns
        self.running, self._ending = board, True
        task.parent = getcurrent()
        task.throw(GreenletExit)
        self.running, self._ending = running, False
        self.world.now_ns = now_ns

    # Whose turn it is

    def _yield(self, board):
        """Let the next board go on; returns when it is this one's turn again."""
        if self._tasks.get(board) is not getcurrent():
            return  # what is left of a program from before a power cut
        board.local_ns = self.world.now_ns
        following = self._next()
        if following is None:
            self._hub.switch()
        elif following is not board:
            self._tasks[following].switch()

    def _next(self):
        """The board that goes on now (made the running one), or None if the run stops here."""
        if self.steps == self._last_step:
            return None
        board = self._earliest() if self._timed else self._any()
        if board is not None:
            self.steps += 1
            self.running = board
            self.world.now_ns = self._begun_ns = board.local_ns
        return board

    def _earliest(self):
        first = None
        first_ns = others_ns = _NEVER_NS
        ties = 1
        for board in self.waiting:
            ns = board.local_ns
            if ns < first_ns:
                first, first_ns, others_ns, ties = board, ns, first_ns, 1
            elif ns == first_ns:
                others_ns = ns
                ties += 1
                if self.random.below(ties) == 0:
                    first = board
            elif ns < others_ns:
                others_ns = ns
        self._others_ns = min(others_ns, self._until_ns + 1)
        return first if first_ns <= self._until_ns else None

    def _any(self):
        ready = self.waiting
        limit_ns = self._until_ns
        if self._horizon_ns is not None and ready:
            limit_ns = min(limit_ns, min(b.local_ns for b in ready) + self._horizon_ns)
        if limit_ns != _NEVER_NS:
            ready = [board for board in ready if board.local_ns <= limit_ns]
        for board in self._fresh:
            if board in ready:  # up to its first transaction nobody notices it: not a choice
                self._fresh.remove(board)
                return board
        if len(ready) < 2:
            return ready[0] if ready else None
        return self._choose(list(ready))
