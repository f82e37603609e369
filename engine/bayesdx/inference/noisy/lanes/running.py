"""The frontier sweep for one case under many parameter sets: one plan, a lane a set.

As in `bayesdx.inference.noisy.lockstep.sweep`, causes are summed out one at a time over the axes
that are open, and the adjoint of the evidence is pulled back through the same steps. All lanes have
one structure and advance together: the frontier is an array with an axis a finding or risk and the
lanes last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.noisy.lanes.order import Order, bits, find_order
from bayesdx.inference.noisy.lanes.problem import LaneProblem
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.inference.noisy.operator import component
from bayesdx.inference.noisy.ordering import MAX_LOG2_FRONTIER

#: Components of a frontier that are computed together, lanes counted.
_AT_ONCE = 1 << 17
_FEWEST_LANES, _MOST_LANES = 64, 1024


@dataclass(frozen=True)
class Touch:
    """A cause acting on a finding's axis: which, where in the frontier, the row of its links."""

    axis: int
    place: int
    row: int


@dataclass(frozen=True)
class Step:
    """One cause: axes opened before it, in front of the others; axes closed after it, by place.

    ``places`` are those of its risks in the frontier, in the order of its table; ``ndim`` counts
    the open axes.
    """

    cause: int
    opens: tuple[int, ...]
    touches: tuple[Touch, ...]
    places: tuple[int, ...]
    ndim: int
    closes: tuple[tuple[int, int], ...]  #: (axis, place), the last place first


@dataclass(frozen=True)
class LanePlan:
    """Order of work for one structure.

    Attributes
    ----------
    singles : tuple of (axis, steps)
        Causes that act on one axis alone are applied to its start.
    steps : tuple of Step
    isolated : tuple of int
        Axes that no step opens.
    free : tuple of int
        Causes without axes.
    work, widest : float
        See `lane_order.Order`.
    """

    singles: tuple[tuple[int, tuple[Step, ...]], ...]
    steps: tuple[Step, ...]
    isolated: tuple[int, ...]
    free: tuple[int, ...]
    work: float
    widest: float


@dataclass(frozen=True)
class LaneStructure:
    """What an order depends on.

    Axes are numbered: first those of evidence, then the risks.

    Attributes
    ----------
    masks : tuple of int
        Axes of each cause, a bit an axis.
    sizes : tuple of int
        States of each axis.
    """

    masks: tuple[int, ...]
    sizes: tuple[int, ...]

    def order(self, tries: int) -> Order:
        """Order the causes that act on several axes; numbers are positions among those."""
        return find_order([mask for mask in self.masks if mask.bit_count() > 1], self.sizes, tries)


def plan_lanes(problem: LaneProblem, tries: int) -> LanePlan:
    """Choose the order of work.

    Raises
    ------
    BayesdxError
        If the frontier would be too large.
    """
    structure, rows = _structure(problem)
    masks = structure.masks
    grouped = [c for c, mask in enumerate(masks) if mask.bit_count() > 1]
    order = structure.order(tries)
    if order.widest > 2.0**MAX_LOG2_FRONTIER:
        expected = f"a frontier of at most 2^{MAX_LOG2_FRONTIER:g} components"
        raise BayesdxError(Fault("case", expected, Phrase(f"{order.widest:.3g} components")))
    sequence = [grouped[at] for at in order.causes]
    singles: dict[int, list[Step]] = {}
    for c, mask in enumerate(masks):
        if mask.bit_count() == 1:
            (axis,) = bits(mask)
            singles.setdefault(axis, []).append(_step(problem, rows, c, (), [axis], ()))
    touched = 0
    for c in sequence:
        touched |= masks[c]
    return LanePlan(
        singles=tuple((axis, tuple(steps)) for axis, steps in singles.items()),
        steps=_steps(problem, masks, rows, sequence),
        isolated=tuple(axis for axis in range(len(structure.sizes)) if not touched >> axis & 1),
        free=tuple(c for c, mask in enumerate(masks) if mask == 0),
        work=order.work,
        widest=order.widest,
    )


_Rows = list[dict[int, int]]


def _structure(problem: LaneProblem) -> tuple[LaneStructure, _Rows]:
    """Return the structure, and the row of each cause's links on each axis of evidence."""
    first = len(problem.axes)
    masks = [sum(1 << first + r for r in own) for own in problem.parents]
    rows: _Rows = [{} for _ in masks]
    for at, axis in enumerate(problem.axes):
        for row, c in enumerate(axis.causes.tolist()):
            masks[c] |= 1 << at
            rows[c][at] = row
    sizes = [len(axis.start) for axis in problem.axes]
    sizes += [len(start) for start in problem.risk_starts]
    return LaneStructure(tuple(masks), tuple(sizes)), rows


def _steps(
    problem: LaneProblem, masks: tuple[int, ...], rows: _Rows, sequence: list[int]
) -> tuple[Step, ...]:
    last = {axis: n for n, c in enumerate(sequence) for axis in bits(masks[c])}
    steps: list[Step] = []
    opened: list[int] = []
    for n, c in enumerate(sequence):
        new = [axis for axis in bits(masks[c]) if axis not in opened]
        opened = new[::-1] + opened
        closing = [axis for axis in bits(masks[c]) if last[axis] == n]
        places = sorted(((opened.index(axis), axis) for axis in closing), reverse=True)
        ends = tuple((axis, place) for place, axis in places)
        steps.append(_step(problem, rows, c, tuple(new), opened, ends))
        opened = [axis for axis in opened if axis not in closing]
    return tuple(steps)


def _step(
    problem: LaneProblem,
    rows: _Rows,
    cause: int,
    opens: tuple[int, ...],
    opened: list[int],
    closes: tuple[tuple[int, int], ...],
) -> Step:
    first = len(problem.axes)
    return Step(
        cause=cause,
        opens=opens,
        touches=tuple(Touch(axis, opened.index(axis), row) for axis, row in rows[cause].items()),
        places=tuple(opened.index(first + r) for r in problem.parents[cause]),
        ndim=len(opened),
        closes=closes,
    )


def run_lanes(problem: LaneProblem, plan: LanePlan) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks in every lane.

    Returns
    -------
    log_evidence : array (D,)
        ``-inf`` where the evidence is impossible.
    posterior : array (C, D)
        P(cause present | evidence), 0 where the evidence is impossible.
    """
    n_lanes = len(problem.log_scale)
    posterior = np.zeros((len(problem.active), n_lanes))
    log_evidence = np.empty(n_lanes)
    most = max(_FEWEST_LANES, min(_MOST_LANES, int(_AT_ONCE / max(plan.widest, 1.0))))
    for first in range(0, n_lanes, most):
        tile = _Tile(problem, plan, slice(first, min(first + most, n_lanes)))
        log_evidence[tile.lanes] = tile.run(posterior[:, tile.lanes])
    return log_evidence, posterior


class _Tile:
    """Some lanes of a problem, on their way through the plan."""

    def __init__(self, problem: LaneProblem, plan: LanePlan, lanes: slice) -> None:
        self.lanes = lanes
        self._problem, self._plan = problem, plan
        starts = [*(axis.start for axis in problem.axes), *problem.risk_starts]
        self._start = [start[:, lanes] for start in starts]
        self._keep = [axis.keep[:, lanes] for axis in problem.axes]
        self._gain = [axis.gain[:, lanes] for axis in problem.axes]
        self._before: list[FloatArray] = []
        self._opened: list[FloatArray] = []

    def run(self, posterior: FloatArray) -> FloatArray:
        """Fill ``posterior`` (C, lanes) and return the log evidence."""
        log_scale = self._problem.log_scale[self.lanes] + self._free(posterior)
        folded = {axis: self._fold(axis, steps) for axis, steps in self._plan.singles}
        sums = {axis: self._closed(axis, self._start[axis], 0) for axis in self._plan.isolated}
        total = self._forward()
        with np.errstate(divide="ignore"):
            log_evidence = log_scale + np.log(total)
            for value in sums.values():
                log_evidence = log_evidence + np.log(value)
        unit = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0.0)
        adjoints = self._backward(unit, posterior)
        for axis, steps in self._plan.singles:
            adjoint = adjoints.get(axis)
            if adjoint is None:
                unit = np.divide(1.0, sums[axis], out=np.zeros_like(total), where=sums[axis] > 0.0)
                adjoint = self._unclosed(axis, unit, 0)
            for step, before in zip(reversed(steps), reversed(folded[axis]), strict=True):
                adjoint = self._pull(step, adjoint, before, posterior)
        posterior[:, np.isneginf(log_evidence)] = 0.0
        # A certain cause may come out an ulp above 1.
        np.minimum(posterior, 1.0, out=posterior)
        return np.asarray(log_evidence)

    def _free(self, posterior: FloatArray) -> FloatArray:
        """Causes without axes; log of the product of their factors."""
        log_total = np.zeros(posterior.shape[1])
        product = np.ones(posterior.shape[1])
        with np.errstate(divide="ignore"):
            for at, c in enumerate(self._plan.free):
                active = self._problem.active[c][..., self.lanes]
                both = active + self._problem.inactive[c][..., self.lanes]
                np.divide(active, both, out=posterior[c], where=both > 0.0)
                product *= both
                if at % 16 == 15:
                    log_total += np.log(product)
                    product[:] = 1.0
            return log_total + np.log(product)

    def _fold(self, axis: int, steps: tuple[Step, ...]) -> list[FloatArray]:
        before = []
        for step in steps:
            before.append(self._start[axis])
            self._start[axis] = self._apply(step, self._start[axis])
        return before

    def _forward(self) -> FloatArray:
        frontier = np.ones(self._problem.log_scale[self.lanes].shape)
        for step in self._plan.steps:
            for axis in step.opens:
                self._opened.append(frontier)
                start = self._start[axis]
                frontier = start.reshape(len(start), *(1,) * (frontier.ndim - 1), -1) * frontier
            self._before.append(frontier)
            frontier = self._apply(step, frontier)
            for axis, place in step.closes:
                frontier = self._closed(axis, frontier, place)
        return frontier

    def _apply(self, step: Step, frontier: FloatArray) -> FloatArray:
        if step.touches:
            on = frontier.copy()
            for touch in step.touches:
                self._act(touch, on)
            on *= self._weights(step, self._problem.active[step.cause])
        else:
            on = frontier * self._weights(step, self._problem.active[step.cause])
        on += frontier * self._weights(step, self._problem.inactive[step.cause])
        return on

    def _weights(self, step: Step, weights: FloatArray) -> FloatArray:
        """Lay the weights of a cause out on the frontier."""
        part = weights[..., self.lanes]
        if len(step.places) > 1:
            order = sorted(range(len(step.places)), key=step.places.__getitem__)
            part = part.transpose([*order, len(order)])
        shape = [1] * step.ndim
        for place, size in zip(sorted(step.places), part.shape[:-1], strict=True):
            shape[place] = size
        return part.reshape(*shape, part.shape[-1])

    def _act(self, touch: Touch, array: FloatArray) -> None:
        """Let an active cause act on an axis, in place."""
        axis = self._problem.axes[touch.axis]
        keep, gain = self._keep[touch.axis][touch.row], self._gain[touch.axis][touch.row]
        some = array[component(touch.place, 1)]
        some *= keep
        some += array[component(touch.place, 0)] * gain
        if axis.lowered is not None:
            lowered = axis.lowered[touch.row, self.lanes]
            leak = array[component(touch.place, 2)]
            leak *= keep * lowered
            if len(axis.start) > 3:
                feeding = array[component(touch.place, 3)]
                leak += feeding * (1.0 - lowered)
                feeding *= keep

    def _unact(self, touch: Touch, adjoint: FloatArray) -> None:
        """Transpose of `_act`."""
        axis = self._problem.axes[touch.axis]
        keep, gain = self._keep[touch.axis][touch.row], self._gain[touch.axis][touch.row]
        some, none = adjoint[component(touch.place, 1)], adjoint[component(touch.place, 0)]
        none += some * gain
        some *= keep
        if axis.lowered is not None:
            lowered = axis.lowered[touch.row, self.lanes]
            leak = adjoint[component(touch.place, 2)]
            if len(axis.start) > 3:
                feeding = adjoint[component(touch.place, 3)]
                feeding *= keep
                feeding += leak * (1.0 - lowered)
            leak *= keep * lowered

    def _closed(self, axis: int, array: FloatArray, place: int) -> FloatArray:
        """Sum an axis out."""
        if axis >= len(self._problem.axes):
            return np.asarray(array.sum(axis=place))
        if len(self._start[axis]) > 2:
            # Component 3 only feeds component 2.
            return np.asarray(array[component(place, 1)] + array[component(place, 2)])
        return np.asarray(array[component(place, 1)])

    def _unclosed(self, axis: int, adjoint: FloatArray, place: int) -> FloatArray:
        """Transpose of `_closed`."""
        size = len(self._start[axis])
        shape = (*adjoint.shape[:place], size, *adjoint.shape[place:])
        if axis >= len(self._problem.axes):
            spread = np.empty(shape)
            spread[...] = np.expand_dims(adjoint, place)
            return spread
        spread = np.zeros(shape)
        spread[component(place, 1)] = adjoint
        if size > 2:
            spread[component(place, 2)] = adjoint
        return spread

    def _backward(self, adjoint: FloatArray, posterior: FloatArray) -> dict[int, FloatArray]:
        """Fill the posteriors of all steps; return the adjoints of starts that were folded."""
        folded = {axis for axis, _ in self._plan.singles}
        result = {}
        for step in reversed(self._plan.steps):
            for axis, place in reversed(step.closes):
                adjoint = self._unclosed(axis, adjoint, place)
            adjoint = self._pull(step, adjoint, self._before.pop(), posterior)
            for axis in reversed(step.opens):
                old, start = self._opened.pop(), self._start[axis]
                if axis in folded:
                    part = adjoint * old
                    result[axis] = part.reshape(len(start), -1, part.shape[-1]).sum(axis=1)
                wide = start.reshape(len(start), *(1,) * (adjoint.ndim - 2), -1)
                adjoint = (wide * adjoint).sum(axis=0)
        return result

    def _pull(
        self, step: Step, adjoint: FloatArray, before: FloatArray, posterior: FloatArray
    ) -> FloatArray:
        """Pull the adjoint back through a cause and note its posterior."""
        on = adjoint * self._weights(step, self._problem.active[step.cause])
        for touch in reversed(step.touches):
            self._unact(touch, on)
        joint = on * before
        posterior[step.cause] = joint.reshape(-1, joint.shape[-1]).sum(axis=0)
        on += adjoint * self._weights(step, self._problem.inactive[step.cause])
        return on
