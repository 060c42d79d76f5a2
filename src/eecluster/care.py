"""What only a new, damaged or foreign EEPROM needs: judging its label, blank pages, formatting.

Loaded when one turns up, not at every wake. Stands on the package's public errors.
"""

import struct
from binascii import crc32

from . import ClusterError, ConfigError, FormatError

_BLANK = 0xFF


def judge_label(slots, k, label):
    """The error to raise if EEPROM k carries a valid label other than ours; None if damaged or blank."""
    if label[:4] == b"eecl" and struct.unpack_from(">I", label, 16)[0] == crc32(label[:16]):
        return ConfigError(
            "%s is labelled: %s; expected: %s. Not written. Give all boards the same arguments, each chip"
            " its address, or format(force=True)"
            % (_name(slots, k), _says(label), _says(slots.layout.label(k)))
        )
    return None


def _says(label):
    values = struct.unpack_from(">4BIHB", label, 4)
    return "version %d, nodes %d, eeproms %d, number %d, cluster_id %d, page_size %d, majority %d" % values


def judge_pages(slots, k, view):
    """The error to raise unless EEPROM k, without a valid slot and without our label, is blank."""
    layout = slots.layout
    # a label that was torn while a blank chip got it has bytes of ours among the blank ones
    ours = layout.label(k) + layout.blank[len(layout.label(k)) :]
    page = bytearray(len(layout.blank))
    for at in range(layout.base, layout.end, len(page)):
        slots.eeproms.read(k, at, page)
        for found, wanted in zip(page, ours):
            if found != _BLANK and found != wanted:
                if _label(slots, k) == layout.label(k):  # a peer has labelled it since
                    view.relabel ^= 1 << k
                    return slots.look_at(k, view)
                return FormatError(
                    "%s holds foreign data. Not written. To erase it: format(force=True)" % _name(slots, k)
                )
        ours = layout.blank
    return None


def format_all(slots, force):
    """Label the blank EEPROMs, with ``force`` make blank ones of all and label them."""
    layout = slots.layout
    view = slots.look()
    everything = (1 << len(slots.eeproms.addresses)) - 1
    if force and view.answered != everything:
        raise ClusterError("not every EEPROM answers, nothing was formatted: it would come back with old content")
    if view.fault and not force:
        raise view.fault
    for k in range(len(slots.eeproms.addresses)):
        if force:
            for at in range(layout.base, layout.end, len(layout.blank)):
                slots.eeproms.write(k, at, layout.blank)
        if force or (view.relabel & view.empty) >> k & 1:
            slots.eeproms.write(k, layout.base, layout.label(k))
            if _label(slots, k) != layout.label(k):
                raise ClusterError(
                    "%s does not keep what is written: check its write-protect pin" % _name(slots, k)
                )
    slots.view = None


def _label(slots, k):
    label = bytearray(len(slots.layout.label(k)))
    slots.eeproms.read(k, slots.layout.base, label)
    return label


def _name(slots, k):
    return "EEPROM 0x%02x (number %d)" % (slots.eeproms.addresses[k], k)
