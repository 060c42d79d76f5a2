"""What users write for a board. Checked as strictly as the checkers can; nobody runs it."""

import sys
import time

from machine import I2C, WDT, Pin, SoftI2C, deepsleep, unique_id
from typing_extensions import assert_type

from eecluster import (
    BusArbitration,
    BusyLine,
    Cluster,
    ClusterError,
    ConfigError,
    DuplicateNodeError,
    FormatError,
    LayoutError,
    NoLock,
    Status,
    __version__,
    recover_bus,
)

SCL, SDA, LINE = Pin(22), Pin(21), Pin(18)


def publish(topic: str, message: object, token: int) -> None:
    print(topic, message, token)


class Wire:
    """A lock of one's own needs no base class."""

    def __init__(self, pin: Pin) -> None:
        self.pin = pin

    def acquire(self, node_id: int, timeout_ms: int) -> bool:
        self.pin(node_id & 1)
        return timeout_ms > 0

    def release(self) -> None:
        self.pin(0)


def make_i2c() -> SoftI2C:
    return SoftI2C(scl=SCL, sda=SDA, freq=400_000)


def wake() -> None:
    cluster = Cluster(
        lambda: SoftI2C(scl=SCL, sda=SDA, freq=400_000),
        eeproms=(0x50, 0x51),
        node_id=0,
        lock=BusyLine(LINE),
        recover=lambda: recover_bus(SCL, SDA),
        nodes=2,
        interval=900,
        uid=unique_id(),
    )
    status = cluster.health_check()
    print(status, __version__)
    if status.is_primary and cluster.confirm():
        publish("reading", 21.5, status.token)
        for kind, node, token, n in status.events:
            publish("event", [kind, node, n], token)
        cluster.announced(status.events)
    cluster.heartbeat()


def some_kinds(cluster: Cluster, status: Status) -> None:
    told = [event for event in status.events if event[0] in ("dead", "failover")]
    cluster.announced(told)
    assert_type(status.dead, "tuple[int, ...]")
    if status.primary is not None:
        assert_type(status.primary, int)
    if status.role == "isolated":
        cluster.heartbeat(done=False)


def all_arguments() -> None:
    Cluster(
        I2C(0, scl=SCL, sda=SDA),
        [0x50, 0x51, 0x52],
        1,
        lock=BusArbitration(SCL, SDA, quiet_ms=60),
        nodes=3,
        retries=2,
        readmit=None,
        quorum="majority",
        interval=900.0,
        cluster_id=0xCAFE,
        size=65536,
        page_size=128,
        base=1024,
        uid=b"me",
        recover=None,
        clock=time.time,
        timer=time,
    )
    Cluster(make_i2c, (0x50,), 0, lock=NoLock())
    Cluster(make_i2c(), (0x50,), 0, lock=Wire(LINE))
    Cluster(make_i2c, (0x50,), 0, lock=BusyLine(LINE, active=1, timer=time))


def other_devices() -> None:
    with Cluster(make_i2c, (0x50, 0x51), 0).bus() as i2c:
        assert_type(i2c, SoftI2C)
    with Cluster(lambda: I2C(0), (0x50, 0x51), 0).bus() as i2c:
        print(i2c.scan())


def repair(cluster: Cluster) -> None:
    try:
        cluster.format(force=True, epoch=7)
        cluster.reset_node()
        cluster.reset_node(1)
        cluster.stand_down()
    except (FormatError, ConfigError, DuplicateNodeError, LayoutError) as error:
        print(error.args[0])
    except ClusterError as error:
        print(error.errno)


WDT(timeout=60_000)
try:
    wake()
except Exception as error:
    sys.print_exception(error)
finally:
    deepsleep(max(1000, time.ticks_diff(900_000, time.ticks_ms())))
