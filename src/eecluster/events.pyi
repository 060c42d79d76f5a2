from collections.abc import Iterable
from typing import Any

from ._types import Event
from .layout import Record
from .node import Node
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
def announced(node: Node, events: Iterable[Event]) -> None: ...
