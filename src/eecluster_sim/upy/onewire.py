"""MicroPython's `onewire`, as far as users of `ds18x20` call it. Any pin has all the sensors."""

from _simlink import ask, fetch


class OneWireError(Exception):
    pass


class OneWire:
    def __init__(self, pin):
        self.pin = pin

    def reset(self, required=False):
        """True when any sensor answers; OneWireError when none does and `required`."""
        found = bool(ask("ow_reset"))
        if required and not found:
            raise OneWireError
        return found

    def scan(self):
        """The 8-byte identities of all sensors."""
        found = fetch("ow_scan")
        return [bytearray(found[i : i + 8]) for i in range(0, len(found), 8)]
