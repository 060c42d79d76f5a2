"""A time without faults, in which there must be a primary: an event of a history.

`simulation` is the one at work. Stands on the judge calm, other_boards and events.
"""

from eecluster_sim.rand import Random
from proof.judges.calm import Calm
from proof.simulation import other_boards
from proof.simulation.events import NS, PERIOD_S


def calm(simulation, seed, rounds, gone):
    """All faults end. The promise of a primary must hold now."""
    if simulation.busy:
        return
    setup = simulation.setup
    simulation.router = True
    simulation.faults.mend()
    simulation.note(f"calm, gone: {gone}")
    if not setup["mild"]:
        simulation.oracle.highest = 0
        simulation.oracle.accepted = 0
        simulation.oracle.sender = None
    for node in range(setup["nodes"]):
        other_boards.answer_duplicate(simulation, node)
    random = Random(seed)
    alive = [node for node in range(setup["nodes"]) if node not in gone]
    members = simulation.oracle.members(simulation.places) & set(alive)
    bound = setup["retries"] + 2 + (setup["interval"] is not None)
    if not members:
        bound += (setup["readmit"] or 1) + 1
        simulation.count("no member left")
    now_s = simulation.world.now_ns / NS
    due = {node: now_s + 1 + random.below(PERIOD_S) for node in alive}
    simulation.calm = Calm(alive, bound, setup["readmit"], setup["interval"] is not None)
    simulation.oracle.calm = simulation.calm
    revive = set() if members or setup["readmit"] else set(alive)
    early = []  # looks that do not count
    for _ in range((bound + rounds) * len(alive)):
        node = min(due, key=lambda node: due[node])
        at_s = due[node]
        while early and min(early)[0] < at_s:
            early.remove(too_often(simulation, *min(early)))
        simulation.world.now_ns = max(simulation.world.now_ns, int(at_s * NS))
        simulation.wake(node, [["reset", node]] if node in revive else [])
        revive.discard(node)
        if setup["interval"] and random.chance(100):
            early.append((at_s + random.choice((5, 460, 600, 780)), node))
        jitter_s = random.below(PERIOD_S // 10) - PERIOD_S // 20
        due[node] += PERIOD_S * (1 + setup["drifts"][node] / 1e6) + jitter_s
    if simulation.calm.leader is None:
        raise AssertionError("the time without faults was too short to tell")
    simulation.calm = simulation.oracle.calm = None
    simulation.count("calm")


def too_often(simulation, at_s, node):
    """Looks that come too early, as in a reset loop: with an interval nobody is harmed."""
    assert simulation.calm
    simulation.calm.extra = True
    simulation.world.now_ns = max(simulation.world.now_ns, int(at_s * NS))
    for _ in range(3):
        simulation.wake(node, [])
        simulation.world.advance_s(5)
    simulation.calm.extra = False
    return at_s, node
