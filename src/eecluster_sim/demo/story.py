"""The demo's story, step by step. Each step must happen, in this order.

A step: something is done to the stage, then time runs until the chips' bytes (and what the boards
print and publish) show what has to come of it, or until its time is over: then the story did not
happen.
"""

from collections.abc import Callable

from .chips import newest_token
from .stage import INTERVAL_S, Stage

STEP_TIMEOUT_S = 10 * INTERVAL_S
DUTIES = 3  # of each primary, to see that it works


class Step:
    """One step. `title` may name {first}, {second}, {third}: the nodes that are primary in turn."""

    def __init__(self, title: str, done: Callable[[], object], action: Callable[[], None]):
        self.title = title
        self.done = done
        self.action = action


class Story:
    """Plays on a stage. `state` per step: " " to come, ">" now, "x" happened, "!" did not."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.first = 0  # the first to get power
        self.second: int | None = None
        self.third: int | None = None
        self.beats = self.duties = self.token = 0
        self.stale = False
        nothing = self._nothing
        self.steps = [
            Step("all boards join", self._joined, nothing),
            Step("{first} is primary and works", self._first_works, nothing),
            Step("{first} is killed in the middle of an EEPROM write", self._killed, self._plan),
            Step("{first} is suspected", self._suspected, self._brown_out),
            Step("{second} takes over from {first}", self._taken_over, self._take_away),
            Step("{second} goes on with the work", self._second_works, nothing),
            Step("{first} is back, its EEPROM stale: probation", self._back, self._put_back),
            Step("{first} is standby, its EEPROM up to date", self._standby, nothing),
            Step("{second} is stopped, {third} takes over", self._taken_again, self._stop),
            Step("{third} goes on with the work", self._third_works, nothing),
            Step("all of it was announced, no old token was used", self._announced, nothing),
        ]
        self.state = [" "] * len(self.steps)

    def title(self, step: Step) -> str:
        """With the nodes' numbers, as far as they can be known by now."""
        two = self.stage.nodes == 2
        second = 1 if two and self.second is None else self.second
        third = 0 if two and self.third is None else self.third
        return step.title.format(
            first=f"node {self.first}",
            second="another node" if second is None else f"node {second}",
            third="another node" if third is None else f"node {third}",
        )

    def play(self, after_step: Callable[[int], None] | None = None) -> str | None:
        """Play it; None, or the title of the step that did not happen.

        after_step(number) may disturb the story, to see that this is noticed.
        """
        for number, step in enumerate(self.steps):
            self.state[number] = ">"
            step.action()
            happened = self.stage.lab.run_until(step.done, STEP_TIMEOUT_S)
            self.state[number] = "x" if happened else "!"
            self.stage.view.step(self, number)
            if not happened:
                return self.title(step)
            if after_step:
                after_step(number)
        return None

    # What has to be seen

    def _joined(self) -> bool:
        truth = self.stage.truth
        if truth.primary != self.first:
            return False
        slot = truth.slots[self.first]
        return bool(slot and all(slot.seqs))

    def _first_works(self) -> bool:
        return self._works(self.first)

    def _killed(self) -> bool:
        lab, chip = self.stage.lab, self.stage.chips[self.first]
        last = lab.events[-1]
        return (
            last.kind == "killed"
            and last.text == "SIGKILL"
            and last.board.node == self.first
            and lab.world.now_ns < chip.busy_until_ns
        )

    def _suspected(self) -> bool:
        truth = self.stage.truth
        return bool(truth.suspected_by(self.first)) and truth.token == self.token

    def _taken_over(self) -> bool:
        truth = self.stage.truth
        if truth.primary in (None, self.first) or not truth.dead(self.first):
            return False
        self.second = truth.primary
        return truth.token > self.token

    def _second_works(self) -> bool:
        return self._works(self.second)

    def _back(self) -> bool:
        truth = self.stage.truth
        return (
            self.stale
            and self.stage.actors[self.first].role == "dead"
            and truth.dead(self.first)
            and truth.primary == self.second
            and truth.beats(self.first) > self.beats
        )

    def _standby(self) -> bool:
        truth, actor = self.stage.truth, self.stage.actors[self.first]
        return (
            actor.role == "standby"
            and not actor.awake
            and actor.duties == self.duties
            and truth.primary == self.second
            and not truth.dead(self.first)
            and newest_token(self.stage.chips[self.first], self.stage.nodes) == truth.token
        )

    def _taken_again(self) -> bool:
        truth = self.stage.truth
        if truth.primary in (None, self.second) or not truth.dead(self.second or 0):
            return False
        self.third = truth.primary
        return truth.token > self.token and (self.stage.nodes > 2 or self.third == self.first)

    def _third_works(self) -> bool:
        return self._works(self.third)

    def _announced(self) -> bool:
        wanted: list[tuple[str, int | None]] = [
            ("joined", self.first), ("dead", self.first), ("failover", self.second),
            ("readmitted", self.first), ("dead", self.second), ("failover", self.third),
        ]  # fmt: skip
        told = iter(self.stage.events)  # `in` moves it on: so the order matters
        in_order = all(event in told for event in wanted)
        return in_order and all(duty.accepted for duty in self.stage.duties)

    def _works(self, node: int | None) -> bool:
        """Has it done its duties under the token that the chips name it with?"""
        truth = self.stage.truth
        done = [duty for duty in self.stage.accepted if duty.token == truth.token]
        self.token = truth.token
        return truth.primary == node and len(done) >= DUTIES

    # What is done to the stage

    def _nothing(self) -> None:
        pass

    def _plan(self) -> None:
        chip = self.stage.chips[self.first]
        chip.tear = "mixed"
        board = self.stage.actors[self.first].board
        board.kill_in_write(address=chip.address, moment="after")

    def _brown_out(self) -> None:
        """What killed it reached its EEPROM as well, for a moment: the page in work is torn."""
        chip = self.stage.chips[self.first]
        chip.lose_power(self.stage.lab.world.now_ns)
        chip.restore_power()

    def _take_away(self) -> None:
        self.stage.chips[self.first].plugged = False
        self.stage.say(f"node {self.first} and its EEPROM are taken off the bus")

    def _put_back(self) -> None:
        stage, chip = self.stage, self.stage.chips[self.first]
        places = (self.first - (self.second or 0)) % stage.nodes
        stage.lab.run(places * INTERVAL_S / stage.nodes)  # to its old place among the wakes
        self.beats = stage.truth.beats(self.first)
        self.duties = stage.actors[self.first].duties
        self.stale = newest_token(chip, stage.nodes) < stage.truth.token
        chip.plugged = True
        stage.say(f"node {self.first} and its EEPROM are put back")
        stage.actors[self.first].board.start()

    def _stop(self) -> None:
        if self.second is not None:
            self.stage.actors[self.second].board.stop()
