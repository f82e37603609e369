"""Which statements of a source move its answer: each left out again, and the case worked out anew.

Leaving out is exact, and costs a network each. Where many statements bear on a case, derivatives
say which ones are worth it: the change of a number in log-odds, times the derivative of the cause's
log-odds by it. Effects of risks, prevalences and conditional backgrounds have no such derivative;
they are always tried where their risk or finding is observed.

Statements that say the same of the same numbers are left out together: alone, each would be
replaced by the other, and none would seem to matter. Contributions do not add up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.building.sensitivity import number_gradient
from bayesdx.building.source_models import (
    SourceModel,
    SourceNumber,
    build_source_model,
    value_without,
)
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.addresses import PlacedNumber, every_number
from bayesdx.knowledge.knowledge import Knowledge

#: Statements to leave out exactly, for one source and case.
MOST_EXACT = 8
#: Those chosen by derivatives, where the ones without derivative would leave room for fewer.
FEWEST_BY_DERIVATIVE = 3


@dataclass(frozen=True)
class Influence:
    """What becomes of a posterior without some statements of the source.

    Attributes
    ----------
    statements : tuple of str
        One, or several that say the same.
    numbers : tuple of str
        Places of the numbers that bear on the case and change without them.
    without : float
        The posterior when they are left out.
    """

    statements: tuple[str, ...]
    numbers: tuple[str, ...]
    without: float


@dataclass(frozen=True)
class Influences:
    """The statements that move one posterior.

    Attributes
    ----------
    posterior : float
        Under the source.
    bearing : int
        How many statements, or sets that say the same, bear on the case.
    computed : tuple of Influence
        Those that were left out again, the one that moves the posterior most first.
    """

    posterior: float
    bearing: int
    computed: tuple[Influence, ...]


@dataclass(frozen=True)
class _Change:
    """A number, and its value when the statements are left out."""

    number: PlacedNumber
    value: float
    without: float


def find_influences(
    base: Knowledge, rival: SourceModel, assembly: Assembly, evidence: Evidence, cause: str
) -> Influences:
    """Leave the statements of a source out again, those that matter most for a cause in a case.

    Parameters
    ----------
    base : Knowledge
        The model's numbers.
    rival : SourceModel
    assembly : Assembly
        Of the rival's knowledge.
    evidence : Evidence
        One case, possible under the rival.
    cause : str
    """
    posterior = _posterior(assembly.model, evidence, cause)
    changes = _changes(rival, _seen(rival.knowledge, assembly.model, evidence))
    chosen = _worth_it(rival, assembly, evidence, cause, changes)
    computed = []
    for names in chosen:
        others = [one for one in rival.statements if one.id not in names]
        less = build_source_model(base, rival.id, rival.title, others)
        without = _posterior(assemble(less.knowledge, assembly.links).model, evidence, cause)
        numbers = tuple(change.number.place for change in changes[names])
        computed.append(Influence(names, numbers, without))
    computed.sort(key=lambda one: (-abs(one.without - posterior), one.statements))
    return Influences(posterior, len(changes), tuple(computed))


def _posterior(model: NoisyModel, evidence: Evidence, cause: str) -> float:
    return float(posteriors(model, evidence).complete().causes[0, model.causes.index(cause)])


def _seen(knowledge: Knowledge, model: NoisyModel, evidence: Evidence) -> frozenset[str]:
    """Findings (with the thresholds of ordinals) and risks of which something is known."""
    seen = {model.findings[f] for f in np.flatnonzero(~np.isnan(evidence.findings[0]))}
    seen |= {model.risks[r] for r in np.flatnonzero(evidence.risks[0] >= 0)}
    upper = np.array(model.ordinal_sizes, dtype=np.int8) - 1
    bounded = (evidence.lower[0] > 0) | (evidence.upper[0] < upper)
    ordinals = {model.ordinals[o] for o in np.flatnonzero(bounded)}
    findings = knowledge.findings.values()
    return frozenset(seen | {one.id for one in findings if one.threshold_of in ordinals})


def _changes(rival: SourceModel, seen: Collection[str]) -> dict[tuple[str, ...], list[_Change]]:
    """Return what changes without each set of statements that say the same."""
    places = {number.place: number for number in every_number(rival.knowledge)}
    bearing = [one for one in rival.numbers if _bears(places[one.number], seen)]
    said: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for statement in rival.statements:
        read = {reading.number: reading.value for reading in statement.readings}
        for one in bearing:
            if statement.id in one.statements:
                said[statement.id].append((one.number, read[one.number]))
    alike: dict[tuple[tuple[str, float], ...], list[str]] = defaultdict(list)
    for name, readings in said.items():
        alike[tuple(readings)].append(name)
    groups = (tuple(names) for names in alike.values())
    found = {names: list(_changed(rival, bearing, places, names)) for names in groups}
    return {names: changes for names, changes in found.items() if changes}


def _changed(
    rival: SourceModel,
    bearing: Sequence[SourceNumber],
    places: dict[str, PlacedNumber],
    names: tuple[str, ...],
) -> Iterator[_Change]:
    for one in bearing:
        if set(names) & set(one.statements):
            number = places[one.number]
            without = value_without(rival, one, names, number.is_ratio)
            if without != one.value:
                yield _Change(number, one.value, without)


def _bears(number: PlacedNumber, seen: Collection[str]) -> bool:
    """Whether a number can bear on a case: a finding that is not observed says nothing."""
    if number.kind == "prior":
        return True
    if number.kind == "link":
        return number.address.key in seen
    if number.kind == "effect":
        return any(one.risk in seen for one in getattr(number.stated, "any_of", ()))
    return number.owner in seen


def _worth_it(
    rival: SourceModel,
    assembly: Assembly,
    evidence: Evidence,
    cause: str,
    changes: dict[tuple[str, ...], list[_Change]],
) -> list[tuple[str, ...]]:
    """Choose what to leave out: what has no derivative, then the largest first-order changes."""
    if len(changes) <= MOST_EXACT:
        return list(changes)
    slopes = _slopes(rival, assembly, evidence, cause)
    always = [
        names
        for names, changed in changes.items()
        if any(change.number.place not in slopes for change in changed)
    ]
    expected = {
        names: abs(math.fsum(_step(one) * slopes[one.number.place] for one in changed))
        for names, changed in changes.items()
        if names not in always
    }
    ranked = sorted(expected, key=lambda names: -expected[names])
    return always + ranked[: max(MOST_EXACT - len(always), FEWEST_BY_DERIVATIVE)]


def _step(change: _Change) -> float:
    """The change in log-odds; all numbers with a derivative are probabilities."""
    return _logit(change.value) - _logit(change.without)


def _logit(value: float) -> float:
    return math.log(value / (1.0 - value))


def _slopes(
    rival: SourceModel, assembly: Assembly, evidence: Evidence, cause: str
) -> dict[str, float]:
    """Differentiate the log-odds of a cause, log P(cause, e) - log P(no cause, e), by numbers."""
    both = evidence.take(np.zeros(2, dtype=np.intp))
    causes = both.causes.copy()
    causes[:, assembly.model.causes.index(cause)] = (1, 0)
    gradient = number_gradient(rival.knowledge, assembly, replace(both, causes=causes))
    slopes = gradient.values[0] - gradient.values[1]
    return dict(zip(gradient.places, slopes.tolist(), strict=True))
