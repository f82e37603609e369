"""Derivatives of log P(evidence) by every number of a network, of many cases in one sweep each.

What makes the posteriors makes the derivatives too: the adjoint of the evidence, pulled back
through the sweep, meets every link where its cause acts on a finding (`lockstep.axis_scores`),
every leak where an axis opens, every table where a cause is weighed. An absent finding is a product
over causes, so that its links have the derivative -P(cause | evidence) / (1 - z).

A number of exactly 0 or 1 is read as what cannot happen, not as a measurement: nothing is asked of
it, and its derivative is 0. So is that of every number in cases that are impossible. Probabilities
of the states of a risk add up to 1: their derivatives are meant up to a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.condition import absorb, count_axes, used_axes
from bayesdx.inference.noisy.derivatives import link_gradient
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.sweep import sweep
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.number_layout import NumberLayout, number_layout, numbers_of
from bayesdx.inference.noisy.score_entries import (
    ScoreEntries,
    add_absent,
    add_axes,
    add_openings,
    add_risks,
    add_tables,
)

#: Cases swept together: their scores are kept, a few kilobytes a case.
TILE = 2048


@dataclass(frozen=True, eq=False)
class CaseScores:
    """d log P(evidence) / d number of n cases.

    Attributes
    ----------
    rows : int array (n,)
        Which cases.
    log_evidence : array (n,)
        ``-inf`` where the evidence is impossible or the case is too complex.
    causes : array (n, C)
        P(cause present | evidence).
    too_complex : bool array (n,)
    values : sparse array (n, T)
        In the columns of `number_layout.NumberLayout`.
    """

    rows: IntArray
    log_evidence: FloatArray
    causes: FloatArray
    too_complex: BoolArray
    values: sparse.csr_array


@dataclass(frozen=True, eq=False)
class EvidenceGradient:
    """Sum over cases of weight times d log P(evidence) / d number.

    Attributes
    ----------
    log_evidence : array (N,)
    causes : array (N, C)
        P(cause present | evidence): what the same sweep says.
    total : array (T,)
    layout : NumberLayout
    """

    log_evidence: FloatArray
    causes: FloatArray
    total: FloatArray
    layout: NumberLayout


def evidence_gradient(
    model: NoisyModel, evidence: Evidence, weights: FloatArray | None = None, *, tile: int = TILE
) -> EvidenceGradient:
    """Differentiate the log probability of N cases by every number of the network.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases; causes may be clamped.
    weights : array (N,), optional
        Of each case; 1 if not given.
    tile : int
        Cases swept together, which bounds memory.

    Returns
    -------
    EvidenceGradient
        Impossible and too complex cases add nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesdx.inference import Evidence, compile_diagnosis, evidence_gradient, no_evidence
    >>> from bayesdx.network import Network, NoisyOrCPD, TableCPD, Variable
    >>> flu = TableCPD("flu", (), np.array([0.9, 0.1]))
    >>> cough = NoisyOrCPD("cough", ("flu",), np.array([0.8]), 0.05)
    >>> model = compile_diagnosis(Network([Variable("flu"), Variable("cough")], [flu, cough]))
    >>> case = no_evidence(model, 1)
    >>> case.findings[0, 0] = 0.0
    >>> strength = evidence_gradient(model, case).total[0]
    >>> round(float(strength), 6)  # -0.1 / (1 - 0.1 * 0.8)
    -0.108696
    """
    layout = number_layout(model)
    log_evidence = np.full(len(evidence), -np.inf)
    causes = np.zeros((len(evidence), len(model.causes)))
    total = np.zeros(layout.first[-1])
    for part in case_scores(model, evidence, tile=tile):
        log_evidence[part.rows], causes[part.rows] = part.log_evidence, part.causes
        weight = np.ones(len(part.rows)) if weights is None else weights[part.rows]
        total += part.values.T @ weight
    return EvidenceGradient(log_evidence, causes, total, layout)


def case_scores(model: NoisyModel, evidence: Evidence, *, tile: int = TILE) -> Iterator[CaseScores]:
    """Differentiate log P(evidence) of each case by every number, some cases at a time.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases; causes may be clamped.
    tile : int
        Cases swept together.

    Yields
    ------
    CaseScores
        Every case comes once, those that couple as many findings side by side.
    """
    layout = number_layout(model)
    n_axes = count_axes(model, evidence)
    order = np.argsort(n_axes, kind="stable")
    fitting = int((n_axes <= MAX_AXES).sum())
    for first in range(0, fitting, tile):
        rows = order[first : min(first + tile, fitting)]
        with np.errstate(over="ignore", invalid="ignore"):
            yield _tile_scores(model, layout, rows, evidence.take(rows))
    if fitting < len(order):
        rows = order[fitting:]
        nothing = sparse.csr_array((len(rows), layout.first[-1]))
        none, refused = np.full(len(rows), -np.inf), np.ones(len(rows), dtype=bool)
        yield CaseScores(rows, none, np.zeros((len(rows), len(model.causes))), refused, nothing)


def _tile_scores(
    model: NoisyModel, layout: NumberLayout, rows: IntArray, evidence: Evidence
) -> CaseScores:
    problem, scores = absorb(model, evidence), AxisScores()
    plan = plan_sweep(model, problem)
    log_evidence, causes = sweep(model, problem, plan, scores=scores)
    assert scores.shares is not None
    too_complex = np.zeros(len(rows), dtype=bool)
    too_complex[plan.refused], log_evidence[plan.refused] = True, -np.inf
    possible = np.isfinite(log_evidence)
    # Where an axis has a link that is hidden by another of the same strength, the slow way.
    slow = _hidden_links(model, evidence) & possible
    entries = ScoreEntries(layout)
    by_axes = ScoreEntries(layout)
    add_axes(model, problem, scores, by_axes)
    add_openings(model, evidence, problem, scores.shares, by_axes)
    add_absent(model, evidence, causes, by_axes)
    add_tables(model, evidence, problem, scores.shares, entries)
    add_risks(model, evidence, problem, scores.shares, entries)
    numbers = numbers_of(model)
    free = (numbers > 0.0) & (numbers < 1.0)
    n = len(rows)
    values = by_axes.matrix(n, possible & ~slow, free) + entries.matrix(n, possible, free)
    if slow.any():
        values = values + _slow_links(model, evidence, np.flatnonzero(slow), n, free, layout)
    return CaseScores(rows, log_evidence, causes, too_complex, sparse.csr_array(values))


def _hidden_links(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Cases that have an axis of levels on which a link or leak acts at neither level, or both."""
    axes, links = model.axes, model.links
    strengths = np.hstack([links.exceed.T, links.exceed_leak[:, None]])
    hidden = np.zeros(len(axes.classes) + 1, dtype=bool)
    for o, size in enumerate(model.ordinal_sizes):
        first = model.level_offset[o]
        for low in range(1, size):
            for high in range(low, size - 1):
                same = strengths[first + low - 1] == strengths[first + high]
                hidden[axes.exceed[o, low, high]] = (same & (strengths[first + high] > 0.0)).any()
    if not hidden.any():
        return np.zeros(len(evidence), dtype=bool)
    return np.asarray((used_axes(model, evidence) & hidden[:-1]).any(axis=1))


def _slow_links(
    model: NoisyModel,
    evidence: Evidence,
    rows: IntArray,
    n: int,
    free: BoolArray,
    layout: NumberLayout,
) -> sparse.csr_array:
    found = link_gradient(model, evidence.take(rows), backend="numpy")
    blocks = (found.strength, found.factor, found.leak, found.exceed, found.exceed_leak)
    entries = ScoreEntries(layout)
    for kind, block in enumerate(blocks):
        flat = block.reshape(len(rows), -1)
        at, columns = np.nonzero(flat)
        entries.add(rows[at], layout.begin(kind) + columns, flat[at, columns])
    return entries.matrix(n, np.ones(n, dtype=bool), free)
