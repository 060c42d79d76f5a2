"""The same on every board of this cluster."""

EEPROMS = (0x50, 0x51)  # I2C addresses; number i belongs to node i
NODES = 2
INTERVAL_S = 900  # from wake to wake
