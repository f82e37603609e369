"""One case under V sets of weights of its causes, forward and backward, in one pass.

Absent findings never couple causes: "this finding as well is absent" is the same case with other
weights. All such rows share the axes of the case, hence one order of work; they are the last,
contiguous axis of every array. The frontier keeps one array axis an open axis, so that a cause is
applied to the axes that it touches only, and an unobserved risk can be held at a state by its
start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import FloatArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.operator import component
from bayesdx.inference.noisy.single.column_plan import Act, ColumnPlan

#: Components computed together: few enough to stay in the cache of a core.
TILE = 1 << 17
#: Frontiers above this many components are left to the sweep.
MAX_COMPONENTS = 1 << 14


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of the causes of one case in V rows, evidence absorbed.

    Attributes
    ----------
    active, inactive : arrays (P, V)
        Weight of a cause being present and absent, one entry a joint state of its unobserved
        shared risks, laid out as `Problem.prior`.
    starts : mapping of slot to array (S, V)
        Start of an axis that differs between rows; all other axes start as the case does.
    """

    active: FloatArray
    inactive: FloatArray
    starts: dict[int, FloatArray]


def run_columns(
    problem: Problem, plan: ColumnPlan, weights: Weights
) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks in every row.

    Parameters
    ----------
    problem : Problem
        The case that the plan was made for, or another one with the same axes.
    plan : ColumnPlan
    weights : Weights
        Of V rows.

    Returns
    -------
    log_evidence : array (V,)
        ``-inf`` where a row is impossible.
    posterior : array (V, C)
        P(cause present | row); zero where it is impossible.
    """
    n_rows, n_causes = weights.active.shape[1], problem.on.shape[1]
    log_evidence, posterior = np.empty(n_rows), np.zeros((n_causes, n_rows))
    width = max(8, TILE // plan.length)
    ends = [*range(0, n_rows, width), n_rows]
    for first, last in pairwise(ends):
        tile = Weights(
            np.ascontiguousarray(weights.active[:, first:last]),
            np.ascontiguousarray(weights.inactive[:, first:last]),
            {slot: start[:, first:last] for slot, start in weights.starts.items()},
        )
        part = np.zeros((n_causes, last - first))
        log_evidence[first:last] = _Run(problem, plan, tile, part).answer()
        posterior[:, first:last] = part
    posterior[:, np.isneginf(log_evidence)] = 0.0
    # A certain cause may come out an ulp above 1.
    return log_evidence, np.minimum(posterior, 1.0).T


_Spread = tuple[FloatArray, FloatArray]


class _Run:
    """One pass over one tile of rows; ``posterior`` (C, V) is filled on the way back."""

    def __init__(
        self, problem: Problem, plan: ColumnPlan, weights: Weights, posterior: FloatArray
    ) -> None:
        self.problem, self.plan, self.weights, self.posterior = problem, plan, weights, posterior
        self.n_rows = weights.active.shape[1]
        self.starts = dict(weights.starts)

    def answer(self) -> FloatArray:
        """Fill the posteriors and return the log evidence (V,)."""
        plan, weights = self.plan, self.weights
        at = self.problem.prior_offset[plan.free]
        both = weights.active[at] + weights.inactive[at]
        self.posterior[plan.free] = _ratio(weights.active[at], both)
        folded = {slot: self._fold(slot, size, acts) for slot, size, acts in plan.singles}
        with np.errstate(divide="ignore"):
            log_evidence: FloatArray = self.problem.log_scale[0] + np.log(both).sum(axis=0)
            closed = {}
            for slot, size, risk in plan.isolated:
                closed[slot] = _close(self._start(slot, size), 0, risk)
                log_evidence = log_evidence + np.log(closed[slot])
            frontier, trace = self._forward()
            log_evidence = log_evidence + np.log(frontier)
        adjoints = self._backward(trace, _ratio(np.ones_like(frontier), frontier))
        risks = {slot: risk for slot, _, risk in plan.isolated}
        for slot, size, acts in plan.singles:
            if slot in adjoints:
                adjoint = adjoints[slot]
            else:
                unit = _ratio(np.ones(self.n_rows), closed[slot])
                adjoint = _open(unit, 0, size, risks[slot])
            self._pull(adjoint, acts, *folded[slot])
        return log_evidence

    def _start(self, slot: int, size: int) -> FloatArray:
        start = self.starts.get(slot)
        if start is None:
            start = np.repeat(self.problem.start[0, slot, :size, None], self.n_rows, axis=1)
        return start

    def _fold(
        self, slot: int, size: int, acts: tuple[Act, ...]
    ) -> tuple[list[FloatArray], list[_Spread]]:
        """Apply the causes that touch one axis alone to its start."""
        self.starts[slot], before, spread = self._apply(self._start(slot, size), acts)
        return before, spread

    def _apply(
        self, frontier: FloatArray, acts: tuple[Act, ...]
    ) -> tuple[FloatArray, list[FloatArray], list[_Spread]]:
        before, spread = [], []
        for act in acts:
            active, inactive = self._spread(act)
            before.append(frontier)
            spread.append((active, inactive))
            # In C order, so that what is split below is a view.
            on = np.multiply(frontier, active, order="C")
            for at, gain, keep, leak_gain, leak_keep in act.touched:
                view = _split(on, at)
                first = view[:, 1]
                first *= keep
                first += gain * view[:, 0]
                if view.shape[1] > 2:
                    leak, source = view[:, 2], view[:, 3]
                    leak *= leak_keep
                    leak += leak_gain * source
                    source *= keep
            frontier = np.multiply(frontier, inactive, order="C")
            frontier += on
        return frontier, before, spread

    def _spread(self, act: Act) -> _Spread:
        """Weights of a cause along the axes of the frontier."""
        active, inactive = self.weights.active[act.entries], self.weights.inactive[act.entries]
        if not act.risks:
            return active[0], inactive[0]
        shape = (*act.shape, self.n_rows)
        both = (active.reshape(*act.risks, -1), inactive.reshape(*act.risks, -1))
        one, other = (np.ascontiguousarray(x.transpose(act.order)).reshape(shape) for x in both)
        return one, other

    def _pull(
        self,
        adjoint: FloatArray,
        acts: tuple[Act, ...],
        before: list[FloatArray],
        spread: list[_Spread],
    ) -> FloatArray:
        """Pull an adjoint back through causes and note their posteriors."""
        backwards = zip(reversed(acts), reversed(before), reversed(spread), strict=True)
        for act, state, (active, inactive) in backwards:
            on = np.multiply(adjoint, active, order="C")
            for at, gain, keep, leak_gain, leak_keep in act.touched:
                view = _split(on, at)
                base, first = view[:, 0], view[:, 1]
                base += gain * first
                first *= keep
                if view.shape[1] > 2:
                    leak, source = view[:, 2], view[:, 3]
                    source *= keep
                    source += leak_gain * leak
                    leak *= leak_keep
            product = on * state
            self.posterior[act.cause] = product.reshape(-1, self.n_rows).sum(axis=0)
            adjoint = np.multiply(adjoint, inactive, order="C")
            adjoint += on
        return adjoint

    def _forward(self) -> tuple[FloatArray, list[_Trace]]:
        frontier: FloatArray = np.ones(self.n_rows)
        trace = []
        for stage in self.plan.stages:
            old, factors = frontier, []
            n_old = len(stage.sizes) - len(stage.new)
            for i, slot in enumerate(stage.new):
                size = stage.sizes[n_old + i]
                factor = self._start(slot, size)
                factors.append(factor)
                frontier = np.multiply(frontier[..., None, :], factor, order="C")
            frontier, before, spread = self._apply(frontier, stage.acts)
            trace.append(_Trace(old, factors, before, spread))
            for at, _, risk in stage.closing:
                frontier = _close(frontier, at, risk)
        return frontier, trace

    def _backward(self, trace: list[_Trace], unit: FloatArray) -> dict[int, FloatArray]:
        """Return the adjoint of the start of every axis that single causes were folded into."""
        adjoint = unit
        wanted = {slot for slot, _, _ in self.plan.singles}
        starts: dict[int, FloatArray] = {}
        for stage, step in zip(reversed(self.plan.stages), reversed(trace), strict=True):
            for at, size, risk in reversed(stage.closing):
                adjoint = _open(adjoint, at, size, risk)
            adjoint = self._pull(adjoint, stage.acts, step.before, step.spread)
            n_old = len(stage.sizes) - len(stage.new)
            for i, slot in enumerate(stage.new):
                if slot in wanted:
                    starts[slot] = self._start_adjoint(adjoint, step, n_old, i)
            for factor in reversed(step.factors):
                adjoint = (adjoint * factor).sum(axis=-2)
        return starts

    def _start_adjoint(
        self, adjoint: FloatArray, step: _Trace, n_old: int, chosen: int
    ) -> FloatArray:
        """Derivative by the start of one of the axes that a stage opened, (S, V)."""
        others = step.old
        for i, factor in enumerate(step.factors):
            others = others[..., None, :] * (factor if i != chosen else np.ones_like(factor))
        product = adjoint * others
        axes = tuple(i for i in range(product.ndim - 1) if i != n_old + chosen)
        result: FloatArray = product.sum(axis=axes)
        return result


@dataclass(frozen=True, eq=False)
class _Trace:
    """What the way back needs of one stage."""

    old: FloatArray
    factors: list[FloatArray]
    before: list[FloatArray]
    spread: list[_Spread]


def _split(array: FloatArray, at: int) -> FloatArray:
    """View a contiguous array as (before, the axis, all after it)."""
    shape = array.shape
    return array.reshape(math.prod(shape[:at]), shape[at], -1)


def _close(frontier: FloatArray, at: int, risk: bool) -> FloatArray:
    """Sum an axis out; of evidence the components that are its likelihood, never the fourth."""
    view = _split(frontier, at)
    summed: FloatArray
    if risk:
        summed = view.sum(axis=1)
    elif view.shape[1] > 2:
        summed = view[:, 1] + view[:, 2]
    else:
        summed = view[:, 1]
    return summed.reshape(*frontier.shape[:at], *frontier.shape[at + 1 :])


def _open(adjoint: FloatArray, at: int, size: int, risk: bool) -> FloatArray:
    """Pull an adjoint back through `_close`."""
    shape = (*adjoint.shape[:at], size, *adjoint.shape[at:])
    opened: NDArray[np.float64] = np.zeros(shape)
    if risk:
        opened[...] = np.expand_dims(adjoint, at)
    else:
        opened[component(at, 1)] = adjoint
        if size > 2:
            opened[component(at, 2)] = adjoint
    return opened


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0.0)
