"""Derivatives of log P(evidence) by every number of a network, of many cases in one sweep each.

What makes the posteriors makes the derivatives too: the adjoint of the evidence, pulled back
through the sweep, meets every link where its cause acts on a finding (`lockstep.axis_scores`,
`jit.case_notes`), every leak where an axis opens, every table where a cause is weighed. An absent
finding is a product over causes, so that its links have the derivative
-P(cause | evidence) / (1 - z).

A number of exactly 0 or 1 is read as what cannot happen, not as a measurement: nothing is asked of
it, and its derivative is 0. So is that of every number in cases that are impossible. Probabilities
of the states of a risk add up to 1: their derivatives are meant up to a constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.condition import count_axes, used_axes
from bayesdx.inference.noisy.derivatives import absence_scores
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.note_book import open_book
from bayesdx.inference.noisy.number_layout import (
    EXCEED,
    EXCEED_LEAK,
    NumberLayout,
    number_layout,
    numbers_of,
)
from bayesdx.inference.noisy.score_entries import ScoreEntries, axis_levels, without_levels
from bayesdx.inference.noisy.score_notes import numbers_by_note

#: Cases swept together: their scores are kept, some ten kilobytes a case.
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
    notes : sparse array (n, Q)
        Derivatives by what the sweep met.
    worth : sparse array (Q, T), optional
        What that is worth to each number; if not given, notes are derivatives by numbers.
    """

    rows: IntArray
    log_evidence: FloatArray
    causes: FloatArray
    too_complex: BoolArray
    notes: sparse.csr_array
    worth: sparse.csr_array | None = None

    @property
    def values(self) -> sparse.csr_array:
        """Derivatives, (n, T), in the columns of `number_layout.NumberLayout` or along slopes."""
        return self.notes if self.worth is None else sparse.csr_array(self.notes @ self.worth)

    def total(self, weights: FloatArray) -> FloatArray:
        """Return the sum over cases of weight times derivatives, (T,)."""
        noted = self.notes.T @ weights
        return np.asarray(noted if self.worth is None else self.worth.T @ noted)

    def squares(self, weights: FloatArray) -> FloatArray:
        """Return the sum over cases of the squares of weight times derivatives, (T,), nearly.

        Of a number that depends on several notes of a case, the sum of their squares stands for the
        square of their sum.
        """
        # `power` sorts the notes of every case first, which takes as long as the sweep.
        squared = self.notes.data**2, self.notes.indices, self.notes.indptr
        noted = sparse.csr_array(squared, shape=self.notes.shape).T @ weights**2
        return np.asarray(noted if self.worth is None else self.worth.power(2).T @ noted)

    def take(self, own: IntArray) -> CaseScores:
        """Return those of some cases."""
        return CaseScores(
            self.rows[own],
            self.log_evidence[own],
            self.causes[own],
            self.too_complex[own],
            self.notes[own],
            self.worth,
        )


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
    model: NoisyModel,
    evidence: Evidence,
    weights: FloatArray | None = None,
    *,
    tile: int = TILE,
    backend: Backend = "auto",
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
    backend : {"auto", "numpy", "compiled"}
        See `bayesdx.inference.posteriors`.

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
    for part in ScoreSweep(model, backend=backend).scores(evidence, tile):
        log_evidence[part.rows], causes[part.rows] = part.log_evidence, part.causes
        weight = np.ones(len(part.rows)) if weights is None else weights[part.rows]
        total += part.total(weight)
    return EvidenceGradient(log_evidence, causes, total, layout)


@dataclass(frozen=True, eq=False)
class ScoreSweep:
    """What is asked of a model whose cases are differentiated, all at once or in parts.

    Attributes
    ----------
    model : NoisyModel
    tied : bool
        Whether exceedances of one link that are equal move together, as those do that were raised
        to the next level's: along such moves derivatives are right, and much cheaper. What a link
        or leak between two equal levels would do is left out of both, where it has opposite signs.
    along : sparse array (T, J), optional
        Slopes of the numbers of the network by others, by which is then differentiated.
    backend : {"auto", "numpy", "compiled"}
        See `bayesdx.inference.posteriors`.
    """

    model: NoisyModel
    tied: bool = False
    along: sparse.csc_array | None = None
    backend: Backend = "auto"

    def scores(self, evidence: Evidence, tile: int = TILE) -> Iterator[CaseScores]:
        """Differentiate log P(evidence) of each case by every number, ``tile`` cases at a time.

        Causes may be clamped. Every case comes once, those that couple as many findings side by
        side.
        """
        n_axes = count_axes(self.model, evidence)
        order = np.argsort(n_axes, kind="stable")
        rows, refused = np.split(order, [int((n_axes <= MAX_AXES).sum())])
        compiled = takes_compiled(self.backend, self.model, evidence)
        for first in range(0, len(rows), tile):
            own = rows[first : first + tile]
            if compiled:
                yield from _noted(self, own, evidence.take(own))
            else:
                yield _swept(self, own, evidence.take(own))
        if len(refused):
            n = len(refused)
            width = self.layout.first[-1] if self.along is None else self.along.shape[1]
            none, causes = np.full(n, -np.inf), np.zeros((n, len(self.model.causes)))
            nothing = sparse.csr_array((n, width))
            yield CaseScores(refused, none, causes, np.ones(n, dtype=bool), nothing)

    @cached_property
    def layout(self) -> NumberLayout:
        """That of the model."""
        return number_layout(self.model)

    @cached_property
    def free(self) -> BoolArray:
        """Numbers that are asked, (T,): neither 0 nor 1."""
        numbers = numbers_of(self.model)
        return (numbers > 0.0) & (numbers < 1.0)

    @cached_property
    def worth(self) -> sparse.csr_array:
        """What a note is worth to each number, (Q, T)."""
        return numbers_by_note(self.model, self.layout)

    @cached_property
    def by_note(self) -> sparse.csr_array:
        """The same along slopes, (Q, J)."""
        return self.worth if self.along is None else sparse.csr_array(self.worth @ self.along)

    def hidden(self, evidence: Evidence, log_evidence: FloatArray) -> BoolArray:
        """Levels, (n, L), that take the slow way: a link on an axis is hidden by another one."""
        if self.tied:
            return np.zeros((len(evidence), len(self.model.links.exceed_leak)), dtype=bool)
        return _hidden_levels(self.model, evidence) & np.isfinite(log_evidence)[:, None]

    def mended(
        self,
        evidence: Evidence,
        log_evidence: FloatArray,
        values: sparse.csr_array,
        executor: Backend,
    ) -> tuple[sparse.csr_array, sparse.csr_array | None]:
        """Take derivatives (n, T) by hidden levels the slow way; notes and their worth."""
        hidden = self.hidden(evidence, log_evidence)
        if hidden.any():
            kept = without_levels(values, self.layout, hidden)
            values = kept + _slow_levels(self, evidence, log_evidence, hidden, executor)
        along = None if self.along is None else sparse.csr_array(self.along)
        return sparse.csr_array(values), along


def _swept(asked: ScoreSweep, rows: IntArray, evidence: Evidence) -> CaseScores:
    """Answer a tile by NumPy's sweep."""
    # As all executors, imported when it is chosen.
    from bayesdx.inference.noisy.lockstep.swept_scores import swept_scores

    with np.errstate(over="ignore", invalid="ignore"):
        log_evidence, causes, too_complex, entries = swept_scores(
            asked.model, asked.layout, evidence
        )
        values = entries.matrix(len(rows), np.isfinite(log_evidence), asked.free)
        notes = asked.mended(evidence, log_evidence, values, "numpy")
    return CaseScores(rows, log_evidence, causes, too_complex, *notes)


def _noted(asked: ScoreSweep, rows: IntArray, evidence: Evidence) -> Iterator[CaseScores]:
    """Answer a tile by the compiled sweep; cases that take the slow way by themselves."""
    book = open_book(asked.model, evidence)
    log_evidence, causes, _, status, _ = jit.driver_module().run(asked.model, evidence, book=book)
    notes = book.matrix(np.isfinite(log_evidence))
    found = CaseScores(rows, log_evidence, causes, status != 0, notes, asked.by_note)
    slow, lost = asked.hidden(evidence, log_evidence).any(axis=1), status == jit.LOST
    if lost.any():
        yield _swept(asked, rows[lost], evidence.take(np.flatnonzero(lost)))
    if not (slow | lost).any():
        yield found
        return
    yield found.take(np.flatnonzero(~(slow | lost)))
    own = np.flatnonzero(slow)
    if not len(own):
        return
    values = sparse.csr_array(notes[own] @ asked.worth)
    mended = asked.mended(evidence.take(own), log_evidence[own], values, "compiled")
    yield CaseScores(rows[own], log_evidence[own], causes[own], status[own] != 0, *mended)


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
    asked: ScoreSweep,
    evidence: Evidence,
    log_evidence: FloatArray,
    hidden: BoolArray,
    executor: Backend,
) -> sparse.csr_array:
    """Derivatives by hidden levels: "from lower to upper" is a difference of two absences."""
    model, layout = asked.model, asked.layout
    rows, level = np.nonzero(hidden)
    first = np.array(model.level_offset, dtype=np.intp)
    own = np.searchsorted(first, level, side="right") - 1
    weight = np.where(level == first[own] + evidence.upper[rows, own], 1.0, -1.0)
    columns = len(model.findings) + level
    terms = rows, columns, weight, executor
    found = absence_scores(model, evidence, log_evidence, *terms)
    entries, n_levels = ScoreEntries(layout), hidden.shape[1]
    at, causes = np.nonzero(found[0])
    place = layout.begin(EXCEED) + causes * n_levels + level[at]
    entries.add(rows[at], place, found[0][at, causes])
    entries.add(rows, layout.begin(EXCEED_LEAK) + level, found[1])
    return entries.matrix(len(evidence), np.ones(len(evidence), dtype=bool), asked.free)
