"""The long runs: shipped `Cluster` objects on simulated boards, with all faults of a history.

    events         a history as data: the setup, events, and options of wakes
    run            plays a history
    calm_time      the times without faults at the end of each chapter
    wakes          one wake of a board, judged
    arming         what is to happen in it
    faults         the faults that are not tied to a wake
    other_boards   strangers, and boards that come new
    coverage       what happened how often, and the table of all faults
    quick_world    eecluster_sim, made quick

Histories come from proof.history, which also replays them. Stands on judges and eecluster_sim.
"""
