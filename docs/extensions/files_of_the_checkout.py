"""Links of files that are included from elsewhere in the checkout.

``MODEL_CARD.md`` and others are read where they stand, so their links are those of the checkout.
One to a file that has a page here becomes a link to that page; one to another file of the checkout
becomes its name. One to a file that is not there stays, and is a warning.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

ROOT = Path(__file__).resolve().parents[2]
#: Files that a page of the manual includes whole.
PAGES = {
    "MODEL_CARD.md": "explanation/model-card",
    "benchmarks/README.md": "explanation/benchmarks",
    "ARCHITECTURE.md": "explanation/architecture",
    "CONTRIBUTING.md": "explanation/contributing",
    "SECURITY.md": "explanation/security",
    "CHANGELOG.md": "changelog",
    "priors/README.md": "reference/knowledge-folder",
    "scenarios/README.md": "explanation/scenarios",
}
HOME = {page: Path(path).parent for path, page in PAGES.items()}


class LinksOfIncludedFiles(SphinxPostTransform):
    """Give the links of included files a target in the manual, before any other looks at them."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Replace each link of a page that includes a file."""
        where = self.env.docname
        if where not in HOME:
            return
        for node in list(self.document.findall(addnodes.pending_xref)):
            path, _, anchor = str(node["reftarget"]).partition("#")
            file = os.path.normpath(HOME[where] / path) if path else ""
            if file in PAGES:
                page = PAGES[file]
                node.replace_self(make_refnode(self.app.builder, where, page, anchor, node[0]))
            elif (ROOT / file).exists() and file:
                node.replace_self(nodes.literal(file, file))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.add_post_transform(LinksOfIncludedFiles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
