"""The base line: the figures in docs/data/bench.json, and what has become of them since.

A figure may be off by TOLERANCE from the base line, not from the day before: small steps add up.
One that is better has to be kept too, or it could be lost again without anybody noticing; and the
page *Numbers* shows what is kept. `python -m bench.run --keep` keeps. Stands on figures.
"""

import json
from pathlib import Path

from bench.figures import PARTS, Figures

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "data" / "bench.json"
TOLERANCE = 0.02
KEEP = "make bench KEEP=1"
OTHERS = {"floor": "the floor of ", "first_version": "the first version's "}


def load():
    """part -> its figures."""
    if not KEPT.exists():
        return {}
    return {part: Figures(found) for part, found in json.loads(KEPT.read_text("utf-8")).items()}


def keep(measured):
    """Put these parts into the base line, in the place of what was there of them."""
    parts = load() | measured
    blocks = [f"{json.dumps(part)}: {_lines(parts[part])}" for part in PARTS if part in parts]
    KEPT.write_text("{\n" + ",\n".join(blocks) + "\n}\n", encoding="utf-8")


def _lines(found):
    """A figure a line: what has changed is seen in a diff."""
    lines = [f"  {json.dumps(name)}: {json.dumps(figure)}" for name, figure in found.items()]
    return "{\n" + ",\n".join(lines) + "\n }"


def command(part):
    """What measures that part."""
    return f"python -m bench.run --only {part}"


def complaints(part, found, kept):
    """What is not as in the base line: a sentence for each."""
    for name in [*kept, *[name for name in found if name not in kept]]:
        if name not in found:
            yield _sentence(part, f"{name}: in the base line, but not measured any more", KEEP)
        elif name not in kept:
            value = text(found[name]["value"])
            yield _sentence(part, f"{name}: {value}, which is not in the base line yet", KEEP)
        else:
            yield from _changes(part, name, found[name], kept[name])


def _changes(part, name, new, old):
    if not is_near(new["value"], old["value"]):
        worse = new["value"] > old["value"]
        remedy = f"mend it, or, if it is worth that, {KEEP}" if worse else KEEP
        what = f"{name}: {_step(old['value'], new['value'])}"
        yield _sentence(part, f"{what} than the base line", remedy)
    for key, owner in OTHERS.items():
        values = old.get(key), new.get(key)
        if values[0] != values[1] and (None in values or not is_near(*values)):
            what = f"{owner}{name}: {' -> '.join(map(text, values))}"
            yield _sentence(part, f"{what}, not as in the base line", KEEP)


def is_near(new, old):
    return abs(new - old) <= TOLERANCE * abs(old)


def _step(old, new):
    """`17.4 -> 18.3, 5.2 % worse`."""
    share = f"{abs(new - old) / old:.1%}".replace("%", " %") if old else "infinitely"
    return f"{text(old)} -> {text(new)}, {share} {'worse' if new > old else 'better'}"


def _sentence(part, what, remedy):
    return f"{what}. Measured by: {command(part)}. Remedy: {remedy}"


def text(number):
    """A figure for people; nothing for None."""
    if number is None:
        return "nothing"
    return f"{number:,}" if isinstance(number, int) else f"{number:,.4f}".rstrip("0").rstrip(".")
