"""Every crash: each operation cut off at each transfer, in every state that a few wakes lead to.

    sweeps    what is swept, by name
    sweep     the states, the cuts in them, and the replay of one

    python -m proof.search "2 nodes, 1 EEPROM, 2 wakes"     one sweep
    python -m proof.search --case '...'                     replays what a breach printed

A case is JSON: {"sweep": [nodes, EEPROMs], "moves": [...]}. A move is [node, operation], from blank
chips on; the last one may be cut off: [node, operation, n, how], before transfer n ("cut") or in
it, with the kind of tear.
"""
