"""Seeded randomness that gives the same numbers on CPython and on MicroPython.

One seed explains a whole run, so `random` (which differs between the two) is not used.
Algorithm: xorshift32 (Marsaglia 2003), its state mixed from the seed.
"""

_MASK = 0xFFFFFFFF


class Random:
    """A small generator; not for secrets."""

    def __init__(self, seed: int = 0):
        state = (seed ^ (seed >> 32)) & _MASK
        for factor in (0x85EBCA6B, 0xC2B2AE35):  # neighbouring seeds must not look alike
            state = ((state ^ (state >> 16)) * factor + 0x9E3779B9) & _MASK
        self.state = (state ^ (state >> 16)) or 1

    def next32(self) -> int:
        """The next 32 random bits."""
        x = self.state
        x ^= (x << 13) & _MASK
        x ^= x >> 17
        x ^= (x << 5) & _MASK
        self.state = x
        return x

    def below(self, n: int) -> int:
        """An int in range(n), n at most 2**32."""
        return (self.next32() * n) >> 32

    def choice(self, items):
        """One item of a non-empty list or tuple."""
        return items[self.below(len(items))]

    def chance(self, per_mille: int) -> bool:
        """True in `per_mille` of 1000 calls."""
        return self.below(1000) < per_mille

    def bytes(self, n: int) -> bytes:
        """n random bytes."""
        words = [self.next32().to_bytes(4, "big") for _ in range((n + 3) // 4)]
        return b"".join(words)[:n]

    def fork(self) -> "Random":
        """A generator of its own, so that one user's draws do not shift another's."""
        return Random(self.next32())
