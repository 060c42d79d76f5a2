"""MicroPython's `network` on a simulated board: one access point, which can be switched off.

`connect` takes the virtual time that an ESP32 needs with DHCP. Nothing else is simulated: a socket
that a program opens is a real one of this machine.
"""

from _simlink import ask

STA_IF, AP_IF = 0, 1

STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202

_name = "mpy-esp32"


def hostname(name=None):
    global _name
    if name is not None:
        _name = name
    return _name


def country(code=None):
    return code or "XX"


class WLAN:
    IF_STA, IF_AP = STA_IF, AP_IF
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2

    def __init__(self, interface=STA_IF):
        if interface != STA_IF:
            raise ValueError("only the station interface is simulated")

    def active(self, on=None):
        if on is not None:
            ask("wlan_active", bool(on))
        return bool(ask("wlan_is_active"))

    def connect(self, ssid=None, key=None, **_):
        """Start connecting, and return at once. OSError when the interface is not active."""
        ask("wlan_connect", data=(ssid or "").encode())

    def disconnect(self):
        ask("wlan_disconnect")

    def isconnected(self):
        """Asking takes 1 ms of virtual time, so that a loop around it ends."""
        return self.status() == STAT_GOT_IP

    def status(self, what=None):
        """STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP or STAT_NO_AP_FOUND; `status("rssi")` in dBm."""
        status = ask("wlan_status")
        return -60 if what == "rssi" else status

    def ifconfig(self, config=None):
        """(address, netmask, gateway, DNS server), all "0.0.0.0" while not connected."""
        return _addresses() if config is None else None

    def ipconfig(self, name=None, **_):
        if name is not None:
            config = _addresses()
            return {"addr4": config[:2], "gw4": config[2], "dns": config[3]}[name]

    def config(self, name=None, **_):
        if name == "mac":
            from machine import unique_id

            return unique_id()


def _addresses():
    last = ask("wlan_address")
    if not last:
        return ("0.0.0.0",) * 4
    return "192.168.4.{}".format(last), "255.255.255.0", "192.168.4.1", "192.168.4.1"
