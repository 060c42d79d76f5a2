"""What must hold whatever happens, told from raw bytes and from what boards say of themselves.

I1  who writes a token owns it or has it from a chip, and a new one is of the next epoch at most
I2  no confirmation succeeds with a token below one that was confirmed before it began: that is, at
    the start of its call, or for a claim, which reads after it has written, at its last write
I4  nothing is written but the own slot, and labels: where none is in order, as they must be
I5  where all programs end, and the boards go on waking one after the other, there is one primary
    within ``retries + 2`` looks (``readmit`` more if all were dead), and it stays: see quiet

The bytes are decoded by ``decode``, not by the library. Stands on decode and machine.
"""

from proof.machine import PAGE, keyed


class Breach(Exception):
    """A promise was broken. ``moves``: how, from the start of the search."""

    def __init__(self, text):
        super().__init__(text)
        self.moves = []


class Judge:
    """Watches what boards do. ``strict``: tokens never go back."""

    def __init__(self, setup, images, strict=True):
        self.form = setup.format
        self.images = images
        self.strict = strict
        self._tokens = {}  # in a page, at its place in an image
        self._written = {}  # what was found in order: the token in it

    def write(self, image, node, k, at, data):
        """I1 and I4: may the node write that there?"""
        if at < PAGE:
            return self.label(image, node, k, at, data)
        key = keyed((node, k, at, data))
        token = self._written.get(key)
        if token is None:
            token = self._written[key] = self.record(node, k, at, data)
        highest = self.highest(image)
        mine = 7 - (token & 7) == node
        if self.strict and token > highest and not (mine and token >> 3 <= (highest >> 3) + 1):
            raise Breach("I1: node %d writes token %d after %d" % (node, token, highest))

    def label(self, image, node, k, at, data):
        """Only what must be there: somebody else may have written it just before."""
        chip = bytearray(self.images.chip(image, k))
        good = self.form.label_is_good(chip, k)
        before = bytes(chip)
        chip[at : at + len(data)] = data
        if before != chip if good else not self.form.label_is_good(chip, k):
            raise Breach("I4: node %d writes label %s on EEPROM %d" % (node, data, k))

    def record(self, node, k, at, data):
        """A valid record of the node's own, in its place: the token in it."""
        copy = at // PAGE - 1
        if copy >> 1 != node or at % PAGE:
            raise Breach("I4: node %d writes byte %d of EEPROM %d" % (node, at, k))
        chip = bytearray(self.form.end)
        chip[at : at + len(data)] = data
        record = self.form.slot(chip, k, node, copy & 1)
        if not record:
            raise Breach("I4: node %d writes a record that is not valid" % node)
        return record["token"]

    def highest(self, image):
        """The highest token in any valid copy on any chip."""
        found = 0
        pages = self.images.tuples[image]
        for i, page in enumerate(pages):
            if page:
                key = keyed((page, i))
                token = self._tokens.get(key)
                if token is None:
                    token = self._tokens[key] = self._token(page, i)
                found = max(found, token)
        return found

    def _token(self, page, i):
        k, at = divmod(i, self.images.per_chip)
        if not at:
            return 0
        node, copy = divmod(at - 1, 2)
        chip = bytearray(self.form.end)
        start = self.form.address(node, copy)
        chip[start : start + PAGE] = self.images.pages[page]
        record = self.form.slot(chip, k, node, copy)
        return record["token"] if record else 0

    def confirmed(self, node, token, began):
        """I1 and I2: may the node act with this token, if ``began`` was the highest confirmed one
        when its confirmation began?
        """
        if 7 - (token & 7) != node:
            raise Breach("I1: node %d acts with token %d" % (node, token))
        if self.strict and token < began:
            raise Breach("I2: node %d confirms token %d after %d" % (node, token, began))
