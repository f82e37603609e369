"""How the manual is built: `make docs`. Nothing is fetched, and every warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

import bayesdx

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "extensions"))

project = "bayesdx"
author = "The bayesdx developers"
project_copyright = author
version = release = bayesdx.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    # Of this folder: sessions that run, help as the commands print it, formulas without a script.
    "sessions",
    "command_help",
    "native_formulas",
    "files_of_the_checkout",
]
exclude_patterns = ["_build", "notebooks", "README.md"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"

# Whatever a page points to must be there.
nitpicky = True
nitpick_ignore_regex = [
    # Types of other packages, of Python, and of docstrings that describe in words.
    (r"py:.*", r"(?!bayesdx).*"),
    # What is no part of the public names has no page; docstrings may name it all the same.
    (r"py:.*", r"bayesdx\..*"),
]
default_role = "autolink"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True
numpydoc_xref_param_type = False
templates_path = ["templates"]

html_theme = "furo"
html_title = f"bayesdx {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_math_renderer = "native"
pygments_style = "a11y-high-contrast-light"
html_theme_options = {
    # A line on every page: who reads one page only must have read this.
    "announcement": "Educational decision support. Not a medical device. It rules nothing out.",
}
