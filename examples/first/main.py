"""The first cluster: one board does the duty, the others stand by and take over when it fails.

Copy this file, config.py and node.py onto every board, with a number of its own in node.py.
"""

import sys
import time

from config import EEPROMS, INTERVAL_S, LOCK_PIN, NODES, SCL_PIN, SDA_PIN
from machine import WDT, Pin, SoftI2C, deepsleep, unique_id
from node import NODE_ID

from eecluster import BusyLine, Cluster, recover_bus

# Whatever hangs, the board starts again. An RP2040 takes no more than 8388 ms; each call of the
# cluster needs 3 s and a little at the most, if a lock is held for ever.
watchdog = WDT(timeout=8_000)
# The clock of an RP2040 starts anew at each wake, so there every look has to count.
KEEPS_TIME = sys.platform != "rp2"


def publish(topic, message, token):
    """Instead of Wi-Fi and MQTT. Who reads it drops what has a lower token than it has seen."""
    print("publish", topic, message, "token", token)


def wake():
    scl, sda = Pin(SCL_PIN), Pin(SDA_PIN)
    cluster = Cluster(
        lambda: SoftI2C(scl=scl, sda=sda, freq=400_000),
        eeproms=EEPROMS,
        node_id=NODE_ID,
        lock=BusyLine(Pin(LOCK_PIN)),
        recover=lambda: recover_bus(scl, sda),
        nodes=NODES,
        interval=INTERVAL_S if KEEPS_TIME else None,
        uid=unique_id(),
    )
    status = cluster.check_in()  # with it a standby has also reported
    print(status)
    watchdog.feed()
    if status.is_primary:
        reading = 21.5  # the duty: read a sensor ...
        if cluster.confirm():  # ... and if this board is still in charge, publish
            watchdog.feed()
            publish("reading", reading, status.token)
            for event in status.events:
                publish("event", event, status.token)
            cluster.announced(status.events)
            watchdog.feed()
        cluster.heartbeat()


try:
    wake()
except Exception as error:
    sys.print_exception(error)
# Sleep also after an error, but not after Ctrl-C. What was awake time is no sleeping time.
deepsleep(max(1000, time.ticks_diff(INTERVAL_S * 1000, time.ticks_ms())))
