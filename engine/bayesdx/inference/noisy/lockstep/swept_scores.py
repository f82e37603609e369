"""Derivatives by every number from one sweep of NumPy over many cases."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.axes import ragged
from bayesdx.inference.noisy.condition import Problem, absent_columns, absorb
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.sweep import sweep
from bayesdx.inference.noisy.lockstep.workspace import Shares
from bayesdx.inference.noisy.model import KEEP, LEAK_GAIN, RISK, NoisyModel
from bayesdx.inference.noisy.number_layout import PRIOR, NumberLayout
from bayesdx.inference.noisy.score_entries import (
    ScoreEntries,
    add_absences,
    add_absent_leaks,
    add_leaks,
    add_links,
    add_tables,
)


def swept_scores(
    model: NoisyModel, layout: NumberLayout, evidence: Evidence
) -> tuple[FloatArray, FloatArray, BoolArray, ScoreEntries]:
    """Sweep over N cases.

    Returns
    -------
    log_evidence : array (N,)
    causes : array (N, C)
        P(cause present | evidence).
    too_complex : bool array (N,)
    entries : ScoreEntries
        Derivatives; of cases that are impossible or too complex they mean nothing.
    """
    problem, scores = absorb(model, evidence), AxisScores()
    plan = plan_sweep(model, problem)
    log_evidence, causes = sweep(model, problem, plan, scores=scores)
    assert scores.shares is not None
    too_complex = np.zeros(len(evidence), dtype=bool)
    too_complex[plan.refused], log_evidence[plan.refused] = True, -np.inf
    entries = ScoreEntries(layout)
    _add_axes(model, problem, scores, entries)
    _add_openings(model, evidence, problem, scores.shares, entries)
    _add_absent(model, evidence, causes, entries)
    add_tables(model, entries, evidence.risks, _by_prior(problem, scores.shares))
    _add_risks(model, evidence, problem, scores.shares, entries)
    return log_evidence, causes, too_complex, entries


def _add_axes(
    model: NoisyModel, problem: Problem, scores: AxisScores, entries: ScoreEntries
) -> None:
    rows, slots, causes, (gain, keep, leak_keep, leak_gain) = scores.collected()
    axis = problem.axis[rows, slots]
    link = model.axes.links[axis, causes]
    by_strength = gain - keep - (1.0 - link[:, LEAK_GAIN]) * leak_keep
    by_factor = link[:, KEEP] * leak_keep - leak_gain
    add_links(model, entries, rows, (axis, causes), by_strength, by_factor)


def _add_openings(
    model: NoisyModel, evidence: Evidence, problem: Problem, shares: Shares, entries: ScoreEntries
) -> None:
    """Add derivatives by the leaks with which axes open; see `operator.opening_of_finding`."""
    axes = model.axes
    rows, slots = np.nonzero((problem.axis >= 0) & (axes.classes[problem.axis] != RISK))
    axis, by = problem.axis[rows, slots], shares.vectors[rows, slots]
    present, own = np.ones(len(axis)), axis < len(model.findings)
    present[own] = evidence.findings[rows[own], axis[own]]
    lean, inhibited, absent = 2.0 * present - 1.0, axes.sizes[axis] > 2, present < 0.5
    plain = np.where(inhibited & ~absent, 0.0, lean * by[:, 1])
    inside = np.abs(lean) * np.where(absent, by[:, 3], by[:, 2])
    bound = (1.0 - present) + present * axes.bound[axis]
    values = (plain + np.where(inhibited, inside, 0.0)) / bound
    add_leaks(model, entries, rows, axis, values)


def _add_absent(
    model: NoisyModel, evidence: Evidence, posterior: FloatArray, entries: ScoreEntries
) -> None:
    links = model.links
    lone = (links.factor < 1.0) & (model.axes.suppress < 0)
    acting = np.hstack([(links.strength > 0.0) | lone, links.exceed > 0.0])
    first, cause = ragged(acting.T)
    rows, columns = np.nonzero(absent_columns(model, evidence))
    add_absent_leaks(model, entries, rows, columns)
    counts = np.diff(first)[columns]
    before = np.cumsum(counts) - counts
    at = np.arange(counts.sum()) + np.repeat(first[columns] - before, counts)
    rows, columns, causes = np.repeat(rows, counts), np.repeat(columns, counts), cause[at]
    add_absences(model, entries, rows, (columns, causes), posterior[rows, causes])


def _by_prior(problem: Problem, shares: Shares) -> FloatArray:
    """Derivatives by what is left of the tables of causes, (N, P)."""
    prior = problem.prior
    inside = (prior > 0.0) & (prior < 1.0)
    result = np.divide(shares.by_present, prior, out=np.zeros_like(prior), where=inside)
    result -= np.divide(shares.by_absent, 1.0 - prior, out=np.zeros_like(prior), where=inside)
    return result


def _add_risks(
    model: NoisyModel, evidence: Evidence, problem: Problem, shares: Shares, entries: ScoreEntries
) -> None:
    """Add derivatives by the probabilities of risks that are observed, or shared and unknown."""
    layout = entries.layout
    for r, prior in enumerate(model.risk_priors):
        inverse = np.divide(1.0, prior, out=np.zeros_like(prior), where=prior > 0.0)
        begin, state = layout.begin(PRIOR, r), evidence.risks[:, r].astype(np.intp)
        rows = np.flatnonzero(state >= 0)
        entries.add(rows, begin + state[rows], inverse[state[rows]])
        if model.axes.risk[r] >= 0:
            rows, slots = np.nonzero(problem.axis == model.axes.risk[r])
            share = shares.vectors[rows, slots, : len(prior)]
            entries.add(rows[:, None], begin + np.arange(len(prior)), share * inverse)
