"""The names that need CPython, and greenlet: loaded when one of them is asked for."""

from .contest import Contest, Limits
from .files import FileEeprom
from .lab import Lab
from .lab_board import Event
from .process_board import ProcessBoard
from .scheduler import Scheduler
from .sensors import Sensor
