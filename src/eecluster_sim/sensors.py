"""DS18B20 temperature sensors on a board's one-wire pin. Data sheet: Maxim DS18B20."""

from collections.abc import Callable

from .board import Board

RESET_NS = 960_000
BYTE_NS = 560_000  # 70 us a bit
CONVERSION_NS = 750_000_000  # at 12 bits
POWER_ON_SIXTEENTHS = 85 * 16
ABSENT_SIXTEENTHS = -(1 << 15)
GARBLED_SIXTEENTHS = ABSENT_SIXTEENTHS + 1


class Sensor:
    """A DS18B20.

    celsius    a number, or a function of the virtual seconds
    garbled    so many reads from now on have a wrong CRC
    """

    def __init__(self, celsius: float | Callable[[float], float]):
        self.celsius = celsius
        self.garbled = 0
        self.power_on()

    def power_on(self) -> None:
        self._value = self._next = POWER_ON_SIXTEENTHS
        self._ready_ns = 0

    def convert(self, now_ns: int) -> None:
        self._value = self.read(now_ns)
        celsius = self.celsius(now_ns / 1e9) if callable(self.celsius) else self.celsius
        self._next = round(celsius * 16)
        self._ready_ns = now_ns + CONVERSION_NS

    def read(self, now_ns: int) -> int:
        """Sixteenths of a degree: the last conversion that is complete."""
        return self._next if now_ns >= self._ready_ns else self._value

    def send(self, now_ns: int) -> int:
        """What arrives at the board: `read`, or GARBLED_SIXTEENTHS."""
        if self.garbled:
            self.garbled -= 1
            return GARBLED_SIXTEENTHS
        return self.read(now_ns)


class OneWire:
    """The sensors of a board: identity (8 bytes) -> Sensor; and the requests of `upy/`."""

    def __init__(self, board: Board, sensors: dict[bytes, Sensor]):
        self._board = board
        self.sensors = sensors

    def power_on(self) -> None:
        for sensor in self.sensors.values():
            sensor.power_on()

    def do_ow_reset(self) -> int:
        self._board.pause(RESET_NS)
        return int(bool(self.sensors))

    def do_ow_scan(self) -> bytes:
        self._board.pause(24 * BYTE_NS)  # 8 bytes of 3 slots a bit
        return b"".join(self.sensors)

    def do_ow_convert(self) -> int:
        self._board.pause(2 * BYTE_NS)
        for sensor in self.sensors.values():
            sensor.convert(self._board.world.now_ns)
        return 0

    def do_ow_read(self, data: bytes) -> int:
        self._board.pause(19 * BYTE_NS)
        sensor = self.sensors.get(data)
        return sensor.send(self._board.world.now_ns) if sensor else ABSENT_SIXTEENTHS
