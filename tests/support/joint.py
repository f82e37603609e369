"""The slow, obvious answer for any small network: the whole joint distribution as one array."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)

FloatArray = NDArray[np.float64]


def joint(network: Network) -> FloatArray:
    """P(every variable), one axis each, in the order of ``network.variables``."""
    axis = {name: i for i, name in enumerate(network.variables)}
    result: FloatArray = np.ones([v.cardinality for v in network.variables.values()])
    for name in network.variables:
        scope = [axis[one] for one in (*network.parents(name), name)]
        table = network.table(name).transpose(np.argsort(scope))
        shape = [1] * result.ndim
        for i, v in enumerate(sorted(scope)):
            shape[v] = table.shape[i]
        result = result * table.reshape(shape)
    return result


def enumerated(
    network: Network, whole: FloatArray, likelihoods: Mapping[str, FloatArray]
) -> tuple[float, dict[str, FloatArray]]:
    """P(evidence), and P(state, evidence) of every variable; evidence as likelihoods (S,)."""
    axis = {name: i for i, name in enumerate(network.variables)}
    for name, likelihood in likelihoods.items():
        shape = [1] * whole.ndim
        shape[axis[name]] = len(likelihood)
        whole = whole * likelihood.reshape(shape)
    others = {name: tuple(i for i in axis.values() if i != axis[name]) for name in axis}
    return float(whole.sum()), {name: whole.sum(axis=others[name]) for name in axis}


def random_general_network(rng: np.random.Generator, largest: int = 9) -> Network:
    """Any directed graph; many zeros, deterministic tables, noisy families, odd orders."""
    n = int(rng.integers(1, largest + 1))
    names = [f"v{i}" for i in range(n)]
    cards = [int(c) for c in rng.choice([2, 2, 2, 3, 4], size=n)]
    cpds: list[CPD] = []
    for i, name in enumerate(names):
        chosen = rng.permutation(i)[: rng.integers(0, 4)].tolist()
        cpds.append(_random_cpd(rng, names, cards, name, i, chosen))
    variables = [
        Variable(name, tuple(f"s{s}" for s in range(card)))
        for name, card in zip(names, cards, strict=True)
    ]
    return Network(
        [variables[i] for i in rng.permutation(n)], [cpds[i] for i in rng.permutation(n)]
    )


def _random_cpd(
    rng: np.random.Generator,
    names: list[str],
    cards: list[int],
    name: str,
    i: int,
    chosen: list[int],
) -> CPD:
    binary = [j for j in range(i) if cards[j] == 2]
    kind = rng.choice(["table", "or", "any", "max"], p=[0.6, 0.2, 0.1, 0.1])
    members = tuple(names[j] for j in rng.permutation(binary)[: rng.integers(1, 8)])
    size = len(members)
    if kind == "or" and cards[i] == 2:
        split = size - int(rng.integers(0, 3)) if size > 2 else size
        return NoisyOrCPD(
            name,
            members[:split],
            _extreme(rng, (split,)),
            float(_extreme(rng, (1,))[0]),
            members[split:],
            _extreme(rng, (size - split,)),
        )
    if kind == "any" and cards[i] == 2 and size:
        return AnyOfCPD(name, members)
    if kind == "max":
        strengths = -np.sort(-_extreme(rng, (size + 1, cards[i] - 1)), axis=1)
        return NoisyMaxCPD(name, members, strengths[:-1], strengths[-1])
    shape = (*(cards[j] for j in chosen), cards[i])
    values = rng.dirichlet(np.ones(cards[i]) * 0.7, size=shape[:-1])
    if rng.random() < 0.3:
        values = np.eye(cards[i])[rng.integers(0, cards[i], size=shape[:-1])]
    else:
        values = np.where(rng.random(shape) < 0.25, 0.0, values)
        values[..., 0] += values.sum(axis=-1) == 0
        values = values / values.sum(axis=-1, keepdims=True)
    return TableCPD(name, tuple(names[j] for j in chosen), values)


def _extreme(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    values = rng.random(shape)
    values = np.where(rng.random(shape) < 0.1, 1.0, values)
    return np.where(rng.random(shape) < 0.15, 0.0, values)
