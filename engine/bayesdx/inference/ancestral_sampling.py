"""Drawing whole cases from a network, given what is known of them: exact, all cases side by side.

Variables are drawn in topological order. One that no evidence lies below is drawn from its own
distribution given its parents (forward sampling); one above evidence from its posterior given
the evidence and what has been drawn before. The product of these is P(all | evidence), so draws are
independent and none is rejected. Of what is known only what matters to a variable is put in, so
that many cases share an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.network.cpds import NoisyCPD
from bayesdx.network.network import Network

if TYPE_CHECKING:
    from bayesdx.inference.compiled_network import NetworkSolver


def draw_cases(solver: NetworkSolver, states: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw what is not known of each case from P(all | what is known).

    Parameters
    ----------
    solver : NetworkSolver
    states : intp array (N, V)
        State positions in the order of ``network.variables``, -1 unknown; of each case the same
        variables are known, and it has a positive probability.
    rng : Generator

    Returns
    -------
    intp array (N, V)
        Without -1.

    Raises
    ------
    InvalidNetwork, TooComplex
        If a case does not fit in the limits.
    """
    network, names = solver.network, solver.names
    position = {name: v for v, name in enumerate(names)}
    drawn = states.copy()
    known = [name for name in names if len(states) and states[0, position[name]] >= 0]
    above = _ancestors(network, known)
    done = set(known)
    for name in network.order:
        if name in done:
            continue
        if name in above:
            matters = [position[one] for one in network.relevant([name], done).evidence]
            asked = np.full_like(drawn, -1)
            asked[:, matters] = drawn[:, matters]
            share = solver.query(asked, targets=[name]).complete().posteriors[name]
        else:
            share = given_parents(
                network, name, drawn[:, [position[p] for p in network.parents(name)]]
            )
        drawn[:, position[name]] = _picked(share, rng.random(len(drawn)))
        done.add(name)
    return drawn


def given_parents(network: Network, name: str, states: IntArray) -> FloatArray:
    """P(state | states of the parents), without the table of a noisy family.

    Parameters
    ----------
    network : Network
    name : str
    states : intp array (N, P)
        State positions of the parents, in their order.

    Returns
    -------
    array (N, S)
    """
    cpd = network.cpds[name]
    if not isinstance(cpd, NoisyCPD):
        table: FloatArray = network.table(name)[tuple(states.T)]
        return table if table.ndim == 2 else np.broadcast_to(table, (len(states), len(table)))
    own = cpd.mechanism
    active = states == 1
    left = np.where(active, own.factor, 1.0).prod(axis=1)
    below = 1.0 - left[:, None] * own.leak
    for p in range(len(own.parents)):
        below = below * np.where(active[:, p, None], 1.0 - own.exceed[p], 1.0)
    ends = np.zeros((len(states), 1)), np.ones((len(states), 1))
    return np.diff(np.concatenate([ends[0], below, ends[1]], axis=1), axis=1)


def _ancestors(network: Network, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    left = list(names)
    while left:
        for parent in network.parents(left.pop()):
            if parent not in found:
                found.add(parent)
                left.append(parent)
    return found


def _picked(share: FloatArray, chance: FloatArray) -> IntArray:
    """One state a row by its probability; one of probability 0 never."""
    total = share.cumsum(axis=1)
    # At most the whole: rounding may leave it below 1.
    place = chance[:, None] * total[:, -1:]
    states: IntArray = (total <= place).sum(axis=1)
    last = share.shape[1] - 1 - (share[:, ::-1] > 0.0).argmax(axis=1)
    picked: IntArray = np.minimum(states, last)
    return picked
