"""Crash at every bus transaction of every operation, with whole and with torn pages.

Each operation starts from the same contents of the chips and loses its supply before, during and
after each of its transactions. What that leaves on the chips is then lived with: by all nodes, the
crashed one too, and by the others alone. `Kit` checks at each wake that nobody's pages but the
writer's own changed and that tokens never go back. Equal contents are tried once.
"""

from cluster_kit import Kit

MOMENTS = ("before", "during", "after")
MOST_TRANSACTIONS = 400


def blank(kit):
    pass


def settled_cluster(kit):
    kit.rounds(3)


def one_suspected(kit):
    kit.rounds(3)
    kit.wake(1)


def first_is_gone(kit):
    """Node 1 leads and node 0 has been back for two looks of node 1."""
    kit.rounds(2)
    kit.rounds(3, range(1, len(kit.boards)))
    kit.rounds(2)


def second_is_suspected(kit):
    kit.rounds(3)
    kit.rounds(1, [i for i in range(len(kit.boards)) if i != 1])


def dead_by_hand(kit):
    kit.options["readmit"] = None
    first_is_gone(kit)


def blank_chip_inserted(kit):
    kit.rounds(3)
    kit.blank(kit.chips[-1])


def sweep(prepare, operation, node, boards=2, eeproms=None, tear=None, owned=False, **options):
    """Crash `operation(kit, node)` at each transaction; then a quorum of nodes must recover."""
    kit = Kit(boards, eeproms, owned=owned, **options)
    prepare(kit)
    start = kit.images()
    state = (kit.highest, dict(kit.owners), dict(kit.options))
    seen = set()
    for n in range(MOST_TRANSACTIONS):
        for moment in MOMENTS:
            restore(kit, start, state)
            for chip in kit.chips:
                chip.tear = tear
            board = kit.boards[node]
            board.crash_at = (n, moment)
            operation(kit, node)
            if not board.crashed:
                assert n > 2, "no crash at all"
                return len(seen)
            kit.world.advance_s(1)
            left = b"".join([image[kit.format.base : kit.format.end] for image in kit.images()])
            if left in seen:
                continue
            seen.add(left)
            after = kit.images()
            highest = (kit.highest, dict(kit.owners), state[2])
            everybody = list(range(boards))
            recover(kit, everybody)
            others = [i for i in everybody if i != node]
            if others:
                restore(kit, after, highest)
                if owned:
                    board.power_off()
                recover(kit, others)
    raise AssertionError("the operation does not end")


def restore(kit, images, state):
    for board in kit.boards:
        board.power_off()
        board.power_on()
    kit.restore(images)
    kit.highest, kit.owners, options = state[0], dict(state[1]), state[2]
    kit.options.update(options)


def recover(kit, nodes):
    """Exactly one primary within retries + 2 counted looks, readmit more if all are marked dead."""
    retries = kit.options.get("retries", 1)
    looks = retries + 2
    last = kit.rounds(looks, nodes)
    if not any([last[node].is_primary for node in nodes]):
        assert all([last[node].role == "dead" for node in nodes]), last
        readmit = kit.options.get("readmit", 3)
        if readmit is None:
            return  # as told: it waits for reset_node
        kit.rounds(readmit, nodes)
    kit.settled(nodes)


# Operations; all but the wakes are calls on a new object, which looks first


def wake(kit, node):
    kit.wake(node)


def failed_duty(kit, node):
    kit.wake(node, done=False)


def stand_down(kit, node):
    kit.wake(node, lambda cluster, status: cluster.stand_down())


def announce(kit, node):
    kit.wake(node, lambda cluster, status: cluster.announced(status.events))


def reset_first(kit, node):
    kit.call(node, "reset_node", 0)


def label_blank_ones(kit, node):
    kit.call(node, "format")


def raise_the_epoch(kit, node):
    kit.call(node, "format", False, 50)


def test_crash_in_a_cold_start():
    assert sweep(blank, wake, 0) >= 4


def test_crash_in_a_cold_start_with_a_witness():
    assert sweep(blank, wake, 0, 2, 3) >= 6


def test_crash_in_a_cold_start_with_two_witnesses():
    assert sweep(blank, wake, 0, 2, 4) >= 8


def test_crash_in_a_cold_start_of_two_with_a_majority():
    assert sweep(blank, wake, 0, quorum="majority") >= 4


def test_crash_in_the_first_wake_of_a_standby():
    sweep(lambda kit: kit.wake(0), wake, 1)


def test_crash_in_the_primarys_wake():
    assert sweep(settled_cluster, wake, 0) >= 3


def test_crash_in_a_standbys_wake():
    sweep(settled_cluster, wake, 1)


def test_crash_in_a_takeover():
    sweep(one_suspected, wake, 1)


def test_crash_in_a_takeover_of_three():
    sweep(one_suspected, wake, 1, 3)


def test_crash_while_marking_a_standby_dead():
    sweep(second_is_suspected, wake, 0, 3)


def test_crash_in_a_readmission():
    sweep(first_is_gone, wake, 1)


def test_crash_in_reset_node_on_the_primary():
    sweep(dead_by_hand, reset_first, 1)


def test_crash_in_reset_node_on_a_third_node():
    sweep(dead_by_hand, reset_first, 2, 3)


def test_crash_in_stand_down():
    sweep(settled_cluster, stand_down, 0, 3)


def test_crash_in_a_failed_duty():
    def failed_once(kit):
        kit.rounds(3)
        kit.wake(0, done=False)

    sweep(failed_once, failed_duty, 0)


def test_crash_in_announced():
    sweep(settled_cluster, announce, 0)


def test_crash_in_format():
    sweep(blank, label_blank_ones, 0)


def test_crash_in_format_with_an_epoch():
    sweep(settled_cluster, raise_the_epoch, 1)


def test_crash_while_a_blank_chip_is_filled():
    sweep(blank_chip_inserted, wake, 0, 3)


def test_crash_between_two_chips_loses_its_own_supply():
    sweep(one_suspected, wake, 1, 3, owned=True)
    sweep(settled_cluster, wake, 0, 3, owned=True)


def test_torn_page_old():
    torn("old")


def test_torn_page_new():
    torn("new")


def test_torn_page_mixed():
    torn("mixed")


def test_torn_page_erased():
    torn("erased")


def torn(tear):
    sweep(blank, wake, 0, tear=tear, owned=True)
    sweep(settled_cluster, wake, 0, tear=tear, owned=True)
    sweep(one_suspected, wake, 1, 3, tear=tear, owned=True)


def test_crash_in_a_forced_format_can_be_repeated():
    kit = Kit(2)
    kit.rounds(3)
    start = kit.images()
    for n in range(0, MOST_TRANSACTIONS, 3):
        kit.restore(start)
        board = kit.boards[0]
        board.crash_at = (n, "during" if n & 1 else "after")
        run_force(kit)
        if not board.crashed:
            break
        run_force(kit)
        kit.highest = 0
        kit.owners = {}
        kit.rounds(1)
        assert kit.settled() == 0
    else:
        raise AssertionError("the operation does not end")


def run_force(kit):
    """The one call that may erase other nodes' pages: not under the kit's guard."""
    kit.world.advance_s(1)
    kit.boards[0].wake(lambda: kit.cluster(0).format(True))
