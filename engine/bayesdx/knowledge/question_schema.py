"""The shape of ``questions.toml``: what an answer costs, how long it takes, and who can ask for it.

Findings, risks and measures say by whom they are observed; an *effort* says what that takes, for
all of them or for those of one category. An *asker* is somebody who can reach several kinds of
observers, as a clinician can both ask and examine. Nothing here knows which findings exist;
`bayesdx.knowledge.question_links` compares them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from bayesdx.knowledge.red_flag_schema import Basis
from bayesdx.knowledge.schema import Finding, Frozen, Observer

#: Findings of an observer are asked in this order, where nothing else decides.
CATEGORIES = ("site", "quality", "timing", "provocation", "neurology", "general")


def _above_zero(cost: float) -> float:
    if cost <= 0.0:
        raise ValueError(f"expected a cost above 0, got {cost!r}.")
    return cost


def _not_negative(delay: float) -> float:
    if delay < 0.0:
        raise ValueError(f"expected hours from 0 on, got {delay!r}.")
    return delay


class Effort(Frozen):
    """What it takes to get one answer.

    Attributes
    ----------
    observed_by : str
        Who observes it.
    category : str, optional
        Only findings of this category; without it everything of that observer.
    cost : float
        In units of one question to the patient, above 0. A scale, no price.
    delay_hours : float
        Typical time until the answer is there.
    basis, source, note : str
        What the two numbers rest on.
    """

    observed_by: Observer
    category: str | None = None
    cost: Annotated[float, AfterValidator(_above_zero)]
    delay_hours: Annotated[float, AfterValidator(_not_negative)]
    basis: Basis
    source: str
    note: str = ""


class Asker(Frozen):
    """Somebody who can get answers from several kinds of observers."""

    id: str
    label: str
    asks: Annotated[tuple[Observer, ...], Field(strict=False)]


def effort_of(efforts: Iterable[Effort], observed_by: str, category: str) -> Effort | None:
    """Find what an answer takes: the row of its category, else that of its observer.

    Parameters
    ----------
    efforts : iterable of Effort
    observed_by, category : str
        Of a finding; risks and measures have no category.

    Returns
    -------
    Effort or None
        None where the knowledge says nothing.
    """
    fitting = [one for one in efforts if one.observed_by == observed_by]
    exact = [one for one in fitting if one.category == category]
    general = [one for one in fitting if one.category is None]
    return next(iter((*exact, *general)), None)


def by_category(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings as they are asked: by `CATEGORIES`, those of others last."""
    rank = {category: at for at, category in enumerate(CATEGORIES)}
    return sorted(findings, key=lambda finding: rank.get(finding.category, len(rank)))
