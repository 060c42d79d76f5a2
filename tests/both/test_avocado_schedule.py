"""examples/avocado: when a board wakes, and how times are corrected."""

from avocado_board_kit import schedule

T = 1_767_225_600  # 2026-01-01, the beginning of a slot
INTERVALS = (60, 900, 901, 3600)


def places(node, nodes, interval, start, drift_ppm, wakes):
    """Where a board wakes whose clock is right when it goes to sleep, as after NTP."""
    found = [start]
    for _ in range(wakes):
        wait = schedule.wait_s(found[-1], node, nodes, interval)
        found.append(found[-1] + wait * (1_000_000 + drift_ppm) // 1_000_000)
    return found


def test_a_board_comes_to_its_place_and_stays():
    for interval in INTERVALS:
        for nodes in range(1, 9):
            for node in range(nodes):
                place = interval * (2 * node + 1) // (2 * nodes)
                for start in range(T, T + interval, interval // 7):
                    wakes = places(node, nodes, interval, start, 0, 4)
                    assert wakes[-1] % interval == place, (interval, nodes, node, start)


def test_every_slot_is_hit_once():
    """From any place, from the first wake on."""
    for interval in INTERVALS:
        for nodes in range(1, 9):
            for node in range(nodes):
                for start in range(T, T + interval, interval // 7):
                    slots = [t // interval for t in places(node, nodes, interval, start, 0, 8)]
                    assert slots == list(range(slots[0], slots[0] + 9))


def test_a_board_at_its_place_hits_every_slot_with_a_clock_that_is_off_by_5_percent():
    for interval in INTERVALS[1:]:
        for nodes in range(1, 9):
            for node in range(nodes):
                start = T + interval * (2 * node + 1) // (2 * nodes)
                for drift_ppm in (-50_000, 50_000):
                    wakes = places(node, nodes, interval, start, drift_ppm, 100)
                    slots = [t // interval for t in wakes]
                    assert slots == list(range(slots[0], slots[0] + 101))


def test_no_gap_is_longer_than_five_quarters():
    for start in range(T, T + 900, 10):
        for node in range(8):
            assert 675 <= schedule.wait_s(start, node, 8, 900) <= 1125
    assert schedule.wait_s(T, 7, 8, 900) == 1125
    assert schedule.wait_s(T + 899, 0, 8, 900) == 675


def test_boards_do_not_meet():
    for nodes in range(2, 9):
        wakes = [schedule.wait_s(T + 450, node, nodes, 900) for node in range(nodes)]
        settled = sorted([places(node, nodes, 900, T + wakes[node], 0, 3)[-1] % 900
                          for node in range(nodes)])  # fmt: skip
        for i in range(nodes - 1):
            assert settled[i + 1] - settled[i] >= 900 // nodes


def test_without_a_clock_it_is_the_interval():
    assert schedule.wait_s(None, 1, 2, 900) == 900


def test_a_clock_is_trusted_for_ten_intervals():
    assert schedule.trusted(T + 9000, T, 900)
    assert not schedule.trusted(T + 9001, T, 900)
    assert not schedule.trusted(T - 1, T, 900)
    assert not schedule.trusted(T, 0, 900)


def test_times_since_the_last_sync_are_corrected_evenly():
    """The clock was set at T, ran 5 % slow for 2,000 s, and is set to what is true."""
    for true in range(0, 2001, 50):
        by_clock = T + true * 100 // 105
        found = schedule.corrected(by_clock, T + 2000 * 100 // 105, T + 2000, T)
        assert abs(found - (T + true)) <= 2, true
    assert schedule.corrected(T + 1904, T + 1904, T + 2000, T) == T + 2000


def test_times_before_the_last_sync_stay():
    assert schedule.corrected(T - 5, T + 100, T + 200, T) == T - 5
    assert schedule.corrected(T, T, T + 200, T) == T


def test_a_clock_that_was_never_set_is_off_by_the_same_everywhere():
    start = schedule.EPOCH_2000_S
    assert schedule.corrected(start + 7, start + 20, T + 20, 0) == T + 7


class Clock:
    """`time` of a board; `epoch`: the year in which it begins to count."""

    def __init__(self, seconds, epoch):
        self.seconds = seconds
        self.epoch = epoch

    def time(self):
        return self.seconds

    def gmtime(self, _):
        return (self.epoch, 1, 1, 0, 0, 0, 0, 1)


def test_now_is_unix_time_on_every_port():
    assert schedule.now(Clock(T - schedule.EPOCH_2000_S, 2000)) == T
    assert schedule.now(Clock(T + 0.5, 1970)) == T
    assert schedule.now() > T - 365 * 86400
