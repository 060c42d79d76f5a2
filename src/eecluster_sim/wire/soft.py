"""`machine.SoftI2C`: the processor moves SCL and SDA (extmod/machine_i2c.c of MicroPython).

Rule: it looks at SCL after letting it go, to wait for a chip that stretches the clock, and at SDA
only to receive. There is no look at the bus before START, and SDA is never compared while sending:
of two that write at once, both see success, and the chips see the AND.

Its delay is 500000 / freq in whole microseconds, at least one: 1 us at 400 kHz (mp_hal_i2c_init;
esp_rom_delay_us on the ESP32). A bit sent takes two of them and four pin calls: 2.4 us, so 417 kHz.
At 300 kHz it would be the same, at 250 kHz 4.4 us.
"""

from .i2c import Master
from .lines import OPEN_DRAIN

PIN_NS = 100  # a call of gpio_set_level: some 25 cycles of 240 MHz; an estimate, not measured
TIMEOUT_US = 50000  # the default of `timeout`


class SoftEngine(Master):
    """START, bytes and STOP by the processor. A pause of the board may come anywhere in them."""

    def __init__(self, board, freq: int, delay_us: int):
        super().__init__(board, freq)
        self._step_ns = delay_us * 1000 + PIN_NS  # a pin and the delay after it

    def _start(self):
        cpu = self._cpu
        self._sda.drive(cpu.settle(), None)
        cpu.run(self._step_ns)
        now_ns = self._release_scl()
        if self._start_ns is None:
            self._start_ns = now_ns
        self._sda.drive(now_ns, 0)
        cpu.run(self._step_ns)

    def _stop(self):
        cpu = self._cpu
        delay_ns = self._step_ns - PIN_NS
        cpu.run(delay_ns)
        self._sda.drive(cpu.settle(), 0)
        cpu.run(self._step_ns)
        try:
            self._release_scl()
        finally:
            self._sda.drive(cpu.settle(), None)
            cpu.run(self._step_ns)
            cpu.settle()

    def _send(self, byte) -> int:
        cpu, scl, sda = self._cpu, self._scl, self._sda
        run, step_ns = cpu.run, self._step_ns
        run(step_ns - PIN_NS)
        scl.drive(cpu.settle(), 0)
        run(PIN_NS)
        mask = 0x80
        while mask:
            drives = None if byte & mask else 0
            if sda.drives != drives:
                sda.drive(cpu.settle(), drives)
            run(step_ns)
            self._release_scl(True)
            run(PIN_NS)
            scl.drive(cpu.settle(), 0)
            run(PIN_NS)
            mask >>= 1
        if sda.drives is not None:
            sda.drive(cpu.settle(), None)
        run(step_ns)
        self._release_scl()
        run(PIN_NS)
        bit = sda.line.read(cpu.settle())
        run(step_ns)
        scl.drive(cpu.settle(), 0)
        run(PIN_NS)
        return bit

    def _receive(self, last) -> int:
        cpu, scl, sda = self._cpu, self._scl, self._sda
        run, step_ns = cpu.run, self._step_ns
        run(step_ns - PIN_NS)
        scl.drive(cpu.settle(), 0)
        run(step_ns)
        byte = 0
        for _ in range(8):
            self._release_scl()
            run(PIN_NS)
            byte = byte << 1 | sda.line.read(cpu.settle())
            run(PIN_NS)
            scl.drive(cpu.settle(), 0)
            run(step_ns)
        if not last:
            sda.drive(cpu.settle(), 0)
        run(step_ns)
        self._release_scl(True)
        run(PIN_NS)
        scl.drive(cpu.settle(), 0)
        run(PIN_NS)
        sda.drive(cpu.settle(), None)
        run(PIN_NS)
        return byte

    def _release_scl(self, sda_too=False):
        """Let SCL go and wait until it is high; returns the time.

        OSError after the timeout, with SCL let go; `sda_too`: SDA as well.
        """
        cpu, scl = self._cpu, self._scl
        scl.drive(cpu.settle(), None)
        cpu.run(self._step_ns)
        now_ns = cpu.settle()
        if scl.line.level:
            return now_ns
        for _ in range(TIMEOUT_US):
            cpu.run(1000 + PIN_NS)
            now_ns = cpu.settle()
            if scl.line.level:
                return now_ns
        if sda_too:
            self._sda.drive(now_ns, None)
        raise OSError(self.driver.timeout, "timeout")


class SoftI2C(SoftEngine):
    """Its constructor sends a STOP.

    On the ESP32 a pin becomes an open drain with the value that it had before: low after a reset,
    high from an earlier object. In the second case SDA falls while SCL is high: a START, then the
    STOP (inferred from gpio_set_direction and the reset value of GPIO_OUT).
    """

    def __init__(self, board, freq: int):
        super().__init__(board, freq, 500000 // freq or 1)
        self._cpu.call()
        for end in (self._scl, self._sda):
            end.set(self._cpu.settle(), OPEN_DRAIN, -1, -1, -1)
            self._cpu.run(PIN_NS)
        try:  # noqa: SIM105 (MicroPython has no contextlib)
            self._stop()
        except OSError:
            pass  # as there: a stuck line shows in the first transfer
        for end in (self._scl, self._sda):
            end.value = 1  # what is written to the pins from now on leaves them so
