"""What a mail says: one entry per kind of event, for a person who is on call and may never have
heard of the cluster. Pure.

The kinds are the library's, which docs/events.md describes, and two of this application: `app`, a
duty that failed on a board, and `refused`, a reading that this cloud did not take.
"""

import textwrap
from datetime import datetime, timezone
from typing import NamedTuple


class Text(NamedTuple):
    """What a kind of event means. Braces take fields of the event, {board} what it is about."""

    subject: str
    happened: str
    now: str
    to_do: str


NOTHING = "Nothing, unless such mails come often."

TEXTS = {
    "joined": Text(
        "{board} has joined",
        "{board} has reported for the first time since the cluster was set up.",
        "It counts as a member: it is watched, and it can take over.",
        "Nothing, if a board was added or the cluster was set up just now. If not, find out which"
        " board has this number.",
    ),
    "suspect": Text(
        "{board} is suspected",
        "{board} did not report between two looks of the board in charge.",
        "It is given another chance. If it goes on being silent, it is marked dead, with a mail of"
        " its own.",
        NOTHING + " Then compare its clock with the other boards': one that is much slower than"
        " they are oversleeps.",
    ),
    "recovered": Text(
        "{board} has recovered",
        "{board} was suspected and has reported again.",
        "All is as it was before.",
        NOTHING,
    ),
    "dead": Text(
        "{board} is dead",
        "{board} was silent for too many looks in a row, or for one at which its EEPROM was silent"
        " too. The others have marked it dead.",
        "The others go on without it. If it was in charge, one of them has taken over, with a mail"
        " of its own. There is one board less that could.",
        "Look at its supply and at its wires; restart it. It is taken back by itself once it has"
        " reported at three looks in a row. A new board in its place needs reset_node({about}) on"
        " any board, because its unique id is another one.",
    ),
    "failover": Text(
        "{board} has taken over",
        "{board} is in charge now. The board that was before it has failed, or has stood down"
        " because its duty failed again and again.",
        "{board} reads the sensor and publishes, with token {token}. Whatever still comes with a"
        " lower token is refused.",
        "Find out what became of the other board: a mail about a dead board or a failed duty came"
        " shortly before or after this one.",
    ),
    "readmitted": Text(
        "{board} is back",
        "{board} was marked dead, and reports again.",
        "It is a member again, as a standby: the board in charge stays in charge.",
        NOTHING + " Then the board or its supply is unreliable.",
    ),
    "split_brain": Text(
        "two boards were in charge",
        "{board} was in charge, with token {rival_token}, at the same time as {publisher} with"
        " token {token}. Most likely the bus between them was cut, or their EEPROMs were.",
        "One board is in charge again, the one with the higher token. Of each reading the first"
        " that arrived was stored; what came with the lower token later was refused.",
        "Look at connectors and wires of the bus. Two EEPROMs cannot prevent this; a third one,"
        " as a witness, does.",
    ),
    "eeprom_lost": Text(
        "{board} is lost",
        "{board} does not answer, holds data of something else, or does not keep what is written to"
        " it.",
        "The cluster goes on as long as it has enough of the others. There is one copy less of what"
        " it knows.",
        "Look at its supply, its wires, its address pins and its write-protect pin (to ground). A"
        " blank one in its place is filled by itself; one with foreign data needs"
        " format(force=True), which erases them all.",
    ),
    "eeprom_back": Text(
        "{board} is back",
        "{board} was lost, and holds the cluster's state again.",
        "It is used like the others.",
        NOTHING + " Then a contact or its supply is unreliable.",
    ),
    "lock_stuck": Text(
        "{board} could not get the lock",
        "{board} waited for its turn on the bus in vain, and went on without it. The lock's line is"
        " held by something, or a board crashed while it held it.",
        "Decisions stay right, for tokens guard them. But transfers of two boards may now garble"
        " each other.",
        "If it comes again: measure the line of the busy lock, which must be high when all boards"
        " sleep; look for a short and for a board that hangs; check that all boards have the same"
        " lock and lock_pin in config.json.",
    ),
    "lock_late": Text(
        "{board} is too slow for the lock",
        "{board} could not get the lock although nobody else had it: again and again it was too"
        " late by itself. It went on without it.",
        "Decisions stay right, for tokens guard them. But transfers of two boards may now garble"
        " each other.",
        "Look for what keeps it from running on: a timer's callback, another thread, a very long"
        " garbage collection, a low clock frequency.",
    ),
    "lock_open": Text(
        "the lock of {board} lets others in",
        "While {board} had the lock, another board wrote to the EEPROMs.",
        "Decisions stay right, for tokens guard them. But transfers of two boards may garble each"
        " other.",
        "Check that all boards have the same lock and lock_pin in config.json, and that the line of"
        " the busy lock joins all of them: one pulls it, every other one must see it.",
    ),
    "duplicate_id": Text(
        "two boards have number {about}",
        "Two boards with different unique ids say that they are {board}.",
        "The newcomer keeps out. The others go on.",
        "If a board was added, give it a number of its own (provision.py). If it replaces the old"
        " one, switch that off, and call reset_node({about}) on any board.",
    ),
    "settings_differ": Text(
        "{board} is set otherwise",
        "{board} has another interval, retries or readmit than {publisher}, which is in charge.",
        "Both go on, each by its own settings. A board may be taken for dead too early, or too"
        " late.",
        "Make these settings alike on all boards, in config.json.",
    ),
    "clock_stands": Text(
        "the clock of {board} stands still",
        "The others have reported again and again, and by the clock of {board} no time has passed.",
        "It publishes if it is in charge, but it counts no silence, and never takes over.",
        "Use a board whose clock goes on in deep sleep, or give no interval, on any board.",
    ),
    "app": Text(
        "the duty of {board} failed",
        "{board} was in charge, and could not do its duty: {what}",
        "It tries again at each wake. When it has failed as often as retries allows, it stands down"
        " and another board tries.",
        "Remove the cause. If the other boards say the same, it is not the board: look at the"
        " access point, the network or the sensor.",
    ),
    "refused": Text(
        "a reading of {board} was refused",
        "{board} published a reading with token {token}, but a reading with token {fence} was here"
        " before. So another board was in charge already, or the cluster counts from the start,"
        " because its EEPROMs were formatted or replaced by blank ones.",
        "The reading is not stored in the table of readings, but kept in the ledger. The board is"
        " told when it publishes the next time; until then, all that it publishes is refused.",
        "If readings of another board arrive, nothing: it has taken over, and {board} will follow."
        " If none arrive, connect all EEPROMs and call cluster.format(epoch={fence_epoch}) on one"
        " board: the cluster then counts on from what this cloud has seen.",
    ),
}
KINDS = tuple(TEXTS)
UNIX_END_S = 1 << 32


def compose(event, interval_s):
    """(subject, body) of the mail for an event that checks.py has passed."""
    words = {**event, "board": subject_of(event), "publisher": f"board {event['node']}"}
    words["fence_epoch"] = event.get("fence", 0) >> 3
    words["what"] = textwrap.shorten(event.get("what", ""), 300, placeholder=" ...")
    text = [sentence.format(**words) for sentence in TEXTS[event["kind"]]]
    titles = ("What happened", "What the cluster does now", "What to do")
    body = [
        f"{title}\n{filled(capital(part))}\n" for title, part in zip(titles, text[1:], strict=True)
    ]
    body.append("Facts\n" + facts(event, interval_s))
    return f"[{event['cluster']}] {text[0]}", "\n".join(body)


def subject_of(event):
    """What the event is about, in words."""
    if event["kind"].startswith("eeprom_"):
        return f"EEPROM {event['about']}"
    return f"board {event['about']}"


def facts(event, interval_s):
    slot_s = event["slot"] * interval_s
    lines = {
        "cluster": event["cluster"],
        "event": "{kind}, about {about}, number {n}".format(**event),
        "published by": event["thing"] if event["kind"] != "refused" else "the cloud",
        "token": "{token} (epoch {epoch}, board {node})".format(**event),
        "slot": f"{event['slot']}, from {utc(slot_s)} by the board's clock",
        "received": utc(event["received_at_s"]),
    }
    return "".join(f"  {name:<13} {value}\n" for name, value in lines.items())


def utc(seconds):
    if seconds >= UNIX_END_S:  # a board's clock can say anything; the mail has to go out
        return f"{seconds} s after 1970"
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def filled(text):
    return textwrap.fill(text, 76, initial_indent="  ", subsequent_indent="  ")


def capital(sentence):
    return sentence[:1].upper() + sentence[1:]
