"""The figures of long runs in the docs: as JSON, and from there as tables in a page.

A table stands in docs/two_masters.md after a line `<!-- table: NAME -->`, to the next empty line.
"""

import json
import re

from soak.jobs import KEPT as DATA
from soak.jobs import ROOT

PAGE = ROOT / "docs" / "two_masters.md"


def keep(name, part, todo):
    """Put what the jobs have found into the docs."""
    DATA.mkdir(exist_ok=True)
    results = [{"title": job.title, "args": job.args, "state": job.state} for job in todo]
    (DATA / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(filled(PAGE.read_text(), name, part))


def filled(text, name, part):
    """The page with the table of that name made anew from the JSON."""
    results = json.loads((DATA / f"{name}.json").read_text())
    rows = [part.row(*result["args"], result["state"]["totals"]) for result in results]
    return placed(text, name, table(part.HEADS, rows, 2), PAGE.name)


def table(heads, rows, words):
    """Lines of a table; the first so many columns are words, the others numbers."""
    lines = [heads, ["---"] * words + ["---:"] * (len(heads) - words), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(text, name, made, page):
    """The text of the page of that file name with the table in its place."""
    pattern = rf"(<!-- table: {name} -->\n\n).*?\n\n"
    if not re.search(pattern, text, re.S):
        raise ValueError(f"{page} has no <!-- table: {name} -->")
    return re.sub(pattern, lambda found: found[1] + made + "\n\n", text, count=1, flags=re.S)


def refilled(text, tables, page):
    """The same with all tables, which are name -> what makes one."""
    for name, make in tables.items():
        text = placed(text, name, make(), page)
    return text
