"""The case as it is and its evidence under clamps, as one small dense program.

Each cause is a small matrix on the open axes, and the clamps are the columns it is multiplied
with; only the case as it is goes the way back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.model import RISK, FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.ordering import Schedule
from bayesdx.inference.noisy.query import Answer

#: Frontiers above this many components are left to the sweep.
MAX_COMPONENTS = 256


@dataclass(frozen=True, eq=False)
class _Act:
    """A cause: its operator on the frontier when active, and where its priors lie, (L,) or (1,)."""

    cause: int
    operator: FloatArray | None
    entries: IntArray


@dataclass(frozen=True, eq=False)
class _Stage:
    """Open axes, apply causes, close axes.

    ``source`` (L,) reads the frontier before; ``opened`` are (slot, field of each component);
    ``closing`` (L_after, L) sums closed axes out.
    """

    source: IntArray
    opened: tuple[tuple[int, IntArray], ...]
    acts: tuple[_Act, ...]
    closing: FloatArray


@dataclass(frozen=True, eq=False)
class ClampPlan:
    """The order of work for one case under several clamps."""

    singles: tuple[tuple[int, tuple[_Act, ...]], ...]  #: slot, causes that touch it alone
    stages: tuple[_Stage, ...]
    isolated: tuple[tuple[int, FloatArray], ...]  #: slot, closing weights
    free: IntArray  #: causes without axes


def compile_clamps(model: NoisyModel, problem: Problem, plan: Schedule) -> ClampPlan | None:
    """Lay out the work of one case; None where its frontier is too large for dense matrices."""
    axis = problem.axis[0]
    sizes = model.axes.sizes[axis]
    grouped = 0
    stages = []
    opened: list[int] = []
    for g in range(int(plan.n_groups[0])):
        new, closing = _slots(plan.new[0, g]), _slots(plan.closing[0, g])
        n_new = int(np.prod(sizes[new], dtype=np.intp))
        opened = opened + new
        length = int(np.prod(sizes[opened], dtype=np.intp))
        if length > MAX_COMPONENTS:
            return None
        field = dict(zip(opened, _fields(sizes[opened]), strict=True))
        causes = plan.causes[0, plan.begin[0, g] : plan.end[0, g]]
        keep = [_closing(model, int(axis[s])) if s in closing else np.eye(sizes[s]) for s in opened]
        stages.append(
            _Stage(
                source=np.arange(length) // n_new,
                opened=tuple((slot, field[slot]) for slot in new),
                acts=tuple(_act(model, problem, int(c), opened, field) for c in causes),
                closing=_kron(keep),
            )
        )
        grouped |= int(plan.mask[0, g])
        opened = [slot for slot in opened if slot not in closing]
    first, last = int(plan.n_grouped[0]), int(plan.n_grouped[0] + plan.n_single[0])
    singles: dict[int, list[_Act]] = {}
    for at in range(first, last):
        slot = int(plan.single_slot[0, at])
        fields = {slot: np.arange(sizes[slot])}
        cause = int(plan.causes[0, at])
        singles.setdefault(slot, []).append(_act(model, problem, cause, [slot], fields))
    isolated = tuple(
        (slot, _closing(model, int(axis[slot]))[0])
        for slot in range(len(axis))
        if axis[slot] >= 0 and not grouped >> slot & 1
    )
    return ClampPlan(
        singles=tuple((slot, tuple(acts)) for slot, acts in singles.items()),
        stages=tuple(stages),
        isolated=isolated,
        free=plan.causes[0, last:],
    )


def _slots(mask: np.uint64) -> list[int]:
    return [slot for slot in range(64) if int(mask) >> slot & 1]


def _fields(sizes: IntArray) -> list[IntArray]:
    """State of each axis at every component, the last axis fastest."""
    return [grid.ravel() for grid in np.indices(tuple(sizes))]


def _kron(factors: list[FloatArray]) -> FloatArray:
    product: NDArray[np.float64] = np.ones((1, 1))
    for factor in factors:
        product = np.kron(product, factor).astype(np.float64)
    return product


def _closing(model: NoisyModel, axis: int) -> FloatArray:
    """Weights with which an axis is summed out, (1, S)."""
    weights = np.ones((1, int(model.axes.sizes[axis])))
    if model.axes.classes[axis] != RISK:
        # Component 3 only feeds component 2.
        weights[0, [0, *range(3, weights.shape[1])]] = 0.0
    return weights


def _act(
    model: NoisyModel,
    problem: Problem,
    cause: int,
    opened: list[int],
    field: dict[int, IntArray],
) -> _Act:
    """Return a cause as an operator on the open axes."""
    mask = int(problem.mask[0, cause])
    factors: list[FloatArray] = []
    entries = problem.prior_offset[cause] + np.zeros(1, dtype=np.intp)
    stride = 1
    acts = False
    for slot in opened:
        axis = int(problem.axis[0, slot])
        matrix = np.eye(int(model.axes.sizes[axis]))
        if mask >> slot & 1 and model.axes.classes[axis] != RISK:
            matrix[1, 0] = model.axes.gain[axis, cause] * problem.present[0, slot]
            matrix[1, 1] = model.axes.keep[axis, cause]
            if len(matrix) > 2:
                matrix[2, 2] = model.axes.leak_keep[axis, cause]
                matrix[2, 3] = model.axes.leak_gain[axis, cause]
                matrix[3, 3] = model.axes.keep[axis, cause]
            acts = True
        factors.append(matrix)
    # The priors of a cause are laid out by rising slot, the last one fastest.
    for slot in sorted(opened, reverse=True):
        axis = int(problem.axis[0, slot])
        if mask >> slot & 1 and model.axes.classes[axis] == RISK:
            entries = entries + field[slot] * stride
            stride *= int(model.axes.sizes[axis])
    return _Act(cause, _kron(factors) if acts else None, entries)


def run_clamps(
    problem: Problem, plan: ClampPlan, absent: NDArray[np.bool_]
) -> tuple[Answer, FloatArray]:
    """Answer a case, and its evidence under each clamp (V, C); see `Variants.answer`."""
    n_causes = problem.on.shape[1]
    clamped = np.concatenate([np.zeros((1, n_causes), dtype=bool), absent]).T
    width = np.diff(np.append(problem.prior_offset, problem.prior.shape[1]))
    owner = np.repeat(np.arange(n_causes), width)
    prior = problem.prior[0][:, None]
    on = np.where(clamped, 0.0, problem.on[0][:, None])[owner]
    active, inactive = prior * on, (1.0 - prior) * problem.off[0][owner, None]
    at = problem.prior_offset[plan.free]
    both = active[at] + inactive[at]
    posterior = np.zeros(n_causes)
    posterior[plan.free] = np.divide(
        active[at, 0], both[:, 0], out=np.zeros(len(at)), where=both[:, 0] > 0.0
    )
    start: dict[int, FloatArray] = {}
    folded: dict[int, list[FloatArray]] = {}
    for slot, acts in plan.singles:
        frontier = np.repeat(problem.start[0, slot, : _size(acts)][:, None], active.shape[1], 1)
        start[slot], folded[slot] = _apply(frontier, acts, active, inactive)
    with np.errstate(divide="ignore"):
        log_evidence = problem.log_scale[0] + np.log(both).sum(axis=0)
        for slot, weights in plan.isolated:
            vector = start.get(slot, problem.start[0, slot, : len(weights), None])
            log_evidence = log_evidence + np.log(weights @ vector)
        total, trace = _forward(problem, plan, start, active, inactive)
        log_evidence = log_evidence + np.log(total)
    if not np.isneginf(log_evidence[0]):
        adjoints = _backward(plan, trace, 1.0 / total[0], active, inactive, posterior)
        _finish_singles(plan, start, folded, adjoints, active, inactive, posterior)
    else:
        posterior[:] = 0.0
    answer = Answer(log_evidence[:1], np.minimum(posterior, 1.0)[None], np.empty(0))
    return answer, log_evidence[1:]


def _size(acts: tuple[_Act, ...]) -> int:
    return max(len(act.entries) if act.operator is None else len(act.operator) for act in acts)


def _apply(
    frontier: FloatArray, acts: tuple[_Act, ...], active: FloatArray, inactive: FloatArray
) -> tuple[FloatArray, list[FloatArray]]:
    before = []
    for act in acts:
        before.append(frontier[:, 0])
        on = frontier if act.operator is None else act.operator @ frontier
        on = active[act.entries] * on
        on += inactive[act.entries] * frontier
        frontier = on
    return frontier, before


def _pull(
    adjoint: FloatArray,
    acts: tuple[_Act, ...],
    before: list[FloatArray],
    active: FloatArray,
    inactive: FloatArray,
    posterior: FloatArray,
) -> FloatArray:
    """Pull the adjoint (L,) of the case as it is back through causes; note their posteriors."""
    for act, state in zip(reversed(acts), reversed(before), strict=True):
        on = active[act.entries, 0] * adjoint
        if act.operator is not None:
            on = on @ act.operator
        posterior[act.cause] = on @ state
        adjoint = inactive[act.entries, 0] * adjoint
        adjoint += on
    return adjoint


_Trace = list[tuple[FloatArray, list[FloatArray], list[FloatArray]]]


def _forward(
    problem: Problem,
    plan: ClampPlan,
    start: dict[int, FloatArray],
    active: FloatArray,
    inactive: FloatArray,
) -> tuple[FloatArray, _Trace]:
    frontier = np.ones((1, active.shape[1]))
    trace: _Trace = []
    for stage in plan.stages:
        old = frontier[stage.source]
        factors = []
        frontier = old
        for slot, field in stage.opened:
            vector = start.get(slot)
            factor = problem.start[0, slot, field, None] if vector is None else vector[field]
            frontier = frontier * factor
            factors.append(factor[:, 0])
        frontier, before = _apply(frontier, stage.acts, active, inactive)
        trace.append((old[:, 0], factors, before))
        frontier = stage.closing @ frontier
    return frontier[0], trace


def _backward(
    plan: ClampPlan,
    trace: _Trace,
    unit: float,
    active: FloatArray,
    inactive: FloatArray,
    posterior: FloatArray,
) -> dict[int, FloatArray]:
    """Fill the posteriors of grouped causes; return the adjoint of each opened axis' start."""
    adjoint = np.array([unit])
    starts: dict[int, FloatArray] = {}
    for stage, (old, factors, before) in zip(reversed(plan.stages), reversed(trace), strict=True):
        adjoint = _pull(adjoint @ stage.closing, stage.acts, before, active, inactive, posterior)
        for i, (slot, field) in enumerate(stage.opened):
            part = adjoint * old
            for j, factor in enumerate(factors):
                if j != i:
                    part = part * factor
            starts[slot] = np.bincount(field, weights=part).astype(np.float64)
        for factor in factors:
            adjoint = adjoint * factor
        adjoint = np.bincount(stage.source, weights=adjoint).astype(np.float64)
    return starts


def _finish_singles(
    plan: ClampPlan,
    start: dict[int, FloatArray],
    folded: dict[int, list[FloatArray]],
    adjoints: dict[int, FloatArray],
    active: FloatArray,
    inactive: FloatArray,
    posterior: FloatArray,
) -> None:
    isolated = dict(plan.isolated)
    for slot, acts in plan.singles:
        adjoint = adjoints.get(slot)
        if adjoint is None:
            adjoint = isolated[slot] / float(isolated[slot] @ start[slot][:, 0])
        _pull(adjoint, acts, folded[slot], active, inactive, posterior)
