"""A scheduler for a `Lab`: it can stop at any moment, and its boards can be called.

Stands on scheduler.
"""

from collections.abc import Callable

from .board import Board
from .scheduler import Scheduler


class LabScheduler(Scheduler):
    """In the order of time, as what really happens."""

    def call(self, board: Board, fn: Callable[[], None]) -> None:
        """Run fn as the program of this board; one that sleeps goes on now instead."""
        if board in self.waiting:
            self.rouse(board)
        else:
            self.spawn(board, fn)

    def rouse(self, board: Board) -> None:
        """A board that sleeps goes on now."""
        if board is not self.running:
            board.local_ns = self.world.now_ns
            self._others_ns = -1

    def stand_still(self) -> None:
        """run() returns now; the board that is running goes on with the next run()."""
        if self.running is not None:
            self._last_step = self.steps
            self._yield(self.running)
