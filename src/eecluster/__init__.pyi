"""eecluster: a highly available cluster of microcontroller boards over shared I2C EEPROMs."""

from ._types import I2C as I2C
from ._types import Event as Event
from ._types import EventKind as EventKind
from ._types import Lock as Lock
from ._types import Pin as Pin
from ._types import Quorum as Quorum
from ._types import Role as Role
from ._types import Ticks as Ticks
from ._types import Timer as Timer
from .cluster import Cluster as Cluster
from .errors import ClusterError as ClusterError
from .errors import ConfigError as ConfigError
from .errors import DuplicateNodeError as DuplicateNodeError
from .errors import FormatError as FormatError
from .errors import LayoutError as LayoutError
from .lock import BusArbitration as BusArbitration
from .lock import BusyLine as BusyLine
from .lock import NoLock as NoLock
from .lock import recover_bus as recover_bus
from .status import Status as Status

__version__: str
