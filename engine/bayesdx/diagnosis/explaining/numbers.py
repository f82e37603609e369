"""The stated number behind what an observation does to a cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bayesdx.diagnosis.explaining.coalition import Observations
from bayesdx.inference.noisy.attribution.observations import Observation
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.knowledge.drafting import cause_file
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Stated

NumberKind = Literal["link", "effect", "requirement", "background", "prevalence", "none"]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class NumberBehind:
    """A stated number with its support.

    Attributes
    ----------
    kind : str
        ``link``: P(finding | cause). ``effect``: what the risk does to the prior of the cause.
        ``requirement``: the cause cannot be without the risk. Where the cause has no number of its
        own for the observation, and is moved by what else explains it: ``background``, how often
        the finding is without its causes, or ``prevalence``, how common the risk is. ``none``: the
        observation says nothing to the model, and only counts for rules on findings.
    number, low, high : float
        Value and range, NaN where there is none.
    basis, source, statements, place : str
        Statements joined by ``;``.
    """

    kind: NumberKind = "none"
    number: float = _NAN
    low: float = _NAN
    high: float = _NAN
    basis: str = ""
    source: str = ""
    statements: str = ""
    place: str = ""


NO_NUMBER = NumberBehind()


class NumbersBehind:
    """Finds the number that ties an observation of one case to a cause."""

    def __init__(self, knowledge: Knowledge, model: NoisyModel, observations: Observations) -> None:
        self._knowledge = knowledge
        self._findings = {
            name: _findings(knowledge, model, name, says)
            for name, says in zip(observations.names, observations.says, strict=True)
        }
        self._risks = {
            name: {model.risks[r]: state for r, state in says.risks}
            for name, says in zip(observations.names, observations.says, strict=True)
        }
        self._usual = {name: self._background(name) for name in observations.names}

    def number(self, cause: str, name: str) -> NumberBehind:
        """Return the number behind an observation for a cause.

        Of a link or an effect if there is one, the most specific first; else of the finding's
        background or the risk's prevalence.
        """
        findings, risks = self._findings[name], self._risks[name]
        for found in _links(self._knowledge, cause, findings):
            return found
        for found in _effects(self._knowledge, cause, risks):
            return found
        return self._usual[name]

    def _background(self, name: str) -> NumberBehind:
        for one in self._findings[name]:
            background = self._knowledge.findings[one].background
            if background is not None:
                place = f"findings.toml:{one}.background"
                return _number("background", background.value, background, place)
        for one, state in self._risks[name].items():
            risk = self._knowledge.risks[one]
            place = f"risks.toml:{one}.prevalence"
            return _number("prevalence", risk.probabilities[state], risk.prevalence, place)
        return NO_NUMBER


def _findings(
    knowledge: Knowledge, model: NoisyModel, name: str, says: Observation
) -> tuple[str, ...]:
    """Findings with a probability that an observation speaks of, itself first."""
    found = [name] if name in knowledge.findings else []
    found += [model.findings[f] for f, _ in says.findings]
    for o, lower, upper in says.levels:
        thresholds = _thresholds(knowledge, model.ordinals[o])
        # The level that was reached, else the lowest one that was not.
        found += [thresholds[level] for level in (lower, upper + 1) if level in thresholds]
    return tuple(one for one in dict.fromkeys(found) if knowledge.findings[one].has_probability)


def _thresholds(knowledge: Knowledge, ordinal: str) -> dict[int, str]:
    states = knowledge.findings[ordinal].states
    return {
        states.index(one.at_least or ""): one.id
        for one in knowledge.findings.values()
        if one.threshold_of == ordinal
    }


def _links(knowledge: Knowledge, cause: str, findings: tuple[str, ...]) -> Iterator[NumberBehind]:
    links = knowledge.causes[cause].links
    for one in findings:
        if one in links:
            place = f"{cause_file(cause)}:links.{one}"
            yield _number("link", links[one].probability, links[one], place)


def _effects(knowledge: Knowledge, cause: str, risks: Mapping[str, int]) -> Iterator[NumberBehind]:
    entry = knowledge.causes[cause]
    for condition in entry.requires:
        if condition.risk in risks:
            yield NumberBehind(
                kind="requirement",
                number=0.0,
                low=_NAN,
                high=_NAN,
                source=entry.requires_source or "",
                statements=";".join(entry.requires_statements),
                place=f"{cause_file(cause)}:requires",
            )
    for index, effect in enumerate(entry.effects):
        if any(condition.risk in risks for condition in effect.any_of):
            yield _number("effect", effect.value, effect, f"{cause_file(cause)}:effects[{index}]")


def _number(kind: NumberKind, value: float, stated: Stated, place: str) -> NumberBehind:
    low, high = stated.range or (_NAN, _NAN)
    return NumberBehind(
        kind, value, low, high, stated.basis, stated.source, ";".join(stated.statements), place
    )
