"""The proof of the protocol on the shipped code: every order, every crash, years of wakes.

Rooms, each with its front door in `__init__`; imports go down this list only:

    report        `python -m proof.report`: the tables of docs/trust.md
    mutants       planted mistakes: do the checks bite?         `python -m proof.mutants`
    search        every order, every crash                      `python -m proof.search`
    history       random histories: seeds, replay, shrinking    `python -m proof.history`
    orders        every order: the explorer and its spaces
    crashes       every crash: the sweep
    simulation    the long runs' boards, chips and faults
    judges        who says that a promise is broken
    boards        boards as programs and chips as numbers, for orders and crashes
    decode        what the bytes on a chip say, read without the library
    breach        what every judge raises
"""
