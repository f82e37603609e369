"""From a network, or from new numbers for the same structure, to a `NoisyModel`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.inference.arrays import FloatArray, frozen
from bayesdx.inference.noisy.axes import (
    build_axes,
    log_of_absent,
    number_edges,
    offsets,
    ragged,
    shared_risks,
)
from bayesdx.inference.noisy.model import (
    Absence,
    Axes,
    Links,
    ModelArrays,
    NoisyModel,
    OrdinalArrays,
    RiskArrays,
    RiskEdges,
)
from bayesdx.inference.noisy.prior_tables import PriorTables, lay_out_priors
from bayesdx.network.cpds import AnyOfCPD, NoisyMaxCPD, NoisyOrCPD, TableCPD
from bayesdx.network.network import Network

#: Draws whose tables are laid out at once: what the calls cost is shared, and memory stays small.
_AT_ONCE = 16

Names = tuple[str, ...]
#: Network, risks, causes, findings, ordinals, groups.
_Named = tuple[Network, Names, Names, Names, Names, Mapping[str, tuple[int, ...]]]


class _Numbers(NamedTuple):
    """Numbers of one draw; see `NoisyModel`."""

    links: Links
    parents: tuple[tuple[int, ...], ...]
    tables: tuple[FloatArray, ...]
    priors: tuple[FloatArray, ...]


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
    priors = tuple(network.table(name) for name in risks)
    links = _links(network, findings, ordinals, cause_position)
    named = network, risks, causes, findings, ordinals, groups
    return next(_models(named, [links], parents, _one_draw(tables), _one_draw(priors)))


def with_numbers(
    model: NoisyModel,
    *,
    links: Links | None = None,
    cause_tables: tuple[FloatArray, ...] | None = None,
    risk_priors: tuple[FloatArray, ...] | None = None,
) -> NoisyModel:
    """Return a model of the same variables with other numbers.

    ``network`` stays what it was: the model does not look at its numbers again.
    """
    tables = _one_draw(cause_tables or model.cause_tables)
    priors = _one_draw(risk_priors or model.risk_priors)
    names, own = (model.findings, model.ordinals), [links or model.links]
    return next(with_draws(model, names, own, model.cause_parents, tables, priors))


def with_draws(
    model: NoisyModel,
    names: tuple[Names, Names],
    links: Iterable[Links],
    cause_parents: tuple[tuple[int, ...], ...],
    cause_tables: tuple[FloatArray, ...],
    risk_priors: tuple[FloatArray, ...],
) -> Iterator[NoisyModel]:
    """Yield a model of the same causes and risks for each of D draws of the numbers.

    Parameters
    ----------
    model : NoisyModel
    names : (tuple of str, tuple of str)
        The findings and ordinals that it has links of.
    links : iterable of D Links
    cause_parents : tuple of tuples of int
        Risks that each cause depends on, rising.
    cause_tables : tuple of arrays (S_parent1, ..., D)
    risk_priors : tuple of arrays (S, D)
    """
    named = model.network, model.risks, model.causes, *names, model.groups
    return _models(named, links, cause_parents, cause_tables, risk_priors)


def _one_draw(tables: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    return tuple(table[..., None] for table in tables)


def _models(
    named: _Named,
    links: Iterable[Links],
    parents: tuple[tuple[int, ...], ...],
    tables: tuple[FloatArray, ...],
    priors: tuple[FloatArray, ...],
) -> Iterator[NoisyModel]:
    shared, private = shared_risks(parents, len(priors)), np.ones(len(priors), dtype=bool)
    private[shared.risks] = False
    laid, last = list[PriorTables](), None
    for d, own in enumerate(links):
        if d % _AT_ONCE == 0:
            part = slice(d, d + _AT_ONCE)
            laid = lay_out_priors(
                parents,
                tuple(table[..., part] for table in tables),
                tuple(prior[:, part] for prior in priors),
                private,
            )
        numbers = _Numbers(
            own,
            parents,
            tuple(table[..., d] for table in tables),
            tuple(prior[:, d] for prior in priors),
        )
        axes = build_axes(own, shared, numbers.priors)
        # Pairs of causes and shared risks are numbered alike wherever the axes are.
        if last is None or not _same_axes(axes, last.axes):
            edges = number_edges(axes)
        last = _lay_out(named, numbers, axes, edges, laid[d % _AT_ONCE])
        yield last


def _same_axes(axes: Axes, others: Axes) -> bool:
    return len(axes.classes) == len(others.classes) and np.array_equal(axes.risk, others.risk)


def _lay_out(
    named: _Named, numbers: _Numbers, axes: Axes, edges: RiskEdges, laid: PriorTables
) -> NoisyModel:
    links, parents, tables, priors = numbers
    log_absent, log_absent_leak = log_of_absent(links, axes.suppress)
    finite, never = _finite(log_absent.T)
    finite_leak, never_leak = _finite(log_absent_leak)
    first = offsets([size - 1 for size in links.sizes])
    arrays = None
    if laid.extended is not None:
        ordinals = OrdinalArrays(
            frozen(np.array(links.sizes, dtype=np.intp)), frozen(len(links.leak) + first[:-1])
        )
        risks = RiskArrays(
            offsets([len(prior) for prior in priors]),
            frozen(np.concatenate([np.zeros(0), *priors])),
        )
        absence = _absence(finite, never, finite_leak, never_leak)
        arrays = ModelArrays(absence, ordinals, risks, laid.extended, axes)
    return NoisyModel(
        *named,
        links=links,
        risk_priors=priors,
        cause_parents=parents,
        cause_tables=tables,
        prior_base=laid.base,
        prior_offset=laid.offset,
        log_absent=finite,
        absent_never=never,
        log_absent_leak=finite_leak,
        absent_leak_never=never_leak,
        ordinal_sizes=links.sizes,
        level_offset=tuple(first[:-1].tolist()),
        axes=axes,
        edges=edges,
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
