"""The wires below the transactions: lines, pins that cost time, masters and chips bit by bit.

A `World(wires=True)` has them: its boards' `make_i2c` gives masters that move the lines, and
`board.scl`, `board.sda` and `board.pin(line)` give pins. The rest of the simulator is the same.
"""
