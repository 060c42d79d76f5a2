"""The locks at their limits: every start, clock, call cost and place of a pause of two contenders.

Systematic, where the contests are random. At most one may hold. The judge is tried on locks that
are broken on purpose, and outside the limits: it must see two holders there.

The arbitration is the same after any quiet time, so BusArbitration waits 15 ms here and pauses are
12 ms at most: 40 and 20 ms are for the contests.
"""

import subprocess
import sys

import pytest

from eecluster import BusArbitration
from eecluster.lock import BusyLine
from eecluster_sim import Contest, Limits
from lock_kit import MS_NS, US_NS, Duel, arbitration, busy_line, call_of_start, rest, traffic

pytestmark = pytest.mark.slow

CLOCKS_PPM = [(50000, -50000), (-50000, 50000), (0, 0)]
CALLS_US = [2, 15]
IDS = [(0, 4), (1, 3), (4, 6), (2, 3), (6, 7), (0, 7), (3, 4)]  # first differ in each bit
NEAR_US = range(-1000, 1001, 20)  # each sees the other's start, or not
FAR_US = [*range(-12000, -1000, 250), *range(1250, 12001, 250)]
TIMEOUT_MS = 30  # the loser need not get it in these duels
# Just within and beyond the checks of a lock (a look late by 340 us, looks apart by 400, an
# arbitration that others have won meanwhile), and a long one.
PAUSES_US = [110, 260, 330, 390, 990, 2600, 12000]
PLACES = 60  # so many calls are the last polls and the arbitration
CONTESTS = {"busy_line": 1500, "arbitration": 110}


def quick_arbitration(board):
    return BusArbitration(board.scl, board.sda, quiet_ms=15, timer=board.timer)


def long_rest(board):
    """Who comes 12 ms late must meet the holder still."""
    rest(board, 25)


def long_traffic(board):
    traffic(board, 25)


STRATEGIES = {
    "busy_line": (busy_line, long_rest),
    "arbitration": (quick_arbitration, long_traffic),
}
HOLDS = {"busy_line": (busy_line, rest), "arbitration": (arbitration, traffic)}


def duel(strategy, ids, clocks_ppm, calls_us, offset_us, pauses=()):
    """Two boards; the first's quiet time ends `offset_us` after the second's, whatever their
    clocks. The pauses are the first's.
    """
    make_lock, hold = strategy
    one = Duel(make_lock, hold, TIMEOUT_MS)
    quiet_us = 15000 if make_lock is quick_arbitration else 2500
    starts_us = [-quiet_us * ppm // 1_000_000 for ppm in clocks_ppm]
    starts_us[0] += offset_us
    first_us = min(starts_us)
    one.add(ids[0], starts_us[0] - first_us, calls_us[0], clocks_ppm[0], pauses)
    one.add(ids[1], starts_us[1] - first_us, calls_us[1], clocks_ppm[1])
    return one.run()


@pytest.mark.parametrize("clocks_ppm", CLOCKS_PPM)
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_start(name, clocks_ppm):
    n = won = 0
    for offset_us in (*NEAR_US, *FAR_US):
        for one_us in CALLS_US:
            ids = IDS[n % len(IDS)]
            if n // len(IDS) % 2:
                ids = ids[::-1]
            n += 1
            where = ids, clocks_ppm, (one_us, CALLS_US[n % 2]), offset_us
            done = duel(STRATEGIES[name], *where)
            won += len(done.order)
            assert done.doubles == 0, where
    assert won > 0.9 * n  # nearly always somebody gets it


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_pair_of_ids_that_starts_together(name, ids):
    for clocks_ppm in CLOCKS_PPM:
        for pair in (ids, ids[::-1]):
            for offset_us in range(-360, 361, 40):
                where = pair, clocks_ppm, (2, 15), offset_us
                assert duel(STRATEGIES[name], *where).doubles == 0, where


def paused_everywhere(name, clocks_ppm):
    """Duels, each with where it was: a pause at each call of the arbitration."""
    make_lock, hold = strategy = STRATEGIES.get(name) or (Sloppy, long_rest)
    for calls_us in ((2, 2), (15, 2)):
        alone = Duel(make_lock, hold)
        alone.add(1, 0, calls_us[0], clocks_ppm[0])
        last = alone.run().calls[1]
        for place in range(max(0, last - PLACES), last):
            for k, pause_us in enumerate(PAUSES_US):
                offset_us = (-480, -320, -160, 0, 160, 320)[(place * 5 + k) % 6]
                # after the longest one somebody holds it, which not every id comes to see
                few = slice(None) if pause_us == PAUSES_US[-1] else slice((place + k) % 5, None, 5)
                for ids in IDS[few]:
                    for pair in (ids, ids[::-1]):
                        pauses = ((place, pause_us * US_NS),)
                        where = pair, clocks_ppm, calls_us, offset_us, pauses
                        yield where, duel(strategy, *where)


@pytest.mark.parametrize("clocks_ppm", CLOCKS_PPM[:2])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_pause_at_every_place(name, clocks_ppm):
    for where, done in paused_everywhere(name, clocks_ppm):
        assert done.doubles == 0, where


@pytest.mark.parametrize("ids", [(0, 4), (0, 6), (0, 7), (3, 4), (5, 6)])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_pause_that_hides_a_start(name, ids):
    """It ends while the other one lets go to look: the line seems idle before and after it."""
    strategy = STRATEGIES[name]
    place = call_of_start(strategy[0], 15) - 8  # among the last polls
    for looks_us in (1600, 4100, 6600):
        for pause_us in range(looks_us - 900, looks_us + 900, 15):
            where = ids, (0, 0), (15, 15), 0, ((place, pause_us * US_NS),)
            assert duel(strategy, *where).doubles == 0, where


@pytest.mark.parametrize("ids", [(1, 0), (7, 6), (0, 1), (4, 6)])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_late_start(name, ids):
    """A pause from the last look to the pull; meanwhile the other one starts."""
    for clocks_ppm in CLOCKS_PPM[:2]:
        place = call_of_start(STRATEGIES[name][0], 4, clocks_ppm[0]) - 1
        for offset_us in range(-380, 60, 40):
            for pause_us in (*range(150, 500, 50), *range(880, 1000, 20)):
                where = ids, clocks_ppm, (4, 2), offset_us, ((place, pause_us * US_NS),)
                assert duel(STRATEGIES[name], *where).doubles == 0, where


@pytest.mark.parametrize("ids", [(0, 4), (3, 7)])
def test_a_pause_in_the_code_before_the_id(ids):
    """In the fifth bit, a 1, both let SDA go; who comes back late must not send a 0 any more."""
    strategy = STRATEGIES["arbitration"]
    start = call_of_start(strategy[0])
    for place in range(start + 12, start + 18):
        for pause_us in range(1400, 1900, 20):
            where = ids, (0, 0), (4, 4), 0, ((place, pause_us * US_NS),)
            assert duel(strategy, *where).doubles == 0, where


@pytest.mark.parametrize("name", CONTESTS)
def test_random_contests(name):
    make_lock, hold = HOLDS[name]
    for seed in range(1000, 1000 + CONTESTS[name]):
        done = Contest(make_lock, 2 + seed % 7, seed, hold=hold, rounds=1).run()
        assert (done.doubles, done.failures, done.errors) == (0, 0, 0), f"seed {seed}"


# Does the judge see anything at all?


class WithoutLooking(BusyLine):
    """Sends its id and does not look whether another one is louder."""

    def compete(self, *args):
        self.looks = None
        return super().compete(*args)

    def start(self):
        self.looks = 0
        self.pull()

    def idle(self):
        if self.looks is None:
            return super().idle()
        self.looks += 1
        return self.looks > 1  # the first look is at its own pull


class ShortWindow(BusArbitration):
    """Takes a bus for free that is only between two transfers."""

    def __init__(self, board):
        super().__init__(board.scl, board.sda, quiet_ms=1, timer=board.timer)


class Sloppy(BusyLine):
    """Takes as long as it takes, and does not notice: its last look may be any time ago."""

    def __init__(self, board):
        self.freezing = Freezing(board.timer)
        super().__init__(board.pin(board.world.line("busy")), timer=self.freezing)

    def patience(self):
        """Asked for before each try."""
        self.freezing.frozen = False
        return super().patience()

    def start(self):
        self.freezing.frozen = True
        super().start()


class Freezing:
    """A clock that sleeps; while it is frozen, it shows what was expected after that."""

    def __init__(self, timer):
        self.inner = timer
        self.frozen = False
        self.now_us = 0

    def ticks_diff(self, later, earlier):
        return self.inner.ticks_diff(later, earlier)

    def ticks_us(self):
        if not self.frozen:
            self.now_us = self.inner.ticks_us()
        return self.now_us

    def sleep_us(self, us):
        self.now_us += us
        self.inner.sleep_us(us)


def sparse(board):
    """A hold of transfers that are 5 ms apart."""
    for _ in range(3):
        traffic(board, 1)
        board.timer.sleep_ms(5)


BROKEN = {
    "without looking": (
        lambda board: WithoutLooking(board.pin(board.world.line("busy")), timer=board.timer),
        rest,
    ),
    "window too short": (ShortWindow, sparse),
}


def doubles(make_lock, hold, seeds, limits=None, boards=3, **options):
    return sum(
        Contest(make_lock, boards, seed, limits, hold=hold, **options).run().doubles
        for seed in range(seeds)
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_judge_sees_a_broken_lock(name):
    make_lock, hold = BROKEN[name]
    assert doubles(make_lock, hold, 60, boards=6, rounds=2) > 0


def test_the_judge_sees_a_lock_that_does_not_time_itself():
    found = [done.doubles for _, done in paused_everywhere("sloppy", (0, 0))]
    assert sum(found) > 0


def long_hold(board):
    """A hold with a pause in which nobody can see that the bus is in use."""
    traffic(board, 1)
    board.timer.sleep_ms(100)
    traffic(board, 1)


def test_a_holder_that_pauses_longer_than_the_quiet_time_is_not_seen():
    assert doubles(arbitration, long_hold, 5) > 0
    assert doubles(busy_line, long_hold, 20) == 0  # its line stays pulled


OUTSIDE = {
    "clocks off by 15 %": Limits(rate_ppm=150_000),
    "pauses of 100 ms": Limits(pause_us=100_000),
    "calls of up to 300 us": Limits(call_us=(2, 300)),
}


@pytest.mark.parametrize("what", OUTSIDE)
@pytest.mark.parametrize("name", HOLDS)
def test_outside_the_limits_every_wait_ends(name, what):
    make_lock, hold = HOLDS[name]
    seen = 0
    for seed in range(10):
        done = Contest(make_lock, 4, seed, OUTSIDE[what], hold=hold, timeout_ms=500).run()
        assert len(done.order) + done.failures == 4
        seen += done.doubles
        slowest_ms = (500 + 15) * 1.15 + 100 * 20
        assert max(done.waits_ns, default=0) <= slowest_ms * MS_NS
    print(f"{name}, {what}: {seen} doubles in 10 contests")


# Loading


def test_the_package_alone_does_not_load_the_locks():
    code = (
        "import sys, eecluster; assert 'eecluster.lock' not in sys.modules;"
        "from eecluster import BusyLine, BusArbitration, NoLock, recover_bus;"
        "assert 'eecluster.lock' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
