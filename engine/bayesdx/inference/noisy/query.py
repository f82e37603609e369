"""Posteriors of a batch of cases."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bayesdx.errors import Fault, Phrase, TooComplex
from bayesdx.inference.evidence import Evidence, StateArray
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.choice import Backend, takes_compiled
from bayesdx.inference.noisy.condition import Problem, absorb, count_axes, without_causes
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.sweep import sweep, unlinked_log_evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel

#: Cases prepared together: enough to amortise array calls, few enough to stay in memory.
CHUNK = 8192

#: Codes of `Answer.status`.
ANSWERED, IMPOSSIBLE, TOO_COMPLEX = range(3)


@dataclass(frozen=True, eq=False)
class Answer:
    """Posteriors of N cases.

    Attributes
    ----------
    log_evidence : array (N,)
        Natural log of P(evidence), ``-inf`` where it is impossible. Also ``-inf``, the bound that
        always holds, where the case is too complex: ``status`` tells the two apart.
    causes : array (N, C)
        P(cause present | evidence); 0 where there is no answer. Shape (N, 0) when only the evidence
        was asked for.
    log_without : array (N,) or (0,)
        Natural log of P(evidence, chosen causes absent), when asked for.
    too_complex : bool array (N,) or (0,)
        Cases beyond the limits of `bayesdx.inference.noisy.limits`; empty where there are none.
    """

    log_evidence: FloatArray
    causes: FloatArray
    log_without: FloatArray
    too_complex: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @property
    def possible(self) -> BoolArray:
        """Which cases were answered: their evidence has a positive probability."""
        return ~np.isneginf(self.log_evidence)

    @property
    def status(self) -> StateArray:
        """Code of each case, (N,): ``ANSWERED``, ``IMPOSSIBLE`` or ``TOO_COMPLEX``."""
        status = np.where(self.possible, ANSWERED, IMPOSSIBLE).astype(np.int8)
        if len(self.too_complex):
            status[self.too_complex] = TOO_COMPLEX
        return status

    def complete(self) -> Answer:
        """Return the answer itself, for those who cannot do without any row.

        Raises
        ------
        TooComplex
            If a case is beyond the limits.
        """
        if self.too_complex.any():
            row = int(self.too_complex.argmax())
            expected = "findings and risks that couple less"
            raise TooComplex(Fault(f"case {row}", expected, Phrase("too complex a case")))
        return self


def posteriors(
    model: NoisyModel,
    evidence: Evidence,
    *,
    chunk: int = CHUNK,
    only_evidence: bool = False,
    without: BoolArray | None = None,
    backend: Backend = "auto",
    workers: int | None = None,
) -> Answer:
    """Answer every case exactly.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
    chunk : int
        Cases prepared together; the answer does not depend on it.
    only_evidence : bool
        Skip the backward pass; ``causes`` is then empty.
    without : bool array (C,), optional
        Causes to assume absent for ``log_without``.
    backend : {"auto", "numpy", "compiled"}
        "compiled" needs numba (``pip install 'bayesdx[fast]'``) and agrees with "numpy" to 1e-12;
        "auto" takes what is sooner done, see `bayesdx.inference.noisy.choice`.
    workers : int, optional
        Threads of the compiled backend, as many as there are cores by default; the answer does not
        depend on it.

    Returns
    -------
    Answer

    Raises
    ------
    BayesdxError
        If the backend asked for is not there.
    """
    if not takes_compiled(backend, model, evidence):
        return _by_numpy(model, evidence, chunk, only_evidence, without)
    driver = jit.driver_module()
    log_evidence, causes, log_without, status = driver.run(
        model, evidence, only_evidence=only_evidence, without=without, workers=workers
    )
    # Cases for which an order must be searched, or none is cheap enough: one judge for both.
    answer = Answer(log_evidence, causes, log_without, status != 0)
    rows = np.flatnonzero(status)
    if len(rows):
        other = _by_numpy(model, evidence.take(rows), chunk, only_evidence, without)
        _write(answer, rows, other)
    return answer


def _write(target: Answer, rows: IntArray, part: Answer) -> None:
    """Write the answers of some rows."""
    target.log_evidence[rows], target.causes[rows] = part.log_evidence, part.causes
    target.too_complex[rows] = part.too_complex
    if len(target.log_without):
        target.log_without[rows] = part.log_without


def _by_numpy(
    model: NoisyModel,
    evidence: Evidence,
    chunk: int,
    only_evidence: bool,
    without: BoolArray | None,
) -> Answer:
    n_cases = len(evidence)
    answer = Answer(
        log_evidence=np.full(n_cases, -np.inf),
        causes=np.zeros((n_cases, 0 if only_evidence else len(model.causes))),
        log_without=np.full(0 if without is None else n_cases, -np.inf),
        too_complex=np.ones(n_cases, dtype=bool),
    )
    # Cases with as many axes side by side: their arrays have little padding and equal shapes.
    n_axes = count_axes(model, evidence)
    order = np.argsort(n_axes, kind="stable")[: int((n_axes <= MAX_AXES).sum())]
    for first in range(0, len(order), chunk):
        rows = order[first : first + chunk]
        _write(answer, rows, _by_lockstep(model, evidence.take(rows), only_evidence, without))
    return answer


def _by_lockstep(
    model: NoisyModel, evidence: Evidence, only_evidence: bool, without: BoolArray | None
) -> Answer:
    problem = absorb(model, evidence)
    plan = plan_sweep(model, problem)
    log_evidence, causes = sweep(model, problem, plan, posteriors=not only_evidence)
    log_without, refused = np.empty(0), plan.refused
    if without is not None:
        log_without, more = _evidence_without(model, problem, without)
        refused = np.union1d(refused, more)
        log_without[refused] = -np.inf
    too_complex = np.zeros(len(evidence), dtype=bool)
    too_complex[refused], log_evidence[refused], causes[refused] = True, -np.inf, 0.0
    return Answer(log_evidence, causes, log_without, too_complex)


def _evidence_without(
    model: NoisyModel, problem: Problem, absent: BoolArray
) -> tuple[FloatArray, IntArray]:
    """Log evidence with some causes absent, and the rows that are refused."""
    rest = without_causes(model, problem, absent)
    result = unlinked_log_evidence(model, rest)
    # Where risks are known, few cases have anything left that couples.
    linked = np.flatnonzero(rest.mask.any(axis=1))
    if not len(linked):
        return result, linked
    part = rest.take(linked)
    plan = plan_sweep(model, part)
    result[linked], _ = sweep(model, part, plan, posteriors=False)
    return result, linked[plan.refused]
