"""The frontier sweep: forward for the evidence, backward for every posterior at once.

Pendants are summed out as numbers (`bayesdx.inference.noisy.lockstep.pendant_elimination`). Of the
rest, the 2-core, causes are summed out one at a time over a frontier that holds the open axes only;
its cost is the sum of 2^(open findings), not 2^(positive findings). Backward, the adjoint of the
evidence is pulled through the same steps; each cause's joint probability with the evidence falls
out on the way (Darwiche 2003's differential view). Everything is batched over cases.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.core_cases import collect
from bayesdx.inference.noisy.lockstep.core_sweep import backward, forward
from bayesdx.inference.noisy.lockstep.frontier import JointStates
from bayesdx.inference.noisy.lockstep.join_numbers import numbers_alike
from bayesdx.inference.noisy.lockstep.join_steps import join_steps
from bayesdx.inference.noisy.lockstep.join_sweep import JoinSweep
from bayesdx.inference.noisy.lockstep.pendant_elimination import (
    close_axes,
    close_causes,
    eliminate_pendants,
    pull_pendants,
)
from bayesdx.inference.noisy.lockstep.pendants import PendantKind
from bayesdx.inference.noisy.lockstep.plan import SweepPlan
from bayesdx.inference.noisy.lockstep.production import Production
from bayesdx.inference.noisy.lockstep.workspace import (
    Shares,
    divided,
    log_of,
    log_product,
    start_workspace,
)
from bayesdx.inference.noisy.model import NoisyModel

#: Frontier components computed together, summed over steps; bounds the memory of a sweep.
WORK_AT_ONCE = 4e6
#: Components of trees of tables that are kept together for the way back.
COMPONENTS_AT_ONCE = 1 << 22


def sweep(
    model: NoisyModel,
    problem: Problem,
    plan: SweepPlan,
    *,
    posteriors: bool = True,
    production: Production | None = None,
    scores: AxisScores | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks of every case; fill ``production`` or ``scores`` where given.

    Returns
    -------
    log_evidence : array (N,)
        ``-inf`` where the evidence is impossible or the case was refused.
    cause_posterior : array (N, C)
        P(cause present | evidence); zero where the log evidence is ``-inf``. Empty, shape (N, 0),
        unless ``posteriors``.
    """
    workspace = start_workspace(model, problem, production)
    eliminated = eliminate_pendants(model, problem, workspace, plan.pendants)
    closed_axes, closed_causes = _closed(problem, plan)
    vectors = close_axes(model, problem, workspace, closed_axes)
    on, off = close_causes(model, workspace, closed_causes)
    n_tables = len(problem.prior) if scores is not None or _any_table(plan) else 0
    tables = np.zeros((2, n_tables, problem.prior.shape[1]))
    shares = Shares(on, off, tables[0], tables[1], vectors, production, scores)
    if production is not None:
        production.idle[...] = production.left * on
    if n_tables:
        first = model.prior_offset[:-1]
        shares.by_present[:, first], shares.by_absent[:, first] = on, off
    states = JointStates()
    for first_row, last_row in pairwise(_cuts(plan.core.work)):
        core = plan.core.take(slice(first_row, last_row))
        cases = collect(model, problem, workspace, core, states)
        total, steps = forward(cases, noted=posteriors)
        workspace.log_scale[core.rows] += log_of(total)
        if posteriors:
            backward(cases, steps, divided(np.ones_like(total), total), shares)
    for one in plan.large:
        tree = tuple(join_steps(one.graph, one.order.nodes))
        at_once = max(1, int(COMPONENTS_AT_ONCE / one.order.held))
        for first_row in range(0, len(one.core.rows), at_once):
            core = one.core.take(slice(first_row, first_row + at_once))
            cases = collect(model, problem, workspace, core, states)
            for numbers in numbers_alike(cases, one.graph, production):
                joins = JoinSweep(numbers, tree)
                workspace.log_scale[numbers.rows] += joins.log_evidence()
                if posteriors:
                    joins.fill(shares)
    workspace.log_scale[plan.refused] = -np.inf
    if not posteriors:
        return workspace.log_scale, np.empty((len(workspace.log_scale), 0))
    pull_pendants(eliminated, shares)
    if scores is not None:
        scores.shares = shares
    shares.on[np.isneginf(workspace.log_scale)] = 0.0
    # A certain cause may come out an ulp above 1.
    return workspace.log_scale, np.minimum(shares.on, 1.0, out=shares.on)


def unlinked_log_evidence(model: NoisyModel, problem: Problem) -> FloatArray:
    """Log evidence of cases in which no cause acts on any axis, (N,); meaningless for others."""
    first = problem.prior_offset
    prior = problem.prior[:, first]
    both = prior * problem.on + (1.0 - prior) * problem.off
    workspace = start_workspace(model, problem)
    close_axes(model, problem, workspace, problem.axis >= 0)
    return workspace.log_scale + log_product(np.where(problem.mask == 0, both, 1.0))


def _closed(problem: Problem, plan: SweepPlan) -> tuple[BoolArray, BoolArray]:
    """Axes (N, K) and causes (N, C) that lie neither in the core nor among the pendants."""
    axes, causes = problem.axis >= 0, plan.masks == 0
    words = np.bitwise_or.reduce(plan.masks, axis=1, initial=np.uint64(0))
    bits = np.uint64(1) << np.arange(axes.shape[1], dtype=np.uint64)
    axes &= (words[:, None] & bits) == 0
    for step in plan.pendants:
        if step.kind in (PendantKind.CONTRACT, PendantKind.CONTRACT_RISK):
            axes[step.rows, step.slots] = False
        else:
            causes[step.rows, step.causes] = False
    return axes, causes


def _any_table(plan: SweepPlan) -> bool:
    return any(step.kind is PendantKind.CONTRACT_RISK for step in plan.pendants)


def _cuts(work: FloatArray) -> list[int]:
    """Cut cases where their work adds up to what is computed at once."""
    portion = (np.cumsum(work) // WORK_AT_ONCE).astype(np.intp)
    return [0, *(np.flatnonzero(np.diff(portion)) + 1).tolist(), len(work)] if len(work) else [0]
