"""Settings of the tests on CPython, and the figures of searches and long runs at the end."""

import json

from hypothesis import settings

# No deadline: a busy machine is not a failure. A failing example prints how to replay it.
settings.register_profile("eecluster", deadline=None, print_blob=True)
settings.load_profile("eecluster")


def pytest_collection_modifyitems(items):
    """What takes long comes first, so that no process is alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_terminal_summary(terminalreporter):
    """What was explored and simulated (also with -n auto and -q)."""

    def recorded(wanted):
        return [
            json.loads(value)
            for reports in terminalreporter.stats.values()
            for report in reports
            for name, value in getattr(report, "user_properties", ())
            if name == wanted and report.when == "call"
        ]

    for name, sizes in sorted(recorded("search")):
        figures = ", ".join(f"{what} {n:,}" for what, n in sizes.items() if n is not None)
        terminalreporter.write_line(f"{name}: {figures}")
    histories = recorded("histories")
    if histories:
        wakes = sum([part[0] for part in histories])
        first = min([part[1] for part in histories])
        last = max([part[2] for part in histories]) - 1
        terminalreporter.write_line(f"histories: {wakes:,} wakes simulated, seeds {first}..{last}")
