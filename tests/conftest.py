"""Settings of the tests on CPython, and the figures of the long runs at the end."""

import json

from hypothesis import settings

# No deadline: a busy machine is not a failure. A failing example prints how to replay it.
settings.register_profile("eecluster", deadline=None, print_blob=True)
settings.load_profile("eecluster")


def pytest_terminal_summary(terminalreporter):
    """How many wakes the histories of test_histories came to (also with -n auto and -q)."""
    found = [
        json.loads(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "histories" and report.when == "call"
    ]
    if found:
        wakes = sum([part[0] for part in found])
        first = min([part[1] for part in found])
        last = max([part[2] for part in found]) - 1
        terminalreporter.write_line(f"histories: {wakes:,} wakes simulated, seeds {first}..{last}")
