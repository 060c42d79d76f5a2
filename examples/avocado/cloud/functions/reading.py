"""The function behind the topic <cluster>/reading: stores a reading, or says no, and to whom.

A board that publishes with an old token has been replaced, or its EEPROMs count from the start. It
is told by a retained message on a topic of its own, which it reads before it publishes the next
time; and somebody is told by a mail, for which an event is published here. All of it may be done
again after a crash half-way without harm: whatever is written twice says the same, and
send_cluster_mail mails an event once.
"""

import json
import time

import aws
import checks
import fenced
import intake

KEEP_REJECTED_S = 365 * 86400
KEEP_TOLD_S = 30 * 86400  # as long as claims.py remembers an event


def handler(envelope, _context):
    return intake.take(envelope, checks.reading, store)


def store(reading):
    outcome = fenced.put(reading)
    if outcome == "stale":
        refuse(reading)
    if outcome in ("stale", "duplicate"):
        record(reading, outcome)
    return outcome


def refuse(reading):
    fence = fenced.fence(reading["cluster"])
    tell_board(reading, fence)
    told = {"key": "{cluster}#told#{node}#{token}".format(**reading)}
    if not fenced.read("LEDGER_TABLE", told):
        tell_people(reading, fence)
        keep({**told, "expires_at": int(time.time()) + KEEP_TOLD_S})


def tell_board(reading, fence):
    refusal = {
        "cluster": reading["cluster"],
        "thing": reading["thing"],
        "token": reading["token"],
        "fence": fence,
        "epoch": fence >> 3,
        "remedy": f"cluster.format(epoch={fence >> 3})",
    }
    publish("{cluster}/refused/{thing}".format(**reading), refusal, retain=True)


def tell_people(reading, fence):
    names = ("cluster", "node", "token", "epoch", "sequence", "slot")
    event = {name: reading[name] for name in names}
    event.update(kind="refused", about=reading["node"], n=reading["token"], fence=fence)
    publish("{cluster}/event".format(**reading), event)


def publish(topic, message, retain=False):
    payload = json.dumps(message)
    aws.client("iot-data").publish(topic=topic, qos=1, retain=retain, payload=payload)


def record(reading, reason):
    """Keep what was not stored, so that it can be looked at, or stored by hand after all."""
    item = {
        "key": "{cluster}#rejected#{token}#{node}#{sequence}#{slot}".format(**reading),
        "reason": reason,
        "message": reading["text"],
        "received_at": reading["received_at_s"],
        "expires_at": int(time.time()) + KEEP_REJECTED_S,
    }
    keep(item)


def keep(item):
    aws.table("LEDGER_TABLE").put_item(Item=item)
