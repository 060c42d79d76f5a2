"""examples/avocado: whom board and broker let in. In each case that is wrong nothing is published,
and what is wrong is told in words.
"""

import json

import pytest

from avocado_board_lab import EXPIRED, Authority, Broker, Stub, add_board, lab_of, need_mosquitto
from eecluster_sim.process import find_micropython

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_micropython() is None, reason="no micropython: its wheel is for Linux on x86-64"
    ),
]

NOT_ACCEPTED = "tls: the other side broke the connection off: it does not accept cert.der"

# MicroPython's own, but for what it is to leave out.
NO_CERTIFICATE = """
import tls
from tls import *
class SSLContext:
    def __init__(self, protocol):
        self.inner = tls.SSLContext(protocol)
        self.wrap_socket = self.inner.wrap_socket
    def load_verify_locations(self, path):
        self.inner.load_verify_locations(open(path, "rb").read())
    def load_cert_chain(self, cert, key):
        pass
"""


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def foreign(tmp_path):
    return Authority(tmp_path / "foreign")


def wake(port, certificates, files=()):
    """One wake of a board with these certificates: what it has kept to tell."""
    with lab_of(patience_s=30) as lab:
        board = add_board(lab, 0, port, certificates, files=files)
        assert lab.run_until(lambda: lab.events and lab.events[-1].kind == "sleep", 130)
        *_, failures = json.loads(board.devices.do_rtc_memory()[4:])
        print(*board.lines, sep="\n")
        return [what for *_, what in failures]


@pytest.fixture
def attempt(authority):
    """attempt(certificates, ...) -> (what has arrived at the broker, what the board has to tell).

    The broker has the certificate that `authority.server` has issued last.
    """
    need_mosquitto()

    def attempt(certificates, files=()):
        with Broker(authority) as broker:
            told = wake(broker.port, certificates, files)
            return broker.messages(), told

    return attempt


def test_who_is_right_gets_in(authority, attempt):
    authority.server()
    found, told = attempt(authority.board("rosie-0"))
    assert (len(found), told) == (1, [])


def test_without_a_certificate(authority, attempt):
    authority.server()
    found = attempt(authority.board("rosie-0"), {"ssl.py": NO_CERTIFICATE})
    assert found == ([], [NOT_ACCEPTED])


def test_a_certificate_of_a_foreign_authority(authority, foreign, attempt):
    authority.server()
    own = authority.board("rosie-0")
    found = attempt(foreign.board("rosie-0") | {"ca.der": own["ca.der"]})
    assert found == ([], [NOT_ACCEPTED])


def test_a_certificate_that_has_expired(authority, attempt):
    authority.server()
    assert attempt(authority.board("rosie-0", EXPIRED)) == ([], [NOT_ACCEPTED])


def test_a_broker_of_a_foreign_authority(authority, foreign, attempt):
    authority.server(signer=foreign)
    told = "tls: broker: The certificate is not correctly signed by the trusted CA"
    assert attempt(authority.board("rosie-0")) == ([], [told])


def test_a_broker_whose_certificate_has_expired(authority, attempt):
    authority.server(valid=EXPIRED)
    told = "tls: broker: The certificate validity has expired"
    assert attempt(authority.board("rosie-0")) == ([], [told])


def test_a_broker_with_a_certificate_of_another_host(authority, attempt):
    authority.server("example.com")
    told = "tls: broker: The certificate Common Name (CN) does not match with the expected CN"
    assert attempt(authority.board("rosie-0")) == ([], [told])


def as_iot_core(link, over):
    """Let in who has its own name in its certificate. (mosquitto cannot compare the two.)"""
    subject = dict(part for (part,) in link.getpeercert()["subject"])
    packet = link.recv(1000)
    while len(packet) < 14 or len(packet) < 14 + packet[13]:
        packet += link.recv(1000)
    if packet[14 : 14 + packet[13]].decode() == subject["commonName"]:
        link.sendall(b"\x20\x02\x00\x00")
        over.wait(10)


def test_the_client_id_of_another_board(authority, attempt):
    """Board 0 with the certificate of board 1."""
    authority.server()
    with Stub(authority, as_iot_core) as broker:
        told = wake(broker.port, authority.board("rosie-1"))
    assert told == ["mqtt: the other side broke the connection off"]


@pytest.mark.parametrize("name", ["ca.der", "cert.der", "key.der"])
def test_a_file_that_is_no_certificate(authority, attempt, tmp_path, name):
    authority.server()
    garbled = tmp_path / "garbled"
    garbled.write_bytes(b"-----BEGIN CERTIFICATE-----")
    step = "ca.der" if name == "ca.der" else "cert.der"
    what = "invalid key" if name == "key.der" else "invalid cert"
    found = attempt(authority.board("rosie-0") | {name: garbled})
    assert found == ([], [f"{step}: {what}"])
