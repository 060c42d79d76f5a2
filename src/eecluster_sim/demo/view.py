"""How the demo looks: a live timeline in a terminal, or plain lines elsewhere.

Colours repeat what letters say. 80 columns and 24 lines are enough.
"""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .stage import INTERVAL_S, Actor, Stage
from .story import Story

PACE_S = 0.9  # real seconds for one interval
REFRESH_S = 0.05
LANE_STYLES = {"primary": "bold green", "standby": "cyan", "dead": "yellow", "isolated": "magenta"}
CELL_STYLES = {"P": "bold green", "s": "cyan", "d": "yellow", "?": "bold yellow", "i": "magenta"}
LEGEND = "P duty done  s standby  ? suspects  d dead or on probation  K killed  X stopped"
CELLS_MIN = 24  # places of a lane's timeline, in 80 columns
NEWS_MIN, NEWS_MAX = 4, 14  # lines
MARKS = {"x": "[x]", ">": "[>]", "!": "[!]", " ": "[ ]"}


def clock(at_ns: int) -> str:
    minutes, seconds = divmod(at_ns // 10**9, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


class PlainView:
    """Lines, one for each piece of news, and one for each step of the story."""

    def __init__(self, console: Console):
        self.console = console

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        pass

    def show(self, stage: Stage, story: Story) -> None:
        """The stage is set."""

    def news(self, at_ns: int, node: int | None, text: str) -> None:
        who = "" if node is None else f"node {node}  "
        self._print(f"{clock(at_ns)}  {who}{text}")

    def step(self, story: Story, number: int) -> None:
        step, state = story.steps[number], story.state[number]
        self._print(f"{MARKS[state]} {story.title(step)}")

    def tick(self, stage: Stage, at_ns: int) -> None:
        """Time went on."""

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A picture that moves: lanes, story, latest news. `pace`: as slow as a person can follow."""

    def __init__(self, console: Console, pace: bool):
        self.console = console
        self.pace = pace
        self.at_ns = 0
        self._log: list[tuple[int, int | None, str]] = []
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._started_s = self._drawn_s = time.monotonic()

    def __enter__(self):
        self._live.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._log.clear()  # make room for the summary
        self._draw()
        self._live.__exit__(*error)

    def show(self, stage: Stage, story: Story) -> None:
        self._stage, self._story = stage, story

    def news(self, at_ns: int, node: int | None, text: str) -> None:
        self._log.append((at_ns, node, text))

    def step(self, story: Story, number: int) -> None:
        self._draw()

    def tick(self, stage: Stage, at_ns: int) -> None:
        self.at_ns = at_ns
        now_s = time.monotonic()
        ahead_s = self._started_s + at_ns / 1e9 / INTERVAL_S * PACE_S - now_s
        if self.pace and ahead_s > 0.01:
            self._draw()
            time.sleep(ahead_s)
        elif now_s - self._drawn_s > REFRESH_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn_s = time.monotonic()
        self._live.update(self.picture(), refresh=True)

    def picture(self) -> Group:
        """All of it, at most as high as the terminal."""
        stage, story = self._stage, self._story
        head = Text(f"eecluster: {stage.nodes} boards, {len(stage.chips)} EEPROMs, ", "bold")
        head.append(f"seed {stage.seed}, virtual time {clock(self.at_ns)}")
        legend = Text(LEGEND, "dim", no_wrap=True, overflow="ellipsis")
        room = self.console.height - stage.nodes - 4  # for story and news, below all else
        steps = [self._step_line(story, number) for number in self._steps_shown(room)]
        news_room = min(NEWS_MAX, room - len(steps))
        news = [self._news_line(*news) for news in self._log[-news_room:]]
        return Group(head, self._lanes(), legend, *steps, Text(""), *news)

    def _steps_shown(self, room: int) -> range:
        """All steps, or those around the present one if the news need the room."""
        count = len(self._story.steps)
        shown = min(count, max(3, room - NEWS_MIN * bool(self._log)))
        present = sum(state == "x" for state in self._story.state)
        first = min(max(0, present - shown // 2), count - shown)
        return range(first, first + shown)

    def _lanes(self) -> Table:
        table = Table(box=None, padding=(0, 1, 0, 0), expand=True, header_style="dim")
        table.add_column("node", width=4)
        table.add_column("role", width=8)
        table.add_column("token", width=5, justify="right")
        table.add_column("duties", width=6, justify="right")
        width = max(CELLS_MIN, self.console.width // 2 - 16)
        table.add_column("wakes", width=width, no_wrap=True)
        table.add_column("last events", ratio=1, no_wrap=True, overflow="ellipsis")
        last = self.at_ns // (INTERVAL_S * 10**9)
        shown = range(max(0, last - width + 1), last + 1)
        for actor in self._stage.actors:
            table.add_row(
                str(actor.board.node),
                Text(actor.role, LANE_STYLES.get(actor.role, "red")),
                str(actor.token or "-"),
                str(actor.duties),
                self._cells(actor, shown),
                ", ".join(f"{kind} {number}" for kind, number in actor.events),
            )
        return table

    def _cells(self, actor: Actor, shown: range) -> Text:
        text = Text()
        for place in shown:
            cell = actor.cells.get(place, ".")
            text.append(cell, CELL_STYLES.get(cell, "dim" if cell == "." else "bold red"))
        return text

    def _step_line(self, story: Story, number: int) -> Text:
        state = story.state[number]
        style = {"x": "green", ">": "bold", "!": "bold red", " ": "dim"}[state]
        title = story.title(story.steps[number])
        return Text(f"{MARKS[state]} {title}", style, no_wrap=True, overflow="ellipsis")

    def _news_line(self, at_ns: int, node: int | None, text: str) -> Text:
        line = Text(f"{clock(at_ns)}  ", "dim", no_wrap=True, overflow="ellipsis")
        if node is not None:
            line.append(f"node {node}  ", "default")
        return line.append(text, "default")


def summary(stage: Stage) -> Table:
    """What came of it, in numbers."""
    times = [duty.at_ns for duty in stage.accepted]
    gap_ns = max((b - a for a, b in zip(times, times[1:], strict=False)), default=0)
    rows = [
        ("duties done", len(times)),
        ("longest gap between duties", clock(gap_ns)),
        ("takeovers", stage.takeovers),
        ("virtual time", clock(stage.lab.world.now_ns)),
        ("wakes, each a process of its own", sum(actor.wakes for actor in stage.actors)),
        ("bus time per wake, standby", _mean_ms(stage.bus_ns["standby"])),
        ("wakes without a duty", sum(actor.idle_wakes for actor in stage.actors)),
        ("bus time per wake, primary", _mean_ms(stage.bus_ns["primary"])),
    ]
    table = Table.grid(padding=(0, 3, 0, 0))
    for left, right in zip(rows[::2], rows[1::2], strict=True):
        table.add_row(left[0], Text(str(left[1]), "bold"), right[0], Text(str(right[1]), "bold"))
    return table


def _mean_ms(spent_ns: list[int]) -> str:
    return f"{sum(spent_ns) / max(1, len(spent_ns)) / 1e6:.1f} ms"
