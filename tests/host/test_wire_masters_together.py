"""Two masters on the wires at the same time: who gets the bus, and what the chip stores."""

import pytest

from eecluster_sim import World
from eecluster_sim.scheduler import Scheduler

SOFT = "softi2c"
ARBITRATING = "rp2040"
US = 1000


def together(drivers, programs, shifts_ns=(0, 0), seed=1, prepare=None):
    """Run program(i2c) of each board at the same time, later by its shift.

    Returns (world, chip, results); a result is what the program returned, or an errno below 0.
    """
    world = World(seed, wires=True)
    chip = world.add_eeprom("24LC256", 0x50)
    boards = [world.add_board(node, driver) for node, driver in enumerate(drivers)]
    masters = [board.make_i2c() for board in boards]
    world.advance_s(0.001)
    world.bus.trace = []
    results: list = [None] * len(boards)
    if prepare is not None:
        prepare(world, boards, masters)

    def run(k):
        boards[k].cpu.settle()
        boards[k].cpu.spend(shifts_ns[k])
        try:
            results[k] = programs[k](masters[k])
        except OSError as error:
            results[k] = -(error.errno or 0)
        boards[k].cpu.settle()

    with Scheduler(world, seed) as scheduler:
        for k, board in enumerate(boards):
            scheduler.spawn(board, run, k)
        scheduler.run()
    world.lines.settle(world.now_ns + 10 * US)
    for line in (world.bus.scl, world.bus.sda):
        assert [line.end(board).drives for board in boards] == [None] * len(boards)
    return world, chip, results


def writer(memaddr, data):
    return lambda i2c: i2c.writeto(0x50, memaddr.to_bytes(2, "big") + data)


def test_two_softi2c_writers_in_step_store_the_and_and_both_believe_in_success():
    ours, theirs = bytes(range(0x30, 0x50)), bytes(range(0xD5, 0xF5))
    world, chip, results = together((SOFT, SOFT), (writer(0x40, ours), writer(0x40, theirs)))
    assert results == [34, 34]
    expected = bytes(a & b for a, b in zip(ours, theirs, strict=True))
    assert expected not in (ours, theirs)
    assert chip.data[0x40:0x60] == expected
    assert chip.page_writes == 1
    assert [entry[6][2:] for entry in sorted(world.bus.trace, key=lambda e: e[2])] == [ours, theirs]


def test_two_softi2c_writers_out_of_step_store_neither():
    ours, theirs = b"\x12" * 16, b"\xa5" * 16
    for shift_ns in (5 * US, 50 * US, 130 * US):
        _, chip, _ = together(
            (SOFT, SOFT), (writer(0x40, ours), writer(0x80, theirs)), (0, shift_ns)
        )
        stored = (chip.data[0x40:0x50] == ours) + (chip.data[0x80:0x90] == theirs)
        assert stored < 2, shift_ns


@pytest.mark.parametrize("shift_ns", [0, 40, 99])
@pytest.mark.parametrize("winner", [0, 1])
@pytest.mark.parametrize("freqs", [(400000, 400000), (400000, 100000), (100000, 400000)])
def test_of_two_arbitrating_writers_exactly_one_wins(shift_ns, winner, freqs):
    # the first difference decides: 0 wins
    data = [b"same, then \x7f lost" if k != winner else b"same, then \x3f wins" for k in (0, 1)]

    def prepare(world, boards, masters):
        for k, board in enumerate(boards):
            board.freq = freqs[k]
            masters[k] = board.make_i2c()
            board.cpu.settle()

    world, chip, results = together(
        (ARBITRATING, ARBITRATING),
        [writer(0x40, data[k]) for k in (0, 1)],
        (0, shift_ns),
        prepare=prepare,
    )
    expected = [-5, -5]
    expected[winner] = 2 + len(data[winner])
    assert results == expected
    assert chip.data[0x40 : 0x40 + len(data[winner])] == data[winner]
    assert chip.page_writes == 1
    assert [entry[2] for entry in world.bus.trace] == [winner]


def test_identical_transmissions_of_arbitrating_masters_both_succeed():
    for shift_ns in (0, 60):
        write = writer(0x40, b"the same")
        world, chip, results = together((ARBITRATING, ARBITRATING), (write, write), (0, shift_ns))
        assert results == [10, 10]
        assert chip.data[0x40:0x48] == b"the same"
        assert chip.page_writes == 1
        assert len(world.bus.trace) == 2


def test_identical_reads_of_arbitrating_masters_both_succeed():
    def read(i2c):
        return i2c.readfrom_mem(0x50, 0x40, 4, addrsize=16)

    def prepare(world, boards, masters):
        world.chips[0].data[0x40:0x44] = b"\x00\xff\x5a\xa5"

    _, _, results = together((ARBITRATING, ARBITRATING), (read, read), prepare=prepare)
    assert results == [b"\x00\xff\x5a\xa5"] * 2


def test_the_longer_read_wins():
    def read(count):
        return lambda i2c: i2c.readfrom_mem(0x50, 0x40, count, addrsize=16)

    def prepare(world, boards, masters):
        world.chips[0].data[0x40:0x44] = b"abcd"

    _, _, results = together((ARBITRATING, ARBITRATING), (read(2), read(4)), prepare=prepare)
    assert results == [-5, b"abcd"]  # its NACK met an acknowledge


def test_an_arbitrating_master_that_comes_later_waits_and_both_store():
    for shift_ns in (101, 700, 5 * US, 100 * US, 431 * US):
        world, chip, results = together(
            (ARBITRATING, ARBITRATING),
            (
                writer(0x40, b"first"),
                # the chip is busy after that: the second one only probes, with a memory address
                lambda i2c: i2c.writeto(0x51, b"nobody there"),
            ),
            (0, shift_ns),
        )
        assert results == [7, -5], shift_ns
        assert chip.data[0x40:0x45] == b"first"
        (_, first_end_ns, *_), (second_start_ns, *_) = sorted(world.bus.trace)
        assert second_start_ns >= first_end_ns - 300 + 1300, shift_ns


def test_many_arbitrating_masters_share_the_bus_without_loss():
    nodes = 4

    def program(k):
        def count_up(i2c):
            done = 0
            for turn in range(6):
                data = bytes((k, turn)) * 4
                for _ in range(300):
                    try:
                        i2c.writeto_mem(0x50, 64 * (8 * k + turn), data, addrsize=16)
                        done += 1
                        break
                    except OSError:
                        i2c.board.timer.sleep_us(137 * (k + 3))
            return done

        return count_up

    world, chip, results = together(
        (ARBITRATING,) * nodes, [program(k) for k in range(nodes)], (0, 10, 20, 30)
    )
    assert results == [6] * nodes
    for k in range(nodes):
        for turn in range(6):
            start = 64 * (8 * k + turn)
            assert chip.data[start : start + 8] == bytes((k, turn)) * 4
    assert chip.page_writes == 6 * nodes


def test_softi2c_does_not_see_that_an_arbitrating_master_has_the_bus():
    spoilt = 0
    for shift_ns in range(20 * US, 300 * US, 23 * US):
        _, chip, results = together(
            (ARBITRATING, SOFT),
            (writer(0x40, b"\x5a" * 12), writer(0x80, b"\x33" * 12)),
            (0, shift_ns),
        )
        spoilt += chip.data[0x40:0x4C] != b"\x5a" * 12
    assert spoilt >= 10


@pytest.mark.parametrize("driver", ["esp32-legacy", "esp32-idf55"])
@pytest.mark.parametrize("victim", [SOFT, ARBITRATING])
def test_an_esp32_breaks_the_transfer_of_another(driver, victim):
    cleared = broken = 0
    kept = []
    for shift_ns in range(20 * US, 300 * US, 31 * US):
        _, chip, results = together(
            (victim, driver),
            (writer(0x40, b"\x5a" * 12), writer(0x80, b"\x33" * 12)),
            (0, shift_ns),
            prepare=lambda world, boards, masters: kept.append(masters[1]),
        )
        cleared += kept.pop().cleared > 0
        broken += chip.data[0x40:0x4C] != b"\x5a" * 12
    assert cleared == 10 and broken >= 9


@pytest.mark.parametrize("driver, errno", [("esp32-legacy", 116), ("esp32-idf55", 19)])
def test_an_esp32_that_loses_clears_the_bus_too(driver, errno):
    masters_of = []
    _, _, results = together(
        (driver, driver),
        (writer(0x40, b"\x7f" * 12), writer(0x40, b"\x3f" * 12)),
        prepare=lambda world, boards, masters: masters_of.extend(masters),
    )
    assert results[0] == -errno
    assert masters_of[0].cleared == 1


def test_the_same_seed_gives_the_same_run():
    def runs():
        for seed in (1, 1, 2):

            def prepare(world, boards, masters):
                world.lines.record = records[-1]
                for board in boards:
                    board.cpu.pause_calls = 30
                    board.cpu.pause_ns = 200 * US
                    board.cpu.jitter_ns = 500

            records.append([])
            together(
                (SOFT, ARBITRATING),
                (writer(0x40, b"abc" * 8), writer(0x80, b"xyz" * 8)),
                seed=seed,
                prepare=prepare,
            )

    records = []
    runs()
    lines = [[(ns, name, level) for ns, name, level in record] for record in records]
    assert lines[0] == lines[1] != lines[2]
