"""The modules of examples/avocado that need no board, for tests on CPython and on MicroPython."""

import sys

sys.path.insert(0, __file__[: -len("tests/avocado_board_kit.py")] + "examples/avocado")

from avocado import faults, kept, messages, schedule, settings  # noqa: E402, F401


class Memory:
    """`RTC().memory`."""

    def __init__(self, data=b""):
        self.data = data

    def __call__(self, data=None):
        if data is None:
            return self.data
        assert len(data) <= 2048
        self.data = bytes(data)


CONFIG = {
    "cluster": "rosie", "sensor": "avocado", "node_id": 1, "nodes": 2, "eeproms": [80, 81],
    "interval_s": 900, "retries": 1, "lock": "busy_line", "lock_pin": 18, "scl_pin": 22,
    "sda_pin": 21, "sensor_pin": 4, "wifi_ssid": "home", "wifi_key": "", "mqtt_host": "broker",
    "mqtt_port": 8883,
}  # fmt: skip
