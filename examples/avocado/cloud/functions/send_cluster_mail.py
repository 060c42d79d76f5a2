"""The function behind the topic <cluster>/event: mails an event, once, however often it arrives."""

import os

import aws
import checks
import claims
import intake
import mail


def handler(envelope, _context):
    return intake.take(envelope, checks.event, tell)


def tell(event):
    """ "sent"; "quiet": recorded, but not mailed; "known": mailed, or being mailed, already."""
    if event["kind"] in quiet_kinds():
        return "quiet" if claims.claim(event, claims.QUIET) else "known"
    owner = claims.claim(event)
    if owner is None:
        return "known"
    try:
        mail_id = send(*mail.compose(event, int(os.environ["INTERVAL_S"])))
    except Exception:
        claims.give_back(event, owner)
        raise
    claims.settle(event, owner, mail_id)
    return "sent"


def quiet_kinds():
    return [kind.strip() for kind in os.environ["QUIET_KINDS"].split(",")]


def send(subject, body):
    """Have SES send a mail; its id there."""
    content = {"Subject": {"Data": subject}, "Body": {"Text": {"Data": body}}}
    answer = aws.client("sesv2").send_email(
        FromEmailAddress=os.environ["MAIL_FROM"],
        Destination={"ToAddresses": [os.environ["MAIL_TO"]]},
        Content={"Simple": content},
    )
    return answer["MessageId"]
