"""provision.py of examples/avocado, against an imitation of AWS IoT Core (moto)."""

import json
import ssl
import stat

import pytest

from avocado_cloud_kit import EXAMPLE, require

require("boto3", "moto", "cryptography")

import boto3  # noqa: E402
import provision  # noqa: E402
from click.testing import CliRunner  # noqa: E402
from cloud.boards import config as board_config  # noqa: E402
from cloud.boards import registry  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: E402
from moto import mock_aws  # noqa: E402

POLICY = '{"Version": "2012-10-17", "Statement": []}'
CONFIG = json.loads((EXAMPLE / "config.json").read_text())
GOOD = {**CONFIG, "wifi_ssid": "house", "wifi_key": "password"}


class Desk:
    """Somebody with config.json, who types provision.py's commands."""

    def __init__(self, folder):
        self.boards = folder / "boards"
        self.config = folder / "config.json"
        self.write(GOOD)
        self.program = folder / "main.py"
        self.program.write_text("print('a wake')\n")
        self.iot = boto3.client("iot")
        self.iot.create_policy(policyName="rosie_board", policyDocument=POLICY)

    def write(self, config):
        self.config.write_text(json.dumps(config))

    def run(self, command, *options, answer=None):
        """(exit code, what it says)."""
        arguments = [command, "--config", self.config, "--boards", self.boards, *options]
        if command == "create":
            arguments += ["--main", self.program]
        done = CliRunner().invoke(provision.main, [str(one) for one in arguments], input=answer)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    def create(self, *options):
        code, said = self.run("create", *options)
        assert code == 0, said
        return said

    def refused(self, *options):
        code, said = self.run("create", *options)
        assert code == 1, said
        return said

    def things(self):
        return sorted(thing["thingName"] for thing in self.iot.list_things()["things"])

    def certificates(self):
        return [one["certificateArn"] for one in self.iot.list_certificates()["certificates"]]

    def folders(self):
        return sorted(path.name for path in self.boards.glob("*/"))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(registry, "DETACHING_S", 0)
    with mock_aws():
        yield Desk(tmp_path)


# create


def test_a_folder_for_each_board(desk):
    said = desk.create()
    assert desk.folders() == desk.things() == ["rosie-0", "rosie-1"]
    for node in (0, 1):
        folder = desk.boards / f"rosie-{node}"
        assert sorted(path.name for path in folder.iterdir()) == sorted(provision.FILES)
        written = json.loads((folder / "config.json").read_text())
        assert written.pop("mqtt_host").endswith("-ats.iot.eu-west-1.amazonaws.com")
        assert written == {**GOOD, "mqtt_port": 8883, "node_id": node}
        assert (folder / "main.py").read_text() == desk.program.read_text()
        copy = f"cd {folder} && mpremote cp main.py config.json ca.der cert.der key.der :"
        assert copy in said


def test_each_board_has_a_key_of_its_own(desk):
    """That its certificate is for this key, test_avocado_ministack shows: moto makes up its own."""
    desk.create()
    folders = [desk.boards / thing for thing in desk.things()]
    secrets = set()
    for folder in folders:
        key = load_der_private_key((folder / "key.der").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"
        secrets.add(key.private_numbers().private_value)
    assert len(secrets) == 2
    for folder in folders:
        assert x509.load_der_x509_certificate((folder / "cert.der").read_bytes())
        for secret in ("key.der", "config.json"):
            assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600


def test_things_get_certificate_and_policy(desk):
    desk.create()
    for thing in ("rosie-0", "rosie-1"):
        (arn,) = desk.iot.list_thing_principals(thingName=thing)["principals"]
        policies = desk.iot.list_attached_policies(target=arn)["policies"]
        assert [one["policyName"] for one in policies] == ["rosie_board"]
        number = arn.rpartition("/")[2]
        found = desk.iot.describe_certificate(certificateId=number)["certificateDescription"]
        assert found["status"] == "ACTIVE"
    assert len(desk.certificates()) == 2


def test_the_boards_trust_amazon(desk):
    desk.create()
    ca = x509.load_der_x509_certificate((desk.boards / "rosie-0" / "ca.der").read_bytes())
    assert "CN=Amazon Root CA 1" in ca.subject.rfc4514_string()


def test_another_broker_with_its_own_authority(desk, tmp_path):
    der = provision.ca_der(None)
    pem = tmp_path / "ca.pem"
    pem.write_text("a comment\n" + ssl.DER_cert_to_PEM_cert(der))
    desk.create("--endpoint", "broker.example:8890", "--ca", pem)
    config = json.loads((desk.boards / "rosie-0" / "config.json").read_text())
    assert (config["mqtt_host"], config["mqtt_port"]) == ("broker.example", 8890)
    assert (desk.boards / "rosie-0" / "ca.der").read_bytes() == der


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file"),
        ("no certificate", "expected one certificate in PEM, got 0"),
        ("twice", "expected one certificate in PEM, got 2"),
        ("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----", "damaged certificate"),
    ],
)
def test_wrong_authorities(desk, tmp_path, content, complaint):
    pem = tmp_path / "ca.pem"
    if content == "twice":
        content = ssl.DER_cert_to_PEM_cert(provision.ca_der(None)) * 2
    if content:
        pem.write_text(content)
    said = desk.refused("--ca", pem)
    assert complaint in said and str(pem) in said
    assert desk.things() == []


@pytest.mark.parametrize("endpoint", ["host:", "host:port", ":8883"])
def test_wrong_endpoints(desk, endpoint):
    assert "expected HOST or HOST:PORT" in desk.refused("--endpoint", endpoint)
    assert desk.things() == []


def test_without_the_policy_nothing_is_made(desk):
    desk.iot.delete_policy(policyName="rosie_board")
    said = desk.refused()
    assert "rosie_board" in said and "make deploy" in said
    assert desk.things() == desk.certificates() == desk.folders() == []


def test_the_password_is_not_offered_to_git(desk):
    desk.create()
    assert "*" in (desk.boards / ".gitignore").read_text().splitlines()


# Nothing is written over


def test_a_folder_is_not_written_over(desk):
    (desk.boards / "rosie-1").mkdir(parents=True)
    said = desk.refused()
    assert str(desk.boards / "rosie-1") in said and "remove --node 1" in said
    assert desk.things() == []


def test_a_thing_with_a_certificate_is_not_written_over(desk):
    desk.create()
    before = {path: path.read_bytes() for path in desk.boards.glob("*/*")}
    certificates = desk.certificates()
    desk.boards.rename(desk.boards.with_name("elsewhere"))
    said = desk.refused()
    assert "thing rosie-0 has a certificate" in said and "remove --node 0" in said
    desk.boards.with_name("elsewhere").rename(desk.boards)
    assert {path: path.read_bytes() for path in desk.boards.glob("*/*")} == before
    assert desk.certificates() == certificates


def test_somebody_elses_thing_is_not_touched(desk):
    desk.iot.create_thing(thingName="rosie-1")
    assert "thing rosie-1 exists and is not ours" in desk.refused()
    desk.create("--node", "0")
    code, said = desk.run("remove", "--yes")
    assert code == 0 and "rosie-1 was not made by provision.py and stays" in said
    assert desk.things() == ["rosie-1"]


def test_a_thing_of_ours_without_certificate_is_used(desk):
    desk.iot.create_thing(
        thingName="rosie-0", attributePayload={"attributes": {"made_by": registry.MADE_BY}}
    )
    desk.create()
    assert desk.things() == desk.folders() == ["rosie-0", "rosie-1"]


def test_a_board_more(desk):
    desk.create()
    assert "raise it first" in desk.refused("--node", "2")
    desk.write({**GOOD, "nodes": 3})
    desk.create("--node", "2")
    assert desk.folders() == desk.things() == ["rosie-0", "rosie-1", "rosie-2"]


# Half-way


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ("CreateThing", ()),
        ("CreateCertificateFromCsr", ("thing rosie-1",)),
        ("AttachThingPrincipal", ("thing rosie-1", "of no thing; delete it")),
        ("AttachPolicy", ("thing rosie-1", "of rosie-1")),
    ],
)
def test_a_failure_says_what_is_left(desk, monkeypatch, operation, left):
    """It fails for the second board. The first one is complete."""
    calls = []

    def fail(model, **_):
        if model.name == operation:
            calls.append(operation)
            if len(calls) == 2:
                raise OSError("the network is gone")

    made = registry.boto3.client

    def client(service):
        iot = made(service)
        iot.meta.events.register("before-call.iot", fail)
        return iot

    monkeypatch.setattr(registry.boto3, "client", client)
    said = desk.refused()
    assert said.startswith("Error: rosie-1: the network is gone")
    for what in ("thing rosie-0", "of rosie-0", f"folder {desk.boards / 'rosie-0'}", *left):
        assert what in said, said
    assert said.count("\n  thing ") == 1 + bool(left)
    assert "provision.py remove" in said
    assert desk.run("remove", "--yes")[0] == 0
    assert desk.things() == desk.folders() == []
    assert len(desk.certificates()) == (operation == "AttachThingPrincipal")  # as it has said


def test_a_folder_that_cannot_be_written(desk):
    desk.boards.write_text("in the way")
    said = desk.refused()
    assert "not all of it" in said and "provision.py remove" in said


# remove


def test_remove_deletes_all_that_was_made_and_says_so(desk):
    desk.create()
    code, said = desk.run("remove", answer="y\n")
    assert code == 0
    assert desk.things() == desk.certificates() == desk.folders() == []
    for thing in ("rosie-0", "rosie-1"):
        assert f"deleted thing {thing}" in said
        assert f"deleted folder {desk.boards / thing}" in said
    assert "nothing of cluster rosie" in desk.run("remove")[1]


def test_remove_asks_first(desk):
    desk.create()
    code, said = desk.run("remove", answer="n\n")
    assert code == 1 and "with the key of that board" in said
    assert desk.things() == desk.folders() == ["rosie-0", "rosie-1"]


def test_remove_and_make_anew_one_board(desk):
    desk.create()
    before = (desk.boards / "rosie-0" / "key.der").read_bytes()
    assert desk.run("remove", "--node", "1", "--yes")[0] == 0
    assert desk.things() == desk.folders() == ["rosie-0"]
    desk.create("--node", "1")
    assert desk.things() == ["rosie-0", "rosie-1"]
    assert (desk.boards / "rosie-0" / "key.der").read_bytes() == before


def test_remove_finds_boards_that_config_does_not_name_any_more(desk):
    desk.create()
    desk.write({**GOOD, "nodes": 1})
    desk.run("remove", "--yes")
    assert desk.things() == []


def test_removal_that_aws_delays(desk, monkeypatch):
    """AWS goes on for some seconds saying that a thing is attached."""
    desk.create()
    monkeypatch.setattr(registry, "DETACHING_S", 60)
    monkeypatch.setattr(registry.time, "sleep", lambda seconds: naps.append(seconds))
    naps, made = [], registry.boto3.client

    def client(service):
        iot = made(service)
        delete = iot.delete_thing

        def late(**arguments):
            if len(naps) < 3:
                error = {"Error": {"Code": "InvalidRequestException", "Message": "attached"}}
                raise iot.exceptions.InvalidRequestException(error, "DeleteThing")
            return delete(**arguments)

        monkeypatch.setattr(iot, "delete_thing", late)
        return iot

    monkeypatch.setattr(registry.boto3, "client", client)
    assert desk.run("remove", "--yes")[0] == 0
    assert desk.things() == [] and naps == [1, 1, 1]


def test_errors_of_aws_are_said_plainly(desk, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    said = desk.refused()
    assert "region" in said and "AWS_REGION" in said and "Traceback" not in said


# config.json

WRONG = [
    ("cluster", "", "1 to 40"),
    ("cluster", "two words", "1 to 40"),
    ("sensor", 5, "1 to 64"),
    ("nodes", 9, "1 to 8"),
    ("nodes", "2", "1 to 8"),
    ("nodes", True, "1 to 8"),
    ("eeproms", [80, 80], "different"),
    ("eeproms", [], "1 to 8"),
    ("eeproms", [0x20], "80 to 87"),
    ("eeproms", "80, 81", "a list"),
    ("interval_s", 0, "1 to 86400"),
    ("interval_s", 900.0, "1 to 86400"),
    ("retries", -1, "0 to 60"),
    ("lock", "busyline", '"busy_line"'),
    ("lock_pin", 99, "0 to 48"),
    ("scl_pin", None, "0 to 48"),
    ("wifi_ssid", "", "name of your Wi-Fi"),
    ("wifi_key", "short", "8 to 63"),
]


@pytest.mark.parametrize(("key", "value", "remedy"), WRONG)
def test_wrong_values(desk, key, value, remedy):
    desk.write({**GOOD, key: value})
    said = desk.refused()
    assert f"{key}: is {json.dumps(value)}; it must be" in said and remedy in said
    assert str(desk.config) in said
    assert desk.things() == []


@pytest.mark.parametrize("key", CONFIG)
def test_missing_keys(key):
    config = {name: value for name, value in GOOD.items() if name != key}
    (complaint,) = board_config.complaints(config)
    assert complaint.startswith(f"  {key}: is missing; it must be ")


def test_every_key_is_checked():
    assert list(CONFIG) == list(board_config.KEYS)
    assert [line.split(":")[0].strip() for line in board_config.complaints(CONFIG)] == ["wifi_ssid"]
    assert board_config.complaints(GOOD) == []


def test_misspelt_keys():
    config = {**GOOD, "intervall_s": 900, "colour": "green"}
    del config["interval_s"]
    said = "\n".join(board_config.complaints(config))
    assert "intervall_s: there is no such key; write interval_s" in said
    assert "colour: there is no such key; remove it" in said


def test_pins_differ():
    (said,) = board_config.complaints({**GOOD, "sensor_pin": 22})
    assert "sensor_pin: is 22, as scl_pin is" in said
    shared = {**GOOD, "lock_pin": 22}
    assert len(board_config.complaints(shared)) == 1
    assert board_config.complaints({**shared, "lock": "arbitration"}) == []


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("{,}", "no JSON"), ("[]", "expected an object")]
)
def test_no_config(desk, content, said):
    desk.config.unlink()
    if content:
        desk.config.write_text(content)
    assert said in desk.refused()
