from collections.abc import Callable, Iterable
from typing import Generic

from typing_extensions import TypeVar

from ._types import I2C, Event, Lock, Quorum, Timer
from .node import Node
from .status import Status

_I2C = TypeVar("_I2C", bound=I2C, default=I2C)

LOCK_TIMEOUT_MS: int

class Cluster(Generic[_I2C]):
    _node: Node  # the project's own searches look at it
    def __init__(
        self,
        i2c: _I2C | Callable[[], _I2C],
        eeproms: tuple[int, ...] | list[int],
        node_id: int,
        *,
        lock: Lock | None = None,
        nodes: int | None = None,
        retries: int = 1,
        readmit: int | None = 3,
        quorum: Quorum | None = None,
        interval: float | None = None,
        cluster_id: int = 0,
        size: int = 32768,
        page_size: int = 64,
        base: int = 0,
        uid: bytes | bytearray | None = None,
        recover: Callable[[], object] | None = None,
        clock: Callable[[], float] = ...,
        timer: Timer = ...,
    ) -> None: ...
    def bus(self) -> Cluster[_I2C]: ...
    def __enter__(self) -> _I2C: ...
    def __exit__(self, error: object, value: object = None, at: object = None) -> None: ...
    def health_check(self) -> Status: ...
    def confirm(self) -> bool: ...
    def heartbeat(self, done: bool = True) -> Status: ...
    def check_in(self) -> Status: ...
    def reset_node(self, node_id: int | None = None) -> None: ...
    def stand_down(self) -> None: ...
    def announced(self, events: Iterable[Event]) -> bool: ...
    def format(self, force: bool = False, epoch: int = 0, eeprom: int | None = None) -> None: ...
