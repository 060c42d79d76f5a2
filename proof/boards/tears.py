"""Torn pages: what a page may hold when the supply of its chip fails in the middle of a write.

Runs on CPython and on MicroPython. Stands on images.
"""

from proof.boards.images import PAGE

TEARS = ("old", "new", "erased", "head", "tail", "mixed")


def torn(tear, old, new):
    """The page ``old`` after a write of ``new`` that was torn in one of the ways of ``TEARS``."""
    if tear == "old":
        return old
    if tear == "new":
        return new
    if tear == "erased":
        return b"\xff" * PAGE
    if tear == "head":  # what was sent first arrived
        return new[: PAGE // 4] + old[PAGE // 4 :]
    if tear == "tail":
        return old[: PAGE // 4] + new[PAGE // 4 :]
    return bytes([(new if i % 3 else old)[i] for i in range(PAGE)])
