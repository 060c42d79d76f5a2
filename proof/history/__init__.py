"""Random histories of clusters: years of wakes with drifting clocks and all faults at random.

    generate       a seed becomes a history
    fault_kinds    the kinds of faults that last for a time
    wake_options   what may happen in one wake
    outcome        what histories come to, one or many
    shrink         makes a history that breaks a promise short

    python -m proof.history 123             the history of seed 123
    python -m proof.history 0 --to 500      many of them: figures, and those that break a promise
    python -m proof.history 123 -v          each wake and each fault, to read
    python -m proof.history --case '...'    a history as text, as a breach prints it

A case is JSON: {"setup": {...}, "events": [[seconds, name, ...], ...]}, see simulation/events. All
about a history follows from its seed. `make soak MINUTES=30` plays new seeds on all processors.
"""
