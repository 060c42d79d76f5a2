"""Locks: who may use the wires. They protect the wires only; the token protects the truth.

A lock has ``acquire(node_id, timeout_ms) -> bool`` and ``release()``; write your own if you like.
When ``acquire`` fails the cluster goes on without it and reports ``lock_stuck``. Stands on
nothing.
"""


class NoLock:
    """For one node, or for tests."""

    def acquire(self, node_id, timeout_ms):
        """Always True."""
        return True

    def release(self):
        """Nothing to do."""
