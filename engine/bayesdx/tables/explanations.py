"""The most probable explanations of cases as a table, and which tables' gradients can be had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.checked_numbers import is_real, is_whole
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.arrays import IntArray
from bayesdx.inference.general.branch_and_bound import SearchLimits
from bayesdx.inference.general.most_probable import MostProbable
from bayesdx.network.network import Network

#: Cells of a table whose gradient is asked for, at most.
MOST_CELLS = 1 << 12

RANK, LOG_PROBABILITY, LOG_BOUND, STATUS = "rank", "log_probability", "log_bound", "status"
OK, UNPROVED, IMPOSSIBLE, TOO_COMPLEX = "ok", "unproved", "impossible", "too_complex"
#: Explanations of a case that may be asked for.
MOST_EXPLANATIONS = 10_000


def column_faults(network: Network, others: Sequence[str] = ()) -> list[Fault]:
    """Variables with the names of other columns of an explanation."""
    return [
        Fault(f"variable {name}", "a name that is no other column of an explanation", name)
        for name in (LOG_PROBABILITY, LOG_BOUND, STATUS, *others)
        if name in network.variables
    ]


def search_wanted(
    k: int,
    time_limit: float | None,
    branch_limit: int,
    faults: Sequence[Fault] = (),
    place: str = "",
) -> SearchLimits:
    """Check what is wanted of a search; with further faults of the question.

    ``place`` goes before the name of what is wrong.

    Raises
    ------
    InvalidCase
    """
    found = list(faults)
    if not is_whole(k, 1, MOST_EXPLANATIONS):
        found.append(Fault(f"{place}k", f"a number of explanations, 1 to {MOST_EXPLANATIONS}", k))
    if time_limit is not None and not is_real(time_limit, 0.0, math.inf):
        found.append(
            Fault(
                f"{place}time-limit" if place else "time_limit",
                "a number of seconds, 0 or more",
                time_limit,
            )
        )
    if not is_whole(branch_limit, 0):
        found.append(Fault("branch_limit", "a number of branches, 0 or more", branch_limit))
    if found:
        raise InvalidCase(found)
    return SearchLimits(int(k), int(branch_limit), time_limit)


def explanation_lines(found: MostProbable) -> tuple[IntArray, IntArray]:
    """Case and rank, from 0, of each line of a table: of every case the first, then what exists."""
    shown = ~np.isneginf(found.log_probability)
    shown[:, 0] = True
    case, rank = np.nonzero(shown)
    return case, rank


def explanation_frame(
    network: Network,
    found: MostProbable,
    index: pd.Index,
    targets: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Lay explanations out as one row each; see `CompiledNetwork.mpe`."""
    lines = explanation_lines(found)
    columns: dict[str, NDArray[Any]] = {}
    for v, (name, variable) in enumerate(network.variables.items()):
        if targets is None or name in targets:
            # The last entry is what -1 points at.
            names = np.array([*variable.states, None], dtype=object)
            columns[name] = names[found.states[(*lines, v)]]
    if found.states.shape[1] > 1:
        columns[RANK] = lines[1] + 1
    log_probability, log_bound = found.log_probability[lines], found.log_bound[lines]
    columns[LOG_PROBABILITY], columns[LOG_BOUND] = log_probability, log_bound
    status = np.where(np.isneginf(log_bound), IMPOSSIBLE, OK).astype(object)
    status[log_bound > log_probability] = UNPROVED
    columns[STATUS] = status
    # A column of names stays one of objects: the None of an impossible case is kept.
    labels = index.take(lines[0])
    series = {
        name: pd.Series(cells, index=labels, dtype=cells.dtype) for name, cells in columns.items()
    }
    return pd.DataFrame(series, index=labels)


def table_faults(network: Network, variables: Sequence[str], times: int = 1) -> list[Fault]:
    """Variables, all of the network, of whose tables no gradient can be had.

    ``times`` is the number of derivatives that are wanted by each entry.
    """
    faults = []
    if len(set(variables)) < len(variables):
        faults.append(Fault("variables", "each variable once", list(variables)))
    for name in dict.fromkeys(variables):
        family = (*network.parents(name), name)
        cells = math.prod(network.variables[one].cardinality for one in family)
        if cells * times > MOST_CELLS:
            got = Phrase(f"{cells}")
            most = f"at most {MOST_CELLS // times} cells"
            faults.append(Fault(f"table of {name}", most, got))
    return faults
