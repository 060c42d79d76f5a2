"""What happens to the two boards, act by act. Virtual time: an interval of 15 minutes is over in a
second or less.
"""

import time
from collections.abc import Callable

from .cloud import Cloud
from .field import Field
from .impostor import Impostor
from .router import Router

PATIENCE_S = 8.0  # real seconds that a board may be silent before it counts as hanging
SETTLE_S = 60.0  # real seconds that the cloud may take


def play(field: Field, router: Router, cloud: Cloud) -> None:
    """All acts. RuntimeError if the story gets stuck."""
    node0, node1 = field.boards
    with field.phase("both boards are switched on, node 0 takes charge"):
        node0.start()
        node1.start(after_s=7)
        field.run(8)
    with field.phase("the network holds what node 0 publishes; it hangs, and loses its supply"):
        hang_in_publish(field, router)
        node0.kill()
    with field.phase("node 1 takes over"):
        field.run_until(lambda: field.readings(1) >= 4, intervals=8)
    with field.phase("node 0 is back; the network delivers the reading of before, which is stale"):
        node0.start()
        router.deliver()
        wait_for(lambda: stale(cloud), "the late reading in the ledger")
        field.run(6)
    with field.phase("the router is off for three wakes", wifi=False):
        field.lab.wifi(False)
        field.run(3)
        field.lab.wifi(True)
    with field.phase("the router is on again"):
        field.run(6)
    impostor = Impostor(cloud.mqtt_host)
    with field.phase("another broker answers, with a foreign certificate", broker=False):
        true_broker, router.target = router.target, ("127.0.0.1", impostor.port)
        field.run_until(lambda: impostor.visits, intervals=2)
        field.run(0.1)
        router.target = true_broker
    impostor.close()
    if impostor.received:
        raise RuntimeError(f"a board sent {impostor.received} bytes to a foreign broker")
    with field.phase("the true broker answers again"):
        field.run(6)


def hang_in_publish(field: Field, router: Router) -> None:
    """Hold what node 0 sends once it has confirmed, until its watchdog bites."""
    board = field.boards[0]
    opened: dict[int, int] = {}  # connection -> the board's transfers on the bus when it began

    def confirmed() -> bool:
        """Has it used the bus since it connected? Only confirm() does that."""
        used = board.board.stats.transactions
        return used > opened.setdefault(router.connections, used)

    field.lab.patience_s, patience_s = PATIENCE_S, field.lab.patience_s
    router.hold = confirmed
    resets = len([event for event in field.lab.events if event.kind == "reset"])
    field.run_until(
        lambda: len([event for event in field.lab.events if event.kind == "reset"]) > resets, 3
    )
    router.hold = None
    field.lab.patience_s = patience_s
    if not router.holding:
        raise RuntimeError("node 0 hung, but not in publish: nothing is held")


def stale(cloud: Cloud) -> list[dict]:
    return [item for item in cloud.items("LedgerTable") if item.get("reason") == "stale"]


def wait_for(condition: Callable[[], object], what: str) -> None:
    """The cloud works in real time. RuntimeError if it does not come to it."""
    deadline_s = time.monotonic() + SETTLE_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"the cloud did not come to it in {SETTLE_S:.0f} s: {what}")
        time.sleep(0.2)
