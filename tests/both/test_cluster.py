"""Ordinary life of a cluster: joining, beating, failover, return, standing down."""

from proof.decode import RELEASED

from cluster_kit import Kit
from eecluster import Cluster, ClusterError
from eecluster_sim import World
from support import raises


def test_walkthrough_of_the_first_version():
    kit = Kit(2)
    assert kit.wake(0).is_primary
    assert kit.wake(1).role == "standby"
    kit.rounds(2)
    a, b = kit.newest(0), kit.newest(1)
    assert a["primary"] == b["primary"] == 0b01
    assert a["lost"] == a["dead"] == b["lost"] == b["dead"] == 0
    assert a["strikes"][1] < 0
    assert a["seqs"][0] == b["seqs"][1] == 3
    # Node 0 fails: a first look without a new beat gives it another chance ...
    assert kit.wake(1).suspects == (0,)
    assert kit.newest(1)["strikes"][0] == 1
    assert kit.newest(1)["dead"] == 0
    # ... at the second it is dead, and the node that looks takes over.
    status = kit.wake(1)
    assert status.is_primary
    assert status.dead == (0,)
    b = kit.newest(1)
    assert b["primary"] == 0b10
    assert b["dead"] == 0b01


def test_the_replicas_say_the_same():
    kit = Kit(2, 3)
    kit.rounds(3)
    for node in (0, 1):
        replicas = [kit.format.newest(chip.data, k, node) for k, chip in enumerate(kit.chips)]
        assert replicas[0] == replicas[1] == replicas[2]
    for k, chip in enumerate(kit.chips):
        assert kit.format.label_is_good(chip.data, k)


def test_an_uneventful_wake_writes_one_page_on_each_chip():
    kit = Kit(2, 3)
    kit.rounds(3)
    for node in (0, 1):
        before = [chip.page_writes for chip in kit.chips]
        kit.wake(node)
        assert [chip.page_writes - n for chip, n in zip(kit.chips, before)] == [1, 1, 1]


def test_two_writes_in_a_row_go_to_different_pages():
    kit = Kit(1, 1)
    kit.rounds(2)
    revisions = []
    for _ in range(2):
        kit.wake(0)
        for copy in (0, 1):
            revisions.append(kit.format.slot(kit.chips[0].data, 0, 0, copy)["revision"])
    assert sorted(revisions[:2]) == [revisions[0], revisions[1]] or revisions[0] > revisions[1]
    assert {revisions[0], revisions[1]} != {revisions[2], revisions[3]}
    assert len({revisions[0], revisions[1], revisions[2], revisions[3]}) == 3  # one was kept


def test_the_constructor_touches_no_bus():
    kit = Kit(2)

    def nothing():
        raise AssertionError("called")

    kit.cluster(0, i2c=nothing)
    assert kit.boards[0].stats.transactions == 0


def test_i2c_object_or_function():
    kit = Kit(2)
    made = []

    def factory():
        made.append(kit.boards[0].make_i2c())
        return made[-1]

    assert kit.wake(0, i2c=factory).is_primary
    assert len(made) == 1
    assert kit.wake(0, i2c=kit.boards[0].i2c).is_primary


def test_defaults_are_for_the_chip_that_everybody_has():
    world = World()
    for address in (0x50, 0x51):
        world.add_eeprom("AT24C256", address)
    board = world.add_board()
    cluster = Cluster(board.i2c, eeproms=(0x50, 0x51), node_id=0, timer=board.timer)
    status = cluster.health_check()
    assert status.is_primary and status.absent == (0, 1) and status.eeproms == (0, 1)
    assert cluster.confirm()
    assert cluster.heartbeat().members == (0,)


def test_one_node_on_one_chip():
    kit = Kit(1)
    kit.rounds(5)
    assert kit.settled() == 0
    assert kit.wake(0).token == 1 << 3 | 7


def test_two_nodes():
    failover_from_each_leader(Kit(2))


def test_three_nodes():
    failover_from_each_leader(Kit(3))


def test_eight_nodes_on_eight_chips():
    failover_from_each_leader(Kit(8))


def test_eight_nodes_on_two_chips():
    failover_from_each_leader(Kit(8, 2))


def test_two_nodes_and_a_witness():
    failover_from_each_leader(Kit(2, 3))


def test_two_nodes_on_one_chip():
    failover_from_each_leader(Kit(2, 1))


def failover_from_each_leader(kit):
    """Leader after leader stops for good, until one node is left."""
    alive = list(range(len(kit.boards)))
    kit.rounds(2)
    while len(alive) > 1:
        leader = kit.settled(alive)
        alive.remove(leader)
        kit.rounds(2, alive)  # retries + 1 looks without a beat
        status = kit.wake(alive[0])
        assert leader in status.dead
        assert kit.settled(alive) in alive
    assert kit.published[-1][0] == alive[0]


def test_a_node_that_joins_later():
    kit = Kit(3)
    kit.rounds(3, (0, 1))
    assert kit.wake(0).absent == (2,)
    assert kit.wake(2).role == "standby"
    status = kit.wake(0)
    assert status.members == (0, 1, 2) and status.absent == ()


def test_room_for_nodes_that_never_come():
    kit = Kit(2, 2, nodes=8)
    kit.rounds(6)
    status = kit.wake(0)
    assert status.members == (0, 1)
    assert status.absent == (2, 3, 4, 5, 6, 7)
    assert status.dead == status.suspects == ()


def test_any_node_may_start_first():
    kit = Kit(3)
    assert kit.wake(2).is_primary
    assert kit.wake(0).primary == 2
    assert kit.wake(1).primary == 2
    assert kit.settled() == 2  # a lower number takes nothing from a living primary


def test_a_standby_dies_and_the_primary_says_so_under_a_new_token():
    kit = Kit(3)
    kit.rounds(3)
    before = kit.wake(0)
    kit.rounds(2, (0, 1))
    after = kit.wake(0)
    assert after.is_primary and after.dead == (2,)
    assert after.epoch == before.epoch + 1
    assert kit.wake(1).dead == (2,)


def test_a_stale_primary_returns_and_follows():
    kit = Kit(2)
    kit.rounds(3)
    kit.rounds(4, (1,))
    status = kit.wake(0)
    assert status.role == "dead" and status.primary == 1
    assert kit.settled() == 1


def test_a_primary_that_was_replaced_during_its_duty_beats_as_what_it_is_now():
    kit = Kit(2)
    kit.rounds(3)

    def long_duty(cluster, status):
        kit.rounds(4, (1,))
        assert not cluster.confirm()
        assert not cluster.confirm()

    kit.wake(0, long_duty)
    assert kit.beats[0].role == "dead"
    assert kit.beats[0].primary == 1
    assert kit.newest(0)["primary"] == 0b10
    assert kit.settled() == 1


def test_probation():
    kit = Kit(2)
    kit.rounds(2)
    kit.rounds(4, (1,))
    assert kit.wake(0).role == "dead"  # its first beat after a long silence
    for _ in range(2):
        assert kit.wake(1).dead == (0,)
        assert kit.wake(0).role == "dead"
    status = kit.wake(1)  # the third look in a row with a new beat
    assert status.dead == () and status.members == (0, 1)
    assert kit.wake(0).role == "standby"


def test_a_gap_starts_probation_anew():
    kit = Kit(2)
    kit.rounds(2)
    kit.rounds(4, (1,))
    kit.rounds(2, (0, 1))
    assert kit.wake(1).dead == (0,)
    assert kit.wake(1).dead == (0,)  # no beat in between
    for _ in range(2):
        kit.wake(0)
        assert kit.wake(1).dead == (0,)
    kit.wake(0)
    assert kit.wake(1).dead == ()


def test_readmit_after_one_look():
    kit = Kit(2, readmit=1)
    kit.rounds(2)
    kit.rounds(4, (1,))
    kit.wake(0)
    assert kit.wake(1).dead == ()


def test_readmit_by_hand_only():
    kit = Kit(2, readmit=None)
    kit.rounds(2)
    kit.rounds(4, (1,))
    kit.rounds(8)
    assert kit.wake(1).dead == (0,)
    kit.call(0, "reset_node")
    assert kit.wake(0).role == "dead"  # the primary has not looked yet
    assert kit.wake(1).dead == ()
    assert kit.wake(0).role == "standby"


def test_reset_node_on_the_primary_counts_at_once():
    kit = Kit(2, readmit=None)
    kit.rounds(2)
    kit.rounds(4, (1,))
    kit.call(1, "reset_node", 0)
    assert kit.newest(1)["dead"] == 0
    assert kit.wake(0).role == "standby"


def test_reset_node_on_a_third_node():
    kit = Kit(3, readmit=None)
    kit.rounds(2)
    kit.rounds(4, (1, 2))
    kit.wake(0)
    kit.call(2, "reset_node", 0)
    assert kit.newest(2)["spare"] == 0b001
    kit.wake(1)
    assert kit.wake(0).role == "standby"
    kit.rounds(7)
    assert kit.newest(2)["spare"] == 0b001  # it may have been meant for another board
    kit.rounds(2)
    assert kit.newest(2)["spare"] == 0  # fulfilled
    assert kit.settled() == 1


def test_a_dead_node_waits_longer_before_it_takes_over():
    kit = Kit(2)
    kit.rounds(2)
    kit.rounds(4, (1,))
    assert kit.wake(0).role == "dead"
    looks = 0
    while not kit.wake(0).is_primary:
        looks += 1
        assert looks < 10
    assert looks == 1 + 3  # more than retries + readmit strikes: one less than that says nothing
    assert kit.wake(0).dead == (1,)


def test_a_dead_node_without_readmission_waits_for_ever():
    kit = Kit(2, readmit=None)
    kit.rounds(2)
    kit.rounds(4, (1,))
    for _ in range(12):
        assert kit.wake(0).role == "dead"
    kit.call(0, "reset_node")
    assert kit.wake(0).is_primary


def test_stand_down():
    kit = Kit(2)
    kit.rounds(3)
    kit.wake(0, lambda cluster, status: cluster.stand_down())
    assert kit.newest(0)["flags"] & RELEASED
    assert kit.beats[0].role == "standby" and kit.beats[0].primary is None
    status = kit.wake(1)
    assert status.is_primary and status.dead == () and status.members == (0, 1)
    assert kit.wake(0).primary == 1
    assert not kit.newest(0)["flags"] & RELEASED
    assert kit.settled() == 1


def test_stand_down_lapses_if_nobody_comes():
    kit = Kit(2)
    kit.rounds(3)
    kit.wake(0, lambda cluster, status: cluster.stand_down())
    status = kit.wake(0)
    assert status.role == "standby" and status.primary is None
    assert kit.wake(0).is_primary  # retries + 1 looks


def test_stand_down_of_a_lone_node_lapses():
    kit = Kit(1)
    token = kit.wake(0, lambda cluster, status: cluster.stand_down()).token
    assert kit.wake(0).role == "standby"
    status = kit.wake(0)
    assert status.is_primary and status.token == token and status.dead == ()


def test_stand_down_of_a_standby_changes_nothing():
    kit = Kit(2)
    kit.rounds(3)
    images = kit.images()
    kit.call(1, "stand_down")
    assert kit.images() == images
    assert kit.settled() == 0


def test_stand_down_first_thing_in_a_wake():
    kit = Kit(2)
    kit.rounds(3)
    kit.call(0, "stand_down")
    assert kit.wake(1).is_primary


def test_failed_duties_make_room():
    kit = Kit(2)
    kit.rounds(3)
    kit.wake(0, done=False)
    assert kit.wake(1).role == "standby"
    kit.wake(0, done=False)  # retries + 1
    status = kit.wake(1)
    assert status.is_primary and status.dead == ()


def test_failed_duties_have_to_be_in_a_row():
    kit = Kit(2)
    kit.rounds(3)
    for done in (False, True, False, True, False):
        assert kit.wake(0, done=done).is_primary
        assert kit.wake(1).role == "standby"


def test_a_failed_duty_of_a_standby_means_nothing():
    kit = Kit(2)
    kit.rounds(3)
    for _ in range(5):
        kit.wake(1, done=False)
        kit.wake(0)
    assert kit.settled() == 0
    assert kit.wake(0).dead == ()


def test_confirm():
    kit = Kit(2)
    kit.rounds(2)
    answers = []

    def asks(node):
        cluster = kit.cluster(node)
        answers.append(cluster.confirm())  # before any look
        cluster.health_check()
        answers.append(cluster.confirm())

    kit.run(0, asks, 0)
    kit.run(1, asks, 1)
    assert answers == [False, True, False, False]


def test_confirm_writes_nothing():
    kit = Kit(3)
    kit.rounds(2)
    images = kit.images()
    kit.wake(0, beat=False)
    assert kit.images() == images


def test_heartbeat_without_a_look_of_its_own():
    kit = Kit(2)
    kit.rounds(2)
    seq = kit.newest(1)["seqs"][1]
    kit.call(1, "heartbeat")
    assert kit.newest(1)["seqs"][1] == seq + 1


def test_one_object_for_many_rounds():
    kit = Kit(2)
    clusters = [kit.cluster(0), kit.cluster(1)]

    def turn(node):
        status = clusters[node].health_check()
        clusters[node].heartbeat()
        return status

    for _ in range(4):
        kit.world.advance_s(900)
        assert kit.run(0, turn, 0).is_primary
        assert kit.run(1, turn, 1).primary == 0
    for _ in range(3):
        kit.world.advance_s(900)
        status = kit.run(1, turn, 1)
    assert status.is_primary and status.dead == (0,)
    assert kit.run(0, turn, 0).role == "dead"


def test_retries():
    for retries in (0, 1, 3):
        kit = Kit(2, retries=retries)
        kit.rounds(2)
        looks = 1
        while not kit.wake(1).is_primary:
            looks += 1
            assert looks < 10
        assert looks == retries + 1


def test_bus_gives_the_i2c_object_under_the_lock():
    class Lock:
        def __init__(self):
            self.calls = []

        def acquire(self, node_id, timeout_ms):
            self.calls.append(node_id)
            return True

        def release(self):
            self.calls.append("release")

    kit = Kit(2)
    lock = Lock()
    cluster = kit.cluster(1, lock=lock)

    def own_device():
        with cluster.bus() as i2c:
            assert lock.calls == [1]
            assert 0x50 in i2c.scan()
            cluster.health_check()  # nested: the lock is taken once
        assert lock.calls == [1, "release"]
        with raises(RuntimeError), cluster.bus():
            raise RuntimeError("mine")
        assert lock.calls == [1, "release"] * 2

    kit.run(1, own_device)


def test_each_call_takes_the_lock_and_lets_it_go():
    class Lock:
        held = False
        count = 0

        def acquire(self, node_id, timeout_ms):
            assert not self.held and 0 < timeout_ms <= 10000
            self.held = True
            self.count += 1
            return True

        def release(self):
            assert self.held
            self.held = False

    lock = Lock()
    kit = Kit(2, lock=lock)

    def duty(cluster, status):
        assert not lock.held
        cluster.reset_node(1)
        cluster.announced(status.events)
        assert not lock.held

    kit.wake(0, duty)
    kit.wake(1)
    kit.wake(0, duty)
    kit.call(0, "stand_down")
    assert not lock.held
    assert lock.count > 8


def test_format_labels_blank_chips():
    kit = Kit(2)
    kit.call(0, "format")
    for k, chip in enumerate(kit.chips):
        assert kit.format.label_is_good(chip.data, k)
    images = kit.images()
    kit.call(0, "format")
    assert kit.images() == images
    assert kit.wake(0).is_primary


def test_format_above_what_a_consumer_has_seen():
    kit = Kit(2)
    kit.call(1, "format", False, 1000)
    assert kit.wake(0).epoch > 1000
    status = kit.wake(1)
    assert status.is_primary and status.epoch > 1000


def test_format_can_raise_the_epoch_of_a_living_cluster():
    kit = Kit(2)
    kit.rounds(3)
    kit.call(0, "format", False, 500)
    status = kit.wake(0)
    assert status.is_primary and status.epoch > 500
    assert kit.wake(1).epoch == status.epoch
    assert kit.settled() == 0


def test_status_in_words():
    kit = Kit(3)
    kit.rounds(2, (0, 1))
    text = str(kit.wake(1))
    assert "\n" not in text
    for part in ("node 1", "standby", "primary 0", "epoch 1", "members 0 1", "absent 2"):
        assert part in text, text
    kit.wake(1)
    text = str(kit.wake(1))
    for part in ("node 1", "primary 1", "dead 0"):
        assert part in text, text


def test_status_attributes():
    kit = Kit(2)
    kit.rounds(2)
    kit.wake(0)
    status = kit.wake(1)
    assert (status.role, status.is_primary, status.node_id) == ("standby", False, 1)
    assert (status.primary, status.token, status.epoch) == (0, 1 << 3 | 7, 1)
    assert (status.members, status.suspects, status.dead, status.absent) == ((0, 1), (), (), ())
    assert status.eeproms == (0, 1)
    assert status.events == ()  # the primary's to announce


def test_calls_that_need_a_quorum_say_so():
    kit = Kit(3)
    kit.rounds(2)
    kit.boards[0].unreachable = {0x51, 0x52}
    images = kit.images()
    with raises(ClusterError, "isolated"):
        kit.call(0, "reset_node", 1)
    with raises(ClusterError, "isolated"):
        kit.call(0, "stand_down")
    with raises(ClusterError, "isolated"):
        kit.call(0, "announced", (("joined", 0, 15, 0),))
    assert kit.images() == images
