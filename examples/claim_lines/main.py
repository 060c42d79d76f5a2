"""examples/first with a lock of one's own: claim lines instead of none.

Copy this file, claim_lines.py, and config.py and node.py of examples/first onto every board. Wire
pin CLAIM_PINS[i] of all boards together, for each node i, with a resistor of 10 kilohms to 3.3 V.
"""

import sys
import time

from claim_lines import ClaimLines
from config import EEPROMS, INTERVAL_S, NODES, SCL_PIN, SDA_PIN
from machine import WDT, Pin, SoftI2C, deepsleep, unique_id
from node import NODE_ID

from eecluster import Cluster

CLAIM_PINS = (18, 19)  # number i belongs to node i, the same on every board

WDT(timeout=60_000)  # whatever hangs, the board starts again, and its line is let go


def wake():
    others = [Pin(number) for number in CLAIM_PINS]
    own = others.pop(NODE_ID)
    cluster = Cluster(
        lambda: SoftI2C(scl=Pin(SCL_PIN), sda=Pin(SDA_PIN), freq=400_000),
        eeproms=EEPROMS,
        node_id=NODE_ID,
        lock=ClaimLines(own, others),
        nodes=NODES,
        interval=INTERVAL_S,
        uid=unique_id(),
    )
    status = cluster.health_check()
    print(status)
    if status.is_primary and cluster.confirm():
        print("publish", 21.5, "token", status.token)  # see examples/first
        cluster.announced(status.events)
    cluster.heartbeat()


try:
    wake()
except Exception as error:
    sys.print_exception(error)
# Sleep also after an error, but not after Ctrl-C. What was awake time is no sleeping time.
deepsleep(max(1000, time.ticks_diff(INTERVAL_S * 1000, time.ticks_ms())))
