"""MQTT over TLS by umqtt.simple: whom to trust, how long to wait. Stands on settings.

The broker must show a certificate that the own CA has signed, for its name, valid now; and it lets
in who shows one that it knows. Every wait is bounded: umqtt.simple makes its socket wait for ever
when a message begins to arrive, so it is given one that does not. Needs umqtt.simple 1.5.0, which
MicroPython has since 1.25, for the timeout of `connect`.
"""

import ssl
from gc import collect

from umqtt.simple import MQTTClient

from .settings import thing

TIMEOUT_S = 15  # for each answer


def connect(config, begin):
    """A connected client. ``begin(step)`` is told what begins."""
    collect()  # mbedtls wants some 35 KB of the memory into which this heap grows
    client = MQTTClient(thing(config), config["mqtt_host"], config["mqtt_port"], ssl=Tls(begin))
    client.connect(timeout=TIMEOUT_S)
    return client


def listen(client, topic):
    """Subscribe: the list of what comes at this topic. What was retained there is in it already.

    It grows while other calls of the client wait for their answers.
    """
    heard = []
    client.set_callback(lambda _, message: heard.append(message))
    client.subscribe(topic.encode(), qos=1)
    client.ping()  # what is retained comes before the answer to this
    for _ in range(8):
        if client.wait_msg() is None:
            break
    return heard


class Tls:
    """What umqtt.simple takes for an SSLContext."""

    def __init__(self, begin):
        self._begin = begin
        self._context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED  # by default nothing is checked
        begin("ca.der")
        context.load_verify_locations("ca.der")
        begin("cert.der")
        context.load_cert_chain("cert.der", "key.der")
        begin("connect")

    def wrap_socket(self, sock, server_hostname):
        self._begin("tls")
        stream = Stream(sock, self._context.wrap_socket(sock, server_hostname=server_hostname))
        self._begin("mqtt")
        return stream


class Stream:
    """A TLS socket that waits for TIMEOUT_S at most, whatever it is told."""

    def __init__(self, sock, tls):
        self._sock = sock
        self.read = tls.read
        self.write = tls.write
        self.close = tls.close

    def setblocking(self, wait):
        self._sock.settimeout(TIMEOUT_S if wait else 0)
