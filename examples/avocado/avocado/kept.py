"""What a board remembers from wake to wake, in the 2,048 bytes of its RTC memory.

They outlive deep sleep and the watchdog, not the supply. Nothing in them is lost silently: what
does not fit or was damaged is told as a failure. Stands on schedule.

A CRC-32, then JSON: [sequence, synced, step, [readings lost, failures lost], readings, failures].
"""

import json
from binascii import crc32

from .schedule import corrected

LIMIT = 2048  # bytes
FAILURES = 8
WHAT_LENGTH = 90  # of what is told of a failure, characters
FORMAT = 1  # begins the CRC, so that what another version has left is not taken for ours


class Kept:
    """The memory of this board, written back by every call that changes it.

    ``memory``: ``RTC().memory``. ``now``: Unix time by this board's clock.

    sequence   how many messages this board has made since power-up
    synced     when the clock was set, Unix time; 0: not since power-up
    step       the part of the duty that is running, or ""
    hung       the step that was running when the watchdog, or a crash, ended the last wake, or ""
    lost       how many readings and failures had to be dropped
    readings   not published yet, the oldest first: [taken at, sequence, sixteenths, rom]
    failures   not told yet, the oldest first: [since when, how many times, what]
    """

    def __init__(self, memory, now):
        self._memory = memory
        self.failed = False  # in this wake
        self._load([0, 0, "", [0, 0], [], []])
        data = memory()
        try:
            if data:
                self._load(unpacked(data))
        except (ValueError, TypeError):
            self.step = "memory"
            self.fail(now, "%d bytes in the RTC were damaged: all was forgotten" % len(data))
        self.hung, self.step = self.step, ""
        if self.hung:
            self.fail(now, "hung in " + self.hung)

    # The duty's progress

    def begin(self, step):
        """The duty comes to this step; if it hangs there, the next wake knows."""
        self.step = step
        self._save()

    def end(self):
        """The duty is over."""
        self.begin("")

    def fail(self, now, what):
        """Keep what went wrong in the running step, to be told. The first of a wake counts."""
        if self.step:
            what = self.step + ": " + what
        if not self.failed:
            self.failed = True
            self._note(now, what)
        self.end()

    # What is to be published

    def take_number(self):
        """The sequence number of the next message."""
        self.sequence += 1
        return self.sequence - 1

    def add_reading(self, now, sixteenths, rom):
        self.readings.append([now, self.take_number(), sixteenths, rom])
        self._save()

    def sent_reading(self):
        """The oldest reading has arrived."""
        del self.readings[0]
        self._save()

    def sent_failures(self, count):
        """The oldest ``count`` failures have arrived."""
        del self.failures[:count]
        self._save()

    def own_up(self, now):
        """Make a failure of what was lost, if anything was."""
        if any(self.lost):
            what = "memory: full, %d readings and %d failures lost" % tuple(self.lost)
            self.lost = [0, 0]
            self._note(now, what)
            self._save()

    def clock_set(self, before, after):
        """The clock was set from ``before`` to ``after``: correct the times taken by it."""
        for entry in self.readings + self.failures:
            entry[0] = corrected(entry[0], before, after, self.synced)
        self.synced = after
        self._save()

    # The bytes

    def _load(self, fields):
        self.sequence, self.synced, self.step, self.lost, self.readings, self.failures = fields

    def _save(self):
        while len(data := self._packed()) > LIMIT:
            self._drop(0 if self.readings else 1)
        self._memory(data)

    def _packed(self):
        fields = [self.sequence, self.synced, self.step, self.lost, self.readings, self.failures]
        data = json.dumps(fields, separators=(",", ":")).encode()
        return crc32(data, FORMAT).to_bytes(4, "big") + data

    def _note(self, now, what):
        """The same again is counted: an outage is one failure, not one for each wake."""
        what = what[:WHAT_LENGTH]
        if self.failures and self.failures[-1][2] == what:
            self.failures[-1][1] += 1
            return
        self.failures.append([now, 1, what])
        if len(self.failures) > FAILURES:
            self._drop(1)

    def _drop(self, which):
        """Lose the oldest reading (0) or failure (1)."""
        del (self.readings, self.failures)[which][0]
        self.lost[which] += 1


def unpacked(data):
    """The fields. ``ValueError``: damaged."""
    if crc32(data[4:], FORMAT) != int.from_bytes(data[:4], "big"):
        raise ValueError("CRC")
    return json.loads(data[4:])
