"""Tables in the pages of docs/.

A table stands after a line `<!-- table: NAME -->`, to the next empty line. Stands on nothing.
"""

import re


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
