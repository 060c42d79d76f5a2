"""Where `lab` was: examples/avocado imports it from here."""

from .lab import Lab as Lab
