"""Which cases are beyond the limits, and what makes them so; nothing is summed."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.condition import absorb, count_axes, used_axes
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.lockstep.pendants import find_pendants, slot_words
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.splitting import divide

#: Axes of this many cannot add up to a case beyond the limits.
_SAFE = 8
#: Cases planned together.
_AT_ONCE = 8192


def too_complex(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Say which cases `posteriors` refuses, (N,), at the price of their plans."""
    refused = _beyond(model, evidence)

    def planned(parts: Evidence, owner: IntArray) -> Answer:  # noqa: ARG001 - see `divide`
        n = len(parts)
        return Answer(np.zeros(n), np.zeros((n, 0)), np.zeros(0), _beyond(model, parts))

    rows, _ = divide(model, evidence, np.flatnonzero(refused), planned)
    refused[rows] = False
    return refused


def _beyond(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Say which cases, or parts of cases, are beyond the limits, (N,)."""
    n_axes = count_axes(model, evidence)
    refused: BoolArray = n_axes > MAX_AXES
    rows = np.flatnonzero((n_axes > _SAFE) & ~refused)
    for first in range(0, len(rows), _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        plan = plan_sweep(model, absorb(model, evidence.take(part)))
        refused[part[plan.refused]] = True
    return refused


def coupled_names(model: NoisyModel, evidence: Evidence) -> tuple[str, ...]:
    """Name the findings and unknown risks that couple in one case, in the order of the model.

    What hangs on the rest by one thread is left out, unless the case has more axes than are looked
    at one by one.
    """
    axes = model.axes
    names = [*model.findings, *[""] * (len(axes.classes) - len(model.findings))]
    for f, u in enumerate(axes.suppress.tolist()):
        if u >= 0:
            names[u] = model.findings[f]
    for o, name in enumerate(model.ordinals):
        for u in axes.exceed[o][axes.exceed[o] >= 0].tolist():
            names[u] = name
    for r, u in enumerate(axes.risk.tolist()):
        if u >= 0:
            names[u] = model.risks[r]
    return tuple(dict.fromkeys(names[u] for u in _coupled_axes(model, evidence)))


def _coupled_axes(model: NoisyModel, evidence: Evidence) -> list[int]:
    if count_axes(model, evidence)[0] > MAX_AXES:
        return np.flatnonzero(used_axes(model, evidence)[0]).tolist()
    problem = absorb(model, evidence)
    _, masks = find_pendants(problem.mask, *slot_words(model, problem))
    word = int(np.bitwise_or.reduce(masks[0], initial=np.uint64(0)))
    return [int(u) for slot, u in enumerate(problem.axis[0]) if word >> slot & 1]
