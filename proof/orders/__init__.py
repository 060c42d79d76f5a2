"""Every order in which two or three boards can use the bus, in situations that matter.

    spaces        what is searched, by name
    situations    what led there, and who does what
    space         how one is described
    moves         a state, and the states that follow from it
    explorer      the search through all of them, and the replay of one way

    python -m proof.search "older copy"     searches one space
    python -m proof.search --case '...'     replays what a breach printed

A case is JSON: {"space": NAME, "moves": [...]}. A move is [node, n]: so many transfers of that
board; [node, "crash"]: it loses its supply before its write, or, with the kind of tear as a third,
in it; or what happens to a chip, as in the space: ["lost", chip].
"""
