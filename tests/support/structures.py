"""Random networks of a given shape: chain, tree, polytree, loopy, noisy; zeros of every kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesdx.network import CPD, AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD, Variable

SHAPES = ("chain", "tree", "polytree", "loopy", "noisy")
#: Cells of the joint table that a test adds up.
MOST_WORLDS = 20_000

FloatArray = NDArray[np.float64]


def structured_network(rng: np.random.Generator, shape: str) -> Network:
    """Draw a network of 2 to 10 variables whose graph has the shape that is named."""
    n = int(rng.integers(2, 11))
    cards = rng.choice([2, 2, 2, 3, 4], size=n)
    if shape == "noisy":
        cards[rng.random(n) < 0.8] = 2
    while np.prod(cards) > MOST_WORLDS:
        cards[cards.argmax()] = 2
        if (cards == 2).all():
            break
    parents = _parents(rng, shape, n)
    cpds = [_cpd(rng, shape, i, parents[i], cards) for i in range(n)]
    variables = [
        Variable(f"v{i}", tuple(f"s{s}" for s in range(cards[i]))) for i in rng.permutation(n)
    ]
    return Network(variables, [cpds[i] for i in rng.permutation(n)])


def _parents(rng: np.random.Generator, shape: str, n: int) -> list[list[int]]:
    """Parents of each variable, all before it."""
    if shape == "chain":
        return [[i - 1] if i else [] for i in range(n)]
    if shape == "tree":
        return [[int(rng.integers(i))] if i else [] for i in range(n)]
    if shape == "polytree":
        # Joining two parts that were not connected makes no loop, in whatever direction.
        part = list(range(n))
        parents: list[list[int]] = [[] for _ in range(n)]
        for i in range(1, n):
            for j in rng.permutation(i)[: rng.integers(1, 4)].tolist():
                if part[i] != part[j]:
                    parents[i].append(j)
                    part = [part[i] if p == part[j] else p for p in part]
        return parents
    width = 4 if shape == "loopy" else 9
    return [rng.permutation(i)[: rng.integers(0, width)].tolist() for i in range(n)]


def _cpd(
    rng: np.random.Generator, shape: str, i: int, parents: list[int], cards: NDArray[np.intp]
) -> CPD:
    name, names = f"v{i}", tuple(f"v{j}" for j in parents)
    binary = [j for j in parents if cards[j] == 2]
    members = tuple(f"v{j}" for j in binary)
    if shape == "noisy" and binary:
        if cards[i] > 2:
            strengths = -np.sort(-_extreme(rng, (len(binary) + 1, cards[i] - 1)), axis=1)
            return NoisyMaxCPD(name, members, strengths[:-1], strengths[-1])
        if rng.random() < 0.2:
            return AnyOfCPD(name, members)
        split = int(rng.integers(0, len(binary) + 1)) if rng.random() < 0.4 else len(binary)
        leak = float(_extreme(rng, (1,))[0])
        raising, lowering = _extreme(rng, (split,)), _extreme(rng, (len(binary) - split,))
        return NoisyOrCPD(name, members[:split], raising, leak, members[split:], lowering)
    names, parents = names[:4], parents[:4]
    rows = tuple(int(cards[j]) for j in parents)
    size = int(cards[i])
    kind = rng.choice(["any", "zeros", "function", "small"], p=[0.4, 0.3, 0.2, 0.1])
    if kind == "function":
        return TableCPD(name, names, np.eye(size)[rng.integers(0, size, rows)])
    values = rng.dirichlet(np.full(size, 0.7), size=rows)
    if kind == "small":  # far beneath what a sum of probabilities would notice
        values = values ** rng.integers(5, 30)
    if kind == "zeros":
        values = np.where(rng.random(values.shape) < 0.4, 0.0, values)
    values[..., 0] += values.sum(axis=-1) == 0.0
    return TableCPD(name, names, values / values.sum(axis=-1, keepdims=True))


def _extreme(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    values = np.where(rng.random(shape) < 0.1, 1.0, rng.random(shape))
    return np.where(rng.random(shape) < 0.15, 0.0, values)
