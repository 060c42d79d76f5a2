"""The same on every board of this cluster."""

EEPROMS = (0x50, 0x51)  # I2C addresses; number i belongs to node i
NODES = 2
INTERVAL_S = 900  # from wake to wake
SCL_PIN, SDA_PIN = 22, 21
LOCK_PIN = 18  # joined with that of the other boards, with a resistor of 10 kilohms to 3.3 V
