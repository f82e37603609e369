"""Posteriors of N cases of different structure in plain NumPy, a portion of them at a time."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.condition import (
    Problem,
    absorb,
    count_axes,
    symptom_weights,
    without_causes,
)
from bayesdx.inference.noisy.limits import MAX_AXES
from bayesdx.inference.noisy.lockstep.plan import plan_sweep
from bayesdx.inference.noisy.lockstep.production import Production
from bayesdx.inference.noisy.lockstep.sweep import sweep, unlinked_log_evidence
from bayesdx.inference.noisy.model import NoisyModel


def answer_cases(
    model: NoisyModel,
    evidence: Evidence,
    chunk: int,
    only_evidence: bool,
    without: BoolArray | None,
    symptoms: FloatArray | None = None,
    asked: BoolArray | None = None,
) -> Answer:
    """Answer every case; see `bayesdx.inference.noisy.query.posteriors` for the parameters."""
    n_cases = len(evidence)
    log_evidence = np.full(n_cases, -np.inf)
    causes = np.zeros((n_cases, 0 if only_evidence else len(model.causes)))
    log_without = np.full(0 if without is None else n_cases, -np.inf)
    too_complex = np.ones(n_cases, dtype=bool)
    split = np.zeros((2, 0 if symptoms is None else n_cases, len(model.causes)))
    # Cases with as many axes side by side: their arrays have little padding and equal shapes.
    n_axes = count_axes(model, evidence)
    order = np.argsort(n_axes, kind="stable")[: int((n_axes <= MAX_AXES).sum())]
    for first in range(0, len(order), chunk):
        rows = order[first : first + chunk]
        wanted = None if asked is None else asked[rows]
        part = _portion(model, evidence.take(rows), only_evidence, without, symptoms, wanted)
        log_evidence[rows], causes[rows], too_complex[rows] = part[0], part[1], part[3]
        if without is not None:
            log_without[rows] = part[2]
        if symptoms is not None:
            split[:, rows] = part[4]
    return Answer(log_evidence, causes, log_without, too_complex, split[0], split[1])


def _portion(
    model: NoisyModel,
    evidence: Evidence,
    only_evidence: bool,
    without: BoolArray | None,
    symptoms: FloatArray | None,
    asked: BoolArray | None,
) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray]:
    """The fields of an `Answer` of cases that are swept together."""
    if only_evidence:
        asked = np.zeros((len(evidence), len(model.causes)), dtype=bool)
    if asked is not None and without is not None:
        asked = asked | without
    problem = absorb(model, evidence, asked)
    plan, made = plan_sweep(model, problem, credited=symptoms is not None), None
    if symptoms is not None:
        weights = symptom_weights(model, evidence, problem.axis, symptoms)
        made = Production(weights, len(model.causes))
    log_evidence, causes = sweep(
        model, problem, plan, posteriors=not only_evidence, production=made
    )
    log_without, refused = np.empty(0), plan.refused
    if without is not None:
        log_without, more = _evidence_without(model, problem, without)
        refused = np.union1d(refused, more)
        log_without[refused] = -np.inf
    too_complex = np.zeros(len(evidence), dtype=bool)
    too_complex[refused], log_evidence[refused], causes[refused] = True, -np.inf, 0.0
    split = np.zeros((2, 0, 0))
    if made is not None:
        split = np.stack([np.clip(causes - made.idle, 0.0, causes), made.explained])
        split[:, np.isneginf(log_evidence)] = 0.0
    return log_evidence, causes, log_without, too_complex, split


def _evidence_without(
    model: NoisyModel, problem: Problem, absent: BoolArray
) -> tuple[FloatArray, IntArray]:
    """Log evidence with some causes absent, and the rows that are refused.

    Without them hardly anything couples: to plan and sum out what is left takes less than a second
    set of weights taken through the steps of the first question, and less than its rows added to
    that sweep (measured: 4 of 50 us where risks are known, against 12 and 6).
    """
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
