"""Cases drawn from the network itself, for load tests and self-consistency checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.evidence import Evidence, StateArray, no_evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD


@dataclass(frozen=True, eq=False)
class Sample:
    """N complete cases.

    Attributes
    ----------
    risks : int8 array (N, R)
    causes : bool array (N, C)
    findings : bool array (N, F)
    ordinals : int8 array (N, O)
    """

    risks: StateArray
    causes: BoolArray
    findings: BoolArray
    ordinals: StateArray


def sample_cases(model: NoisyModel, n_cases: int, rng: np.random.Generator) -> Sample:
    """Draw complete cases, each layer given the one above (forward sampling)."""
    risks = np.zeros((n_cases, len(model.risks)), dtype=np.int8)
    for r, prior in enumerate(model.risk_priors):
        risks[:, r] = rng.choice(len(prior), size=n_cases, p=prior)
    present = [
        table[tuple(risks[:, r] for r in parents)]
        for parents, table in zip(model.cause_parents, model.cause_tables, strict=True)
    ]
    draws = rng.random((n_cases, len(model.causes)))
    causes = draws < np.stack([np.broadcast_to(p, n_cases) for p in present], axis=1)
    findings = np.zeros((n_cases, len(model.findings)), dtype=bool)
    for f, name in enumerate(model.findings):
        findings[:, f] = rng.random(n_cases) < _p_present(model, name, causes)
    ordinals = np.zeros((n_cases, len(model.ordinals)), dtype=np.int8)
    for o, name in enumerate(model.ordinals):
        ordinals[:, o] = _ordinal(model, name, causes, rng)
    return Sample(risks, causes, findings, ordinals)


def _p_present(model: NoisyModel, name: str, causes: BoolArray) -> FloatArray:
    cpd = model.network.cpds[name]
    assert isinstance(cpd, NoisyOrCPD)
    acting = causes[:, [model.causes.index(c) for c in cpd.activators]]
    lowering = causes[:, [model.causes.index(c) for c in cpd.inhibitors]]
    leak = cpd.leak * np.prod(np.where(lowering, cpd.factors, 1.0), axis=1)
    absent = (1.0 - leak) * np.prod(np.where(acting, 1.0 - cpd.strengths, 1.0), axis=1)
    result: FloatArray = 1.0 - absent
    return result


def _ordinal(model: NoisyModel, name: str, causes: BoolArray, rng: np.random.Generator) -> IntArray:
    cpd = model.network.cpds[name]
    assert isinstance(cpd, NoisyMaxCPD)
    acting = causes[:, [model.causes.index(c) for c in cpd.parents]]
    kept = np.where(acting[:, :, None], 1.0 - cpd.strengths, 1.0).prod(axis=1)
    below = (1.0 - cpd.leak) * kept
    result: IntArray = (rng.random(len(causes))[:, None] >= below).sum(axis=1)
    return result


def observe(
    model: NoisyModel,
    sample: Sample,
    rng: np.random.Generator,
    *,
    asked: tuple[float, float] = (0.20, 0.35),
    risks_asked: tuple[float, float] | None = None,
) -> Evidence:
    """Hide part of each case: every finding is asked with a rate drawn once a case.

    Parameters
    ----------
    model : NoisyModel
    sample : Sample
    rng : numpy Generator
    asked : (float, float)
        Range of the rate at which findings are asked.
    risks_asked : (float, float), optional
        The same for risks; ``asked`` when not given.
    """
    n_cases = len(sample.causes)
    blank = no_evidence(model, n_cases)
    rate = rng.uniform(*asked, size=(n_cases, 1))
    known = rng.random(sample.findings.shape) < rate
    known_ordinals = rng.random(sample.ordinals.shape) < rate
    risk_rate = rng.uniform(*(risks_asked or asked), size=(n_cases, 1))
    known_risks = rng.random(sample.risks.shape) < risk_rate
    return Evidence(
        findings=np.where(known, sample.findings, np.nan),
        lower=np.where(known_ordinals, sample.ordinals, blank.lower),
        upper=np.where(known_ordinals, sample.ordinals, blank.upper),
        risks=np.where(known_risks, sample.risks, blank.risks),
        causes=blank.causes,
    )
