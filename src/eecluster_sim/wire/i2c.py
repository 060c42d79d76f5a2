"""`machine.I2C` on the wires: what all masters share (extmod/machine_i2c.c of MicroPython).

Rule: a call is made of START, bytes and STOP, which an engine (soft.py, hardware.py) puts on the
lines at the board's own pace; others act in between. The board's supply may fail anywhere: the
lines are then as `Board.power_off` leaves them, and a chip that was sending may hold SDA.

Stands on the transaction-level `I2C`, which gives the public methods.
"""

from ..i2c import I2C, PowerLoss, memaddr_bytes


class Master(I2C):
    """The I2C object of a board. An engine gives the five methods at the end.

    Of a transfer that loses the arbitration or times out the trace says nothing.
    """

    _acked: bool | None

    def __init__(self, board, freq: int):
        super().__init__(board, freq)
        self.owner = board
        self.bus = board.bus  # on which it listens
        self._cpu = board.cpu
        self._scl = board.scl.end
        self._sda = board.sda.end
        self._start_ns = None  # when this call pulled SDA down for its first START
        self._count = 0  # bytes that it moved, with address bytes
        self._acked = None  # False: NACK; None: neither, as after a timeout or lost arbitration

    def scan(self) -> list:
        self._cpu.call()  # one call of MicroPython for all addresses
        found = []
        for address in range(0x08, 0x78):
            try:
                self._call(address, 0, 0, b"", None, True)
                found.append(address)
            except OSError:
                pass
        return found

    def _transfer(self, addr, memaddr, memlen, out, into, stop=True):
        self._cpu.call()
        return self._call(addr, memaddr, memlen, out, into, stop or not self.driver.honours_stop)

    def _call(self, addr, memaddr, memlen, out, into, stop):
        """Write `out`, or fill `into`, after `memlen` bytes of memaddr; the bytes acknowledged."""
        if self.life != self.board.life:
            raise PowerLoss
        self._start_ns = self._acked = None
        self._count = 0
        mem = memaddr_bytes(memaddr, 8 * memlen)
        moved = bytes(out or b"")
        try:
            if into is not None:
                if self._read_after(addr, mem, into, stop):
                    moved = bytes(into)
                self._acked = True
                return 0
            done = max(self._write(addr, mem + moved, stop) - memlen, 0)
            moved = moved[:done]
            self._acked = True
            return done
        finally:
            if self.life == self.board.life:
                way = "r" if out is None else "w"
                self._finish(way, addr, memaddr if memlen else None, moved)

    def _finish(self, way, addr, where, moved):
        """Count the call and write the trace."""
        stats = self.board.stats
        end_ns = self.board.world.now_ns
        start_ns = end_ns if self._start_ns is None else self._start_ns
        stats.transactions += 1
        stats.bus_ns += end_ns - start_ns
        stats.bytes += self._count
        if self.board.bus.trace is not None and self._acked is not None:
            node = self.board.node
            self.board.bus.trace.append(
                (start_ns, end_ns, node, way, addr, where, moved, self._acked)
            )

    def _read_after(self, addr, mem, into, stop):
        """A read, after a write of `mem` if there is any. False: nothing was read, no error.

        The read follows a repeated START. If the chip takes only a part of `mem`, a write of
        nothing makes the STOP, and that is all (read_mem in extmod/machine_i2c.c).
        """
        if mem and self._write(addr, mem, False) < len(mem):
            self._write(addr, b"", True)
            return False
        self._read(addr, into, stop)
        return True

    def _write(self, addr, buf, stop) -> int:
        """START, address, bytes; returns how many were acknowledged."""
        self._address(addr << 1)
        done = 0
        for byte in buf:
            self._count += 1
            if self._send(byte):
                break
            done += 1
        if done < len(buf):
            self._short()
        if stop:
            self._stop()
        return done

    def _read(self, addr, buf, stop):
        self._address(addr << 1 | 1)
        last = len(buf) - 1
        for i in range(last + 1):
            self._count += 1
            buf[i] = self._receive(i == last)
        if stop:
            self._stop()

    def _address(self, byte):
        self._start()
        self._count += 1
        if self._send(byte):
            self._refused()

    def _refused(self):
        """Not acknowledged: STOP, and an error."""
        self._stop()
        self._acked = False
        raise OSError(self.driver.nack, "no ACK")

    def _short(self):
        """A data byte was not acknowledged: no error, and the caller may count."""

    # The engine

    def _start(self):
        """START or repeated START; SCL may still be high when it returns."""
        raise NotImplementedError

    def _send(self, byte) -> int:
        """Eight bits; returns the ninth: 0 is an acknowledge."""
        raise NotImplementedError

    def _receive(self, last) -> int:
        """A byte, acknowledged unless it is the last."""
        raise NotImplementedError

    def _stop(self):
        raise NotImplementedError
