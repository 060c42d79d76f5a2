"""`machine.I2C` and `machine.SoftI2C` as MicroPython boards have them (extmod/machine_i2c.c).

One I2C object belongs to one board from one power-up on. Each call is one atomic transaction on
the bus: it waits for its turn (`World.transaction`), takes its time on the wires, and either moves
the bytes or raises the OSError that the board's driver would raise.

Wire time in bits: START 1, each byte 9, repeated START 1, STOP 1.
"""

ENODEV = 19
EIO = 5
ETIMEDOUT_RP2 = 110  # MicroPython's own numbers
ETIMEDOUT_ESP = 116  # newlib's
ESP_ERR_INVALID_RESPONSE = 264

TIMEOUT_NS = 50000000  # the default timeout of every port
_NACK_BITS = 11  # START, address byte, STOP


class PowerLoss(BaseException):
    """The board lost its supply here. Nothing that it does after this reaches the world."""


class Driver:
    """How a port's I2C behaves: errno of a NACK, errno of a timeout, and its habits.

    engine        what moves the lines where there are lines (see wire/masters.py)
    honours_stop  `stop=False` really holds the bus (SoftI2C); other drivers send STOP anyway
    blind_probe   a read of no bytes from an absent chip succeeds (ESP-IDF's new driver)
    """

    def __init__(self, nack: int, timeout: int, engine, honours_stop=False, blind_probe=False):
        self.nack = nack
        self.timeout = timeout
        self.engine = engine
        self.honours_stop = honours_stop
        self.blind_probe = blind_probe


DRIVERS = {
    "softi2c": Driver(ENODEV, ETIMEDOUT_ESP, "soft", honours_stop=True),
    "esp32-legacy": Driver(ENODEV, ETIMEDOUT_ESP, "clearing-legacy"),
    "esp32-idf55": Driver(ENODEV, ENODEV, "clearing", blind_probe=True),
    "esp32-idf6": Driver(
        ESP_ERR_INVALID_RESPONSE, ESP_ERR_INVALID_RESPONSE, "clearing", blind_probe=True
    ),
    "rp2040": Driver(EIO, ETIMEDOUT_RP2, "arbitrating", honours_stop=True),
}


def memaddr_bytes(memaddr: int, addrsize: int) -> bytes:
    """The address bytes as MicroPython sends them; ValueError as MicroPython raises it."""
    if addrsize & 7 or not 0 <= addrsize <= 32:
        raise ValueError("invalid addrsize")
    return (memaddr & ((1 << addrsize) - 1)).to_bytes(addrsize // 8, "big")


class I2C:
    """The I2C object of a board."""

    def __init__(self, board, freq: int):
        self.board = board
        self.driver = board.driver
        self.life = board.life if board.powered else None  # None: made by a program that is dead
        self.bit_ns = 1000000000 // freq

    # The public API of machine.I2C

    def scan(self) -> list:
        """Addresses from 0x08 to 0x77 that acknowledge."""
        found = []
        for address in range(0x08, 0x78):
            try:
                self._transfer(address, 0, 0, b"", None)
                found.append(address)
            except OSError:  # of any kind, as on the board
                pass
        return found

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8) -> bytes:
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        if addrsize != 16:
            memaddr_bytes(memaddr, addrsize)
        self._transfer(addr, memaddr, addrsize >> 3, None, buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        if addrsize != 16:
            memaddr_bytes(memaddr, addrsize)
        self._transfer(addr, memaddr, addrsize >> 3, buf, None)

    def readfrom(self, addr, nbytes, stop=True) -> bytes:
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def readfrom_into(self, addr, buf, stop=True):
        if len(buf) or not self.driver.blind_probe:
            self._transfer(addr, 0, 0, None, buf, stop)

    def writeto(self, addr, buf, stop=True) -> int:
        """Returns the number of bytes that were acknowledged."""
        return self._transfer(addr, 0, 0, buf, None, stop)

    def writevto(self, addr, vector, stop=True) -> int:
        return self._transfer(addr, 0, 0, b"".join([bytes(buf) for buf in vector]), None, stop)

    # One transaction

    def _transfer(self, addr, memaddr, memlen, out, into, stop=True):
        """Write `out`, or fill `into`, after `memlen` bytes of memaddr."""
        board = self.board
        if into is None:
            count = 1 + memlen + len(out)
            bits = 9 * count + 2
        else:
            count = 1 + len(into)
            bits = 9 * count + 2
            if memlen:
                count += 1 + memlen
                bits += 9 * memlen + 10  # an address byte more, and a repeated START
        start_ns = board.world.transaction(board, bits * self.bit_ns)
        if self.life != board.life:
            raise PowerLoss
        if board.armed or board.bus.stuck is not None:
            return self._faulty(start_ns, addr, memaddr, memlen, out, into, stop, count, bits)
        return self._run(start_ns, addr, memaddr, memlen, out, into, stop, count, bits)

    def _run(self, start_ns, addr, memaddr, memlen, out, into, stop, count, bits):
        chip = self._answering(addr, start_ns)
        if chip is None:
            self._note(start_ns, _NACK_BITS, 1, addr, memaddr, memlen, out, None, False)
            raise OSError(self.driver.nack, "no ACK")
        if into is not None:
            if memlen == 2:
                chip.fetch(memaddr, into)
            else:
                if memlen:
                    chip.receive(memaddr_bytes(memaddr, 8 * memlen), None)
                chip.fetch(None, into)
        else:
            end_ns = start_ns + bits * self.bit_ns
            if not stop and self.driver.honours_stop:
                end_ns = None
            if memlen == 2:
                chip.store(memaddr, out, end_ns)
            elif memlen:
                chip.receive(memaddr_bytes(memaddr, 8 * memlen) + bytes(out), end_ns)
            else:
                chip.receive(out, end_ns)
        self._note(start_ns, bits, count, addr, memaddr, memlen, out, into, True)
        return 0 if out is None else len(out)

    def _answering(self, addr, now_ns):
        """The chip at addr if it acknowledges its address now, else None."""
        board = self.board
        chip = board.bus.by_address.get(addr)
        if (
            chip is None
            or now_ns < chip.busy_until_ns
            or not chip.plugged
            or not chip.powered
            or addr in board.unreachable
        ):
            return None
        return chip

    def _note(self, start_ns, bits, count, addr, memaddr, memlen, out, into, acked):
        """Let the time pass, count it, and write the trace."""
        board = self.board
        spent_ns = bits * self.bit_ns
        end_ns = start_ns + spent_ns
        bus = board.bus
        bus.free_at_ns = board.world.now_ns = end_ns
        stats = board.stats
        stats.transactions += 1
        stats.bus_ns += spent_ns
        stats.bytes += count
        if bus.trace is not None:
            moved = bytes((into or b"") if out is None else out)
            way = "r" if out is None else "w"
            where = memaddr if memlen else None
            bus.trace.append((start_ns, end_ns, board.node, way, addr, where, moved, acked))

    # Transactions that something was planned for

    def _faulty(self, start_ns, addr, memaddr, memlen, out, into, stop, count, bits):
        board = self.board
        kind, detail = board.next_fault(out is not None)
        plain = (start_ns, addr, memaddr, memlen, out, into, stop, count, bits)
        if kind == "crash":
            return self._crash(detail, plain)
        if board.bus.stuck is not None:
            board.bus.free_at_ns = board.world.now_ns = start_ns + TIMEOUT_NS
            board.stats.transactions += 1
            board.stats.bus_ns += TIMEOUT_NS
            raise OSError(self.driver.timeout, "timeout")
        if kind == "fail":
            errno, done = detail
            if done:
                self._run(*plain)
            else:
                self._note(start_ns, _NACK_BITS, 1, addr, memaddr, memlen, out, None, False)
            raise OSError(self.driver.nack if errno is None else errno, "injected")
        if kind == "short" and detail < len(out):
            lost = len(out) - detail - 1  # the byte that was not acknowledged was sent
            return self._run(
                start_ns, addr, memaddr, memlen, bytes(out)[:detail], None, stop,
                count - lost, bits - 9 * lost,
            )  # fmt: skip
        return self._run(*plain)

    def _crash(self, moment, plain):
        """Lose the supply before, during or after a transaction."""
        start_ns, addr, memaddr, memlen, out, into, stop, count, bits = plain
        board = self.board
        if moment == "during":
            chip = self._answering(addr, start_ns)
            if chip is not None and out is not None:
                raw = memaddr_bytes(memaddr, 8 * memlen) + bytes(out)
                chip.receive(raw[: count // 2 - 1], None)  # half of the bytes, no STOP
            board.bus.free_at_ns = board.world.now_ns = start_ns + bits * self.bit_ns // 2
        elif moment == "after":
            try:
                self._run(*plain)
            except OSError:
                pass  # it dies with its error
        board.power_off()
        raise PowerLoss
