"""The frontier sweep for one case in many lanes: one program, the lanes side by side.

As in `bayesdx.inference.noisy.lockstep.sweep`, causes are summed out one at a time over the axes
that are open, and the adjoint of the evidence is pulled back through the same steps: the marginal
of each variable by a downward pass (Darwiche 2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesdx.inference.noisy.lane_program import (
    ALL,
    MAX_WORK,
    CauseStep,
    Close,
    LaneProgram,
    Open,
)
from bayesdx.inference.noisy.operator import (
    AxisEffect,
    act,
    act_transposed,
    closed,
    closed_transposed,
    floored,
    opened,
)

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray
    from bayesdx.inference.noisy.lane_case import LaneCase
    from bayesdx.inference.noisy.lane_production import LaneProduction

#: Components of a frontier that are computed together, lanes counted.
AT_ONCE = 1 << 17
_FEWEST_LANES, _MOST_LANES = 64, 1024


def run_lanes(
    case: LaneCase, program: LaneProgram, production: LaneProduction | None = None
) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks in every lane.

    Parameters
    ----------
    case : LaneCase
    program : LaneProgram
        Of its structure.
    production : LaneProduction, optional
        Is filled from the first lane.

    Returns
    -------
    log_evidence : array (L,)
        ``-inf`` where the evidence is impossible.
    posterior : array (C, L)
        P(cause present | evidence), 0 where the evidence is impossible.
    """
    n_lanes = len(case.log_scale)
    posterior = np.zeros((len(case.structure.links), n_lanes))
    log_evidence = np.empty(n_lanes)
    most = max(_FEWEST_LANES, min(_MOST_LANES, int(AT_ONCE / max(program.widest, 1.0))))
    most = max(1, min(most, int(MAX_WORK / max(program.work, 1.0))))
    for first in range(0, n_lanes, most):
        lanes = slice(first, min(first + most, n_lanes))
        tile = _Tile(case, program, lanes, production if first == 0 else None)
        log_evidence[lanes] = tile.run(posterior[:, lanes])
    possible = log_evidence > -np.inf
    if not possible.all():
        posterior[:, ~possible] = 0.0
    # A certain cause may come out an ulp above 1.
    return log_evidence, np.minimum(posterior, 1.0, out=posterior)


class _Note(NamedTuple):
    """What the way back needs of one cause: the frontier before it, and its weights."""

    before: FloatArray
    active: FloatArray
    inactive: FloatArray


class _Tile:
    """Some lanes of a case, on their way through the program."""

    def __init__(
        self, case: LaneCase, program: LaneProgram, lanes: slice, made: LaneProduction | None
    ) -> None:
        def part(table: FloatArray) -> FloatArray:
            return table if table.shape[1] == 1 else table[:, lanes]

        self._program = program
        keep, lowered = part(case.keep), part(case.lowered)
        links = zip(part(case.gain), keep, keep * lowered, 1.0 - lowered, keep, strict=True)
        self._effects = [AxisEffect(*link) for link in links]
        self._made = made
        self._back = self._effects if made is None else [floored(one) for one in self._effects]
        self._start, self._active, self._inactive = (
            part(table) for table in (case.start, case.active, case.inactive)
        )
        self._log_scale = case.log_scale[lanes]
        self._folded: dict[int, FloatArray] = {}
        self._opened: list[tuple[FloatArray, FloatArray]] = []

    def run(self, posterior: FloatArray) -> FloatArray:
        """Fill ``posterior`` (C, L) and return the log evidence (L,)."""
        program, ones = self._program, np.ones((1, len(self._log_scale)))
        causes, rows = program.free.T
        both = self._active[rows] + self._inactive[rows]
        posterior[causes] = _ratio(self._active[rows], both)
        if self._made is not None:
            self._made.idle[causes] = posterior[causes, 0]
        notes: list[list[_Note]] = []
        for one, steps in program.singles:
            start, own = self._start_of(one) * ones, []
            for step in steps:
                start, note = self._apply(step, start)
                own.append(note)
            self._folded[one.axis] = start
            notes.append(own)
        sums = {one.axis: _closed(end, self._start_of(one)) for one, end in program.isolated}
        total, frontier_notes = self._forward(ones)
        with np.errstate(divide="ignore"):
            log_evidence = self._log_scale + np.log(both).sum(axis=0) + np.log(total[0])
            for value in sums.values():
                log_evidence = log_evidence + np.log(value[0])
        adjoints = self._backward(_ratio(ones, total), frontier_notes, posterior)
        for one, end in program.isolated:
            if one.axis in self._folded:
                adjoints[one.axis] = _unclosed(end, _ratio(ones, sums[one.axis]))
        for (one, steps), own in zip(program.singles, notes, strict=True):
            adjoint = adjoints[one.axis]
            for step, note in zip(reversed(steps), reversed(own), strict=True):
                adjoint = self._pull(step, adjoint, note, posterior)
        return np.asarray(log_evidence)

    def _start_of(self, one: Open) -> FloatArray:
        start = self._folded.get(one.axis)
        return self._start[one.first : one.first + one.width] if start is None else start

    def _weights(self, step: CauseStep) -> tuple[FloatArray, FloatArray]:
        active = self._active[step.first : step.last]
        inactive = self._inactive[step.first : step.last]
        if step.spread is None:
            return active, inactive
        sizes, order, shape, _ = step.spread
        return (
            active.reshape(*sizes, -1).transpose(order).reshape(*shape, -1),
            inactive.reshape(*sizes, -1).transpose(order).reshape(*shape, -1),
        )

    def _apply(self, step: CauseStep, frontier: FloatArray) -> tuple[FloatArray, _Note]:
        """Sum a cause out."""
        active, inactive = self._weights(step)
        note = _Note(frontier, active, inactive)
        if step.spread is not None:
            frontier = frontier.reshape(*step.spread.frontier, -1)
        # In C order, so that what is split below is a view.
        after = np.multiply(frontier, active, order="C")
        for row, stride, width in step.touches:
            act(after.reshape(-1, width, stride, after.shape[-1]), 1, self._effects[row])
        after += frontier * inactive
        return after.reshape(step.size, -1), note

    def _pull(
        self, step: CauseStep, adjoint: FloatArray, note: _Note, posterior: FloatArray
    ) -> FloatArray:
        """Pull the adjoint back through a cause and note its posterior."""
        before, active, inactive = note
        if step.spread is not None:
            adjoint = adjoint.reshape(*step.spread.frontier, -1)
        pulled = np.multiply(adjoint, active, order="C")
        behind = pulled.reshape(step.size, -1)[:, :1].copy() if self._made is not None else pulled
        for row, stride, width in step.touches:
            view = pulled.reshape(-1, width, stride, pulled.shape[-1])
            act_transposed(view, 1, self._back[row])
        joint = pulled.reshape(step.size, -1) * before
        np.add.reduce(joint, axis=0, out=posterior[step.cause])
        if self._made is not None:
            back = before[:, :1], behind, pulled.reshape(step.size, -1)[:, :1]
            on = float(posterior[step.cause, 0])
            self._made.note(step.cause, step.touches, self._back, back, on)
        pulled += adjoint * inactive
        return pulled.reshape(step.size, -1)

    def _forward(self, frontier: FloatArray) -> tuple[FloatArray, list[_Note]]:
        notes = []
        for step in self._program.steps:
            for one in step.opens:
                start = self._start_of(one)
                self._opened.append((frontier, start))
                frontier = opened(frontier, start).reshape(-1, frontier.shape[-1])
            frontier, note = self._apply(step, frontier)
            notes.append(note)
            for end in step.closes:
                frontier = _closed(end, frontier)
        return frontier, notes

    def _backward(
        self, adjoint: FloatArray, notes: list[_Note], posterior: FloatArray
    ) -> dict[int, FloatArray]:
        """Fill the posteriors of all steps; return the adjoints of starts that were folded."""
        result = {}
        for step in reversed(self._program.steps):
            for end in reversed(step.closes):
                adjoint = _unclosed(end, adjoint)
            adjoint = self._pull(step, adjoint, notes.pop(), posterior)
            for one in reversed(step.opens):
                before, start = self._opened.pop()
                adjoint = adjoint.reshape(one.width, *before.shape)
                if one.axis in self._folded:
                    result[one.axis] = (adjoint * before).sum(axis=1)
                adjoint = np.add.reduce(start[:, None] * adjoint, axis=0)
        return result


def _closed(one: Close, frontier: FloatArray) -> FloatArray:
    """Sum an axis out."""
    view = frontier.reshape(-1, one.width, one.stride, frontier.shape[-1])
    return closed(view, 1, is_risk=one.how == ALL).reshape(-1, frontier.shape[-1])


def _unclosed(one: Close, adjoint: FloatArray) -> FloatArray:
    """Transpose of `_closed`."""
    view = adjoint.reshape(-1, one.stride, adjoint.shape[-1])
    spread = closed_transposed(view, 1, one.width, is_risk=one.how == ALL)
    return spread.reshape(-1, adjoint.shape[-1])


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    return np.divide(above, below, out=np.zeros(below.shape), where=below > 0.0)
