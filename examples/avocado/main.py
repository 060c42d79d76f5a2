"""One wake of a board: look at the cluster, do the duty if it is this board's, report, sleep.

The same file on all boards; what differs is in config.json. See README.md.
"""

import sys
import time

from avocado import schedule, settings
from avocado.kept import Kept
from machine import RTC, WDT, deepsleep

config = settings.load()  # if it is wrong, it says so here and leaves the REPL to whoever mends it
cluster = settings.cluster(config)
WDT(timeout=120_000)  # whatever hangs from here on, the board starts again
kept = Kept(RTC().memory, schedule.now())


def work():
    """True if this board has done what it had to do, None if it has reported already."""
    if kept.hung:
        return False  # told by the next wake; this one does not hang there again
    status = cluster.check_in()
    print(status)
    if not status.is_primary:
        return None
    from avocado import duty  # a standby pays for no Wi-Fi, TLS and MQTT, not even the import

    return duty.do(config, cluster, status, kept)


def note(error):
    from avocado.faults import words

    sys.print_exception(error)
    kept.fail(schedule.now(), words(error, kept.step))


try:
    try:
        done = work()
    except Exception as error:
        note(error)
        done = False
    if done is not None:
        print(cluster.heartbeat(done))
except Exception as error:  # the bus is gone
    note(error)

awake_ms = time.ticks_diff(time.ticks_ms(), 0)  # ticks begin with the wake
start = schedule.now() - awake_ms // 1000 if kept.synced else None
wait_s = schedule.wait_s(start, config["node_id"], config["nodes"], config["interval_s"])
deepsleep(max(1000, wait_s * 1000 - awake_ms))
