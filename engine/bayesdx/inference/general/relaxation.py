"""What lies above a product of tables and wide families, solved for many branches at once.

With a straight line in place of each wide noisy family the rest is a product of small tables; where
their elimination has buckets that are too large, these are split (`mini_buckets`). Both lie above
what they stand for: the optimum is a bound, and what its assignment is truly worth a candidate.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.general.bounding import Lines, WideFamilies
from bayesdx.inference.general.bucket_plan import BucketPlan
from bayesdx.inference.general.mini_buckets import (
    Given,
    LogTable,
    given,
    log_product,
    solved,
)

#: What a bound must exceed the best known by, to be looked into: the last digits are rounding.
EXACT = 1e-12


@dataclass(frozen=True, eq=False)
class Factored:
    """A network as logs of small tables and wide families.

    Attributes
    ----------
    cards : tuple of int
        States of all variables, auxiliary ones after those of the network.
    tables : tuple of (scope, array)
    families : tuple of WideFamilies
        Of variables that are maximised or observed.
    """

    cards: tuple[int, ...]
    tables: tuple[LogTable, ...]
    families: tuple[WideFamilies, ...]

    def log_value(
        self, inside: BucketPlan | None, states: IntArray, soft: dict[int, FloatArray]
    ) -> FloatArray:
        """Natural log of P of assignments (n, V) of all that is maximised, array (n,).

        ``inside`` is the plan of what is summed, if anything is; ``soft`` has an entry for each of
        the n.
        """
        if inside is None:
            total = log_product(self.tables, states)
            for v, values in soft.items():
                total += values[states[:, v], np.arange(len(states))]
        else:
            tables = given(self.tables, inside, states, soft)
            total = solved(inside, tables, states, tables.unary).bound
        for block in self.families:
            log_p = block.log_values(block.active(states))
            total += at_states(log_p, states[:, block.child]).sum(axis=1)
        return total


def at_states(log_p: FloatArray, states: IntArray) -> FloatArray:
    """Pick from (S, n, F) the states (n, F)."""
    picked: FloatArray = np.take_along_axis(log_p, states[None], axis=0)[0]
    return picked


@dataclass(eq=False)
class Relaxed:
    """Relaxed answers of n branches.

    ``gaps`` (n, families) says how far each line is above its family at the assignment, ``splits``
    (n, V) what splitting the bucket of a variable adds.
    """

    states: IntArray
    bound: FloatArray
    value: FloatArray
    gaps: FloatArray
    splits: FloatArray
    lean: FloatArray


def may_gain(bound: FloatArray, value: FloatArray) -> NDArray[np.bool_]:
    """Whether a bound leaves room above a value."""
    least = np.where(np.isneginf(value), 0.0, value)
    result: NDArray[np.bool_] = (bound > value) & (bound > least + EXACT * (1.0 + np.abs(least)))
    return np.where(np.isneginf(value), bound > value, result)


class Relaxation:
    """Bounds of branches of rows that observe the same variables.

    Parameters
    ----------
    factored : Factored
    plan : BucketPlan
        Of the tables.
    inside : BucketPlan, optional
        Of what is summed, where all else is settled.
    states : intp array (n, V)
        -1 where nothing is observed.
    soft : dict of int to array (S, n)
        Log likelihoods.
    further : bool
        Whether more than the best assignment is wanted: then children on which nothing depends are
        branched on too.
    """

    def __init__(
        self,
        factored: Factored,
        plan: BucketPlan,
        inside: BucketPlan | None,
        states: IntArray,
        soft: dict[int, FloatArray],
        *,
        further: bool,
    ) -> None:
        self.factored, self.plan, self.inside = factored, plan, inside
        self.states, self.soft, self.deadline = states, soft, np.inf
        self.tables = given(factored.tables, plan, states, soft)
        busy = {v for scope, _ in factored.tables for v in scope} | soft.keys()
        busy.update(*(block.parents[block.real].tolist() for block in factored.families))
        # A child that nothing else depends on takes its best state whatever the parents are.
        self.private = [
            np.array([child not in busy for child in block.child.tolist()])
            for block in factored.families
        ]
        blocks = enumerate(factored.families)
        self.members = [(block, f) for _, block in blocks for f in range(len(block))]
        self.raising = np.zeros(len(factored.cards), dtype=bool)
        for block in factored.families:
            self.raising[block.parents[block.real]] = True
        self.branching = np.zeros(len(factored.cards), dtype=bool)
        self.branching[plan.maximised] = True
        self.raising &= self.branching
        self.links = [_ByParent(block) for block in factored.families]
        if not further:
            for block, private in zip(factored.families, self.private, strict=True):
                self.branching[block.child[private]] = False

    @property
    def late(self) -> bool:
        """Whether the time of a case is over."""
        return time.monotonic() >= self.deadline

    def relaxed(
        self,
        fixed: IntArray,
        rows: IntArray,
        lean: FloatArray,
        steps: int,
        tables: Given,
        late: int = 0,
        enough: float = -np.inf,
    ) -> Relaxed:
        """Lower the bounds of n branches step by step; ``lean`` (n, V) is where to begin.

        The lines touch where the mean of all assignments found so far lies (Frank and Wolfe 1956):
        of the relaxation that is the best place. Branches below ``enough`` are left as they are.
        """
        result = self.solve(fixed, rows, lean, tables)
        left = np.arange(len(fixed))
        latest = result
        for step in range(steps - 1):
            active = (latest.states == 1).astype(np.float64)
            lean = result.lean[left]
            result.lean[left] = lean + (active - lean) * (2.0 / (step + late + 2.0))
            room = may_gain(result.bound[left], result.value[left])
            if np.isfinite(enough):
                room &= may_gain(result.bound[left], np.full(len(left), enough))
            if not self.factored.families or not room.any() or self.late:
                break
            left = left[room]
            own = tables if len(tables.constant) == 1 else tables.take(left)
            latest = self.solve(fixed[left], rows[left], result.lean[left], own)
            better = latest.value > result.value[left]
            result.states[left[better]] = latest.states[better]
            result.value[left] = np.maximum(result.value[left], latest.value)
            result.bound[left] = np.minimum(result.bound[left], latest.bound)
            result.gaps[left], result.splits[left] = latest.gaps, latest.splits
        return result

    def solve(self, fixed: IntArray, rows: IntArray, lean: FloatArray, tables: Given) -> Relaxed:
        """Best assignments under lines that are good near ``lean``; rows say whose branches."""
        factored = self.factored
        lines = [block.lines(fixed, lean) for block in factored.families]
        unary, walls = self._unary(fixed, rows, lines, tables)
        found = solved(self.plan, tables, fixed, unary, walls)
        states, splits = found.states, found.gaps
        bound = np.broadcast_to(found.bound, len(fixed)).copy()
        summed = self.inside is not None
        value = np.zeros(len(fixed)) if summed else tables.value(self.plan, states)
        value[((fixed >= 0) & (states != fixed)).any(axis=1)] = -np.inf
        gaps: list[FloatArray] = []
        for block, private, (base, slope) in zip(
            factored.families, self.private, lines, strict=True
        ):
            active = block.active(states)
            log_p = block.log_values(active)
            seen = fixed[:, block.child]
            state = np.where(private & (seen < 0), log_p.argmax(axis=0), states[:, block.child])
            states[:, block.child] = state
            worth = at_states(log_p, state)
            open_ = active & (fixed[:, block.parents] < 0)
            line = base + np.where(open_, slope, 0.0).sum(axis=-1)
            with np.errstate(invalid="ignore"):
                gaps.append(np.nan_to_num(line - worth, nan=0.0, posinf=np.inf))
            bound += base.sum(axis=1)
            value += worth.sum(axis=1)
        if self.inside is not None:
            soft = {v: values[:, rows] for v, values in self.soft.items()}
            value = factored.log_value(self.inside, states, soft)
        width = np.concatenate([np.zeros((len(fixed), 0)), *gaps], axis=1)
        return Relaxed(states, bound, value, width, splits, lean.copy())

    def _unary(
        self, fixed: IntArray, rows: IntArray, lines: Sequence[Lines], tables: Given
    ) -> tuple[FloatArray, FloatArray | None]:
        """Functions of one variable, slopes of all lines among them, walls round what is settled.

        The walls alone as well, if any bucket is split.
        """
        unary = np.repeat(tables.unary, len(fixed) // tables.unary.shape[-1], axis=-1)
        steps = np.zeros((fixed.shape[1], len(fixed)))
        for links, (_, slope) in zip(self.links, lines, strict=True):
            links.add(slope, steps)
        unary[self.raising, 1] += np.where(fixed.T < 0, steps, 0.0)[self.raising]
        settled = self.branching & ((fixed >= 0) & (self.states[rows] < 0)).any(axis=0)
        if not settled.any():
            return unary, None
        which = np.flatnonzero(settled)
        at = fixed[:, which].T[:, None]
        wall = np.where((at >= 0) & (np.arange(unary.shape[1])[:, None] != at), -np.inf, 0.0)
        unary[which] += wall
        if self.plan.exact:
            return unary, None
        walls = np.zeros(unary.shape)
        walls[which] = wall
        return unary, walls

    def _chosen(self, fixed: IntArray, found: Relaxed, i: int) -> int:
        """A variable to be tried in every state, of what is bounded worst; -1 if none is open."""
        gaps, lean = found.gaps[i], found.lean[i]
        splits = np.where(self.branching & (fixed < 0), found.splits[i], -1.0)
        most = int(splits.argmax())
        for at in np.argsort(-gaps, kind="stable").tolist():
            if not gaps[at] > 0.0 or splits[most] >= gaps[at]:
                break
            block, f = self.members[at]
            parents = block.parents[f][block.real[f]]
            open_ = (fixed[parents] < 0) & self.branching[parents]
            if fixed[block.child[f]] < 0 and self.branching[block.child[f]]:
                return int(block.child[f])
            if open_.any():
                weight = np.minimum(block.below[0, f] + block.guard[f], 1e3)[block.real[f]]
                undecided = 0.01 + np.minimum(lean[parents], 1.0 - lean[parents])
                return int(parents[np.where(open_, weight * undecided, -1.0).argmax()])
        if splits[most] > 0.0:
            return most
        for v in (*reversed(self.plan.order), *np.flatnonzero(self.branching).tolist()):
            if self.branching[v] and fixed[v] < 0:
                return int(v)
        return -1


class _ByParent:
    """Adds up by parent what F families of P parents each give their parents."""

    def __init__(self, block: WideFamilies) -> None:
        parents = block.parents[block.real]
        self.place = np.flatnonzero(block.real.ravel())[np.argsort(parents, kind="stable")]
        self.who, self.starts = np.unique(np.sort(parents), return_index=True)

    def add(self, slope: FloatArray, steps: FloatArray) -> None:
        """Add slopes (n, F, P) to (V, n)."""
        flat = slope.reshape(len(slope), -1)[:, self.place]
        steps[self.who] += np.add.reduceat(flat, self.starts, axis=1).T
