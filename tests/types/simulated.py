"""What users write to test a program in the simulator, on CPython; and mistakes, as in wrong.py."""

from typing import TYPE_CHECKING

from eecluster import BusArbitration, BusyLine, Cluster, Status, recover_bus
from eecluster_sim import Board, World

if TYPE_CHECKING:
    from eecluster import Event, EventKind, Lock, Role

published: "list[tuple[int, Event]]" = []
roles: "dict[int, Role]" = {}


def wake(board: Board, lock: "Lock | None" = None) -> Status:
    cluster = Cluster(
        board.make_i2c,
        (0x50, 0x51),
        board.node,
        lock=lock,
        interval=900,
        recover=lambda: recover_bus(board.scl, board.sda),
        uid=board.uid,
        clock=board.clock,
        timer=board.timer,
    )
    status = cluster.health_check()
    roles[status.node_id] = status.role
    if status.is_primary and cluster.confirm():
        published.extend((status.token, event) for event in status.events)
        cluster.announced(status.events)
    return cluster.heartbeat()


def kinds() -> "list[EventKind]":
    return [event[0] for _, event in published]


def run() -> None:
    world = World(seed=1, wires=True)
    for node in (0, 1):
        world.add_eeprom("AT24C256", 0x50 + node, owner=world.add_board(node))
    line = world.line("busy")
    for hour in range(6):
        if hour == 3:
            world.boards[0].power_off()
        for board in world.boards[hour >= 3 :]:
            board.wake(wake, board, BusyLine(board.pin(line), timer=board.timer))
        world.advance_s(3600)
    board = world.boards[1]
    wake(board, BusArbitration(board.scl, board.sda, timer=board.timer))


def on_one_board() -> None:
    board = World().add_board()
    cluster = Cluster(board.i2c, [0x50], 0, clock=board.clock, timer=board.timer)
    with cluster.bus() as i2c:
        print(i2c.scan())


def mistakes(board: Board) -> None:
    Cluster(board, (0x50,), 0)  # error: reportArgumentType, arg-type
    Cluster(board.i2c, (0x50,))  # error: reportCallIssue, call-arg
    Cluster(board.i2c, (0x50,), 0, timer=board)  # error: reportArgumentType, arg-type
    Cluster(board.i2c, (0x50,), 0, clock=board.clock())  # error: reportArgumentType, arg-type
    BusyLine(board)  # error: reportArgumentType, arg-type
    for kind, node in wake(board).events:  # error: reportAssignmentType, misc
        print(kind, node)
    if roles[0] == "leader":  # error: reportUnnecessaryComparison, comparison-overlap
        print(kinds())
