"""What can go wrong, as exceptions.

Bus errors stay what the port raised, ``OSError`` with its errno. Ours are ``OSError`` too, so
that an application that guards its bus with ``except OSError`` guards against both. Stands on
nothing.
"""


class ClusterError(OSError):
    """Base of eecluster's own errors. The message names the place, what was found and the
    remedy.
    """


class FormatError(ClusterError):
    """An EEPROM holds something that is not ours. It was not written."""


class LayoutError(ClusterError):
    """An address outside the cluster's pages, or pages that do not fit the chip."""


class ConfigError(ClusterError):
    """The label on an EEPROM says something else than this board's arguments."""


class DuplicateNodeError(ClusterError):
    """Another board (another unique id) already uses this node id."""
