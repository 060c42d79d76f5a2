from collections.abc import Iterable
from typing import Any

from ._types import Event
from .layout import Record
from .slots import View

FAILOVER: int
GONE: int
DIFFER: int
CLOCK: int
_KINDS: list[Any]  # every EventKind, in the order of the events

def pending(mine: Record, view: View) -> tuple[Event, ...]: ...
def rivals(mine: Record, view: View) -> list[int]: ...
def record(mine: Record, events: Iterable[Event]) -> None: ...
