"""Arms what is to happen in one wake of a board: a crash, transactions that fail, pauses.

Rule: only what is within the promises (`fault_limits`); what waits for a claim begins at its first
write. `simulation` is the one at work. Stands on events.
"""


def arm(simulation, board, wake):
    """Arm all that the options of this wake say."""
    said = []
    if wake.crash:
        _arm_crash(simulation, board, wake, said)
    if wake.fail:
        _arm_failures(simulation, board, wake, said)
    if wake.short:
        board.short_write = wake.short[0]
        simulation.count("short")
        said.append(f"short {wake.short}")
    if wake.hang:
        if wake.hang[2:]:
            board.at_claim.append(("hang", tuple(wake.hang[:2])))
        else:
            board.hang = tuple(wake.hang)
            board.special = True
        said.append(f"hang {wake.hang}")
    if wake.weak:
        board.weak = {simulation.places[k].address for k in wake.weak[0]}
        simulation.count("weak")
        said.append(f"weak {wake.weak[0]}")
    simulation.count("lock", wake.locked)
    simulation.count("undone", not wake.done)
    if simulation.log:
        simulation.note(f"{board} wakes {' '.join(said)}")


def _arm_crash(simulation, board, wake, said):
    n, moment, tear, *claim = wake.crash
    if not simulation.faults.may_fall(board):
        wake.crash = None
        simulation.count("skipped")
        return
    board.doomed = True
    for place in simulation.places:
        place.tear = tear
    if claim:
        board.at_claim.append(("crash_at", (n, moment)))
    else:
        board.crash_at = (n, moment)
    said.append(f"crash {wake.crash}")


def _arm_failures(simulation, board, wake, said):
    n, errno, every, done, *claim = wake.fail
    if not simulation.faults.may_fail(n, every):
        simulation.count("skipped")
        return
    if claim:
        board.at_claim.append(("failing", (n, errno, every, bool(done))))
    else:
        board.fail_next(n, errno, every, bool(done))
    simulation.count("fail")
    simulation.count("fail 264", errno == 264)
    simulation.count("fail done", bool(done))
    said.append(f"fail {wake.fail}")


def begin_claim(simulation, board):
    """A board is writing a claim: what waits for that begins now."""
    board.floor = simulation.oracle.highest  # what a claim reads after its write, it must see
    for name, value in board.at_claim:
        if name == "failing":
            board.fail_next(*value)
        elif name == "crash_at":
            board.crash_at = value
        else:
            board.hang = value
        board.special = True
    board.at_claim = []


def disarm(board):
    """A wake is over: nothing of it is left."""
    board.special = False
    board.hang = None
    board.at_claim = []
    board.weak = ()
    board.doomed = False
    board.disarm()
