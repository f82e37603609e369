"""How surprising a case is to the model, compared with cases that the model makes itself.

The log evidence of a case depends on how much was asked, so by itself it says little. Here every
case has its own reference: cases drawn from the model of which exactly the same things are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from metrics import Floats, position
from numpy.typing import NDArray

from bayesdx.inference import Evidence, NoisyModel, posteriors
from bayesdx.inference.evidence import stacked
from bayesdx.inference.noisy.reference import reference_cases

#: A case is surprising when its log evidence lies below this quantile of its reference.
QUANTILE = 0.05


@dataclass(frozen=True)
class Surprise:
    """Cases against their own references.

    Attributes
    ----------
    log_evidence : array (N,)
    position : array (N,)
        Share of the reference that lies below, ties half.
    surprising : bool array (N,)
        Below the 5 % quantile of the reference.
    """

    log_evidence: Floats
    position: Floats
    surprising: NDArray[np.bool_]


def surprise(
    model: NoisyModel,
    evidence: Evidence,
    exact: NDArray[np.bool_],
    n_references: int,
    rng: np.random.Generator,
    *,
    keep_risks: bool,
) -> Surprise:
    """Compare each case with references of which the same things are known.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases.
    exact : bool array (N, O)
        Whether the level of an ordinal was asked, not only whether it reaches a threshold.
    n_references : int
        References a case.
    rng : numpy Generator
    keep_risks : bool
        References have the known risks of the case, and only the findings are drawn; otherwise age,
        sex and the other known risks are drawn too.
    """
    parts = [
        reference_cases(
            model,
            evidence.take(np.array([row])),
            exact[row],
            n_references,
            rng,
            keep_risks=keep_risks,
        )
        for row in range(len(evidence))
    ]
    drawn = posteriors(model, stacked(parts), only_evidence=True).log_evidence
    reference = drawn.reshape(len(evidence), n_references)
    own = posteriors(model, evidence, only_evidence=True).log_evidence
    below = np.quantile(reference, QUANTILE, axis=1)
    places = np.array([position(value, ref) for value, ref in zip(own, reference, strict=True)])
    return Surprise(own, places, own < below)
