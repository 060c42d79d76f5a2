"""What a new, damaged or foreign EEPROM needs, formatting, and what a failure looks like.

Loaded when it comes to that, not at every wake. Stands on slots, takeover, layout, config and
errors.
"""

import struct

from .bitmap import ids
from .errors import ClusterError, ConfigError, DuplicateNodeError, FormatError
from .layout import ADMITTED, BLANK, LABEL_SIZE, Layout
from .takeover import asked


def judged(slots, view):
    """The view once every odd chip in it is judged; they are looked at again if it was not theirs
    to be odd: exchanged chips, or one that a peer has labelled meanwhile.
    """
    for _ in slots.all:
        if not exchanged(slots, view) and not any(
            [slots.attempt(judge, slots, k, view) for k in ids(view.odd)]
        ):
            break
        view = slots.look()
    return view


def judge(slots, k, view):
    """Is EEPROM k, whose label is not as it should be and which has no valid slot, blank or not
    ours? Notes it in ``view``. True if somebody has labelled it since: look again.
    """
    label = _label(slots, k)
    fault = (mislabelled if slots.layout.whole(label) else foreign)(slots, k, label)
    if _label(slots, k) == slots.layout.label(k):
        return True
    if fault:
        view.fault = fault
    else:
        view.empty |= 1 << k
    return False


def exchanged(slots, view):
    """Are there two chips of ours, each where the other one belongs? Each is a whole replica, so
    its number goes with it. One alone may be a copy. True: look again.
    """
    labels = [view.odd >> k & 1 and slots.attempt(_label, slots, k) for k in slots.all]
    for k in slots.all:
        for j in range(k):
            if labels[k] == slots.layout.label(j) and labels[j] == slots.layout.label(k):
                places = slots.addresses
                places[j], places[k] = places[k], places[j]
                return True
    return False


def foreign(slots, k, label):
    """The error that EEPROM k, with this ``label``, holds something else; None: it is blank.

    Nothing is called foreign on the strength of a bus that is held or garbled.
    """
    layout = slots.layout
    # a label that was torn while a blank chip got it has bytes of ours among the blank ones
    ours = layout.label(k) + layout.blank[LABEL_SIZE:]
    page = bytearray(layout.blank)
    again = bytearray(page)
    values = set(page[:0])
    wrong = False
    for at in range(layout.base, layout.end, len(page)):
        slots.read(k, at, page)
        values.update(page)
        if any([found != BLANK and found != wanted for found, wanted in zip(page, ours)]):
            wrong = True
            slots.read(k, at, again)
            if again != page:
                return ClusterError(
                    "%s reads differently each time: who else talks?" % name(slots, k)
                )
        if wrong and len(values) > 1:
            return FormatError(
                "%s holds foreign data. Not written. Erase all: format(force=True)" % name(slots, k)
            )
        ours = layout.blank
    if wrong:
        return ClusterError("%s reads as 0x%02x only: is SDA held low?" % (name(slots, k), page[0]))
    return None


def admit(view, me):
    """Another board's slot is at this node's place: ``DuplicateNodeError`` unless somebody asked
    for this one. A request is for one board: not for the old one, once the new one is in.
    """
    record = view.records[me]
    if record.flags & ADMITTED:
        for theirs in view.records:
            if theirs and theirs.seqs[me] != record.seqs[me]:
                theirs.spare &= ~(1 << me)  # asked before it came
    if not asked(view, me) >> me & 1:
        raise DuplicateNodeError(
            "node_id %d is another board's: take a free one, or reset_node()" % me
        )


def failure(slots, what):
    """The ``OSError``, with the port's errno, that no EEPROM does ``what`` it should."""
    error = slots.fault
    return OSError(
        error.args[0] if error and error.args else 5,
        "no EEPROM %s at %s: check wires, supply, address, write protection, page_size"
        % (what, ", ".join(map(hex, sorted(slots.addresses)))),
    )


def erase(slots, k, end):
    """Make EEPROM k blank up to ``end``, but for its label. True if that is what it holds then."""
    layout = slots.layout
    page = bytearray(len(layout.blank))
    label = layout.label(k) + layout.blank[LABEL_SIZE:]
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


def mislabelled(slots, k, label):
    """The error that EEPROM k's label differs from ours, in the words of the arguments."""
    found = struct.unpack_from(">4BIHB", label, 4)
    ours = struct.unpack_from(">4BIHB", slots.layout.label(k), 4)
    if found[:3] + found[4:] == ours[:3] + ours[4:]:
        return ConfigError("%s is number %d, not %d: a copy?" % (name(slots, k), found[3], ours[3]))
    keys = "version nodes eeproms number cluster_id page_size quorum".split()
    parts = []
    for key, theirs, mine in zip(keys, found, ours):
        if theirs != mine:
            parts.append("%s %d, not %d" % (key, theirs, mine))
    return ConfigError(
        "%s is labelled for %s. Make all boards alike, or format(force=True)"
        % (name(slots, k), ", ".join(parts))
    )


def _label(slots, k):
    label = bytearray(LABEL_SIZE)
    slots.read(k, slots.layout.base, label)
    return label


def name(slots, k):
    """What messages call EEPROM k."""
    return "EEPROM 0x%02x" % slots.addresses[k]
