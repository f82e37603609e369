"""The most probable explanation of cases as a table, and which tables' gradients can be had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.errors import Fault, Phrase
from bayesdx.inference.general.most_probable import MostProbable
from bayesdx.network.network import Network

#: Cells of a table whose gradient is asked for, at most.
MOST_CELLS = 1 << 12

LOG_PROBABILITY, STATUS = "log_probability", "status"
OK, IMPOSSIBLE, TOO_COMPLEX = "ok", "impossible", "too_complex"


def column_faults(network: Network, others: Sequence[str] = ()) -> list[Fault]:
    """Variables with the names of other columns of an explanation."""
    return [
        Fault(f"variable {name}", "a name that is no other column of an explanation", name)
        for name in (LOG_PROBABILITY, STATUS, *others)
        if name in network.variables
    ]


def explanation_frame(network: Network, found: MostProbable, index: pd.Index) -> pd.DataFrame:
    """Lay explanations out as one row a case; see `CompiledNetwork.mpe`."""
    columns: dict[str, NDArray[Any]] = {}
    for (name, variable), positions in zip(network.variables.items(), found.states.T, strict=True):
        # The last entry is what -1 points at.
        columns[name] = np.array([*variable.states, None], dtype=object)[positions]
    columns[LOG_PROBABILITY] = found.log_probability
    possible = ~np.isneginf(found.log_probability)
    columns[STATUS] = np.where(possible, OK, IMPOSSIBLE).astype(object)
    # A column of names stays one of objects: the None of an impossible case is kept.
    series = {
        name: pd.Series(cells, index=index, dtype=cells.dtype) for name, cells in columns.items()
    }
    return pd.DataFrame(series, index=index)


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
