"""Which cases of a batch are answered by which plan: rows grouped by what they observe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesdx.inference.general.grouping import distinct_rows

if TYPE_CHECKING:
    from bayesdx.inference.arrays import BoolArray, IntArray
    from bayesdx.inference.general.plan_cache import Key, PlanCache
    from bayesdx.inference.general.plan_runner import PlanRunner
    from bayesdx.inference.general.tiles import CaseBatch

#: Up to this many signatures in a batch are each looked at.
FEW_GROUPS = 8
#: Rows that are compared first: where all of them differ, hardly any signature has a plan's worth
#: of rows, and looking for all of them would take a tenth of a batch of win95pts.
SAMPLED = 64


def assignments(
    plans: PlanCache, cases: CaseBatch, wanted: frozenset[int]
) -> list[tuple[PlanRunner | None, IntArray]]:
    """Which plan answers which rows; None where each is answered alone."""
    quick = plans.quick(len(cases)) if len(cases) else None
    if quick is not None:
        return [(quick, np.arange(len(cases)))]
    soft = frozenset(cases.soft)
    result: list[tuple[PlanRunner | None, IntArray]] = []
    pooled: list[IntArray] = []
    for rows, alone in _groups(plans, cases.states, (frozenset(), soft, wanted)):
        runner = None
        if alone:
            observed = cases.observed(int(rows[0]))
            runner = plans.earned((observed, soft, wanted), len(rows))
        if runner is not None:
            result.append((runner, rows))
        else:
            pooled.append(rows)
    if pooled:
        rows = np.concatenate(pooled) if len(pooled) > 1 else pooled[0]
        part = cases.states if len(rows) == len(cases) else cases.states[:, rows]
        result.append((_pool(plans, part, soft, wanted), rows))
    return result


def _pool(
    plans: PlanCache, states: IntArray, soft: frozenset[int], wanted: frozenset[int]
) -> PlanRunner | None:
    """The plan of rows that observe different variables, if one is worth having."""
    n = states.shape[1]
    in_all, in_any = _observed(states)
    always = frozenset(np.flatnonzero(in_all).tolist()) - soft
    mixed = (frozenset(np.flatnonzero(in_any).tolist()) - always) | soft
    key = (always, mixed, wanted)
    if key != plans.general_key(key) and mixed != soft:
        runner = plans.earned(key, n)
        if runner is not None:
            return runner
    return plans.general(key, n)


def _observed(states: IntArray) -> tuple[BoolArray, BoolArray]:
    """Whether all rows, and whether any, observe each variable; few of them tell most of it."""
    few = _sample(states)
    in_all: BoolArray = few.min(axis=1) >= 0
    in_any: BoolArray = few.max(axis=1) >= 0
    in_all[in_all] = states[in_all].min(axis=1) >= 0
    in_any[~in_any] = states[~in_any].max(axis=1) >= 0
    return in_all, in_any


def _groups(plans: PlanCache, states: IntArray, key: Key) -> list[tuple[IntArray, bool]]:
    """Rows that observe the same variables, and whether they may deserve their own plan.

    Groups too small for that come as one.
    """
    n = states.shape[1]
    if n > SAMPLED and distinct_rows(_sample(states).T >= 0, {})[0] is None:
        return [(np.arange(n), False)]
    seen = states >= 0
    if n < 2 or (seen == seen[:, :1]).all():
        return [(np.arange(n), True)] if n else []
    _, inverse = distinct_rows(np.ascontiguousarray(seen.T), {})
    count = np.bincount(inverse)
    least = plans.least_group(key) if len(count) > FEW_GROUPS else 1.0
    order = np.argsort(inverse, kind="stable")
    end = np.cumsum(count)
    large = [(order[end[g] - count[g] : end[g]], True) for g in np.flatnonzero(count >= least)]
    small = count[inverse] < least
    return large + ([(np.flatnonzero(small), False)] if small.any() else [])


def _sample(states: IntArray) -> IntArray:
    """Some rows of a batch, evenly spread; all of a small one."""
    return states[:, :: max(1, -(-states.shape[1] // SAMPLED))]
