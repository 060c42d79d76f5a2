"""examples/avocado: what a board remembers, and that it loses nothing silently."""

from avocado_board_kit import Memory, kept

T = 1_767_225_600
ROM = "28ff641e8216042d"


def fresh(memory=None, now=T):
    """What the next wake finds."""
    return kept.Kept(Memory() if memory is None else memory, now)


def test_all_of_it_is_there_in_the_next_wake():
    memory = Memory()
    one = fresh(memory)
    one.clock_set(T - 10, T)
    one.add_reading(T + 5, 344, ROM)
    one.begin("wifi")
    one.fail(T + 30, "no access point")
    two = fresh(memory)
    assert two.readings == [[T + 5, 0, 344, ROM]]
    assert two.failures == [[T + 30, 1, "wifi: no access point"]]
    assert (two.sequence, two.synced, two.step, two.hung, two.lost) == (1, T, "", "", [0, 0])


def test_nothing_is_there_after_power_up():
    one = fresh()
    assert (one.sequence, one.synced, one.hung) == (0, 0, "")
    assert one.readings == one.failures == []


def test_who_hung_is_known_and_told_once():
    memory = Memory()
    one = fresh(memory)
    one.begin("sensor")
    one.begin("tls")
    two = fresh(memory, T + 120)
    assert two.hung == "tls"
    assert two.failures == [[T + 120, 1, "hung in tls"]]
    three = fresh(memory, T + 900)
    assert three.hung == "" and len(three.failures) == 1


def test_a_duty_that_ends_leaves_no_step():
    memory = Memory()
    one = fresh(memory)
    one.begin("sensor")
    one.end()
    assert fresh(memory).hung == ""
    one.begin("wifi")
    one.fail(T, "no access point")
    assert fresh(memory).hung == ""


def test_the_first_failure_of_a_wake_counts():
    one = fresh()
    one.begin("sensor")
    one.fail(T, "no answer")
    one.begin("wifi")
    one.fail(T + 20, "no access point")
    assert one.failures == [[T, 1, "sensor: no answer"]]
    assert one.step == ""


def test_the_same_failure_again_is_counted():
    memory = Memory()
    for what in ("no access point", "no access point", "no access point", "wrong key"):
        fresh(memory).fail(T, what)
    assert fresh(memory).failures == [[T, 3, "no access point"], [T, 1, "wrong key"]]


def test_damage_is_emptiness_that_is_told():
    memory = Memory()
    fresh(memory).add_reading(T, 344, ROM)
    good = memory.data
    for at in range(len(good)):
        memory.data = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        found = fresh(memory, T + 9)
        assert found.readings == [] and found.sequence == 0 and found.hung == ""
        what = "memory: %d bytes in the RTC were damaged: all was forgotten" % len(good)
        assert found.failures == [[T + 9, 1, what]]
        assert fresh(memory).failures == found.failures  # it is good again
    for at in range(1, len(good)):
        assert len(fresh(Memory(good[:at])).failures) == 1


def test_what_another_version_left_is_damage():
    text = b'[0,0,"",[],[]]'
    for start in (0, kept.FORMAT):
        data = kept.crc32(text, start).to_bytes(4, "big") + text
        assert fresh(Memory(data)).failures[0][2].startswith("memory: 18 bytes")


def test_the_oldest_readings_go_first_and_are_counted():
    memory = Memory()
    for i in range(60):
        fresh(memory).add_reading(T + 900 * i, -880, ROM)
    one = fresh(memory)
    count = len(one.readings)
    assert 40 <= count < 60
    assert one.lost == [60 - count, 0]
    assert [entry[1] for entry in one.readings] == list(range(60 - count, 60))


def test_readings_give_way_to_failures():
    """The longest texts, in the longest letters: all failures fit, and still some readings."""
    memory = Memory()
    for i in range(60):
        fresh(memory).add_reading(T + 900 * i, -880, ROM)
    for i in range(12):
        fresh(memory).fail(T + 900 * i, "%d" % i + "x" * 200)
    one = fresh(memory)
    assert len(one.failures) == kept.FAILURES
    assert one.failures[0][2].startswith("4x")
    assert len(one.failures[0][2]) == kept.WHAT_LENGTH
    assert one.lost == [60 - len(one.readings), 4]
    assert len(one.readings) >= 24
    for i in range(12):
        fresh(memory).fail(T, "%d" % i + "\u20ac" * 200)
    assert len(memory.data) <= kept.LIMIT
    assert len(fresh(memory).failures) > 1


def test_what_was_lost_is_owned_up_once():
    memory = Memory()
    for i in range(60):
        fresh(memory).add_reading(T + 900 * i, -880, ROM)
    one = fresh(memory)
    lost = one.lost[0]
    while one.readings:  # they are published before failures are told
        one.sent_reading()
    one.own_up(T + 99)
    what = "memory: full, %d readings and 0 failures lost" % lost
    assert one.failures == [[T + 99, 1, what]]
    two = fresh(memory)
    two.own_up(T + 100)
    assert two.failures[0][2] == what and len(two.failures) == 1


def test_what_was_sent_is_forgotten_from_the_oldest_on():
    memory = Memory()
    one = fresh(memory)
    for i in range(3):
        one.add_reading(T + i, i, ROM)
        fresh(memory)
    one.sent_reading()
    assert [entry[2] for entry in fresh(memory).readings] == [1, 2]
    for what in "abc":
        one.failed = False
        one.fail(T, what)
    one.sent_failures(2)
    assert fresh(memory).failures == [[T, 1, "c"]]


def test_numbers_count_all_messages():
    memory = Memory()
    one = fresh(memory)
    one.add_reading(T, 1, ROM)
    assert [one.take_number(), one.take_number()] == [1, 2]
    one.end()
    assert fresh(memory).take_number() == 3


def test_setting_the_clock_corrects_all_times():
    one = fresh(now=946_684_800)
    one.add_reading(946_684_805, 1, ROM)
    one.fail(946_684_810, "x")
    one.clock_set(946_684_820, T)
    assert one.readings[0][0] == T - 15 and one.failures[0][0] == T - 10
    one.add_reading(T + 1000, 2, ROM)
    one.clock_set(T + 2000, T + 2100)
    assert [entry[0] for entry in one.readings] == [T - 15, T + 1050]
    assert one.failures[0][0] == T - 10 and one.synced == T + 2100
