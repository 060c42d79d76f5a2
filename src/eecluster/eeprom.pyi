from collections.abc import Callable
from typing import Any

from ._types import Ticks
from .layout import Layout

TRIES: int
STEPS: int
WRITE_US: int

class Eeproms:
    i2c: Any  # what Cluster was given or has made
    addresses: list[int]
    layout: Layout
    timer: Ticks
    node: int
    tries: int
    extra: int
    patience_us: int
    pause_us: int
    since: list[int]
    def __init__(
        self,
        i2c: Any,  # tests hand in parts of an I2C object and of a timer
        addresses: tuple[int, ...] | list[int],
        layout: Layout,
        timer: Any,
        node: int,
    ) -> None: ...
    def expect(self, writers: bool) -> None: ...
    def read(self, k: int, at: int, data: bytearray | memoryview) -> None: ...
    def write(self, k: int, at: int, data: bytes | bytearray | memoryview) -> None: ...
    def retry(
        self, call: Callable[..., object], k: int, at: int, data: bytes | bytearray | memoryview
    ) -> object: ...
