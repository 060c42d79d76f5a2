"""The formula and the table of docs/trust.md, "How many missed beats are forgiven", simulated.

One board is slow by d and misses m beats in a row, the last one comes late by the jitter J. Another
is fast by d. Right up to the limit that the table gives nobody is marked dead, wherever in the slow
board's interval the fast one looks; right after it, somebody is.
"""

import re
from pathlib import Path

import pytest

from cluster_kit import Kit

T_S = 900
PHASES = 40
MARGIN_S = 2  # more than a wake lasts
PAGE = Path(__file__).resolve().parents[2] / "docs" / "trust.md"


def table():
    """{(retries, missed, drift): the jitter it allows, as a part of T} of the page."""
    found = {}
    for row in re.findall(r"^\| (\d) \| (\d) \|(.+)\|$", PAGE.read_text("utf-8"), re.MULTILINE):
        retries, missed = int(row[0]), int(row[1])
        for drift, cell in zip((0, 0.01, 0.05), row[2].split("|"), strict=True):
            found[retries, missed, drift] = float(cell)
    return found


def limit_s(retries, missed, drift):
    """The largest jitter, solved from the formula."""
    return (retries + 1) * T_S * (1 - drift) - (missed + 1) * T_S * (1 + drift)


def killed(retries, missed, drift, jitter_s, phase, interval):
    """Is the slow board ever marked dead by the fast one?"""
    kit = Kit(2, 2, retries=retries, interval=interval)
    slow, fast = kit.boards
    slow.drift_ppm, fast.drift_ppm = round(drift * 1e6), round(-drift * 1e6)
    period_s = T_S * (1 + drift)
    beats_s = [n * period_s for n in range(1, 5)]
    beats_s.append(beats_s[-1] + (missed + 1) * period_s + jitter_s)
    first_s = beats_s[0] + phase * T_S * (1 - drift)
    looks_s = [first_s + n * T_S * (1 - drift) for n in range(missed + 8)]
    wakes = sorted([(at, 0) for at in beats_s] + [(at, 1) for at in looks_s])
    dead = False
    for at_s, node in wakes:
        kit.world.now_ns = max(kit.world.now_ns, int(at_s * 1e9) - 10 * 10**9)  # Kit adds 10 s
        status = kit.wake(node)
        dead = dead or at_s <= beats_s[-1] and 0 in status.dead
    return dead


CASES = [(r, r - 1, d) for r in (1, 2, 3, 4) for d in (0, 0.01, 0.05)]


@pytest.mark.parametrize("retries,missed,drift", CASES)
@pytest.mark.parametrize("interval", [None, T_S])
def test_the_limit_is_where_the_formula_says(retries, missed, drift, interval):
    limit = limit_s(retries, missed, drift)
    phases = [n / PHASES for n in range(PHASES)]
    for phase in phases:
        assert not killed(retries, missed, drift, limit - MARGIN_S, phase, interval), phase
    over = limit + T_S * (1 - drift) / PHASES + MARGIN_S
    assert any([killed(retries, missed, drift, over, phase, interval) for phase in phases])


def test_the_table_follows_from_the_formula():
    found = table()
    assert found.keys() == set(CASES)
    for case, jitter in found.items():
        assert abs(jitter - limit_s(*case) / T_S) < 0.006, case
