"""Lines, pins and what a call costs: wired-AND, resistors, rise time, faults, time."""

from eecluster_sim import PowerLoss, World
from eecluster_sim.wire.cpu import INIT_CALLS
from eecluster_sim.wire.lines import IN, PULL_UP
from support import raises

US = 1000
MS = 1000000
CALL_NS = 4000
RISE_NS = 300


def make_line(pull=1, rise_ns=0):
    world = World(1, wires=True)
    return world, world.lines.line("busy", pull, rise_ns)


def make_pins(pull=1, rise_ns=0, boards=2):
    """(world, line, pin of board 0, pin of board 1): each call of a pin costs CALL_NS."""
    world, line = make_line(pull, rise_ns)
    pins = [world.add_board(node).pin(line) for node in range(boards)]
    for pin in pins:
        pin.board.cpu.call_ns = CALL_NS
    return (world, line) + tuple(pins)


def recorded(world, call):
    """What is recorded of the lines themselves during the call."""
    world.lines.record = record = []
    call()
    return [(ns, level) for ns, name, level in record if "/" not in name]


# What a line is


def test_low_wins_then_high_then_the_resistor():
    for pull in (1, 0, None):
        for one in (0, 1, None):
            for other in (0, 1, None):
                _, line = make_line(pull)
                line.end("one").drive(10, one)
                line.end("other").drive(20, other)
                if 0 in (one, other):
                    expected = 0
                elif 1 in (one, other):
                    expected = 1
                else:
                    expected = 1 if pull == 1 else 0
                assert line.read(30) == expected, (pull, one, other)
                line.end("one").drive(40, None)
                line.end("other").drive(50, None)
                assert line.read(60) == (1 if pull == 1 else 0)


def test_a_pin_s_own_resistor():
    _, line, one, other = make_pins(pull=None)
    assert one() == 0
    one.init(one.IN, one.PULL_UP)
    assert other() == 1
    other.init(other.IN, other.PULL_DOWN)  # as strong: but somebody pulls up
    assert one() == 1
    one.init(one.IN, None)
    assert other() == 0
    one.init(one.IN, one.PULL_UP)
    one.init(one.IN)  # pull as it was
    assert other() == 1
    other.init(other.OUT, value=0)
    assert one() == 0


def test_the_external_resistor_is_stronger():
    for pull in (0, 1):
        _, line, one, other = make_pins(pull)
        one.init(one.IN, one.PULL_DOWN if pull else one.PULL_UP)
        assert other() == pull


def test_open_drain_pulls_down_only():
    _, line, one, other = make_pins(pull=0)
    one.init(one.OPEN_DRAIN, value=1)
    assert one() == 0 and other() == 0
    _, line, one, other = make_pins(pull=1)
    one.init(one.OPEN_DRAIN, value=1)
    other.init(other.OPEN_DRAIN, value=1)
    assert (one(), other()) == (1, 1)
    one(0)
    assert (one(), other()) == (0, 0)
    other.off()
    one.on()
    assert (one(), other()) == (0, 0)
    other.on()
    assert (one(), other()) == (1, 1)


def test_push_pull_drives_high():
    """A line that is active high: any holder, and no pull-up."""
    _, line, one, other = make_pins(pull=0)
    one.init(one.OUT, value=1)
    assert other() == 1
    other.init(other.OUT, value=1)
    one.init(one.IN)
    assert one() == 1
    other.init(other.IN)
    assert one() == 0


def test_value_is_set_before_the_mode():
    """No glitch: a pin that becomes an output has its level from the first moment."""
    world, line, one, _ = make_pins(pull=1)
    assert recorded(world, lambda: one.init(one.OPEN_DRAIN, value=1)) == []
    assert recorded(world, lambda: one.init(one.OUT, value=1)) == []
    assert recorded(world, lambda: one.init(one.IN, one.PULL_UP)) == []
    world, line, one, _ = make_pins(pull=None)
    one.init(one.OUT, value=1)
    assert recorded(world, lambda: one.init(one.IN, one.PULL_UP)) == []
    assert recorded(world, lambda: one.init(one.OUT, None, value=1)) == []


# Rise time


def test_falling_takes_no_time_and_rising_does():
    world, line = make_line(1, RISE_NS)
    end = line.end("one")
    end.drive(1000, 0)
    assert line.read(1000) == 0
    end.drive(2000, None)
    assert line.read(2299) == 0
    assert line.read(2300) == 1


def test_pulled_again_before_it_has_risen():
    world, line = make_line(1, RISE_NS)
    one, other = line.end("one"), line.end("other")

    def busy():
        one.drive(1000, 0)
        one.drive(2000, None)
        other.drive(2200, 0)  # 100 ns before it would have risen
        assert line.read(2400) == 0
        other.drive(3000, None)
        one.drive(3100, 0)
        one.drive(3150, None)  # let go anew: the time begins anew
        line.read(9000)

    assert recorded(world, busy) == [(1000, 0), (3450, 1)]


def test_what_others_do_meanwhile_does_not_begin_the_rise_anew():
    world, line = make_line(1, RISE_NS)
    one, other = line.end("one"), line.end("other")
    one.drive(1000, 0)
    one.drive(2000, None)
    other.set(2100, IN, PULL_UP, -1, -1)
    assert line.read(2299) == 0 and line.read(2300) == 1


def test_driven_high_it_rises_at_once():
    world, line = make_line(0, RISE_NS)
    end = line.end("one")
    end.drive(1000, 1)
    assert line.read(1000) == 1
    end.drive(2000, None)
    assert line.read(2000) == 0
    world, line = make_line(1, RISE_NS)
    end, other = line.end("one"), line.end("other")
    end.drive(1000, 0)
    end.drive(2000, None)
    other.drive(2100, 1)  # while it rises
    assert line.read(2100) == 1
    assert recorded(world, lambda: line.read(5000)) == []


# Shorts, cuts, clamps


def test_stuck_low_and_mended():
    world, line, one, other = make_pins(pull=1, rise_ns=RISE_NS)
    one.init(one.OUT, value=1)
    line.stick(world.now_ns, 0)
    assert other() == 0
    line.stick(world.now_ns, None)
    assert other() == 1
    one.init(one.OPEN_DRAIN, value=0)
    line.stick(world.now_ns, 0)
    one(1)
    line.stick(world.now_ns + 10 * US, None)
    assert line.read(world.now_ns + 10 * US + RISE_NS - 1) == 0  # mended, it rises as ever
    assert line.read(world.now_ns + 10 * US + RISE_NS) == 1


def test_stuck_high_and_mended():
    world, line, one, other = make_pins(pull=1, rise_ns=RISE_NS)
    one.init(one.OPEN_DRAIN, value=0)
    assert other() == 0
    now_ns = one.board.cpu.settle()
    line.stick(now_ns, 1)
    assert line.read(now_ns) == 1  # shorted to the supply: no rise time
    other.init(other.OUT, value=0)
    assert one() == 1
    line.stick(one.board.cpu.settle(), None)
    assert one() == 0


def test_stuck_bus_lines_by_name():
    world = World(1, wires=True)
    board = world.add_board(0)
    for name in ("sda", "scl"):
        world.bus.stuck = name
        assert world.bus.stuck == name
        assert (board.sda(), board.scl()) == (int(name != "sda"), int(name != "scl"))
    world.bus.stuck = None
    board.timer.sleep_us(1)
    assert (board.sda(), board.scl()) == (1, 1)


def test_cut_and_mended():
    world, line, one, other = make_pins(pull=1)
    one.init(one.OPEN_DRAIN, value=1)
    other.init(other.OPEN_DRAIN, value=1)
    far = line.cut(world.now_ns, [other.board])
    other(0)
    assert (one(), other()) == (1, 0)
    one(0)
    other(1)
    assert (one(), other()) == (0, 1)
    line.mend(world.now_ns, far)
    assert (one(), other()) == (0, 0)
    one(1)
    assert (one(), other()) == (1, 1)
    other(0)
    assert (one(), other()) == (0, 0)


def test_who_pulls_goes_with_his_side_of_the_cut():
    world, line, one, other = make_pins(pull=1)
    other.init(other.OPEN_DRAIN, value=0)
    assert one() == 0
    now_ns = one.board.cpu.settle()
    far = line.cut(now_ns, [other.board])
    assert line.read(now_ns) == 1 and far.read(now_ns) == 0
    line.mend(now_ns, far)
    assert line.read(now_ns) == 0
    assert one() == 0


def test_a_board_without_power_clamps_the_bus():
    world = World(1, wires=True)
    board, other = world.add_board(0), world.add_board(1)
    for clamps in (False, True):
        board.clamps = clamps
        board.power_off()
        other.timer.sleep_us(1)
        assert (other.scl(), other.sda()) == ((0, 0) if clamps else (1, 1))
        board.power_on()
        other.timer.sleep_us(1)
        assert (other.scl(), other.sda()) == (1, 1)


def test_a_board_that_loses_power_lets_its_pins_go():
    world, line, one, other = make_pins(pull=1)
    one.init(one.OUT, value=0)
    assert other() == 0
    one.board.power_off()
    assert other() == 1
    with raises(PowerLoss):
        one(0)
    assert other() == 1
    one.board.power_on()
    assert one() == 1  # an input, as after a reset


# Pins that hold (MicroPython's ports/esp32/machine_pin.c; gpio_hold_en of ESP-IDF)


def test_a_held_pin_keeps_its_level():
    _, line, one, other = make_pins(pull=1)
    one.init(one.OUT, value=0, hold=True)
    one(1)
    assert other() == 0
    one.init(one.IN)
    assert other() == 0
    one.init(one.OUT, value=1, hold=False)
    assert other() == 1
    one(0)
    assert other() == 0


def test_what_was_set_meanwhile_shows_when_the_hold_ends():
    _, line, one, other = make_pins(pull=1)
    one.init(one.OUT, value=0, hold=True)
    one(1)
    one.init(hold=False)
    assert other() == 1
    one.init(one.OUT, value=0, hold=True)
    one(1)
    one.init(hold=True)  # lets go first, then holds what is there then
    assert other() == 1
    one(0)
    assert other() == 1


def test_a_held_pull_stays():
    _, line, one, other = make_pins(pull=None)
    one.init(one.IN, one.PULL_UP, hold=True)
    one.init(one.IN, one.PULL_DOWN)
    assert other() == 1
    one.init(hold=False)
    assert other() == 0


def test_a_held_pin_survives_the_wake_and_not_the_supply():
    _, line, one, other = make_pins(pull=1)
    board = one.board
    board.wake(lambda: one.init(one.OUT, value=0))
    assert other() == 1  # the end of a wake releases a pin
    board.wake(lambda: one.init(one.OUT, value=0, hold=True))
    assert other() == 0
    board.wake(lambda: one.init(hold=False))  # a pin after a reset is an input
    assert other() == 1
    board.wake(lambda: one.init(one.OUT, value=0, hold=True))
    assert other() == 0
    board.power_off()
    assert other() == 1


# Planned events


def test_what_is_planned_comes_in_the_order_of_time():
    world, line = make_line()
    seen = []
    world.lines.at(300, lambda ns: seen.append((ns, "c")))
    world.lines.at(100, lambda ns: seen.append((ns, "a")))
    world.lines.at(200, lambda ns, name: seen.append((ns, name)), "b1")
    world.lines.at(200, lambda ns, name: seen.append((ns, name)), "b2")
    world.lines.settle(99)
    assert seen == []
    world.lines.settle(200)
    assert seen == [(100, "a"), (200, "b1"), (200, "b2")]
    world.lines.settle(1000)
    assert seen[3:] == [(300, "c")]


def test_what_is_planned_by_what_was_planned():
    world, line = make_line()
    seen = []

    def again(ns, left):
        seen.append(ns)
        if left:
            world.lines.at(ns + 50, again, left - 1)

    world.lines.at(100, again, 2)
    world.lines.at(175, lambda ns: seen.append("between"))
    world.lines.settle(1000)
    assert seen == [100, 150, "between", 200]


def test_whoever_acts_later_finds_what_was_due_earlier_done():
    world, line = make_line()
    end, other = line.end("one"), line.end("other")

    def busy():
        world.lines.at(100, end.drive, 0)
        world.lines.at(500, end.drive, None)
        other.drive(400, 0)
        other.drive(600, None)
        assert line.read(700) == 1

    assert recorded(world, busy) == [(100, 0), (600, 1)]


def test_a_change_is_told_at_its_own_time():
    world, line = make_line(1, RISE_NS)
    told = []
    line.changed = lambda ns, level: told.append((ns, level))
    end = line.end("one")
    end.drive(100, 0)
    end.drive(200, None)
    line.read(9999)
    assert told == [(100, 0), (500, 1)]


def test_record_has_lines_and_ends():
    world, line, one, _ = make_pins()
    world.lines.record = []
    one.init(one.OPEN_DRAIN, value=0)
    one(1)
    assert world.lines.record == [
        (0, "busy/node0", 0),
        (0, "busy", 0),
        (INIT_CALLS * CALL_NS, "busy/node0", None),
        (INIT_CALLS * CALL_NS, "busy", 1),
    ]


# Time


def test_a_call_takes_effect_and_then_its_time():
    world, line, one, _ = make_pins()
    one.init(one.OPEN_DRAIN, value=1)

    def three():
        one(0)
        one(1)
        one()
        one(0)

    assert recorded(world, three) == [(24000, 0), (28000, 1), (36000, 0)]  # init() takes six
    assert one.board.cpu.settle() == 40000


def test_another_board_sees_only_what_was_before():
    world, line, one, other = make_pins()
    one.init(one.OPEN_DRAIN, value=1)
    world.lines.at(30000, one.end.drive, 0)
    other.board.timer.sleep_us(20)  # and its own call: 24 us
    assert other() == 1
    other.board.timer.sleep_us(1)
    assert other() == 0


def run_calls(seed, n=400, **settings):
    """Times of n writes of a pin, and how many pauses there were."""
    world = World(seed, wires=True)
    pin = world.add_board(0).pin(world.lines.line("busy"))
    for name, value in settings.items():
        setattr(pin.board.cpu, name, value)
    times_ns = []
    for i in range(n):
        pin(i & 1)
        times_ns.append(world.now_ns)
    return times_ns, pin.board.cpu.paused


def steps(times_ns):
    return [times_ns[i + 1] - times_ns[i] for i in range(len(times_ns) - 1)]


def test_jitter_is_between_its_bounds_and_seeded():
    times_ns, _ = run_calls(3, call_ns=CALL_NS, jitter_ns=2000)
    lengths_ns = steps(times_ns)
    assert min(lengths_ns) >= CALL_NS and max(lengths_ns) <= CALL_NS + 2000
    assert min(lengths_ns) < CALL_NS + 200 and max(lengths_ns) > CALL_NS + 1800
    assert len(set(lengths_ns)) > 100
    assert run_calls(3, call_ns=CALL_NS, jitter_ns=2000)[0] == times_ns
    assert run_calls(4, call_ns=CALL_NS, jitter_ns=2000)[0] != times_ns
    assert set(steps(run_calls(3, call_ns=CALL_NS)[0])) == {CALL_NS}


def test_pauses_are_apart_bounded_and_seeded():
    settings = {"pause_ns": 5 * MS, "pause_calls": 20, "apart_ns": MS, "call_ns": CALL_NS}
    times_ns, paused = run_calls(5, 4000, **settings)
    long_ns = [
        (times_ns[i], length) for i, length in enumerate(steps(times_ns)) if length > CALL_NS
    ]
    assert len(long_ns) in (paused, paused - 1)  # the last call's time is not seen
    assert paused >= 5
    assert max([length for _, length in long_ns]) <= CALL_NS + 5 * MS
    ended_ns = -MS
    for ns, length in long_ns:
        assert ns + CALL_NS - ended_ns >= MS
        ended_ns = ns + length
    assert run_calls(5, 4000, **settings)[0] == times_ns
    assert run_calls(6, 4000, **settings)[0] != times_ns


def test_no_pauses_unless_asked_for():
    assert run_calls(1, pause_ns=5 * MS)[1] == 0


def test_ticks_and_sleeps_of_a_wrong_clock():
    for rate_ppm in (0, 50000, -50000):
        world = World(1, wires=True)
        board = world.add_board(0)
        board.cpu.rate_ppm = rate_ppm
        board.cpu.call_ns = 0
        timer = board.timer
        before = timer.ticks_us()
        timer.sleep_ms(1000)
        true_ns = 1000 * MS + rate_ppm * 1000
        assert board.cpu.settle() == true_ns
        assert abs(timer.ticks_diff(timer.ticks_us(), before) - 1000000) <= 1
        before = timer.ticks_ms()
        world.advance_s(1)  # by the true clock
        own_ms = 1000000000 // (1000000 + rate_ppm)
        assert abs(timer.ticks_diff(timer.ticks_ms(), before) - own_ms) <= 1


def test_ticks_cost_time_and_wrap():
    world = World(1, wires=True)
    board = world.add_board(0)
    board.cpu.call_ns = CALL_NS
    timer = board.timer
    assert [timer.ticks_us() for _ in range(3)] == [0, 4, 8]
    assert board.cpu.settle() == 12000
    timer.offset_ns = ((1 << 30) - 5) * US - 12000
    near = timer.ticks_us()
    assert near == (1 << 30) - 5
    timer.sleep_us(10)
    far = timer.ticks_us()
    assert far < 100
    assert timer.ticks_diff(far, near) == 10 + 4 + 4
    assert timer.ticks_diff(near, far) == -18
    assert timer.ticks_add(near, 18) == far


def test_sleep_counts_from_the_board_s_own_now():
    """Time that it has spent and nobody has asked for yet is not lost."""
    world, line, one, _ = make_pins()
    one.init(one.OPEN_DRAIN, value=1)
    one.board.timer.sleep_us(100)
    assert recorded(world, lambda: one(0)) == [(INIT_CALLS * CALL_NS + 100 * US + CALL_NS, 0)]
