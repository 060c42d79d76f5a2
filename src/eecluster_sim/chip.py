"""One EEPROM or FRAM chip with 16-bit addresses, as seen from the bus.

Rule: the chip knows nothing of boards. It is told what arrives and when, and keeps contents, wear
and the write in progress. A write is stored at its STOP, together with what the page held before,
so that a supply that fails within the write time can still tear it; until then the chip does not
answer, so nobody can see the difference.

A write with too few or too many address bytes does what the chip makes of the bytes: the first two
are the address, the rest is data. One lone address byte replaces the upper half of the pointer
(data sheets leave this open).
"""

from .parts import find_part
from .rand import Random

TEARS = ("old", "new", "mixed", "erased")


class Eeprom:
    """A chip, blank (all 0xFF) when made.

    data           contents
    pointer        the internal address counter (for reads without an address)
    wear           number of writes of each page; page_writes is their sum
    write_ns       write time; may be changed (clones take 10 ms)
    busy_until_ns  the chip does not answer before that
    powered        its supply is there          plugged  it is on the bus
    write_protect  the WP pin: writes are acknowledged and not stored
    fault          None, or "garbage": acknowledges, reads are random bytes, writes are swallowed
    tear           what a page write leaves when the supply fails: "old", "new", "mixed" (each
                   byte old or new), "erased" (all 0xFF), or None: one of them, seeded
    owner          the board whose supply the chip shares, or None
    """

    fault: str | None
    tear: str | None

    def __init__(self, part: str, address: int, random=None, owner=None):
        self.part = find_part(part)
        self.part.check_address(address)
        self.bus = None
        self._address = address
        self.random = random or Random(address)
        self.owner = owner
        self.data = bytearray(b"\xff" * self.part.size)
        self.pointer = 0
        self.wear = [0] * self.part.pages
        self.page_writes = 0
        self.write_ns = self.part.write_ms * 1000000
        self.busy_until_ns = 0
        self.powered = True
        self.plugged = True
        self.write_protect = False
        self.fault = None
        self.tear = None
        self._mask = self.part.size - 1  # all sizes are powers of two: higher bits are ignored
        self._torn_base = 0
        self._torn_page = bytearray()

    def __str__(self):
        return "{:#x}".format(self._address)

    @property
    def address(self) -> int:
        """I2C address; setting it re-wires the address pins (ValueError if they cannot)."""
        return self._address

    @address.setter
    def address(self, value):
        self.part.check_address(value)
        if self.bus is not None:
            self.bus.rewire(self, value)
        self._address = value

    @property
    def worn(self) -> bool:
        """Some page was written more often than the data sheet promises."""
        return max(self.wear) > self.part.endurance

    # What the bus does

    def store(self, memaddr: int, buf, stop_ns):
        """Data bytes for `memaddr`, ended by a STOP at stop_ns (FRAM needs no STOP)."""
        memaddr &= self._mask
        self.pointer = memaddr
        n = len(buf)
        if n == 0 or self.write_protect or self.fault is not None:
            return
        if self.part.write_ms == 0:
            self._store_fram(memaddr, buf, n)
            return
        page = self.part.page
        offset = memaddr % page
        base = memaddr - offset
        data = self.data
        self._torn_base = base
        self._torn_page = data[base : base + page]
        if offset + n <= page:
            data[memaddr : memaddr + n] = buf
        else:
            self._roll_over(base, offset, buf, n)
        self.pointer = base + (offset + n) % page
        self.wear[base // page] += 1
        self.page_writes += 1
        self.busy_until_ns = stop_ns + self.write_ns

    def receive(self, raw, stop_ns):
        """Bytes as they are after the address byte; stop_ns None if no STOP followed."""
        n = len(raw)
        if n == 1:
            self.pointer = ((raw[0] << 8) | (self.pointer & 0xFF)) & self._mask
        elif n >= 2:
            memaddr = raw[0] << 8 | raw[1]
            if stop_ns is None and self.part.write_ms:
                raw = raw[:2]  # without STOP an EEPROM forgets the data
            self.store(memaddr, raw[2:], stop_ns)

    def fetch(self, memaddr, buf):
        """Fill buf from memaddr (None: from the pointer), wrapping at the end of the chip."""
        if memaddr is None:
            memaddr = self.pointer
        size = self.part.size
        memaddr &= self._mask
        n = len(buf)
        end = memaddr + n
        self.pointer = end & self._mask
        if self.fault is not None:
            buf[:] = self.random.bytes(n)
        elif end <= size:
            buf[:] = self.data[memaddr:end]
        else:
            done = size - memaddr
            wrapped = self.data[memaddr:]
            while done < n:
                wrapped += self.data[: n - done]
                done = len(wrapped)
            buf[:] = wrapped

    def _roll_over(self, base: int, offset: int, buf, n: int):
        page = self.part.page
        if n > page:  # the buffer was filled more than once: the last bytes win
            buf = buf[n - page :]
            offset = (offset + n) % page
            n = page
        first = page - offset
        data = self.data
        data[base + offset : base + page] = buf[:first]
        data[base : base + n - first] = buf[first:]

    def _store_fram(self, memaddr: int, buf, n: int):
        size = self.part.size
        page = self.part.page
        if n > size:
            buf = buf[n - size :]
            memaddr = (memaddr + n) & self._mask
            n = size
        first = min(n, size - memaddr)
        self.data[memaddr : memaddr + first] = buf[:first]
        if first < n:
            self.data[: n - first] = buf[first:]
        self.pointer = (memaddr + n) & self._mask
        start = memaddr - memaddr % page
        for at in range(start, memaddr + n, page):
            self.wear[(at & self._mask) // page] += 1
            self.page_writes += 1

    # What happens to the chip

    def lose_power(self, now_ns: int):
        """The supply fails; a write in progress leaves its page as `tear` says."""
        self.powered = False
        if now_ns < self.busy_until_ns:
            self._tear_page()
        self.busy_until_ns = 0
        if self.bus is not None:
            self.bus.chip_changed(self, now_ns)

    def restore_power(self):
        """The supply is back."""
        self.powered = True

    def _tear_page(self):
        tear = self.tear or self.random.choice(TEARS)
        base = self._torn_base
        old = self._torn_page
        page = self.part.page
        if tear == "old":
            self.data[base : base + page] = old
        elif tear == "erased":
            self.data[base : base + page] = b"\xff" * page
        elif tear == "mixed":
            noise = self.random.bytes(page)
            for i in range(page):
                if noise[i] & 1:
                    self.data[base + i] = old[i]
        elif tear != "new":
            raise ValueError("tear is one of {} or None, not {!r}".format(TEARS, tear))

    def flip(self, memaddr: int, bit: int):
        """Bit rot: turn one bit over."""
        self.data[memaddr] ^= 1 << bit

    def fill(self, value: int = 0xFF):
        """Set every byte, without wear."""
        self.data[:] = bytes((value,)) * self.part.size

    def load(self, content):
        """Set the contents from the first byte on, without wear; ValueError if too long."""
        n = len(content)
        if n > self.part.size:
            raise ValueError("{} bytes do not fit {}".format(n, self.part.name))
        self.data[:n] = content
