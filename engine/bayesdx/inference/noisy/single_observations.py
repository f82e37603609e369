"""Observations one at a time: which there are, each by itself, and the case without each.

The Q variables that can be observed are the findings, the ordinal findings and the risks, in this
order, each in the order of the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, frozen
from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors


def observable(model: NoisyModel) -> tuple[str, ...]:
    """Return the names of what can be observed (Q,)."""
    return (*model.findings, *model.ordinals, *model.risks)


def observed(model: NoisyModel, evidence: Evidence) -> BoolArray:
    """Return of which variables something is known, (N, Q)."""
    full = np.array(model.ordinal_sizes, dtype=np.int8) - 1
    bounded = (evidence.lower > 0) | (evidence.upper < full)
    known: BoolArray = np.hstack([~np.isnan(evidence.findings), bounded, evidence.risks >= 0])
    return known


def without_each(model: NoisyModel, evidence: Evidence) -> tuple[Evidence, IntArray, IntArray]:
    """Return every case once for each of its observations, without it.

    Returns
    -------
    rows : Evidence
        Of M cases.
    case, variable : int arrays (M,)
        Which case, and which of the Q variables is not known any more.
    """
    case, variable = np.nonzero(observed(model, evidence))
    rows = evidence.take(case)
    split = np.cumsum([0, len(model.findings), len(model.ordinals), len(model.risks)])

    def of_kind(kind: int) -> tuple[IntArray, IntArray]:
        at = np.flatnonzero((variable >= split[kind]) & (variable < split[kind + 1]))
        return at, variable[at] - split[kind]

    rows.findings[of_kind(0)] = np.nan
    at, ordinal = of_kind(1)
    rows.lower[at, ordinal] = 0
    rows.upper[at, ordinal] = np.array(model.ordinal_sizes, dtype=np.int8)[ordinal] - 1
    rows.risks[of_kind(2)] = -1
    return rows, case, variable


@dataclass(frozen=True, eq=False)
class SingleObservations:
    """Log P of every observation by itself, nothing else known.

    Attributes
    ----------
    findings : array (F, 2)
        Absent, present.
    intervals : array (O, S, S)
        That the level is between two, inclusively.
    risks : array (R, S)
    """

    findings: FloatArray
    intervals: FloatArray
    risks: FloatArray

    def log_alone(self, evidence: Evidence) -> FloatArray:
        """Return log P of what is known of each variable of N cases, (N, Q); 0 if nothing is.

        Soft evidence p is P(present) p + P(absent) (1 - p).
        """
        value = np.nan_to_num(evidence.findings, nan=-1.0)
        found = np.where(value == 1.0, self.findings[:, 1], self.findings[:, 0])
        soft = (value > 0.0) & (value < 1.0)
        if soft.any():
            column, p = np.nonzero(soft)[1], value[soft]
            absent, present = self.findings[column].T
            found[soft] = np.logaddexp(present + np.log(p), absent + np.log1p(-p))
        levels = np.arange(len(self.intervals))
        between = self.intervals[levels, evidence.lower, evidence.upper]
        held = self.risks[np.arange(len(self.risks)), evidence.risks]
        return np.hstack(
            [np.where(value < 0.0, 0.0, found), between, np.where(evidence.risks < 0, 0.0, held)]
        )


def single_observations(model: NoisyModel, backend: Backend = "auto") -> SingleObservations:
    """Ask for each single observation once."""
    split = len(model.findings)
    sizes = np.array(model.ordinal_sizes, dtype=np.intp)
    states = np.array([len(prior) for prior in model.risk_priors], dtype=np.intp)
    level = np.arange(sizes.max(initial=1))
    between = (level[:, None] <= level) & (level < sizes[:, None, None])
    ordinal, low, high = np.nonzero(between)
    risk, state = np.nonzero(np.arange(states.max(initial=0)) < states[:, None])
    begin = np.cumsum([0, 2 * split, len(ordinal), len(risk)])
    of_findings, of_ordinals, of_risks = map(np.arange, begin, begin[1:])
    rows = no_evidence(model, int(begin[-1]))
    rows.findings[of_findings, of_findings // 2] = of_findings % 2
    rows.lower[of_ordinals, ordinal], rows.upper[of_ordinals, ordinal] = low, high
    rows.risks[of_risks, risk] = state
    logs = posteriors(model, rows, only_evidence=True, backend=backend).complete().log_evidence
    intervals, risks = np.zeros(between.shape), np.zeros((len(states), states.max(initial=0)))
    intervals[ordinal, low, high] = logs[of_ordinals]
    risks[risk, state] = logs[of_risks]
    # An interval of all levels says nothing: exactly so.
    intervals[np.arange(len(sizes)), 0, sizes - 1] = 0.0
    return SingleObservations(
        frozen(logs[of_findings].reshape(split, 2)), frozen(intervals), frozen(risks)
    )
