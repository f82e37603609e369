"""A report as one page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayesdx import __version__
from bayesdx.presentation.words import (
    NO_FINDINGS,
    NOTHING_RULED_OUT,
    SEVERAL_AT_ONCE,
    percent,
    spaced,
)
from bayesdx.reports.drawings import Picture
from bayesdx.reports.gathering import CaseReport
from bayesdx.reports.views import case_view, report_labels, statements_of

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
    views = [case_view(report, labels) for report in reports]
    ids = sorted({name for view in views for name in statements_of(view)})
    said = {name: knowledge.statements[name].says for name in ids if name in knowledge.statements}
    environment = _environment(said)
    text: str = environment.get_template("page.html.j2").render(
        title=title,
        cases=views,
        statements=said,
        style=Markup(environment.get_template("style.css").render()),
        intended_use=knowledge.model.intended_use,
        knowledge=f"{knowledge.model.name} {knowledge.model.version}",
        digest=knowledge.digest,
        version=__version__,
        nothing_ruled_out=NOTHING_RULED_OUT,
        several_at_once=SEVERAL_AT_ONCE,
        no_findings=NO_FINDINGS,
    )
    return text


def _environment(said: dict[str, str]) -> Environment:
    made = Environment(
        loader=PackageLoader("bayesdx.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def refs(statements: Sequence[str]) -> Markup:
        links = [
            Markup('<a class="ref" href="#{0}" title="{1}">{0}</a>').format(name, said[name])
            for name in statements
            if name in said
        ]
        return Markup(" ") + Markup(", ").join(links) if links else Markup("")

    def picture(one: Picture | None) -> Markup:
        if one is None:
            return Markup("")
        # Drawn here from numbers and labels; the drawing library has escaped the labels.
        parts: dict[str, Any] = {
            "wide": Markup(one.wide),
            "narrow": Markup(one.narrow),
            "text": one.alternative,
        }
        return Markup(
            '<figure><div class="wide" role="img" aria-label="{text}">{wide}</div>'
            '<div class="narrow" role="img" aria-label="{text}">{narrow}</div>'
            "<figcaption>{text}</figcaption></figure>"
        ).format(**parts)

    made.filters |= {"percent": percent, "spaced": spaced}
    made.globals |= {"refs": refs, "picture": picture}
    return made
