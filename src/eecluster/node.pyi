from collections.abc import Callable
from typing import Any

from ._types import Lock
from .config import Config
from .layout import Record
from .slots import Slots, View

LOOK_VALID_MS: int
UNCHECKED: int
CHECKED: int
FAILED: int

class Node:
    config: Config
    slots: Slots
    clock: Callable[[], float]
    lock: Lock | None
    recover: Callable[[], object] | None
    make: Any  # a function that makes an I2C object, or None
    held: int
    had: bool
    mine: Record  # None before the first look
    leading: bool
    lock_fault: int
    state: int
    since: int
    def __init__(
        self,
        config: Config,
        slots: Slots,
        clock: Callable[[], float],
        lock: Lock | None,
        recover: Callable[[], object] | None,
        make: Any,
    ) -> None: ...
    def forget(self) -> None: ...
    def quorate(self) -> bool: ...
    def check(self) -> None: ...
    def lead(self, counted: bool, noted: tuple[int, int] | None) -> None: ...
    def confirm(self) -> bool: ...
    def update(self) -> None: ...
    def look(self) -> View: ...
    def found(self) -> View: ...
    def load(self, accept: bool) -> bool: ...
    def report(self) -> None: ...
    def refresh(self, accept: bool) -> None: ...
    def beat(self, done: bool, state: int) -> None: ...
    def write(self) -> None: ...
