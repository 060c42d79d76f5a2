"""recover_bus: a chip that holds SDA low because the master that read it died, at every moment.

Each master dies at a planned time of one transfer; a second board frees the bus and reads.
"""

from eecluster.lock import recover_bus
from eecluster_sim.world import World

US_NS = 1000
MS_NS = 1000000
CONTENT = bytes((0x00, 0xA5, 0xFF, 0x01, 0x7E, 0x00, 0x80, 0x55))
DEATH_NS = 800  # from one death to the next: three in each bit of 2.4 us
RECOVER_MS = 2  # what recovering may cost: 25 calls of at most 30 us


def bench():
    """A world with one EEPROM, a board that will die, and one that comes after it."""
    world = World(1, wires=True)
    chip = world.add_eeprom("AT24C256", 0x50)
    chip.load(CONTENT)
    return world, chip, world.add_board(0), world.add_board(1)


def read(board):
    return board.make_i2c().readfrom_mem(0x50, 0, len(CONTENT), addrsize=16)


def write(board):
    board.make_i2c().writeto_mem(0x50, 64, b"\x0f\xf0\x00\xff", addrsize=16)


def length_ns(work):
    """How long it takes when nobody dies."""
    world, _, board, _ = bench()
    board.wake(work, board)
    return world.now_ns


def dies(work, after_ns):
    """The bench after the first board has lost its supply in `work`."""
    world, chip, board, other = bench()
    world.lines.at(after_ns, lambda now_ns: board.power_off())
    assert board.wake(work, board) is None, "it was over before"
    assert board.crashed
    world.now_ns += 10 * US_NS
    world.lines.settle(world.now_ns)
    return world, chip, other


def recovered(world, board):
    """Frees the bus; says whether that was said, and checks that it is so."""
    since_ns = board.cpu.settle()
    said = recover_bus(board.scl, board.sda)
    assert board.cpu.settle() - since_ns <= RECOVER_MS * MS_NS
    world.now_ns += 10 * US_NS
    high = [line.read(world.now_ns) for line in (world.bus.scl, world.bus.sda)]
    assert said is (high == [1, 1])
    return said


def deaths(work):
    return range(DEATH_NS, length_ns(work) - DEATH_NS, DEATH_NS)


def test_a_master_that_died_reading_at_any_moment():
    stuck = 0
    for after_ns in deaths(read):
        world, chip, board = dies(read, after_ns)
        stuck += not world.bus.sda.level
        assert recovered(world, board), after_ns
        assert read(board) == CONTENT, after_ns
        assert chip.page_writes == 0, after_ns
    assert stuck > 50  # else nothing was tried


def test_recovering_stores_nothing_of_a_write_that_was_cut_off():
    world, chip, board, _ = bench()
    write(board)
    stopped_ns = chip.busy_until_ns - chip.write_ns
    stuck = unstored = 0
    for after_ns in range(DEATH_NS, stopped_ns, DEATH_NS):
        world, chip, board = dies(write, after_ns)
        stuck += not world.bus.sda.level
        # Between two bytes, with both lines low, the death itself is a STOP: SDA rises with SCL.
        unstored += not chip.page_writes
        before = chip.page_writes, bytes(chip.data)
        assert recovered(world, board), after_ns
        board.timer.sleep_ms(10)
        assert (chip.page_writes, bytes(chip.data)) == before, after_ns
        assert read(board) == CONTENT, after_ns
    assert stuck > 5  # acknowledges
    assert unstored > 0.9 * stopped_ns / DEATH_NS


def test_a_bus_in_order_stays_so():
    world, chip, _, board = bench()
    world.lines.record = []
    assert recovered(world, board)
    assert "sda/0x50" not in [name for _, name, _ in world.lines.record]
    assert read(board) == CONTENT
    assert chip.page_writes == 0


def test_a_line_that_stays_low_is_said():
    for name in ("scl", "sda"):
        world, _, _, board = bench()
        world.bus.stuck = name
        assert recovered(world, board) is False
        world.bus.stuck = None
        world.now_ns += 10 * US_NS
        assert (world.bus.scl.read(world.now_ns), world.bus.sda.read(world.now_ns)) == (1, 1)
