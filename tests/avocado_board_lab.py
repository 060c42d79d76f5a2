"""A Lab with avocado boards, the broker they publish to, and the certificates of both.

The broker is a real mosquitto with mutual TLS; a second, plain listener is for `Broker.messages`.
Certificates are judged against this machine's clock, whatever the virtual time is: see
docs/simulator.md. So `Authority` issues them for 2000 to 2038.
"""

import contextlib
import getpass
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from avocado_cloud_kit import require

require("cryptography", "paho.mqtt", "trustme")

import paho.mqtt.client as mqtt  # noqa: E402
import trustme  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.serialization import (  # noqa: E402
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from paho.mqtt.enums import CallbackAPIVersion  # noqa: E402

from eecluster_sim import Lab  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "examples" / "avocado"
UMQTT = ROOT / "tests" / "third_party" / "umqtt" / "simple.py"
UNIX_2000_S = 946_684_800
INTERVAL_S = 900
EXPIRED = (datetime(2000, 1, 1, tzinfo=timezone.utc), datetime(2001, 1, 1, tzinfo=timezone.utc))
WAIT_S = 30  # the machine may be busy
STARTS = 3
MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
ACL = """
pattern write rosie/reading
pattern write rosie/event
pattern read rosie/refused/%u
"""
CONFIG = """
user {user}
per_listener_settings true
listener {port} 127.0.0.1
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true
use_identity_as_username true
acl_file {folder}/acl
listener {plain} 127.0.0.1
allow_anonymous true
"""


def need_mosquitto():
    """Skip a test without a broker; where it must run, fail."""
    if MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is not installed")
        pytest.skip("mosquitto is not installed")


class Authority:
    """A certificate authority, and what it issues, as files in a folder."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(folder / "ca.pem")
        (folder / "ca.der").write_bytes(_der(self._ca.cert_pem))

    def server(self, name="localhost", valid=(None, None), signer=None):
        """Write server.pem and server.key: a broker's certificate. `signer`: another authority."""
        ca = (signer or self)._ca
        leaf = ca.issue_cert(name, not_before=valid[0], not_after=valid[1])
        leaf.cert_chain_pems[0].write_to_path(self.folder / "server.pem")
        leaf.private_key_pem.write_to_path(self.folder / "server.key")

    def board(self, thing, valid=(None, None)):
        """The three files of a board, as `Lab.add_board` takes them."""
        leaf = self._ca.issue_cert(
            f"{thing}.example", common_name=thing, not_before=valid[0], not_after=valid[1]
        )
        key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        cert_path, key_path = self.folder / f"{thing}.cert.der", self.folder / f"{thing}.key.der"
        cert_path.write_bytes(_der(leaf.cert_chain_pems[0]))
        key_path.write_bytes(
            key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        )
        return {"ca.der": self.folder / "ca.der", "cert.der": cert_path, "key.der": key_path}


def _der(pem):
    return x509.load_pem_x509_certificate(pem.bytes()).public_bytes(Encoding.DER)


class Broker:
    """mosquitto, with what the folder of an `Authority` holds. A context manager."""

    def __init__(self, authority):
        self.folder = authority.folder
        self._heard = []
        self._reader = mqtt.Client(CallbackAPIVersion.VERSION2, "reader")
        self._reader.on_message = lambda _client, _data, message: self._heard.append(
            (message.topic, message.payload)
        )
        for _ in range(STARTS):  # somebody else may take a port that was free
            if self._start():
                return
        raise AssertionError((self.folder / "log").read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._reader.disconnect()
        self._reader.loop_stop()
        self._process.terminate()
        self._process.wait()

    def messages(self, topic=None):
        """What has arrived since the last call: (topic, message), or the messages of one topic."""
        self._reader.publish("marker", qos=1)
        self._wait(lambda: ("marker", b"") in self._heard)
        heard, self._heard[:] = list(self._heard), []
        found = [(t, json.loads(payload)) for t, payload in heard if t != "marker" and payload]
        return found if topic is None else [message for t, message in found if t == topic]

    def retain(self, topic, message):
        """Publish a retained message; None removes it."""
        text = "" if message is None else json.dumps(message)
        self._reader.publish(topic, text, qos=1, retain=True).wait_for_publish(WAIT_S)

    def _start(self):
        """Is it running, with the reader connected?"""
        self.port, plain = free_port(), free_port()
        settings = {"user": getpass.getuser(), "folder": self.folder, "plain": plain}
        (self.folder / "acl").write_text(ACL)
        (self.folder / "conf").write_text(CONFIG.format(port=self.port, **settings))
        assert MOSQUITTO
        with open(self.folder / "log", "w") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", self.folder / "conf"], stderr=log)
        self._wait(lambda: self._connected(plain) or self._process.poll() is not None)
        if self._process.poll() is not None:
            return False
        subscribed = []
        self._reader.on_subscribe = lambda *_: subscribed.append(True)
        self._reader.loop_start()
        self._reader.subscribe("#", qos=1)
        self._wait(lambda: subscribed)
        return True

    def _connected(self, port):
        with contextlib.suppress(ConnectionError):
            self._reader.connect("127.0.0.1", port)
            return True

    def _wait(self, condition):
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.005)


class Silence:
    """A server that accepts connections and says nothing."""

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._socket.close()


class Stub:
    """A TLS server in place of a broker: `talk(link, over)` speaks to one client.

    over   an Event: leaving the context sets it
    """

    def __init__(self, authority, talk):
        folder = authority.folder
        self._context = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._over = threading.Event()
        self._talk = talk

    def __enter__(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.port = server.getsockname()[1]
        self._socket = self._context.wrap_socket(server, server_side=True)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        with self._socket.accept()[0] as link:
            self._talk(link, self._over)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def config(node, port, **changes):
    """config.json of a board."""
    wanted = {
        "cluster": "rosie", "sensor": "avocado", "nodes": 2, "eeproms": [80, 81],
        "interval_s": INTERVAL_S, "retries": 1, "lock": "busy_line", "lock_pin": 18,
        "scl_pin": 22, "sda_pin": 21, "sensor_pin": 4, "wifi_ssid": "home", "wifi_key": "secret",
        "node_id": node, "mqtt_host": "localhost", "mqtt_port": port,
    }  # fmt: skip
    return json.dumps(wanted | changes)


def app_files():
    """What mip puts on a board, and its firmware's umqtt.simple."""
    own = {f"lib/avocado/{path.name}": path for path in (APP / "avocado").glob("*.py")}
    return {**own, "lib/umqtt/simple.py": UMQTT}


def add_board(lab, node, port, certificates, *, files=(), changes=(), app=None, **options):
    """A board with the application on it, as the user makes it from a folder of provision.py.

    files     more files, or others        changes   to its config.json
    app       instead of `app_files()`     options   of `Lab.add_board`
    """
    flash = {
        **(app or app_files()),
        **certificates,
        "config.json": config(node, port, **dict(changes)),
        **dict(files),
    }
    return lab.add_board(APP / "main.py", node, files=flash, interpreter="micropython", **options)


def lab_of(**options):
    """A Lab with the two EEPROMs."""
    lab = Lab(seed=1, **options)
    for address in (0x50, 0x51):
        lab.add_eeprom("AT24C256", address)
    return lab
