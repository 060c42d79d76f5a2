"""Which tools each part of the figures needs, and which of them are not here."""

import importlib.util
import os
import shutil

PARTS = {
    "heap": ("micropython",),
    "instructions": ("micropython", "valgrind"),
    "avocado": ("micropython", "mosquitto", "cryptography", "paho", "trustme"),
}
MODULES = {  # of Python; `make cloud-tools` brings the last three
    "micropython": "micropython_unix",
    "cryptography": "cryptography",
    "paho": "paho",
    "trustme": "trustme",
}


def missing(parts):
    """Names of the tools that these parts need and that are not here."""
    needed = {name for part in parts for name in PARTS.get(part, ())}
    return sorted([name for name in needed if not _is_here(name)])


def _is_here(name):
    if name in MODULES:
        return importlib.util.find_spec(MODULES[name]) is not None
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is not None
