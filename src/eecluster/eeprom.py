"""Reading and writing the chips, each by its number. Stands on errors.

Every errno means the same: try again, a bounded number of times and sparsely, because a chip that
is writing (5 ms, clones 10 ms) does not answer and because the ESP32's driver attacks a bus on
which too many transfers fail in a row. A write only starts the chip's write cycle, so that the
cycles of several chips overlap; whoever comes next waits for its end. Nothing outside the
layout's pages is ever written.

Without a lock other boards may be writing at the same time, one after the other, and each write
cycle keeps the chip silent. A cycle of 10 ms meets at most two tries that are four steps apart; so
after twice as many tries as the others can write in a wake, a chip that was silent in each is.
"""

from .errors import LayoutError

TRIES = 5
STEPS = 4  # pauses grow up to so many times pause_us: 6.8 ms
WRITE_US = 5000


class Eeproms:
    """The chips at ``addresses`` on one bus, used by ``node``. ``i2c`` may be set later, under
    the lock.
    """

    def __init__(self, i2c, addresses, layout, timer, node):
        self.i2c = i2c
        self.addresses = list(addresses)  # of number 0, 1, ...; repair exchanges them
        self.layout = layout
        self.timer = timer
        self.node = node
        self.tries = TRIES
        # tries more where others may be writing, and for how long
        self.extra = self.patience_us = 0
        self.pause_us = 1700 + node * 128  # not the same for two boards, lest they meet for ever
        self.since = [0] * len(addresses)  # ticks_us at which each chip's last write started

    def expect(self, writers):
        """May other boards write at the same time, for want of a lock?"""
        layout = self.layout
        pages = -(-layout.size // len(layout.blank))  # of a slot
        # one beat of each board, and what the primary writes more: a claim, twice, and events
        self.extra = 2 * pages * (layout.nodes + 2) if writers else 0
        # a try that is not acknowledged is short: on a bus that is held each takes 50 ms
        self.patience_us = 2 * self.extra * STEPS * self.pause_us

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
        tries = self.tries + (self.extra if self.tries == TRIES else 0)
        begun_us = timer.ticks_us()
        for done in range(1, tries + 1):
            try:
                return call(self.addresses[k], at, data, addrsize=16)
            except OSError:
                late = timer.ticks_diff(timer.ticks_us(), begun_us) > self.patience_us
                if done == tries or done >= self.tries and late:
                    raise
            pause_us = WRITE_US - timer.ticks_diff(timer.ticks_us(), self.since[k])
            if not 0 < pause_us <= WRITE_US:  # no recent write of ours
                pause_us = min(done - 1, STEPS) * self.pause_us
            timer.sleep_us(pause_us)
