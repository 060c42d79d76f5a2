"""The figures of contests and collisions in the docs: as JSON, and as tables in two_masters.md."""

import json

from reporting import DATA, ROOT
from reporting.tables import placed, table

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
