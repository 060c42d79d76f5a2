"""A 24xx chip's two pins: START, STOP, acknowledge and bits, for an `Eeprom` that keeps the bytes.

Rule: the chip samples SDA when SCL rises and changes SDA after SCL has fallen. It never holds SCL.
After each address byte that is not its own it waits for the next START. During a write cycle it
does not hear even that. (AT24C256 data sheet: Device Operation; 24LC256: 4.0 Bus Characteristics.)

A STOP counts only between bytes; within a byte it ends the transfer and nothing is written (M24256
data sheet: Write Operations, "10th bit"). A START anywhere begins anew, and what was received
without a STOP is forgotten, but for the address. An FRAM keeps each byte that was complete
(FM24CL64B data sheet: Memory Operation).
"""

OUTPUT_NS = 500  # SCL low to data out valid: 50 to 900 ns (AT24C256, tAA)

_DEAF, _ADDRESS, _WRITE, _READ = range(4)


class Receiver:
    """The front of one chip. `sending`: it is being read, and may hold SDA low."""

    def __init__(self, chip, bus):
        self.chip = self.owner = chip
        self.bus = bus
        self.end = bus.sda.end(chip)
        self._byte = bytearray(1)
        self._wanted = None  # what SDA will be driven to
        self._forget()

    @property
    def sending(self) -> bool:
        return self._state == _READ

    def reset(self, now_ns: int):
        """The supply has failed: nothing is known, and SDA is let go."""
        self._output(now_ns, None)
        self._end(None)
        self.bus.leave(self)

    def _end(self, stop_ns):
        """The transfer is over; stop_ns None: without a STOP that counts."""
        if self._state == _WRITE and self._raw:
            self.chip.receive(bytes(self._raw), stop_ns)
        self._forget()

    def _forget(self):
        self._state = _DEAF
        self._bits = 0  # how many of this byte
        self._shift = 0
        self._raw = bytearray()  # what was written after the address byte

    # What the bus tells

    def start(self, now_ns: int):
        chip = self.chip
        self._end(None)
        self._output(now_ns, None)
        if chip.powered and chip.plugged and now_ns >= chip.busy_until_ns:
            self._state = _ADDRESS
            self.bus.follow(self)
        else:
            self.bus.leave(self)

    def stop(self, now_ns: int):
        whole = self._bits <= 1  # SCL is high: its rise was taken for a bit
        self._end(now_ns if whole and self.chip.plugged else None)
        self._output(now_ns, None)
        self.bus.leave(self)

    def clock_high(self, now_ns: int, bit: int):
        if self._bits < 8:
            self._shift = self._shift << 1 | bit
        elif self._state == _READ and bit:
            self._state = _DEAF  # not acknowledged: the master has enough
        self._bits += 1

    def clock_low(self, now_ns: int):
        if not (self.chip.powered and self.chip.plugged):
            self.reset(now_ns)
            return
        state = self._state
        if state == _DEAF:
            self.bus.leave(self)
        elif self._bits < 8:
            if state == _READ:
                self._send(now_ns)
        elif self._bits == 8:
            self._acknowledge(now_ns)
        else:
            self._bits = self._shift = 0
            if state == _READ:
                self.chip.fetch(None, self._byte)
                self._send(now_ns)
            else:
                self._later(now_ns, None)

    def _acknowledge(self, now_ns):
        """A byte is complete: the ninth clock is next."""
        state = self._state
        if state == _READ:
            self._later(now_ns, None)  # the master's turn
            return
        byte = self._shift & 0xFF
        if state == _WRITE:
            self._raw.append(byte)
        elif byte >> 1 != self.chip.address:
            self._state = _DEAF
            self.bus.leave(self)
            return
        else:
            self._state = _READ if byte & 1 else _WRITE
        self._later(now_ns, 0)

    def _send(self, now_ns):
        bit = self._byte[0] >> (7 - self._bits) & 1
        self._later(now_ns, None if bit else 0)

    # SDA

    def _later(self, now_ns, drives):
        if drives != self._wanted:
            self._wanted = drives
            self.bus.world.lines.at(now_ns + OUTPUT_NS, self._apply, drives)

    def _apply(self, now_ns, drives):
        if self._wanted == drives:
            self.end.drive(now_ns, drives)

    def _output(self, now_ns, drives):
        self._wanted = drives
        self.end.drive(now_ns, drives)
