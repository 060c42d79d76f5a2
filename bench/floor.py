"""The floors: what no code can go below under the protocol's rules. Stands on nothing.

Bytes that must move, for n nodes (2n copies of slots, s = 40 + 3n bytes each) and e EEPROMs:

    look         2n copies * s, once: a copy counts if its CRC holds, and that takes all its bytes
                 2n copies * (e - 1) * 4: that each replica is the same, by its check sum
    confirm      2n * e * 4: that nothing has changed, by the check sums; a primary does it twice,
                 before its message and before its beat
    beat         e * s written, e * s read back

Time on the wires: 9 bits for each of these bytes, and for each EEPROM and each reading or writing
above at least one transaction, in which START, STOP, chip and memory address are sent: 29 bits and
3 bytes to write, 39 bits and 4 bytes to read (repeated START, address again). Gaps between copies
would have to be jumped or read; a floor leaves that out, and every wait but one write time, which
the EEPROMs spend side by side.
"""

WRITE_MS = 5
WRITE_BITS = 1 + 3 * 9 + 1
READ_BITS = 1 + 3 * 9 + 1 + 9 + 1
WRITE_BYTES = 3
READ_BYTES = 4
CHECK_SUM = 4


def floor(role, nodes, eeproms, freq=400_000):
    """The least a wake of a "standby" or "primary" can take: name of the figure -> number."""
    copies = 2 * nodes
    slot = 40 + 3 * nodes
    written = eeproms * slot
    read = copies * slot + copies * (eeproms - 1) * CHECK_SUM + eeproms * slot
    reads = 2  # the look, and the reading back
    if role == "primary":
        read += 2 * copies * eeproms * CHECK_SUM
        reads += 2
    bits = 9 * (written + read) + eeproms * (WRITE_BITS + reads * READ_BITS)
    wire_ms = round(1000 * bits / freq, 4)
    return {
        "bus_ms": round(wire_ms + WRITE_MS, 4),
        "wire_ms": wire_ms,
        "wire_bytes": written + read + eeproms * (WRITE_BYTES + reads * READ_BYTES),
        "page_writes": 1,
    }
