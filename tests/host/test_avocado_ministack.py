"""All of examples/avocado's cloud half in an AWS on this machine: deployed by sam, provisioned by
provision.py, and spoken to as boards do, MQTT over mutual TLS.

What ministack does not do, and is not shown here: it does not retry a function that a rule has
invoked, nor run its errorAction when that fails (an asynchronous invocation stands for both); it
accepts clients without a certificate; it has no metrics of queues, so no alarm goes off; and it
ignores what the template says of backups and of time to live.
"""

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest

from avocado_cloud_kit import EXAMPLE, SLOT, event, reading, require, require_tool

require("boto3", "cryptography", "paho.mqtt.client")

import paho.mqtt.client as mqtt  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.serialization import (  # noqa: E402
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from paho.mqtt.enums import CallbackAPIVersion  # noqa: E402
from rehearsal import cloud as cloud_module  # noqa: E402
from rehearsal.cloud import Cloud, CloudError  # noqa: E402

pytestmark = pytest.mark.slow

PATIENCE_S = 30
CONFIG = json.loads((EXAMPLE / "config.json").read_text())


def eventually(look, timeout_s=PATIENCE_S):
    """What look() returns, as soon as it is true; an empty thing if it never is."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := look()) and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return found


class Client:
    """An MQTT client with a board's certificate. `connected` is False once the broker hung up."""

    def __init__(self, folder, name=None):
        self.folder = folder
        config = json.loads((folder / "config.json").read_text())
        name = name or f"{config['cluster']}-{config['node_id']}"
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv311)
        self.mqtt.on_connect = self.on_connect
        self.mqtt.on_disconnect = lambda *_: self.gone.set()
        self.mqtt.on_message = lambda _, __, message: self.heard.append(message)
        self.mqtt.on_subscribe = lambda _, __, ___, codes, ____: self.answers.extend(codes)
        self.ca = pem(folder / "ca.der", folder / "ca.pem")
        cert = pem(folder / "cert.der", folder / "cert.pem")
        self.mqtt.tls_set(self.ca, cert, key_pem(folder))
        self.mqtt.reconnect_delay_set(3600)
        self.address = config["mqtt_host"], config["mqtt_port"]
        self.up, self.gone = threading.Event(), threading.Event()
        self.heard, self.answers = [], []

    def on_connect(self, _, __, ___, reason, ____):
        if not reason.is_failure:
            self.up.set()

    def __enter__(self):
        self.mqtt.connect(*self.address)
        self.mqtt.loop_start()
        eventually(lambda: self.up.is_set() or self.gone.is_set())
        return self

    def __exit__(self, *_):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    @property
    def connected(self):
        return self.up.is_set() and not self.gone.is_set()

    def publish(self, topic, content, retain=False):
        """True if the broker has acknowledged it, False if it hung up."""
        payload = content if isinstance(content, bytes) else json.dumps(content)
        sent = self.mqtt.publish(topic, payload, qos=1, retain=retain)
        eventually(lambda: sent.is_published() or self.gone.is_set())
        return sent.is_published()

    def subscribe(self, topic):
        """True if the broker has granted it."""
        self.answers.clear()
        self.mqtt.subscribe(topic, qos=1)
        eventually(lambda: self.answers or self.gone.is_set())
        return self.connected and not any(code.is_failure for code in self.answers)


def pem(der, path):
    certificate = x509.load_der_x509_certificate(der.read_bytes())
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return str(path)


def key_pem(folder):
    key = load_der_private_key((folder / "key.der").read_bytes(), None)
    path = folder / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


class Site:
    """The cloud, and the folders of two boards."""

    def __init__(self, cloud, folder):
        self.cloud = cloud
        self.boards = folder / "boards"
        self.config = folder / "config.json"
        self.config.write_text(json.dumps({**CONFIG, "wifi_ssid": "house"}))
        self.ca = folder / "ca.pem"
        self.ca.write_text(cloud.ca_pem)
        self.slot = SLOT

    def provision(self, command, *options):
        where = ["--config", self.config, "--boards", self.boards]
        done = subprocess.run(
            [sys.executable, EXAMPLE / "provision.py", command, *where, *options],
            env=self.cloud.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create(self, *options):
        broker = f"{self.cloud.mqtt_host}:{self.cloud.mqtt_port}"
        return self.provision("create", "--ca", self.ca, "--endpoint", broker, *options)

    def board(self, node, name=None):
        return Client(self.boards / f"rosie-{node}", name)

    def next_slot(self):
        self.slot += 1
        return self.slot

    def row(self, slot):
        return [item for item in self.cloud.items("ReadingsTable") if item["slot"] == slot]

    def ledger(self, part):
        return [item for item in self.cloud.items("LedgerTable") if part in item["key"]]

    def mails(self, part):
        return [mail for mail in self.cloud.mails() if part in mail.subject]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for name in ("ministack", "sam"):
        require_tool(name)
    with Cloud(print) as cloud:
        cloud.deploy(MailFrom="cluster@example.com", MailTo="me@example.com")
        site = Site(cloud, tmp_path_factory.mktemp("site"))
        site.create()
        yield site


def epoch(site):
    """One that is new: tokens count on from test to test."""
    fences = site.ledger("#fence")
    return (int(fences[0]["token"]) >> 3) + 1 if fences else 1


# From a board to table, mail and queue


def test_a_reading_becomes_a_row(site):
    content = reading(node=0, epoch=epoch(site), slot=site.next_slot())
    with site.board(0) as board:
        assert board.publish("rosie/reading", content)
    (row,) = eventually(lambda: site.row(content["slot"]))
    assert (row["series"], row["node"], float(row["celsius"])) == ("rosie#avocado", 0, 21.5)
    assert abs(float(row["received_at"]) - time.time()) < 60
    assert site.ledger("#fence")[0]["token"] == content["token"]


def test_an_event_becomes_one_mail(site):
    with site.board(0) as board:
        for sequence in range(3):
            assert board.publish("rosie/event", event("dead", n=77, sequence=sequence))
        assert board.publish("rosie/event", event("recovered", n=78))
    assert eventually(lambda: site.mails("board 1 is dead"))
    assert eventually(lambda: site.ledger("#event#recovered#1#78"))[0]["state"] == "quiet"
    time.sleep(1)
    (mail,) = site.mails("board 1 is dead")
    assert (mail.sender, mail.to) == ("cluster@example.com", ("me@example.com",))
    assert "What to do" in mail.body and "rosie-0" in mail.body
    assert site.mails("recovered") == []


@pytest.mark.parametrize("payload", [b'{"cluster": "rosie", "node": 9}', b"\xff no JSON"])
def test_a_malformed_message_becomes_a_dead_letter(site, payload):
    with site.board(1) as board:
        assert board.publish("rosie/reading", payload)

    def letters():
        shown = payload.decode(errors="backslashreplace")
        return [one for one in site.cloud.dead_letters() if one.get("payload") == shown]

    (letter,) = eventually(letters)
    assert letter["error"].startswith(("node: ", "payload: ")) and letter["thing"] == "rosie-1"


def test_an_old_primary_is_refused_and_hears_of_it(site):
    now = epoch(site)
    new = reading(node=1, epoch=now + 1, slot=site.next_slot())
    old = reading(node=0, epoch=now, slot=site.next_slot())
    with site.board(1) as board:
        assert board.publish("rosie/reading", new)
        assert eventually(lambda: site.row(new["slot"]))
    with site.board(0) as board:
        assert board.publish("rosie/reading", old)
        assert eventually(lambda: site.ledger(f"#rejected#{old['token']}#"))
    assert site.row(old["slot"]) == []
    with site.board(0) as board:  # the next wake
        assert board.subscribe("rosie/refused/rosie-0")
        (message,) = eventually(lambda: board.heard)
    assert message.retain
    refusal = json.loads(message.payload)
    assert (refusal["token"], refusal["fence"]) == (old["token"], new["token"])
    assert refusal["remedy"] == f"cluster.format(epoch={now + 1})"
    assert eventually(lambda: site.mails("a reading of board 0 was refused"))


def test_what_a_function_fails_on_is_tried_again_and_kept(site):
    """As IoT Core invokes it, but with an envelope that no rule makes."""
    site.cloud.client("lambda").invoke(
        FunctionName=site.cloud.outputs["ReadingFunction"],
        InvocationType="Event",
        Payload=json.dumps({"odd": 1}),
    )

    def letters():
        return [one for one in site.cloud.dead_letters() if "requestPayload" in one]

    (letter,) = eventually(letters)
    assert letter["requestPayload"] == {"odd": 1}
    assert "payload" in letter["responsePayload"]["errorMessage"]
    assert "(attempt 3)" in site.cloud.log.read_text()


# What a board may not do


def test_a_board_is_itself(site):
    certificate = x509.load_der_x509_certificate(
        (site.boards / "rosie-0" / "cert.der").read_bytes()
    )
    key = load_der_private_key((site.boards / "rosie-0" / "key.der").read_bytes(), None)
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
    for name in ("rosie-1", "rosie-2", "somebody"):
        with site.board(0, name=name) as client:
            assert not client.connected, name


def test_the_policy_is_for_things_of_this_cluster(site):
    iot = site.cloud.client("iot")
    iot.create_thing(thingName="somebody")
    (arn,) = iot.list_thing_principals(thingName="rosie-0")["principals"]
    iot.attach_thing_principal(thingName="somebody", principal=arn)
    with site.board(0, name="somebody") as client:
        assert not client.connected
    iot.detach_thing_principal(thingName="somebody", principal=arn)


@pytest.mark.parametrize(
    "topic",
    [
        "daisy/reading",
        "rosie/refused/rosie-0",
        "rosie/refused/rosie-1",
        "$aws/things/rosie-0/shadow/get",
    ],
)
def test_a_board_publishes_readings_and_events_only(site, topic):
    with site.board(0) as board:
        assert board.connected
        assert not board.publish(topic, {"hello": 1})


def test_a_board_retains_nothing(site):
    content = reading(epoch=epoch(site), slot=site.next_slot())
    with site.board(0) as board:
        assert not board.publish("rosie/reading", content, retain=True)
    time.sleep(1)
    assert site.row(content["slot"]) == []


@pytest.mark.parametrize(
    "topic", ["rosie/refused/rosie-1", "rosie/refused/+", "rosie/reading", "#"]
)
def test_a_board_hears_its_own_refusals_only(site, topic):
    with site.board(0) as board:
        assert not board.subscribe(topic)
    with site.board(0) as board:
        assert board.subscribe("rosie/refused/rosie-0")


def test_a_removed_board_is_locked_out(site):
    site.config.write_text(json.dumps({**CONFIG, "wifi_ssid": "house", "nodes": 3}))
    site.create("--node", "2")
    with site.board(2) as board:
        assert board.connected
    kept = site.boards.with_name("stolen")
    (site.boards / "rosie-2").rename(kept)
    site.provision("remove", "--node", "2", "--yes")
    try:
        with Client(kept) as client:
            connected = client.connected
    except OSError:  # TLS refuses what the registry has forgotten
        connected = False
    assert not connected


# The stack


def test_alarms_mail_and_logs_end(site):
    alarms = site.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert sorted(alarm["MetricName"] for alarm in alarms) == [
        "ApproximateNumberOfMessagesVisible",
        "Invocations",
    ]
    topic = site.cloud.outputs["AlarmTopic"]
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms)
    sns = site.cloud.client("sns")
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")
    groups = site.cloud.client("logs").describe_log_groups()["logGroups"]
    days = {group["logGroupName"]: group.get("retentionInDays") for group in groups}
    assert days == {"/aws/lambda/rosie_reading": 30, "/aws/lambda/rosie_send_cluster_mail": 30}


def test_make_deploy_boards_remove(tmp_path):
    """The commands that people type, from nothing to nothing."""
    for name in ("ministack", "sam"):
        require_tool(name)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**CONFIG, "cluster": "daisy", "wifi_ssid": "house"}))
    with Cloud() as cloud:

        def make(*arguments):
            done = subprocess.run(
                ["make", "-C", EXAMPLE, f"PYTHON={sys.executable}", f"CONFIG={config}", *arguments],
                env=cloud.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert done.returncode == 0, done.stdout
            return done.stdout

        mails = ["MAIL_FROM=cluster@example.com", "MAIL_TO=me@example.com"]
        make("deploy", *mails, "PARAMETERS=SilentHours=12")
        make("deploy", *mails, "PARAMETERS=SilentHours=12")  # nothing to do
        said = make("boards", f"OPTIONS=--boards {tmp_path}")
        assert f"cd {tmp_path / 'daisy-1'} && mpremote cp" in said
        iot, tables = cloud.client("iot"), cloud.client("dynamodb")
        assert len(iot.list_things()["things"]) == 2
        assert "Readings" in make("remove", "YES=1")
        assert iot.list_things()["things"] == iot.list_certificates()["certificates"] == []
        (kept,) = tables.list_tables()["TableNames"]
        assert kept.startswith("avocado-daisy-Readings")


# The emulator itself


@pytest.mark.parametrize("name", ["ministack", "sam"])
def test_missing_tools_are_named_with_the_remedy(monkeypatch, tmp_path, name):
    monkeypatch.setattr(cloud_module, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CloudError, match=f"no {name}, .*make cloud-tools"):
        cloud_module.tool(name)


def test_the_environment_leads_nowhere_else(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_IOT", "AWS_SESSION_TOKEN", "SAM_CLI_POLL_DELAY"):
        monkeypatch.setenv(name, "real")
    environment = cloud_module.clean_environment(tmp_path, "http://127.0.0.1:1")
    ours = {key for key in environment if key.startswith(("AWS_", "SAM_"))}
    assert "real" not in environment.values()
    assert {"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"} < ours
    assert environment["HOME"] == str(tmp_path)


def test_a_failed_start_shows_what_ministack_says_and_leaves_nothing(monkeypatch, tmp_path):
    fake = tmp_path / "ministack"
    fake.write_text("#!/bin/sh\necho no port for me; exit 3\n")
    fake.chmod(0o755)
    monkeypatch.setattr(cloud_module, "tool", lambda name: str(fake))
    cloud = Cloud()
    with pytest.raises(CloudError, match=r"ended \(3\).*\nno port for me"), cloud:
        pass
    assert not cloud.folder.exists()


def test_a_failed_deployment_shows_what_sam_says(monkeypatch, tmp_path):
    fake = tmp_path / "sam"
    fake.write_text('#!/bin/sh\necho "$@"; exit 1\n')
    fake.chmod(0o755)
    monkeypatch.setattr(cloud_module, "tool", lambda name: str(fake))
    with ExitStack() as stack:
        cloud = Cloud()
        stack.callback(cloud.stop)
        with pytest.raises(CloudError, match="ParameterKey=MailTo,ParameterValue=x@example.com"):
            cloud.deploy(MailTo="x@example.com")
