"""The memory chips that can be simulated, by part number.

Page size, write time and endurance (in writes of one page) as in the data sheets; of several write
times the longest. FRAM has no write time, no page buffer and practically no wear; its `page` is
only the unit in which writes are counted.
"""

_FIRST = 0x50  # every 24xx part answers at 0b1010 A2 A1 A0


class Part:
    """What a part number stands for.

    name       part number
    size       bytes
    page       bytes in a page
    write_ms   how long the chip does not answer after a write; 0 for FRAM
    endurance  writes of a page
    pins       how many address pins: 2 allow 0x50-0x53, 3 allow 0x50-0x57
    """

    def __init__(self, name: str, size: int, page: int, write_ms: int, endurance: int, pins: int):
        self.name = name
        self.size = size
        self.page = page
        self.write_ms = write_ms
        self.endurance = endurance
        self.pins = pins

    @property
    def fram(self) -> bool:
        """No write time: bytes are stored as they arrive."""
        return self.write_ms == 0

    @property
    def pages(self) -> int:
        return self.size // self.page

    def check_address(self, address: int):
        """Raises ValueError unless the address pins can select this I2C address."""
        last = _FIRST + (1 << self.pins) - 1
        if not _FIRST <= address <= last:
            raise ValueError(
                "{} can be wired to {:#x}..{:#x}, not to {:#x}".format(
                    self.name, _FIRST, last, address
                )
            )


_KIB = 1024
_M = 1000000
_FRAM = 10000000 * _M

PARTS = {
    part.name: part
    for part in (
        #    name          size      page ms endurance pins
        Part("AT24C32", 4 * _KIB, 32, 10, _M, 3),
        Part("AT24C64", 8 * _KIB, 32, 10, _M, 3),
        Part("AT24C128", 16 * _KIB, 64, 5, _M, 3),
        Part("AT24C256", 32 * _KIB, 64, 5, 100000, 2),  # the 1998 part: four per bus, 100 k
        Part("AT24C256B", 32 * _KIB, 64, 5, _M, 3),
        Part("AT24C256C", 32 * _KIB, 64, 5, _M, 3),
        Part("24LC256", 32 * _KIB, 64, 5, _M, 3),
        Part("FM24C256", 32 * _KIB, 64, 6, 100000, 3),
        Part("AT24C512", 64 * _KIB, 128, 5, _M, 3),
        Part("FM24CL64B", 8 * _KIB, 64, 0, _FRAM, 3),
        Part("FM24W256", 32 * _KIB, 64, 0, _FRAM, 3),
        Part("MB85RC256V", 32 * _KIB, 64, 0, _FRAM, 3),
    )
}


def find_part(name: str) -> Part:
    """The part of that name; ValueError names the known ones."""
    if name not in PARTS:
        raise ValueError("unknown part {!r}, known: {}".format(name, ", ".join(sorted(PARTS))))
    return PARTS[name]
