"""eecluster: a highly available cluster of microcontroller boards over shared I2C EEPROMs."""

from .cluster import Cluster
from .errors import ClusterError, ConfigError, DuplicateNodeError, FormatError, LayoutError
from .status import Status

__version__ = "0.1.0"


def __getattr__(name):
    """The names of ``lock``, which is loaded when one is asked for: a board needs one, or none."""
    import eecluster.lock as lock  # `from .` would ask this function first

    return getattr(lock, name)
