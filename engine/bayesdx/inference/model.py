"""A diagnosis network compiled once to flat, read-only arrays.

The networks answered here have three layers: *risks* (roots with any number of states), *causes*
(binary, with a table given risks) and *findings* (noisy-OR or noisy-MAX of causes). Groups are
deterministic ORs of causes and never observed.

Positions on axes are always: N cases, F findings, S states, C causes, R risks, U frontier axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.network import AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD, TableCPD

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

#: Axis classes: a finding explained by causes, the same with a leak that inhibitors can lower,
#: and an unobserved shared risk.
EXPLAIN, EXPLAIN_INHIBITED, RISK = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Axes:
    """Everything that can become an axis of the frontier, U in all.

    Attributes
    ----------
    keep : array (U, C)
        What is left of the axis' last component when a cause acts: q = 1 - strength.
    leak_keep : array (U, C)
        The same for the leak component of ``EXPLAIN_INHIBITED`` axes: q times the inhibitor's h.
    touches : array of bool (U, C)
        Whether a cause acts on (or, for a risk, depends on) the axis.
    classes, sizes, bits : arrays of int (U,)
        Axis class, number of components, and bits that number them.
    """

    keep: FloatArray
    leak_keep: FloatArray
    touches: BoolArray
    classes: IntArray
    sizes: IntArray
    bits: IntArray
    explain: IntArray  #: (F,) axis of a finding that is present or soft
    suppress: IntArray  #: (F,) axis of an absent finding whose inhibitors couple, or -1
    exceed: Mapping[tuple[int, int, int], int]  #: (ordinal, lower, upper) -> axis
    risk: IntArray  #: (R,) axis of an unobserved shared risk, or -1


@dataclass(frozen=True, eq=False)
class DiagnosisModel:
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
    absent_keep : array (C, F + levels)
        Factor on an active cause when a finding is absent (or an ordinal at most a level).
    absent_leak : array (F + levels,)
        Factor of the leak alone for the same observations.
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
    absent_keep: FloatArray
    absent_leak: FloatArray
    leak: FloatArray
    ordinal_sizes: tuple[int, ...]
    level_offset: tuple[int, ...]
    level_leak: FloatArray
    groups: Mapping[str, tuple[int, ...]]
    axes: Axes
    prior_base: FloatArray
    prior_offset: IntArray

    def __repr__(self) -> str:
        return (
            f"DiagnosisModel({len(self.risks)} risks, {len(self.causes)} causes, "
            f"{len(self.findings)} findings, {len(self.ordinals)} ordinal findings)"
        )


def compile_diagnosis(network: Network) -> DiagnosisModel:
    """Compile a three-layer network.

    Parameters
    ----------
    network : Network
        Roots with tables, binary causes with tables given roots, findings with ``NoisyOrCPD`` or
        ``NoisyMaxCPD`` given causes, groups with ``AnyOfCPD`` of causes.

    Returns
    -------
    DiagnosisModel

    Raises
    ------
    InvalidNetwork
        If a variable does not fit one of the three layers.
    """
    layers = _sort_layers(network)
    risks, causes, findings, ordinals, group_names = layers
    risk_position = {name: i for i, name in enumerate(risks)}
    cause_position = {name: i for i, name in enumerate(causes)}
    parents, tables = _cause_tables(network, causes, risk_position)
    keep, factor, leak = _binary_arrays(network, findings, cause_position)
    levels, level_leak, sizes = _ordinal_arrays(network, ordinals, cause_position)
    offsets = tuple(np.concatenate([[0], np.cumsum([s - 1 for s in sizes])])[:-1].tolist())
    priors = tuple(network.table(name) for name in risks)
    axes = _build_axes(keep, factor, leak, levels, sizes, offsets, parents, priors)
    absent_keep, absent_leak = _absorbed(keep, factor, leak, axes.suppress)
    groups = {
        name: tuple(cause_position[parent] for parent in network.parents(name))
        for name in group_names
    }
    base = [
        _average_private(table, positions, priors, axes.risk)
        for table, positions in zip(tables, parents, strict=True)
    ]
    offsets_of_priors = np.concatenate([[0], np.cumsum([block.size for block in base])])
    return DiagnosisModel(
        prior_base=_frozen(np.concatenate([np.zeros(0), *(block.ravel() for block in base)])),
        prior_offset=offsets_of_priors.astype(np.intp),
        network=network,
        risks=risks,
        causes=causes,
        findings=findings,
        ordinals=ordinals,
        risk_priors=priors,
        cause_parents=parents,
        cause_tables=tables,
        absent_keep=_frozen(np.concatenate([absent_keep, levels], axis=1)),
        absent_leak=_frozen(np.concatenate([absent_leak, level_leak])),
        leak=_frozen(leak),
        ordinal_sizes=sizes,
        level_offset=offsets,
        level_leak=_frozen(level_leak),
        groups=groups,
        axes=axes,
    )


def _frozen(array: FloatArray) -> FloatArray:
    array = np.array(array, dtype=np.float64, order="C")
    array.setflags(write=False)
    return array


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


def slice_table(
    model: DiagnosisModel, cause: int, risks: NDArray[np.int8], code: int
) -> FloatArray:
    """P(cause present | unobserved shared risks) of cases that observe the same parents.

    Parameters
    ----------
    model : DiagnosisModel
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
        tables.append(_frozen(table))
    return tuple(parents), tuple(tables)


def _binary_arrays(
    network: Network, findings: Names, cause_position: Mapping[str, int]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    keep = np.ones((len(cause_position), len(findings)))
    factor = np.ones_like(keep)
    leak = np.zeros(len(findings))
    for f, name in enumerate(findings):
        cpd = network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        leak[f] = cpd.leak
        for parent, strength in zip(cpd.activators, cpd.strengths, strict=True):
            keep[cause_position[parent], f] = 1.0 - strength
        for parent, value in zip(cpd.inhibitors, cpd.factors, strict=True):
            factor[cause_position[parent], f] = value
    return keep, factor, leak


def _ordinal_arrays(
    network: Network, ordinals: Names, cause_position: Mapping[str, int]
) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    columns, leaks, sizes = [np.ones((len(cause_position), 0))], [np.ones(0)], []
    for name in ordinals:
        cpd = network.cpds[name]
        assert isinstance(cpd, NoisyMaxCPD)
        size = network.variables[name].cardinality
        column = np.ones((len(cause_position), size - 1))
        for parent, row in zip(cpd.parents, cpd.strengths, strict=True):
            column[cause_position[parent]] = 1.0 - row
        columns.append(column)
        leaks.append(1.0 - cpd.leak)
        sizes.append(size)
    return np.concatenate(columns, axis=1), np.concatenate(leaks), tuple(sizes)


def _absorbed(
    keep: FloatArray, factor: FloatArray, leak: FloatArray, suppress: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Fold a lone inhibitor of an absent finding into the factor of its cause."""
    alone = 1.0 - leak
    lone = (factor < 1.0).any(axis=0) & (suppress < 0)
    ratio = np.ones_like(keep)
    ratio[:, lone] = (1.0 - leak * factor)[:, lone] / alone[lone]
    return keep * ratio, np.where(suppress < 0, alone, 1.0)


def _build_axes(
    keep: FloatArray,
    factor: FloatArray,
    leak: FloatArray,
    levels: FloatArray,
    sizes: tuple[int, ...],
    offsets: tuple[int, ...],
    parents: tuple[tuple[int, ...], ...],
    priors: tuple[FloatArray, ...],
) -> Axes:
    n_causes, n_findings = keep.shape
    inhibited = (factor < 1.0).any(axis=0)
    rows = [keep.T, np.ones((0, n_causes))]
    leak_rows = [(keep * factor).T]
    classes = list(np.where(inhibited, EXPLAIN_INHIBITED, EXPLAIN))
    # An absent finding couples its inhibitors only when there are two, or when nothing but an
    # inhibitor can make it absent (leak 1), where the ratio of `_absorbed` would divide by zero.
    coupling = np.flatnonzero(((factor < 1.0).sum(axis=0) >= 2) | (inhibited & (leak >= 1.0)))
    suppress = np.full(n_findings, -1)
    suppress[coupling] = n_findings + np.arange(len(coupling))
    rows.append(factor.T[coupling])
    classes += [EXPLAIN] * len(coupling)
    exceed: dict[tuple[int, int, int], int] = {}
    for o, size in enumerate(sizes):
        for lower in range(1, size):
            for upper in range(lower, size):
                exceed[o, lower, upper] = len(classes)
                rows.append(_exceed_keep(levels, offsets[o], lower, upper, size)[None])
                classes.append(EXPLAIN)
    matrix = np.concatenate(rows)
    touches = matrix < 1.0
    touches[:n_findings] |= (factor < 1.0).T
    risk_axis, risk_touch, risk_sizes = _risk_axes(parents, priors, len(classes))
    n_risk_axes = len(risk_touch)
    full = np.concatenate([matrix, np.ones((n_risk_axes, n_causes))])
    leak_keep = np.ones_like(full)
    leak_keep[:n_findings] = leak_rows[0]
    evidence_sizes = [3 if kind == EXPLAIN_INHIBITED else 2 for kind in classes]
    component_sizes = np.array([*evidence_sizes, *risk_sizes], dtype=np.intp)
    return Axes(
        keep=_frozen(full),
        leak_keep=_frozen(leak_keep),
        touches=np.concatenate([touches, risk_touch]),
        classes=np.array([*classes, *[RISK] * len(risk_sizes)], dtype=np.intp),
        sizes=component_sizes,
        bits=np.ceil(np.log2(component_sizes)).astype(np.intp),
        explain=np.arange(n_findings),
        suppress=suppress,
        exceed=exceed,
        risk=risk_axis,
    )


def _exceed_keep(levels: FloatArray, offset: int, lower: int, upper: int, size: int) -> FloatArray:
    """P(at most lower - 1) / P(at most upper), a cause at a time; 0/0 never counts, so 1."""
    top = np.ones(len(levels)) if upper == size - 1 else levels[:, offset + upper]
    bottom = levels[:, offset + lower - 1]
    return np.divide(bottom, top, out=np.ones_like(top), where=top > 0)


def _risk_axes(
    parents: tuple[tuple[int, ...], ...], priors: tuple[FloatArray, ...], first: int
) -> tuple[IntArray, BoolArray, list[int]]:
    children = np.zeros((len(priors), len(parents)), dtype=bool)
    for c, positions in enumerate(parents):
        children[list(positions), c] = True
    shared = np.flatnonzero(children.sum(axis=1) >= 2)
    axis = np.full(len(priors), -1)
    axis[shared] = first + np.arange(len(shared))
    return axis, children[shared], [len(priors[r]) for r in shared]
