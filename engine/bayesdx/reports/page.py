"""A report as one page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayesdx import __version__
from bayesdx.presentation.layout import Block
from bayesdx.presentation.notebook import markup
from bayesdx.presentation.words import percent, spaced
from bayesdx.reports.drawings import Picture
from bayesdx.reports.gathering import CaseReport
from bayesdx.reports.views import case_parts, report_labels, statements_of

if TYPE_CHECKING:
    from bayesdx import Engine


def page(engine: Engine, reports: Sequence[CaseReport], title: str) -> str:
    """Write a page.

    Parameters
    ----------
    engine : Engine
        The one that answered.
    reports : sequence of CaseReport
    title : str

    Returns
    -------
    str
        HTML. All texts are escaped; figures are the only markup that is put in as it is.
    """
    knowledge = engine.knowledge
    labels = report_labels(knowledge)
    parts = [list(case_parts(report, labels)) for report in reports]
    ids = sorted({name for one in parts for name in statements_of(one)})
    said = {name: knowledge.statements[name].says for name in ids if name in knowledge.statements}

    def refs(statements: Sequence[str]) -> Markup:
        links = [
            Markup('<a class="ref" href="#{0}" title="{1}">{0}</a>').format(name, said[name])
            for name in statements
            if name in said
        ]
        return Markup(" ") + Markup(", ").join(links) if links else Markup("")

    def html(blocks: Sequence[Block]) -> Markup:
        # Every text in them has been escaped.
        return Markup(markup(blocks, refs))

    environment = Environment(
        loader=PackageLoader("bayesdx.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "spaced": spaced, "html": html, "figure": figure}
    text: str = environment.get_template("page.html.j2").render(
        title=title,
        cases=list(zip(reports, parts, strict=True)),
        statements=said,
        style=Markup(environment.get_template("style.css").render()),
        intended_use=knowledge.model.intended_use,
        knowledge=f"{knowledge.model.name} {knowledge.model.version}",
        digest=knowledge.digest,
        version=__version__,
    )
    return text


def figure(one: Picture) -> Markup:
    """Put a figure into a page; its drawing library has escaped the labels."""
    return Markup(
        '<figure><div class="wide" role="img" aria-label="{text}">{wide}</div>'
        '<div class="narrow" role="img" aria-label="{text}">{narrow}</div>'
        "<figcaption>{text}</figcaption></figure>"
    ).format(wide=Markup(one.wide), narrow=Markup(one.narrow), text=one.alternative)
