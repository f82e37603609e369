"""The observations of one case as players of a coalition game, and what each does to causes.

Whether an observation is known can be switched on and off: an absent finding then only changes the
weights of causes (it is *plain*), anything else becomes an axis of rows or of risks with the
components "not known" and "known". Letters: B observations, C causes, R rows, M subsets of the
plain observations that are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.noisy.attribution.coalition_game import all_subsets
from bayesdx.inference.noisy.condition import Problem, absorb
from bayesdx.inference.noisy.model import RISK, BoolArray, FloatArray, NoisyModel
from bayesdx.inference.noisy.operator import AxisEffect, effect_of


@dataclass(frozen=True, slots=True)
class Observation:
    """What one observation says; positions are those of the model.

    Attributes
    ----------
    findings : tuple of (finding, value)
        Values as in `Evidence.findings`.
    levels : tuple of (ordinal, lower, upper)
        Inclusive intervals of states.
    risks : tuple of (risk, state)
    """

    findings: tuple[tuple[int, float], ...] = ()
    levels: tuple[tuple[int, int, int], ...] = ()
    risks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Row:
    """An axis of rows: a finding that couples causes, first component "not known".

    Attributes
    ----------
    observation : int
        Which observation it belongs to.
    size : int
        Components.
    start : array (size,)
        Components before any cause acts.
    links : array (5, C)
        Coefficients of what each active cause does, as `operator.AxisEffect` has them.
    touched : bool array (C,)
    needed : bool array (C,)
        Causes that tell components 1 and above apart; after them these can be added up.
    """

    observation: int
    size: int
    start: FloatArray
    links: FloatArray
    touched: BoolArray
    needed: BoolArray

    def effect_of(self, cause: int, size: int) -> AxisEffect:
        """Return what a cause does to the row while it has ``size`` components."""
        gain, keep, leak_keep, leak_gain, hold = self.links[:, cause].tolist()
        # Once a row is short its component 1 stands for 2 as well, which feeds nothing else.
        short = size < self.size
        return AxisEffect(gain, leak_keep if short else keep, leak_keep, leak_gain, hold)


@dataclass(frozen=True, eq=False)
class SubsetProblem:
    """One case in observations, ready to be summed over.

    Attributes
    ----------
    coupling, plain : tuple of int
        Parts with an axis, and observations that only weigh causes.
    on : array (C, M)
        Factor of an active cause under each subset of the plain observations that is looked at.
    rows : tuple of Row
    tables : tuple of (risks, array)
        P(cause present | risks that are summed over), one axis a risk.
    needs : tuple of tuples of int
        What each cause needs open: risks, and the complement of rows (see `Row.needed`).
    risk_priors : mapping of int to array (S,)
        Of the risks that are summed over.
    known_risk : mapping of int to (observation, state)
        Risks that an observation tells.
    order : tuple of int
        Causes in an order that keeps few risks open.
    peak : int
        Components of risks open at once along that order.
    log_scale : array (B,)
        Log of what each observation multiplies every weight with.
    """

    coupling: tuple[int, ...]
    plain: tuple[int, ...]
    on: FloatArray
    rows: tuple[Row, ...]
    tables: tuple[tuple[tuple[int, ...], FloatArray], ...]
    needs: tuple[tuple[int, ...], ...]
    risk_priors: Mapping[int, FloatArray]
    known_risk: Mapping[int, tuple[int, int]]
    order: tuple[int, ...]
    peak: int
    log_scale: FloatArray

    @property
    def components(self) -> int:
        """Numbers held at once while the case is summed over, about."""
        rows = math.prod(row.size for row in self.rows)
        return int(rows * self.peak * self.on.shape[1])


def known_evidence(
    model: NoisyModel, observations: Sequence[Observation], known: BoolArray
) -> Evidence:
    """Return the evidence of M cases that know some of the observations each, ``known`` (M, B)."""
    evidence = no_evidence(model, len(known))
    for b, observation in enumerate(observations):
        rows = np.flatnonzero(known[:, b])
        for f, value in observation.findings:
            evidence.findings[rows, f] = value
        for o, lower, upper in observation.levels:
            evidence.lower[rows, o] = np.maximum(evidence.lower[rows, o], lower)
            evidence.upper[rows, o] = np.minimum(evidence.upper[rows, o], upper)
        for r, state in observation.risks:
            evidence.risks[rows, r] = state
    return evidence


def split_case(
    model: NoisyModel, observations: Sequence[Observation], *, known: BoolArray | None = None
) -> SubsetProblem:
    """Lay out one case whose observations may be known or not.

    Parameters
    ----------
    model : NoisyModel
    observations : sequence of Observation
        B of them; no two say something of the same risk in different states.
    known : bool array (M, B), optional
        Subsets of the plain observations to look at (what it says of others is ignored); all of
        them when not given, the first plain observation changing fastest.
    """
    # Each observation alone; risks are left open.
    each = [replace(one, risks=()) for one in observations]
    problem = absorb(model, known_evidence(model, each, np.eye(len(each), dtype=bool)))
    known_risk = {
        r: (b, state)
        for b, observation in enumerate(observations)
        for r, state in observation.risks
    }
    rows, plain = _rows(model, problem, observations)
    coupling = tuple(b for b in range(len(observations)) if b not in plain)
    on = _columns(problem, plain, known)
    tables = _tables(model, known_risk)
    needs = tuple(
        (*risks, *(~at for at, row in enumerate(rows) if row.size > 2 and row.needed[c]))
        for c, (risks, _) in enumerate(tables)
    )
    sizes = tuple(len(prior) for prior in model.risk_priors)
    order, peak = _ordered(needs, sizes, tuple(sorted(known_risk)))
    # Of risks, what no cause is summed over with.
    summed, log_scale = {r for own, _ in tables for r in own}, problem.log_scale.copy()
    with np.errstate(divide="ignore"):
        for n, one in enumerate(observations):
            apart = [np.log(model.risk_priors[r][s]) for r, s in one.risks if r not in summed]
            log_scale[n] += sum(apart)
    return SubsetProblem(
        coupling=coupling,
        plain=plain,
        on=on,
        rows=rows,
        tables=tables,
        needs=needs,
        risk_priors=dict(enumerate(model.risk_priors)),
        known_risk=known_risk,
        order=order,
        peak=peak,
        log_scale=log_scale,
    )


def _columns(problem: Problem, plain: Sequence[int], known: BoolArray | None) -> FloatArray:
    """Return what each subset of plain observations leaves of an active cause, (C, M)."""
    chosen = all_subsets(len(plain)) if known is None else known[:, list(plain)]
    on = np.ones((problem.on.shape[1], len(chosen)))
    for at, b in enumerate(plain):
        on *= np.where(chosen[:, at], problem.on[b][:, None], 1.0)
    return on


def _rows(
    model: NoisyModel, problem: Problem, observations: Sequence[Observation]
) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """Axes of all observations; an observation without axes and risks is plain."""
    rows: list[Row] = []
    plain: list[int] = []
    for n, observation in enumerate(observations):
        slots = [
            slot
            for slot, u in enumerate(problem.axis[n])
            if u >= 0 and model.axes.classes[u] != RISK
        ]
        if slots or observation.risks:
            rows += _weighed_rows(n, problem.on[n], [_row(model, problem, n, at) for at in slots])
        else:
            plain.append(n)
    return tuple(rows), tuple(plain)


def _row(model: NoisyModel, problem: Problem, n: int, slot: int) -> Row:
    axes, u = model.axes, int(problem.axis[n, slot])
    start = problem.start[n, slot]
    size = int(axes.sizes[u])
    if size == 4 and start[3] == 0.0:
        size = 3  # component 3 only feeds component 2
    effect = effect_of(axes, np.intp(u), np.arange(len(model.causes)), problem.present[n, slot])
    return Row(
        observation=n,
        size=size,
        start=start[:size],
        links=np.stack(effect[:5]),
        touched=axes.touches[u],
        needed=(axes.leak_keep[u] != axes.keep[u]) | (axes.leak_gain[u] > 0.0),
    )


def _weighed_rows(observation: int, factor: FloatArray, rows: list[Row]) -> list[Row]:
    """Hang what absent findings of an observation do to causes on a row of it, or on one more.

    What is "not known" must stay unweighed, yet what a cause moves to "known" must be weighed by
    those before it: so a weighed copy of component 0 stands at component 3 and feeds component 2.
    """
    if (factor == 1.0).all():
        return rows
    nothing = np.zeros_like(factor)
    for at, row in enumerate(rows):
        if row.size == 2:
            gain, keep = row.links[:2]
            weighed = replace(
                row,
                size=4,
                start=np.array([1.0, 0.0, row.start[1], 1.0]),
                links=np.stack([nothing, nothing, factor * keep, factor * gain, factor]),
                touched=row.touched | (factor != 1.0),
                needed=gain > 0.0,
            )
            return [*rows[:at], weighed, *rows[at + 1 :]]
    bare = Row(
        observation=observation,
        size=2,
        start=np.ones(2),
        links=np.stack([nothing, factor, nothing, nothing, nothing]),
        touched=factor != 1.0,
        needed=np.zeros(len(factor), dtype=bool),
    )
    return [bare, *rows]


def _tables(
    model: NoisyModel, known: Mapping[int, tuple[int, int]]
) -> tuple[tuple[tuple[int, ...], FloatArray], ...]:
    """Average private risks that nothing is known of."""
    result = []
    for parents, table in zip(model.cause_parents, model.cause_tables, strict=True):
        kept = []
        for position in reversed(range(len(parents))):
            r = parents[position]
            if r in known or model.axes.risk[r] >= 0:
                kept.append(r)
            else:
                table = np.asarray(np.tensordot(table, model.risk_priors[r], axes=(position, 0)))
        result.append((tuple(reversed(kept)), np.asarray(table)))
    return tuple(result)


def _ordered(
    needs: Sequence[tuple[int, ...]], sizes: Sequence[int], known: Sequence[int]
) -> tuple[tuple[int, ...], int]:
    """Order causes so that little is open at once; return the largest width of risks too.

    Causes that need rows alone come first, so that these become short; then, greedily, those that
    need risks, by the width once they have acted and while they do; last those that need nothing,
    which act on what has become small.
    """
    order = sorted(
        (c for c, needed in enumerate(needs) if needed and max(needed) < 0), key=lambda c: needs[c]
    )
    left = np.array([c for c, n in enumerate(needs) if n and max(n) >= 0], dtype=np.intp)
    uses = np.zeros((len(left), len(sizes)), dtype=bool)
    for row, c in zip(uses, left, strict=True):
        row[[need for need in needs[c] if need >= 0]] = True
    widths, opened = np.array(sizes, dtype=np.float64), np.zeros(len(sizes), dtype=bool)
    told, shut, peak = list(known), 1, 1
    while len(left):
        during = opened | uses
        after = during & (uses.sum(axis=0) > uses)
        open_after, open_during = (np.where(s, widths, 1.0).prod(axis=1) for s in (after, during))
        at = int(np.lexsort((left, open_during, open_after))[0])
        order.append(int(left[at]))
        peak = max(peak, shut * int(open_during[at]))
        shut *= 2 ** int((during[at] & ~after[at])[told].sum())
        opened = after[at]
        left, uses = np.delete(left, at), np.delete(uses, at, axis=0)
    order += [c for c, needed in enumerate(needs) if not needed]
    return tuple(order), peak
