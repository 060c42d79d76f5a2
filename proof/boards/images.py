"""What chips hold, each content once and by number: an *image* is what all chips hold together.

Runs on CPython and on MicroPython.
"""

import sys

PAGE = 64  # bytes
CPYTHON = sys.implementation.name == "cpython"


def keyed(value):
    """A tuple as the key of a dict or set. MicroPython adds up the hashes of a tuple's items, so
    that most of ours would collide; those of strings differ.
    """
    return value if CPYTHON else str(value)


class Images:
    """What the chips hold, as numbers. Only pages that some node uses are kept."""

    def __init__(self, setup):
        self.eeproms = setup.eeproms
        self.pages = [b"\xff" * PAGE]
        self.per_chip = 1 + 2 * setup.nodes
        self._page_ids = {self.pages[0]: 0}
        self.tuples = []
        self._ids = {}
        self._written = {}
        self.blank = self.number((0,) * (self.per_chip * setup.eeproms))

    def number(self, pages):
        """The number of an image, given as a tuple of page numbers, chip after chip."""
        key = keyed(pages)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self.tuples)
            self.tuples.append(pages)
        return found

    def read(self, image, k, at, count):
        """Bytes of chip k."""
        page = at // PAGE
        if page >= self.per_chip:
            return self.pages[0][:count]  # of a node that does not exist
        data = self.pages[self.tuples[image][k * self.per_chip + page]]
        at %= PAGE
        return data[at : at + count]

    def write(self, image, k, at, data):
        """The image after a page write."""
        key = keyed((image, k, at, data))
        found = self._written.get(key)
        if found is None:
            new = self.page_write(image, k, at, data)[1]
            found = self._written[key] = self.replace(image, k, at // PAGE, new)
        return found

    def page_write(self, image, k, at, data):
        """The page before and after a write."""
        start = at % PAGE
        old = self.read(image, k, at - start, PAGE)
        return old, old[:start] + data + old[start + len(data) :]

    def replace(self, image, k, page, content):
        """The image with another content of one page."""
        pages = list(self.tuples[image])
        pages[k * self.per_chip + page] = self.page_number(content)
        return self.number(tuple(pages))

    def page_number(self, content):
        """The number of a page with that content."""
        number = self._page_ids.get(content)
        if number is None:
            number = self._page_ids[content] = len(self.pages)
            self.pages.append(content)
        return number

    def blank_chip(self, image, k):
        """The image with a new chip in the place of chip k."""
        start, end = k * self.per_chip, (k + 1) * self.per_chip
        pages = self.tuples[image]
        return self.number(pages[:start] + (0,) * self.per_chip + pages[end:])

    def chip(self, image, k):
        """All bytes of the cluster's pages on chip k."""
        pages = self.tuples[image][k * self.per_chip : (k + 1) * self.per_chip]
        return b"".join([self.pages[page] for page in pages])
