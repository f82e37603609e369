"""Tables that list only their non-zero rows, and how to join and project them.

Zeros are where a large network becomes a small one: the largest clique of `water` has 600,000
joint states, of which a few thousand are possible. Nothing here ever holds a dense table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.errors import BayesdxError
from bayesdx.inference.arrays import FloatArray, IntArray

ColumnArray = NDArray[np.int32]


class TooManyRows(BayesdxError):  # noqa: N818 - the name says what is the matter
    """A join would not fit in memory; becomes a refusal with the plan's estimate."""

    def __init__(self, rows: float) -> None:
        super().__init__(())
        self.rows = rows


@dataclass(frozen=True, eq=False)
class Relation:
    """R rows with a positive value each; every joint state that is not listed has value 0.

    Attributes
    ----------
    columns : mapping of int to int32 array (R,)
        State of each variable of the scope.
    values : array (R,)
    """

    columns: Mapping[int, ColumnArray]
    values: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: IntArray | NDArray[np.bool_]) -> Relation:
        """Return some rows."""
        return Relation({v: c[rows] for v, c in self.columns.items()}, self.values[rows])


UNIT = Relation({}, np.ones(1))


def from_table(scope: Sequence[int], table: FloatArray) -> Relation:
    """List the non-zero cells of a dense table with one axis a variable of the scope."""
    cells = np.flatnonzero(table)
    columns: dict[int, ColumnArray] = {}
    at = cells
    for v, size in zip(reversed(scope), reversed(table.shape), strict=True):
        at, state = np.divmod(at, size)
        columns[v] = state.astype(np.int32)
    return Relation(columns, table.ravel()[cells])


def codes(relation: Relation, scope: Sequence[int], cards: Sequence[int]) -> IntArray:
    """Mixed-radix number of each row's joint state of ``scope``, its first variable slowest."""
    result = np.zeros(len(relation), dtype=np.intp)
    for v in scope:
        result *= cards[v]
        result += relation.columns[v]
    return result


def distinct(code: IntArray, space: float) -> tuple[IntArray, IntArray]:
    """Return the sorted distinct codes and, for each code, its place among them."""
    if space <= 4.0 * len(code) + 4096.0:
        place = np.zeros(int(space), dtype=np.intp)
        place[code] = 1
        unique = np.flatnonzero(place)
        place[unique] = np.arange(len(unique))
        return unique, place[code]
    unique, inverse = np.unique(code, return_inverse=True)
    return unique, inverse


def decode(code: IntArray, scope: Sequence[int], cards: Sequence[int]) -> dict[int, ColumnArray]:
    """Undo `codes`."""
    columns: dict[int, ColumnArray] = {}
    for v in reversed(scope):
        code, state = np.divmod(code, cards[v])
        columns[v] = state.astype(np.int32)
    return columns


def space_of(scope: Sequence[int], cards: Sequence[int]) -> float:
    """Number of joint states."""
    result = 1.0
    for v in scope:
        result *= cards[v]
    return result


def join(left: Relation, right: Relation, cards: Sequence[int], most: float) -> Relation:
    """Multiply two relations.

    Parameters
    ----------
    left, right : Relation
    cards : sequence of int
        States of every variable.
    most : float
        More rows than this are refused before they are made.

    Returns
    -------
    Relation
        Over the variables of both.

    Raises
    ------
    TooManyRows
    """
    shared = [v for v in right.columns if v in left.columns]
    space = space_of(shared, cards)
    mine, theirs = codes(left, shared, cards), codes(right, shared, cards)
    if space > 4.0 * (len(left) + len(right)) + 4096.0:
        _, both = distinct(np.concatenate([mine, theirs]), space)
        mine, theirs = both[: len(left)], both[len(left) :]
        space = float(both.max(initial=0) + 1)
    count = np.bincount(theirs, minlength=int(space))
    repeat = count[mine]
    total = float(repeat.sum())
    if total > most:
        raise TooManyRows(total)
    if len(shared) == len(right.columns):
        return _scaled(left, right, mine, theirs, repeat, int(space))
    order = np.argsort(theirs, kind="stable")
    start = np.cumsum(count) - count
    first = np.cumsum(repeat) - repeat
    at_left = np.repeat(np.arange(len(left)), repeat)
    at_right = order[np.arange(int(total)) - first[at_left] + start[mine[at_left]]]
    columns = {v: c[at_left] for v, c in left.columns.items()}
    for v, column in right.columns.items():
        if v not in columns:
            columns[v] = column[at_right]
    return Relation(columns, left.values[at_left] * right.values[at_right])


def _scaled(
    left: Relation, right: Relation, mine: IntArray, theirs: IntArray, repeat: IntArray, space: int
) -> Relation:
    """Multiply by a relation that brings no variable; each of its joint states is listed once."""
    factor = np.zeros(space)
    factor[theirs] = right.values
    if repeat.all():
        return Relation(left.columns, left.values * factor[mine])
    kept = left.take(repeat > 0)
    return Relation(kept.columns, kept.values * factor[mine[repeat > 0]])


def join_all(relations: Sequence[Relation], cards: Sequence[int], most: float) -> Relation:
    """Multiply relations, the one that widens the result least first; see `join`."""
    left = sorted(relations, key=lambda r: (-len(r.columns), len(r)))
    if not left:
        return UNIT
    result, waiting, width = left[0], list(range(1, len(left))), -1
    while waiting:
        if len(result.columns) != width:
            # What a join adds is another only where there are more columns; the next is at the end.
            width = len(result.columns)
            growth = {i: _growth(result, left[i], cards) for i in waiting}
            waiting.sort(key=lambda i: (growth[i], i), reverse=True)
        result = join(result, left[waiting.pop()], cards, most)
    return result


def _growth(have: Relation, other: Relation, cards: Sequence[int]) -> float:
    """Rows per row that a join is expected to make."""
    shared = space_of([v for v in other.columns if v in have.columns], cards)
    return len(other) / shared


def matching(
    relation: Relation, scope: Sequence[int], wanted: IntArray, cards: Sequence[int]
) -> NDArray[np.bool_]:
    """Whether each row's joint state of ``scope`` is among the sorted codes ``wanted``."""
    code = codes(relation, scope, cards)
    place = np.searchsorted(wanted, code)
    place[place == len(wanted)] = 0
    found: NDArray[np.bool_] = wanted[place] == code if len(wanted) else np.zeros(len(code), bool)
    return found
