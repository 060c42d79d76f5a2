"""Which master a board's I2C is, on the wires: chosen by `engine` of its driver (see i2c.py)."""

from .clearing import ClearingI2C, LegacyClearingI2C
from .hardware import ArbitratingI2C
from .i2c import Master
from .soft import SoftI2C

ENGINES = {
    "soft": SoftI2C,
    "arbitrating": ArbitratingI2C,
    "clearing": ClearingI2C,
    "clearing-legacy": LegacyClearingI2C,
}


def make(board, freq: int, driver) -> Master:
    """A new I2C object of this board, with all that its constructor does to the lines."""
    i2c = ENGINES[driver.engine](board, freq)
    i2c.driver = driver
    return i2c
