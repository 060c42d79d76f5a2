"""`machine.I2C` of the ESP32 (ESP-IDF): arbitrates like others, but attacks a busy bus.

Rule: a transfer that finds the bus busy does not wait. It resets the peripheral and clears the
bus: SCL clocks while SDA is low, nine at most, then a STOP, by the processor at 100 kHz; then it
goes on. So it does after a timeout and after lost arbitration. The legacy driver does it also at
each tenth NACK; successes between them do not reset its count.

Read in ESP-IDF: i2c_master_cmd_begin, i2c_hw_fsm_reset and i2c_master_clear_bus of
components/driver/i2c/i2c.c; s_i2c_transaction_start, s_i2c_hw_fsm_reset and s_i2c_master_clear_bus
of components/esp_driver_i2c/i2c_master.c. Lost arbitration and timeout are one status there. The
processor does the clearing on chips without SOC_I2C_SUPPORT_HW_CLR_BUS, as the first ESP32.
Inferred: the peripheral takes the bus for busy from START to STOP; a NACK ends with a STOP; after
clearing it starts without waiting. Simplified: the new driver may clear only at the next transfer,
here it always clears at once; 50 ms is the timeout of both.
"""

from .hardware import ArbitratingI2C
from .soft import PIN_NS

HALF_PERIOD_NS = 5000  # I2C_CLR_BUS_HALF_PERIOD_US
CLOCKS = 9
RESET_NS = 10000  # until the peripheral is set up again; an estimate
NACKS = 10  # I2C_ACKERR_CNT_MAX


class ClearingI2C(ArbitratingI2C):
    """The master of an ESP32. `cleared`: how often it has cleared the bus."""

    low_percent = 50  # i2c_ll_master_cal_bus_clk

    def __init__(self, board, freq: int):
        self.cleared = 0
        super().__init__(board, freq)

    def _read_after(self, addr, mem, into, stop):
        if mem:
            ArbitratingI2C._write(self, addr, mem, False)
        self._read(addr, into, stop)
        return True

    def _write(self, addr, buf, stop) -> int:
        if len(buf):
            return super()._write(addr, buf, stop)
        self._address(addr << 1)
        self._stop()
        return 0

    def _short(self):
        self._refused()

    def _wait_for_free(self):
        now_ns = self._cpu.settle()
        if self._is_busy(now_ns):
            return self._clear()
        return now_ns

    def _clear(self):
        """Clear the bus and reset the peripheral; returns the time."""
        self.cleared += 1
        self._let_go()
        cpu, scl, sda = self._cpu, self._scl, self._sda
        scl.drive(cpu.settle(), 0)
        cpu.run(HALF_PERIOD_NS + 2 * PIN_NS)
        for _ in range(CLOCKS):
            if sda.line.read(cpu.settle()):
                break
            scl.drive(cpu.settle(), None)
            cpu.run(HALF_PERIOD_NS + PIN_NS)
            scl.drive(cpu.settle(), 0)
            cpu.run(HALF_PERIOD_NS + PIN_NS)
        sda.drive(cpu.settle(), 0)
        cpu.run(PIN_NS)
        scl.drive(cpu.settle(), None)
        cpu.run(HALF_PERIOD_NS + PIN_NS)
        sda.drive(cpu.settle(), None)
        cpu.run(RESET_NS)
        now_ns = cpu.settle()
        self._busy = False
        return now_ns

    def _lost_errno(self):
        return self.driver.timeout

    def _fail(self, errno, text):
        self._clear()
        raise OSError(errno, text)


class LegacyClearingI2C(ClearingI2C):
    """With the legacy driver, whose count of NACKs is a static variable: new objects go on."""

    def __init__(self, board, freq: int):
        self._nacks = 0
        self._wakes = board.wakes
        super().__init__(board, freq)

    def _replace(self, other):
        super()._replace(other)
        if other.life == self.life and other._wakes == self._wakes:
            self._nacks = other._nacks

    def _call(self, addr, memaddr, memlen, out, into, stop):
        try:
            return super()._call(addr, memaddr, memlen, out, into, stop)
        except OSError:
            if self._acked is False:
                self._nacks += 1
                if self._nacks == NACKS:
                    self._clear()
            raise

    def _clear(self):
        self._nacks = 0
        return super()._clear()
