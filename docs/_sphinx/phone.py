"""What makes a page good to read on a phone; _static/style.css does the rest where it is narrow.

A table with long cells gets the class `cards`, and each cell the head of its column as
`data-head`: each row becomes a card. Many columns of numbers stay a table, which scrolls. A block
of text in which nothing stands in columns gets the class `wraps`: its lines are broken instead of
scrolled.
"""

import re

from bs4 import BeautifulSoup
from docutils import nodes

LONG, LONGEST = 24, 60  # characters: a cell that would be broken into many lines, into too many
FITS = 46  # characters beside each other
COLUMNS = 6  # more than that are there to be compared
IN_COLUMNS = re.compile(r"\S {2,}\S|[─│┌└]")


def mark(app, pagename, templatename, context, doctree):
    """Mark tables and blocks in the HTML of a page."""
    if not context.get("body"):
        return
    page = BeautifulSoup(context["body"], "html.parser")
    for table in page.find_all("table"):
        mark_table(table)
    for block in page.select("div.highlight-text"):
        if not IN_COLUMNS.search(block.get_text()):
            block["class"].append("wraps")
    context["body"] = str(page)


def mark_table(table):
    """`cards`, `scrolls` or nothing; `short` for the cells of a column that has no long ones."""
    heads = [cell.get_text() for cell in table.select("thead th")]
    rows = [row.find_all("td") for row in table.select("tbody tr")]
    if not any(heads):
        return
    longest = [max([len(cell.get_text()) for cell in column]) for column in zip(*rows, strict=True)]
    table["class"] = [*table.get("class", []), kind_of(heads, longest)]
    if any([row[0].get_text().isdigit() for row in rows]):  # says nothing without its head
        table["class"].append("numbered")
    for row in rows:
        for head, cell, length in zip(heads, row, longest, strict=True):
            if cell.get_text(strip=True):
                cell["data-head"] = head
            if length <= LONG:
                cell["class"] = [*cell.get("class", []), "short"]


def kind_of(heads, longest):
    """By the longest cell of each column: what a table becomes."""
    words = [max([len(word) for word in head.split()], default=0) for head in heads]
    if sum(map(max, longest, words)) + 2 * len(heads) <= FITS:
        return "fits"
    if len(longest) > COLUMNS:
        return "scrolls"
    long = sum([length > LONG for length in longest])
    wide = len(longest) > 2 and (long > 1 or max(longest) > LONGEST)
    return "cards" if wide or len(longest) > 4 else "fits"


def trim(app, doctree):
    """Take away the empty line that ends the examples for doctest's sake."""
    for block in doctree.findall(nodes.literal_block):
        block.rawsource = block.rawsource.rstrip()
        block.children = []
        block += nodes.Text(block.rawsource)


def setup(app):
    app.connect("doctree-read", trim)
    app.connect("html-page-context", mark)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
