"""The state of a sweep over subsets, and what causes that touch one row do to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from bayesdx.inference.noisy.attribution.observations import Row, SubsetProblem
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.inference.noisy.operator import act, in_sequence, weighed

#: Open risks (their position) and known ones that are summed over already (their complement).
Dims = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SubsetState:
    """``values`` (R, L): rows, and the components of ``dims`` times the columns of the problem.

    ``sizes`` are the components of each row axis.
    """

    values: FloatArray
    dims: Dims
    sizes: tuple[int, ...]

    def by_row(self, at: int) -> FloatArray:
        """Return a view (outer, size, inner) on one row axis."""
        return self.values.reshape(math.prod(self.sizes[:at]), self.sizes[at], -1)


def start_state(problem: SubsetProblem, free: Sequence[int]) -> SubsetState:
    """Rows before any cause acts, times what causes that couple to nothing leave of each column."""
    start = np.ones(1)
    for row in problem.rows:
        start = np.multiply.outer(start, row.start).ravel()
    columns = np.ones(problem.on.shape[1])
    for c in free:
        prior = float(problem.tables[c][1])
        columns = columns * (prior * problem.on[c] + (1.0 - prior))
    sizes = tuple(row.size for row in problem.rows)
    return SubsetState(np.multiply.outer(start, columns), (), sizes)


def operate(
    values: FloatArray,
    row: Row,
    causes: Sequence[int],
    weights: Sequence[tuple[FloatArray, FloatArray]],
) -> FloatArray:
    """Apply causes that touch one row only to values (outer, size, inner * L), as one operator."""
    size, length = values.shape[1], len(weights[0][0])
    own = [
        weighed(row.effect_of(c, size), *weight) for c, weight in zip(causes, weights, strict=True)
    ]
    result = values.reshape(len(values), size, -1, length).copy()
    act(result, 1, reduce(in_sequence, own))
    return result
