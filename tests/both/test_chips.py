"""A whole failover on each kind of chip, with its own page size and write time."""

from proof.decode import LABEL_SIZE

from cluster_kit import Kit
from eecluster import Cluster


def life(part, boards=3, eeproms=None, **options):
    """Start, beat, lose the primary, take over, readmit. The kit watches the rest of each chip."""
    kit = Kit(boards, eeproms, part=part, **options)
    kit.rounds(3)
    assert kit.settled() == 0
    kit.rounds(3, range(1, boards))
    assert kit.settled(range(1, boards)) == 1
    for _ in range(4):
        last = kit.rounds(1)
        assert last[1].is_primary
        assert last[1].eeproms == tuple(range(len(kit.chips)))
    assert kit.wake(1).dead == ()
    for k, chip in enumerate(kit.chips):
        assert kit.format.label_is_good(chip.data, k)
        for node in range(boards):
            for copy in (0, 1):
                assert kit.format.slot(chip.data, k, node, copy), (part, k, node, copy)
    return kit


def test_at24c32_with_two_pages_for_a_slot():
    kit = life("AT24C32")
    assert kit.format.end == 33 * 32
    kit.chips[0].write_ns = 10000000
    life("AT24C32", 8, 8)
    life("AT24C32", 2, base=4096 - 33 * 32)


def test_at24c64():
    life("AT24C64")


def test_at24c128():
    life("AT24C128")


def test_at24c256():
    kit = life("AT24C256")
    assert kit.format.end == 1088
    life("AT24C256", 8, 4)


def test_at24c512_with_pages_of_128_bytes():
    kit = life("AT24C512")
    assert kit.format.end == 17 * 128
    life("AT24C512", 2, base=65536 - 17 * 128)


def test_fram():
    for part in ("FM24CL64B", "FM24W256", "MB85RC256V"):
        life(part)


def test_chips_of_several_kinds_with_the_smallest_page():
    """Pages of 32 bytes on a chip with 64 are no harm; size is the smallest chip's."""
    kit = Kit(2, part="AT24C256C", page_size=32, size=4096)
    kit.rounds(3)
    kit.rounds(3, (1,))
    assert kit.settled((1,)) == 1
    kit.rounds(4)
    assert kit.settled() == 1


def test_slow_clones():
    for part, write_ms in (("AT24C32", 10), ("AT24C256C", 10), ("AT24C512", 10)):
        kit = Kit(2, part=part)
        for chip in kit.chips:
            chip.write_ns = write_ms * 1000000
        kit.rounds(3)
        kit.rounds(3, (1,))
        assert kit.settled((1,)) == 1
        assert kit.beats[1].eeproms == (0, 1)


def test_writing_on_several_chips_overlaps():
    kit = Kit(1, 4)
    kit.rounds(2)
    start = kit.world.now_ns
    kit.run(0, lambda: kit.cluster(0).heartbeat())
    assert (
        kit.world.now_ns - start < 45 * 10**6
    )  # four writes of 5 ms one after another: 20 ms more
    busy = [chip.busy_until_ns for chip in kit.chips]
    assert max(busy) - min(busy) < 10 * 10**6


def test_no_wear_beside_the_own_slot():
    kit = Kit(2)
    kit.rounds(20)
    for chip in kit.chips:
        label, slots = chip.wear[0], chip.wear[1:5]
        assert label == 1
        assert sum(slots) <= 2 * (20 + 2)
        assert max(slots) - min(slots) <= 2  # the two copies share the wear
        assert sum(chip.wear[5:]) == 0


def test_label_is_written_once_and_by_either_node_the_same():
    labels = []
    for first in (0, 1):
        kit = Kit(2)
        kit.wake(first)
        labels.append([bytes(chip.data[:LABEL_SIZE]) for chip in kit.chips])
        kit.rounds(3)
        assert [bytes(chip.data[:LABEL_SIZE]) for chip in kit.chips] == labels[-1]
    assert labels[0] == labels[1]


def test_frequencies():
    for freq in (100000, 400000, 1000000):
        kit = Kit(2)
        made = kit.boards[0].make_i2c
        kit.wake(0, i2c=lambda: made(freq))
        assert kit.wake(0, i2c=lambda: made(freq)).is_primary


def test_a_plain_class_is_enough_for_an_i2c():
    """What the library needs of an I2C object: two calls of `machine.I2C`, nothing else."""
    kit = Kit(1)

    class Plain:
        def __init__(self, i2c):
            self._i2c = i2c

        def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
            self._i2c.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)

        def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
            self._i2c.writeto_mem(addr, memaddr, buf, addrsize=addrsize)

    board = kit.boards[0]
    cluster = Cluster(Plain(board.i2c), (0x50,), 0, timer=board.timer, clock=board.clock)
    assert cluster.health_check().is_primary
    cluster.heartbeat()
