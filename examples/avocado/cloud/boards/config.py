"""config.json, as people write it, checked: each complaint names the key, what is there, and what
must be there. The boards get it with `node_id`, `mqtt_host` and `mqtt_port` added.
"""

import difflib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import stop


def whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def text(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def addresses(value: Any) -> bool:
    good = isinstance(value, list) and all(map(whole(0x50, 0x57), value))
    return good and 1 <= len(value) == len(set(value))


PIN = (whole(0, 48), "the number of a GPIO, 0 to 48")
KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "cluster": (text("[a-zA-Z0-9_-]{1,40}"), "1 to 40 of a-z A-Z 0-9 _ -, as in `make deploy`"),
    "sensor": (text("[a-zA-Z0-9_-]{1,64}"), "1 to 64 of a-z A-Z 0-9 _ -: what is measured"),
    "nodes": (whole(1, 8), "how many boards there are, 1 to 8"),
    "eeproms": (addresses, "a list of 1 to 8 different I2C addresses of EEPROMs, 80 to 87"),
    "interval_s": (whole(1, 86400), "seconds from wake to wake, 1 to 86400, such as 900"),
    "retries": (whole(0, 60), "how many missed reports are forgiven, 0 to 60, such as 1"),
    "lock": (text("busy_line|arbitration|none"), '"busy_line", "arbitration" or "none"'),
    "lock_pin": PIN,
    "scl_pin": PIN,
    "sda_pin": PIN,
    "sensor_pin": PIN,
    "wifi_ssid": (text(".{1,32}"), "the name of your Wi-Fi, 1 to 32 characters"),
    "wifi_key": (text(".{8,63}|"), 'its password, 8 to 63 characters, or "" if it is open'),
}


def read_config(path: Path) -> dict[str, Any]:
    """config.json, checked. All that is wrong is said at once."""
    try:
        config = json.loads(path.read_text("utf-8"))
    except OSError as error:
        stop(f"{path}: {error.strerror}. Copy the one beside provision.py and edit it")
    except ValueError as error:
        stop(f"{path} is no JSON: {error}")
    found = complaints(config)
    if found:
        stop(f"{path} has to be mended:", *found)
    return config


def complaints(config: Any) -> list[str]:
    if not isinstance(config, dict):
        return [f'  expected an object, {{"cluster": ...}}, got {type(config).__name__}']
    found = []
    for key in config:
        if key not in KEYS:
            meant = difflib.get_close_matches(key, set(KEYS) - set(config), 1)
            hint = f"write {meant[0]}" if meant else "remove it"
            found.append(f"  {key}: there is no such key; {hint}")
    for key, (good, wanted) in KEYS.items():
        if key not in config:
            found.append(f"  {key}: is missing; it must be {wanted}")
        elif not good(config[key]):
            found.append(f"  {key}: is {json.dumps(config[key])}; it must be {wanted}")
    return found or double_pins(config)


def double_pins(config: dict[str, Any]) -> list[str]:
    pins = ["scl_pin", "sda_pin", "sensor_pin"] + ["lock_pin"] * (config["lock"] == "busy_line")
    return [
        f"  {key}: is {config[key]}, as {other} is; each needs a pin of its own"
        for i, key in enumerate(pins)
        for other in pins[:i]
        if config[key] == config[other]
    ]
