"""The two wires and what hangs on them.

Rule: a transaction is atomic; the bus is free again at `free_at_ns`. Lines that are stuck are a
state of the bus, not of a board: every transaction of every board fails while they are.
"""

from .i2c import I2C


class Bus:
    """An I2C bus.

    chips        all chips, in the order they were added
    by_address   I2C address -> chip
    free_at_ns   when the last transaction ended
    stuck        None, "sda" or "scl": that line is held low
    recoverable  nine clocks free a stuck SDA (a stuck SCL never: power cycle only, UM10204 3.1.16)
    trace        None, or a list that gets (start_ns, end_ns, node, "r"/"w", address, memaddr,
                 bytes, acked) for each transaction; memaddr is None where none was sent
    """

    stuck: str | None
    trace: list

    def __init__(self):
        self.chips = []
        self.by_address = {}
        self.free_at_ns = 0
        self.stuck = None
        self.recoverable = True
        self.trace = None  # type: ignore[assignment]

    def add(self, chip):
        """Connect a chip (ValueError if its address is taken) and return it."""
        self._claim(chip.address)
        self.by_address[chip.address] = chip
        self.chips.append(chip)
        chip.bus = self
        return chip

    def remove(self, chip):
        """Disconnect a chip."""
        self.chips.remove(chip)
        del self.by_address[chip.address]
        chip.bus = None

    def rewire(self, chip, address: int):
        """Move a chip to another address (called by `chip.address = ...`)."""
        if address != chip.address:
            self._claim(address)
            del self.by_address[chip.address]
            self.by_address[address] = chip

    def swap(self, one, other):
        """Exchange the places of two chips."""
        one_address, other_address = one.address, other.address
        self.remove(one)
        other.address = one_address
        one.address = other_address
        self.add(one)

    def make_i2c(self, board, freq: int, driver):
        """A new I2C object of a board's on this bus."""
        i2c = I2C(board, freq)
        i2c.driver = driver
        return i2c

    def chip_changed(self, chip, now_ns: int):
        """Its supply has failed or is back (called by the chip)."""

    def recover(self):
        """Nine clocks and a STOP: frees SDA if the chip that holds it lets go."""
        if self.stuck == "sda" and self.recoverable:
            self.stuck = None

    def _claim(self, address: int):
        if address in self.by_address:
            raise ValueError("there is already a chip at {:#x}".format(address))
