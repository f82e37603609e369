"""From a network, or from new numbers for the same structure, to a `NoisyModel`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.inference.arrays import FloatArray, IntArray, frozen
from bayesdx.inference.noisy.axes import build_axes, log_of_absent, number_edges, offsets, ragged
from bayesdx.inference.noisy.model import (
    Absence,
    Links,
    ModelArrays,
    NoisyModel,
    OrdinalArrays,
    Priors,
    RiskArrays,
)
from bayesdx.network.cpds import AnyOfCPD, NoisyMaxCPD, NoisyOrCPD, TableCPD
from bayesdx.network.network import Network

#: Entries that the extended tables of all causes may have together (8 bytes each).
MOST_ENTRIES = 1 << 23
#: Joint states of shared risks that one cause may depend on.
MOST_JOINT = 1 << 16

Names = tuple[str, ...]


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
    groups = {
        name: tuple(map(cause_position.__getitem__, network.parents(name))) for name in group_names
    }
    return _lay_out(
        (network, risks, causes, findings, ordinals),
        groups,
        _links(network, findings, ordinals, cause_position),
        parents,
        tables,
        tuple(network.table(name) for name in risks),
    )


def with_numbers(
    model: NoisyModel,
    *,
    links: Links | None = None,
    cause_parents: tuple[tuple[int, ...], ...] | None = None,
    cause_tables: tuple[FloatArray, ...] | None = None,
    risk_priors: tuple[FloatArray, ...] | None = None,
) -> NoisyModel:
    """Return a model of the same variables with other numbers.

    With other ``cause_parents`` come ``cause_tables`` of these. ``network`` stays what it was: the
    model does not look at its numbers again.
    """
    return _lay_out(
        (model.network, model.risks, model.causes, model.findings, model.ordinals),
        model.groups,
        links or model.links,
        cause_parents or model.cause_parents,
        cause_tables or model.cause_tables,
        risk_priors or model.risk_priors,
    )


def _lay_out(
    names: tuple[Network, Names, Names, Names, Names],
    groups: Mapping[str, tuple[int, ...]],
    links: Links,
    parents: tuple[tuple[int, ...], ...],
    tables: tuple[FloatArray, ...],
    priors: tuple[FloatArray, ...],
) -> NoisyModel:
    axes = build_axes(links, parents, priors)
    log_absent, log_absent_leak = log_of_absent(links, axes.suppress)
    finite, never = _finite(log_absent.T)
    finite_leak, never_leak = _finite(log_absent_leak)
    base = [
        _average_private(table, positions, priors, axes.risk).ravel()
        for table, positions in zip(tables, parents, strict=True)
    ]
    first = offsets([size - 1 for size in links.sizes])
    extended = _priors(parents, tables, priors, axes.risk)
    arrays = None
    if extended is not None:
        ordinals = OrdinalArrays(
            frozen(np.array(links.sizes, dtype=np.intp)), frozen(len(links.leak) + first[:-1])
        )
        risks = RiskArrays(
            offsets([len(prior) for prior in priors]),
            frozen(np.concatenate([np.zeros(0), *priors])),
        )
        absence = _absence(finite, never, finite_leak, never_leak)
        arrays = ModelArrays(absence, ordinals, risks, extended, axes)
    return NoisyModel(
        *names,
        groups=groups,
        links=links,
        risk_priors=priors,
        cause_parents=parents,
        cause_tables=tables,
        prior_base=frozen(np.concatenate([np.zeros(0), *base])),
        prior_offset=offsets(list(map(len, base))),
        log_absent=finite,
        absent_never=never,
        log_absent_leak=finite_leak,
        absent_leak_never=never_leak,
        ordinal_sizes=links.sizes,
        level_offset=tuple(first[:-1].tolist()),
        axes=axes,
        edges=number_edges(axes),
        arrays=arrays,
    )


def _finite(log_factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split log factors into finite ones and a mark, 1.0, where they are minus infinity."""
    never = np.isneginf(log_factor)
    return frozen(np.where(never, 0.0, log_factor)), frozen(never.astype(np.float64))


def _absence(
    log_factor: FloatArray, never: FloatArray, log_leak: FloatArray, never_leak: FloatArray
) -> Absence:
    factor = np.where(never > 0.0, 0.0, np.exp(log_factor))
    leak = np.where(never_leak > 0.0, 0.0, np.exp(log_leak))
    return Absence(*ragged(factor != 1.0), frozen(factor[factor != 1.0]), frozen(leak))


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


def _priors(
    cause_parents: tuple[tuple[int, ...], ...],
    cause_tables: tuple[FloatArray, ...],
    risk_priors: tuple[FloatArray, ...],
    risk_axis: IntArray,
) -> Priors | None:
    """Tables with a state more for each private risk; None where they would be too large."""
    tables: list[FloatArray] = []
    parents: list[tuple[int, int, int]] = []
    total = 0
    for positions, table in zip(cause_parents, cause_tables, strict=True):
        private = [bool(risk_axis[r] < 0) for r in positions]
        sizes = list(zip(table.shape, private, strict=True))
        total += math.prod(size + more for size, more in sizes)
        joint = math.prod(size for size, more in sizes if not more)
        if total > MOST_ENTRIES or joint > MOST_JOINT:
            return None
        extended, unknown = np.array(table), np.full(len(positions), -1)
        for at in np.flatnonzero(private):
            prior = risk_priors[positions[at]]
            average = np.tensordot(extended, prior, axes=(at, 0))
            extended = np.concatenate([extended, np.expand_dims(average, at)], axis=at)
            unknown[at] = len(prior)
        extended = np.ascontiguousarray(extended)
        strides = [step // extended.itemsize for step in extended.strides]
        parents.extend(zip(positions, strides, unknown.tolist(), strict=True) if positions else [])
        tables.append(extended.ravel())
    return Priors(
        parent_first=offsets(list(map(len, cause_parents))),
        parent=frozen(np.array(parents, dtype=np.intp).reshape(-1, 3)),
        table_first=offsets(list(map(len, tables))),
        table=frozen(np.concatenate([np.zeros(0), *tables])),
    )


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


def _links(
    network: Network, findings: Names, ordinals: Names, position: Mapping[str, int]
) -> Links:
    strength = np.zeros((len(position), len(findings)))
    factor, leak = np.ones_like(strength), np.zeros(len(findings))
    for f, name in enumerate(findings):
        cpd = network.cpds[name]
        assert isinstance(cpd, NoisyOrCPD)
        own = cpd.mechanism
        at = [position[parent] for parent in own.parents]
        strength[at, f], factor[at, f], leak[f] = own.exceed[:, 0], own.factor, cpd.leak
    columns, leaks, sizes = [np.zeros((len(position), 0))], [np.zeros(0)], []
    for name in ordinals:
        ordinal = network.cpds[name]
        assert isinstance(ordinal, NoisyMaxCPD)
        sizes.append(network.variables[name].cardinality)
        column = np.zeros((len(position), sizes[-1] - 1))
        column[[position[parent] for parent in ordinal.parents]] = ordinal.strengths
        columns.append(column)
        leaks.append(ordinal.leak)
    return Links(
        frozen(strength),
        frozen(factor),
        frozen(leak),
        frozen(np.concatenate(columns, axis=1)),
        frozen(np.concatenate(leaks)),
        tuple(sizes),
    )
