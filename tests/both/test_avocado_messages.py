"""examples/avocado: what is published, what a refusal does, and what is said of errors."""

import json

from avocado_board_kit import CONFIG, faults, messages, settings
from support import raises

T = 1_767_225_600
SLOT = T // 900
ROM = "28ff641e8216042d"


def test_a_reading():
    packed = messages.reading(CONFIG, 14, [T + 7, 3, -161, ROM])
    assert isinstance(packed, bytes)
    assert json.loads(packed) == {
        "cluster": "rosie", "node": 1, "token": 14, "epoch": 1, "sequence": 3, "slot": SLOT,
        "sensor": "avocado", "celsius": -10.0625, "taken_at": T + 7, "rom": ROM,
    }  # fmt: skip


def test_an_event():
    found = json.loads(messages.event(CONFIG, 22, 4, T + 7, ("eeprom_lost", 0, 22, 5)))
    assert found == {
        "cluster": "rosie", "node": 1, "token": 22, "epoch": 2, "sequence": 4, "slot": SLOT,
        "kind": "eeprom_lost", "about": 0, "n": 5,
    }  # fmt: skip


def test_a_split_brain_names_both_tokens():
    found = json.loads(messages.event(CONFIG, 22, 4, T, ("split_brain", 0, 15, 5)))
    assert (found["token"], found["rival_token"]) == (22, 15)


def test_failures_of_one_slot_are_one_event():
    entries = [[T - 1800, 3, "wifi: no access point"], [T, 1, "sensor: a"], [T + 899, 1, "b"]]
    count, packed = messages.failures(CONFIG, 14, 9, T + 1000, entries)
    assert count == 1
    assert json.loads(packed) == {
        "cluster": "rosie", "node": 1, "token": 14, "epoch": 1, "sequence": 9, "slot": SLOT + 1,
        "kind": "app", "about": 1, "n": SLOT - 2, "what": "wifi: no access point (3 times)",
    }  # fmt: skip
    count, packed = messages.failures(CONFIG, 14, 9, T + 1000, entries[1:])
    assert (count, json.loads(packed)["what"]) == (2, "sensor: a; b")


def refusal(fence):
    return json.dumps({"token": 15, "fence": fence, "remedy": "cluster.format(epoch=2)"}).encode()


def test_a_refusal_of_the_present_token_is_a_fault():
    with raises(faults.Fault, "token 15 is refused, 22 was seen: cluster.format(epoch=2)"):
        messages.check_refusals([refusal(22)], 15)


def test_an_old_refusal_is_ignored():
    messages.check_refusals([refusal(15), refusal(14)], 15)
    messages.check_refusals([], 15)


def test_what_is_no_refusal_is_ignored():
    for text in (b"", b"hello", b"[]", b"{}", b'{"fence": "x", "remedy": ""}', b"22"):
        messages.check_refusals([text], 15)


class MQTTException(Exception):
    pass


def test_words():
    for error, text in (
        (faults.Fault("no access point after 20 s"), "no access point after 20 s"),
        (ValueError("\nThe certificate validity\nhas expired\n"),
         "The certificate validity has expired"),
        (IndexError("bytes index out of range"), faults.BROKEN_OFF),
        (MQTTException(5), "the broker does not permit this client to connect"),
        (MQTTException(77), "the broker answers 77"),
        (OSError(-faults.ETIMEDOUT), "no answer in time"),
        (OSError(faults.ECONNREFUSED), "connection refused: nobody listens at this port"),
        (OSError(-2), "host name not found"),
        (OSError(-202), "host name not found"),
        (OSError(-9984, "MBEDTLS_ERR_X509"), "MBEDTLS_ERR_X509"),
        (OSError("no EEPROM answers"), "no EEPROM answers"),
        (OSError(-0x7780, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"), faults.BROKEN_OFF),
        (OSError(-faults.ECONNRESET), faults.BROKEN_OFF),
        (AssertionError(), "AssertionError"),
    ):  # fmt: skip
        assert faults.words(error, "") == text


def test_words_about_a_handshake_say_whose_certificate_it_is():
    found = faults.words(OSError(32), "tls")
    assert found == "the other side broke the connection off: it does not accept cert.der"
    assert faults.words(OSError(32), "mqtt") == faults.BROKEN_OFF
    expired = ValueError("\nThe certificate validity has expired\n")
    assert faults.words(expired, "tls") == "broker: The certificate validity has expired"
    assert faults.words(OSError(faults.ETIMEDOUT), "tls") == "no answer in time"


def test_a_file_that_lacks_is_no_host_that_lacks():
    with raises(OSError) as caught, open("no such file"):
        pass
    assert "host" not in faults.words(caught.error, "")


def test_a_good_config():
    settings.check(CONFIG, settings.KINDS)
    assert settings.thing(CONFIG) == "rosie-1"
    assert settings.lock(dict(CONFIG, lock="none"), None, None) is None


def test_a_wrong_config_is_named():
    for name in CONFIG:
        if name == "lock_pin":
            continue  # only one of the locks has a pin
        for value in (None, 1.5) if name == "wifi_key" else (None, 1.5, ""):
            with raises(ValueError, "config.json: %s is %r. Copy the folder" % (name, value)):
                settings.check(dict(CONFIG, **{name: value}), settings.KINDS)
    with raises(ValueError, "lock is 'rope', not busy_line, arbitration or none"):
        settings.lock(dict(CONFIG, lock="rope"), None, None)
    with raises(ValueError, "cluster is None"):
        settings.check([], settings.KINDS)
