"""An I2C peripheral that arbitrates: RP2040 (Synopsys DesignWare), STM32.

Rule: it knows that the bus is busy from the START and STOP that it has heard since it was made, and
waits. It pulls SCL low as soon as anybody does, and counts its high time from the moment when SCL
is really high: low as long as the longest low, high as long as the shortest high (UM10204 3.1.7).
It compares SDA when SCL rises, for each bit where it lets SDA go, also for its NACK as a receiver;
when it has lost it lets both lines go (3.1.8). Its timing is exact: no pause of the processor comes
inside.

MicroPython's rp2 port (machine_i2c.c; i2c_write_blocking_internal and i2c_set_baudrate in its SDK):
arbitration lost is EIO like a NACK, a NACK of a data byte ends a write without an error, and the
timeout of 50 ms is for the whole transfer (simplified: after it both lines are let go, and its own
START is forgotten, as IC_ENABLE is switched off and on for each transfer). A write of no bytes, and
so `scan`, is done by the code of SoftI2C with a delay one microsecond longer: without waiting and
without arbitration. Its NACK is ENODEV there; here it is that of the driver. Simplified: a count of
acknowledged bytes is exact, there it may be one too high.
"""

from ..i2c import TIMEOUT_NS
from .i2c import Master
from .soft import SoftEngine

HOLD_NS = 300  # SDA changes so long after SCL fell (i2c_set_baudrate)
BUS_FREE_NS = 1300  # UM10204 table 10, tBUF at 400 kHz
HEARD_NS = 100  # spike filter (50 ns) and synchronisers: a START is noticed so much later

_NOT_YET = -1


class ArbitratingI2C(Master):
    """The master of a board that arbitrates; a new object resets the peripheral."""

    low_percent = 60  # of the period (i2c_set_baudrate)

    def __init__(self, board, freq: int):
        super().__init__(board, freq)
        self.soft = SoftEngine(board, freq, 500000 // freq + 1)
        self._busy = False
        self._heard_ns = 0  # the last START, or the last STOP
        self._held = False  # the last call ended without STOP
        self._compares = self._lost = False
        self._risen_ns = self._fallen_ns = _NOT_YET  # SCL's edges in this clock
        self._sampled = 1  # SDA when SCL rose
        self._low_ns = self._high_ns = self._until_ns = 0
        for other in list(self.bus.listeners):
            if isinstance(other, ArbitratingI2C) and other.board is board:
                self._replace(other)
        self.bus.listeners.append(self)
        self._cpu.call()

    def _replace(self, other):
        """It is the same peripheral of the board: what it was before is over."""
        self.bus.listeners.remove(other)
        self.bus.leave(other)
        now_ns = self._cpu.settle()
        self._scl.drive(now_ns, None)
        self._sda.drive(now_ns, None)

    # What the bus tells

    def start(self, now_ns: int):
        self._busy = True
        self._heard_ns = now_ns
        if self._compares and self._risen_ns != _NOT_YET:
            self._lost = True

    def stop(self, now_ns: int):
        self._busy = False
        self._heard_ns = now_ns

    def clock_high(self, now_ns: int, bit: int):
        if self._risen_ns == _NOT_YET:
            self._risen_ns = now_ns
            self._sampled = bit
            if self._compares and not bit:
                self._lost = True

    def clock_low(self, now_ns: int):
        self._fallen_ns = now_ns
        if not self._lost and self.life == self.board.life:
            self._scl.drive(now_ns, 0)

    # The engine

    def _call(self, addr, memaddr, memlen, out, into, stop):
        to_true_ns = self._cpu.to_true_ns
        self._low_ns = to_true_ns(self.bit_ns * self.low_percent // 100)
        self._high_ns = to_true_ns(self.bit_ns) - self._low_ns
        self._until_ns = self._cpu.settle() + TIMEOUT_NS
        return super()._call(addr, memaddr, memlen, out, into, stop)

    def _write(self, addr, buf, stop) -> int:
        if not len(buf):
            return self._probe(addr, stop)
        done = super()._write(addr, buf, stop)
        if self._held and done < len(buf):
            self._stop()  # the hardware sends it after each NACK
        return done

    def _probe(self, addr, stop):
        """A write of no bytes, by software."""
        self._let_go()
        self.soft._start_ns = self.soft._acked = None
        try:
            return self.soft._write(addr, b"", stop)
        finally:
            self._acked = self.soft._acked
            self._start_ns = self.soft._start_ns
            self._count += 1
            self._let_go()  # the pins are the peripheral's again

    def _start(self):
        if self._held:
            now_ns = self._rise(None, False)
            if not self._sampled:  # another one's bit
                self._fail(self._lost_errno(), "arbitration lost")
        else:
            now_ns = self._wait_for_free()
            self._lost = self._compares = False
            self._fallen_ns = _NOT_YET
            self.bus.follow(self)
            now_ns = self._wait_for_high(now_ns)
        self._held = True
        if self._start_ns is None:
            self._start_ns = now_ns
        self._sda.drive(now_ns, 0)
        now_ns = self._at(now_ns + self._high_ns)
        if self._fallen_ns == _NOT_YET:
            self._fallen_ns = now_ns
            self._scl.drive(now_ns, 0)

    def _stop(self):
        now_ns = self._rise(0, False)
        self.bus.leave(self)
        self._held = False
        self._sda.drive(now_ns, None)
        self._at(now_ns + self._sda.line.rise_ns)  # it ends when it has heard its own STOP

    def _send(self, byte) -> int:
        mask = 0x80
        while mask:
            if byte & mask:
                self._bit(None, True)
            else:
                self._bit(0, False)
            mask >>= 1
        return self._bit(None, False)

    def _receive(self, last) -> int:
        byte = 0
        for _ in range(8):
            byte = byte << 1 | self._bit(None, False)
        self._bit(None if last else 0, last)
        return byte

    def _bit(self, drives, compares):
        """One clock; returns what SDA was. SCL is low before and after."""
        now_ns = self._rise(drives, compares)
        if self._fallen_ns == _NOT_YET:
            self._scl.drive(now_ns, 0)
        return self._sampled

    def _rise(self, drives, compares):
        """SDA as said, then SCL up and its high time; returns when that is over."""
        fallen_ns = self._fallen_ns
        if self._sda.drives != drives:
            self._sda.drive(self._at(fallen_ns + HOLD_NS), drives)
        now_ns = self._at(fallen_ns + self._low_ns)
        self._risen_ns = self._fallen_ns = _NOT_YET
        self._compares = compares
        self._scl.drive(now_ns, None)
        now_ns = self._at(now_ns + self._scl.line.rise_ns + self._high_ns)
        if self._risen_ns == _NOT_YET:
            now_ns = self._wait_for_rise(now_ns)
        if self._lost:
            self._fail(self._lost_errno(), "arbitration lost")
        if self._fallen_ns == _NOT_YET and now_ns < self._risen_ns + self._high_ns:
            now_ns = self._at(self._risen_ns + self._high_ns)
        return now_ns

    def _wait_for_rise(self, now_ns):
        """Somebody stretches the clock."""
        while self._risen_ns == _NOT_YET:
            if now_ns > self._until_ns:
                self._time_out()
            now_ns = self._at(now_ns + self._high_ns)
        return now_ns

    def _wait_for_free(self):
        """Returns when START may come; who has decided does not look again."""
        now_ns = self._cpu.settle()
        while self._is_busy(now_ns):
            if now_ns > self._until_ns:
                self._time_out()
            now_ns = self._at(now_ns + BUS_FREE_NS)
        if self._busy:
            return now_ns
        return self._at(max(now_ns, self._heard_ns + BUS_FREE_NS))

    def _is_busy(self, now_ns):
        return self._busy and now_ns - self._heard_ns >= HEARD_NS

    def _wait_for_high(self, now_ns):
        """START needs SCL high: it is low if somebody's START was not heard, or if it is stuck."""
        while not self._scl.line.read(now_ns):
            if now_ns > self._until_ns:
                self._time_out()
            now_ns = self._at(now_ns + self._high_ns)
        self._fallen_ns = _NOT_YET
        return now_ns

    def _at(self, ns):
        """Wait until then (not at all if that is past); returns the time."""
        cpu = self._cpu
        now_ns = self.board.world.now_ns
        if ns > now_ns:
            cpu.debt_ns = ns - now_ns
            return cpu.settle()
        return now_ns

    # Errors

    def _lost_errno(self):
        return self.driver.nack

    def _time_out(self):
        if self._held:  # its own transfer, which will have no STOP: the next one begins anew
            self._busy = False
        self._fail(self.driver.timeout, "timeout")

    def _fail(self, errno, text):
        self._let_go()
        raise OSError(errno, text)

    def _let_go(self):
        """Off the bus, whatever was going on."""
        self.bus.leave(self)
        self._held = self._lost = self._compares = False
        now_ns = self._cpu.settle()
        self._scl.drive(now_ns, None)
        self._sda.drive(now_ns, None)
