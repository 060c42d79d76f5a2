"""Who says that a promise of docs/protocol.md is broken, from raw bytes and public answers alone.

    rulebook       rules that show in what a node writes
    judge          of every order and every crash: I1, I2, I4, and the rulebook
    recovery       of the same: I5, what follows when boards wake in turn
    oracle         of the long runs: I1 to I4, with the consumer's view; raw: the bytes it reads
    calm           of the long runs: I5, in times without faults
    fault_limits   is a fault within the promises? asked before it happens

I6 is judged by who counts transfers and seconds: boards/undisturbed, boards/program, orders/moves,
simulation/wakes. All raise `proof.breach.Breach` and read records with `proof.decode`, never with
the library. Stands on boards.
"""
