"""Writes what the lines did as VCD (IEEE 1364, clause 18), for GTKWave, PulseView and sigrok-cli.

Rule: each change of a line gets a tick of its own, in the order in which they happened. A decoder
that saw SDA and SCL change in one tick could not tell a START from a bit.

Runs on CPython only; stands on pyvcd and on `Lines.record`.

    world.lines.record = []
    ...
    vcd.write("bus.vcd", world.lines.record, gap_ns=50000)

    sigrok-cli -I vcd -i bus.vcd -P i2c:scl=scl:sda=sda,eeprom24xx:chip=onsemi_cat24c256

A line keeps its name; what an end drives ("scl/node0") is called `scl_node0`, because decoders find
their lines by name alone, whatever the scope. There z means: let go.
"""

from vcd import VCDWriter

TICK_NS = 100
SCOPE = "wires"

_TAIL = 10  # ticks after the last change: decoders do not look at the last one


def write(target, record, gap_ns: int | None = None):
    """Write `record` to `target`, a path or an open text file.

    gap_ns  longer quiet times are shortened to that (None: they stay): decoders go through every
            tick of a second in which nothing happens
    """
    if hasattr(target, "write"):
        _write(target, record, gap_ns)
        return
    with open(target, "w", encoding="utf-8") as file:
        _write(file, record, gap_ns)


def _write(file, record, gap_ns):
    changes = sorted(record, key=lambda change: change[0])  # stable: a cause before its effect
    with VCDWriter(file, timescale=f"{TICK_NS} ns", date="") as writer:
        variables = {}
        for _, name, level in changes:
            if name not in variables:
                variables[name] = writer.register_var(
                    SCOPE, name.replace("/", "_"), "wire", size=1, init=_before(name, level)
                )
        tick = 0
        for tick, name, level in _ticks(changes, gap_ns):
            writer.change(variables[name], tick, "z" if level is None else level)
        writer.close(tick + _TAIL)


def _is_line(name):
    return "/" not in name


def _before(name, level):
    """What was there before the first change: of a line the other level; an end had let go."""
    if _is_line(name):
        return 1 - level
    return "x" if level is None else "z"  # x: the record began while it drove something


def _ticks(changes, gap_ns):
    """(tick, name, level) of each change; at tick 0 stands what was before."""
    cut_ns = last_ns = last_line = 0
    tick = 1
    for ns, name, level in changes:
        if gap_ns is not None and ns - last_ns > gap_ns:
            cut_ns += ns - last_ns - gap_ns
        last_ns = ns
        tick = max(tick, (ns - cut_ns) // TICK_NS)
        if _is_line(name):
            tick = last_line = max(tick, last_line + 1)
        yield tick, name, level
