"""config.json, and what follows from it. Stands on eecluster."""

import json
from os import stat

from eecluster import Cluster, recover_bus

FILE = "config.json"
CERTIFICATES = ("ca.der", "cert.der", "key.der")
KINDS = {
    "cluster": str, "sensor": str, "node_id": int, "nodes": int, "eeproms": list,
    "interval_s": int, "retries": int, "lock": str, "scl_pin": int, "sda_pin": int,
    "sensor_pin": int, "wifi_ssid": str, "wifi_key": str, "mqtt_host": str, "mqtt_port": int,
}  # fmt: skip
MAY_BE_EMPTY = "wifi_key"
REMEDY = "%s: %s. Copy the folder that provision.py has made for this board"


def load(path=FILE):
    """The dict of config.json. ``ValueError`` says what is wrong with it, or which file lacks."""
    try:
        with open(path) as file:
            config = json.load(file)
    except OSError:
        raise ValueError(REMEDY % (path, "no such file"))
    except ValueError:
        raise ValueError(REMEDY % (path, "not JSON"))
    check(config, KINDS, path)
    for name in CERTIFICATES:
        try:
            stat(name)
        except OSError:
            raise ValueError(REMEDY % (name, "no such file"))
    return config


def check(config, kinds, path=FILE):
    """``ValueError`` names what lacks or is of another kind. Ranges are the cluster's to check."""
    for name in sorted(kinds):
        value = config.get(name) if isinstance(config, dict) else None
        if not isinstance(value, kinds[name]) or value == "" and name != MAY_BE_EMPTY:
            raise ValueError(REMEDY % (path, "%s is %r" % (name, value)))


def thing(config):
    """The board's name: its MQTT client id, and that in its certificate."""
    return "%s-%d" % (config["cluster"], config["node_id"])


def cluster(config):
    """The cluster of this board. Touches no bus. ``ValueError`` if config.json cannot be right."""
    from machine import Pin, SoftI2C, unique_id

    scl, sda = Pin(config["scl_pin"]), Pin(config["sda_pin"])
    return Cluster(
        lambda: SoftI2C(scl=scl, sda=sda, freq=400_000),
        eeproms=config["eeproms"],
        node_id=config["node_id"],
        lock=lock(config, scl, sda),
        recover=lambda: recover_bus(scl, sda),
        nodes=config["nodes"],
        retries=config["retries"],
        interval=config["interval_s"],
        uid=unique_id(),
    )


def lock(config, scl, sda):
    """The lock of that name, or None."""
    name = config["lock"]
    if name == "busy_line":
        from machine import Pin

        from eecluster import BusyLine

        check(config, {"lock_pin": int})
        return BusyLine(Pin(config["lock_pin"]))
    if name == "arbitration":
        from eecluster import BusArbitration

        return BusArbitration(scl, sda)
    if name == "none":
        return None
    raise ValueError(REMEDY % (FILE, "lock is %r, not busy_line, arbitration or none" % name))
