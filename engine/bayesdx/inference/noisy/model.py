"""A diagnosis network compiled once to flat, read-only arrays.

The networks answered here have three layers: *risks* (roots with any number of states), *causes*
(binary, with a table given risks) and *findings* (noisy-OR or noisy-MAX of causes). Groups are
deterministic ORs of causes and never observed.

Positions on axes are always: N cases, F findings, S states, C causes, R risks, U frontier axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen
from bayesdx.inference.noisy.axes import (
    EXPLAIN,
    EXPLAIN_INHIBITED,
    RISK,
    Axes,
    Links,
    build_axes,
)
from bayesdx.network import AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD

__all__ = [
    "EXPLAIN",
    "EXPLAIN_INHIBITED",
    "RISK",
    "BoolArray",
    "FloatArray",
    "IntArray",
    "NoisyModel",
    "compile_diagnosis",
    "slice_table",
]


@dataclass(frozen=True, eq=False)
class NoisyModel:
    """Flat arrays of a three-layer network; see the module for the meaning of the letters.

    Attributes
    ----------
    risks, causes, findings, ordinals : tuple of str
        Variable names; positions in every array.
    risk_priors : tuple of arrays (S_r,)
    cause_parents : tuple of tuples of int
        Risk positions, increasing.
    cause_tables : tuple of arrays (S_parent1, …)
        P(cause present | risks).
    log_absent : array (F + levels, C)
        Log factor on an active cause when a finding is absent (or an ordinal at most a level); 0
        where that is impossible, which ``absent_never`` marks by 1.
    log_absent_leak, absent_leak_never : arrays (F + levels,)
        The same of the leak alone.
    leak : array (F,)
        Leak of each binary finding.
    ordinal_sizes : tuple of int
        States of each ordinal finding; ``level_offset[o] + l`` is the column of "at most l".
    groups : mapping of str to tuple of int
        Group name -> positions of its causes.
    prior_base : array (P,)
        P(cause present | shared risks) with private risks averaged out, cause after cause; cause c
        starts at ``prior_offset[c]``.
    """

    network: Network
    risks: tuple[str, ...]
    causes: tuple[str, ...]
    findings: tuple[str, ...]
    ordinals: tuple[str, ...]
    risk_priors: tuple[FloatArray, ...]
    cause_parents: tuple[tuple[int, ...], ...]
    cause_tables: tuple[FloatArray, ...]
    log_absent: FloatArray
    absent_never: FloatArray
    log_absent_leak: FloatArray
    absent_leak_never: FloatArray
    leak: FloatArray
    ordinal_sizes: tuple[int, ...]
    level_offset: tuple[int, ...]
    groups: Mapping[str, tuple[int, ...]]
    axes: Axes
    prior_base: FloatArray
    prior_offset: IntArray

    def __repr__(self) -> str:
        return (
            f"NoisyModel({len(self.risks)} risks, {len(self.causes)} causes, "
            f"{len(self.findings)} findings, {len(self.ordinals)} ordinal findings)"
        )


def compile_diagnosis(network: Network) -> NoisyModel:
    """Compile a three-layer network.

    Parameters
    ----------
    network : Network
        Roots with tables, binary causes with tables given roots, findings with ``NoisyOrCPD`` or
        ``NoisyMaxCPD`` given causes, groups with ``AnyOfCPD`` of causes.

    Returns
    -------
    NoisyModel

    Raises
    ------
    InvalidNetwork
        If a variable does not fit one of the three layers.
    """
    risks, causes, findings, ordinals, group_names = _sort_layers(network)
    risk_position = {name: i for i, name in enumerate(risks)}
    cause_position = {name: i for i, name in enumerate(causes)}
    parents, tables = _cause_tables(network, causes, risk_position)
    priors = tuple(network.table(name) for name in risks)
    links = Links(
        *_binary_arrays(network, findings, cause_position),
        *_ordinal_arrays(network, ordinals, cause_position),
    )
    axes = build_axes(links, parents, priors)
    absorption = absorb_links(links, axes.suppress)
    groups = {
        name: tuple(map(cause_position.__getitem__, network.parents(name))) for name in group_names
    }
    base = [
        _average_private(table, positions, priors, axes.risk).ravel()
        for table, positions in zip(tables, parents, strict=True)
    ]
    return NoisyModel(
        prior_base=frozen(np.concatenate([np.zeros(0), *base])),
        prior_offset=frozen(np.cumsum([0, *map(len, base)], dtype=np.intp)),
        network=network,
        risks=risks,
        causes=causes,
        findings=findings,
        ordinals=ordinals,
        risk_priors=priors,
        cause_parents=parents,
        cause_tables=tables,
        **absorption._asdict(),
        leak=frozen(links.leak),
        ordinal_sizes=links.sizes,
        level_offset=links.offsets,
        groups=groups,
        axes=axes,
    )


class Absorption(NamedTuple):
    """The fields of a model that say what "absent" does to causes and leaks."""

    log_absent: FloatArray
    absent_never: FloatArray
    log_absent_leak: FloatArray
    absent_leak_never: FloatArray


def absorb_links(links: Links, suppress: IntArray) -> Absorption:
    """Return what "absent" does, given which absent findings couple their inhibitors."""
    log_absent, log_absent_leak = _log_absorbed(links, suppress)
    finite, never = _finite(log_absent.T)
    finite_leak, never_leak = _finite(log_absent_leak)
    return Absorption(finite, never, finite_leak, never_leak)


def model_links(model: NoisyModel) -> Links:
    """Return the noisy-OR and noisy-MAX parameters of all findings of a compiled network."""
    position = {name: i for i, name in enumerate(model.causes)}
    return Links(
        *_binary_arrays(model.network, model.findings, position),
        *_ordinal_arrays(model.network, model.ordinals, position),
    )


def _finite(log_factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split log factors into finite ones and a mark, 1.0, where they are minus infinity."""
    never = np.isneginf(log_factor)
    return frozen(np.where(never, 0.0, log_factor)), frozen(never.astype(np.float64))


def _average_private(
    table: FloatArray,
    parents: tuple[int, ...],
    priors: tuple[FloatArray, ...],
    risk_axis: IntArray,
) -> FloatArray:
    """Sum out risks that no other cause depends on; nothing else is coupled by them."""
    for position in reversed(range(len(parents))):
        if risk_axis[parents[position]] < 0:
            table = np.tensordot(table, priors[parents[position]], axes=(position, 0))
    return table


def slice_table(model: NoisyModel, cause: int, risks: NDArray[np.int8], code: int) -> FloatArray:
    """P(cause present | unobserved shared risks) of cases that observe the same parents.

    Parameters
    ----------
    model : NoisyModel
    cause : int
    risks : int8 array (n, R)
        Observed states.
    code : int
        Bit p is set where the p-th parent of the cause is observed.

    Returns
    -------
    array (n, joint states of the others)
    """
    parents, table = model.cause_parents[cause], model.cause_tables[cause]
    known = [p for p in range(len(parents)) if code >> p & 1]
    private = [p for p in range(len(parents)) if p not in known and model.axes.risk[parents[p]] < 0]
    shared = [p for p in range(len(parents)) if p not in known and p not in private]
    table = table.transpose(known + shared + private)
    for p in reversed(private):
        table = table @ model.risk_priors[parents[p]]
    index = tuple(risks[:, parents[p]] for p in known)
    if not known:
        return np.broadcast_to(table.reshape(1, -1), (len(risks), table.size))
    values: FloatArray = table[index].reshape(len(risks), -1)
    return values


Names = tuple[str, ...]


def _sort_layers(network: Network) -> tuple[Names, Names, Names, Names, Names]:
    noisy_parents: set[str] = set()
    for cpd in network.cpds.values():
        if not isinstance(cpd, TableCPD):
            noisy_parents.update(cpd.parents)
    faults: list[Fault] = []
    layers: dict[str, list[str]] = {"risk": [], "cause": [], "or": [], "max": [], "group": []}
    for name in network.variables:
        cpd = network.cpds[name]
        if isinstance(cpd, AnyOfCPD):
            layers["group"].append(name)
        elif isinstance(cpd, NoisyOrCPD):
            layers["or"].append(name)
        elif isinstance(cpd, NoisyMaxCPD):
            layers["max"].append(name)
        elif cpd.parents or name in noisy_parents:
            layers["cause"].append(name)
        else:
            layers["risk"].append(name)
    causes, risks = set(layers["cause"]), set(layers["risk"])
    for name in network.variables:
        cpd = network.cpds[name]
        allowed = risks if isinstance(cpd, TableCPD) else causes
        kind = "risks" if isinstance(cpd, TableCPD) else "causes"
        if not set(cpd.parents) <= allowed:
            faults.append(Fault(f"parents of {name}", f"{kind} only", cpd.parents))
        if name in causes and network.variables[name].cardinality != 2:
            faults.append(Fault(f"cause {name}", "two states", network.variables[name].states))
    if faults:
        raise InvalidNetwork(faults)
    return tuple(map(tuple, layers.values()))  # type: ignore[return-value]  # five, by the dict


def _cause_tables(
    network: Network, causes: Names, risk_position: Mapping[str, int]
) -> tuple[tuple[tuple[int, ...], ...], tuple[FloatArray, ...]]:
    parents, tables = [], []
    for name in causes:
        positions = [risk_position[parent] for parent in network.parents(name)]
        order = np.argsort(positions)
        table = network.table(name)[..., 1].transpose(order)
        # A risk that changes nothing (a relative risk of 1) would only widen the frontier.
        matters = [bool(np.ptp(table, axis=axis).any()) for axis in range(table.ndim)]
        table = table[tuple(slice(None) if used else 0 for used in matters)]
        parents.append(tuple(positions[i] for i, used in zip(order, matters, strict=True) if used))
        tables.append(frozen(table))
    return tuple(parents), tuple(tables)


def _binary_arrays(
    network: Network, findings: Names, cause_position: Mapping[str, int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    strength = np.zeros((len(cause_position), len(findings)))
    factor = np.ones_like(strength)
    leak = np.zeros(len(findings))
    for f, name in enumerate(findings):
        cpd = network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        leak[f] = cpd.leak
        strength[[cause_position[parent] for parent in cpd.activators], f] = cpd.strengths
        factor[[cause_position[parent] for parent in cpd.inhibitors], f] = cpd.factors
    return strength, factor, leak


def _ordinal_arrays(
    network: Network, ordinals: Names, cause_position: Mapping[str, int]
) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    columns, leaks, sizes = [np.zeros((len(cause_position), 0))], [np.zeros(0)], []
    for name in ordinals:
        cpd = network.cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        size = network.variables[name].cardinality
        column = np.zeros((len(cause_position), size - 1))
        column[[cause_position[parent] for parent in cpd.parents]] = cpd.strengths
        columns.append(column)
        leaks.append(cpd.leak)
        sizes.append(size)
    return np.concatenate(columns, axis=1), np.concatenate(leaks), tuple(sizes)


def _log_absorbed(links: Links, suppress: IntArray) -> tuple[FloatArray, FloatArray]:
    """Log factors of "absent"; a lone inhibitor is folded into the factor of its cause."""
    with np.errstate(divide="ignore"):
        log_cause = np.log1p(-np.concatenate([links.strength, links.exceed], axis=1))
        log_leak = np.log1p(-links.leak)
        lone = links.inhibited & (suppress < 0)
        lowered = np.log1p(-links.leak * links.factor) - np.where(lone, log_leak, 0.0)
        log_cause[:, : len(links.leak)] += np.where(lone, lowered, 0.0)
        log_alone = np.where(suppress < 0, log_leak, 0.0)
        return log_cause, np.concatenate([log_alone, np.log1p(-links.exceed_leak)])
