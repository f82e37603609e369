"""What was given of a case, as the observations of a coalition game.

An observation is one thing that was given: a finding, a risk, or a measure with everything it sets.
Mostly it says the same whatever else is known, and is one part of the evidence. Findings that
settle each other (one implies another, one is positive when any of its components is, thresholds of
one ordinal finding) are read again for every subset of the observations that speak of them.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.attribution.observations import Observation
from bayesdx.inference.noisy.model import BoolArray, NoisyModel
from bayesdx.knowledge.knowledge import Knowledge

Kind = Literal["finding", "level", "risk"]
#: One variable of the model and what is said of it.
Atom = tuple[Kind, tuple[int, ...], float]


@dataclass(frozen=True, eq=False)
class Observations:
    """The observations of one case, as parts of its evidence.

    The letter k stands for the observations that say anything to the model, B for the parts.

    Attributes
    ----------
    names : tuple of str
        Everything that was given, in the order given.
    telling : tuple of int
        Positions among ``names`` of the k observations that say anything to the model.
    parts : tuple of Observation
    known : tuple of tuples of bool
        Of each part, whether it is known under each subset of its owners.
    owners : tuple of tuples of int
        The observations, as positions among ``telling``, that each part depends on.
    says : tuple of Observation
        What each of ``names`` says when all is known, for looking up where its numbers come from.
    """

    names: tuple[str, ...]
    telling: tuple[int, ...]
    parts: tuple[Observation, ...]
    known: tuple[tuple[bool, ...], ...]
    owners: tuple[tuple[int, ...], ...]
    says: tuple[Observation, ...]

    def parts_known(self, told: BoolArray) -> BoolArray:
        """Return which parts are known, (M, B), where some observations are made, (M, k)."""
        known = np.zeros((len(told), len(self.parts)), dtype=bool)
        for b, (pattern, owners) in enumerate(zip(self.known, self.owners, strict=True)):
            local = told[:, list(owners)] @ (1 << np.arange(len(owners)))
            known[:, b] = np.array(pattern)[local]
        return known


def families(knowledge: Knowledge) -> dict[str, int]:
    """Number what can settle each other: names with the same number do."""
    leader: dict[str, str] = {}

    def root(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for measure in knowledge.measures.values():
        for setting in measure.sets:
            leader[root(setting.target)] = root(measure.id)
    for finding in knowledge.findings.values():
        tied = (*finding.implies, *finding.any_of)
        for other in (*tied, finding.threshold_of) if finding.threshold_of else tied:
            leader[root(other)] = root(finding.id)
    names = (*knowledge.findings, *knowledge.risks, *knowledge.measures)
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(root(name), len(numbers)) for name in names}


def read_observations(
    core: Core, cases: Cases, row: int, family: Mapping[str, int]
) -> Observations:
    """Take one case apart.

    Parameters
    ----------
    core : Core
    cases : Cases
    row : int
        Position of the case.
    family : mapping of str to int
        See `families`.
    """
    given = _given(cases, row)
    names = tuple(given)
    grouped: dict[int, list[int]] = {}
    for at, name in enumerate(names):
        grouped.setdefault(family[name], []).append(at)
    whole = _atoms(core.model, cases.evidence, row, family)
    found: list[tuple[tuple[int, ...], tuple[bool, ...], list[Atom]]] = []
    for number, members in grouped.items():
        if len(members) == 1:
            found.append((tuple(members), (False, True), whole.get(number, [])))
        else:
            told = {names[at]: given[names[at]] for at in members}
            for known, atoms in _patterns(core, told, number, family):
                found.append((tuple(members), known, atoms))
    found = [entry for entry in found if entry[2]]
    telling = tuple(sorted({at for owners, _, _ in found for at in owners}))
    place = {at: i for i, at in enumerate(telling)}
    return Observations(
        names=names,
        telling=telling,
        parts=tuple(_part(atoms) for _, _, atoms in found),
        known=tuple(known for _, known, _ in found),
        owners=tuple(tuple(place[at] for at in owners) for owners, _, _ in found),
        says=tuple(_part(whole.get(family[name], [])) for name in names),
    )


def whole_part(model: NoisyModel, evidence: Evidence, row: int) -> Observation:
    """Return everything that is known of one case as one part."""
    return _part(list(_each_atom(model, evidence, row)))


def _given(cases: Cases, row: int) -> dict[str, float]:
    values = ((name, float(column[row])) for name, column in cases.given)
    return {name: value for name, value in values if not math.isnan(value)}


def _each_atom(model: NoisyModel, evidence: Evidence, row: int) -> Iterable[Atom]:
    for f in np.flatnonzero(~np.isnan(evidence.findings[row])):
        yield "finding", (int(f),), float(evidence.findings[row, f])
    for o, size in enumerate(model.ordinal_sizes):
        lower, upper = int(evidence.lower[row, o]), int(evidence.upper[row, o])
        if lower > 0 or upper < size - 1:
            yield "level", (o, lower, upper), 0.0
    for r in np.flatnonzero(evidence.risks[row] >= 0):
        yield "risk", (int(r), int(evidence.risks[row, r])), 0.0


def _name(model: NoisyModel, atom: Atom) -> str:
    kind, where, _ = atom
    names = {"finding": model.findings, "level": model.ordinals, "risk": model.risks}[kind]
    return names[where[0]]


def _atoms(
    model: NoisyModel, evidence: Evidence, row: int, family: Mapping[str, int]
) -> dict[int, list[Atom]]:
    found: dict[int, list[Atom]] = {}
    for atom in _each_atom(model, evidence, row):
        found.setdefault(family[_name(model, atom)], []).append(atom)
    return found


def _part(atoms: Sequence[Atom]) -> Observation:
    return Observation(
        findings=tuple((where[0], value) for kind, where, value in atoms if kind == "finding"),
        levels=tuple((o, low, up) for kind, (o, low, up) in _wide(atoms) if kind == "level"),
        risks=tuple((where[0], where[1]) for kind, where, _ in atoms if kind == "risk"),
    )


def _wide(atoms: Sequence[Atom]) -> Iterable[tuple[Kind, tuple[int, int, int]]]:
    for kind, where, _ in atoms:
        if len(where) == 3:
            yield kind, (where[0], where[1], where[2])


def _patterns(
    core: Core, told: Mapping[str, float], number: int, family: Mapping[str, int]
) -> list[tuple[tuple[bool, ...], list[Atom]]]:
    """Read every subset of what was told of one family; atoms known alike go together."""
    subsets = np.arange(1 << len(told))
    columns: dict[Hashable, list[object]] = {
        name: [_cell(core, name, value) if s >> bit & 1 else None for s in subsets.tolist()]
        for bit, (name, value) in enumerate(told.items())
    }
    evidence = core.reader.read(columns, len(subsets), None).evidence
    known: dict[Atom, list[bool]] = {}
    for s in subsets.tolist():
        for atom in _atoms(core.model, evidence, s, family).get(number, []):
            known.setdefault(atom, [False] * len(subsets))[s] = True
    alike: dict[tuple[bool, ...], list[Atom]] = {}
    for atom, pattern in known.items():
        alike.setdefault(tuple(pattern), []).append(atom)
    return list(alike.items())


def _cell(core: Core, name: str, value: float) -> object:
    """Return a value as it could have been given."""
    states = core.states.get(name)
    if states is not None and value == int(value):
        return states[int(value)]
    return value
