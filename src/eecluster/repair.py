"""What a new, damaged or foreign EEPROM needs, formatting, and what a failure looks like.

Loaded when it comes to that, not at every wake. Stands on slots, takeover, layout, config and
errors.
"""

import struct

from .bitmap import ids
from .errors import ClusterError, ConfigError, DuplicateNodeError, FormatError
from .layout import BLANK, Layout
from .takeover import asked


def judge(slots, k, view):
    """Is EEPROM k, whose label is not as it should be and which has no valid slot, blank or not
    ours? Notes it in ``view``. True if somebody has labelled it since: look again.
    """
    view.heard ^= 1 << k  # until this has come to its end
    label = _label(slots, k)
    if slots.layout.whole(label):
        fault = ConfigError(_differs(slots, k, label))
    else:
        fault = foreign(slots, k)
    if _label(slots, k) == slots.layout.label(k):
        return True
    view.heard |= 1 << k
    if fault:
        view.fault = fault
    else:
        view.empty |= 1 << k
    return False


def exchanged(slots, view):
    """Is there a chip of ours where another one belongs, which is not in its place? Each is a whole
    replica, so its number goes with it. True: look again.
    """
    for k in ids(view.odd):
        label = slots.attempt(_label, slots, k)
        for j in slots.all:
            if j != k and label == slots.layout.label(j) and not view.good >> j & 1:
                for places in (slots.addresses, slots.since):
                    places[j], places[k] = places[k], places[j]
                return True
    return False


def foreign(slots, k):
    """The error that EEPROM k holds something else, or None: it is blank.

    Nothing is called foreign on the strength of a bus that is held or garbled.
    """
    layout = slots.layout
    # a label that was torn while a blank chip got it has bytes of ours among the blank ones
    ours = layout.label(k) + layout.blank[len(layout.label(k)) :]
    page = bytearray(len(layout.blank))
    again = bytearray(len(layout.blank))
    lowest, highest = BLANK, 0
    wrong = False
    for at in range(layout.base, layout.end, len(page)):
        slots.read(k, at, page)
        for found, wanted in zip(page, ours):
            if not wrong and found != BLANK and found != wanted:
                wrong = True
                slots.read(k, at, again)
                if again != page:
                    return ClusterError(
                        "%s: what is read at byte %d changes from read to read: who else uses the"
                        " bus, and has every board the lock?" % (_name(slots, k), at)
                    )
        lowest = min(lowest, min(page))
        highest = max(highest, max(page))
        if wrong and lowest < highest:
            return FormatError(
                "%s holds foreign data. Not written. Erase all: format(force=True)"
                % _name(slots, k)
            )
        ours = layout.blank
    if wrong:
        return ClusterError(
            "%s reads as nothing but 0x%02x: is SDA held low? Not written"
            % (_name(slots, k), lowest)
        )
    return None


def admit(view, me):
    """Another board's slot is at this node's place: ``DuplicateNodeError`` unless somebody asked
    for this one.
    """
    if not asked(view, me) >> me & 1:
        raise DuplicateNodeError(
            "node_id %d is another board's: take a free one, or reset_node()" % me
        )


def failure(slots, what):
    """The ``OSError``, with the port's errno, that no EEPROM does ``what`` it should."""
    error = slots.fault
    return OSError(
        error.args[0] if error and error.args else 5,
        "no EEPROM %s at %s: check wires, supply, address, write protection"
        % (what, ", ".join(map(hex, sorted(slots.addresses)))),
    )


def unkept(slots, bad):
    """The error that these EEPROMs, a list, were not formatted."""
    names = ", ".join([_name(slots, k) for k in bad])
    return ClusterError("%s: does not keep what is written: check WP pin" % names)


def erase(slots, k, end):
    """Make EEPROM k blank up to ``end``, but for its label. True if that is what it holds then."""
    layout = slots.layout
    page = bytearray(len(layout.blank))
    label = layout.label(k) + layout.blank[len(layout.label(k)) :]
    for at in range(end - len(page), layout.base - 1, -len(page)):
        wanted = label if at == layout.base else layout.blank  # the label last
        for _ in range(3):  # a short write raises nothing
            slots.write(k, at, wanted)
            slots.read(k, at, page)
            if page == wanted:
                break
        else:
            return False
    return True


def highest(slots, k):
    """The highest token on EEPROM k, also if its label is of other arguments than ours; or 0."""
    label = _label(slots, k)
    token = 0
    if slots.layout.whole(label):
        nodes, eeproms, number, cluster_id, page_size, quorum = struct.unpack_from(
            ">3BIHB", label, 5
        )
        base = slots.layout.base
        layout = Layout(nodes, eeproms, cluster_id, quorum, base + 65536, page_size, base)
        slot = bytearray(layout.size)
        for i in range(2 * nodes):
            slots.read(k, layout.slots[i], slot)
            if layout.intact(slot, i >> 1, number):
                token = max(token, layout.rank(slot)[1])
    return token


def _differs(slots, k, label):
    """How EEPROM k's label differs from ours, in the words of the arguments."""
    found = struct.unpack_from(">4BIHB", label, 4)
    ours = struct.unpack_from(">4BIHB", slots.layout.label(k), 4)
    if found[:3] + found[4:] == ours[:3] + ours[4:]:
        return "%s is number %d of this cluster, not %d: a copy, or eeproms in another order" % (
            _name(slots, k), found[3], ours[3]
        )  # fmt: skip
    names = "layout version,nodes,eeproms,number,cluster_id,page_size,quorum".split(",")
    parts = [
        "%s %d, not %d" % (name, theirs, mine)
        for name, theirs, mine in zip(names, found, ours)
        if theirs != mine
    ]
    return (
        "%s is labelled for %s. Give all boards the same arguments; to change them for good:"
        " format(force=True)" % (_name(slots, k), "; ".join(parts))
    )


def _label(slots, k):
    label = bytearray(len(slots.layout.label(k)))
    slots.read(k, slots.layout.base, label)
    return label


def _name(slots, k):
    return "EEPROM 0x%02x" % slots.addresses[k]
