"""The judge of the rehearsal sees what is wrong: a run that is right, and each way to spoil it."""

import copy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "avocado"))

from rehearsal.cloud import Mail  # noqa: E402
from rehearsal.field import Phase, Published  # noqa: E402
from rehearsal.judge import judge  # noqa: E402

T = 900
START = 1_800_000_000 // T * T


def reading(slot, node, token, sequence):
    at_s = START + slot * T + 300
    message = {"node": node, "token": token, "sequence": sequence, "slot": at_s // T}
    return Published(at_s, node, "rosie/reading", message)


def row(published, **changes):
    message = dict(published.message)
    return message | {"celsius": 20, "taken_at": int(published.at_s)} | changes


def event(slot, node, kind, about, n, **more):
    message = {"kind": kind, "about": about, "n": n, "node": node, "token": 22, "sequence": 90}
    return Published(START + slot * T + 301, node, "rosie/event", message | more)


def mail(kind, about, n):
    return Mail(
        "from", ("to",), "subject", f"Facts\n  event         {kind}, about {about}, number {n}\n"
    )


@pytest.fixture
def run():
    """Node 0 publishes in slots 0 to 3, then node 1 in 6 to 9 and, after an outage, in 12 to 14.

    What node 0 published in slot 4 came when node 1 had published already.
    """
    readings = [reading(slot, 0, 15, slot) for slot in range(4)]
    readings += [reading(slot, 1, 22, slot) for slot in (6, 7, 8, 9, 12, 13, 14)]
    events = [
        event(6, 1, "failover", 1, 1),
        event(12, 1, "app", 1, 4711, what="wifi: no access point after 20 s (2 times)"),
        event(13, 1, "app", 1, 4712, what="tls: no"),
    ]
    phases = [
        Phase("normal", START, START + 10 * T, True, True),
        Phase("no Wi-Fi", START + 10 * T, START + 12 * T, False, True),
        Phase("normal", START + 12 * T, START + 15 * T, True, True),
    ]
    return SimpleNamespace(
        field=SimpleNamespace(
            interval_s=T, retries=1, now_s=START + 15 * T, phases=phases,
            published=sorted(readings + events, key=lambda one: one.at_s),
            measured={node: [one.at_s for one in readings if one.node == node] + [START + 4 * T]
                      for node in (0, 1)},
        ),
        rows=[row(one) for one in readings],
        ledger=[{"key": "rosie#rejected#15#0#4#1", "reason": "stale"}],
        mails=[
            mail("failover", 1, 1), mail("refused", 0, 15),
            mail("app", 1, 4711), mail("app", 1, 4712),
        ],
        dead=[],
    )  # fmt: skip


def verdict(run):
    return judge(run.field, run.rows, run.ledger, run.mails, run.dead)


def test_a_run_that_is_right(run):
    assert verdict(run).failed == []
    assert "(up to 2, allowed 3) and without Wi-Fi (2)" in " ".join(verdict(run).passed)


def row_of(run, slot):
    return next(one for one in run.rows if one["slot"] == START // T + slot)


def lose_row(run):
    run.rows.remove(row_of(run, 7))


def lose_takeover(run):
    for slot in (6, 7):
        lost = row_of(run, slot)
        run.rows.remove(lost)
        run.field.published.remove(
            next(one for one in run.field.published if one.message.get("sequence") == slot)
        )


def double_row(run):
    again = copy.deepcopy(row_of(run, 7))
    run.rows.append(again | {"slot": again["slot"] + 1, "taken_at": again["taken_at"] + 1})


def stale_row(run):
    late = reading(4, 0, 15, 4)
    run.rows.append(row(late))


def token_goes_back(run):
    late = Published(START + 9 * T + 400, 0, "rosie/reading", reading(4, 0, 15, 4).message)
    run.field.published.append(late)
    run.rows.append(row(late, taken_at=START + 4 * T))


def of_no_measurement(run):
    row_of(run, 9)["taken_at"] += 30 * T


def no_end(run):
    for slot in (13, 14):
        run.rows.remove(row_of(run, slot))
        run.field.published.remove(
            next(one for one in run.field.published if one.message.get("sequence") == slot)
        )


def late_reading_vanished(run):
    run.ledger.clear()
    run.mails = [one for one in run.mails if "refused" not in one.body]


def mailed_twice(run):
    run.mails.append(run.mails[0])


def not_mailed(run):
    del run.mails[0]


def mail_of_nothing(run):
    run.mails.append(mail("dead", 1, 1))


def published_without_wifi(run):
    run.field.published.insert(8, event(11, 1, "app", 1, 4711, what="wifi: no"))


def not_told(run):
    told = next(one for one in run.field.published if one.message.get("n") == 4712)
    told.message["what"] = "something"


def dead_letter(run):
    run.dead.append({"error": "token is -1"})


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lose_row, "acknowledged readings"),
        (lose_takeover, "no slot is empty"),
        (double_row, "no slot has two rows"),
        (stale_row, "never acknowledged"),
        (token_goes_back, "token 15 after 22"),
        (of_no_measurement, "of no measurement"),
        (no_end, "nothing after slot"),
        (late_reading_vanished, "the late reading is nowhere"),
        (mailed_twice, "('failover', 1, 1) 2 times"),
        (not_mailed, "('failover', 1, 1) 0 times"),
        (mail_of_nothing, "('dead', 1, 1) is nobody's event"),
        (published_without_wifi, "of node 1 in: no Wi-Fi"),
        (not_told, "no event says tls"),
        (dead_letter, "token is -1"),
    ],
)
def test_a_run_that_is_wrong(run, spoil, said):
    spoil(run)
    assert said in " ".join(verdict(run).failed)
