"""Joint posteriors of several variables of a general network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidCase, Phrase, nearest_names
from bayesdx.tables.networks import CompiledNetwork

#: Joint states asked for at once, at most.
MOST_STATES = 1 << 12
#: Rows put to the network together.
ROWS_AT_ONCE = 1 << 16


def joint_posterior(
    plan: CompiledNetwork, evidence: pd.DataFrame, variables: Sequence[str]
) -> NDArray[np.float64]:
    """Return P(variables | evidence) of every case, exactly.

    Every joint state is put in as evidence beside what is known; the joint posterior is what their
    probabilities are in proportion to.

    Parameters
    ----------
    plan : CompiledNetwork
    evidence : DataFrame
        N cases, as in `CompiledNetwork.query`.
    variables : sequence of str
        Each once; at most 4,096 joint states.

    Returns
    -------
    float64 array (N, S1, S2, ...)
        One axis a variable, in the order of its states; each case sums to 1, or is 0 where its
        evidence is impossible.

    Raises
    ------
    InvalidCase
        If a variable is unknown or named twice, or there are too many joint states; with every
        fault of the evidence.
    """
    network = plan.network
    faults = [
        Fault(
            "variables", "a variable of the network", name, nearest_names(name, network.variables)
        )
        for name in variables
        if name not in network.variables
    ]
    if len(set(variables)) < len(variables):
        faults.append(Fault("variables", "each variable once", list(variables)))
    if faults:
        raise InvalidCase(faults)
    states = [network.variables[name].states for name in variables]
    sizes = tuple(map(len, states))
    count = int(np.prod(sizes, dtype=np.intp))
    if count > MOST_STATES:
        got = Phrase(f"{count}")
        raise InvalidCase(Fault("variables", f"at most {MOST_STATES} joint states", got))
    result = np.zeros((len(evidence), count))
    step = max(ROWS_AT_ONCE // count, 1)
    for first in range(0, len(evidence), step):
        part = evidence.iloc[first : first + step]
        result[first : first + step] = _shares(plan, part, variables, states, count)
    return result.reshape(len(evidence), *sizes)


def _shares(
    plan: CompiledNetwork,
    evidence: pd.DataFrame,
    variables: Sequence[str],
    states: list[tuple[str, ...]],
    count: int,
) -> NDArray[np.float64]:
    """Return the probabilities (n, joint states) of some cases."""
    n_cases = len(evidence)
    repeated = evidence.loc[evidence.index.repeat(count)].reset_index(drop=True)
    positions = np.indices(tuple(map(len, states))).reshape(len(states), count)
    contradicts = np.zeros(n_cases * count, dtype=bool)
    for name, names, position in zip(variables, states, positions, strict=True):
        put_in = np.tile(np.array(names, dtype=object)[position], n_cases)
        if name in repeated.columns:
            known = repeated[name].to_numpy(dtype=object)
            contradicts |= ~pd.isna(known) & (known != put_in)
        repeated[name] = put_in
    targets = list(plan.network.variables)[:1]
    log_joint = plan.query(repeated, targets=targets).log_evidence.copy()
    log_joint[contradicts] = -np.inf
    log_joint = log_joint.reshape(n_cases, count)
    top = log_joint.max(axis=1, keepdims=True, initial=-np.inf)
    weights = np.exp(log_joint - np.where(np.isneginf(top), 0.0, top))
    total = weights.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(
        weights, total, out=np.zeros_like(weights), where=total > 0.0
    )
    return shares
