"""A failover, wake by wake: two boards in the simulator, drawn from what they say. Stands on svg.

Board 0 loses its supply while it sleeps. What the boards do, when, and what stands on the EEPROMs
is read from the run; only the time of the failure and of the return is chosen here.
"""

from typing import NamedTuple

from docs.draw.svg import Picture
from proof.decode import Format

from eecluster import Cluster
from eecluster_sim import World

INTERVAL_S = 900
BOARDS = (("board 0", 0, 0.02), ("board 1", 400, -0.03))  # name, first wake in seconds, drift
FAILS_S, RETURNS_S, ENDS_S = 2100, 5300, 8600


class Wake(NamedTuple):
    """What a board said in one wake, and what its record says afterwards.

    beat      its sequence number           published   it had the duty, and did it
    strikes   that it counts for the other one
    """

    at_s: float
    node: int
    role: str
    token: int
    beat: int
    strikes: int
    published: bool


def run():
    """All wakes, in order."""
    world = World(seed=1)
    for name, _, drift in BOARDS:
        world.add_board(int(name[-1]), drift=drift)
    chips = [world.add_eeprom("AT24C256", 0x50 + k) for k in range(2)]
    next_s = [float(first_s) for _, first_s, _ in BOARDS]
    wakes = []
    while min(next_s) < ENDS_S:
        node = next_s.index(min(next_s))
        at_s = next_s[node]
        if FAILS_S <= at_s < RETURNS_S and node == 0:
            next_s[0] = RETURNS_S
            continue
        board = world.boards[node]
        if at_s == RETURNS_S:
            board.power_off()  # its supply was off: the clock starts anew
        world.now_ns = int(at_s * 1e9)
        wakes.append(_wake(at_s, board, chips))
        next_s[node] = at_s + INTERVAL_S * (1 + BOARDS[node][2])
    return wakes


def _wake(at_s, board, chips):
    status, published = board.wake(_duty, board)
    record = Format(2, 2, 64, 0, 0, False).newest(chips[1].data, 1, board.node)
    assert record, "this board has just written it"
    return Wake(
        at_s, board.node, status.role, status.token, record["seqs"][board.node],
        max(0, record["strikes"][1 - board.node]), published,
    )  # fmt: skip


def _duty(board):
    """One wake: the status of the look, and whether this board has published."""
    cluster = Cluster(
        board.make_i2c, (0x50, 0x51), board.node, interval=INTERVAL_S, uid=board.uid,
        clock=board.clock, timer=board.timer,
    )  # fmt: skip
    status = cluster.health_check()
    published = status.is_primary and cluster.confirm()
    if published:
        cluster.announced(status.events)
    cluster.heartbeat()
    return status, published


# Drawing

TOP, PX_PER_S, BOX, HIGH = 66, 0.096, 168, 60
COLUMNS = (62, 250)  # the left edges of the boards' columns
STYLES = {"primary": "a", "standby": "box", "dead": "off"}


def lines(wake, before):
    """What a box says; `before`: this board's wake before it, or None."""
    strike = (
        f"strike {wake.strikes}" if wake.strikes and before and before.role != "primary" else ""
    )
    taken = wake.published and before and not before.published
    words = ["takes over" if taken else "publishes" if wake.published else ""]
    if wake.role == "dead":
        words = ["waits"]
    elif before and before.role == "dead":
        words = ["taken back"]
    what = ": ".join([word for word in (strike, *words) if word])
    return [
        line for line in (f"{wake.role}, token {wake.token}", what, f"beat {wake.beat}") if line
    ]


def draw_failover():
    wakes = run()
    picture = Picture("A failover between two boards, wake by wake", round(_y(ENDS_S)) + 6)
    picture.text(16, 24, "min", "small")
    for (name, _, _), left in zip(BOARDS, COLUMNS, strict=True):
        picture.text(left + BOX / 2, 24, name, "strong", "middle")
        picture.path([(left + BOX / 2, 34), (left + BOX / 2, _y(ENDS_S))], "rule")
    for minute in range(0, ENDS_S // 60, 15):
        picture.text(42, _y(minute * 60) + 4, str(minute), "small", "end")
    _draw_outage(picture)
    before = [None, None]
    for wake in wakes:
        _draw_wake(picture, wake, lines(wake, before[wake.node]))
        before[wake.node] = wake
    return picture.svg()


def _y(at_s):
    return TOP + at_s * PX_PER_S


def _draw_wake(picture, wake, words):
    left, y = COLUMNS[wake.node], _y(wake.at_s) - HIGH / 2
    picture.box(left, y, BOX, HIGH, STYLES[wake.role])
    first = 35 - 8.5 * (len(words) - 1)
    for i, line in enumerate(words):
        picture.text(left + BOX / 2, y + first + 17 * i, line, "small", "middle")


def _draw_outage(picture):
    left, y, end = COLUMNS[0], _y(FAILS_S), _y(RETURNS_S)
    picture.box(left + 30, y, BOX - 60, end - y, "free")
    picture.text(left + BOX / 2, (y + end) / 2, "no supply", "small note", "middle")
