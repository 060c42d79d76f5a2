"""Names for what goes in and out. For checkers and editors only: neither a board nor CPython has
this module, and what ``eecluster`` gives out of it cannot be imported when a program runs.

In a program for CPython: ``if TYPE_CHECKING: from eecluster import Event``.
"""

from typing import Any, Literal, Protocol, TypeAlias, overload, type_check_only

Role: TypeAlias = Literal["primary", "standby", "dead", "isolated"]
"""What a node is: ``"dead"``: others see it so; ``"isolated"``: without a quorum of EEPROMs."""

EventKind: TypeAlias = Literal[
    "joined",
    "suspect",
    "recovered",
    "dead",
    "failover",
    "readmitted",
    "split_brain",
    "eeprom_lost",
    "eeprom_back",
    "lock_stuck",
    "lock_late",
    "lock_open",
    "duplicate_id",
    "settings_differ",
    "clock_stands",
]
"""What has happened."""

Event: TypeAlias = tuple[EventKind, int, int, int]
"""``(kind, node, token, n)``: for ``eeprom_lost`` and ``eeprom_back`` an EEPROM in place of the
node. ``(kind, node, n)`` is the event's key: the same while it is offered again, and never used for
another one.
"""

Quorum: TypeAlias = Literal["majority", "available"]
"""How many EEPROMs it takes: more than half of them, or one."""

@type_check_only
class I2C(Protocol):
    """What the cluster uses of ``machine.I2C`` and ``machine.SoftI2C``."""

    def readfrom_mem_into(
        self, addr: int, memaddr: int, buf: bytearray | memoryview, /, *, addrsize: int
    ) -> object:
        """Fill ``buf`` from byte ``memaddr`` on; ``addrsize`` in bits, always 16. ``OSError``: no
        answer.
        """

    def writeto_mem(
        self, addr: int, memaddr: int, buf: bytes | bytearray | memoryview, /, *, addrsize: int
    ) -> object:
        """Write ``buf`` from byte ``memaddr`` on; ``addrsize`` in bits, always 16. ``OSError``: no
        answer.
        """

@type_check_only
class Pin(Protocol):
    """What the locks use of ``machine.Pin``; and its constants, from ``IN`` to ``PULL_UP``."""

    # the constants: a Final, as in the types of MicroPython, fits no member of a protocol in mypy
    # and in pyright alike
    def init(self, mode: int = ..., pull: int = ..., *, value: Any = ...) -> object:
        """Set mode, resistor and level."""

    @overload
    def __call__(self) -> int | None:
        """The level: 0 or 1. (None is for those that say so of both kinds of calls.)"""

    @overload
    def __call__(self, level: Literal[0, 1], /) -> object:
        """Drive it to this level."""

@type_check_only
class Lock(Protocol):
    """Who may use the wires. Your own may be any class with these two methods."""

    def acquire(self, node_id: int, timeout_ms: int, /) -> bool:
        """Wait for the bus, ``timeout_ms`` at most. True: it is ours. False: it was not to be had,
        and nothing is held.
        """

    def release(self) -> object:
        """Let go. Called once after each ``acquire`` that returned True, and only then."""

@type_check_only
class Ticks(Protocol):
    """What a lock uses of MicroPython's ``time``."""

    def sleep_us(self, us: int, /) -> object: ...
    # Any: ticks are numbers, but MicroPython's own types hide that
    def ticks_us(self) -> Any: ...
    def ticks_diff(self, later: Any, earlier: Any, /) -> int: ...

@type_check_only
class Timer(Ticks, Protocol):
    """What the cluster uses of MicroPython's ``time``."""

    def sleep_ms(self, ms: int, /) -> object: ...
    def ticks_ms(self) -> Any: ...
