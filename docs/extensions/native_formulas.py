"""Formulas as MathML, which browsers draw themselves: no script, and nothing to fetch."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml, pick_math_environment
from sphinx.application import Sphinx


def written(self: Any, node: nodes.Element, *, block: bool) -> None:
    """Write a formula and leave out what stands below its node."""
    code = node.astext()
    if block:
        # Rows that are aligned need the environment that says so.
        kind = pick_math_environment(code)
        code = f"\\begin{{{kind}}}{code}\\end{{{kind}}}" if "\\\\" in code else code
    formula = latex2mathml.tex2mathml(code, as_block=block)
    self.body.append(f'<div class="formula">{formula}</div>' if block else formula)
    raise nodes.SkipNode


def inline(self: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    written(self, node, block=False)


def display(self: Any, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    written(self, node, block=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the renderer ``native``."""
    app.add_html_math_renderer("native", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
