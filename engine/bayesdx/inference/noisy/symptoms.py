"""Which causes explain the findings that are present: the order that explains.

A posterior is high for common causes whether or not they explain anything. With the *symptoms* of a
case (binary findings known to be present for certain, ordinal ones above their lowest level; soft
evidence is evidence and no symptom) two further quantities come out of the same sweep:

* *plays a part*: P(cause present, and a link of it produced at least one symptom | evidence). What
  is left of the posterior is the case without the links of the cause to its symptoms (inhibitions
  stay), times the product of what these links leave.
* *share of the picture explained*: of each symptom a cause is credited with the mean of "nothing
  else would have produced it" (expected disablement) and "its link acted" (expected sufficiency;
  `bayesdx.inference.noisy.counterfactual`), which divides a symptom equally between two that
  produced it. Symptoms are weighed by -ln P(symptom), so that rare signs count for more. What no
  cause is credited with is the background's. Where three and more produce one symptom the credits
  can add up to more than the picture; they are then divided by their sum.

Credits are exact to rounding, whatever is known of the risks.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, no_evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors


def prior_weights(model: NoisyModel, backend: Backend = "auto") -> FloatArray:
    """Weigh every symptom by how rare it is.

    Parameters
    ----------
    model : NoisyModel
    backend : {"auto", "numpy", "compiled"}

    Returns
    -------
    array (U,)
        -ln P(symptom) in nats, 0 or more, of every axis that can be one: in the prior network, that
        is conditioned on nothing, neither risks nor other findings, so that a sign weighs the same
        in every case. 0 for what cannot be; -1 for other axes.
    """
    axes, n_findings = model.axes, len(model.findings)
    ordinal, low, high = np.nonzero(axes.exceed >= 0)
    rows = no_evidence(model, n_findings + len(ordinal))
    findings, lower, upper = rows.findings.copy(), rows.lower.copy(), rows.upper.copy()
    at = np.arange(n_findings)
    findings[at, at] = 1.0
    at = n_findings + np.arange(len(ordinal))
    lower[at, ordinal], upper[at, ordinal] = low, high
    one_each = Evidence(findings, lower, upper, rows.risks, rows.causes)
    answer = posteriors(model, one_each, only_evidence=True, backend=backend).complete()
    weights = np.full(len(axes.classes), -1.0)
    symptoms = np.concatenate([np.arange(n_findings), axes.exceed[ordinal, low, high]])
    weights[symptoms] = np.where(answer.possible, np.maximum(-answer.log_evidence, 0.0), 0.0)
    return weights


def picture(model: NoisyModel, evidence: Evidence, weights: FloatArray) -> FloatArray:
    """Sum the weights of the symptoms of each case, (N,)."""
    total: FloatArray = (evidence.findings == 1.0) @ weights[: len(model.findings)]
    which = np.arange(len(model.ordinals))
    axis = model.axes.exceed[which, evidence.lower, evidence.upper]
    reached: BoolArray = axis >= 0
    total += np.where(reached, weights[axis], 0.0).sum(axis=1)
    return total


def shares(credit: FloatArray, total: FloatArray) -> FloatArray:
    """Divide the picture among causes and the background.

    Parameters
    ----------
    credit : array (N, C)
        Of `posteriors`.
    total : array (N,)
        Of `picture`.

    Returns
    -------
    array (N, C + 1)
        Share of each cause and last of the background, from 0 to 1; rows add up to 1. All is the
        background's where there are no symptoms, or no answer.
    """
    claimed = np.maximum(total, credit.sum(axis=1))[:, None]
    explained = np.divide(credit, claimed, out=np.zeros_like(credit), where=claimed > 0.0)
    rest = np.clip(1.0 - explained.sum(axis=1), 0.0, 1.0)
    return np.hstack([explained, rest[:, None]])
