"""eecluster: a highly available cluster of microcontroller boards over shared I2C EEPROMs."""

from .cluster import Cluster
from .errors import ClusterError, ConfigError, DuplicateNodeError, FormatError, LayoutError
from .lock import NoLock
from .status import Status

__version__ = "0.1.0"
