"""The functions of examples/avocado, against an imitation of AWS (moto), and their template.

The same with rules, policies and real MQTT is in test_avocado_ministack.py.
"""

import json
import re
import subprocess
from decimal import Decimal

import pytest

from avocado_cloud_kit import (
    FUNCTIONS,
    NOW_S,
    ROOT,
    SLOT,
    TEMPLATE,
    envelope,
    event,
    reading,
    require,
    require_tool,
    token,
)

require("boto3", "moto", "cfnlint", "yaml")

import aws  # noqa: E402
import cfnlint  # noqa: E402
import checks  # noqa: E402
import claims  # noqa: E402
import fenced  # noqa: E402
import mail  # noqa: E402
import reading as reading_function  # noqa: E402
import send_cluster_mail  # noqa: E402
import yaml  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from moto import mock_aws  # noqa: E402

from eecluster import events as library_events  # noqa: E402

EVENTS = (ROOT / "docs" / "events.md").read_text()
KINDS = re.findall(r"^\| `(\w+)` \|", EVENTS, re.MULTILINE) + ["app", "refused"]


class Loader(yaml.SafeLoader):
    """Reads `!Ref X` as {"Ref": "X"}, and so on."""


def tagged(loader, suffix, node):
    value = getattr(loader, "construct_" + node.id)
    return {suffix: value(node, deep=True) if node.id != "scalar" else value(node)}


Loader.add_multi_constructor("!", tagged)
STACK = yaml.load(TEMPLATE.read_text(), Loader)
RESOURCES = STACK["Resources"]


class Aws:
    """The imitation, with what the template makes of it, and what is published."""

    def __init__(self, monkeypatch):
        self.queue = aws.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
        for address in ("cluster@example.com", "me@example.com"):
            aws.client("sesv2").create_email_identity(EmailIdentity=address)
        for name in ("Readings", "Ledger"):
            monkeypatch.setenv(f"{name.upper()}_TABLE", name)
            made = RESOURCES[name]["Properties"]
            kept = ("AttributeDefinitions", "KeySchema", "BillingMode")
            self.table(name).meta.client.create_table(
                TableName=name, **{key: made[key] for key in kept}
            )
        settings = {
            "CLUSTER": "rosie",
            "DEAD_LETTERS": self.queue,
            "MAIL_FROM": "cluster@example.com",
            "MAIL_TO": "me@example.com",
            "QUIET_KINDS": "suspect, recovered",
            "INTERVAL_S": "900",
        }
        for key, value in settings.items():
            monkeypatch.setenv(key, value)
        self.published = []
        monkeypatch.setattr(aws.client("iot-data"), "publish", self.publish)
        self.mails = []
        self.send_email = aws.client("sesv2").send_email
        monkeypatch.setattr(aws.client("sesv2"), "send_email", self.mail)

    def publish(self, topic, qos, retain, payload):
        assert qos == 1
        self.published.append((topic, retain, json.loads(payload)))

    def mail(self, **arguments):
        answer = self.send_email(**arguments)  # the imitation refuses unknown senders
        self.mails.append(arguments["Content"]["Simple"]["Subject"]["Data"])
        return answer

    def table(self, name):
        return aws.table(f"{name.upper()}_TABLE")

    def items(self, name):
        return self.table(name).scan()["Items"]

    def keys(self, part):
        return sorted(item["key"] for item in self.items("Ledger") if f"#{part}" in item["key"])

    def ledger(self, key):
        return self.table("Ledger").get_item(Key={"key": key}).get("Item")

    def fence(self):
        return (self.ledger("rosie#fence") or {}).get("token")

    def dead_letters(self):
        answer = aws.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


@pytest.fixture(scope="module", autouse=True)
def clients():
    """Making clients takes longer than all the rest: once for all tests."""
    yield
    aws.client.cache_clear()
    aws.table.cache_clear()


@pytest.fixture
def cloud(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield Aws(monkeypatch)


@pytest.fixture
def clock(monkeypatch):
    """clock.now_s: the time of the functions."""

    class Clock:
        now_s = NOW_S

    monkeypatch.setattr(claims.time, "time", lambda: Clock.now_s)
    return Clock


def read(content, **options):
    return reading_function.handler(envelope(content, **options), None)


def tell(content, **options):
    return send_cluster_mail.handler(envelope(content, **options), None)


# Readings


def test_a_reading_is_stored(cloud):
    assert read(reading()) == "stored"
    assert cloud.items("Readings") == [
        {
            "series": "rosie#avocado",
            "slot": SLOT,
            "node": 0,
            "token": 15,
            "epoch": 1,
            "sequence": 7,
            "celsius": Decimal("21.5"),
            "taken_at": NOW_S - 100,
            "rom": "28ff641e8216c3a1",
            "received_at": NOW_S,
        }
    ]
    assert cloud.fence() == 15
    assert cloud.published == cloud.dead_letters() == []


def test_a_message_that_is_delivered_twice_is_no_rejection(cloud):
    assert [read(reading()), read(reading())] == ["stored", "redelivered"]
    assert len(cloud.items("Readings")) == 1
    assert cloud.keys("rejected") == cloud.published == []


def test_nor_is_one_that_comes_again_after_a_takeover(cloud):
    read(reading())
    read(reading(node=1, epoch=2, slot=SLOT + 1))
    assert read(reading()) == "redelivered"
    assert cloud.keys("rejected") == cloud.published == []


def test_two_readings_of_one_board_in_one_slot(cloud):
    read(reading())
    assert read(reading(sequence=8, celsius=22)) == "duplicate"
    assert cloud.items("Readings")[0]["celsius"] == Decimal("21.5")
    assert cloud.keys("rejected") == [f"rosie#rejected#15#0#8#{SLOT}"]


def test_a_reading_that_its_board_sends_again_with_a_new_token_raises_the_fence(cloud):
    read(reading(epoch=1))
    assert read(reading(epoch=3)) == "duplicate"
    assert cloud.fence() == token(3, 0)
    assert cloud.items("Readings")[0]["token"] == token(1, 0)
    assert cloud.published == []


def test_a_stale_reading_is_refused_and_recorded(cloud):
    read(reading(node=1, epoch=2))
    assert read(reading(node=0, epoch=1, slot=SLOT + 1)) == "stale"
    assert [item["slot"] for item in cloud.items("Readings")] == [SLOT]
    assert cloud.fence() == 22
    rejected = cloud.ledger(f"rosie#rejected#15#0#7#{SLOT + 1}")
    assert rejected["reason"] == "stale"
    assert json.loads(rejected["message"]) == reading(slot=SLOT + 1)
    assert rejected["expires_at"] > NOW_S + 360 * 86400


def test_board_and_people_are_told_of_a_stale_token(cloud):
    read(reading(node=1, epoch=2))
    read(reading(node=0, epoch=1, slot=SLOT + 1))
    told_board, told_people = cloud.published
    assert told_board == (
        "rosie/refused/rosie-0",
        True,
        {
            "cluster": "rosie",
            "thing": "rosie-0",
            "token": 15,
            "fence": 22,
            "epoch": 2,
            "remedy": "cluster.format(epoch=2)",
        },
    )
    topic, retained, about = told_people
    assert (topic, retained) == ("rosie/event", False)
    assert [about[key] for key in ("kind", "about", "n", "fence")] == ["refused", 0, 15, 22]
    assert tell(about, thing="n/a") == "sent"  # send_cluster_mail understands it


def test_people_are_told_once_for_each_stale_token(cloud):
    read(reading(node=1, epoch=4))
    for slot, epoch in ((1, 1), (2, 1), (3, 3), (4, 3)):
        read(reading(slot=SLOT + slot, epoch=epoch))
    events = [content["n"] for topic, _, content in cloud.published if topic == "rosie/event"]
    assert events == [token(1, 0), token(3, 0)]
    assert len(cloud.published) == len(events) + 4  # the board is told each time
    assert len(cloud.keys("rejected")) == 4


def test_people_are_told_if_the_function_fails_in_between(cloud, monkeypatch):
    read(reading(node=1, epoch=2))

    def broken(*_, **__):
        raise RuntimeError("out of order")

    with monkeypatch.context() as patch:
        patch.setattr(reading_function, "tell_people", broken)
        with pytest.raises(RuntimeError):
            read(reading(slot=SLOT + 1))
    assert read(reading(slot=SLOT + 1)) == "stale"  # Lambda tries again
    assert [topic for topic, _, _ in cloud.published].count("rosie/event") == 1


def test_the_whole_token_counts_not_its_epoch_alone(cloud):
    assert read(reading(node=1, epoch=2)) == "stored"
    assert read(reading(node=0, epoch=2, slot=SLOT + 1)) == "stored"
    assert read(reading(node=1, epoch=2, slot=SLOT + 2)) == "stale"


def test_a_late_reading_of_the_same_token_is_stored(cloud):
    assert read(reading(slot=SLOT + 5)) == "stored"
    assert read(reading(slot=SLOT)) == "stored"


def test_a_duplicate_raises_the_fence(cloud):
    read(reading(node=0, epoch=1))
    assert read(reading(node=1, epoch=2)) == "duplicate"
    assert cloud.ledger(f"rosie#rejected#22#1#7#{SLOT}")["reason"] == "duplicate"
    assert cloud.items("Readings")[0]["node"] == 0
    assert cloud.fence() == 22
    assert read(reading(node=0, epoch=1, slot=SLOT + 1)) == "stale"


def test_a_duplicate_with_an_old_token_is_stale(cloud):
    read(reading(node=1, epoch=2))
    assert read(reading(node=0, epoch=1)) == "stale"
    assert cloud.fence() == 22


def test_a_fence_that_rises_in_between_makes_a_duplicate_stale(cloud, monkeypatch):
    """The fence was low in the transaction, and is higher when it is to be raised."""
    read(reading(node=0, epoch=1))

    def late_read(variable, key, original=fenced.read):
        cloud.table("Ledger").put_item(Item={"key": "rosie#fence", "token": 99})
        return original(variable, key)

    monkeypatch.setattr(fenced, "read", late_read)
    assert read(reading(node=1, epoch=2)) == "stale"
    assert cloud.fence() == 99


@pytest.mark.parametrize("foreign", ["message", "topic"])
def test_a_huge_token_of_another_cluster_does_not_touch_this_one(cloud, foreign):
    rogue = reading(epoch=(1 << 29) - 1)
    if foreign == "message":
        assert read({**rogue, "cluster": "daisy"}, thing="daisy-0") == "malformed"
    else:
        assert read(rogue, topic_cluster="daisy") == "malformed"
    assert cloud.fence() is None
    assert read(reading()) == "stored"


def test_troubles_of_dynamodb_are_raised_for_lambda_to_try_again(cloud, monkeypatch, capsys):
    def busy(**_):
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        raise client.exceptions.TransactionCanceledException(error, "TransactWriteItems")

    client = aws.table("READINGS_TABLE").meta.client
    monkeypatch.setattr(client, "transact_write_items", busy)
    with pytest.raises(ClientError):
        read(reading())
    line = json.loads(capsys.readouterr().out)
    assert line["outcome"] == "failed" and "TransactionCanceled" in line["error"]
    assert cloud.items("Ledger") == []


def test_the_ledger_forgets_all_but_the_fence(cloud):
    read(reading(node=1, epoch=2))
    read(reading(node=0, epoch=1))
    read(reading(node=1, epoch=3))
    for kind in ("dead", "recovered"):
        tell(event(kind))
    forgotten = RESOURCES["Ledger"]["Properties"]["TimeToLiveSpecification"]["AttributeName"]
    kept = [item["key"] for item in cloud.items("Ledger") if item.get(forgotten, 0) < NOW_S]
    assert kept == ["rosie#fence"] and len(cloud.items("Ledger")) > 4


# Malformed messages

MALFORMED_READINGS = [
    ("cluster", {"cluster": "daisy"}),
    ("cluster", {"cluster": None}),
    ("node", {"node": 8}),
    ("node", {"node": "0"}),
    ("node", {"node": True}),
    ("node", {"node": 1, "token": 14}),  # published by rosie-0
    ("token", {"token": 14}),  # node 1's
    ("token", {"token": 15.0}),
    ("token", {"token": 1 << 32 | 15}),
    ("token", {"token": -1}),
    ("epoch", {"epoch": 2}),
    ("sequence", {"sequence": -1}),
    ("slot", {"slot": 1.5}),
    ("sensor", {"sensor": "a#b"}),
    ("sensor", {"sensor": ""}),
    ("celsius", {"celsius": "21.5"}),
    ("celsius", {"celsius": 125.1}),
    ("celsius", {"celsius": float("nan")}),
    ("celsius", {"celsius": True}),
    ("taken_at", {"taken_at": 946_684_800}),  # its clock was never set
    ("rom", {"rom": "28ff"}),
]
MALFORMED_EVENTS = [
    ("kind", event("dying")),
    ("kind", {**event("dead"), "kind": ["dead"]}),
    ("about", event("dead", about=8)),
    ("n", event("dead", n=None)),
    ("rival_token", event("split_brain", rival_token=None)),
    ("what", event("app", what="  ")),
    ("token", event("dead", token=14)),
]


@pytest.mark.parametrize(("field", "changes"), MALFORMED_READINGS)
def test_malformed_readings(cloud, field, changes):
    assert read({**reading(), **changes}, thing="rosie-0") == "malformed"
    (letter,) = cloud.dead_letters()
    assert letter["error"].startswith(field + ": expected "), letter["error"]
    assert letter["thing"] == "rosie-0" and '"cluster"' in letter["payload"]
    assert cloud.items("Readings") == cloud.items("Ledger") == []


@pytest.mark.parametrize("field", reading())
def test_readings_lack_nothing(cloud, field):
    content = reading()
    del content[field]
    assert read(content, thing="rosie-0") == "malformed"
    assert cloud.dead_letters()[0]["error"].startswith(field + ": expected ")


@pytest.mark.parametrize(("field", "content"), MALFORMED_EVENTS)
def test_malformed_events(cloud, field, content):
    assert tell(content, thing="rosie-0") == "malformed"
    assert cloud.dead_letters()[0]["error"].startswith(field + ": expected ")
    assert cloud.items("Ledger") == cloud.mails == []


@pytest.mark.parametrize("payload", [b"", b"21.5 degrees", b"\xff\xfe", b"[1]", b"21.5", b"null"])
def test_what_is_no_object_is_set_aside(cloud, payload):
    assert read(payload, thing="rosie-0") == "malformed"
    assert cloud.dead_letters()[0]["error"].startswith("payload: expected ")


def test_boards_publish_under_their_own_name(cloud):
    assert read(reading(), thing="rosie-1") == "malformed"
    assert tell(event("dead"), thing="rosie-1") == "malformed"
    assert tell(event("dead"), thing="n/a") == "malformed"


def test_only_the_cloud_says_that_it_refused(cloud):
    assert tell(event("refused"), thing="rosie-0") == "malformed"
    assert tell(event("refused"), thing="n/a") == "sent"


def test_each_message_leaves_a_line(cloud, capsys):
    read(reading())
    read(reading(node=9), thing="rosie-9")
    tell(event("dead"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["outcome"] for line in lines] == ["stored", "malformed", "sent"]
    assert (lines[0]["celsius"], lines[0]["thing"]) == (21.5, "rosie-0")


# Mails


def test_an_event_is_mailed_once_however_often_it_comes(cloud):
    again = event("dead", sequence=9, slot=SLOT + 1)  # a crash before `announced`
    assert [tell(event("dead")), tell(event("dead")), tell(again)] == ["sent", "known", "known"]
    assert cloud.mails == ["[rosie] board 1 is dead"]
    assert cloud.ledger("rosie#event#dead#1#3")["state"] == "sent"


def test_other_events_are_other_mails(cloud):
    for content in (event("dead"), event("dead", n=4), event("dead", about=2), event("failover")):
        assert tell(content) == "sent"
    assert len(cloud.mails) == 4


def test_a_failure_to_send_is_raised_and_the_next_try_sends(cloud, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("MAIL_FROM", "stranger@example.com")  # not verified
        with pytest.raises(ClientError):
            tell(event("dead"))
    assert cloud.keys("event") == cloud.mails == []
    assert tell(event("dead")) == "sent"


def test_a_lease_keeps_others_out_until_it_runs_out(cloud, clock, monkeypatch):
    with monkeypatch.context() as patch:  # the function is ended while it sends
        patch.setattr(send_cluster_mail, "send", lambda *_: (_ for _ in ()).throw(SystemExit))
        patch.setattr(claims, "give_back", lambda *_: None)
        with pytest.raises(SystemExit):
            tell(event("dead"))
    clock.now_s += claims.LEASE_S
    assert tell(event("dead")) == "known"
    clock.now_s += 1
    assert tell(event("dead")) == "sent"
    assert len(cloud.mails) == 1


def test_a_claim_that_was_taken_over_is_not_ours_any_more(cloud, clock):
    message = checks.event(envelope(event("dead")), "rosie")
    first = claims.claim(message)
    clock.now_s += claims.LEASE_S + 1
    second = claims.claim(message)
    assert first and second and first != second
    assert not claims.give_back(message, first)
    assert not claims.settle(message, first, "mail 1")
    assert claims.settle(message, second, "mail 2")
    assert cloud.ledger("rosie#event#dead#1#3")["mail_id"] == "mail 2"


def test_an_event_is_heard_again_after_30_days(cloud, clock):
    assert tell(event("dead")) == "sent"
    clock.now_s += claims.KEEP_S
    assert tell(event("dead")) == "known"
    clock.now_s += 1
    assert tell(event("dead")) == "sent"


def test_quiet_kinds_are_recorded_not_mailed(cloud):
    assert [tell(event("recovered")), tell(event("recovered"))] == ["quiet", "known"]
    assert cloud.ledger("rosie#event#recovered#1#3")["state"] == "quiet"
    assert cloud.mails == []


def test_the_kinds_are_those_of_the_library():
    assert len(KINDS) > 10 and KINDS[:-2] == library_events._KINDS
    assert sorted(mail.KINDS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_readable_mail(cloud, monkeypatch, kind):
    monkeypatch.setenv("QUIET_KINDS", "")
    content = event(kind, node=0, about=0 if kind == "app" else 5)
    assert tell(content) == "sent"
    message = checks.event(envelope(content), "rosie")
    subject, body = mail.compose(message, 900)
    assert cloud.mails == [subject]
    about = f"{'EEPROM' if kind.startswith('eeprom') else 'board'} {content['about']}"
    assert subject.startswith("[rosie] ") and len(subject) <= 78
    assert about.lower() in (subject + body).lower()
    titles = ["What happened", "What the cluster does now", "What to do", "Facts"]
    lines = body.splitlines()
    assert [line for line in lines if line in titles] == titles
    assert all(len(line) <= 78 for line in lines)
    assert not re.search(r"[{}]|None|\bboard board", subject + body)
    assert "15 (epoch 1, board 0)" in body and "2025-12-08 07:45:00 UTC" in body
    assert kind in body and ("rosie-0" in body or kind == "refused")


def test_mails_name_what_only_their_kind_has(cloud):
    def body(content):
        return mail.compose(checks.event(envelope(content), "rosie"), 900)[1]

    assert "no access point" in body(event("app"))
    assert "token 14" in body(event("split_brain"))
    assert "cluster.format(epoch=2)" in " ".join(body(event("refused")).split())


def test_nothing_a_board_says_keeps_a_mail_from_being_sent(cloud):
    odd = event("app", what="{braces} \r\nBcc: me\x00 é " + "x" * 5000, slot=(1 << 32) - 1)
    assert tell(odd) == "sent"


# The template


def test_cfn_lint():
    config = cfnlint.ManualArgs(regions=["eu-west-1", "us-east-1"])
    found = cfnlint.lint_file(TEMPLATE, config=config)
    assert [str(match) for match in found] == []


@pytest.mark.slow
def test_sam_validate(tmp_path):
    environment = {"AWS_DEFAULT_REGION": "eu-west-1", "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(
        [require_tool("sam"), "validate", "--lint", "--template-file", TEMPLATE],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def variables(name):
    """What the template puts into a function's environment."""
    shared = STACK["Globals"]["Function"]["Environment"]["Variables"]
    return {*shared, *RESOURCES[name]["Properties"]["Environment"]["Variables"]}


def test_the_functions_get_the_variables_that_they_read():
    source = "".join(path.read_text() for path in FUNCTIONS.glob("*.py"))
    wanted = set(re.findall(r'os\.environ\["(\w+)"\]', source))
    wanted |= set(re.findall(r'"(\w+_TABLE)"', source))
    given = variables("ReadingFunction") | variables("SendClusterMail")
    assert wanted == given
    reads = (FUNCTIONS / "send_cluster_mail.py").read_text()
    assert set(re.findall(r'os\.environ\["(\w+)"\]', reads)) <= variables("SendClusterMail")


def test_a_lease_outlives_its_function_and_ends_before_lambda_tries_again():
    timeout_s = STACK["Globals"]["Function"]["Timeout"]
    assert (aws.CONNECT_S + aws.ANSWER_S) * aws.TRIES < timeout_s < claims.LEASE_S < 60


def test_readings_outlive_the_stack_and_mistakes():
    readings = RESOURCES["Readings"]
    assert readings["DeletionPolicy"] == "RetainExceptOnCreate"
    assert readings["UpdateReplacePolicy"] == "Retain"
    assert readings["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_quiet_kinds_exist():
    quiet = STACK["Parameters"]["QuietKinds"]["Default"].split(",")
    assert set(quiet) < set(KINDS)


@pytest.mark.parametrize("function", ["ReadingFunction", "SendClusterMail"])
def test_handlers_exist(function):
    module, name = RESOURCES[function]["Properties"]["Handler"].split(".")
    assert f"def {name}(" in (FUNCTIONS / f"{module}.py").read_text()
