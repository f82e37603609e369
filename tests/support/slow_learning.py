"""One step of EM, slow and obvious: the whole joint of each row, and every way a mechanism acts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from joint import joint
from numpy.typing import NDArray

from bayesdx.network import CPD, AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD

FloatArray = NDArray[np.float64]


class SlowStep(NamedTuple):
    log_likelihood: float
    impossible: list[bool]
    counts: dict[str, FloatArray]
    network: Network


def slow_step(network: Network, rows: NDArray[np.intp], weights: FloatArray) -> SlowStep:
    """Count each row's families by the joint, and divide: maximum likelihood."""
    whole = joint(network)
    names = list(network.variables)
    families = {
        name: [names.index(one) for one in (*network.parents(name), name)] for name in names
    }
    tables = {name: np.zeros_like(network.table(name)) for name in names}
    total, impossible = 0.0, []
    for row, weight in zip(rows, weights, strict=True):
        seen = tuple(slice(None) if state < 0 else slice(state, state + 1) for state in row)
        part = np.zeros_like(whole)
        part[seen] = whole[seen]
        probability = part.sum()
        impossible.append(bool(probability == 0.0))
        if probability == 0.0:
            continue
        total += weight * np.log(probability)
        for name, family in families.items():
            others = tuple(axis for axis in range(part.ndim) if axis not in family)
            marginal = part.sum(axis=others).transpose(np.argsort(np.argsort(family)))
            tables[name] += weight * marginal / probability
    counts, cpds = {}, []
    for name in names:
        cpd = network.cpds[name]
        counts[name] = (
            tables[name] if isinstance(cpd, TableCPD) else slow_mechanisms(cpd, tables[name])
        )
        cpds.append(divided(cpd, counts[name]))
    return SlowStep(total, impossible, counts, Network(network.variables.values(), cpds))


def slow_mechanisms(cpd: CPD, family: FloatArray) -> FloatArray:
    """Share the counts of a family out among all ways in which its mechanisms bring them about."""
    size = family.shape[-1]
    inhibitors = len(cpd.inhibitors) if isinstance(cpd, NoisyOrCPD) else 0
    acting = len(cpd.parents) - inhibitors
    number = 0 if isinstance(cpd, AnyOfCPD) else acting + 1 + inhibitors
    counts = np.zeros((number, size))
    if not number:
        return counts
    for parents in itertools.product(*(range(card) for card in family.shape[:-1])):
        ways = list(slow_ways(cpd, parents, acting))
        for level in range(size):
            fitting = [(p, what) for p, reached, what in ways if reached == level and p > 0.0]
            sum_of = sum(p for p, _ in fitting)
            for p, what in fitting:
                for mechanism, outcome in what:
                    counts[mechanism, outcome] += family[parents][level] * p / sum_of
    return counts


def slow_ways(
    cpd: CPD, parents: tuple[int, ...], acting: int
) -> Iterator[tuple[float, int, list[tuple[int, int]]]]:
    """Probability, the level of the child, and (mechanism, outcome) of every way."""
    strengths = np.asarray(cpd.strengths).reshape(acting, np.size(cpd.leak))
    links = [spread(strengths[i]) if parents[i] else None for i in range(acting)]
    leak = spread(np.atleast_1d(cpd.leak))
    factors = cpd.factors if isinstance(cpd, NoisyOrCPD) else []
    for base in range(len(leak)):
        starts = [(leak[base], base, [(acting, base)])]
        for i, factor in enumerate(factors):
            active, mechanism = parents[acting + i], acting + 1 + i
            split = []
            for p, level, what in starts:
                if active and level:
                    split.append((p * (1 - factor), 0, [*what, (mechanism, 0)]))
                    split.append((p * factor, level, [*what, (mechanism, 1)]))
                else:
                    split.append((p, level, what))
            starts = split
        for p, level, what in starts:
            brought = [[0] if link is None else range(len(link)) for link in links]
            for levels in itertools.product(*brought):
                found, told = p, list(what)
                for i, link in enumerate(links):
                    if link is not None:
                        found *= link[levels[i]]
                        told.append((i, levels[i]))
                yield found, max((level, *levels)), told


def spread(exceed: FloatArray) -> FloatArray:
    return -np.diff(np.concatenate([[1.0], exceed, [0.0]]))


def divided(cpd: CPD, counts: FloatArray) -> CPD:
    """The family of these counts; rows of none are as they were."""
    sums = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        rows = counts / sums
    if isinstance(cpd, TableCPD):
        return TableCPD(cpd.child, cpd.parents, np.where(sums > 0.0, rows, cpd.values))
    if isinstance(cpd, AnyOfCPD):
        return cpd
    if isinstance(cpd, NoisyMaxCPD):
        above = np.cumsum(rows[:, :0:-1], axis=1)[:, ::-1]
        before = np.concatenate([cpd.strengths, cpd.leak[None]])
        above = np.minimum(np.where(sums > 0.0, above, before), 1.0)
        return NoisyMaxCPD(cpd.child, cpd.parents, above[:-1], above[-1])
    before = np.concatenate([cpd.strengths, [cpd.leak], cpd.factors])
    new = np.minimum(np.where(sums[:, 0] > 0.0, rows[:, 1], before), 1.0)
    links = len(cpd.activators)
    return NoisyOrCPD(
        cpd.child, cpd.activators, new[:links], new[links], cpd.inhibitors, new[links + 1 :]
    )
