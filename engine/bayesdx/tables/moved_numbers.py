"""Which numbers of a network an answer hangs on: a report on top of the gradients."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesdx.inference.arrays import FloatArray
from bayesdx.network.network import Network


def covaried(table: FloatArray, gradient: FloatArray) -> FloatArray:
    """Derivatives by each entry while the rest of its row stays in proportion.

    Parameters
    ----------
    table : array (..., S)
        Rows sum to 1.
    gradient : array (..., S)
        By each entry alone.

    Returns
    -------
    array (..., S)
        What the others give up or take is theirs by their share; where they are all 0, in equal
        parts.
    """
    size = table.shape[-1]
    if size == 1:
        return np.zeros_like(gradient)
    others, rest = (gradient * table).sum(axis=-1, keepdims=True) - gradient * table, 1.0 - table
    equal = (gradient.sum(axis=-1, keepdims=True) - gradient) / (size - 1)
    shared = np.where(rest > 0.0, others / np.where(rest > 0.0, rest, 1.0), equal)
    result: FloatArray = gradient - shared
    return result


def sensitivity_table(
    network: Network, gradients: Mapping[str, FloatArray], index: pd.Index
) -> pd.DataFrame:
    """Lay derivatives (N, parents..., S) of tables out, of each case the largest first."""
    if not gradients:
        names = ("variable", "given", "state", "number", "derivative")
        return pd.DataFrame(columns=list(names), index=index[:0])
    parts = []
    for name, gradient in gradients.items():
        parents, states = network.parents(name), network.variables[name].states
        table = network.table(name)
        moved = covaried(np.broadcast_to(table, gradient.shape), gradient)
        given = [
            ", ".join(f"{one}={state}" for one, state in zip(parents, chosen, strict=True))
            for chosen in itertools.product(*(network.variables[one].states for one in parents))
        ]
        columns = {
            "variable": name,
            "given": np.repeat(np.array(given, dtype=object), len(states)),
            "state": np.tile(np.array(states, dtype=object), len(given)),
            "number": table.ravel(),
        }
        for row in range(len(gradient)):
            parts.append(pd.DataFrame(columns | {"case": row, "derivative": moved[row].ravel()}))
    whole = pd.concat(parts, ignore_index=True)
    size = -whole["derivative"].abs()
    whole = whole.iloc[np.lexsort((size.to_numpy(), whole["case"].to_numpy()))]
    whole.index = index.take(whole.pop("case").to_numpy())
    return whole
