"""The most probable explanation: one state for every variable, what was observed among them.

Small tables by max-product elimination, wide noisy families by branch and bound round it. The usual
decomposition of a noisy-OR does not serve here: it sums over hidden parts, and the maximum of a sum
is not the sum of maxima.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.bounding import wide_families
from bayesdx.inference.general.branch_and_bound import Factored, searched
from bayesdx.inference.general.factors import chain, is_wide, memory_refusal
from bayesdx.inference.general.grouping import distinct_rows
from bayesdx.inference.general.max_elimination import LogTable, MaxLayout, best_states, lay_out
from bayesdx.network.cpds import AnyOfCPD
from bayesdx.network.network import Network

#: Bytes that the rows answered together should not exceed; more only if one row needs it.
ROWS_BYTES = float(64 << 20)


@dataclass(frozen=True, eq=False)
class MostProbable:
    """The most probable assignments of N cases.

    Attributes
    ----------
    states : intp array (N, V)
        State positions; -1 everywhere in a row whose evidence is impossible.
    log_probability : float64 array (N,)
        Natural log of P(assignment), observed variables included, times the likelihoods of its
        states where evidence is soft; -inf where impossible.
    """

    states: IntArray
    log_probability: FloatArray


def most_probable_states(
    network: Network,
    states: IntArray,
    memory_limit: float,
    likelihoods: Mapping[int, FloatArray] | None = None,
) -> MostProbable:
    """Find for every case the assignment of all variables that is most probable.

    Parameters
    ----------
    network : Network
    states : intp array (N, V)
        State positions in the order of ``network.variables``, -1 unknown.
    memory_limit : float
        Bytes that the tables, and the arrays of one case, may take.
    likelihoods : mapping of int to array (N, S), optional
        Soft evidence: at least 0, a row of NaN says nothing.

    Returns
    -------
    MostProbable
        Of equally probable assignments always the same one: in the order of elimination, read
        from its end, each variable takes the first of its states that are equally good given
        those already chosen. Assignments equal on paper may differ in the last digit of a sum.
        With wide noisy families (more than 4 parents) the assignment is proved to be the best
        but for 1e-12 of its log probability.

    Raises
    ------
    InvalidNetwork
        If the tables, or the arrays of one case, exceed the memory limit, with what they would
        need; if wide families leave a case unproved after 20,000 branches, with the bound.
    """
    log_soft = {v: _log_likelihood(values) for v, values in (likelihoods or {}).items()}
    first, inverse = distinct_rows(states, log_soft)
    if first is not None:
        kept = {v: np.asarray(values)[first] for v, values in (likelihoods or {}).items()}
        once = most_probable_states(network, states[first], memory_limit, kept)
        return MostProbable(once.states[inverse], once.log_probability[inverse])
    groups, held = _groups(network, states, memory_limit)
    factored = _factored(network)
    found = np.full((len(states), len(factored.cards)), -1, dtype=np.intp)
    found[:, : factored.named] = states
    for rows, layout in groups:
        room = min(ROWS_BYTES, memory_limit - held)
        step = max(int(room / max(layout.row_bytes, 1.0)), 1)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            soft = {v: values[:, part] for v, values in log_soft.items()}
            found[part] = _explained(factored, layout, found[part], soft, step)
    log_probability = factored.log_probability(found)
    for v, values in log_soft.items():
        log_probability += values[found[:, v], np.arange(len(found))]
    result = found[:, : factored.named]
    result[np.isneginf(log_probability)] = -1
    return MostProbable(result, log_probability)


def _groups(
    network: Network, states: IntArray, memory_limit: float
) -> tuple[list[tuple[IntArray, MaxLayout]], float]:
    """Rows that observe the same variables with their layout; bytes of the tables of all."""
    scopes, cards = _scopes(network)
    held = 8.0 * sum(math.prod(float(cards[v]) for v in scope) for scope in scopes)
    groups = [
        (rows, lay_out(scopes, cards, frozenset(np.flatnonzero(states[rows[0]] >= 0).tolist())))
        for rows in _signatures(states)
    ]
    worst = max((layout for _, layout in groups), key=lambda one: one.row_bytes, default=None)
    if worst is not None and held + worst.row_bytes > memory_limit:
        place, detail = f"explanation of {states.shape[1]} variables", worst.largest
        needed = held + worst.row_bytes
        raise memory_refusal(place, memory_limit, needed, f"largest bucket {detail:.3g}")
    return groups, held


def _explained(
    factored: Factored,
    layout: MaxLayout,
    states: IntArray,
    soft: dict[int, FloatArray],
    most_rows: int,
) -> IntArray:
    """Answer rows that observe the same variables; so many at once fit in memory."""
    if factored.families:
        return searched(factored, layout, states, soft, most_rows)
    live = set(layout.order)
    extra = [((v,), values) for v, values in soft.items() if v in live]
    return best_states(factored.tables, layout, states, extra)


def _factored(network: Network) -> Factored:
    """Write a network as logs of tables and wide families."""
    position = {name: i for i, name in enumerate(network.variables)}
    rank = {name: i for i, name in enumerate(network.order)}
    cards = [variable.cardinality for variable in network.variables.values()]
    kinds = _kinds(network)
    tables: list[LogTable] = []
    with np.errstate(divide="ignore"):
        for name in kinds["table"]:
            scope = tuple(position[one] for one in (*network.parents(name), name))
            tables.append((scope, np.log(network.table(name))))
        for cpd in filter(is_wide, (network.cpds[name] for name in kinds["chain"])):
            links = chain(cpd, position, rank, cards)
            tables += [(link.scope, np.log(link.table)) for link in links]
    wide = list(filter(is_wide, (network.cpds[name] for name in kinds["bounded"])))
    families = tuple(wide_families(wide, position))
    return Factored(tuple(cards), len(position), tuple(tables), families)


def _scopes(network: Network) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """Variables of every table, and the states of all variables; no wide table is made."""
    position = {name: i for i, name in enumerate(network.variables)}
    rank = {name: i for i, name in enumerate(network.order)}
    cards = [variable.cardinality for variable in network.variables.values()]
    kinds = _kinds(network)
    scopes = [
        tuple(position[one] for one in (*network.parents(name), name)) for name in kinds["table"]
    ]
    for cpd in filter(is_wide, (network.cpds[name] for name in kinds["chain"])):
        scopes += [link.scope for link in chain(cpd, position, rank, cards)]
    return scopes, tuple(cards)


def _kinds(network: Network) -> dict[str, list[str]]:
    """How each variable's family is taken in: as a table, as a chain of tables, by bounds.

    A wide deterministic OR has a chain that is exact for maxima too: there is no chance in it, one
    way through for every state of the parents. Where nothing depends on it a bound is cheaper.
    """
    with_children = {parent for cpd in network.cpds.values() for parent in cpd.parents}
    kinds: dict[str, list[str]] = {"table": [], "chain": [], "bounded": []}
    for name in network.variables:
        cpd = network.cpds[name]
        if not is_wide(cpd):
            kinds["table"].append(name)
        elif isinstance(cpd, AnyOfCPD) and name in with_children:
            kinds["chain"].append(name)
        else:
            kinds["bounded"].append(name)
    return kinds


def _log_likelihood(values: FloatArray) -> FloatArray:
    """Log of likelihoods (N, S) as (S, N); 0 in rows that say nothing."""
    given = np.asarray(values, dtype=np.float64)
    known = np.where(np.isnan(given).all(axis=1, keepdims=True), 1.0, given)
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(known).T.copy()
    return result


def _signatures(states: IntArray) -> Iterator[IntArray]:
    """Yield the rows that observe the same variables, signature by signature."""
    groups: dict[bytes, list[int]] = {}
    for row, seen in enumerate(np.packbits(states >= 0, axis=1)):
        groups.setdefault(seen.tobytes(), []).append(row)
    for rows in groups.values():
        yield np.array(rows, dtype=np.intp)
