"""P(cause present | risks) of all causes, laid out; written over a trailing axis of draws.

A risk that one cause alone depends on is *private*: nothing else is coupled by it. It is averaged
out, or has one state more, unknown, with the average in it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen
from bayesdx.inference.noisy.axes import offsets
from bayesdx.inference.noisy.model import Priors

#: Entries that the extended tables of all causes may have together (8 bytes each).
MOST_ENTRIES = 1 << 23
#: Joint states of shared risks that one cause may depend on.
MOST_JOINT = 1 << 16


class PriorTables(NamedTuple):
    """Tables of one draw.

    Attributes
    ----------
    base, offset : arrays (P,), (C + 1,)
        See `bayesdx.inference.noisy.model.NoisyModel`.
    extended : Priors, optional
        None where the tables would be too large.
    """

    base: FloatArray
    offset: IntArray
    extended: Priors | None


def lay_out_priors(
    parents: tuple[tuple[int, ...], ...],
    tables: tuple[FloatArray, ...],
    risk_priors: tuple[FloatArray, ...],
    private: BoolArray,
) -> list[PriorTables]:
    """Lay out the tables of D draws.

    Parameters
    ----------
    parents : tuple of tuples of int
        Risks of each cause, rising.
    tables : tuple of arrays (S_parent1, ..., D)
        P(cause present | risks).
    risk_priors : tuple of arrays (S, D)
    private : bool array (R,)
        Risks that one cause depends on at most.

    Returns
    -------
    list of PriorTables
        A draw each.
    """
    every = range(len(parents))
    own = [[at for at, risk in enumerate(parents[c]) if private[risk]] for c in every]
    base = [_averaged(tables[c], parents[c], own[c], risk_priors) for c in every]
    offset = offsets([math.prod(table.shape[:-1]) for table in base])
    each_base, each = _by_draw(base), list[FloatArray]()
    structure = None
    if _fits(tables, own):
        extended = [_extended(tables[c], parents[c], own[c], risk_priors) for c in every]
        structure, each = _structure(parents, extended, own), _by_draw(extended)
    return [
        PriorTables(values, offset, structure and structure._replace(table=each[d]))
        for d, values in enumerate(each_base)
    ]


def _by_draw(tables: list[FloatArray]) -> list[FloatArray]:
    """All tables, one after the other, of each draw."""
    n_draws = tables[0].shape[-1] if tables else 1
    flat = [np.zeros((0, n_draws)), *(table.reshape(-1, n_draws) for table in tables)]
    return list(frozen(np.concatenate(flat).T))


def _fits(tables: tuple[FloatArray, ...], own: list[list[int]]) -> bool:
    total = 0
    for table, private in zip(tables, own, strict=True):
        sizes = table.shape[:-1]
        total += math.prod(size + (at in private) for at, size in enumerate(sizes))
        joint = math.prod(size for at, size in enumerate(sizes) if at not in private)
        if total > MOST_ENTRIES or joint > MOST_JOINT:
            return False
    return True


def _average(table: FloatArray, position: int, prior: FloatArray) -> FloatArray:
    """Sum one risk out."""
    average: FloatArray = (np.moveaxis(table, position, -2) * prior).sum(axis=-2)
    return average


def _averaged(
    table: FloatArray, parents: tuple[int, ...], own: list[int], priors: tuple[FloatArray, ...]
) -> FloatArray:
    for position in reversed(own):
        table = _average(table, position, priors[parents[position]])
    return table


def _extended(
    table: FloatArray, parents: tuple[int, ...], own: list[int], priors: tuple[FloatArray, ...]
) -> FloatArray:
    for position in own:
        average = _average(table, position, priors[parents[position]])
        table = np.concatenate([table, np.expand_dims(average, position)], axis=position)
    return table


def _structure(
    parents: tuple[tuple[int, ...], ...], extended: list[FloatArray], own: list[list[int]]
) -> Priors:
    """Lay out where the entries of the tables lie."""
    rows: list[tuple[int, int, int]] = []
    for positions, table, private in zip(parents, extended, own, strict=True):
        sizes = table.shape[:-1]
        for at, risk in enumerate(positions):
            unknown = sizes[at] - 1 if at in private else -1
            rows.append((risk, math.prod(sizes[at + 1 :]), unknown))
    return Priors(
        parent_first=offsets(list(map(len, parents))),
        parent=frozen(np.array(rows, dtype=np.intp).reshape(-1, 3)),
        table_first=offsets([math.prod(table.shape[:-1]) for table in extended]),
        table=np.zeros(0),
    )
