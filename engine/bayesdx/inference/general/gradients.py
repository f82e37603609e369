"""How P(evidence) changes with an entry of a table.

P(evidence) is affine in every entry (Darwiche 2003): its derivative by the entry of state x given
parents u is A(x, u), what all *other* tables make of the evidence with x and u put in. The table
itself plays no part in that, so it is replaced by the simplest one: the variable loses its parents
and is uniform. In that network P(x, u, evidence) is A(x, u) / S, whatever the entry was, 0 too,
and the ordinary query finds it; nothing is divided by the entry, and a wide noisy family costs no
table.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.engine import CompiledGeneral
from bayesdx.network import Network, TableCPD

#: Rows put to the network together.
ROWS_AT_ONCE = 1 << 16


def family_gradient(
    network: Network, child: str, states: IntArray, log_evidence: FloatArray, memory_limit: float
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
        Bytes, as for `CompiledGeneral`.

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
    position = {name: i for i, name in enumerate(network.variables)}
    family = [*network.parents(child), child]
    sizes = tuple(network.variables[name].cardinality for name in family)
    members = [position[name] for name in family]
    compiled = CompiledGeneral(_without_table(network, child), memory_limit)
    entries = np.indices(sizes).reshape(len(sizes), -1).T
    possible = np.flatnonzero(~np.isneginf(log_evidence))
    result = np.zeros((len(states), len(entries)))
    step = max(ROWS_AT_ONCE // len(entries), 1)
    for first in range(0, len(possible), step):
        rows = possible[first : first + step]
        log_weights = _log_weights(compiled, child, states[rows], members, entries)
        # The uniform table has taken a factor of S.
        log_weights += np.log(sizes[-1])
        with np.errstate(over="ignore"):
            result[rows] = np.exp(log_weights - log_evidence[rows, None])
    return result.reshape(len(states), *sizes)


def _without_table(network: Network, child: str) -> Network:
    """Return the network with ``child`` uniform and without parents."""
    card = network.variables[child].cardinality
    uniform = TableCPD(child, (), np.full(card, 1.0 / card))
    others = [cpd for name, cpd in network.cpds.items() if name != child]
    return Network(network.variables.values(), [*others, uniform])


def _log_weights(
    compiled: CompiledGeneral, child: str, states: IntArray, members: list[int], entries: IntArray
) -> FloatArray:
    """Log P(entry, evidence), array (n, entries); -inf where an entry contradicts the evidence."""
    n = len(states)
    known = states[:, None, members]
    row, entry = np.nonzero(((known < 0) | (known == entries)).all(axis=2))
    put_in = states[row]
    put_in[:, members] = entries[entry]
    result = np.full((n, len(entries)), -np.inf)
    result[row, entry] = compiled.query(put_in, targets=[child]).log_evidence
    return result
