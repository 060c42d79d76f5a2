"""The two systems that are measured, made and woken in the same way. Runs on both Pythons."""

FIRST_ADDRESS = 0x50
SYSTEMS = ("eecluster", "first_version")


def make(system, node, nodes, eeproms, i2c, seen, lock, timer, clock, uid):
    """Node `node` of so many nodes and EEPROMs, as after each wake."""
    addresses = tuple(range(FIRST_ADDRESS, FIRST_ADDRESS + eeproms))
    if system == "eecluster":
        from eecluster import Cluster

        return Cluster(
            i2c, addresses, node, nodes=nodes, lock=lock, timer=timer, clock=clock, uid=uid
        )
    from bench.first_version import FirstVersion

    return FirstVersion(i2c, addresses, node, nodes=nodes, seen=seen, lock=lock, timer=timer)


def blank(system):
    """The byte that new EEPROMs are full of."""
    return 0xFF if system == "eecluster" else 0


def wake(peer, timer):
    """A wake; the primary's duty takes 1.2 s before it confirms and 1.2 s after. The status."""
    status = peer.health_check()
    if status.is_primary:
        timer.sleep_ms(1200)
        if not peer.confirm():
            raise ValueError("not confirmed: no steady state")
        timer.sleep_ms(1200)
        if status.events:
            peer.announced(status.events)
    peer.heartbeat()
    return status
