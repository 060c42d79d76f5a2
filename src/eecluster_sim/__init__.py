"""A simulator for boards that share I2C EEPROMs.

The core (chips, bus, I2C object, boards, world) runs on CPython and on MicroPython; schedulers,
files and boards as processes (`Lab`) need CPython.
"""

import sys

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

if sys.implementation.name == "cpython":
    from .contest import Contest, Limits
    from .files import FileEeprom
    from .process_board import Event, ProcessBoard
    from .scheduler import Scheduler
    from .sensors import Sensor
    from .server import Lab
