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
UID_AT: int
JOINED: int
SUSPECT: int
DEAD: int
LOST: int
SPLIT: int
LOCK: int
DUPLICATE: int
SETTINGS: int
RELEASED: int
RIVALLED: int
TAKEOVER: int
SHARED: int
STUCK: int
LATE: int
OPEN: int
BEATEN: int
STANDS: int
ADMITTED: int
REPORTS: int

def owner(token: int) -> int: ...

class Record:
    node: int
    primary: int
    lost: int
    dead: int
    spare: int
    revision: int
    token: int
    flags: int
    n: int
    lineage: int
    clock: int
    uid: int
    incarnation: int
    deaths: int
    settings: int
    announced: list[int]
    seqs: list[int]
    strikes: list[int]
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
