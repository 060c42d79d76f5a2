"""SDA and SCL with their chips: who hears what on the lines.

Rule: START and STOP are heard by all, the clock only by chips that follow the transfer. A cut makes
two buses of one, each with the chips and boards on its side.
"""

from ..bus import Bus
from .chip import Receiver

RISE_NS = 300  # 4.7 kilohms and 75 pF; at 400 kHz UM10204 table 10 allows so much


class WireBus(Bus):
    """A bus made of the lines `scl` and `sda`.

    trace      as in `Bus`, as the masters see it: what they sent and read
    receivers  chip -> its `Receiver`
    """

    _stuck = None

    def __init__(self, world, suffix=""):
        super().__init__()
        self.world = world
        self.scl = world.lines.line("scl" + suffix, 1, RISE_NS)
        self.sda = world.lines.line("sda" + suffix, 1, RISE_NS)
        self.scl.changed = self._scl_changed
        self.sda.changed = self._sda_changed
        self.receivers = {}
        self.listeners = []  # told of START and STOP: start(now_ns), stop(now_ns); owner, bus
        self._following = []  # receivers that hear the clock

    def add(self, chip):
        super().add(chip)
        self.receivers[chip] = receiver = Receiver(chip, self)
        self.listeners.append(receiver)
        return chip

    def remove(self, chip):
        super().remove(chip)
        receiver = self.receivers.pop(chip)
        receiver.reset(self.world.now_ns)
        self.listeners.remove(receiver)

    def cut(self, owners) -> "WireBus":
        """Cut both lines: these boards and chips are on the bus that is returned."""
        far = WireBus(self.world, "'")
        self._move(far, owners)
        return far

    def mend(self, far):
        """Join the bus that `cut` has returned again."""
        far._move(self, list(far.scl.ends) + list(far.sda.ends))

    def _move(self, target, owners):
        now_ns = self.world.now_ns
        for chip in [chip for chip in self.chips if chip in owners]:
            super().remove(chip)
            Bus.add(target, chip)
            target.receivers[chip] = self.receivers.pop(chip)
        for listener in [one for one in self.listeners if one.owner in owners]:
            self.listeners.remove(listener)
            target.listeners.append(listener)
            listener.bus = target
            if listener in self._following:
                self._following.remove(listener)
                target.follow(listener)
        for board in self.world.boards:
            if board in owners:
                board.bus = target
        self.scl.cut(now_ns, owners, target.scl)
        self.sda.cut(now_ns, owners, target.sda)

    def follow(self, receiver):
        """From now on this receiver hears the clock."""
        if receiver not in self._following:
            self._following.append(receiver)

    def leave(self, receiver):
        """It does not listen any more, until the next START."""
        if receiver in self._following:
            self._following.remove(receiver)

    def chip_changed(self, chip, now_ns):
        if chip in self.receivers and not chip.powered:
            self.receivers[chip].reset(now_ns)

    def make_i2c(self, board, freq, driver):
        from .masters import make  # they stand on this

        return make(board, freq, driver)

    @property
    def stuck(self):
        """None, "sda" or "scl": that line is held low by a short."""
        return self._stuck

    @stuck.setter
    def stuck(self, name):
        if name != self._stuck:
            self._stuck = name
            now_ns = self.world.now_ns
            self.scl.stick(now_ns, 0 if name == "scl" else None)
            self.sda.stick(now_ns, 0 if name == "sda" else None)

    # What happens on the lines

    def _sda_changed(self, now_ns, level):
        if self.scl.level:
            if level:
                for listener in self.listeners:
                    listener.stop(now_ns)
            else:
                for listener in self.listeners:
                    listener.start(now_ns)

    def _scl_changed(self, now_ns, level):
        following = self._following
        if not following:
            return
        if level:
            bit = self.sda.level
            for receiver in list(following):
                receiver.clock_high(now_ns, bit)
        else:
            for receiver in list(following):
                receiver.clock_low(now_ns)
