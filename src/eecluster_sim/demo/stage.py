"""The demo's stage: the boards, the EEPROMs, and what is known of them while the story goes on."""

import re
from pathlib import Path

from ..lab import Lab
from ..lab_board import Event
from ..process_board import ProcessBoard
from .chips import Truth

INTERVAL_S = 900  # the example's
STATUS = re.compile(r"node \d: (\w+), primary (\S+), token (\d+)(?:.*?, suspects ([\d ]+))?")
PUBLISH = re.compile(r"publish (\w+) (.*) token (\d+)")
ANNOUNCED = re.compile(r"\('(\w+)', (\d+), ")


class Actor:
    """What the audience knows of one node. cells: interval number -> what it did then."""

    def __init__(self, board: ProcessBoard):
        self.board = board
        self.role = "-"
        self.token = 0
        self.duties = 0
        self.wakes = 0
        self.idle_wakes = 0
        self.cells: dict[int, str] = {}
        self.events: list[tuple[str, int]] = []  # those announced last, at one time
        self.events_at_ns = 0
        self.said = ""
        self.awake = False
        self.bus_ns_at_boot = 0
        self.duties_at_boot = 0


class Duty:
    """A reading that was published. accepted: no higher token had been seen before."""

    def __init__(self, at_ns: int, node: int, token: int, accepted: bool):
        self.at_ns = at_ns
        self.node = node
        self.token = token
        self.accepted = accepted


class Stage:
    """A cluster of `nodes` boards that run the program in the folder `example`.

    view gets news: view.news(at_ns, node or None, text) and view.tick(stage).
    """

    def __init__(self, nodes: int, seed: int, example: Path, view, interpreter: str | None):
        self.nodes = nodes
        self.seed = seed
        self.view = view
        self.duties: list[Duty] = []
        self.bus_ns: dict[str, list[int]] = {"primary": [], "standby": []}
        self.events: list[tuple[str, int | None]] = []  # kind, node or EEPROM, as announced
        self.lab = Lab(seed=seed, on_event=self._on_event)
        random = self.lab.world.random.fork()
        eeproms = min(nodes, 3)
        self.chips: list = [self.lab.add_eeprom("AT24C256", 0x50 + i) for i in range(eeproms)]
        self.actors: list[Actor] = []
        for node in range(nodes):
            phase_s = node * INTERVAL_S / nodes + random.below(20)
            board = self.lab.add_board(
                example / "main.py",
                node,
                files=_files(example, nodes, eeproms, node),
                interpreter=interpreter,
                drift=(random.below(9) - 4) / 1000,
                at_s=1 + phase_s,
            )
            self.actors.append(Actor(board))

    @property
    def truth(self) -> Truth:
        """By the chips' bytes, now."""
        return Truth(self.chips, self.nodes)

    @property
    def takeovers(self) -> int:
        accepted = self.accepted
        pairs = zip(accepted, accepted[1:], strict=False)
        return sum(1 for one, next_one in pairs if one.node != next_one.node)

    @property
    def accepted(self) -> list[Duty]:
        return [duty for duty in self.duties if duty.accepted]

    def duties_with(self, token: int) -> int:
        """Readings that were published and accepted under this token or a higher one."""
        return sum(1 for duty in self.accepted if duty.token >= token)

    def say(self, text: str) -> None:
        """Tell the audience."""
        self.view.news(self.lab.world.now_ns, None, text)

    # What happens on the stage

    def _on_event(self, event: Event) -> None:
        if event.board in [actor.board for actor in self.actors]:
            actor = self.actors[event.board.node]
            getattr(self, "_on_" + event.kind)(actor, event)
        self.view.tick(self, event.at_ns)

    def _on_on(self, actor: Actor, event: Event) -> None:
        actor.role = "started"
        self._news(event, "is switched on")

    def _on_boot(self, actor: Actor, event: Event) -> None:
        actor.awake = True
        actor.wakes += 1
        actor.bus_ns_at_boot = actor.board.board.stats.bus_ns
        actor.duties_at_boot = actor.duties

    def _on_line(self, actor: Actor, event: Event) -> None:
        if found := STATUS.match(event.text):
            role, primary, token, suspects = found.groups()
            actor.role, actor.token = role, int(token)
            self._mark(actor, event, "?" if suspects else role[0])
            said = f"{role} (primary {primary}, token {token})"
            said += f", suspects {suspects}" if suspects else ""
            if said != actor.said:
                actor.said = said
                self._news(event, said)
        elif found := PUBLISH.match(event.text):
            self._published(actor, event, *found.groups())
        else:
            self._news(event, event.text)

    def _published(self, actor: Actor, event: Event, topic: str, message: str, token: str) -> None:
        if topic == "event":
            if found := ANNOUNCED.match(message):
                told = found[1], int(found[2])
                self.events.append(told)
                fresh = actor.events_at_ns == event.at_ns
                actor.events = [*actor.events, told] if fresh else [told]
                actor.events_at_ns = event.at_ns
                self._news(event, f"announces {told[0]} {told[1]}")
            return
        highest = max((duty.token for duty in self.duties), default=0)
        duty = Duty(event.at_ns, event.board.node, int(token), int(token) >= highest)
        self.duties.append(duty)
        actor.duties += 1
        self._mark(actor, event, "P")
        self._news(event, f"duty {len(self.duties)} done, token {token}")

    def _on_sleep(self, actor: Actor, event: Event) -> None:
        self._wake_ends(actor)
        if actor.role in self.bus_ns:
            stats = actor.board.board.stats
            self.bus_ns[actor.role].append(stats.bus_ns - actor.bus_ns_at_boot)

    def _on_killed(self, actor: Actor, event: Event) -> None:
        self._gone(actor, event, "killed", "K")

    def _on_off(self, actor: Actor, event: Event) -> None:
        self._gone(actor, event, "stopped", "X")

    def _on_exit(self, actor: Actor, event: Event) -> None:
        self._gone(actor, event, "ended", "X")

    def _on_hang(self, actor: Actor, event: Event) -> None:
        self._gone(actor, event, "hangs", "X")

    def _on_reset(self, actor: Actor, event: Event) -> None:
        self._wake_ends(actor)
        self._news(event, f"resets, cause {event.text}")

    def _gone(self, actor: Actor, event: Event, role: str, cell: str) -> None:
        self._wake_ends(actor)
        actor.role = actor.said = role
        self._mark(actor, event, cell)
        self._news(event, f"{role} {event.text}".strip())

    def _wake_ends(self, actor: Actor) -> None:
        if actor.awake:
            actor.awake = False
            actor.idle_wakes += actor.duties == actor.duties_at_boot

    def _mark(self, actor: Actor, event: Event, cell: str) -> None:
        actor.cells[event.at_ns // (INTERVAL_S * 10**9)] = cell

    def _news(self, event: Event, text: str) -> None:
        self.view.news(event.at_ns, event.board.node, text)


def _files(example: Path, nodes: int, eeproms: int, node: int) -> dict[str, str]:
    """The example's own files, for as many boards as there are."""
    config = (example / "config.py").read_text()
    if nodes != 2:
        addresses = "".join(f"{0x50 + i:#x}, " for i in range(eeproms))
        config += f"EEPROMS = ({addresses})\nNODES = {nodes}\n"
    return {"config.py": config, "node.py": f"NODE_ID = {node}\n"}
