"""Reading and writing the chips, each by its number. Stands on errors.

Every errno means the same: try again, a bounded number of times and sparsely, because a chip that
is writing (5 ms, clones 10 ms) does not answer and because the ESP32's driver attacks a bus on
which too many transfers fail in a row. A write only starts the chip's write cycle, so that the
cycles of several chips overlap; whoever comes next waits for its end. Nothing outside the
layout's pages is ever written.
"""

from .errors import LayoutError

TRIES = 5
WRITE_US = 5000


class Eeproms:
    """The chips at ``addresses`` on one bus, used by ``node``. ``i2c`` may be set later, under
    the lock.
    """

    def __init__(self, i2c, addresses, layout, timer, node):
        self.i2c = i2c
        self.addresses = addresses
        self.layout = layout
        self.timer = timer
        self.node = node
        self.tries = TRIES
        self.pause_us = 1700 + node * 128  # not the same for two boards, lest they meet for ever
        self.since = [0] * len(addresses)  # ticks_us at which each chip's last write started

    def read(self, k, at, data):
        """Fill ``data`` from byte ``at`` of EEPROM k on.

        ``OSError`` with the port's errno if the chip stays silent.
        """
        self.retry(self.i2c.readfrom_mem_into, k, at, data)

    def write(self, k, at, data):
        """Write ``data``, which lies in one page; the write cycle is still running afterwards.

        ``OSError`` with the port's errno if the chip stays silent, ``LayoutError`` outside our
        pages.
        """
        if not self.layout.base <= at <= self.layout.end - len(data):
            raise LayoutError("EEPROM 0x%02x: byte %d is not ours" % (self.addresses[k], at))
        self.retry(self.i2c.writeto_mem, k, at, data)
        self.since[k] = self.timer.ticks_us()

    def retry(self, call, k, at, data):
        """Do one transfer, again and again while the chip does not answer."""
        timer = self.timer
        for done in range(self.tries):
            try:
                return call(self.addresses[k], at, data, addrsize=16)
            except OSError:
                if done == self.tries - 1:
                    raise
            pause_us = WRITE_US - timer.ticks_diff(timer.ticks_us(), self.since[k])
            if not 0 < pause_us <= WRITE_US:  # no recent write of ours
                pause_us = done * self.pause_us
            timer.sleep_us(pause_us)
