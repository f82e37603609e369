"""How P(evidence) and posteriors change with an entry of a table.

P(evidence) is affine in every entry (Darwiche 2003): its derivative by the entry of state x given
parents u is A(x, u), what all *other* tables make of the evidence with x and u put in. The table
itself plays no part in that, so it is replaced by the simplest one: the variable loses its parents
and is uniform. In that network P(x, u, evidence) is A(x, u) / S, whatever the entry was, 0 too,
and the ordinary query finds it; nothing is divided by the entry, and a wide noisy family costs no
table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.compiled_network import NetworkSolver, log_joint, shares
from bayesdx.network.cpds import TableCPD
from bayesdx.network.network import Network


def family_gradient(
    network: Network,
    child: str,
    states: IntArray,
    log_evidence: FloatArray,
    memory_limit: float,
    soft: Mapping[int, FloatArray] | None = None,
) -> FloatArray:
    """Differentiate log P(evidence) by the entries of one table.

    Parameters
    ----------
    network : Network
    child : str
        The variable whose table it is.
    states : intp array (N, V)
        State positions in the order of ``network.variables``, -1 unknown.
    log_evidence : float64 array (N,)
        Natural log of P(evidence), -inf where it is impossible.
    memory_limit : float
        Bytes, as for `NetworkSolver`.
    soft : mapping of int to array (N, S), optional
        Likelihoods, as in `NetworkSolver.query`.

    Returns
    -------
    float64 array (N, *parents, S)
        d log P(evidence) / d entry, at least 0; 0 in rows whose evidence is impossible, inf where
        it is beyond the range of numbers.

    Raises
    ------
    InvalidNetwork
        If a plan does not fit in the memory limit.
    """
    log_weights = _log_weights(network, child, [], states, log_evidence, memory_limit, soft)
    with np.errstate(over="ignore"):
        return np.exp(log_weights).reshape(len(states), *_sizes(network, child))


def posterior_gradient(
    network: Network,
    child: str,
    target: str,
    states: IntArray,
    posterior: FloatArray,
    log_evidence: FloatArray,
    memory_limit: float,
    soft: Mapping[int, FloatArray] | None = None,
) -> FloatArray:
    """Differentiate the posterior of one variable by the entries of one table.

    With t a state of the target, A the derivative of P(e) and A(t) that of P(t, e), whose sum is
    A: d P(t | e) / d entry is (A(t) / A - P(t | e)) A / P(e).

    Parameters
    ----------
    network, child, states, log_evidence, memory_limit, soft
        As in `family_gradient`.
    target : str
        The variable whose posterior it is.
    posterior : float64 array (N, T)
        P(target | evidence).

    Returns
    -------
    float64 array (N, T, *parents, S)
        Each sums to 0 over T; 0 in rows whose evidence is impossible, infinite where it is beyond
        the range of numbers.

    Raises
    ------
    InvalidNetwork
        If a plan does not fit in the memory limit.
    """
    n, size = posterior.shape
    cells = math.prod(_sizes(network, child))
    log_weights = _log_weights(network, child, [target], states, log_evidence, memory_limit, soft)
    by_entry = np.moveaxis(log_weights.reshape(n, size, cells), 1, 2).reshape(-1, size)
    share, log_total = shares(by_entry)
    moved = np.where(np.isneginf(log_total)[:, None], 0.0, share)
    moved = moved.reshape(n, cells, size) - posterior[:, None, :]
    with np.errstate(over="ignore", invalid="ignore"):
        result = moved * np.exp(log_total).reshape(n, cells, 1)
    result = np.where(moved == 0.0, 0.0, result)
    shaped: FloatArray = np.moveaxis(result, 2, 1).reshape(n, size, *_sizes(network, child))
    return shaped


def _sizes(network: Network, child: str) -> tuple[int, ...]:
    family = (*network.parents(child), child)
    return tuple(network.variables[name].cardinality for name in family)


def _log_weights(
    network: Network,
    child: str,
    further: list[str],
    states: IntArray,
    log_evidence: FloatArray,
    memory_limit: float,
    soft: Mapping[int, FloatArray] | None,
) -> FloatArray:
    """Log of A(further, parents, child) / P(evidence), array (N, joint states)."""
    position = {name: i for i, name in enumerate(network.variables)}
    family = [*network.parents(child), child]
    # A variable that is in the family too is put in once; its other pairings stay 0.
    added = [name for name in further if name not in family]
    compiled = NetworkSolver(_without_table(network, child), memory_limit)
    possible = np.flatnonzero(~np.isneginf(log_evidence))
    members = [position[name] for name in (*added, *family)]
    given = {v: np.asarray(values)[possible] for v, values in (soft or {}).items()}
    log_weights = log_joint(compiled, states[possible], members, given)
    # The uniform table has taken a factor of S.
    log_weights += np.log(network.variables[child].cardinality)
    log_weights -= log_evidence[possible, None]
    for name in further:
        if name in family:
            log_weights = _paired(log_weights, family.index(name), _sizes(network, child))
    result = np.full((len(states), log_weights.shape[1]), -np.inf)
    result[possible] = log_weights
    return result


def _paired(log_weights: FloatArray, axis: int, sizes: tuple[int, ...]) -> FloatArray:
    """Add an axis in front that repeats an axis of the family: log of 0 where they differ."""
    place = np.indices(sizes)[axis].ravel()
    same = np.arange(sizes[axis])[:, None] == place
    paired: FloatArray = np.where(same, log_weights[:, None, :], -np.inf)
    return paired.reshape(len(log_weights), same.size)


def _without_table(network: Network, child: str) -> Network:
    """Return the network with ``child`` uniform and without parents."""
    card = network.variables[child].cardinality
    uniform = TableCPD(child, (), np.full(card, 1.0 / card))
    others = [cpd for name, cpd in network.cpds.items() if name != child]
    return Network(network.variables.values(), [*others, uniform])
