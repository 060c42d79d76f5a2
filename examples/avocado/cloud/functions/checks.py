"""What a message must be before anything is done with it. Pure.

A board is trusted as far as its certificate goes: IoT Core vouches for the thing's name and for the
topic. All else may be an old program, a wrong config.json or a broken board. Each error is a
ValueError that names the field, what it should be, and what it was.
"""

import base64
import json
import re
from decimal import Decimal

from mail import KINDS, UNIX_END_S

NODES = 8
TOKEN_END = 1 << 32
N_END = 1 << 48
# The cloud is no MQTT client, so the rule's clientid() gives this for what it publishes.
CLOUD = "n/a"
CLOCK_WAS_SET_S = 1_577_836_800  # 2020: a board whose clock was never set says 2000
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ROM = re.compile(r"[0-9a-f]{16}")


def reading(envelope, cluster):
    """A reading of this cluster, with `thing`, `received_at_s` and its own `text`."""
    message = decode(envelope)
    publisher(message, envelope, cluster)
    publishing_thing(message, envelope)
    pattern(message, "sensor", NAME)
    # The range of a DS18B20; also refuses NaN and infinity, which are in no range.
    celsius = message.get("celsius")
    good = isinstance(celsius, (int, Decimal)) and not isinstance(celsius, bool)
    demand(good and -55 <= celsius <= 125, "celsius", "-55..125", celsius)
    message["celsius"] = round(Decimal(celsius), 4)
    whole(message, "taken_at", CLOCK_WAS_SET_S, UNIX_END_S)
    pattern(message, "rom", ROM)
    return message


def event(envelope, cluster):
    """An event of this cluster, likewise."""
    message = decode(envelope)
    publisher(message, envelope, cluster)
    kind = message.get("kind")
    demand(kind in KINDS, "kind", f"one of {', '.join(KINDS)}", kind)
    whole(message, "about", 0, NODES - 1)
    whole(message, "n", 0, N_END - 1)
    if kind == "refused":
        whole(message, "fence", 0, TOKEN_END - 1)
        demand(message["thing"] == CLOUD, "kind", "not refused from a board", kind)
    else:
        publishing_thing(message, envelope)
    if kind == "split_brain":
        whole(message, "rival_token", 0, TOKEN_END - 1)
    if kind == "app":
        what = message.get("what")
        demand(isinstance(what, str) and what.strip(), "what", "what failed, in words", what)
    return message


def decode(envelope):
    """The message that a rule handed over as Base64, which lets any payload pass, JSON or not."""
    payload = base64.b64decode(envelope["payload"])
    try:
        text = payload.decode()
        message = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ValueError(f"payload: expected JSON, got {payload[:80]!r} ({error})") from error
    demand(isinstance(message, dict), "payload", "a JSON object", message)
    message["text"] = text
    message["thing"] = envelope["thing"]
    message["received_at_s"] = envelope["received_at_ms"] // 1000
    return message


def publisher(message, envelope, cluster):
    """Cluster, node, token and when: what both kinds of messages say of who published them."""
    demand(message.get("cluster") == cluster, "cluster", cluster, message.get("cluster"))
    topic_cluster = envelope["topic_cluster"]
    demand(topic_cluster == cluster, "topic", f"{cluster}/...", f"{topic_cluster}/...")
    node = whole(message, "node", 0, NODES - 1)
    token = whole(message, "token", 1, TOKEN_END - 1)
    owner = 7 - (token & 7)
    demand(owner == node, "token", f"one of node {node}", f"{token}, which is node {owner}'s")
    whole(message, "epoch", token >> 3, token >> 3)
    whole(message, "sequence", 0, TOKEN_END - 1)
    whole(message, "slot", 0, UNIX_END_S)


def publishing_thing(message, envelope):
    expected = f"{message['cluster']}-{message['node']}"
    demand(envelope["thing"] == expected, "node", f"that of {envelope['thing']}", message["node"])


def whole(message, name, low, high):
    value = message.get(name)
    good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    demand(good, name, f"{low}..{high}" if low < high else str(low), value)
    return value


def pattern(message, name, wanted):
    value = message.get(name)
    demand(isinstance(value, str) and wanted.fullmatch(value), name, wanted.pattern, value)


def demand(good, name, expected, found):
    if not good:
        found = "nothing" if found is None else repr(found)[:80]
        raise ValueError(f"{name}: expected {expected}, got {found}")
