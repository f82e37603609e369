"""Elimination in logs by maxima and sums, exact where it fits, else an upper bound by mini-buckets.

Bucket elimination (Dechter 1999, section 5), then the way back: of what is maximised, the variable
eliminated last takes its best state first. Where a bucket has more cells than are allowed it is
split; each part is eliminated on its own, which can only raise the result: a maximum of a sum is
at most the sum of maxima, a sum of products at most the product of norms (Dechter and Rish 2003,
Liu and Ihler 2011). Before that the parts are made equal on what they share, which lowers the bound
and makes it exact as soon as all else is settled (moment matching, Ihler et al. 2012).
Everything is a sum of logs: nothing underflows, and the log of 0 is -inf and stays so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.bucket_plan import Bucket, BucketPlan, Scope

Number = TypeVar("Number", bound=np.generic)
#: A function of a scope for some rows: array (*scope, n), or (*scope, 1) if it is the same for all.
Message = tuple[Scope, FloatArray]
#: A table of logs and its variables.
LogTable = tuple[Scope, FloatArray]


@dataclass(frozen=True, eq=False)
class Solved:
    """Bounds and assignments of n rows.

    Attributes
    ----------
    bound : array (n,)
        At least the log of the maximum of the sum; equal where no bucket is split.
    states : intp array (n, V)
        A good assignment of what is maximised, the best where the bound is exact. Ties go to the
        first state; what is summed keeps its entry.
    gaps : array (n, V)
        What splitting the bucket of a variable adds to the bound at this assignment.
    """

    bound: FloatArray
    states: IntArray
    gaps: FloatArray


@dataclass(frozen=True, eq=False)
class Given:
    """Tables with what n rows observe put in.

    Attributes
    ----------
    messages : tuple of array (*scope, n or 1)
    unary : array (V, S, n)
        Sum of all functions of one variable; -inf beyond its states.
    constant : array (n,)
        Sum of what depends on nothing.
    """

    messages: tuple[FloatArray, ...]
    unary: FloatArray
    constant: FloatArray

    def take(self, rows: IntArray) -> Given:
        """Return some rows; a row alone stands for as many as are asked."""
        few = tuple(one if one.shape[-1] == 1 else one[..., rows] for one in self.messages)
        return Given(few, self.unary[..., rows], self.constant[rows])

    def value(self, plan: BucketPlan, states: IntArray) -> FloatArray:
        """Sum of all functions at assignments (n, V) of what is not observed, array (n,)."""
        rows = np.arange(len(states)) % len(self.constant)
        at = plan.maximised
        total: FloatArray = self.constant[rows] + self.unary[at, states[:, at], rows[:, None]].sum(
            1
        )
        for scope, message in zip(plan.scopes, self.messages, strict=True):
            if len(scope) > 1:
                row = rows if message.shape[-1] > 1 else 0
                total += message[(*(states[:, v] for v in scope), row)]
        return total


def given(
    tables: Sequence[LogTable], plan: BucketPlan, states: IntArray, soft: dict[int, FloatArray]
) -> Given:
    """Put in what rows observe.

    Parameters
    ----------
    tables : sequence of (scope, array)
        Logs; those that ``plan`` was made for.
    plan : BucketPlan
    states : intp array (n, V)
    soft : dict of int to array (S, n)
        Log likelihoods.
    """
    cards = np.array(plan.cards)
    beyond = np.arange(cards.max(initial=1)) >= cards[:, None]
    unary = np.repeat(np.where(beyond, -np.inf, 0.0)[..., None], len(states), axis=2)
    constant = np.zeros(len(states))
    free = set(plan.maximised.tolist()) | set(plan.loose_summed.tolist()) | set(plan.order)
    messages = []
    for scope, table in tables:
        left, values = _sliced(scope, table, states, free)
        if not left:
            constant += values
        elif len(left) == 1:
            unary[left[0], : len(values)] += values
        messages.append(values if len(left) > 1 else np.zeros(1))
    for v, values in soft.items():
        if v in free:
            unary[v, : len(values)] += values
        else:
            constant += values[states[:, v], np.arange(len(states))]
    return Given(tuple(messages), unary, constant)


def solved(
    plan: BucketPlan,
    tables: Given,
    states: IntArray,
    unary: FloatArray,
    walls: FloatArray | None = None,
) -> Solved:
    """Eliminate, and find an assignment on the way back.

    Parameters
    ----------
    plan : BucketPlan
    tables : Given
    states : intp array (n, V)
        What is observed.
    unary : array (V, S, n)
        Functions of one variable, those of ``tables`` among them.
    walls : array (V, S, n), optional
        -inf at states that a branch rules out, else 0; a part of ``unary`` too.
    """
    bound, result = tables.constant.copy(), states.copy()
    result[:, plan.loose] = unary[plan.loose].argmax(axis=1).T
    bound = bound + unary[plan.loose].max(axis=1, initial=-np.inf).sum(axis=0)
    bound += log_sum(unary[plan.loose_summed], (1,)).sum(axis=0)
    barred = set() if walls is None else set(np.flatnonzero(walls.any(axis=(1, 2))).tolist())
    messages = list(tables.messages)
    kept: list[list[FloatArray] | IntArray] = []
    for bucket in plan.buckets:
        v, several = bucket.variable, len(bucket.scopes) > 1
        totals: list[FloatArray] = []
        for scope, sources in zip(bucket.scopes, bucket.sources, strict=True):
            total = np.zeros((1,) * (len(scope) + 1))
            if not totals:
                total = _along(unary, v, scope, plan.cards)
            for i, axes, shape in sources:
                one = messages[i]
                total = total + one.transpose(axes).reshape(*shape, one.shape[-1])
            if several and walls is not None:
                for u in barred.intersection(scope):
                    total = total + _along(walls, u, scope, plan.cards)
            totals.append(total)
        if several:
            totals = _matched(bucket, totals)
        power = float(len(totals)) if bucket.summed else math.inf
        for scope, total in zip(bucket.scopes, totals, strict=True):
            message = _norm(total, power, (0,))
            if not scope[1:]:
                bound = bound + message
            messages.append(message)
        kept.append(totals if several or bucket.summed else totals[0].argmax(axis=0))
    gaps = _way_back(plan, kept, result)
    return Solved(bound, result, gaps)


def _way_back(
    plan: BucketPlan, kept: Sequence[list[FloatArray] | IntArray], result: IntArray
) -> FloatArray:
    """Choose states (n, V), what was eliminated last first; return the gaps (n, V)."""
    gaps = np.zeros(result.shape)
    for bucket, choice in zip(reversed(plan.buckets), reversed(kept), strict=True):
        if bucket.summed:
            continue
        v = bucket.variable
        if not isinstance(choice, list):
            result[:, v] = _at(bucket.scopes[0][1:], choice, result, whole=True)
            continue
        pairs = zip(bucket.scopes, choice, strict=True)
        parts = [_at(scope, part, result) for scope, part in pairs]
        together = sum(parts[1:], start=parts[0])
        result[:, v] = together.argmax(axis=0)
        with np.errstate(invalid="ignore"):
            gap = sum(part.max(axis=0) for part in parts) - together.max(axis=0)
        gaps[:, v] = np.nan_to_num(gap, nan=0.0, posinf=np.inf)
    return gaps


def _along(unary: FloatArray, v: int, scope: Scope, cards: Scope) -> FloatArray:
    """View a function of one variable with one axis for each of a scope."""
    shape = [cards[v] if u == v else 1 for u in scope]
    return unary[v, : cards[v]].reshape(*shape, -1)


def _at(
    scope: Scope, values: NDArray[Number], states: IntArray, whole: bool = False
) -> NDArray[Number]:
    """Pick from (S, *others, n) the states of the others: (S, n); (n,) if all are others."""
    others = scope if whole else scope[1:]
    row: IntArray | int = np.arange(len(states)) if values.shape[-1] > 1 else 0
    index = (*(states[:, u] for u in others), row)
    picked = values[index] if whole else values[(slice(None), *index)]
    if whole:
        return picked
    return np.broadcast_to(picked.reshape(len(values), -1), (len(values), len(states)))


def _matched(bucket: Bucket, totals: list[FloatArray]) -> list[FloatArray]:
    """Shift cost between the parts of a bucket until they are equal on all that they share."""
    shared = set.intersection(*map(set, bucket.scopes))
    count = len(totals)
    power = float(count) if bucket.summed else math.inf
    beliefs = []
    for scope, total in zip(bucket.scopes, totals, strict=True):
        others = tuple(axis for axis, u in enumerate(scope) if u not in shared)
        beliefs.append(_norm(total, power, others))
    # What is impossible to one part is so to all.
    possible = np.logical_and.reduce(np.broadcast_arrays(*(one > -np.inf for one in beliefs)))
    mean = sum(beliefs[1:], start=beliefs[0]) / count
    result = []
    for scope, total, belief in zip(bucket.scopes, totals, beliefs, strict=True):
        with np.errstate(invalid="ignore"):
            shift = np.where(possible, mean - belief, -np.inf)
        sizes = iter(shift.shape)
        shape = [next(sizes) if u in shared else 1 for u in scope]
        result.append(total + shift.reshape(*shape, shift.shape[-1]))
    return result


def _norm(total: FloatArray, power: float, axes: Scope) -> FloatArray:
    """Log of (sum of exp(total) ** power) ** (1 / power) over axes; the maximum if infinite."""
    if not axes:
        return total
    if math.isinf(power):
        top: FloatArray = total.max(axis=axes)
        return top
    return log_sum(total * power, axes) / power


def log_sum(values: FloatArray, axes: Scope) -> FloatArray:
    """Log of the sum of exp over axes; -inf of nothing but -inf."""
    top = values.max(axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isneginf(top), 0.0, top)
    with np.errstate(divide="ignore"):
        total: FloatArray = np.log(np.exp(values - top).sum(axis=axes, keepdims=True)) + top
    return total.squeeze(axis=axes)


def log_product(tables: Sequence[LogTable], states: IntArray) -> FloatArray:
    """Sum of the logs of all tables at complete assignments (n, V), array (n,)."""
    total = np.zeros(len(states))
    for scope, table in tables:
        total += table[tuple(states[:, v] for v in scope)]
    return total


def _sliced(scope: Scope, table: FloatArray, states: IntArray, free: set[int]) -> Message:
    """Pick the observed slice of a table for each row; the rows are the last axis."""
    if len(states) == 1:
        # Without a copy, and in a third of the time.
        row = states[0].tolist()
        picked = table[tuple(slice(None) if v in free else row[v] for v in scope)]
        return tuple(v for v in scope if v in free), picked[..., None]
    kept = [axis for axis, v in enumerate(scope) if v in free]
    taken = [axis for axis, v in enumerate(scope) if v not in free]
    left = tuple(scope[axis] for axis in kept)
    if not taken:
        return left, table[..., None]
    ordered = table.transpose(*taken, *kept)
    picked = ordered[tuple(states[:, scope[axis]] for axis in taken)]
    return left, np.moveaxis(picked, 0, -1)
