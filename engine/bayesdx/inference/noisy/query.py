"""Posteriors of a batch of cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.condition import Problem, absorb, count_axes, without_causes
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.sweep import sweep, unlinked_log_evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, NoisyModel

#: Cases prepared together: enough to amortise array calls, few enough to stay in memory.
CHUNK = 8192

#: Who does the arithmetic: NumPy on many cases at once, or a compiled loop over single cases.
Backend = Literal["auto", "numpy", "compiled"]


@dataclass(frozen=True, eq=False)
class Answer:
    """Posteriors of N cases.

    Attributes
    ----------
    log_evidence : array (N,)
        Natural log of P(evidence), ``-inf`` where it is impossible.
    causes : array (N, C)
        P(cause present | evidence); 0 where the evidence is impossible (see ``possible``). Shape
        (N, 0) when only the evidence was asked for.
    log_without : array (N,) or (0,)
        Natural log of P(evidence, chosen causes absent), when asked for.
    """

    log_evidence: FloatArray
    causes: FloatArray
    log_without: FloatArray

    @property
    def possible(self) -> BoolArray:
        """Whether the evidence of each case has a positive probability."""
        return ~np.isneginf(self.log_evidence)


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
        "auto" takes it where it is installed and there are ``jit.LEAST_CASES`` cases or more.
    workers : int, optional
        Threads of the compiled backend, as many as there are cores by default; the answer does not
        depend on it.

    Returns
    -------
    Answer

    Raises
    ------
    BayesdxError
        If a case couples more findings than can be summed over (see ``ordering``), or the backend
        asked for is not there.
    """
    if _is_compiled(backend, model, len(evidence)):
        driver = jit.driver_module()
        return Answer(
            *driver.run(
                model, evidence, only_evidence=only_evidence, without=without, workers=workers
            )
        )
    return _by_numpy(model, evidence, chunk, only_evidence, without)


def _by_numpy(
    model: NoisyModel,
    evidence: Evidence,
    chunk: int,
    only_evidence: bool,
    without: BoolArray | None,
) -> Answer:
    n_cases = len(evidence)
    log_evidence = np.empty(n_cases)
    causes = np.empty((n_cases, 0 if only_evidence else len(model.causes)))
    log_without = np.empty(0 if without is None else n_cases)
    # Cases with as many axes side by side: their arrays have little padding and equal shapes.
    order = np.argsort(count_axes(model, evidence), kind="stable")
    for first in range(0, n_cases, chunk):
        rows = order[first : first + chunk]
        problem = absorb(model, evidence.take(rows))
        plan = plan_sweep(model, problem, rows)
        log_evidence[rows], causes[rows] = sweep(model, problem, plan, posteriors=not only_evidence)
        if without is not None:
            log_without[rows] = _evidence_without(model, problem, without)
    return Answer(log_evidence, causes, log_without)


def _is_compiled(backend: Backend, model: NoisyModel, n_cases: int) -> bool:
    if backend == "auto":
        return n_cases >= jit.LEAST_CASES and jit.installed() and model.arrays is not None
    if backend == "compiled" and not jit.installed():
        raise BayesdxError(Fault("backend", "numba, of the extra 'fast'", Phrase("no numba")))
    if backend == "compiled" and model.arrays is None:
        raise BayesdxError(Fault("backend", "smaller tables of causes", Phrase("too large ones")))
    if backend not in ("numpy", "compiled"):
        raise BayesdxError(Fault("backend", "auto, numpy or compiled", backend))
    return backend == "compiled"


def _evidence_without(model: NoisyModel, problem: Problem, absent: BoolArray) -> FloatArray:
    rest = without_causes(model, problem, absent)
    result = unlinked_log_evidence(model, rest)
    # Where risks are known, few cases have anything left that couples.
    linked = np.flatnonzero(rest.mask.any(axis=1))
    if len(linked):
        part = rest.take(linked)
        result[linked], _ = sweep(model, part, plan_sweep(model, part), posteriors=False)
    return result
