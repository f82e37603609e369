"""Every number of the knowledge in one list, for whoever looks at all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bayesdx.knowledge.draft import cause_file
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Cause, Condition, Finding, Stated
from bayesdx.knowledge.shapes import join

NumberKind = Literal["prior", "effect", "link", "background", "background_effect", "prevalence"]


@dataclass(frozen=True)
class PlacedNumber:
    """A number and where it stands.

    Attributes
    ----------
    place : str
        File and key.
    kind : str
        What the number is.
    owner : str
        Id of the cause, finding or risk that it belongs to.
    title : str
        The number in words: ``P(cramp | strain)``.
    value : float or tuple of float
        The number; one probability a state where a risk has several.
    stated : Stated
        Its range, basis, source and statements.
    """

    place: str
    kind: NumberKind
    owner: str
    title: str
    value: float | tuple[float, ...]
    stated: Stated

    @property
    def is_ratio(self) -> bool:
        """Whether the number is a ratio, not a probability."""
        return getattr(self.stated, "measure", "") in (
            "relative_risk",
            "odds_ratio",
            "likelihood_ratio",
        )


def every_number(knowledge: Knowledge) -> tuple[PlacedNumber, ...]:
    """List every number with its support.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.

    Returns
    -------
    tuple of PlacedNumber
        Numbers of causes, then of findings, then of risks, in the order of the knowledge.
    """
    return (
        *(one for cause in knowledge.causes.values() for one in _of_cause(cause)),
        *(one for finding in knowledge.findings.values() for one in _of_finding(finding)),
        *(
            PlacedNumber(
                f"risks.toml:{risk.id}.prevalence",
                "prevalence",
                risk.id,
                f"P({risk.id} | {risk.prevalence.denominator})",
                risk.prevalence.value,
                risk.prevalence,
            )
            for risk in knowledge.risks.values()
        ),
    )


def condition_text(conditions: tuple[Condition, ...]) -> str:
    """Write conditions of which any may hold as they are read: ``age under_50 or sex female``."""
    return " or ".join(f"{one.risk} {' or '.join(one.states)}" for one in conditions)


def _of_cause(cause: Cause) -> Iterator[PlacedNumber]:
    place = f"{cause_file(cause.id)}:"
    if (prior := cause.prior) is not None:
        title = f"P({cause.id} | {prior.denominator})"
        yield PlacedNumber(join(place, "prior"), "prior", cause.id, title, prior.value, prior)
    for index, effect in enumerate(cause.effects):
        measure = effect.measure.replace("_", " ")
        title = f"{measure} of {cause.id} with {condition_text(effect.any_of)}"
        where = join(place, "effects", index)
        yield PlacedNumber(where, "effect", cause.id, title, effect.value, effect)
    for name, link in cause.links.items():
        where, title = join(place, "links", name), f"P({name} | {cause.id})"
        yield PlacedNumber(where, "link", cause.id, title, link.probability, link)


def _of_finding(finding: Finding) -> Iterator[PlacedNumber]:
    place = f"findings.toml:{finding.id}"
    if (background := finding.background) is not None:
        title = f"P({finding.id} | {background.denominator})"
        where = join(place, "background")
        yield PlacedNumber(where, "background", finding.id, title, background.value, background)
    for index, effect in enumerate(finding.background_effects):
        if effect.value is not None and effect.measure == "probability":
            held = " and ".join(
                f"{risk} {' or '.join(states)}" for risk, states in effect.when.items()
            )
            title = f"background of {finding.id} with {held}"
            where = join(place, "background_effects", index)
            yield PlacedNumber(where, "background_effect", finding.id, title, effect.value, effect)
