"""Who mails an event: the one that claims it in the ledger, once.

A claim is a lease. If its holder dies while sending, the lease runs out, and Lambda's next try of
the same message, a minute later, takes over. If sending fails, the claim is given back. So a mail
is never not sent; it is sent twice only if SES took it, and its answer was lost or the function
died before `settle`. An event is forgotten after 30 days: a cluster that was formatted counts its
events from 0 again.
"""

import time
import uuid

import aws

LEASE_S = 45  # longer than the function may run (20 s), shorter than Lambda waits to try again
KEEP_S = 30 * 86400

SENDING, SENT, QUIET = "sending", "sent", "quiet"
# DynamoDB takes up to some days to remove what has expired.
FREE = (
    "attribute_not_exists(#key) OR expires_at < :now OR (#state = :sending AND lease_until < :now)"
)


def claim(event, state=SENDING):
    """Our claim, to be settled or given back; None if the event is mailed, or being mailed."""
    now_s = int(time.time())
    owner = uuid.uuid4().hex
    item = {
        "key": key(event),
        "state": state,
        "owner": owner,
        "lease_until": now_s + LEASE_S,
        "expires_at": now_s + KEEP_S,
        "message": event["text"],
        "received_at": event["received_at_s"],
    }
    free = aws.holds(
        aws.table("LEDGER_TABLE").put_item,
        Item=item,
        ConditionExpression=FREE,
        ExpressionAttributeNames={"#key": "key", "#state": "state"},
        ExpressionAttributeValues={":now": now_s, ":sending": SENDING},
    )
    return owner if free else None


def settle(event, owner, mail_id):
    """The mail is sent. False if our lease had run out and somebody else has the claim."""
    return aws.holds(
        aws.table("LEDGER_TABLE").update_item,
        Key={"key": key(event)},
        UpdateExpression="SET #state = :sent, mail_id = :mail REMOVE lease_until",
        ConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
        ExpressionAttributeValues={":owner": owner, ":sent": SENT, ":mail": mail_id},
    )


def give_back(event, owner):
    """The mail was not sent: whoever comes next may try at once."""
    return aws.holds(
        aws.table("LEDGER_TABLE").delete_item,
        Key={"key": key(event)},
        ConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": owner},
    )


def key(event):
    return "{cluster}#event#{kind}#{about}#{n}".format(**event)
