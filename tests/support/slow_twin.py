"""The slow twin of the executors: plain loops over dictionaries, one cause and one state at a time.

It is what `bayesdx.inference.noisy.operator` describes, without arrays: a frontier is a dictionary
from one component an open axis to a number. Every axis is opened first and closed last, risks are
tried state by state, and the posterior of a cause comes from the case with the cause clamped: there
is no order, no plan and no backward pass to get wrong. Coefficients are taken from the network's
own distributions, not from the compiled model.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD

Frontier = dict[tuple[int, ...], float]
#: Where an active cause takes a component of an axis, and how much of it.
Moves = Callable[[str, int], list[tuple[int, float]]]


@dataclass(frozen=True)
class TwinAxis:
    """What was seen of one finding: components before any cause acts, and what causes do."""

    start: tuple[float, ...]
    moves: Moves


def act_slowly(frontier: Frontier, at: int, axis: TwinAxis, cause: str) -> Frontier:
    """An active cause acts on the axis at a place."""
    after: Frontier = {}
    for key, value in frontier.items():
        for component, share in axis.moves(cause, key[at]):
            moved = (*key[:at], component, *key[at + 1 :])
            after[moved] = after.get(moved, 0.0) + share * value
    return after


def finding_axis(cpd: NoisyOrCPD, seen: float) -> TwinAxis:
    """A binary finding: l1 + (l0 - l1) Q (1 - leak H), split so that no term is negative."""
    l1, l0, leak = seen, 1.0 - seen, cpd.leak
    strengths = dict(zip(cpd.activators, cpd.strengths.tolist(), strict=True))
    factors = dict(zip(cpd.inhibitors, cpd.factors.tolist(), strict=True))

    def moves(cause: str, component: int) -> list[tuple[int, float]]:
        z, h = strengths.get(cause, 0.0), factors.get(cause, 1.0)
        return [
            [(0, 1.0), (1, l1 * z)],
            [(1, 1.0 - z)],
            [(2, h * (1.0 - z))],
            [(2, 1.0 - h), (3, 1.0 - z)],
        ][component]

    if l1 >= l0:
        return TwinAxis((1.0, l0, (l1 - l0) * leak, 0.0), moves)
    return TwinAxis((1.0, l1 + (l0 - l1) * (1.0 - leak), 0.0, (l0 - l1) * leak), moves)


def level_axis(cpd: NoisyMaxCPD, low: int, high: int) -> TwinAxis:
    """An ordinal finding from ``low`` to ``high``: at most ``high``, and not below ``low``.

    Component 0 is P(at most high), component 1 what of it is at least ``low``.
    """

    def at_most(exceed: list[float], level: int) -> float:
        return 1.0 - exceed[level] if level < len(exceed) else 1.0

    strengths = dict(zip(cpd.parents, cpd.strengths.tolist(), strict=True))
    top, below = at_most(cpd.leak.tolist(), high), at_most(cpd.leak.tolist(), low - 1)

    def moves(cause: str, component: int) -> list[tuple[int, float]]:
        exceed = strengths.get(cause, [0.0] * len(cpd.leak))
        top, below = at_most(exceed, high), 0.0 if low == 0 else at_most(exceed, low - 1)
        return [[(0, top), (1, top - below)], [(1, below)]][component]

    return TwinAxis((top, top if low == 0 else top - below), moves)


def twin_evidence(model: NoisyModel, evidence: Evidence, row: int) -> float:
    """P(evidence) of one case."""
    axes = []
    for f, name in enumerate(model.findings):
        cpd, seen = model.network.cpds[name], float(evidence.findings[row, f])
        if not math.isnan(seen):
            assert isinstance(cpd, NoisyOrCPD)
            axes.append(finding_axis(cpd, seen))
    for o, name in enumerate(model.ordinals):
        cpd = model.network.cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        axes.append(level_axis(cpd, int(evidence.lower[row, o]), int(evidence.upper[row, o])))
    total = 0.0
    known = evidence.risks[row].tolist()
    cards = [model.network.variables[name].cardinality for name in model.risks]
    choices = [range(card) if s < 0 else [s] for card, s in zip(cards, known, strict=True)]
    for states in itertools.product(*choices):
        weight = 1.0
        for name, state in zip(model.risks, states, strict=True):
            weight *= float(model.network.table(name)[state])
        if weight > 0.0:
            total += weight * _given_risks(model, evidence, row, axes, states)
    return total


def _given_risks(
    model: NoisyModel,
    evidence: Evidence,
    row: int,
    axes: list[TwinAxis],
    risks: tuple[int, ...],
) -> float:
    frontier: Frontier = {(): 1.0}
    for axis in axes:
        frontier = {
            (*key, component): value * factor
            for key, value in frontier.items()
            for component, factor in enumerate(axis.start)
            if factor > 0.0
        }
    for c, name in enumerate(model.causes):
        parents = [risks[model.risks.index(parent)] for parent in model.network.parents(name)]
        active = float(model.network.table(name)[(*parents, 1)])
        clamped = int(evidence.causes[row, c])
        weights = (0.0 if clamped == 1 else 1.0 - active, 0.0 if clamped == 0 else active)
        acted = frontier
        for at, axis in enumerate(axes):
            acted = act_slowly(acted, at, axis, name)
        frontier = {
            key: weights[0] * frontier.get(key, 0.0) + weights[1] * acted.get(key, 0.0)
            for key in frontier.keys() | acted.keys()
        }
    return sum(value for key, value in frontier.items() if all(s in (1, 2) for s in key))
