"""The order of work for one case under many weights, with the axes of its frontier kept apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import IntArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.model import RISK, NoisyModel
from bayesdx.inference.noisy.ordering import Schedule


@dataclass(frozen=True, eq=False)
class Act:
    """A cause on a frontier of n axes.

    ``touched`` are (axis, gain, keep, leak_gain, leak_keep); its weights are ``entries`` brought
    into the order of the axes by ``order`` and spread over them by ``shape``.
    """

    cause: int
    entries: slice
    risks: tuple[int, ...]
    order: tuple[int, ...]
    shape: tuple[int, ...]
    touched: tuple[tuple[int, float, float, float, float], ...]


@dataclass(frozen=True, eq=False)
class Stage:
    """Open axes behind those there are, apply causes, close axes (the last one first)."""

    new: tuple[int, ...]  #: slots
    sizes: tuple[int, ...]  #: of all open axes
    acts: tuple[Act, ...]
    closing: tuple[tuple[int, int, bool], ...]  #: (axis, components, whether it is a risk)


@dataclass(frozen=True, eq=False)
class ColumnPlan:
    """The order of work for all rows of one case, and its largest frontier."""

    singles: tuple[tuple[int, int, tuple[Act, ...]], ...]  #: slot, components, its own causes
    stages: tuple[Stage, ...]
    isolated: tuple[tuple[int, int, bool], ...]  #: (slot, components, whether it is a risk)
    free: IntArray  #: causes without axes
    length: int


def compile_columns(model: NoisyModel, problem: Problem, plan: Schedule) -> ColumnPlan:
    """Lay out the work of one case.

    Parameters
    ----------
    model : NoisyModel
    problem : Problem
        One case.
    plan : Schedule
        Of that case.

    Returns
    -------
    ColumnPlan
        Depends on which axes the case has, which causes act and the soft values, on no weight.
    """
    axis = problem.axis[0]
    sizes = [int(model.axes.sizes[u]) if u >= 0 else 1 for u in axis]
    risk = [bool(u >= 0 and model.axes.classes[u] == RISK) for u in axis]
    stages: list[Stage] = []
    opened: list[int] = []
    grouped, longest = 0, 1
    for g in range(int(plan.n_groups[0])):
        new, closing = _slots(plan.new[0, g]), _slots(plan.closing[0, g])
        opened = opened + new
        causes = plan.causes[0, plan.begin[0, g] : plan.end[0, g]]
        stages.append(
            Stage(
                new=tuple(new),
                sizes=tuple(sizes[s] for s in opened),
                acts=tuple(_act(model, problem, int(c), opened) for c in causes),
                closing=tuple(
                    (at, sizes[s], risk[s])
                    for at, s in reversed(list(enumerate(opened)))
                    if s in closing
                ),
            )
        )
        longest = max(longest, math.prod(stages[-1].sizes))
        grouped |= int(plan.mask[0, g])
        opened = [slot for slot in opened if slot not in closing]
    first, last = int(plan.n_grouped[0]), int(plan.n_grouped[0] + plan.n_single[0])
    singles: dict[int, list[Act]] = {}
    for at in range(first, last):
        slot, cause = int(plan.single_slot[0, at]), int(plan.causes[0, at])
        singles.setdefault(slot, []).append(_act(model, problem, cause, [slot]))
    return ColumnPlan(
        singles=tuple((slot, sizes[slot], tuple(acts)) for slot, acts in singles.items()),
        stages=tuple(stages),
        isolated=tuple(
            (slot, sizes[slot], risk[slot])
            for slot in range(len(axis))
            if axis[slot] >= 0 and not grouped >> slot & 1
        ),
        free=plan.causes[0, last:],
        length=longest,
    )


def _slots(mask: np.uint64) -> list[int]:
    return [slot for slot in range(64) if int(mask) >> slot & 1]


def _act(model: NoisyModel, problem: Problem, cause: int, opened: list[int]) -> Act:
    axes, mask = model.axes, int(problem.mask[0, cause])
    risks, touched = [], []
    for at, slot in enumerate(opened):
        u = int(problem.axis[0, slot])
        if not mask >> slot & 1:
            continue
        if axes.classes[u] == RISK:
            risks.append(at)
            continue
        gain = float(axes.gain[u, cause] * problem.present[0, slot])
        keep, four = float(axes.keep[u, cause]), axes.sizes[u] > 2
        leak_gain = float(axes.leak_gain[u, cause]) if four else 0.0
        leak_keep = float(axes.leak_keep[u, cause]) if four else 1.0
        touched.append((at, gain, keep, leak_gain, leak_keep))
    # The entries of a cause are laid out by rising slot, the last one fastest.
    by_slot = sorted(risks, key=lambda at: opened[at])
    sizes = tuple(int(axes.sizes[problem.axis[0, opened[at]]]) for at in by_slot)
    first = int(problem.prior_offset[cause])
    count = math.prod(sizes)
    shape = [1] * len(opened)
    for at, size in zip(by_slot, sizes, strict=True):
        shape[at] = size
    order = (*(by_slot.index(at) for at in risks), len(risks))
    return Act(cause, slice(first, first + count), sizes, order, tuple(shape), tuple(touched))
