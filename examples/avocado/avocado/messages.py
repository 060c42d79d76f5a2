"""What is published, as bytes of JSON, and what a refusal says. Pure. Stands on faults.

Every message names the token that this board holds now, confirmed a moment ago, also that of an
older reading: the token says who may write, the slot what is written.
"""

import json

from .faults import Fault


def reading(config, token, entry):
    """One of ``Kept.readings``."""
    taken_at, sequence, sixteenths, rom = entry
    message = _message(config, token, sequence, taken_at)
    message["sensor"] = config["sensor"]
    message["celsius"] = sixteenths / 16
    message["taken_at"] = taken_at
    message["rom"] = rom
    return _packed(message)


def event(config, token, sequence, now, found):
    """One of ``Status.events``."""
    kind, about, its_token, n = found
    message = _event(config, token, sequence, now, kind, about, n)
    if kind == "split_brain":
        message["rival_token"] = its_token
    return _packed(message)


def failures(config, token, sequence, now, entries):
    """The oldest of ``Kept.failures``, with others of its slot: (how many they are, the event).

    A consumer knows an event by kind, node and slot, so a slot has one.
    """
    slot = entries[0][0] // config["interval_s"]
    told = []
    for since, times, what in entries:
        if since // config["interval_s"] == slot:
            told.append(what if times == 1 else "%s (%d times)" % (what, times))
    message = _event(config, token, sequence, now, "app", config["node_id"], slot)
    message["what"] = "; ".join(told)
    return len(told), _packed(message)


def check_refusals(heard, token):
    """``Fault`` if a consumer has refused the present token. What refused an older one is over."""
    for text in heard:
        try:
            message = json.loads(text)
            fence, remedy = int(message["fence"]), message["remedy"]
        except (ValueError, KeyError, TypeError):
            print("not understood:", text)
            continue
        if fence > token:
            raise Fault("token %d is refused, %d was seen: %s" % (token, fence, remedy))


def _event(config, token, sequence, now, kind, about, n):
    message = _message(config, token, sequence, now)
    message["kind"] = kind
    message["about"] = about
    message["n"] = n
    return message


def _message(config, token, sequence, at):
    return {
        "cluster": config["cluster"],
        "node": config["node_id"],
        "token": token,
        "epoch": token >> 3,
        "sequence": sequence,
        "slot": at // config["interval_s"],
    }


def _packed(message):
    return json.dumps(message).encode()  # bytes: umqtt.simple counts the characters of a str
