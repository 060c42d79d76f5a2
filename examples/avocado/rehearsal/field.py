"""The two boards in the field: real MicroPython processes on a simulated bus, and what they said.

Rule: what the judge is told of comes from outside of the boards: the true time of each measurement
from the sensor, the true time of each line from the simulator. A line that begins with a topic is
printed by a board when the broker has acknowledged that message.
"""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from eecluster_sim.process_board import Event, ProcessBoard
from eecluster_sim.server import Lab

APPLICATION = Path(__file__).resolve().parents[1]
ROOT = APPLICATION.parents[1]
UMQTT = ROOT / "tests" / "third_party" / "umqtt" / "simple.py"  # a board has it in its firmware
EPOCH_2000_S = 946_684_800
DRIFTS = (0.03, -0.02)  # of the boards' clocks in deep sleep
LOCK_PIN = 18


@dataclass(frozen=True)
class Published:
    """A message that the broker has acknowledged. at_s: true Unix time."""

    at_s: float
    node: int
    topic: str
    message: dict[str, Any]


@dataclass
class Phase:
    """A part of the story. wifi: there is an access point. broker: it is the true one."""

    name: str
    start_s: float
    end_s: float
    wifi: bool
    broker: bool


def tomorrow_s() -> int:
    """The next midnight, Unix time: certificates that are made today are valid then."""
    day = datetime.now(timezone.utc).date() + timedelta(days=1)
    return int(datetime.combine(day, time(), timezone.utc).timestamp())


def garden_celsius(second: float) -> float:
    """The temperature under the avocado tree, so long after midnight."""
    return 17 - 5 * math.cos(second / 86400 * math.tau) + 0.6 * math.sin(second / 7000 * math.tau)


class Field:
    """A context manager: leaving it ends all processes.

    measured    per node the true Unix times of its measurements
    published   what the broker has acknowledged
    phases      what was played
    """

    def __init__(
        self,
        config: dict[str, Any],
        folders: list[Path],
        seed: int,
        say: Callable[[str], object],
        library: Path | None = None,
    ):
        self.interval_s: int = config["interval_s"]
        self.retries: int = config["retries"]
        self.cluster: str = config["cluster"]
        self.start_s = tomorrow_s()
        self.published: list[Published] = []
        self.phases: list[Phase] = []
        self.measured: dict[int, list[float]] = {node: [] for node in range(len(folders))}
        self._say = say
        self.lab = Lab(seed, start_s=self.start_s - EPOCH_2000_S, on_event=self._heard)
        self.boards = [self._board(node, at, library) for node, at in enumerate(folders)]
        for node, board in enumerate(self.boards):
            self.lab.add_eeprom("AT24C256", config["eeproms"][node], owner=board)
        self.lab.wire(LOCK_PIN, *self.boards)

    def __enter__(self) -> "Field":
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.close()

    @property
    def now_s(self) -> float:
        """True Unix time."""
        return self.start_s + self.lab.now_s

    @contextmanager
    def phase(self, name: str, wifi: bool = True, broker: bool = True) -> Iterator[None]:
        """What is played in it belongs to this part of the story."""
        self._say(name)
        phase = Phase(name, self.now_s, self.now_s, wifi, broker)
        self.phases.append(phase)
        yield
        phase.end_s = self.now_s

    def run(self, intervals: float) -> None:
        self.lab.run(intervals * self.interval_s)

    def run_until(self, condition: Callable[[], object], intervals: float) -> None:
        """RuntimeError if it does not come true in that time."""
        if not self.lab.run_until(condition, intervals * self.interval_s):
            lines = "\n".join(f"  {event}" for event in self.lab.events[-25:])
            raise RuntimeError(f"the story stopped at: {self.phases[-1].name}\n{lines}")

    def readings(self, node: int) -> int:
        """How many readings of this node the broker has acknowledged."""
        topic = f"{self.cluster}/reading"
        return sum(one.node == node and one.topic == topic for one in self.published)

    def _board(self, node: int, folder: Path, library: Path | None) -> ProcessBoard:
        files: dict[str, str | Path] = {path.name: path for path in folder.iterdir()}
        del files["main.py"]
        for path in (APPLICATION / "avocado").glob("*.py"):
            files[f"lib/avocado/{path.name}"] = path
        files["lib/umqtt/simple.py"] = UMQTT
        board = self.lab.add_board(
            folder / "main.py",
            node,
            files=files,
            library=library,
            interpreter="micropython",
            drift=DRIFTS[node % len(DRIFTS)],
            at_s=None,
        )
        for sensor in board.sensors.values():
            sensor.celsius = lambda second: self._measure(node, second)
        return board

    def _measure(self, node: int, second: float) -> float:
        self.measured[node].append(self.start_s + second)
        return garden_celsius(second) + 0.25 * node

    def _heard(self, event: Event) -> None:
        if event.kind == "line" and event.text.startswith(self.cluster + "/"):
            topic, text = event.text.split(" ", 1)
            at_s = self.start_s + event.at_ns / 1e9
            self.published.append(Published(at_s, event.board.node, topic, json.loads(text)))
