"""How both functions take a message in: checked, used, logged; malformed ones set aside.

A message that is malformed stays so, however often it is tried. It goes to the dead-letter queue at
once, with the reason. Every other error is raised: Lambda tries the message twice more and puts it
into the same queue if that was in vain (`EventInvokeConfig` in template.yaml).
"""

import base64
import json
import os

import aws
import log


def take(envelope, check, use):
    """The outcome of a message, a word: what `use` returns, or "malformed".

    envelope  what the IoT rule hands over: payload, topic_cluster, thing, received_at_ms
    check     makes of it a message that can be relied upon, or raises ValueError
    use       does with the message what is to be done
    """
    try:
        message = check(envelope, os.environ["CLUSTER"])
    except ValueError as error:
        set_aside(envelope, error)
        log.line("malformed", error=error, envelope=envelope)
        return "malformed"
    facts = {key: value for key, value in message.items() if key != "text"}
    try:
        outcome = use(message)
    except Exception as error:
        log.line("failed", error=f"{type(error).__name__}: {error}", **facts)
        raise
    log.line(outcome, **facts)
    return outcome


def set_aside(envelope, error):
    """Put a malformed message into the dead-letter queue, readable."""
    payload = base64.b64decode(envelope["payload"]).decode(errors="backslashreplace")
    body = json.dumps({"error": str(error), **envelope, "payload": payload})
    aws.client("sqs").send_message(QueueUrl=os.environ["DEAD_LETTERS"], MessageBody=body)
