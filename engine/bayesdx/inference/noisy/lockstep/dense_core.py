"""The core of one case with a large frontier: dense arrays, and memory bounded before it is taken.

Cases whose frontiers are large gain nothing from advancing with others. Their frontier is one array
with a dimension an axis, and is read without an index. What the way back needs is computed again
from checkpoints (recursive bisection of the steps, as in Griewank 1992): besides one frontier a
level no more than `KEPT` components are held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.noisy.lockstep.core_cases import CoreCases
from bayesdx.inference.noisy.lockstep.production import (
    Production,
    idle_effect,
    spared_by_others,
)
from bayesdx.inference.noisy.lockstep.workspace import Shares, divided
from bayesdx.inference.noisy.operator import (
    Action,
    apply_cause,
    dot,
    effect_of,
    floored,
    pull_active,
    sum_axis,
)

#: Components of frontiers that are kept for the way back.
KEPT = 1 << 24
#: Components that a cause is applied to at a time, so that they stay in cache.
_TILE = 1 << 15

Axes = tuple[int, ...]
Index = tuple[slice | int, ...]


@dataclass(frozen=True)
class DenseStep:
    """One cause. Axes are positions of the core, in the order of the array's dimensions.

    Attributes
    ----------
    cause : int
    opened : tuple of int
        Axes before the step.
    fresh, touched : tuples of int
        Evidence the cause acts on that opens here, and that was open.
    fresh_risks, rest : tuples of int
        Risks that open here; all other open axes.
    ends : tuple of int
        Axes that close after the cause.
    size : int
        Components while the cause acts.
    """

    cause: int
    opened: Axes
    fresh: Axes
    touched: Axes
    fresh_risks: Axes
    rest: Axes
    ends: Axes
    size: int

    @property
    def acted(self) -> Axes:
        """Evidence that the cause acts on."""
        return self.fresh + self.touched

    @property
    def others(self) -> Axes:
        """Axes along which at most the weights of the cause vary."""
        return self.fresh_risks + self.rest


def dense_steps(cases: CoreCases) -> list[DenseStep]:
    """List the steps of the only case of ``cases``."""
    core = cases.core
    widths, evidence = core.widths[0].tolist(), int(core.evidence[0])
    opened: Axes = ()
    steps = []
    for g in range(int(core.n_steps[0])):
        mask, new, last = (int(words[g, 0]) for words in (core.masks, core.new, core.closing))
        touched = tuple(p for p in opened if mask & evidence & 1 << p)
        fresh, fresh_risks = _positions(new & evidence), _positions(new & ~evidence)
        rest = tuple(p for p in opened if p not in touched)
        axes = fresh + touched + fresh_risks + rest
        size = math.prod(widths[p] for p in axes)
        cause, ends = int(core.causes[g, 0]), _positions(last)
        steps.append(DenseStep(cause, opened, fresh, touched, fresh_risks, rest, ends, size))
        opened = tuple(p for p in axes if p not in ends)
    return steps


def _positions(word: int) -> Axes:
    return tuple(p for p in range(word.bit_length()) if word >> p & 1)


class DenseSweep:
    """Workspace of one case.

    Parameters
    ----------
    cases : CoreCases
        Of one case.
    """

    def __init__(self, cases: CoreCases) -> None:
        self.cases = cases
        self.steps = dense_steps(cases)
        self.widths: list[int] = cases.core.widths[0].tolist()
        self.row = int(cases.core.rows[0])

    def evidence(self) -> float:
        """Sum the core out."""
        return float(self._forward(0, len(self.steps), np.ones(())))

    def fill(self, unit: float, shares: Shares) -> None:
        """Fill the shares of the core's causes and axes; ``unit`` is 1 over its evidence."""
        self._back(0, len(self.steps), np.ones(()), np.full((), unit), shares)

    def _forward(self, first: int, last: int, values: FloatArray) -> FloatArray:
        for step in self.steps[first:last]:
            values = self._close(step, self._act(step, self._open(step, values)))
        return values

    def _back(
        self, first: int, last: int, values: FloatArray, adjoint: FloatArray, shares: Shares
    ) -> FloatArray:
        """Pull ``adjoint``, of what step ``last - 1`` gives, back to ``values``, before ``first``.

        Both halves of what is too much to keep are gone through again, the later one first.
        """
        sizes = np.cumsum([step.size for step in self.steps[first:last]])
        if sizes[-1] > KEPT and last - first > 1:
            middle = first + max(1, int((sizes <= sizes[-1] / 2).sum()))
            checkpoint = self._forward(first, middle, values)
            adjoint = self._back(middle, last, checkpoint, adjoint, shares)
            del checkpoint
            return self._back(first, middle, values, adjoint, shares)
        kept = [self._open(self.steps[first], values)]
        for last_step, step in pairwise(self.steps[first:last]):
            values = self._close(last_step, self._act(last_step, kept[-1]))
            kept.append(self._open(step, values))
        for step in reversed(self.steps[first:last]):
            adjoint = self._pull(step, kept.pop(), adjoint, shares)
        return adjoint

    def _shape(self, axes: Axes) -> list[int]:
        return [self.widths[p] for p in axes]

    def _start(self, position: int) -> FloatArray:
        """Components of an axis when it opens; component 0 of evidence is 1."""
        start: FloatArray = self.cases.vectors[0, position, : self.widths[position]]
        return start

    def _opening(self, step: DenseStep) -> FloatArray:
        """Joint components of the evidence that opens."""
        start = np.ones(())
        for p in step.fresh:
            start = np.multiply.outer(start, self._start(p))
        return start

    def _open(self, step: DenseStep, values: FloatArray) -> FloatArray:
        """Return the frontier that the cause acts on, (sizes of what it acts on …, R)."""
        values = values.transpose([step.opened.index(p) for p in step.touched + step.rest])
        at, start = len(step.touched), self._opening(step)
        ones = (1,) * len(step.fresh_risks)
        values = values.reshape((*values.shape[:at], *ones, *values.shape[at:]))
        before = np.empty(self._shape(step.acted + step.others))
        np.multiply(start.reshape((*start.shape, *(1,) * values.ndim)), values, out=before)
        return before.reshape(*self._shape(step.acted), -1)

    def _entries(self, step: DenseStep) -> IntArray:
        """Entry of the cause's table at each of the R components."""
        entry = np.full((1,) * len(step.others), self.cases.model.prior_offset[step.cause])
        case, cause = np.zeros(len(step.others), dtype=np.intp), np.array(step.cause)
        strides = self.cases.table_strides(case, np.array(step.others, dtype=np.intp), cause)
        for i, stride in enumerate(strides.tolist()):
            if stride:
                states = stride * np.arange(self.widths[step.others[i]])
                entry = entry + states.reshape((-1, *(1,) * (len(step.others) - 1 - i)))
        return entry

    def _action(self, step: DenseStep) -> Action:
        cases, positions = self.cases, list(step.acted)
        axes, axis, cause = cases.model.axes, cases.axis[0, positions], np.array(step.cause)
        entries, shape = self._entries(step), self._shape(step.others)
        active, inactive = (
            np.broadcast_to(table[0][entries], shape).reshape(-1)
            for table in (cases.active, cases.inactive)
        )
        effects = (
            (i, effect_of(axes, axis[i], cause, cases.present[0, p]))
            for i, p in enumerate(positions)
        )
        return Action(tuple(effects), active, inactive)

    def _tiles(self, step: DenseStep, action: Action) -> Iterator[tuple[slice, Action]]:
        size = max(64, _TILE // math.prod(self._shape(step.acted)))
        for first in range(0, len(action.active), size):
            tile = slice(first, first + size)
            yield tile, Action(action.effects, action.active[tile], action.inactive[tile])

    def _act(self, step: DenseStep, before: FloatArray) -> FloatArray:
        after = np.empty_like(before)
        for tile, action in self._tiles(step, self._action(step)):
            after[..., tile] = apply_cause(before[..., tile], action)
        return after

    def _terms(self, step: DenseStep) -> list[tuple[Axes, Index, float]]:
        """What is summed where axes close: their states, where these lie, and their weight.

        Of evidence, what is explained; of risks, all states by their probability.
        """
        choices: list[list[tuple[int, float]]] = []
        for p in step.ends:
            if self._is_risk(p):
                choices.append(list(enumerate(self._start(p).tolist())))
            else:
                choices.append([(1, 1.0), (2, 1.0)] if self.widths[p] > 2 else [(1, 1.0)])
        terms = []
        for chosen in product(*choices):
            state = dict(zip(step.ends, (s for s, _ in chosen), strict=True))
            index = tuple(state.get(p, slice(None)) for p in step.acted + step.others)
            terms.append((tuple(state.values()), index, math.prod(w for _, w in chosen)))
        return terms

    def _close(self, step: DenseStep, after: FloatArray) -> FloatArray:
        values = after.reshape(self._shape(step.acted + step.others))
        (_, index, weight), *terms = self._terms(step)
        total = values[index] * weight if weight != 1.0 else values[index]
        for _, index, weight in terms:
            total = total + values[index] * weight
        return total

    def _unclose(
        self, step: DenseStep, before: FloatArray, adjoint: FloatArray, shares: Shares
    ) -> FloatArray:
        """Transpose of `_close`; notes the shares of the states of risks."""
        wide = np.zeros(self._shape(step.acted + step.others))
        risks = [p for p in step.ends if self._is_risk(p)]
        after = self._act(step, before).reshape(wide.shape) if risks else wide
        share = {p: np.zeros(shares.vectors.shape[2]) for p in risks}
        for states, index, weight in self._terms(step):
            wide[index] = adjoint * weight
            if risks:
                mass = float((wide[index] * after[index]).sum())
                for p, state in zip(step.ends, states, strict=True):
                    if p in share:
                        share[p][state] += mass
        for p, by_state in share.items():
            shares.vectors[self.row, self.cases.core.slots[0, p]] = by_state
        return wide.reshape(before.shape)

    def _is_risk(self, position: int) -> bool:
        return not int(self.cases.core.evidence[0]) >> position & 1

    def _pull(
        self, step: DenseStep, before: FloatArray, adjoint: FloatArray, shares: Shares
    ) -> FloatArray:
        """Pull the adjoint back through a step; note the shares."""
        adjoint = self._unclose(step, before, adjoint, shares)
        on, off = np.empty(before.shape[-1]), np.empty(before.shape[-1])
        whole, made = self._action(step), shares.production
        if made is not None:
            whole = replace(whole, effects=tuple((t, floored(own)) for t, own in whole.effects))
        split = np.zeros(1 + len(step.acted))
        for tile, action in self._tiles(step, whole):
            own = np.ascontiguousarray(adjoint[..., tile])
            pulled, without = pull_active(own, action), dot(own, before[..., tile])
            on[tile] = action.active * dot(pulled, before[..., tile])
            off[tile] = action.inactive * without
            if made is not None:
                split += self._split(step, action, before[..., tile], (own, pulled, without), made)
            adjoint[..., tile] = pulled * action.active + own * action.inactive
        if made is not None:
            self._credit(step, split, float(on.sum()), made)
        shares.on[self.row, step.cause], shares.off[self.row, step.cause] = on.sum(), off.sum()
        if len(shares.by_present):
            width = shares.by_present.shape[1]
            entries = np.broadcast_to(self._entries(step), self._shape(step.others)).reshape(-1)
            shares.by_present[self.row] += np.bincount(entries, on, width)
            shares.by_absent[self.row] += np.bincount(entries, off, width)
        return self._unopen(step, before, adjoint, shares)

    def _symptoms(self, step: DenseStep, made: Production) -> FloatArray:
        """Weights of what the cause acts on, -1 where that is no symptom."""
        weights: FloatArray = made.weight[self.row, self.cases.core.slots[0, list(step.acted)]]
        return weights

    def _split(
        self,
        step: DenseStep,
        action: Action,
        before: FloatArray,
        back: tuple[FloatArray, FloatArray, FloatArray],
        made: Production,
    ) -> FloatArray:
        """What the cause leaves idle, and what others spare of each axis, of some components."""
        adjoint, pulled, without = back
        symptoms = self._symptoms(step, made) >= 0.0
        lowered = any(bool(own.leak_gain) for _, own in action.effects)
        idle = [idle_effect(own, bool(symptoms[t])) for t, own in action.effects]
        if lowered or not symptoms.all():
            effects = tuple((t, own) for t, (own, _) in enumerate(idle))
            without = dot(pull_active(adjoint, replace(action, effects=effects)), before)
        factor = math.prod(float(kept) for _, kept in idle)
        spared = [
            (action.active * spared_by_others(before, pulled, t, own, share)).sum()
            for (t, own), share in zip(
                action.effects, self.cases.present[0, list(step.acted)], strict=True
            )
        ]
        return np.array([factor * (action.active * without).sum(), *spared])

    def _credit(
        self, step: DenseStep, split: FloatArray, posterior: float, made: Production
    ) -> None:
        made.idle[self.row, step.cause] = made.left[self.row, step.cause] * split[0]
        at = (np.array([self.row]), np.array([step.cause]))
        axes = self.cases.axis[0, list(step.acted)]
        keep = self.cases.model.axes.keep[axes, step.cause]
        for weight, kept, spared in zip(
            self._symptoms(step, made)[:, None], keep[:, None], split[1:, None], strict=True
        ):
            made.credit(at, weight, kept, np.array([posterior]), spared)

    def _unopen(
        self, step: DenseStep, before: FloatArray, adjoint: FloatArray, shares: Shares
    ) -> FloatArray:
        """Transpose of `_open`; notes derivatives by the starts of evidence."""
        fresh, n_fresh = self._shape(step.fresh), len(step.fresh)
        by_start = np.array(
            [
                float((adjoint[joint] * before[joint]).sum())
                for joint in product(*(range(w) for w in fresh))
            ]
        ).reshape(fresh)
        for i, p in enumerate(step.fresh):
            others = tuple(j for j in range(n_fresh) if j != i)
            own, result = by_start.sum(axis=others), np.zeros(shares.vectors.shape[2])
            result[0], result[1 : len(own)] = own[0], divided(own[1:], self._start(p)[1:])
            if len(own) == 2:
                # Components 1 and 2 were summed before the axis opened.
                result[2] = result[1]
            shares.vectors[self.row, self.cases.core.slots[0, p]] = result
        start = self._opening(step)
        total = np.zeros(adjoint.shape[n_fresh:])
        for joint in product(*(range(w) for w in fresh)):
            total += adjoint[joint] * start[joint]
        total = total.reshape(self._shape(step.touched + step.fresh_risks + step.rest))
        for _ in step.fresh_risks:
            total = sum_axis(total, len(step.touched))
        kept = step.touched + step.rest
        return total.transpose([kept.index(p) for p in step.opened])
