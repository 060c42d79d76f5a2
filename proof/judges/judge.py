"""The judge of every order and every crash: what must hold whatever happens, told from raw bytes
and from what boards say of themselves.

I1  who writes a token owns it or has it from a chip, and a new one is of the next epoch at most
I2  no confirmation succeeds with a token below one that was confirmed before it began: that is, at
    the start of its call, or for a claim, which reads after it has written, at its last write
I4  nothing is written but the own slot, and labels: where none is in order, as they must be
I5  where all programs end, and the boards go on waking one after the other, there is one primary
    within ``retries + 2`` looks (``readmit`` more if all were dead), and it stays: see recovery

And the rules of rulebook. The bytes are decoded by ``decode``, not by the library. Stands on
rulebook and images.
"""

from proof.boards.images import PAGE, keyed
from proof.breach import Breach
from proof.judges.rulebook import Rulebook


class Judge:
    """Watches what boards do. ``tokens``: all that were written in this search."""

    def __init__(self, setup, images):
        self.setup = setup
        self.form = setup.format
        self.rules = Rulebook(setup.retries, setup.readmit)
        self.images = images
        self.tokens = set()
        self._read = {}  # records in pages, at their place in an image
        self._written = {}  # records that were written

    def write(self, image, node, k, at, data, asked=False, alone=False):
        """May the node write that there? ``asked``: it was told to reset a node; ``alone``: nobody
        else has written since it looked.
        """
        if at < PAGE:
            return self.label(image, node, k, at, data)
        new = self.record(node, k, at, data)
        token = new["token"]
        standing = self.standing(image)
        highest = max(standing)
        mine = 7 - (token & 7) == node
        old = self.newest(image, node)
        if mine:
            known = token >> 3 <= (highest >> 3) + 1
        else:
            known = token in standing or token in self.tokens
        if not known or old and token < old["token"]:
            raise Breach("I1", "node %d writes token %d after %d" % (node, token, highest))
        self.tokens.add(token)
        leader = self.newest(image, 7 - (highest & 7)) if alone and highest else None
        if leader and leader["token"] != highest:
            leader = None
        broken = self.rules.complaint(node, old, new, leader, asked)
        if broken:
            raise Breach(broken[0], "%s: node %d" % (broken[1], node))

    def counted(self, node, before, after):
        """Did a wake that nobody disturbed count strikes and beats as it should?"""
        old, new = self.newest(before, node), self.newest(after, node)
        if old and new and old["revision"] != new["revision"]:
            others = [self.newest(before, j) for j in range(self.setup.nodes)]
            seqs = [other["seqs"][j] if other else 0 for j, other in enumerate(others)]
            broken = self.rules.miscount(node, old, new, seqs)
            if broken:
                raise Breach("[3]", "%s: node %d" % (broken, node))

    def label(self, image, node, k, at, data):
        """Only what must be there: somebody else may have written it just before."""
        chip = bytearray(self.images.chip(image, k))
        good = self.form.label_is_good(chip, k)
        before = bytes(chip)
        chip[at : at + len(data)] = data
        if before != chip if good else not self.form.label_is_good(chip, k):
            raise Breach("I4", "node %d writes label %s on EEPROM %d" % (node, data, k))

    def record(self, node, k, at, data):
        """A valid record of the node's own, in its place, as a dict."""
        key = keyed((node, k, at, data))
        if key not in self._written:
            copy = at // PAGE - 1
            if copy >> 1 != node or at % PAGE:
                raise Breach("I4", "node %d writes byte %d of EEPROM %d" % (node, at, k))
            chip = bytearray(self.form.end)
            chip[at : at + len(data)] = data
            record = self.form.slot(chip, k, node, copy & 1)
            if not record:
                raise Breach("I4", "node %d writes a record that is not valid" % node)
            self._written[key] = record
        return self._written[key]

    def standing(self, image):
        """All tokens in valid copies on any chip, and 0."""
        found = {0}
        for i, page in enumerate(self.images.tuples[image]):
            if page and i % self.images.per_chip:
                record = self.read(page, i)
                if record:
                    found.add(record["token"])
        return found

    def good(self, image):
        """The EEPROMs with a valid slot: a bitmap."""
        found = 0
        for i, page in enumerate(self.images.tuples[image]):
            if page and i % self.images.per_chip and self.read(page, i):
                found |= 1 << i // self.images.per_chip
        return found

    def newest(self, image, node):
        """The newest valid record of a node, on any chip, or None."""
        best = None
        pages = self.images.tuples[image]
        for k in range(self.setup.eeproms):
            for copy in (0, 1):
                i = k * self.images.per_chip + 1 + 2 * node + copy
                record = pages[i] and self.read(pages[i], i)
                if record and not (best and best["revision"] >= record["revision"]):
                    best = record
        return best

    def read(self, page, i):
        """The record in a page, given by its number, that stands at place i of an image."""
        key = page * 256 + i
        if key not in self._read:
            k, at = divmod(i, self.images.per_chip)
            node, copy = divmod(at - 1, 2)
            chip = bytearray(self.form.end)
            start = self.form.address(node, copy)
            chip[start : start + PAGE] = self.images.pages[page]
            self._read[key] = self.form.slot(chip, k, node, copy)
        return self._read[key]

    def confirmed(self, node, token, began):
        """I1 and I2: may the node act with this token, if ``began`` was the highest confirmed one
        when its confirmation began?
        """
        if 7 - (token & 7) != node:
            raise Breach("I1", "node %d acts with token %d" % (node, token))
        if token < began:
            raise Breach("I2", "node %d confirms token %d after %d" % (node, token, began))
