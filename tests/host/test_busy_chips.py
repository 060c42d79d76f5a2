"""Boards that are awake together without a lock, on chips that are silent while they write.

Beats of others, one after the other, keep a chip silent. Nobody may take it, or its node, for lost:
with all nodes beating and all EEPROMs answering, nobody is ever marked dead (I5).
"""

import pytest

from eecluster import Cluster
from eecluster_sim import Scheduler, World

GAP_S = 900


def rounds(part, boards, eeproms, apart_ms, seed, count, **options):
    """Everybody wakes in each round, within so many ms. What they said: (node, Status)."""
    world = World(seed)
    chips = [world.add_eeprom(part, 0x50 + k) for k in range(eeproms)]
    kind = chips[0].part
    for node in range(boards):
        world.add_board(node)
    said = []

    def wake(board):
        cluster = Cluster(
            board.make_i2c, tuple(range(0x50, 0x50 + eeproms)), board.node, nodes=boards,
            size=kind.size, page_size=kind.page, uid=board.uid, clock=board.clock,
            timer=board.timer, **options
        )  # fmt: skip
        status = cluster.health_check()
        if status.is_primary and cluster.confirm():
            cluster.announced(status.events)
        said.append((board.node, status))
        said.append((board.node, cluster.heartbeat()))

    for _ in range(count):
        with Scheduler(world, world.random.next32()) as scheduler:
            start_ns = world.now_ns

            def program(board, after_ns):
                board.pause(after_ns)
                board.wake(wake, board)

            for board in world.boards:
                scheduler.spawn(board, program, board, world.random.below(apart_ms * 1000000))
            scheduler.run()
        world.now_ns = max(world.now_ns, start_ns + GAP_S * 1000000000)
    return said


@pytest.mark.parametrize(
    ("part", "boards", "eeproms", "apart_ms"),
    [
        ("AT24C32", 3, 2, 40),  # 10 ms, two pages a slot
        ("AT24C32", 3, 3, 40),
        ("AT24C256", 3, 2, 20),
        ("AT24C256", 8, 2, 60),
        ("AT24C32", 8, 2, 60),
        ("AT24C32", 8, 8, 100),
    ],
)
def test_nobody_is_taken_for_lost(part, boards, eeproms, apart_ms):
    count = 60 if boards < 8 else 8
    for seed in range(2):
        said = rounds(part, boards, eeproms, apart_ms, seed, count, retries=3)
        for node, status in said[2 * boards :]:
            assert status.dead == (), (seed, node, status)
            assert status.role != "isolated", (seed, node, status)
            lost = [event for event in status.events if event[0] == "eeprom_lost"]
            assert lost == [], (seed, node, status)
