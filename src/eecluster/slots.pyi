from collections.abc import Callable
from typing import Any, TypeVar

from ._types import Timer
from .eeprom import Eeproms
from .layout import Layout, Record

_T = TypeVar("_T")

PASSES: int

class View:
    heard: int
    good: int
    empty: int
    odd: int
    relabel: int
    fresh: int
    held: int
    records: list[Any]  # Record or None; during a look also its rank and bytes
    token: int
    named: list[int]
    duplicate: int
    fault: OSError | None
    def __init__(self, nodes: int) -> None: ...

class Slots(Eeproms):
    timer: Timer
    view: View
    fault: OSError | None
    all: range
    copies: range
    known: list[bytes]
    slot: memoryview
    head: memoryview
    rank: list[tuple[int, ...]]
    target: list[int]
    def __init__(
        self,
        i2c: Any,
        addresses: tuple[int, ...] | list[int],
        layout: Layout,
        timer: Any,
        node: int,
    ) -> None: ...
    def look(self) -> View: ...
    def same(self) -> bool: ...
    def store(self, mine: Record) -> int: ...
    def keeping(self, chips: int) -> int: ...
    def look_at(self, k: int, view: View) -> None: ...
    def copy(self, k: int, i: int, view: View) -> bool: ...
    def familiar(self, k: int, i: int, at: int) -> bool: ...
    def load(self, k: int, i: int, view: View) -> None: ...
    def check(self, k: int) -> bool: ...
    def attempt(self, call: Callable[..., _T], *args: object) -> _T | None: ...
