from collections.abc import Sequence
from typing import TypeAlias

_Data: TypeAlias = bytes | bytearray | memoryview

NODES: int
EEPROMS: int
HEAD_AT: int
HEAD_SIZE: int
CRC_AT: int
PLACE_AT: int
LOST_AT: int
LABEL_SIZE: int
BLANK: int
TOLD_SPLIT: int
TOLD_STUCK: int
TOLD_TWIN: int
STUCK: int
LATE: int

def owner(token: int) -> int: ...

class Record:
    node: int
    primary: int
    retry: int
    dead: int
    spare: int
    revision: int
    token: int
    lost: int
    n: int
    lineage: int
    clock: int
    uid: int
    released: int
    fell: int
    announced: int
    stuck: int  # STUCK, LATE, both or 0
    twin: int
    told: list[int]
    seqs: list[int]
    runs: list[int]
    def __init__(self, node: int, nodes: int, values: Sequence[int]) -> None: ...

class Layout:
    nodes: int
    values: tuple[int, int, int, int]
    blank: bytes
    base: int
    end: int
    slots: range
    format: str
    size: int
    def __init__(
        self,
        nodes: int,
        eeproms: int,
        cluster_id: int,
        quorum: int,
        size: int,
        page_size: int,
        base: int,
    ) -> None: ...
    def label(self, k: int) -> bytes: ...
    def whole(self, label: bytes | bytearray) -> bool: ...
    def crc(self, data: _Data, node: int) -> bytes: ...
    def new(self, node: int) -> Record: ...
    def intact(self, data: _Data, node: int, k: int) -> bool: ...
    def rank(self, data: _Data) -> tuple[int, int, int]: ...
    def unpack(self, data: _Data, node: int) -> Record: ...
    def pack(self, mine: Record, data: bytearray | memoryview) -> None: ...
