"""What went wrong, in words for a person. Loaded when something did. Stands on nothing.

MicroPython's own words are few: umqtt.simple says IndexError when the broker hangs up, and a socket
under TLS gives errno with the wrong sign, or a number of mbedtls.
"""

from errno import ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENOTCONN, ETIMEDOUT

BROKEN_OFF = "the other side broke the connection off"
NO_HOST = "host name not found"
NUMBERS = {
    ETIMEDOUT: "no answer in time",
    ECONNREFUSED: "connection refused: nobody listens at this port",
    EHOSTUNREACH: "host unreachable",
    ECONNRESET: BROKEN_OFF,
    ENOTCONN: BROKEN_OFF,
    32: BROKEN_OFF,  # EPIPE, which MicroPython does not name
    -0x7780: BROKEN_OFF,  # mbedtls: a fatal alert came
    -0x7280: BROKEN_OFF,  # mbedtls: end of the connection
    -2: NO_HOST,  # getaddrinfo
    -202: NO_HOST,  # getaddrinfo of an ESP32
}
MQTT = {
    1: "the broker wants another version of MQTT",
    2: "the broker does not accept this client id",
    3: "the broker is not available",
    4: "the broker does not accept name and password",
    5: "the broker does not permit this client to connect",
    128: "the broker does not permit to subscribe",
}


class Fault(Exception):
    """Its text says what went wrong, and needs no translation."""


def words(error, step):
    """One line about an exception in this step of the duty."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    if isinstance(error, Fault):
        return text
    if isinstance(error, IndexError):
        return BROKEN_OFF
    if name == "MQTTException":
        return MQTT.get(error.args[0], "the broker answers " + text)
    if isinstance(error, OSError) and error.args and isinstance(error.args[0], int):
        number = error.args[0]
        text = NUMBERS.get(number) or NUMBERS.get(abs(number)) or str(error.args[-1])
        if text == BROKEN_OFF and step == "tls":
            return text + ": it does not accept cert.der"
    elif step == "tls":
        return "broker: " + text  # of its certificate
    return text or name
