"""Wi-Fi, and the time. Stands on schedule and faults."""

from time import sleep_ms, ticks_diff, ticks_ms

import network
import ntptime

from .faults import Fault
from .schedule import now, trusted

WIFI_TIMEOUT_S = 20
POLL_MS = 100
NTP_TRIES = 3


def join(wlan, ssid, key):
    """Connect to the access point. ``Fault`` if that takes too long."""
    wlan.active(True)
    wlan.connect(ssid, key)
    start = ticks_ms()
    while not wlan.isconnected():
        if ticks_diff(ticks_ms(), start) > WIFI_TIMEOUT_S * 1000:
            reasons = {
                network.STAT_NO_AP_FOUND: "no access point",
                network.STAT_WRONG_PASSWORD: "wrong key",
            }
            reason = reasons.get(wlan.status(), "no connection")
            raise Fault("%s after %d s" % (reason, WIFI_TIMEOUT_S))
        sleep_ms(POLL_MS)


def set_clock(kept, interval_s):
    """Set the clock, and correct the times that were taken by it.

    Without an answer the clock will do for a while. ``Fault`` if it was set too long ago, or never:
    no certificate could be judged, and a reading would get into the wrong slot.
    """
    for _ in range(NTP_TRIES):
        before = now()
        try:
            ntptime.settime()
        except (OSError, ValueError) as error:  # ValueError: an answer that is too short
            print("ntp:", error)
        else:
            kept.clock_set(before, now())
            return
    if not trusted(now(), kept.synced, interval_s):
        raise Fault("no answer from %s, and the clock is not set" % ntptime.host)
