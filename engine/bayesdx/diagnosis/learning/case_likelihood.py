"""log P(findings, labels) of cases under a network, and its derivatives by stated numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bayesdx.diagnosis.learning.labels import LabelledRows
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.case_scores import CaseScores, ScoreSweep
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors
from bayesdx.inference.signed_sums import signed_sums

#: Cases whose derivatives are kept at a time; and whose probabilities are worked out at a time.
TILE, _VALUES = 1024, 1 << 14
#: Cases, evenly spread, whose derivatives are the information while a mode is searched for.
MOST_INFORMING = 1 << 14


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
    sampled : bool
        Whether information and number of cases are those of a sample; the diagonal is then nearly
        that of all cases.
    """

    value: float
    gradient: FloatArray
    information: FloatArray
    cases: IntArray | None = None
    sampled: bool = False


def log_probabilities(model: NoisyModel, rows: LabelledRows) -> FloatArray:
    """Log P(findings, labels) of each case, (N,); ``-inf`` where that is impossible."""
    result = np.empty(rows.n_cases)
    for first in range(0, rows.n_cases, _VALUES):
        part = _cases(rows, first, min(first + _VALUES, rows.n_cases))
        found = posteriors(
            model, part.evidence, only_evidence=True, backend=part.backend, divide=False
        )
        result[first : first + _VALUES] = log_sums(found.complete().log_evidence, part)[0]
    return result


def log_sums(log_evidence: FloatArray, rows: LabelledRows) -> tuple[FloatArray, FloatArray]:
    """Log of the sum of each case's signed rows, (N,), and each row's share in it, (R,)."""
    return signed_sums(log_evidence, rows.sign, rows.owner, rows.n_cases)


def expand(
    model: NoisyModel,
    slopes: sparse.csc_array,
    rows: LabelledRows,
    *,
    tile: int = TILE,
    informing: int | None = None,
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
    informing : int, optional
        Cases, evenly spread, of which the information is made where there are more; all by default.
        Its outer products take longer than everything else.

    Returns
    -------
    Expansion
    """
    n_numbers = slopes.shape[1]
    value, gradient = 0.0, np.zeros(n_numbers)
    information, cases = np.zeros((n_numbers, n_numbers)), np.zeros(n_numbers, dtype=np.intp)
    sweep = ScoreSweep(model, tied=True, along=slopes, backend=rows.backend)
    n, n_informing = rows.n_cases, min(rows.n_cases, informing or rows.n_cases)
    spread = np.arange(n_informing) * n // n_informing
    waiting, squares = np.empty((0, n_numbers)), np.zeros(n_numbers)
    for first in range(0, n, tile):
        part = _cases(rows, first, min(first + tile, n))
        log_evidence, found = _scores(sweep, part)
        log_total, share = log_sums(log_evidence, part)
        value += float(log_total.sum())
        for one in found:
            gradient += one.total(share[one.rows])
            squares += one.squares(share[one.rows]) if n_informing < n else 0.0
        chosen = spread[(spread >= first) & (spread < first + tile)] - first
        own = _derivatives(part, share, found, chosen)
        cases += np.count_nonzero(own, axis=0)
        waiting = np.vstack([waiting, own])
        # Few outer products at a time take as long as many.
        if len(waiting) >= tile or first + tile >= n:
            information += waiting.T @ waiting
            waiting = np.empty((0, n_numbers))
    if n_informing < n:
        information = _with_diagonal(information, squares)
    return Expansion(value, gradient, information, cases, n_informing < n)


def observed_information(found: Expansion, bends: FloatArray) -> FloatArray:
    """Information (J, J) of the cases, by the second derivatives of their log probability.

    P(case) is linear in a number of the network, so that minus the second derivative of its
    logarithm is the square of the first: by a step of a stated number, which the network's follow,
    it is that square less the first derivative times the ``bends`` of
    `bayesdx.building.number_chain.NumberChain`. How numbers hang together is taken from the outer
    products: what they lack there is 0 in the mean, were the numbers right. Where the cases leave
    less known than before, nothing is known of them.
    """
    diagonal = np.diag(found.information) - bends * found.gradient
    return _with_diagonal(found.information, np.maximum(diagonal, 0.0))


def _with_diagonal(information: FloatArray, diagonal: FloatArray) -> FloatArray:
    """Give an information (J, J) another diagonal (J,); how numbers hang together stays."""
    own = np.diag(information)
    factor = np.sqrt(np.divide(diagonal, own, out=np.zeros_like(own), where=own > 0.0))
    found = factor[:, None] * information * factor
    np.fill_diagonal(found, diagonal)
    return found


def _scores(sweep: ScoreSweep, rows: LabelledRows) -> tuple[FloatArray, list[CaseScores]]:
    """Log evidence (R,) of a few rows, and its derivatives, part by part."""
    log_evidence, n_rows = np.full(len(rows.owner), -np.inf), len(rows.owner)
    parts = list(sweep.scores(rows.evidence, n_rows))
    for one in parts:
        log_evidence[one.rows] = one.log_evidence
    return log_evidence, parts


def _derivatives(
    rows: LabelledRows, share: FloatArray, found: list[CaseScores], chosen: IntArray
) -> FloatArray:
    """Derivatives (n, J) of the log probability of ``chosen`` cases."""
    wanted = np.isin(rows.owner, chosen)
    parts = [one.take(np.flatnonzero(wanted[one.rows])) for one in found]
    where = rows.owner, np.arange(len(share))
    gather = sparse.csr_array((share, where), shape=(rows.n_cases, len(share)))
    at = np.concatenate([one.rows for one in parts])
    own = gather[chosen][:, at] @ sparse.vstack([one.values for one in parts])
    return np.asarray(own.toarray())


def _cases(rows: LabelledRows, first: int, last: int) -> LabelledRows:
    """Return consecutive cases."""
    at, end = np.searchsorted(rows.owner, [first, last])
    own = slice(int(at), int(end))
    evidence: Evidence = rows.evidence.take(own)
    owner, sign = rows.owner[own] - first, rows.sign[own]
    return LabelledRows(evidence, owner, sign, last - first, rows.backend)


def chosen_cases(rows: LabelledRows, chosen: IntArray) -> LabelledRows:
    """Return some cases, ``chosen`` rising."""
    at = np.flatnonzero(np.isin(rows.owner, chosen))
    owner = np.searchsorted(chosen, rows.owner[at])
    return LabelledRows(rows.evidence.part(at), owner, rows.sign[at], len(chosen), rows.backend)
