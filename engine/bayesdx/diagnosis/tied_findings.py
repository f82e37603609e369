"""Findings that settle each other, and what of them one case may tell together.

The reader of cases derives some findings from others: what implies what, what is positive when any
of its components is. The network knows nothing of this, so cases drawn from it can contradict
themselves. Nothing that was drawn is changed here; what cannot be told together is not told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bayesdx.inference.evidence import StateArray
from bayesdx.inference.noisy.model import BoolArray, NoisyModel
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Finding, all_implied


class Unit(NamedTuple):
    """What is told as one thing: a binary finding, an ordinal one with all its thresholds, a risk.

    Attributes
    ----------
    row : int
        Row of what is told: binary findings come first, then ordinal ones, then risks.
    level : int
        The finding is present where the value of that row is at least this.
    """

    row: int
    level: int


class Relations:
    """What of N cases may be told together.

    Attributes
    ----------
    tied : frozenset of str
        Findings that settle others or are settled by others.
    """

    def __init__(self, knowledge: Knowledge, model: NoisyModel) -> None:
        findings = knowledge.findings
        self._units = _units(knowledge, model)
        implied = {name: frozenset(one.implies) for name, one in findings.items() if one.implies}
        combined = {name: one.any_of for name, one in findings.items() if one.any_of}
        edges = [(a, b) for a, those in implied.items() for b in those]
        edges += [(whole, part) for whole, parts in combined.items() for part in parts]
        self.tied = frozenset(name for edge in edges for name in edge)
        self._parts = _connected(edges)
        self._pairs = [
            (self._units[a], self._units[b])
            for a, b in sorted(_closure(findings))
            if a in self._units and b in self._units and self._units[a].row != self._units[b].row
        ]
        self._excluded = [
            (self._units[a], self._units[b].row, _values(knowledge, self._units[b], b, states))
            for a, b, states in _excluded(knowledge)
            if a in self._units and b in self._units
        ]
        self._wholes: list[tuple[int, list[int]]] = []
        self._tangles: list[list[int]] = []
        for part in {self._parts[name] for name in combined}:
            rows = sorted({self._units[name].row for name in part if name in self._units})
            whole = [name for name in sorted(part) if name in combined]
            if len(whole) == 1 and set(combined[whole[0]]) | {whole[0]} == part:
                if whole[0] in self._units:
                    own = self._units[whole[0]].row
                    self._wholes.append((own, [row for row in rows if row != own]))
            elif len(rows) > 1:
                self._tangles.append(rows)

    def others(self, name: str) -> frozenset[str]:
        """Findings that a finding can settle, or be settled by, over however many steps."""
        return self._parts.get(name, frozenset()) - {name}

    def settle(self, values: Sequence[BoolArray | StateArray], told: Sequence[BoolArray]) -> None:
        """Untell what cannot be told with the rest, in place.

        A finding that is positive when any of its components is, is not told where a component
        is. Where one finding implies another and was drawn present without it, or excludes what was
        drawn, neither is told. Of findings that are tied in both ways only one is told.

        Parameters
        ----------
        values : sequence of arrays (N,)
            What was drawn: of each binary finding, then the state of each ordinal one, then of each
            risk.
        told : sequence of bool arrays (N,)
            Whether it is told.
        """
        for rows in self._tangles:
            taken = told[rows[0]].copy()
            for row in rows[1:]:
                told[row] &= ~taken
                taken |= told[row]
        for whole, parts in self._wholes:
            for row in parts:
                told[whole] &= ~told[row]
        for a, b in self._pairs:
            clash = (values[a.row] >= a.level) & (values[b.row] < b.level)
            told[a.row] &= ~clash
            told[b.row] &= ~clash
        for one, row, states in self._excluded:
            clash = (values[one.row] >= one.level) & np.isin(values[row], states)
            told[one.row] &= ~clash
            told[row] &= ~clash


def _units(knowledge: Knowledge, model: NoisyModel) -> dict[str, Unit]:
    units = {name: Unit(row, 1) for row, name in enumerate(model.findings)}
    for row, ordinal in enumerate(model.ordinals, start=len(model.findings)):
        states = knowledge.findings[ordinal].states
        units[ordinal] = Unit(row, len(states) - 1)
        for finding in knowledge.findings.values():
            if finding.threshold_of == ordinal:
                units[finding.id] = Unit(row, states.index(finding.at_least or ""))
    first = len(model.findings) + len(model.ordinals)
    return units | {name: Unit(first + row, 1) for row, name in enumerate(model.risks)}


def _values(knowledge: Knowledge, unit: Unit, name: str, states: Collection[int]) -> list[int]:
    """Values of a row in which a finding or risk is in one of some states."""
    finding = knowledge.findings.get(name)
    if finding is None or finding.threshold_of is None:
        return list(states)
    levels = range(len(knowledge.findings[finding.threshold_of].states))
    return [level for level in levels if int(level >= unit.level) in states]


def _excluded(knowledge: Knowledge) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """What is present, and what is then in none of some states, over whatever either implies."""
    closure = _closure(knowledge.findings)
    for present, subject, states in knowledge.exclusions:
        others = [a for a, b in closure if states == (1,) and b == subject]
        for name in (present, *(a for a, b in closure if b == present)):
            yield from ((name, other, states) for other in (subject, *others))


def _closure(findings: Mapping[str, Finding]) -> set[tuple[str, str]]:
    """Pairs of which the first implies the second, directly or not."""
    return {(name, other) for name in findings for other in all_implied(findings, name) - {name}}


def _connected(edges: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """The connected part of a graph that each of its nodes is in."""
    part: dict[str, frozenset[str]] = {}
    for one, other in edges:
        joined = part.get(one, frozenset({one})) | part.get(other, frozenset({other}))
        part.update(dict.fromkeys(joined, joined))
    return part
