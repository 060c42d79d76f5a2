"""Boards that do not belong to the cluster, or come new to it: events of a history.

Rule: a stranger must not write and must not lead; the oracle watches it. `play` is the `Play` at
work. Stands on oracle.
"""

from typing import Any
from zlib import crc32

from proof.breach import Breach

MISFITS = ({"quorum": None}, {"cluster_id": 7}, {"nodes": None}, {"page_size": 256})


def twin(play, node):
    """Another board with this number. It must find the records of the right one."""
    board = play.boards[node]
    quorum = play.oracle.format.quorum
    records = [
        play.oracle.format.newest(place.data, place.number, node)
        for place in play.places
        if play.faults.answers(place, board)
    ]
    asked = any([(newest_spare(play, other) >> node) & 1 for other in range(play.setup["nodes"])])
    if play.busy or asked or len(records) < quorum or not all(records):
        play.count("skipped")
        return
    play.count("twin")
    stranger(play, board, b"twin!!", {})


def newest_spare(play, node):
    record = play.oracle.newest(play.places, node)
    return record["spare"] if record else 0


def misfit(play, node, what):
    """A board with another configuration. It finds labels that say so on all chips."""
    change: dict[str, Any] = dict(MISFITS[what])
    if "nodes" in change:
        change["nodes"] = play.setup["nodes"] % 8 + 1
        node = min(node, change["nodes"] - 1)
    if "quorum" in change:
        other = "available" if play.setup["quorum"] == "majority" else "majority"
        change["quorum"] = other
    same = "quorum" in change and len(play.places) == 1
    for place in play.places:
        good = play.oracle.format.label_is_good(place.data, place.number)
        same = same or (play.faults.answers(place) and not good)
    if play.busy or same:
        play.count("skipped")
        return
    play.count("misfit")
    stranger(play, play.boards[node], None, change)


def stranger(play, board, uid, changes):
    """A wake of a board that is not of this cluster: it must not write, nor lead."""
    play.oracle.mute.add(board)
    mine, board.uid = board.uid, uid or board.uid
    errors = []

    def program():
        try:
            errors.append(play.cluster(board, **changes).health_check().role)
        except OSError as error:
            errors.append(repr(error))

    try:
        board.wake(program)
    finally:
        board.uid = mine
        play.oracle.mute.discard(board)
    play.note(f"a stranger with number {board.node}: {errors}")
    if errors == ["primary"]:
        raise Breach("I1", f"a stranger with number {board.node} is primary")


def replace(play, node):
    """Another board comes for good: reset_node() on it, as the documentation says."""
    board = play.boards[node]
    if board in play.busy:
        return
    uid, board.uid = board.uid, b"new" + play.wakes.to_bytes(4, "big")
    done = []

    def program():
        try:
            play.cluster(board).reset_node()
            done.append(True)
        except OSError as error:
            play.note(f"{board}: {error!r}")

    play.busy.add(board)
    board.wake(program)
    play.busy.discard(board)
    if done:
        play.count("replace")
    else:
        board.uid = uid
    play.note(f"{board} replaced: {done}")


def answer_duplicate(play, node):
    """All chips that knew of a replaced board may have been lost. The library says so at each
    wake (DuplicateNodeError), and what to do: reset_node() once more.
    """
    record = play.oracle.newest(play.places, node)
    if record and record["uid"] not in (0, crc32(play.boards[node].uid)):
        replace(play, node)
