"""Was it right? What must hold of rows, rejected messages and mails, whatever was played.

A time slot is counted by the true time of the measurement, which the simulated sensor knows: that
divided by the interval. The slot that a row bears is by the board's clock, which is set at each
wake of a primary, and runs wrong by some percent in between: where the two differ, the row has
*moved*, and the verdict says how many have.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from .cloud import Mail
from .field import Field

EVENT = re.compile(r"^ *event +(\w+), about (\d+), number (\d+)$", re.MULTILINE)


@dataclass
class Verdict:
    """passed, failed: sentences. rows: (true time of the measurement, row) in that order."""

    rows: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def claim(self, sentence: str, faults: list[str]) -> None:
        if faults:
            self.failed.append(f"{sentence}: {'; '.join(faults)}")
        else:
            self.passed.append(sentence)


def judge(
    played: Field, rows: list[dict], ledger: list[dict], mails: list[Mail], dead_letters: list
) -> Verdict:
    """Everything that must hold."""
    verdict = Verdict()
    rejected = [item for item in ledger if "reason" in item]
    place(verdict, played, rows)
    one_row_a_slot(verdict, played)
    no_gaps(verdict, played)
    all_accounted_for(verdict, played, rejected)
    nothing_stale(verdict, played, rejected)
    silent_when_cut_off(verdict, played)
    each_event_mailed_once(verdict, played, mails, rejected)
    verdict.claim("nothing lies in the dead-letter queue", [str(one) for one in dead_letters])
    return verdict


def place(verdict: Verdict, played: Field, rows: list[dict]) -> None:
    """Find the measurement of each row: that of its node nearest to the time it bears."""
    faults = []
    for row in rows:
        taken_at = float(row["taken_at"])
        true_s = min(played.measured[int(row["node"])], key=lambda at: abs(at - taken_at))
        if abs(true_s - taken_at) > played.interval_s / 2:
            faults.append(f"row of slot {row['slot']} is of no measurement")
        verdict.rows.append((true_s, row))
    verdict.rows.sort(key=lambda placed: placed[0])
    worst_s = max(abs(true_s - float(row["taken_at"])) for true_s, row in verdict.rows)
    moved = sum(true_s // played.interval_s != row["slot"] for true_s, row in verdict.rows)
    verdict.claim(
        f"{len(rows)} rows, each of a measurement (clocks off by up to {worst_s:.0f} s, "
        f"{moved} moved to a neighbouring slot)",
        faults,
    )


def one_row_a_slot(verdict: Verdict, played: Field) -> None:
    slots = Counter(int(true_s // played.interval_s) for true_s, _ in verdict.rows)
    double = [slot for slot, count in slots.items() if count > 1]
    verdict.claim("no slot has two rows", [f"slot {slot}" for slot in double])


def no_gaps(verdict: Verdict, played: Field) -> None:
    """Empty slots: those of a takeover, and those in which nobody could reach the broker."""
    allowed = played.retries + 2
    faults, longest, offline = [], 0, 0
    for (before_s, before), (after_s, after) in pairwise(verdict.rows):
        between = range(int(before_s // played.interval_s) + 1, int(after_s // played.interval_s))
        empty = [slot for slot in between if not is_offline(slot, played)]
        offline += len(between) - len(empty)
        takeover = before["node"] != after["node"]
        longest = max(longest, len(empty))
        if len(empty) > (allowed if takeover else 0):
            faults.append(f"slots {empty[0]} to {empty[-1]} are empty")
    last = int((played.now_s - played.interval_s) // played.interval_s)
    latest = int(verdict.rows[-1][0] // played.interval_s)
    if latest < last:
        faults.append(f"nothing after slot {latest}")
    verdict.claim(
        f"no slot is empty but at takeovers (up to {longest}, allowed {allowed}) "
        f"and without Wi-Fi ({offline})",
        faults,
    )


def is_offline(slot: int, played: Field) -> bool:
    start_s, end_s = slot * played.interval_s, (slot + 1) * played.interval_s
    return any(
        not phase.wifi and start_s < phase.end_s and phase.start_s < end_s
        for phase in played.phases
    )


def identity(message: dict) -> tuple[int, int, int]:
    return int(message["node"]), int(message["token"]), int(message["sequence"])


def all_accounted_for(verdict: Verdict, played: Field, rejected: list[dict]) -> None:
    stored = {identity(row) for _, row in verdict.rows}
    # <cluster>#rejected#<token>#<node>#<sequence>#<slot>
    parts = [item["key"].split("#")[2:5] for item in rejected]
    reported = {(int(node), int(token), int(sequence)) for token, node, sequence in parts}
    readings = [one for one in played.published if one.topic.endswith("/reading")]
    lost = [one for one in readings if identity(one.message) not in stored | reported]
    verdict.claim(
        f"each of {len(readings)} acknowledged readings is a row or reported as duplicate or stale",
        [f"node {one.node}, sequence {one.message['sequence']}" for one in lost],
    )


def nothing_stale(verdict: Verdict, played: Field, rejected: list[dict]) -> None:
    """In the order in which they were published, tokens never go back; and the late one is out."""
    stored = {identity(row) for _, row in verdict.rows}
    highest, faults = 0, []
    for one in played.published:
        if one.topic.endswith("/reading") and identity(one.message) in stored:
            if one.message["token"] < highest:
                faults.append(f"token {one.message['token']} after {highest}")
            highest = max(highest, one.message["token"])
    acknowledged = {identity(one.message) for one in played.published}
    faults += [f"stored, but never acknowledged: {one}" for one in stored - acknowledged]
    late = [item for item in rejected if item["reason"] == "stale"]
    if not late:
        faults.append("the late reading is nowhere")
    verdict.claim(f"no stale row is stored, {len(late)} late reading(s) rejected", faults)


def silent_when_cut_off(verdict: Verdict, played: Field) -> None:
    """Nothing got out without Wi-Fi or to a foreign broker, and both were told afterwards."""
    cut_off = [phase for phase in played.phases if not (phase.wifi and phase.broker)]
    faults = [
        f"{one.topic} of node {one.node} in: {phase.name}"
        for phase in cut_off
        for one in played.published
        if phase.start_s <= one.at_s < phase.end_s
    ]
    told = [one.message["what"] for one in played.published if one.message.get("kind") == "app"]
    for step in ("wifi: ", "tls: "):
        if not any(what.startswith(step) for what in told):
            faults.append(f"no event says {step}...")
    verdict.claim("nothing was published while cut off, and why was told later", faults)


def each_event_mailed_once(
    verdict: Verdict, played: Field, mails: list[Mail], rejected: list[dict]
) -> None:
    events = [one.message for one in played.published if one.topic.endswith("/event")]
    keys = {(one["kind"], one["about"], one["n"]) for one in events}
    for item in rejected:
        if item["reason"] == "stale":  # the cloud publishes an event of its own
            _, _, token, node, *_ = item["key"].split("#")
            keys.add(("refused", int(node), int(token)))
    mailed: Counter[tuple[str, int, int]] = Counter()
    for mail in mails:
        found = EVENT.search(mail.body)
        mailed[(found[1], int(found[2]), int(found[3])) if found else (mail.subject, -1, -1)] += 1
    faults = [f"{key} {mailed[key]} times" for key in sorted(keys) if mailed[key] != 1]
    faults += [f"{key} is nobody's event" for key in sorted(set(mailed) - keys)]
    verdict.claim(f"each of {len(keys)} events was mailed once", faults)
