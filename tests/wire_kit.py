"""A world with wires, and a master made of two pins, for tests. Runs on CPython and on MicroPython.

The master is as plain as can be, and does on request what no proper master does: it stops in the
middle of a byte, clocks without a START, goes away. It reads SDA while SCL is high.
"""

from eecluster_sim import World

HELLO = b"hello"


class PinMaster:
    """Moves the SCL and SDA of a board."""

    def __init__(self, board):
        self.board = board
        self.scl = board.scl
        self.sda = board.sda
        self.scl.init(self.scl.OPEN_DRAIN, value=1)
        self.sda.init(self.sda.OPEN_DRAIN, value=1)

    def start(self):
        """START, or a repeated START after a byte."""
        self.sda(1)
        self.scl(1)
        self.sda(0)
        self.scl(0)

    def stop(self):
        self.sda(0)
        self.scl(1)
        self.sda(1)
        self.board.timer.sleep_us(2)  # until SDA has risen
        self.board.cpu.settle()

    def bit(self, level) -> int:
        """One clock with SDA driven low or let go; returns what SDA was."""
        self.sda(level)
        self.scl(1)
        seen = self.sda()
        self.scl(0)
        return seen

    def bits(self, text: str):
        """`bits("101")`: so many clocks."""
        for char in text:
            self.bit(int(char))

    def clocks(self, n: int) -> list:
        """n clocks with SDA let go."""
        return [self.bit(1) for _ in range(n)]

    def send(self, byte: int) -> bool:
        """A byte; True if it was acknowledged."""
        for shift in range(7, -1, -1):
            self.bit(byte >> shift & 1)
        return self.bit(1) == 0

    def take(self, ack: bool) -> int:
        """A byte from the chip, acknowledged or not."""
        byte = 0
        for _ in range(8):
            byte = byte << 1 | self.bit(1)
        self.bit(0 if ack else 1)
        return byte

    # Whole transfers

    def call(self, address: int, reads: int) -> bool:
        """START and address byte; True if it was acknowledged."""
        self.start()
        return self.send(address << 1 | reads)

    def write(self, address: int, raw) -> int:
        """`raw` with its two address bytes, and STOP. How many bytes of it were acknowledged."""
        acked = 0
        if self.call(address, 0):
            for byte in raw:
                if not self.send(byte):
                    break
                acked += 1
        self.stop()
        return acked

    def read(self, address: int, n: int) -> bytes:
        """n bytes from where the chip's pointer is, and STOP."""
        assert self.call(address, 1), "no ACK of {:#x}".format(address)
        found = bytes([self.take(i < n - 1) for i in range(n)])
        self.stop()
        return found

    def read_at(self, address: int, memaddr: int, n: int) -> bytes:
        """n bytes from memaddr: a write of the address, a repeated START, a read."""
        assert self.call(address, 0), "no ACK of {:#x}".format(address)
        self.send(memaddr >> 8)
        self.send(memaddr & 0xFF)
        return self.read(address, n)


def make(part="24LC256", address=0x50, record=False):
    """(world, chip, master): a chip with HELLO at 0, and a board that has set up its pins.

    record  `changes` is wanted (it takes memory: MicroPython has little)
    """
    world = World(1, wires=True)
    if record:
        world.lines.record = []
    chip = world.add_eeprom(part, address)
    chip.load(HELLO)
    return world, chip, PinMaster(world.add_board(0))


def changes(world, name):
    """[(ns, level), ...] of one name in the record."""
    return [(ns, level) for ns, who, level in world.lines.record if who == name]
