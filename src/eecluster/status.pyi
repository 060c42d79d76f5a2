from ._types import Event, Role
from .node import Node

class Status:
    node_id: int
    """This node."""
    role: Role
    """``"dead"``: others see it so; ``"isolated"``: without a quorum of EEPROMs, so no duty."""
    is_primary: bool
    """May this node do the duty? Ask ``confirm()`` again right before publishing."""
    primary: int | None
    """The node in charge, if there is one."""
    token: int
    """The fencing token, to send along: a consumer drops what has a lower one than it has seen."""
    epoch: int
    """``token >> 3``: grows with every takeover."""
    members: tuple[int, ...]
    """Nodes that have reported and are not dead."""
    suspects: tuple[int, ...]
    """Nodes that were silent at the last look and are given another chance."""
    dead: tuple[int, ...]
    """Nodes that were silent too often."""
    absent: tuple[int, ...]
    """Nodes that were never heard of."""
    eeproms: tuple[int, ...]
    """Numbers, not addresses, of the EEPROMs that answered and are ours."""
    events: tuple[Event, ...]
    """What was not announced yet; empty on all nodes but the primary."""
    def __init__(self, node: Node) -> None: ...
