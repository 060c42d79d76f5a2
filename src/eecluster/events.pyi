from collections.abc import Iterable
from typing import Any

from ._types import Event
from .layout import Record
from .slots import View

JOINED: int
SUSPECT: int
DEAD: int
LOST: int
FAILOVER: int
GONE: int
_KINDS: list[Any]  # every EventKind, in the order of the events

def pending(
    mine: Record, view: View, members: int, suspects: int, lost: int
) -> tuple[Event, ...]: ...
def rivals(mine: Record, view: View) -> list[int]: ...
def record(mine: Record, events: Iterable[Event]) -> None: ...
