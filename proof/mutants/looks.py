"""Mistakes in how looks, silence and beats are counted. Stands on mistake."""

from proof.mutants.mistake import Mistake

LOOKS = (
    Mistake(
        "reset-loop",
        "looks that follow each other too fast count as well",
        (
            (
                "rules.py",
                "        if 0 <= passed * 8 < config.interval * 7:\n            return False\n",
                "",
            ),
        ),
        "an interval, and a board that looks more often than that",
        {"interval": 900},
        caught_by=("history", "0"),
    ),
    Mistake(
        "half-interval",
        "looks count from half the interval on, not from 7/8 of it",
        (("rules.py", "< config.interval * 7:", "< config.interval * 4:"),),
        "an interval, and a board that looks a little too early",
        {"interval": 900},
        caught_by=("history", "0"),
    ),
    Mistake(
        "one-strike",
        "retries are forgotten: the first look without a beat is the last",
        (
            (
                "rules.py",
                "[strikes > retries for strikes in mine.strikes]",
                "[strikes > 0 for strikes in mine.strikes]",
            ),
            (
                "rules.py",
                "mine.strikes[p] - config.retries if counted",
                "mine.strikes[p] if counted",
            ),
        ),
        "a beat that comes late, or is missed, with retries >= 1",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "never-taken-back",
        "a dead node that beats again stays dead",
        (("takeover.py", "            found |= 1 << j\n", "            pass\n"),),
        "a node that comes back",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
    Mistake(
        "strikes-stay",
        "a new beat takes one strike away instead of all",
        (("rules.py", "max(-127, min(strikes, 0) - 1)", "max(-127, strikes - 1)"),),
        "a node that was silent twice",
        caught_by=("search", "returns, 2 boards, 1 chip"),
    ),
)
