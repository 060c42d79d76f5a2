"""Reading and writing the chips, each by its number. Stands on errors.

Every errno means the same: try again, a bounded number of times and sparsely, because a chip that is
writing (5 ms, clones 10 ms) does not answer and because the ESP32's driver attacks a bus on which too many
transfers fail in a row. A page write only starts the chip's write cycle, so that the cycles of several
chips overlap; reading back waits for the end of it. Nothing outside the layout's pages is ever written.
"""

from .errors import LayoutError

TRIES = 5
WRITE_US = 5000


class Eeproms:
    """The chips at ``addresses`` on one bus. ``i2c`` is set by the owner, who holds the lock."""

    def __init__(self, addresses, layout, timer, salt=0):
        self.addresses = addresses
        self.i2c = None
        self._layout = layout
        self._timer = timer
        self._salt = salt * 131
        self._since = [0] * len(addresses)  # ticks_us at which each chip's last write started

    def read(self, index, at, data):
        """Fill ``data`` from byte ``at`` on. ``OSError`` with the port's errno if the chip stays silent."""
        address = self.addresses[index]
        for attempt in range(TRIES):
            try:
                return self.i2c.readfrom_mem_into(address, at, data, addrsize=16)
            except OSError:
                if attempt == TRIES - 1:
                    raise
            self._pause(attempt)

    def write(self, index, at, data):
        """Write ``data`` page by page; the last page's write cycle is still running afterwards.

        ``OSError`` with the port's errno if the chip stays silent, ``LayoutError`` outside our pages.
        """
        layout = self._layout
        if at < layout.base or at + len(data) > layout.end or at % layout.page_size:
            raise LayoutError(
                "EEPROM 0x%02x: %d bytes at %d are outside the cluster's pages %d..%d; nothing was written"
                % (self.addresses[index], len(data), at, layout.base, layout.end - 1)
            )
        view = memoryview(data)
        for i in range(0, len(data), layout.page_size):
            self._write_page(index, at + i, view[i : i + layout.page_size])

    def _write_page(self, index, at, page):
        for attempt in range(TRIES):
            try:
                self.i2c.writeto_mem(self.addresses[index], at, page, addrsize=16)
                break
            except OSError:
                if attempt == TRIES - 1:
                    raise
            self._pause(attempt)
        self._since[index] = self._timer.ticks_us()

    def read_back(self, index, at, data):
        """Like ``read``, after a ``write``: at once (FRAM), else when a write cycle should be over."""
        try:
            return self.i2c.readfrom_mem_into(self.addresses[index], at, data, addrsize=16)
        except OSError:
            pass  # still writing: the expected case
        timer = self._timer
        left = WRITE_US - timer.ticks_diff(timer.ticks_us(), self._since[index])
        if 0 < left <= WRITE_US:
            timer.sleep_us(left)
        return self.read(index, at, data)

    def _pause(self, attempt):
        # 1, 2, 3, 4 ms and up to 1 ms of jitter, so that two boards do not meet again and again
        timer = self._timer
        timer.sleep_us((attempt + 1) * 1000 + (timer.ticks_us() + self._salt & 1023))
