"""A plausible mistake in the library, as data: what is wrong, and the lines to change.

Rule: a mistake is one that somebody could make in exactly this code; it is no crash, and a cluster
in which nothing happens still works with it. Each old text stands once in its file, so that the
lists cannot rot unnoticed. `mutant` applies them.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    patch      (file in src/eecluster, old text, new text), in this order
    where      what it takes to see it: a configuration, or faults
    config     that configuration, as arguments of `cluster_kit.Kit`
    caught_by  what finds it: `python -m proof.` this, with these arguments
    """

    name: str
    wrong: str
    patch: tuple[tuple[str, str, str], ...]
    where: str
    config: dict[str, Any] = field(default_factory=dict)
    caught_by: tuple[str, ...] = ()
