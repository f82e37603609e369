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
from bayesdx.inference.noisy.derivatives import absence_scores
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.lockstep.axis_scores import AxisScores
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.sweep import sweep
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.number_layout import (
    EXCEED,
    EXCEED_LEAK,
    NumberLayout,
    number_layout,
    numbers_of,
)
from bayesdx.inference.noisy.score_entries import (
    ScoreEntries,
    add_absent,
    add_axes,
    add_openings,
    add_risks,
    add_tables,
    axis_levels,
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


def case_scores(
    model: NoisyModel, evidence: Evidence, *, tile: int = TILE, tied: bool = False
) -> Iterator[CaseScores]:
    """Differentiate log P(evidence) of each case by every number, some cases at a time.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases; causes may be clamped.
    tile : int
        Cases swept together.
    tied : bool
        Whether exceedances of one link that are equal move together, as those do that were raised
        to the next level's: along such moves derivatives are right, and much cheaper. What a link
        or leak between two equal levels would do is left out of both, where it has opposite signs.

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
            yield _tile_scores(model, layout, rows, evidence.take(rows), tied)
    if fitting < len(order):
        rows = order[fitting:]
        nothing = sparse.csr_array((len(rows), layout.first[-1]))
        none, refused = np.full(len(rows), -np.inf), np.ones(len(rows), dtype=bool)
        yield CaseScores(rows, none, np.zeros((len(rows), len(model.causes))), refused, nothing)


def _tile_scores(
    model: NoisyModel, layout: NumberLayout, rows: IntArray, evidence: Evidence, tied: bool
) -> CaseScores:
    problem, scores = absorb(model, evidence), AxisScores()
    plan = plan_sweep(model, problem)
    log_evidence, causes = sweep(model, problem, plan, scores=scores)
    assert scores.shares is not None
    too_complex = np.zeros(len(rows), dtype=bool)
    too_complex[plan.refused], log_evidence[plan.refused] = True, -np.inf
    possible = np.isfinite(log_evidence)
    # Where an axis has a link that is hidden by another of the same strength, the slow way.
    none = np.zeros((len(rows), len(model.links.exceed_leak)), dtype=bool)
    hidden = none if tied else _hidden_levels(model, evidence) & possible[:, None]
    entries = ScoreEntries(layout)
    add_axes(model, problem, scores, entries)
    add_openings(model, evidence, problem, scores.shares, entries)
    add_absent(model, evidence, causes, entries)
    add_tables(model, evidence, problem, scores.shares, entries)
    add_risks(model, evidence, problem, scores.shares, entries)
    numbers = numbers_of(model)
    free = (numbers > 0.0) & (numbers < 1.0)
    values = entries.matrix(len(rows), possible, free, hidden)
    if hidden.any():
        values = values + _slow_levels(model, evidence, log_evidence, hidden, layout, free)
    return CaseScores(rows, log_evidence, causes, too_complex, sparse.csr_array(values))


def _hidden_levels(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Levels, (N, L), of axes on which a link or leak acts at neither of their levels, or both."""
    links = model.links
    lower, upper = axis_levels(model)
    n_levels = len(links.exceed_leak)
    strengths = np.vstack([links.exceed, links.exceed_leak])
    between = np.flatnonzero((lower >= 0) & (upper >= 0) & (upper < n_levels))
    low, high = strengths[:, lower[between]], strengths[:, upper[between]]
    own = between[((low == high) & (high > 0.0)).any(axis=0)]
    found = np.zeros((len(evidence), n_levels), dtype=bool)
    if len(own):
        rows, at = np.nonzero(used_axes(model, evidence)[:, own])
        for one in (lower[own], upper[own]):
            found[rows, one[at]] = True
    return found


def _slow_levels(
    model: NoisyModel,
    evidence: Evidence,
    log_evidence: FloatArray,
    hidden: BoolArray,
    layout: NumberLayout,
    free: BoolArray,
) -> sparse.csr_array:
    """Derivatives by hidden levels: "from lower to upper" is a difference of two absences."""
    rows, level = np.nonzero(hidden)
    first = np.array(model.level_offset, dtype=np.intp)
    own = np.searchsorted(first, level, side="right") - 1
    weight = np.where(level == first[own] + evidence.upper[rows, own], 1.0, -1.0)
    columns = len(model.findings) + level
    found = absence_scores(model, evidence, log_evidence, rows, columns, weight, "numpy")
    entries, n_levels = ScoreEntries(layout), hidden.shape[1]
    at, causes = np.nonzero(found[0])
    place = layout.begin(EXCEED) + causes * n_levels + level[at]
    entries.add(rows[at], place, found[0][at, causes])
    entries.add(rows, layout.begin(EXCEED_LEAK) + level, found[1])
    return entries.matrix(len(evidence), np.ones(len(evidence), dtype=bool), free)
