"""The same network written differently, and evidence carried over to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference import Evidence, NoisyModel
from bayesdx.network import (
    CPD,
    AnyOfCPD,
    Network,
    NoisyMaxCPD,
    NoisyOrCPD,
    TableCPD,
    Variable,
)


def renamed(network: Network, names: Mapping[str, str]) -> Network:
    """Give every variable its new name."""
    variables = [Variable(names[v.name], v.states) for v in network.variables.values()]
    return Network(variables, [_renamed(cpd, names) for cpd in network.cpds.values()])


def _renamed(cpd: CPD, names: Mapping[str, str]) -> CPD:
    child = names[cpd.child]
    if isinstance(cpd, NoisyOrCPD):
        activators = tuple(names[name] for name in cpd.activators)
        inhibitors = tuple(names[name] for name in cpd.inhibitors)
        return replace(cpd, child=child, activators=activators, inhibitors=inhibitors)
    assert isinstance(cpd, TableCPD | NoisyMaxCPD | AnyOfCPD)
    return replace(cpd, child=child, parents=tuple(names[name] for name in cpd.parents))


def shuffled(network: Network, rng: np.random.Generator) -> Network:
    """Put variables, distributions and the parents of each in another order."""
    variables, cpds = list(network.variables.values()), list(network.cpds.values())
    return Network(
        [variables[i] for i in rng.permutation(len(variables))],
        [_shuffled(cpds[i], rng) for i in rng.permutation(len(cpds))],
    )


def _shuffled(cpd: CPD, rng: np.random.Generator) -> CPD:
    order = rng.permutation(len(cpd.parents)).tolist()
    if isinstance(cpd, NoisyOrCPD):
        act = rng.permutation(len(cpd.activators)).tolist()
        inh = rng.permutation(len(cpd.inhibitors)).tolist()
        return NoisyOrCPD(
            cpd.child,
            tuple(cpd.activators[i] for i in act),
            cpd.strengths[act],
            cpd.leak,
            tuple(cpd.inhibitors[i] for i in inh),
            cpd.factors[inh],
        )
    parents = tuple(cpd.parents[i] for i in order)
    if isinstance(cpd, TableCPD):
        return replace(cpd, parents=parents, values=cpd.values.transpose([*order, len(order)]))
    if isinstance(cpd, NoisyMaxCPD):
        return replace(cpd, parents=parents, strengths=cpd.strengths[order])
    assert isinstance(cpd, AnyOfCPD)
    return replace(cpd, parents=parents)


def extended(network: Network, variables: Iterable[Variable], cpds: Iterable[CPD]) -> Network:
    """Add variables, or replace the distributions of those that are there."""
    merged = dict(network.cpds) | {cpd.child: cpd for cpd in cpds}
    return Network([*network.variables.values(), *variables], merged.values())


def side_by_side(networks: Iterable[Network]) -> Network:
    """One network of unconnected parts; the names of part i end in @i."""
    variables: list[Variable] = []
    cpds: list[CPD] = []
    for i, part in enumerate(networks):
        apart = renamed(part, {name: f"{name}@{i}" for name in part.variables})
        variables += apart.variables.values()
        cpds += apart.cpds.values()
    return Network(variables, cpds)


def carried_over(
    evidence: Evidence,
    source: NoisyModel,
    target: NoisyModel,
    blank: Evidence,
    names: Mapping[str, str] | None = None,
) -> Evidence:
    """Write what is known on ``source`` into a copy of ``blank``, evidence on ``target``."""

    def copy(values: NDArray, into: NDArray, old: tuple[str, ...], new: tuple[str, ...]) -> NDArray:
        result = into.copy()
        for position, name in enumerate(old):
            result[:, new.index(names[name] if names else name)] = values[:, position]
        return result

    return Evidence(
        copy(evidence.findings, blank.findings, source.findings, target.findings),
        copy(evidence.lower, blank.lower, source.ordinals, target.ordinals),
        copy(evidence.upper, blank.upper, source.ordinals, target.ordinals),
        copy(evidence.risks, blank.risks, source.risks, target.risks),
        copy(evidence.causes, blank.causes, source.causes, target.causes),
    )
