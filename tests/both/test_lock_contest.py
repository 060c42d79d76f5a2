"""Contests: two to eight boards want one lock, at random within the limits of the locks.

No two have it, everybody gets it, and nobody waits longer than all the others' turns take. A seed
that fails is replayed by `contest(make_lock, seed)`. On MicroPython the boards run in threads (see
tests/upy/greenlet.py).
"""

from eecluster_sim.contest import Contest, Limits
from eecluster_sim.scheduler import Scheduler
from eecluster_sim.world import World
from lock_kit import MS_NS, arbitration, busy_line, rest, traffic
from support import raises

ROUNDS = 2
SEEDS = 14  # two of each number of boards
TIMEOUT_MS = 3000

# One turn, of the slowest clock: the quiet time (longer for who held last), an arbitration of
# 8.1 ms, 3 ms of hold with a little for its calls, and a pause of 20 ms in it. A pause in an
# arbitration may make it fail: then quiet and arbitration come once more.
TURN_MS = {busy_line: 2 * (4.5 + 8.1) * 1.05 + 6 + 20, arbitration: 2 * (47 + 8.1) * 1.05 + 6 + 20}
HOLDS = {busy_line: rest, arbitration: traffic}


def contest(make_lock, seed):
    """The contest of that seed, run."""
    boards = 2 + seed % 7
    hold = HOLDS[make_lock]
    return Contest(make_lock, boards, seed, rounds=ROUNDS, hold=hold, timeout_ms=TIMEOUT_MS).run()


def check(make_lock):
    pauses = 0
    for seed in range(SEEDS):
        done = contest(make_lock, seed)
        where = "contest({}, {})".format(make_lock.__name__, seed)
        assert (done.doubles, done.failures, done.errors) == (0, 0, 0), where
        boards = done.world.boards
        everybody = sorted([board.node for board in boards] * ROUNDS)
        assert sorted(done.order) == everybody, where
        # one waits while all others have all their turns, at worst, and for one's own
        turns = (len(boards) - 1) * ROUNDS + 1
        assert max(done.waits_ns) <= turns * TURN_MS[make_lock] * MS_NS, where
        pauses += sum([board.cpu.paused for board in boards])
    assert pauses > SEEDS  # else it was too easy


def test_busy_line():
    check(busy_line)


def test_bus_arbitration():
    check(arbitration)


def test_nobody_starves():
    """All ask again at once, again and again; nobody waits for more than some turns of others:
    seven until it is as good as any, and those of others who have waited as long.
    """
    for make_lock, rounds in ((busy_line, 20), (arbitration, 6)):
        for seed, boards in enumerate((3, 5, 8)):
            limits = Limits(rate_ppm=50000, call_us=(2, 15), pause_us=1)
            done = Contest(
                make_lock, boards, seed, limits, rounds, HOLDS[make_lock], TIMEOUT_MS, 1000
            ).run()
            assert (done.doubles, done.failures) == (0, 0)
            for node in set(done.order):
                waited = [len(turns) for turns in between(done.order, node)]
                assert max(waited) <= 7 + boards, (boards, node, done.order)


def between(order, node):
    """The turns of others between two of this node's."""
    turns = []
    for other in order:
        if other == node:
            yield turns
            turns = []
        else:
            turns.append(other)


def test_what_a_board_raises_comes_out():
    world = World(1, wires=True)
    boards = [world.add_board(node) for node in range(3)]
    ended = []

    def fails():
        boards[0].pause(MS_NS)
        raise RuntimeError("node 0")

    def waits(board):
        try:
            board.pause(5 * MS_NS)
            ended.append("not reached")
        finally:
            ended.append(board.node)

    with Scheduler(world) as scheduler:
        scheduler.spawn(boards[0], fails)
        for board in boards[1:]:
            scheduler.spawn(board, waits, board)
        with raises(RuntimeError, "node 0"):
            scheduler.run()
        assert ended == []
    assert sorted(ended) == [1, 2]  # close() has ended them


def test_a_contest_is_the_same_for_the_same_seed():
    one, same, other = [contest(busy_line, seed) for seed in (3, 3, 10)]
    assert (one.order, one.waits_ns) == (same.order, same.waits_ns)
    assert one.waits_ns != other.waits_ns
