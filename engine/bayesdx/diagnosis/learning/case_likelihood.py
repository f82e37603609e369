"""log P(findings, labels) of cases under a network, and its derivatives by stated numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bayesdx.diagnosis.learning.labels import LabelledRows
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.case_scores import ScoreSweep
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors

#: Cases whose derivatives are kept at a time.
TILE = 1024


@dataclass(frozen=True, eq=False)
class Expansion:
    """A log likelihood with its derivatives by J numbers.

    Attributes
    ----------
    value : float
    gradient : array (J,)
    information : array (J, J)
        Sum of the outer products of the derivatives of each case: an estimate of the information
        (Berndt, Hall, Hall and Hausman 1974).
    cases : int array (J,), optional
        How many cases speak of each number: have a derivative by it.
    """

    value: float
    gradient: FloatArray
    information: FloatArray
    cases: IntArray | None = None


def log_probabilities(model: NoisyModel, rows: LabelledRows) -> FloatArray:
    """Log P(findings, labels) of each case, (N,); ``-inf`` where that is impossible."""
    found = posteriors(model, rows.evidence, only_evidence=True, backend=rows.backend)
    return _log_sums(found.complete().log_evidence, rows)[0]


def _log_sums(log_evidence: FloatArray, rows: LabelledRows) -> tuple[FloatArray, FloatArray]:
    """Log of the sum of each case's signed rows, (N,), and each row's share in it, (R,)."""
    top = np.full(rows.n_cases, -np.inf)
    np.maximum.at(top, rows.owner, log_evidence)
    safe = np.where(np.isneginf(top), 0.0, top)
    terms = rows.sign * np.exp(log_evidence - safe[rows.owner])
    total = np.bincount(rows.owner, terms, rows.n_cases)
    own = total[rows.owner]
    share = np.divide(terms, own, out=np.zeros_like(terms), where=own > 0.0)
    log_total = np.full(rows.n_cases, -np.inf)
    np.log(total, out=log_total, where=total > 0.0)
    return log_total + safe, share


def expand(
    model: NoisyModel, slopes: sparse.csc_array, rows: LabelledRows, *, tile: int = TILE
) -> Expansion:
    """Differentiate the log probability of all cases by stated numbers.

    Exceedances that are equal are those that were raised to the next level's: they move together.

    Parameters
    ----------
    model : NoisyModel
    slopes : sparse array (T, J)
        Of the numbers of the network by the stated ones.
    rows : LabelledRows
        Cases that are possible under the model.
    tile : int
        Cases at a time: memory does not grow with their number.

    Returns
    -------
    Expansion
    """
    n_numbers = slopes.shape[1]
    value, gradient = 0.0, np.zeros(n_numbers)
    information, cases = np.zeros((n_numbers, n_numbers)), np.zeros(n_numbers, dtype=np.intp)
    sweep = ScoreSweep(model, tied=True, along=slopes, backend=rows.backend)
    for first in range(0, rows.n_cases, tile):
        part = _cases(rows, np.arange(first, min(first + tile, rows.n_cases)))
        log_total, own = _derivatives(sweep, part)
        value += float(log_total.sum())
        gradient += own.sum(axis=0)
        information += own.T @ own
        cases += np.count_nonzero(own, axis=0)
    return Expansion(value, gradient, information, cases)


def _derivatives(sweep: ScoreSweep, rows: LabelledRows) -> tuple[FloatArray, FloatArray]:
    """Log probability (n,) and its derivatives (n, J) of a few cases."""
    n_rows = len(rows.owner)
    log_evidence, parts, order = np.full(n_rows, -np.inf), [], []
    for found in sweep.scores(rows.evidence, n_rows):
        log_evidence[found.rows] = found.log_evidence
        parts.append(found.values)
        order.append(found.rows)
    log_total, share = _log_sums(log_evidence, rows)
    where = rows.owner, np.arange(n_rows)
    gather = sparse.csr_array((share, where), shape=(rows.n_cases, n_rows))
    at = np.concatenate(order)
    own = (gather[:, at] @ sparse.vstack(parts)).toarray()
    return log_total, np.asarray(own)


def _cases(rows: LabelledRows, chosen: IntArray) -> LabelledRows:
    """Return consecutive cases."""
    first, last = np.searchsorted(rows.owner, [chosen[0], chosen[-1] + 1])
    own = slice(int(first), int(last))
    evidence: Evidence = rows.evidence.take(own)
    owner, sign = rows.owner[own] - chosen[0], rows.sign[own]
    return LabelledRows(evidence, owner, sign, len(chosen), rows.backend)


def chosen_cases(rows: LabelledRows, chosen: IntArray) -> LabelledRows:
    """Return some cases, ``chosen`` rising."""
    at = np.flatnonzero(np.isin(rows.owner, chosen))
    owner = np.searchsorted(chosen, rows.owner[at])
    return LabelledRows(rows.evidence.take(at), owner, rows.sign[at], len(chosen), rows.backend)
