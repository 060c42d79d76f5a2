"""What the oracle asks of a chip's raw bytes, beside what `decode` reads. Stands on decode."""

from binascii import crc32

from proof.decode import LABEL_SIZE, Format


class RawChips(Format):
    """Tokens and labels in the bytes of chips."""

    def token(self, data, eeprom, node, copy):
        """The token in one copy, None if it is not a valid record."""
        at = self.base + self.page + (2 * node + copy) * self.copy_size
        raw = bytes(data[at : at + self.slot_size])
        place = node << 4 | eeprom
        if raw[16] != place or int.from_bytes(raw[12:16], "big") != self._check(raw, node):
            return None
        return int.from_bytes(raw[8:12], "big")

    def label(self, k):
        """The label that EEPROM k should carry."""
        text = b"eecl" + bytes((1, self.nodes, self.eeproms, k))
        text += self.cluster_id.to_bytes(4, "big") + self.page.to_bytes(2, "big")
        text += bytes((self.quorum, 0))
        return text + crc32(text).to_bytes(4, "big")

    def top(self, data, eeprom):
        """The highest token in any valid copy on a chip; -1: there is no valid copy."""
        found = [self.token(data, eeprom, i >> 1, i & 1) for i in range(2 * self.nodes)]
        return max([-1 if token is None else token for token in found])

    def is_ours(self, data, eeprom):
        """Does the protocol treat this chip as the cluster's, a blank one included?"""
        label = self.label(eeprom)
        pages = bytes(data[self.base : self.end])
        if self.label_is_good(data, eeprom) or self.top(data, eeprom) >= 0:
            return True
        rest = pages[LABEL_SIZE:].strip(b"\xff")
        return not rest and all([a in (b, 0xFF) for a, b in zip(pages, label, strict=False)])
