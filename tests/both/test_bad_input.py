"""Bad arguments and wrong chips: nothing is written, and the message says what to do."""

from proof.decode import crc32

from cluster_kit import PATTERN, Kit
from eecluster import Cluster, ClusterError, ConfigError, FormatError, LayoutError
from support import raises


def make(**changes):
    """A cluster with these arguments instead of good ones."""
    arguments = {"i2c": lambda: None, "eeproms": (0x50, 0x51), "node_id": 0}
    arguments.update(changes)
    return Cluster(
        arguments.pop("i2c"), arguments.pop("eeproms"), arguments.pop("node_id"), **arguments
    )


def test_good_arguments():
    make()
    make(eeproms=[0x50], nodes=8, node_id=7, retries=0, readmit=None, quorum="majority")
    make(interval=900.5, cluster_id=0xFFFFFFFF, size=65536, page_size=128, base=1024, uid=b"\x00")
    make(eeproms=tuple(range(0x50, 0x58)), node_id=7, quorum="available", recover=print)


def wrong(name, *values):
    for value in values:
        with raises(ValueError, name):
            make(**{name: value})


def test_eeproms():
    wrong(
        "eeproms", (), 0x50, None, "P", ("a",), (0x50, 0x50), (0,), (0x78,), (-1,), (80.0,), (True,)
    )
    wrong("eeproms", tuple(range(0x50, 0x59)), ((0x50, 0x51),))


def test_node_id():
    wrong("node_id", -1, 2, 8, None, "0", 0.0)


def test_nodes():
    wrong("nodes", 0, 9, -1, "2", 2.0)


def test_retries():
    wrong("retries", -1, 1000, None, 1.5, "1")


def test_readmit():
    wrong("readmit", 0, -1, 1000, 2.5, "3")


def test_quorum():
    wrong("quorum", "all", 2, True, "", [])


def test_interval():
    wrong("interval", 0, -900, "900", float("nan"))


def test_cluster_id():
    wrong("cluster_id", -1, 1 << 32, "a", None, 1.0)


def test_page_size():
    wrong("page_size", 0, 16, 48, 63, -64, "64", None)


def test_size():
    wrong("size", 0, -1, 1 << 17, "32768", None)


def test_base():
    wrong("base", -64, "0", None, 64.0)


def test_uid():
    wrong("uid", 5, "abc")


def test_i2c():
    wrong("i2c", None, 5, "i2c")


def test_lock():
    wrong("lock", 5, "busy", lambda: True)


def test_recover():
    wrong("recover", 5, "x")


def test_clock_and_timer():
    wrong("clock", 5, "x")
    wrong("timer", 5, "x")


def test_pages_that_do_not_fit():
    with raises(LayoutError, "base"):
        make(base=32768 - 1024)  # 1,088 bytes are needed
    with raises(LayoutError):
        make(size=4096, page_size=256)
    with raises(LayoutError, "base"):
        make(base=32768)
    with raises(LayoutError, "base"):
        make(base=10)  # not a page boundary
    make(base=32768 - 1088)


def test_arguments_of_the_calls():
    kit = Kit(2)
    kit.rounds(2)
    images = kit.images()
    for node_id in (-1, 2, 8, "1", 1.0):
        with raises(ValueError, "node_id"):
            kit.call(0, "reset_node", node_id)
    for epoch in (-1, 1 << 29, "5", 1.5):
        with raises(ValueError, "epoch"):
            kit.call(0, "format", False, epoch)
    assert kit.images() == images


# Chips that are not ours


def refused(kit, kind, *fragments):
    """No call writes anything; each says why."""
    images = kit.images()
    calls = (("health_check",), ("heartbeat",), ("reset_node", 0), ("stand_down",), ("format",))
    for name in calls:
        with raises(kind, *fragments):
            kit.call(0, *name)
    assert kit.images() == images

    def persists(cluster):
        """One object, whose health_check has failed."""
        with raises(kind, *fragments):
            cluster.health_check()
        assert not cluster.confirm()
        try:
            cluster.heartbeat()
        except OSError:
            pass

    kit.run(0, persists, kit.cluster(0))
    assert kit.images() == images


def test_foreign_chip():
    kit = Kit(2)
    for chip in kit.chips:
        chip.load(PATTERN[: chip.part.size])
    refused(kit, FormatError, "0x5", "Not written", "format(force=True)")


def test_foreign_chip_of_each_kind():
    for content in (b"\x55\xaa", b"hello, world! ", bytes(range(256))):
        kit = Kit(1)
        chip = kit.chips[0]
        chip.load((content * (chip.part.size // len(content) + 1))[: chip.part.size])
        refused(kit, FormatError, "0x50")


def test_a_chip_that_reads_as_one_value_is_not_called_foreign():
    """So reads a bus whose SDA is held low: nobody shall erase because of that."""
    for value in (0x00, 0x42):
        kit = Kit(1)
        kit.chips[0].fill(value)
        refused(kit, ClusterError, "0x50", "0x%02x only" % value, "SDA")


def test_one_foreign_byte_in_the_clusters_pages():
    for at in (0, 3, 19, 20, 63, 64, 100, 640, 1087):
        kit = Kit(1)
        kit.chips[0].data[at] = 0x7F
        refused(kit, FormatError, "0x50")


def test_bytes_behind_the_clusters_pages_do_not_matter():
    kit = Kit(1)
    kit.chips[0].data[1088] = 0x7F
    assert kit.wake(0).is_primary


def test_damaged_chip_without_any_valid_slot():
    """Our label is rotten and so are all slots: it might be anybody's, so it is not written."""
    kit = Kit(1)
    kit.rounds(3)
    kit.chips[0].flip(2, 1)
    for copy in (0, 1):
        kit.chips[0].flip(kit.format.address(0, copy) + 5, 1)
    refused(kit, FormatError, "0x50")


def test_chip_of_another_cluster():
    kit = Kit(2, cluster_id=77)
    kit.rounds(3)
    kit.options["cluster_id"] = 78
    refused(kit, ConfigError, "0x5", "77", "cluster_id")


def test_chip_of_another_version():
    kit = Kit(1)
    kit.rounds(3)
    chip = kit.chips[0]
    chip.data[4] = 2
    chip.data[16:20] = crc32(chip.data[:16]).to_bytes(4, "big")
    refused(kit, ConfigError, "0x50", "version")


def test_another_clusters_slots_under_our_label():
    """Labels alone are not believed: each record is checked with the cluster's number."""
    kit = Kit(1, cluster_id=1)
    kit.rounds(3)
    stranger = Kit(1, cluster_id=2)
    stranger.rounds(5)
    kit.chips[0].data[64:1088] = stranger.chips[0].data[64:1088]
    assert kit.wake(0).epoch == 1


def test_a_record_at_a_wrong_place_does_not_pass():
    kit = Kit(2)
    kit.rounds(4)
    for k, chip in enumerate(kit.chips):
        for copy in (0, 1):
            here, there = kit.format.address(0, copy), kit.format.address(1, copy)
            chip.data[there : there + 64] = chip.data[here : here + 64]
            assert kit.format.slot(chip.data, k, 1, copy) is None
    status = kit.wake(1)
    assert status.role == "standby" and status.primary == 0


def test_format_refuses_before_it_writes():
    kit = Kit(2)
    kit.chips[1].load(PATTERN[: kit.chips[1].part.size])
    images = kit.images()
    with raises(FormatError, "0x51"):
        kit.call(0, "format")
    assert kit.images() == images


def test_format_by_force():
    kit = Kit(2)
    for chip in kit.chips:
        chip.load(PATTERN[: chip.part.size])
    force(kit)
    for k, chip in enumerate(kit.chips):
        assert bytes(chip.data[kit.format.end :]) == PATTERN[kit.format.end : chip.part.size]
        assert kit.format.label_is_good(chip.data, k)
    assert kit.wake(0).is_primary
    assert kit.wake(1).role == "standby"


def test_format_by_force_keeps_to_its_pages():
    for base in (64, 1024, 32768 - 1088):
        kit = Kit(2, part="AT24C256C", base=base)
        for chip in kit.chips:
            chip.load(PATTERN[: chip.part.size])
        force(kit)
        for chip in kit.chips:
            assert bytes(chip.data[:base]) == PATTERN[:base]
            assert bytes(chip.data[base + 1088 :]) == PATTERN[base + 1088 : chip.part.size]
        assert kit.wake(0).is_primary


def force(kit, *args):
    """The one call that may erase other nodes' pages: not under the kit's guard."""
    kit.boards[0].wake(lambda: kit.cluster(0).format(True, *args))
    kit.world.advance_s(1)


def test_format_by_force_with_an_epoch():
    kit = Kit(2)
    kit.rounds(3)
    force(kit, 4000)
    assert kit.wake(0).epoch > 4000
    assert kit.settled() == 0


def test_format_by_force_needs_all_chips():
    kit = Kit(2)
    kit.rounds(3)
    kit.chips[1].plugged = False
    images = kit.images()
    with raises(OSError, "format"):
        force(kit)
    assert kit.images() == images


def test_format_of_a_write_protected_chip():
    kit = Kit(2)
    kit.chips[1].write_protect = True
    with raises(ClusterError, "0x51", "WP pin"):
        kit.call(0, "format")


def test_all_eeproms_gone():
    for nodes in (1, 2, 3):
        kit = Kit(nodes)
        kit.rounds(2)
        for chip in kit.chips:
            chip.plugged = False
        for call in (("health_check",), ("heartbeat",), ("reset_node", 0), ("stand_down",)):
            with raises(OSError, "0x50") as caught:
                kit.call(0, *call)
            assert caught.error.args[0] == 19  # the port's errno


def test_the_rest_of_the_chip_with_a_base():
    for base in (64, 2048, 32768 - 1088):
        kit = Kit(3, part="AT24C256C", base=base)  # the kit checks each wake
        kit.rounds(3)
        kit.rounds(4, (1, 2))
        kit.rounds(4)
        assert kit.settled() == 1
        for chip in kit.chips:
            assert bytes(chip.data[:base]) == PATTERN[:base]
            end = base + 1088
            assert bytes(chip.data[end:]) == PATTERN[end : chip.part.size]


def test_two_clusters_share_chips():
    kit = Kit(2)
    kit.rounds(2)
    options = {"base": 2048, "cluster_id": 9}
    for chip in kit.chips:
        chip.data[2048 : 2048 + 1088] = b"\xff" * 1088
    before = [bytes(chip.data[:1088]) for chip in kit.chips]
    for _ in range(3):
        for node in (0, 1):
            kit.boards[node].wake(second_life, kit, node, options)
            kit.world.advance_s(10)
    assert [bytes(chip.data[:1088]) for chip in kit.chips] == before
    assert kit.settled() == 0


def second_life(kit, node, options):
    cluster = kit.cluster(node, **options)
    assert cluster.health_check().primary == 0
    cluster.heartbeat()


def test_nothing_is_written_after_a_look_that_raised():
    """An object that lives on knows its record, but not where it may be written."""
    kit = Kit(2)
    kit.rounds(3)
    cluster = kit.cluster(1)
    kit.run(1, lambda: (cluster.health_check(), cluster.heartbeat()))
    kit.blank(kit.chips[0])
    kit.chips[1].fill(0x42)
    kit.chips[1].data[7] = 0x43
    images = kit.images()

    def goes_on():
        with raises(FormatError, "0x51"):
            cluster.health_check()
        try:
            cluster.heartbeat()
        except OSError:
            pass

    kit.run(1, goes_on)
    assert kit.images() == images
