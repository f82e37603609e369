"""Probabilities of joint states of a few variables together with the evidence.

Every joint state is put in as evidence beside what is known: P(state, evidence) is the probability
of the evidence so enlarged, and the ordinary query finds it for all states and cases at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.engine import CompiledGeneral

#: Rows put to the network together.
ROWS_AT_ONCE = 1 << 16

Soft = Mapping[int, FloatArray]


def log_joint(
    compiled: CompiledGeneral,
    states: IntArray,
    members: Sequence[int],
    soft: Soft | None = None,
) -> FloatArray:
    """Natural log of P(joint state of some variables, evidence).

    Parameters
    ----------
    compiled : CompiledGeneral
    states : intp array (N, V)
        State positions, -1 unknown.
    members : sequence of int
        Positions of K variables, each once.
    soft : mapping of int to array (N, S), optional
        Likelihoods, as in `CompiledGeneral.query`.

    Returns
    -------
    float64 array (N, S1 * ... * SK)
        The joint states in C order; -inf where one contradicts the evidence.

    Raises
    ------
    InvalidNetwork
        If a plan does not fit in the memory limit.
    """
    entries = np.indices([compiled.problem.cards[v] for v in members])
    entries = entries.reshape(len(members), -1).T
    likelihoods = {v: np.asarray(given, dtype=np.float64) for v, given in (soft or {}).items()}
    result = np.full((len(states), len(entries)), -np.inf)
    step = max(ROWS_AT_ONCE // len(entries), 1)
    for first in range(0, len(states), step):
        known = states[first : first + step]
        open_ = known[:, None, members]
        row, entry = np.nonzero(((open_ < 0) | (open_ == entries)).all(axis=2))
        put_in = known[row]
        put_in[:, members] = entries[entry]
        part = {v: given[first + row] for v, given in likelihoods.items()}
        result[first + row, entry] = compiled.query(put_in, part, targets=[]).log_evidence
    return result


def shares(log_weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (N, K) made to sum to 1 a row, zeros where all are 0, and the log of sums."""
    top = log_weights.max(axis=1, keepdims=True, initial=-np.inf)
    top = np.where(np.isneginf(top), 0.0, top)
    weights = np.exp(log_weights - top)
    total = weights.sum(axis=1, keepdims=True)
    result: FloatArray = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0.0)
    with np.errstate(divide="ignore"):
        log_total: FloatArray = (np.log(total) + top)[:, 0]
    return result, log_total
