"""Posteriors of a batch of cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.absorb import absorb
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.model import BoolArray, DiagnosisModel, FloatArray
from bayesdx.inference.ordering import schedule
from bayesdx.inference.sweep import sweep

#: Cases absorbed together: enough to amortise array calls, few enough to stay in memory.
CHUNK = 8192


@dataclass(frozen=True, eq=False)
class Answer:
    """Posteriors of N cases.

    Attributes
    ----------
    log_evidence : array (N,)
        Natural log of P(evidence), ``-inf`` where it is impossible.
    causes : array (N, C)
        P(cause present | evidence); 0 where the evidence is impossible (see ``possible``).
    """

    log_evidence: FloatArray
    causes: FloatArray

    @property
    def possible(self) -> BoolArray:
        """Whether the evidence of each case has a positive probability."""
        return ~np.isneginf(self.log_evidence)


def posteriors(
    model: DiagnosisModel, evidence: Evidence, *, chunk: int = CHUNK, only_evidence: bool = False
) -> Answer:
    """Answer every case exactly.

    Parameters
    ----------
    model : DiagnosisModel
    evidence : Evidence
    chunk : int
        Cases computed together; the answer does not depend on it.
    only_evidence : bool
        Skip the backward pass; ``causes`` is then empty.

    Returns
    -------
    Answer

    Raises
    ------
    BayesdxError
        If a case couples more findings than can be summed over (see ``ordering``).
    """
    n_cases = len(evidence)
    log_evidence = np.empty(n_cases)
    causes = np.empty((n_cases, 0 if only_evidence else len(model.causes)))
    for first in range(0, n_cases, chunk):
        rows = slice(first, min(first + chunk, n_cases))
        problem = absorb(model, evidence.take(rows))
        plan = schedule(model, problem)
        log_evidence[rows], causes[rows] = sweep(model, problem, plan, posteriors=not only_evidence)
    return Answer(log_evidence, causes)
