"""The sweeps: QUICK_SWEEPS in `make test`, SWEEPS with those that take longer.

name: ((nodes, EEPROMs), wakes from blank chips on). Stands on nothing.
"""

QUICK_SWEEPS = {
    "2 nodes, 1 EEPROM, 2 wakes": ((2, 1), 2),
    "2 nodes, 2 EEPROMs, 1 wake": ((2, 2), 1),
    "3 nodes, 1 EEPROM, 1 wake": ((3, 1), 1),
}
SWEEPS = {
    **QUICK_SWEEPS,
    "2 nodes, 1 EEPROM, 4 wakes": ((2, 1), 4),
    "2 nodes, 3 EEPROMs, 1 wake": ((2, 3), 1),
}
