from collections.abc import Callable
from typing import Any

from ._types import Lock
from .config import Config
from .layout import Record
from .slots import Slots, View

class Node:
    config: Config
    slots: Slots
    clock: Callable[[], float]
    lock: Lock
    recover: Callable[[], object] | None
    make: Any  # a function that makes an I2C object, or None
    held: int
    mine: Record  # None before the first look
    leading: bool
    stuck: int
    since: int
    def __init__(
        self,
        config: Config,
        slots: Slots,
        clock: Callable[[], float],
        lock: Lock,
        recover: Callable[[], object] | None,
        make: Any,
    ) -> None: ...
    def quorate(self) -> bool: ...
    def check(self) -> None: ...
    def look(self) -> View: ...
    def load(self, accept: bool) -> bool: ...
    def refresh(self, accept: bool) -> None: ...
    def ready(self, accept: bool) -> None: ...
    def write(self) -> None: ...
