"""The most probable explanation of cases, and how evidence leans on a network's numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, Phrase, nearest_names
from bayesdx.inference.general.explaining import most_probable_states
from bayesdx.inference.general.gradients import family_gradient
from bayesdx.tables.networks import IMPOSSIBLE, OK, CompiledNetwork

#: Cells of a table whose gradient is asked for, at most.
MOST_CELLS = 1 << 12

LOG_PROBABILITY, STATUS = "log_probability", "status"


def most_probable_explanation(plan: CompiledNetwork, evidence: pd.DataFrame) -> pd.DataFrame:
    """Return for every case the single most probable assignment of all variables, exactly.

    This is one assignment, not the most probable state of each variable: the two differ.

    Parameters
    ----------
    plan : CompiledNetwork
    evidence : DataFrame
        N cases, as in `CompiledNetwork.query`.

    Returns
    -------
    DataFrame
        N rows with the index of ``evidence``. One column a variable, in the order of the network,
        with the name of its state (the observed one where it is observed; None in every column
        where the evidence is impossible); ``log_probability``, the natural log of P(assignment),
        of which the evidence is a part, -inf where impossible; ``status``, ``"ok"`` or
        ``"impossible"``. Of equally probable assignments always the same one is returned: each
        variable in turn, in a fixed order, takes the first of its best states.

    Raises
    ------
    InvalidCase
        With every fault of the evidence.
    InvalidNetwork
        If it would need more than the memory limit of the plan, with what it would need; if a
        noisy family is too wide for a table; if a variable is called ``log_probability`` or
        ``status``.
    """
    variables = plan.network.variables
    faults = [
        Fault(f"variable {name}", "a name that is no other column of an explanation", name)
        for name in (LOG_PROBABILITY, STATUS)
        if name in variables
    ]
    if faults:
        raise InvalidNetwork(faults)
    found = most_probable_states(plan.network, _positions(plan, evidence), plan.memory_limit)
    columns: dict[str, NDArray[Any]] = {}
    for (name, variable), positions in zip(variables.items(), found.states.T, strict=True):
        # The last entry is what -1 points at.
        columns[name] = np.array([*variable.states, None], dtype=object)[positions]
    columns[LOG_PROBABILITY] = found.log_probability
    possible = ~np.isneginf(found.log_probability)
    columns[STATUS] = np.where(possible, OK, IMPOSSIBLE).astype(object)
    # A column of names stays one of objects: the None of an impossible case is kept.
    series = {
        name: pd.Series(cells, index=evidence.index, dtype=cells.dtype)
        for name, cells in columns.items()
    }
    return pd.DataFrame(series, index=evidence.index)


def table_gradients(
    plan: CompiledNetwork, evidence: pd.DataFrame, variables: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return how log P(evidence) changes with each entry of the tables of some variables, exactly.

    An entry is moved alone: nothing is renormalised. Where it is positive the derivative is
    P(state, parents | evidence) / entry; it is exact where the entry is 0 as well.

    Parameters
    ----------
    plan : CompiledNetwork
    evidence : DataFrame
        N cases, as in `CompiledNetwork.query`.
    variables : sequence of str
        Each once; a table of at most 4,096 cells. Noisy families count as their tables.

    Returns
    -------
    dict of str to float64 array (N, *parents, S)
        For each variable d log P(evidence) / d table, the axes those of `Network.table`; at least
        0. All 0 where the evidence is impossible and log P has no derivative; inf where the
        derivative is beyond the range of numbers.

    Raises
    ------
    InvalidCase
        If a variable is unknown or named twice, or its table is too large; with every fault of
        the evidence.
    InvalidNetwork
        If a plan would not fit in the memory limit.
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
    for name in dict.fromkeys(variables):
        if name in network.variables:
            family = (*network.parents(name), name)
            cells = math.prod(network.variables[one].cardinality for one in family)
            if cells > MOST_CELLS:
                got = Phrase(f"{cells}")
                faults.append(Fault(f"table of {name}", f"at most {MOST_CELLS} cells", got))
    if faults:
        raise InvalidCase(faults)
    states = _positions(plan, evidence)
    if not variables:
        return {}
    log_evidence = plan.query(evidence, targets=variables[:1]).log_evidence
    return {
        name: family_gradient(network, name, states, log_evidence, plan.memory_limit)
        for name in variables
    }


def _positions(plan: CompiledNetwork, evidence: pd.DataFrame) -> NDArray[np.intp]:
    """State positions (N, V), -1 unknown; every fault at once."""
    states, faults = plan.encode(evidence)
    if faults:
        raise InvalidCase(faults)
    return states
