"""A slow, obvious answer: every joint state of risks and causes is looked at.

Nothing here uses the inference package's formulas: probabilities are looked up in the dense tables
of the network, and likelihoods are multiplied finding by finding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference import Evidence, NoisyModel

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Enumerated:
    """P(evidence), and P(cause present, evidence) and P(any member, evidence) beside it."""

    evidence: float
    causes: FloatArray
    groups: dict[str, float]


@dataclass(frozen=True, eq=False)
class _Worlds:
    """All W joint states of risks and causes with their weight and what findings do in them."""

    states: dict[str, NDArray[np.intp]]  #: (W,) each
    weight: FloatArray  #: (W,)
    findings: dict[str, FloatArray]  #: (W, states) each


@lru_cache(maxsize=4)
def _worlds(model: NoisyModel) -> _Worlds:
    network = model.network
    roots = [*model.risks, *model.causes]
    cards = [network.variables[name].cardinality for name in roots]
    grid = np.indices(cards).reshape(len(cards), math.prod(cards))
    states = dict(zip(roots, grid, strict=True))

    def looked_up(name: str) -> FloatArray:
        return network.table(name)[tuple(states[parent] for parent in network.parents(name))]

    every = np.arange(grid.shape[1])
    weight = np.ones(len(every))
    for name in roots:
        table = np.broadcast_to(looked_up(name), (len(every), network.variables[name].cardinality))
        weight = weight * table[every, states[name]]
    findings = {name: looked_up(name) for name in (*model.findings, *model.ordinals)}
    return _Worlds(states, weight, findings)


def world_weights(
    model: NoisyModel, evidence: Evidence, row: int
) -> tuple[dict[str, NDArray[np.intp]], FloatArray]:
    """State of every risk and cause in each world, and P(world, evidence), (W,)."""
    worlds = _worlds(model)
    weight = worlds.weight
    for name, state in worlds.states.items():
        weight = weight * _likelihood(model, evidence, row, name)[state]
    for name, table in worlds.findings.items():
        weight = weight * (table @ _likelihood(model, evidence, row, name))
    return worlds.states, weight


def enumerate_case(model: NoisyModel, evidence: Evidence, row: int) -> Enumerated:
    """Answer one case by adding up all worlds."""
    states, weight = world_weights(model, evidence, row)
    present = np.array([states[name] == 1 for name in model.causes])
    return Enumerated(
        float(weight.sum()),
        np.array([weight[one].sum() for one in present]),
        {
            name: float(weight[present[list(members)].any(axis=0)].sum())
            for name, members in model.groups.items()
        },
    )


def _likelihood(model: NoisyModel, evidence: Evidence, row: int, name: str) -> FloatArray:
    """P(what was seen of a variable | its state)."""
    card = model.network.variables[name].cardinality
    if name in model.risks:
        state = evidence.risks[row, model.risks.index(name)]
    elif name in model.causes:
        state = evidence.causes[row, model.causes.index(name)]
    elif name in model.findings:
        p = evidence.findings[row, model.findings.index(name)]
        return np.ones(2) if np.isnan(p) else np.array([1.0 - p, p])
    else:
        o = model.ordinals.index(name)
        states = np.arange(card)
        inside = (states >= evidence.lower[row, o]) & (states <= evidence.upper[row, o])
        return inside.astype(float)
    return np.ones(card) if state < 0 else np.eye(card)[state]
