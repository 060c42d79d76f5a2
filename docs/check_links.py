"""python docs/check_links.py build/docs: does each link of the built pages lead somewhere?

Links within the pages are followed to the file and to the place in it. Links to other sites are
looked at, not followed: http or https, a host, no blanks. Nothing that a page needs may be on
another site.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src")}
NOT_LOADED = {"canonical", "next", "prev", "index", "search", "author", "copyright"}


class Page(HTMLParser):
    """links: (address, is it loaded with the page); ids: the places in the page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values[key] for key in ("id", "name") if values.get(key)}
        for key in ("href", "src"):
            if values.get(key) is not None:
                loaded = (tag, key) in LOADED and values.get("rel") not in NOT_LOADED
                self.links.append((values[key], loaded))


def complaints(folder):
    """What is wrong with the links of all pages in that folder."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        for address, loaded in page.links:
            wrong = external(address, loaded) if urlsplit(address).scheme else None
            if not urlsplit(address).scheme:
                wrong = internal(address, path, pages)
            if wrong:
                yield f"{path.relative_to(folder)}: {address}: {wrong}"


def external(address, loaded):
    """What is wrong with a link to another site, or None."""
    parts = urlsplit(address)
    if parts.scheme in ("data", "mailto"):
        return None
    if loaded:
        return "is loaded from another site"
    if parts.scheme not in ("http", "https") or "." not in parts.netloc or " " in address:
        return "is no http(s)://host/path"
    return None


def internal(address, path, pages):
    """What is wrong with a link to a file, or None."""
    parts = urlsplit(address)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "no such file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return "no such place in it"
    return None


def main(folder):
    found = list(complaints(Path(folder).resolve()))
    print("\n".join(found) or f"all links in {folder} lead somewhere")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
