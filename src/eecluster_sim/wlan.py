"""A board's Wi-Fi: one access point that is there or not."""

from collections.abc import Callable

from .board import Board

POLL_NS = 1_000_000  # asking for its state: a guess that makes loops end
CONNECT_NS = 1_600_000_000  # with DHCP: glenn20/upy-esp32-experiments
ESP_ERR_WIFI_NOT_STARTED = 0x3002

STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP, STAT_NO_AP_FOUND = 1000, 1001, 1010, 201


class Wlan:
    """The station interface. there_since_ns(): since when the access point is there, or None."""

    def __init__(self, board: Board, there_since_ns: Callable[[], int | None]):
        self._board = board
        self._there_since_ns = there_since_ns
        self.boot()

    def boot(self) -> None:
        self._active = False
        self._since_ns: int | None = None

    def do_wlan_active(self, on: int) -> int:
        self._active = bool(on)
        if not on:
            self._since_ns = None
        return on

    def do_wlan_is_active(self) -> int:
        return int(self._active)

    def do_wlan_connect(self, data: bytes = b"") -> int:
        if not self._active:
            raise OSError(ESP_ERR_WIFI_NOT_STARTED, "Wifi Not Started")
        self._since_ns = self._board.world.now_ns
        return 0

    def do_wlan_disconnect(self) -> int:
        self._since_ns = None
        return 0

    def do_wlan_status(self) -> int:
        self._board.pause(POLL_NS)
        return self.state()

    def do_wlan_address(self) -> int:
        return 10 + self._board.node if self.state() == STAT_GOT_IP else 0

    def state(self) -> int:
        """One of the STAT_* numbers of the ESP32."""
        if self._since_ns is None:
            return STAT_IDLE
        there_since_ns = self._there_since_ns()
        since_ns = max(self._since_ns, there_since_ns or 0)
        if self._board.world.now_ns < since_ns + CONNECT_NS:
            return STAT_CONNECTING
        return STAT_NO_AP_FOUND if there_since_ns is None else STAT_GOT_IP
