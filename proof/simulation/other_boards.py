"""Boards that do not belong to the cluster, or come new to it: events of a history.

Rule: a stranger must not write and must not lead; the oracle watches it. `simulation`
is the `Simulation` at work. Stands on breach.
"""

from typing import Any
from zlib import crc32

from proof.breach import Breach

MISFITS = ({"quorum": None}, {"cluster_id": 7}, {"nodes": None}, {"page_size": 256})


def twin(simulation, node):
    """Another board with this number. It must find the records of the right one."""
    board = simulation.boards[node]
    quorum = simulation.oracle.format.quorum
    records = [
        simulation.oracle.format.newest(place.data, place.number, node)
        for place in simulation.places
        if simulation.faults.answers(place, board)
    ]
    asked = any(
        [
            (newest_spare(simulation, other) >> node) & 1
            for other in range(simulation.setup["nodes"])
        ]
    )
    if simulation.busy or asked or len(records) < quorum or not all(records):
        simulation.count("skipped")
        return
    simulation.count("twin")
    stranger(simulation, board, b"twin!!", {})


def newest_spare(simulation, node):
    record = simulation.oracle.newest(simulation.places, node)
    return record["spare"] if record else 0


def misfit(simulation, node, what):
    """A board with another configuration. It finds labels that say so on all chips."""
    change: dict[str, Any] = dict(MISFITS[what])
    if "nodes" in change:
        change["nodes"] = simulation.setup["nodes"] % 8 + 1
        node = min(node, change["nodes"] - 1)
    if "quorum" in change:
        other = "available" if simulation.setup["quorum"] == "majority" else "majority"
        change["quorum"] = other
    same = "quorum" in change and len(simulation.places) == 1
    for place in simulation.places:
        good = simulation.oracle.format.label_is_good(place.data, place.number)
        same = same or (simulation.faults.answers(place) and not good)
    if simulation.busy or same:
        simulation.count("skipped")
        return
    simulation.count("misfit")
    stranger(simulation, simulation.boards[node], None, change)


def stranger(simulation, board, uid, changes):
    """A wake of a board that is not of this cluster: it must not write, nor lead."""
    simulation.oracle.mute.add(board)
    mine, board.uid = board.uid, uid or board.uid
    errors = []

    def program():
        try:
            errors.append(simulation.cluster(board, **changes).health_check().role)
        except OSError as error:
            errors.append(repr(error))

    try:
        board.wake(program)
    finally:
        board.uid = mine
        simulation.oracle.mute.discard(board)
    simulation.note(f"a stranger with number {board.node}: {errors}")
    if errors == ["primary"]:
        raise Breach("I1", f"a stranger with number {board.node} is primary")


def replace(simulation, node):
    """Another board comes for good: reset_node() on it, as the documentation says."""
    board = simulation.boards[node]
    if board in simulation.busy:
        return
    uid, board.uid = board.uid, b"new" + simulation.wakes.to_bytes(4, "big")
    done = []

    def program():
        try:
            simulation.cluster(board).reset_node()
            done.append(True)
        except OSError as error:
            simulation.note(f"{board}: {error!r}")

    simulation.busy.add(board)
    board.wake(program)
    simulation.busy.discard(board)
    if done:
        simulation.count("replace")
    else:
        board.uid = uid
    simulation.note(f"{board} replaced: {done}")


def answer_duplicate(simulation, node):
    """All chips that knew of a replaced board may have been lost. The library says so at each
    wake (DuplicateNodeError), and what to do: reset_node() once more.
    """
    record = simulation.oracle.newest(simulation.places, node)
    if record and record["uid"] not in (0, crc32(simulation.boards[node].uid)):
        replace(simulation, node)
