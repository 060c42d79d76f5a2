"""What came of it: the temperature as a picture and in the terminal, the mails as they arrive."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import matplotlib
import plotext
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from .cloud import Mail
from .field import Field
from .judge import Verdict

matplotlib.use("Agg")
from matplotlib import dates, pyplot  # noqa: E402

COLOURS = ("#2a7f62", "#d1652b", "#3b6fb6", "#8a4fa3")  # of the nodes; also told by their markers
MARKERS = "os^D"
TERMINAL_COLOURS = ("green+", "orange+", "blue+", "magenta+")
QUIET_EVENTS = ("suspect", "recovered")


def when(second: float) -> datetime:
    return datetime.fromtimestamp(second, timezone.utc)


def on_axis(second: float) -> float:
    return float(dates.date2num(when(second)))


def notable(played: Field) -> list[tuple[float, str]]:
    """(true time, words) of the events that were published, those of one moment in one."""
    found: dict[int, list[str]] = {}
    for one in played.published:
        if one.topic.endswith("/event") and one.message["kind"] not in QUIET_EVENTS:
            words = f"{one.message['kind']} {one.message['about']}"
            found.setdefault(round(one.at_s / 60), []).append(words)
    return [(minute * 60, "\n".join(words)) for minute, words in sorted(found.items())]


def plot(path: Path, played: Field, verdict: Verdict) -> None:
    """The rows over true time, coloured by who published them; events and acts marked."""
    figure, axes = pyplot.subplots(figsize=(11, 5.6), dpi=120, layout="constrained")
    for number, phase in enumerate(played.phases, 1):
        colour = (
            "#f0c8c0"
            if not (phase.wifi and phase.broker)
            else "#f4f4f4"
            if number % 2
            else "#ffffff"
        )
        axes.axvspan(on_axis(phase.start_s), on_axis(phase.end_s), color=colour, zorder=0)
        middle = on_axis((phase.start_s + phase.end_s) / 2)
        axes.text(middle, 0.985, str(number), transform=axes.get_xaxis_transform(), va="top",
                  ha="center", fontsize=10, fontweight="bold", color="#555555")  # fmt: skip
    for node in sorted(played.measured):
        rows = [(at, row) for at, row in verdict.rows if row["node"] == node]
        if rows:
            hours = [on_axis(at) for at, _ in rows]
            celsius = [float(row["celsius"]) for _, row in rows]
            axes.scatter(hours, celsius, s=34, color=COLOURS[node], marker=MARKERS[node], zorder=3,
                         label=f"published by node {node}")  # fmt: skip
    for at_s, words in notable(played):
        axes.axvline(on_axis(at_s), color="#999999", linewidth=0.8, linestyle=":", zorder=1)
        axes.text(on_axis(at_s), 0.02, words, transform=axes.get_xaxis_transform(), fontsize=7,
                  rotation=90, va="bottom", ha="right", color="#444444", zorder=4)  # fmt: skip
    low = min(float(row["celsius"]) for _, row in verdict.rows)
    high = max(float(row["celsius"]) for _, row in verdict.rows)
    axes.set_ylim(low - 0.45 * (high - low), high + 0.12 * (high - low))  # events stand below
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=timezone.utc))
    axes.set_xlabel("true time, UTC")
    axes.set_ylabel("°C")
    axes.set_title(f"Cluster {played.cluster}: one row in DynamoDB per time slot")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.94))
    acts = [f"{number}  {phase.name}" for number, phase in enumerate(played.phases, 1)]
    figure.supxlabel("\n".join(acts), x=0.06, ha="left", fontsize=8, color="#444444")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def draw(played: Field, verdict: Verdict, console: Console) -> None:
    """The same in the terminal."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(min(console.width, 110), 22)
    for node in sorted(played.measured):
        rows = [(at, row) for at, row in verdict.rows if row["node"] == node]
        if rows:
            hours = [(at - played.start_s) / 3600 for at, _ in rows]
            celsius = [float(row["celsius"]) for _, row in rows]
            plotext.scatter(hours, celsius, marker=str(node), color=TERMINAL_COLOURS[node],
                            label=f"node {node}")  # fmt: skip
    for phase in played.phases:
        plotext.vline((phase.start_s - played.start_s) / 3600, color="gray")
    plotext.title("°C by hours, as stored; lines: the acts")
    text = plotext.build()
    console.print(Text.from_ansi(text if console.is_terminal else plotext.uncolorize(text)))


def mails(found: list[Mail], console: Console, path: Path, whole: int = 2) -> None:
    """Their subjects, some of them in full, and all of them in a file."""
    for mail in found:
        console.print(f"  {mail.subject}", highlight=False, markup=False)
    chosen = sorted(found, key=lambda mail: "took over" not in mail.subject)[:whole]
    for mail in chosen:
        title = Text(mail.subject)
        console.print(Panel(Text(mail.body.rstrip()), title=title, title_align="left", width=88))
    text = [
        f"From: {m.sender}\nTo: {', '.join(m.to)}\nSubject: {m.subject}\n\n{m.body}" for m in found
    ]
    path.write_text(("\n" + "-" * 76 + "\n\n").join(text))


def table(rows: list[tuple[float, dict[str, Any]]]) -> str:
    """The rows as text, for whoever wants to look closely."""
    lines = ["measured (true, UTC)   slot      node  token  sequence  celsius"]
    for at_s, row in rows:
        lines.append(
            f"{when(at_s):%Y-%m-%d %H:%M:%S}  {row['slot']:>8}  {row['node']:>4}  {row['token']:>5}"
            f"  {row['sequence']:>8}  {float(row['celsius']):>7.2f}"
        )
    return "\n".join(lines) + "\n"
