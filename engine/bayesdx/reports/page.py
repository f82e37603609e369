"""A report as one page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayesdx import __version__
from bayesdx.knowledge.learned_numbers import learned_note
from bayesdx.presentation.layout import Block
from bayesdx.presentation.notebook import markup
from bayesdx.presentation.words import spaced
from bayesdx.reports.gathering import CaseReport
from bayesdx.reports.views import details_of, first_page, report_labels, statements_of

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
        HTML. All texts are escaped.
    """
    knowledge = engine.knowledge
    labels = report_labels(knowledge)
    cases = [
        (report, first_page(report, labels), list(details_of(report, labels))) for report in reports
    ]
    ids = sorted({name for _, first, rest in cases for name in statements_of(rest, first)})
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
    environment.filters |= {"spaced": spaced, "html": html}
    text: str = environment.get_template("page.html.j2").render(
        title=title,
        cases=cases,
        statements=said,
        style=Markup(environment.get_template("style.css").render()),
        intended_use=knowledge.model.intended_use,
        knowledge=f"{knowledge.model.name} {knowledge.model.version}",
        digest=knowledge.digest,
        version=__version__,
        learned=learned_note(knowledge),
    )
    return text
