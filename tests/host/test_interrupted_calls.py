"""A program that never sleeps and keeps one `Cluster`: an exception may leave any line of any call.

Then the lock is let go, and the same object goes on: no later call meets a half-made state, and
nothing is written on the strength of a look that was not finished. In CPython's own way to stop a
program anywhere: a trace function that raises.
"""

import itertools
import linecache
import sys
from pathlib import Path

import pytest

import eecluster
from cluster_kit import Kit

LIBRARY = str(Path(eecluster.__file__).parent)
ERRORS = (OSError, MemoryError, KeyboardInterrupt)
STEP = 97  # each error leaves every STEP-th line; other calls and states take other ones


class Spy:
    """A lock that tells whether it is held."""

    def __init__(self):
        self.held = 0

    def acquire(self, node_id, timeout_ms):
        self.held += 1
        return True

    def release(self):
        self.held -= 1


def leaving(frame):
    """Is it on its way out of `with`? There an exception of the interpreter's own skips or cuts
    short what lets go, whoever wrote it.
    """
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return frame.f_code.co_name == "__exit__" or line in ("with self:", "return Status(node)")


def stopped(call, n, error):
    """Make the call; the error is raised at its n-th line in the library. True if it was."""
    left = n

    def trace(frame, event, arg):
        nonlocal left
        if not frame.f_code.co_filename.startswith(LIBRARY):
            return None
        if event == "line" and not leaving(frame):
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise error("planned")
        return trace

    sys.settrace(trace)
    try:
        call()
    except error as caught:
        assert caught.args == ("planned",)
        return True
    finally:
        sys.settrace(None)
    return False


def primary(kit):
    """Node 0 leads; node 1's events are to be announced."""
    kit.rounds(3)
    return 0


def standby(kit):
    kit.rounds(3)
    return 1


def successor(kit):
    """Node 1 has to take over now."""
    kit.rounds(3)
    kit.rounds(1, (1,))
    return 1


def newcomer(kit):
    return 0


STATES = (primary, standby, successor, newcomer)
CALLS = {
    "health_check": lambda cluster: cluster.health_check(),
    "heartbeat": lambda cluster: cluster.heartbeat(),
    "check_in": lambda cluster: cluster.check_in(),
    "confirm": lambda cluster: cluster.confirm(),
    "announced": lambda cluster: cluster.announced([("joined", 0, 15, 0)]),
    "reset_node": lambda cluster: cluster.reset_node(1),
    "stand_down": lambda cluster: cluster.stand_down(),
    "beat after a look": lambda cluster: (cluster.health_check(), cluster.heartbeat()),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("state", STATES)
def test_an_exception_out_of_any_line(state, name):
    kit = Kit(2)
    node = state(kit)
    images, now_ns = kit.images(), kit.world.now_ns
    for k, error in enumerate(ERRORS):
        for n in itertools.count(k, STEP):
            kit.restore(images)
            kit.world.now_ns = max(kit.world.now_ns, now_ns)
            kit.owners, kit.highest = {}, 0
            lock = Spy()
            cluster = kit.cluster(node, lock=lock)
            where = f"{error.__name__} at line {n} of {name}"
            if name == "confirm":
                cluster.health_check()

            def interrupted(cluster=cluster, n=n, error=error):
                return stopped(lambda: CALLS[name](cluster), n, error)

            if not kit.run(node, interrupted):
                break
            assert lock.held == 0, where
            kit.run(node, goes_on, cluster, lock, where)


def goes_on(cluster, lock, where):
    """What any program may do next, in any order, and the object is as good as a new one."""
    before = cluster.confirm()
    cluster.heartbeat()
    cluster.announced([])
    status = cluster.health_check()
    assert status.role in ("primary", "standby"), where
    assert cluster.confirm() == status.is_primary, where
    assert cluster.heartbeat().role == status.role, where
    assert before in (True, False) and lock.held == 0, where


def role(kit, cluster):
    """Of node 1, as its heartbeat says."""
    status = kit.run(1, cluster.heartbeat)
    assert status
    return status.role


def test_a_program_that_calls_heartbeat_alone():
    """It takes over when it has to, and is not isolated for ever by a moment without chips."""
    kit = Kit(2)
    kit.rounds(3)
    cluster = kit.cluster(1)
    for chip in kit.chips:
        chip.plugged = False
    with pytest.raises(OSError, match="no EEPROM answers"):
        kit.run(1, cluster.heartbeat)
    for chip in kit.chips:
        chip.plugged = True
    roles = [role(kit, cluster) for _ in range(4)]
    assert roles == ["standby", "primary", "primary", "primary"]  # retries=1: two strikes


def test_after_a_health_check_that_raised_one_heartbeat_writes_nothing():
    class Broken(Spy):
        def release(self):
            super().release()
            raise RuntimeError("release")

    def no_time():
        raise RuntimeError("clock")

    for options in ({"lock": Broken()}, {"clock": no_time}):
        kit = Kit(2)
        kit.rounds(3)
        cluster = kit.cluster(1, **options)
        with pytest.raises(RuntimeError):
            cluster.health_check()
        images = kit.images()
        cluster._node.lock, cluster._node.clock = Spy(), lambda: 0
        assert role(kit, cluster) == "isolated" and kit.images() == images
        assert role(kit, cluster) == "standby"
        assert kit.images() != images


def test_administration_counts_no_strikes():
    for call in (("reset_node", 0), ("reset_node", 1), ("stand_down",), ("announced", [])):
        kit = Kit(2)
        kit.rounds(3)
        for _ in range(5):
            for node in (0, 1):
                kit.call(node, *call)
        last = kit.rounds(3)
        assert all(status.dead == () for status in last.values())
