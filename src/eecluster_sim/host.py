"""The names that need CPython, and greenlet: loaded when one of them is asked for."""

from .contest import Contest, Limits
from .files import FileEeprom
from .process_board import Event, ProcessBoard
from .scheduler import Scheduler
from .sensors import Sensor
from .server import Lab
