"""One image for all that say the same: so that what the boards can come to is a finite set.

Rule: of some numbers in a record only the order counts, or whether two are equal: revisions of one
node's copies, epochs, sequences. They are replaced by the smallest ones in the same order. A run of
looks counts up to where the last rule that reads it is met, and the number of announcements and
the incarnation only for the reader of mails. That the boards really cannot tell the difference is
tested: a wake on either image does the same (tests/both/test_crash_sweep.py).

An image with a damaged page stands for itself: what is left of the page may look like a replica of
another. Not for sequences that wrap, which have tests of their own, nor where a chip that is out
of reach holds more than those within: gaps between numbers are closed. Stands on images.
"""

from proof.boards.images import PAGE, keyed


class Canonical:
    """Canonical images of one setup."""

    def __init__(self, setup, images):
        self.setup = setup
        self.form = setup.format
        self.images = images
        self.clip = setup.retries + max(setup.readmit or 0, setup.retries) + 2
        self._decoded = {}
        self._patched = {}
        self._known = {}

    def __call__(self, image, highest=0):
        """(the image, the highest confirmed token) with the smallest numbers that say the same."""
        key = keyed((image, highest))
        if key not in self._known:
            self._known[key] = self._canonical(image, highest)
        return self._known[key]

    def _canonical(self, image, highest):
        records = self._records(image)
        if records is None:
            return image, highest
        epochs = {0, highest >> 3}
        revisions = [set() for _ in range(self.setup.nodes)]
        sequences = [{0} for _ in range(self.setup.nodes)]
        for _, node, _, record in records:
            revisions[node].add(record["revision"])
            epochs.add(record["token"] >> 3)
            epochs.add(record["lineage"] >> 3)
            for other, seq in enumerate(record["seqs"]):
                sequences[other].add(seq)
        epoch_of = ranks(epochs)
        revision_of = [ranks(found) for found in revisions]
        sequence_of = [ranks(found) for found in sequences]

        def token(old):
            return epoch_of[old >> 3] << 3 | old & 7

        pages = list(self.images.tuples[image])
        for i, node, copy, record in records:
            seqs = tuple([sequence_of[j][seq] for j, seq in enumerate(record["seqs"])])
            strikes = tuple([max(-self.clip, min(self.clip, n)) for n in record["strikes"]])
            revision = revision_of[node][record["revision"]] + 1
            key = (
                pages[i],
                i,
                revision,
                token(record["token"]),
                token(record["lineage"]),
                seqs,
                strikes,
            )
            known = keyed(key)
            if known not in self._patched:
                self._patched[known] = self._patch(key, node, copy)
            pages[i] = self._patched[known]
        return self.images.number(tuple(pages)), token(highest)

    def _records(self, image):
        """[(place in the image, node, copy, record)] of all copies; None if one is damaged."""
        found = []
        for i, page in enumerate(self.images.tuples[image]):
            k, at = divmod(i, self.images.per_chip)
            if page and at:
                node, copy = divmod(at - 1, 2)
                key = keyed((page, i))
                if key not in self._decoded:
                    chip = self._chip(page, node, copy)
                    self._decoded[key] = self.form.slot(chip, k, node, copy)
                if not self._decoded[key]:
                    return None
                found.append((i, node, copy, self._decoded[key]))
        return found

    def _chip(self, page, node, copy):
        chip = bytearray(self.form.end)
        at = self.form.address(node, copy)
        chip[at : at + PAGE] = self.images.pages[page]
        return chip

    def _patch(self, key, node, copy):
        page, i, revision, token, lineage, seqs, strikes = key
        chip = self._chip(page, node, copy)
        self.form.patch(
            chip, i // self.images.per_chip, node, copy,
            revision=revision, token=token, lineage=lineage, seqs=seqs, strikes=strikes, n=0,
            incarnation=0,
        )  # fmt: skip
        at = self.form.address(node, copy)
        return self.images.page_number(bytes(chip[at : at + PAGE]))


def ranks(numbers):
    """Each number's place in their order."""
    return {number: rank for rank, number in enumerate(sorted(numbers))}
