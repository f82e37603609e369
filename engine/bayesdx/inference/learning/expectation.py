"""Expected counts of every table over all rows, and what the rows' likelihood is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.general.factors import FactorNetwork
from bayesdx.inference.general.family_counts import FamilyCounts
from bayesdx.inference.general.family_tile import StateCodes
from bayesdx.inference.general.family_tree import family_tree
from bayesdx.inference.general.grouping import distinct_rows

#: Distinct rows from which those that miss the same cells have a tree of their own.
OWN_TREE = 64
#: Patterns of missing cells that are each laid out where one tree for all does not fit.
MOST_PATTERNS = 500


@dataclass(frozen=True, eq=False)
class DistinctRows:
    """Rows that differ, with weights.

    Attributes
    ----------
    states : int16 or int32 array (V, D)
        State positions, -1 missing.
    weights : array (D,)
        Of all rows that are equal to it.
    inverse : intp array (N,)
        Which of them each row is.
    """

    states: StateCodes
    weights: FloatArray
    inverse: IntArray


@dataclass(frozen=True, eq=False)
class Expected:
    """What one pass over the rows gives.

    Attributes
    ----------
    counts : list of array
        One a table, of its shape.
    log_likelihood : float
        Natural log, weighted, of the rows that are not impossible.
    """

    counts: list[FloatArray]
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Rows answered by one tree, and what of them never changes.

    ``seen`` are counts of the factors that all of them observe whole, by factor.
    """

    columns: IntArray
    states: StateCodes
    weights: FloatArray
    counter: FamilyCounts
    seen: dict[int, FloatArray]


def distinct(states: IntArray, weights: FloatArray) -> DistinctRows:
    """Put equal rows together."""
    first, inverse = distinct_rows(np.ascontiguousarray(states), {})
    chosen = np.arange(len(states)) if first is None else first
    total = np.bincount(inverse, weights=weights, minlength=len(chosen)).astype(np.float64)
    # What is kept of a row while EM runs, and all that grows with their number.
    small = np.int16 if states.size == 0 or states.max() < np.iinfo(np.int16).max else np.int32
    return DistinctRows(np.ascontiguousarray(states[chosen].T.astype(small)), total, inverse)


class Expectation:
    """Counts rows again and again, with other tables.

    Parameters
    ----------
    problem : FactorNetwork
        With the tables to start from.
    rows : DistinctRows
        Each with at least one known cell.
    memory_limit : float
        Bytes that a tree and a tile of cases may take.

    Attributes
    ----------
    impossible : bool array (D,)
        Rows of probability 0 with the tables to start from; they count nothing.
    start : Expected
        Of the tables to start from.

    Raises
    ------
    InvalidNetwork
        If a tree does not fit in the memory limit.
    """

    def __init__(self, problem: FactorNetwork, rows: DistinctRows, memory_limit: float) -> None:
        self._problem, self._limit = problem, memory_limit
        groups = [self._group(rows, *found) for found in self._patterns(rows)]
        tables = [factor.table for factor in problem.factors]
        self.impossible: BoolArray = np.zeros(len(rows.weights), dtype=np.bool_)
        self._groups = []
        counts, total = self._blank(), 0.0
        for group in groups:
            logs = group.counter.observed_logs(tables, group.states)
            logs += group.counter.add(tables, group.states, group.weights, counts)
            bad = ~np.isfinite(logs)
            self.impossible[group.columns[bad]] = True
            self._groups.append(self._without(group, bad))
            total += float(logs[~bad] @ group.weights[~bad])
            for f, seen in self._groups[-1].seen.items():
                counts[f] += seen
        # A row that one tree of a forest forbids was counted in the others.
        self.start = self(tables) if self.impossible.any() else Expected(counts, total)

    @property
    def complete(self) -> bool:
        """Whether nothing is hidden: counts do not depend on the tables."""
        return all(not group.counter.tree.cliques for group in self._groups)

    def __call__(self, tables: Sequence[FloatArray]) -> Expected:
        """Count every table with these numbers."""
        counts = self._blank()
        total = 0.0
        for group in self._groups:
            logs = group.counter.add(tables, group.states, group.weights, counts)
            total += float(logs @ group.weights)
            for f, seen in group.seen.items():
                counts[f] += seen
                known = seen > 0.0
                total += float(np.log(tables[f][known]) @ seen[known])
        return Expected(counts, total)

    def _blank(self) -> list[FloatArray]:
        return [np.zeros(factor.table.shape) for factor in self._problem.factors]

    def _patterns(self, rows: DistinctRows) -> list[tuple[IntArray, FamilyCounts]]:
        """Rows by what they observe, and who counts them: large groups alone, the others as one."""
        seen = rows.states >= 0
        if not seen.shape[1]:
            return []
        _, inverse = distinct_rows(np.ascontiguousarray(seen.T), {})
        order = np.argsort(inverse, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
        small = [part for part in parts if len(part) < OWN_TREE]
        alone = [part for part in parts if len(part) >= OWN_TREE]
        groups = []
        if len(small) > 1:
            pool = np.sort(np.concatenate(small))
            try:
                groups.append((pool, self._counter(seen[:, pool])))
                small = []
            except InvalidNetwork:
                # What is too large for any evidence may be small for each.
                if len(small) > MOST_PATTERNS:
                    raise
        return groups + [(part, self._counter(seen[:, part])) for part in (*alone, *small)]

    def _counter(self, seen: BoolArray) -> FamilyCounts:
        always = frozenset(np.flatnonzero(seen.all(axis=1)).tolist())
        some = frozenset(np.flatnonzero(seen.any(axis=1)).tolist()) - always
        tree = family_tree(self._problem, always, some, self._limit)
        return FamilyCounts(self._problem, tree, self._limit)

    def _group(self, rows: DistinctRows, columns: IntArray, counter: FamilyCounts) -> RowGroup:
        states = np.ascontiguousarray(rows.states[:, columns])
        return RowGroup(columns, states, rows.weights[columns], counter, {})

    def _without(self, group: RowGroup, bad: BoolArray) -> RowGroup:
        """Leave out rows, and count what is observed whole."""
        columns = group.columns[~bad]
        states = np.ascontiguousarray(group.states[:, ~bad])
        weights = group.weights[~bad]
        seen = group.counter.observed_counts(states, weights)
        return RowGroup(columns, states, weights, group.counter, seen)
