"""Check the pages that were built: `python built_pages.py docs/_build/html`.

Every link within the manual has its page and its anchor, every page can be read without a network,
and every picture says in words what it shows.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Tags that fetch something when a page is opened, and where they name it.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src"}


class PageReader(HTMLParser):
    """What of a page is checked.

    Attributes
    ----------
    anchors : set of str
        Where a link can point to.
    links, fetched : list of str
        Where links go, and what the browser fetches by itself.
    undescribed : list of str
        Pictures without words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.undescribed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and found.get("rel") != "canonical":
            self.fetched.append(found.get("href", ""))
        if tag in FETCHED and FETCHED[tag] in found:
            self.fetched.append(found[FETCHED[tag]])
        if tag == "img" and not found.get("alt", "").strip():
            self.undescribed.append(found.get("src", ""))


def read(path: Path) -> PageReader:
    """Read a page."""
    reader = PageReader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def faults(folder: Path) -> list[str]:
    """Return what is wrong with the pages of a folder, one line each."""
    pages = {path.resolve(): read(path) for path in sorted(folder.rglob("*.html"))}
    told = []
    for path, page in pages.items():
        where = path.relative_to(folder.resolve())
        told += [f"{where}: fetched: {one}" for one in page.fetched if urlsplit(one).netloc]
        told += [f"{where}: no words for the picture {one}" for one in page.undescribed]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                told.append(f"{where}: no such page: {link}")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                told.append(f"{where}: no such anchor: {link}")
    return told if pages else [f"{folder}: no page"]


if __name__ == "__main__":
    if found := faults(Path(sys.argv[1])):
        sys.exit("\n".join(found))
