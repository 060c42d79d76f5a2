"""A simulator for boards that share I2C EEPROMs.

The core (chips, bus, I2C object, boards, world) runs on CPython and on MicroPython; schedulers,
files and boards as processes (`Lab`) need CPython.
"""

from .board import (
    DEEPSLEEP_RESET,
    HARD_RESET,
    PWRON_RESET,
    SOFT_RESET,
    WDT_RESET,
    Board,
)
from .bus import Bus
from .chip import Eeprom
from .i2c import DRIVERS, I2C, PowerLoss
from .parts import PARTS, Part
from .rand import Random
from .wire.lines import Line
from .world import World

__all__ = [
    "DEEPSLEEP_RESET", "HARD_RESET", "PWRON_RESET", "SOFT_RESET", "WDT_RESET",
    "DRIVERS", "I2C", "PARTS", "Board", "Bus", "Eeprom", "Line", "Part", "PowerLoss", "Random",
    "World",
    "Contest", "Event", "FileEeprom", "Lab", "Limits", "ProcessBoard", "Scheduler", "Sensor",
]  # fmt: skip

TYPE_CHECKING = False  # type checkers take it for True; there is no `typing` on MicroPython
if TYPE_CHECKING:
    from .host import (
        Contest,
        Event,
        FileEeprom,
        Lab,
        Limits,
        ProcessBoard,
        Scheduler,
        Sensor,
    )


def __getattr__(name):
    """The names of ``host``, which is loaded when one is asked for: pytest's plugin needs none."""
    if name.startswith("_"):
        raise AttributeError(name)
    import eecluster_sim.host as host  # `from .` would ask this function first

    return getattr(host, name)
