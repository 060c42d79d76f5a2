"""The scheduler: whose turn it is, time of each board, limits, and how programs end."""

from collections import Counter

import pytest
from greenlet import GreenletExit

from eecluster_sim import PowerLoss, Scheduler, World

MS = 1_000_000
S = 1000 * MS
BIT = 2500
PROBE = 11 * BIT  # ns on the wire of a write without data


def make(boards=2, part="24LC256"):
    world = World(1)
    world.add_eeprom(part, 0x50)
    world.bus.trace = []
    return world, [world.add_board(node) for node in range(boards)]


def probe(board, n=1, pause_ms=0):
    for _ in range(n):
        board.i2c.writeto(0x50, b"")
        if pause_ms:
            board.timer.sleep_ms(pause_ms)


def traced(world) -> list:
    """The transactions until now."""
    return world.bus.trace or []


def nodes(world):
    """Who was on the bus, in order."""
    return [entry[2] for entry in traced(world)]


def test_time_order_takes_the_earliest():
    world, (a, b) = make()

    def first():
        a.timer.sleep_ms(10)
        probe(a)

    def second():
        probe(b)
        b.timer.sleep_ms(20)
        probe(b)

    with Scheduler(world) as sched:
        sched.spawn(a, first)
        sched.spawn(b, second)
        assert sched.run() is False
    starts = [(entry[0], entry[2]) for entry in traced(world)]
    assert starts == [(0, 1), (10 * MS, 0), (20 * MS + PROBE, 1)]
    assert not sched.waiting


def test_code_between_sleeps_runs_in_time_order():
    world, (a, b) = make()
    log = []

    def tick(board, pauses):
        for pause_ms in pauses:
            board.timer.sleep_ms(pause_ms)
            log.append(world.now_ns // MS)

    with Scheduler(world) as sched:
        sched.spawn(a, tick, a, [5, 10, 30])
        sched.spawn(b, tick, b, [7, 1, 2, 50])
        sched.run()
    assert log == [5, 7, 8, 10, 15, 45, 60]


def test_the_bus_is_used_by_one_at_a_time():
    world, boards = make(3)
    with Scheduler(world, seed=3) as sched:
        for board in boards:
            sched.spawn(board, probe, board, 20)
        sched.run()
    trace = traced(world)
    assert len(trace) == 60
    assert all(before[1] == after[0] for before, after in zip(trace, trace[1:], strict=False))
    assert world.now_ns == 60 * PROBE


def test_a_board_waits_for_the_bus_and_its_time_goes_on():
    world, (a, b) = make()
    times = []

    def reader():
        b.timer.sleep_us(1)
        probe(b)
        times.append(world.now_ns)

    with Scheduler(world) as sched:
        sched.spawn(a, lambda: a.i2c.writeto_mem(0x50, 0, b"x" * 64, addrsize=16))
        sched.spawn(b, reader)
        with pytest.raises(OSError):  # the chip is busy when it gets there
            sched.run()
    assert sched.failed is b
    assert traced(world)[1][0] == traced(world)[0][1] == (67 * 9 + 2) * BIT


def test_ticks_of_boards_are_their_own_while_scheduled():
    world, (a, b) = make()
    seen = {}

    def work(board, ms):
        board.wake(board.timer.sleep_ms, ms)
        board.deep_sleep_s(ms)
        seen[board.node] = (board.clock(), board.stats.awake_ns)

    with Scheduler(world) as sched:
        sched.spawn(a, work, a, 30)
        sched.spawn(b, work, b, 70)
        sched.run()
    assert seen == {0: (30, 30 * MS), 1: (70, 70 * MS)}


def orders(count, **options):
    """The orders of two boards with two transactions each, over `count` seeds."""
    found = []
    for seed in range(count):
        world, boards = make()
        with Scheduler(world, seed=seed, **options) as sched:
            for board in boards:
                sched.spawn(board, probe, board, 2, 1)
            sched.run()
        found.append("".join(str(node) for node in nodes(world)))
    return found


def test_ties_are_seeded():
    found = orders(20, order="time")
    assert found == orders(20, order="time")
    assert set(found) == {"0101", "1010"}


def test_random_order_finds_every_interleaving():
    found = orders(100, order="random")
    assert found == orders(100, order="random")
    assert set(found) == {"0011", "0101", "0110", "1001", "1010", "1100"}


def test_random_order_is_fair():
    world, boards = make(3)
    with Scheduler(world, seed=5, order="random") as sched:
        for board in boards:
            sched.spawn(board, probe, board, 1000)
        sched.run(steps=603)
        counts = Counter(nodes(world))
    assert sum(counts.values()) == 600
    assert min(counts.values()) > 150


def test_horizon_keeps_deep_sleep_apart():
    def longest_run(horizon_s):
        world, boards = make()

        def wakes(board):
            for _ in range(20):
                board.wake(probe, board, 2)
                board.deep_sleep_s(900)

        with Scheduler(world, seed=2, order="random", horizon_s=horizon_s) as sched:
            for board in boards:
                sched.spawn(board, wakes, board)
            sched.run()
        lead, most = 0, 0
        for node in nodes(world):
            lead += 1 if node else -1
            most = max(most, abs(lead))
        return most

    assert longest_run(1) == 2  # never a wake ahead
    assert longest_run(None) > 2


def every_choice(run):
    """Calls run(choose) for every sequence of choices; returns the results."""
    results, plan = [], []
    while True:
        sizes = []

        def choose(ready, sizes=sizes):
            sizes.append(len(ready))
            if len(sizes) > len(plan):
                plan.append(0)
            return ready[plan[len(sizes) - 1]]

        results.append(run(choose))
        while plan and plan[-1] == sizes[len(plan) - 1] - 1:
            plan.pop()
        if not plan:
            return results
        plan[-1] += 1


def test_choose_visits_each_interleaving_once():
    def run(choose):
        world, boards = make()
        with Scheduler(world, choose=choose) as sched:
            sched.spawn(boards[0], probe, boards[0], 3)
            sched.spawn(boards[1], probe, boards[1], 2)
            sched.run()
        return tuple(nodes(world))

    results = every_choice(run)
    assert len(results) == len(set(results)) == 10  # 5 over 2


def test_choose_is_asked_with_two_or_more_and_not_about_sleep():
    world, (a, b) = make()
    asked = []

    def choose(ready):
        asked.append([board.node for board in ready])
        return ready[-1]

    with Scheduler(world, choose=choose) as sched:
        sched.spawn(a, probe, a, 2, 5)
        sched.spawn(b, probe, b, 1, 5)
        sched.run()
    assert nodes(world) == [1, 0, 0]
    assert asked == [[0, 1]]


def test_choose_may_end_the_run():
    world, boards = make()
    picks = [0, 1, 0]
    with Scheduler(world, choose=lambda ready: ready[picks.pop(0)] if picks else None) as sched:
        for board in boards:
            sched.spawn(board, probe, board, 5)
        assert sched.run() is False
        assert len(sched.waiting) == 2
    assert nodes(world) == [0, 1, 0]
    assert world.now_ns == 3 * PROBE


def test_a_lost_update_is_found():
    """Two boards that add one to the same byte: the reason why interleavings are searched."""

    def run(choose):
        world, boards = make(part="FM24W256")
        world.chips[0].fill(0)

        def add(board):
            value = board.i2c.readfrom_mem(0x50, 0, 1, addrsize=16)[0]
            board.i2c.writeto_mem(0x50, 0, bytes([value + 1]), addrsize=16)

        with Scheduler(world, choose=choose) as sched:
            for board in boards:
                sched.spawn(board, add, board)
            sched.run()
        return world.chips[0].data[0]

    assert Counter(every_choice(run)) == {2: 2, 1: 4}


def test_until():
    world, (a, b) = make()

    def wakes(board, pause_s):
        while True:
            board.wake(probe, board)
            board.deep_sleep_s(pause_s)

    with Scheduler(world) as sched:
        sched.spawn(a, wakes, a, 10)
        sched.spawn(b, wakes, b, 15)
        assert sched.run(until_s=100) is False
        assert world.now_ns == 100 * S
        assert (a.wakes, b.wakes) == (10, 7)
        assert len(sched.waiting) == 2
        sched.run(until_s=200)
        assert (a.wakes, b.wakes) == (20, 14)
        assert world.now_ns == 200 * S
        sched.run(until_s=150)  # that is over
        assert (a.wakes, b.wakes) == (20, 14)


@pytest.mark.parametrize("order", ["time", "random"])
def test_until_ends_a_program_without_transactions(order):
    world, (a, _) = make()

    def idle():
        while True:
            a.deep_sleep_s(10)

    with Scheduler(world, order=order) as sched:
        sched.spawn(a, idle)
        sched.run(until_s=100)
        assert 100 * S <= world.now_ns <= 110 * S


def test_steps():
    world, (a, b) = make()
    with Scheduler(world, order="random") as sched:
        sched.spawn(a, probe, a, 10)
        sched.spawn(b, probe, b, 10)
        assert sched.run(steps=2) is True  # both have started
        assert nodes(world) == []
        for count in range(1, 20):
            assert sched.run(steps=1) is True
            assert len(nodes(world)) == count
        sched.run(steps=100)
        assert len(nodes(world)) == 20 and not sched.waiting
        assert sched.run(steps=1) is False


def test_steps_in_time_order_end_at_sleeps_too():
    world, (a, _) = make()
    log = []

    def work():
        for i in range(5):
            log.append(i)
            a.timer.sleep_ms(1)

    with Scheduler(world) as sched:
        sched.spawn(a, work)
        for count in range(1, 6):
            assert sched.run(steps=1)
            assert len(log) == count


def test_world_time_after_a_run():
    world, (a, b) = make()

    def sleeps():
        probe(a)
        a.deep_sleep_s(900)

    with Scheduler(world) as sched:
        sched.spawn(a, sleeps)
        assert sched.run(steps=2)
        assert world.now_ns == PROBE  # it has fallen asleep, and nothing has happened since
        assert sched.run(until_s=10) is False
        assert world.now_ns == 10 * S
        sched.spawn(b, probe, b)
        sched.run(until_s=100)
        assert traced(world)[1][0] == 10 * S
        assert sched.run(until_s=2000) is False
        assert world.now_ns == 900 * S + PROBE
    with Scheduler(world, order="random") as sched:
        sched.spawn(a, a.deep_sleep_s, 60)
        sched.spawn(b, b.deep_sleep_s, 50)
        assert sched.run() is False
        assert world.now_ns == 960 * S + PROBE


def test_world_time_is_that_of_the_last_step():
    world, (a, _) = make()

    def work():
        a.timer.sleep_ms(5)
        a.timer.sleep_ms(5)
        probe(a)
        a.timer.sleep_ms(900)

    with Scheduler(world) as sched:
        sched.spawn(a, work)
        seen = []
        for steps in (2, 2):
            sched.run(steps=steps)
            seen.append(world.now_ns)
    assert seen == [5 * MS, 10 * MS + PROBE]


def test_steps_of_one_board_alone_are_counted():
    world, (a, _) = make()
    with Scheduler(world) as sched:
        sched.spawn(a, probe, a, 10)
        assert sched.run(steps=4)
        assert len(nodes(world)) == 3


def test_an_error_leaves_run_and_names_the_board():
    world, (a, b) = make()

    def fails():
        probe(b, 2)
        raise RuntimeError("bad luck")

    with Scheduler(world) as sched:
        sched.spawn(a, probe, a, 5)
        sched.spawn(b, fails)
        with pytest.raises(RuntimeError, match="bad luck"):
            sched.run()
        assert sched.failed is b and sched.waiting == [a]
        sched.run()
    assert nodes(world).count(0) == 5


def test_power_loss_ends_a_wake_and_the_program_goes_on():
    world, (a, b) = make()

    def wakes():
        a.crash_at = (1, "before")
        a.wake(probe, a, 5)
        a.deep_sleep_s(10)
        a.wake(probe, a, 1)

    with Scheduler(world) as sched:
        sched.spawn(a, wakes)
        sched.spawn(b, probe, b, 3)
        sched.run()
    assert Counter(nodes(world)) == {0: 2, 1: 3}
    assert a.wakes == 2 and a.powered


def test_power_loss_outside_of_a_wake_ends_the_program():
    world, (a, b) = make()

    def dies():
        probe(a)
        raise PowerLoss

    with Scheduler(world) as sched:
        sched.spawn(a, dies)
        sched.spawn(b, probe, b, 3)
        assert sched.run() is False
    assert not a.powered and not sched.waiting


def test_no_turn_for_the_dead():
    world, (a, b) = make()
    asked = []

    def choose(ready):
        asked.append(len(ready))
        return ready[0]

    def work():
        try:
            probe(a)
        finally:
            probe(a)

    a.crash_at = (0, "before")
    with Scheduler(world, choose=choose) as sched:
        sched.spawn(a, work)
        sched.spawn(b, probe, b, 3)
        sched.run()
    assert asked == [2]
    assert nodes(world) == [1, 1, 1]


def test_power_off_by_another_board_and_a_new_program():
    world, (a, b) = make()
    log = []

    def victim():
        try:
            a.wake(probe, a, 100, 1)
            log.append("crashed" if a.crashed else "finished")
            a.deep_sleep_s(1000)
            log.append("slept")
        finally:
            log.append("over")

    def killer():
        b.timer.sleep_ms(10)
        a.power_off()

    with Scheduler(world) as sched:
        sched.spawn(a, victim)
        sched.spawn(b, killer)
        sched.run(until_s=1)
        assert log == ["crashed"]
        before = nodes(world).count(0)
        assert before in (10, 11)
        sched.spawn(a, lambda: (a.power_on(), probe(a, 2)))  # the old one is ended
        assert log == ["crashed", "over"]
        with pytest.raises(ValueError, match="node 0"):
            a.power_on()
            sched.spawn(a, probe, a)
        sched.run()
    assert nodes(world).count(0) == before + 2
    assert log == ["crashed", "over"]


def test_a_program_that_replaces_itself():
    world, (a, b) = make()
    log = []

    def old(sched):
        a.power_off()
        sched.spawn(a, new)
        for act in (lambda: a.timer.sleep_ms(1), lambda: probe(a)):
            with pytest.raises(PowerLoss):
                act()
        log.append("old is over")

    def new():
        a.power_on()
        probe(a)
        log.append("new")

    with Scheduler(world) as sched:
        sched.spawn(a, old, sched)
        sched.spawn(b, probe, b, 3)
        sched.run()
    assert log == ["old is over", "new"]
    assert sorted(nodes(world)) == [0, 1, 1, 1]


def test_close_ends_programs_without_a_trace():
    world, (a, b) = make()
    ended = []

    def work(board):
        try:
            probe(board, 100)
        finally:
            ended.append(board.node)
            with pytest.raises(GreenletExit):
                board.timer.sleep_ms(5)
            probe(board, 1)

    sched = Scheduler(world)
    sched.spawn(a, work, a)
    sched.spawn(b, work, b)
    sched.run(steps=10)
    before, now_ns = len(nodes(world)), world.now_ns
    sched.close()
    assert sorted(ended) == [0, 1] and not sched.waiting
    assert (len(nodes(world)), world.now_ns) == (before, now_ns)
    assert world.scheduler is None
    probe(a)
    assert len(nodes(world)) == before + 1


@pytest.mark.parametrize("order", ["time", "random"])
def test_looking_from_outside_does_not_switch(order):
    world, (a, b) = make()
    log = []

    def work():
        probe(a, 2)
        log.append(b.i2c.scan())  # with the other board's I2C, as a checker may
        probe(a, 2)

    with Scheduler(world, order=order) as sched:
        sched.spawn(a, work)
        sched.run(steps=2)
        probe(b)  # between two runs
        probe(a)
        sched.run()
        assert sched.steps == 5
    assert log == [[0x50]]
    assert len(nodes(world)) == 4 + 112 + 2


def test_one_scheduler_one_program_known_orders():
    world, (a, _) = make()
    with Scheduler(world) as sched:
        sched.spawn(a, probe, a)
        with pytest.raises(ValueError, match="node 0"):
            sched.spawn(a, probe, a)
        with pytest.raises(ValueError, match="close"):
            Scheduler(world)
    with pytest.raises(ValueError, match="alphabetical"):
        Scheduler(world, order="alphabetical")
    with Scheduler(world):
        pass


def test_same_seed_same_run():
    def run(seed, order):
        world, boards = make(4)
        with Scheduler(world, seed=seed, order=order) as sched:
            for board in boards:
                sched.spawn(board, probe, board, 10, board.node)
            sched.run()
        return traced(world)

    for order in ("time", "random"):
        assert run(1, order) == run(1, order)
        assert run(1, order) != run(2, order)
