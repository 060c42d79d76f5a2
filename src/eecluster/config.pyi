from ._types import Quorum
from .layout import Layout

def demand(good: object, key: str, expected: str, value: object) -> None: ...
def whole(key: str, value: int, start: int, end: int) -> int: ...

class Config:
    addresses: tuple[int, ...] | list[int]
    all: int
    nodes: int
    retries: int
    readmit: int | None
    quorum: int
    interval: float | None
    uid: int
    settings: int
    layout: Layout
    def __init__(
        self,
        eeproms: tuple[int, ...] | list[int],
        node_id: int,
        nodes: int | None,
        retries: int,
        readmit: int | None,
        quorum: Quorum | None,
        interval: float | None,
        cluster_id: int,
        size: int,
        page_size: int,
        base: int,
        uid: bytes | bytearray | None,
    ) -> None: ...
