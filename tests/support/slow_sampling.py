"""Cases drawn the obvious way, variable by variable: the judge of the quick sampler."""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.sampling import Sample
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD


def sample_slowly(model: NoisyModel, n_cases: int, rng: np.random.Generator) -> Sample:
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
