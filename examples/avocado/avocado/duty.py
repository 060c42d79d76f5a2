"""What the primary does: measure, go online, tell what is not told yet. Loaded by a primary only.

Each step is noted before it begins, so that the next wake knows where this one hung. A reading is
kept from the moment it is taken, and a failure from the moment it happens, until the broker has
them. Stands on everything else.
"""

import sys

from machine import Pin
from network import STA_IF, WLAN

from . import broker, messages, thermometer, uplink
from .faults import words
from .schedule import now
from .settings import thing


def do(config, cluster, status, kept):
    """True if there was a reading; all is published then. Raises what went wrong on the way."""
    measured = measure(config, kept)
    wlan = WLAN(STA_IF)
    try:
        kept.begin("wifi")
        uplink.join(wlan, config["wifi_ssid"], config["wifi_key"])
        kept.begin("ntp")
        uplink.set_clock(kept, config["interval_s"])
        client = broker.connect(config, kept.begin)
        publish(config, cluster, status, kept, client)
        client.disconnect()
    finally:
        wlan.active(False)
    kept.end()
    return measured


def measure(config, kept):
    """Keep a reading. Without one we go online all the same, to say so."""
    kept.begin("sensor")
    try:
        reading = thermometer.read(Pin(config["sensor_pin"]))
    except Exception as error:
        sys.print_exception(error)
        kept.fail(now(), words(error, kept.step))
        return False
    kept.add_reading(now(), *reading)
    return True


def publish(config, cluster, status, kept, client):
    """Tell everything that is kept, if this board is still the primary.

    If it is not, all of that stays kept until it is again; the consumer decides by the slot what is
    still missing.
    """
    heard = broker.listen(client, "%s/refused/%s" % (config["cluster"], thing(config)))
    messages.check_refusals(heard, status.token)
    kept.begin("confirm")
    if not cluster.confirm():
        print("replaced meanwhile: nothing is published")
        return
    kept.begin("publish")
    tell_readings(config, status.token, kept, client)
    tell_failures(config, status.token, kept, client)
    if status.events:
        tell_events(config, status, kept, client)
        kept.begin("announce")
        cluster.announced(status.events)
    messages.check_refusals(heard, status.token)


def tell_readings(config, token, kept, client):
    while kept.readings:
        message = messages.reading(config, token, kept.readings[0])
        send(client, config["cluster"] + "/reading", message)
        kept.sent_reading()


def tell_failures(config, token, kept, client):
    kept.own_up(now())
    while kept.failures:
        number = kept.take_number()
        count, message = messages.failures(config, token, number, now(), kept.failures)
        send(client, config["cluster"] + "/event", message)
        kept.sent_failures(count)


def tell_events(config, status, kept, client):
    for event in status.events:
        message = messages.event(config, status.token, kept.take_number(), now(), event)
        send(client, config["cluster"] + "/event", message)


def send(client, topic, message):
    client.publish(topic.encode(), message, qos=1)
    print(topic, message.decode())  # the broker has it
