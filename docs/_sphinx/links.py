"""Links that are right for who reads a page as a file, made right for the built pages.

* `[the example](../examples/first)` leads to the repository. A path that does not exist is a
  warning, and warnings are errors.
* `[locks.md](locks.md)` is shown as the title of that page.
"""

import os
import re

from sphinx.util import logging

OUTSIDE = re.compile(r"\]\((\.\./[^)\s#]+)(#[^)\s]*)?\)")
BY_NAME = re.compile(r"\[(\w+\.md)\]\((\1(?:#[^)\s]*)?)\)")
log = logging.getLogger(__name__)


def rewrite(app, docname, content):
    """The links of a page, before it is parsed."""
    folder = os.path.dirname(app.env.doc2path(docname))

    def address(found):
        path = os.path.normpath(os.path.join(folder, found[1]))
        inside = os.path.relpath(path, os.path.dirname(app.srcdir))
        if inside.startswith("docs" + os.sep):
            return found[0]
        if not os.path.exists(path):
            log.warning("no such file: %s", found[1], location=docname)
        kind = "tree" if os.path.isdir(path) else "blob"
        return f"]({app.config.repository_url}/{kind}/main/{inside}{found[2] or ''})"

    content[0] = BY_NAME.sub(r"[](\2)", OUTSIDE.sub(address, content[0]))


def setup(app):
    app.add_config_value("repository_url", "", "html")
    app.connect("source-read", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
