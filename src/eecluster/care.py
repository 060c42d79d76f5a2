"""What a new, damaged or foreign EEPROM needs, formatting, and what a failure looks like.

Loaded when it comes to that, not at every wake. Stands on lead, layout, config and errors.
"""

import struct
from binascii import crc32

from .config import whole
from .errors import ClusterError, ConfigError, DuplicateNodeError, FormatError
from .layout import BLANK
from .lead import asked, claim


def judge(slots, k, view, label):
    """The error to raise if EEPROM k is not ours, though its label is not as it should be, or None.

    At first its ``label``: may it be a damaged one? Then, if it has no valid slot, None: is it
    blank?
    """
    layout = slots.layout
    if label:
        if label[:4] == b"eecl" and label[16:] == struct.pack(">I", crc32(label[:16])):
            return ConfigError(
                "%s: label %s, expected %s (version, nodes, eeproms, number, cluster_id, page_size,"
                " quorum). Make all boards alike, or format(force=True)"
                % (_name(slots, k), _says(label), _says(layout.label(k)))
            )
        return None
    # a label that was torn while a blank chip got it has bytes of ours among the blank ones
    ours = layout.label(k) + layout.blank[len(layout.label(k)) :]
    page = bytearray(len(layout.blank))
    for at in range(layout.base, layout.end, len(page)):
        slots.read(k, at, page)
        for found, wanted in zip(page, ours):
            if found != BLANK and found != wanted:
                if _label(slots, k) == layout.label(k):  # a peer has labelled it since
                    return slots.look_at(k, view)
                return FormatError(
                    "%s holds foreign data. Not written. Erase all: format(force=True)"
                    % _name(slots, k)
                )
        ours = layout.blank
    return None


def format(node, force, epoch):
    """``Cluster.format``."""
    whole("epoch", epoch, 0, 1 << 28)
    slots = node.slots
    layout = slots.layout
    view = slots.look()
    if force and view.heard != node.config.all:
        raise ClusterError("not all EEPROMs answer; not formatted")
    if not force and (view.fault or not view.heard):
        raise view.fault or failure(slots, "answers")
    node.mine = None
    node.leading = False
    for k in slots.all:
        if force:
            for at in range(layout.base, layout.end, len(layout.blank)):
                slots.write(k, at, layout.blank)
        if force or (view.relabel & view.empty) >> k & 1:
            slots.write(k, layout.base, layout.label(k))
            if _label(slots, k) != layout.label(k):
                raise ClusterError(
                    "%s does not keep what is written: check WP pin" % _name(slots, k)
                )
    slots.view = None
    if epoch:
        node.ready(False)
        claim(node.mine, slots.view, node.config, epoch)
        node.write()


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
        % (what, ", ".join(map(hex, slots.addresses))),
    )


def _says(label):
    return struct.unpack_from(">4BIHB", label, 4)


def _label(slots, k):
    label = bytearray(len(slots.layout.label(k)))
    slots.read(k, slots.layout.base, label)
    return label


def _name(slots, k):
    return "EEPROM 0x%02x" % slots.addresses[k]
