"""Formulas as MathML, which browsers draw themselves: no script, and nothing to fetch."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml, pick_math_environment
from sphinx.application import Sphinx

#: A function and what it is applied to without brackets: "log P" and not "logP".
APPLIED = re.compile(r"<mo>&ApplyFunction;</mo>(?!\s*<mo[^>]*>\()")
#: Braces of a set, which are as high as what is in them and no higher.
BRACE = re.compile(r"<mo>([{}])</mo>")


def readable(formula: str) -> str:
    """Mend what browsers make of bare MathML."""
    return BRACE.sub(
        r'<mo stretchy="false">\1</mo>', APPLIED.sub('<mspace width="0.17em"/>', formula)
    )


def written(self: Any, node: nodes.Element, *, block: bool) -> None:
    """Write a formula and leave out what stands below its node."""
    code = node.astext()
    if block:
        # Rows that are aligned need the environment that says so.
        kind = pick_math_environment(code)
        code = f"\\begin{{{kind}}}{code}\\end{{{kind}}}" if "\\\\" in code else code
    formula = readable(latex2mathml.tex2mathml(code, as_block=block))
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
