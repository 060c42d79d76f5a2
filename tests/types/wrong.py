"""Mistakes of users, each on a line that names what pyright and mypy say to it."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from machine import Pin, SoftI2C

import eecluster
from eecluster import BusArbitration, BusyLine, Cluster, Status, recover_bus

PIN = Pin(18)
SCL, SDA = Pin(22), Pin(21)
I2C = SoftI2C(scl=SCL, sda=SDA)
CHIPS = (0x50, 0x51)


class Held:
    def acquire(self, node_id: int, timeout_ms: int) -> bool:
        return True


class Impatient:
    def acquire(self) -> bool:
        return True

    def release(self) -> None: ...


def make() -> SoftI2C:
    return I2C


def arguments() -> None:
    Cluster(I2C, CHIPS, 0)
    Cluster(I2C, CHIPS)  # error: reportCallIssue, call-arg
    Cluster(I2C, CHIPS, lock=None)  # error: reportCallIssue, call-arg
    Cluster(I2C, 0x50, 0)  # error: reportArgumentType, arg-type
    Cluster(I2C, {0x50, 0x51}, 0)  # error: reportArgumentType, arg-type
    Cluster(I2C, range(0x50, 0x52), 0)  # error: reportArgumentType, arg-type
    Cluster(I2C, ("0x50",), 0)  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, "0")  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, None)  # error: reportCallIssue, call-arg
    Cluster(I2C, CHIPS, 0, intervall=900)  # error: reportCallIssue, call-arg
    Cluster(I2C, CHIPS, 0, interval="900")  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, quorum="all")  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, uid="me")  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, clock=1.5)  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, recover=recover_bus(SCL, SDA))  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, recover=recover_bus)  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, timer=None)  # error: reportArgumentType, arg-type
    Cluster(PIN, CHIPS, 0)  # error: reportArgumentType, type-var
    Cluster(lambda: PIN, CHIPS, 0)  # error: reportArgumentType, type-var
    Cluster(make, CHIPS, 0)


def locks() -> None:
    Cluster(I2C, CHIPS, 0, lock=Held())  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, lock=Impatient())  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, lock=BusyLine)  # error: reportArgumentType, arg-type
    Cluster(I2C, CHIPS, 0, lock=BusyLine(PIN))
    Cluster(I2C, CHIPS, 0, lock=PIN)  # error: reportArgumentType, arg-type
    BusyLine(18)  # error: reportArgumentType, arg-type
    BusyLine(PIN, 1)  # error: reportCallIssue, call-arg
    BusyLine(PIN, active=2)  # error: reportArgumentType, arg-type
    BusArbitration(I2C)  # error: reportCallIssue, arg-type, call-arg
    BusArbitration(SCL, SDA, quiet_ms="40")  # error: reportArgumentType, arg-type
    recover_bus(22, 21)  # error: reportArgumentType, arg-type


def status(status: Status, cluster: Cluster[SoftI2C]) -> None:
    if status.role == "leader":  # error: reportUnnecessaryComparison, comparison-overlap
        pass
    if status.primary > 0:  # error: reportOptionalOperand, operator
        pass
    if status.is_primary():  # error: reportCallIssue, operator
        pass
    print(status.eeprom)  # error: reportAttributeAccessIssue, attr-defined
    for kind, node, token in status.events:  # error: reportAssignmentType, misc
        print(kind, node, token)
    for event in status.events:
        if event[0] == "died":  # error: reportUnnecessaryComparison, comparison-overlap
            pass
        event[0] = "dead"  # error: reportIndexIssue, index
        print(event.kind)  # error: reportAttributeAccessIssue, attr-defined
    print(status.token + "1")  # error: reportOperatorIssue, operator


def calls(cluster: Cluster[SoftI2C], status: Status) -> None:
    cluster.heartbeat(ok=True)  # error: reportCallIssue, call-arg
    print(cluster.heartbeat().token)
    cluster.healthcheck()  # error: reportAttributeAccessIssue, attr-defined
    cluster.announced("dead")  # error: reportArgumentType, arg-type
    cluster.announced(status)  # error: reportArgumentType, arg-type
    cluster.announced([("dead", 0)])  # error: reportArgumentType, list-item
    cluster.announced([("died", 0, 15, 0)])  # error: reportArgumentType, list-item
    cluster.announced(status.events[:1])
    cluster.reset_node("0")  # error: reportArgumentType, arg-type
    cluster.format(epoch=1.5)  # error: reportArgumentType, arg-type
    if cluster.confirm:  # error: reportUnnecessaryComparison, truthy-function
        pass
    print(cluster.confirm().token)  # error: reportAttributeAccessIssue, attr-defined
    with cluster.bus() as i2c:
        i2c.reed(0x50, 1)  # error: reportAttributeAccessIssue, attr-defined
    print(eecluster.TimeSlots)  # error: reportAttributeAccessIssue, attr-defined


def by_names() -> None:
    from eecluster import Clutser  # error: reportAttributeAccessIssue, attr-defined

    print(Clutser)
