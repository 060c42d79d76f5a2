"""Sets of nodes or EEPROMs as bitmaps: bit i stands for number i, 0..7. Stands on nothing."""


def ids(bitmap):
    """The numbers in a bitmap, ascending, as a tuple: ``ids(0b101) == (0, 2)``."""
    return tuple([i for i in range(8) if bitmap >> i & 1])


def bits(values):
    """The bitmap of the places in a list whose value is true: ``bits([5, 0, 1]) == 0b101``."""
    bitmap = 0
    for i, value in enumerate(values):
        if value:
            bitmap |= 1 << i
    return bitmap
