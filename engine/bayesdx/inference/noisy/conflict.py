"""Whether observations go together, one by one and as a whole; and what the background explains.

The measure of a whole case is that of Jensen, Chamberlain, Nordahl and Jensen (1991), "Analysis in
HUGIN of data conflict", UAI 6: log (P(f1) P(f2) ... / P(f1, f2, ...)). Above 0 the observations are
less probable together than they would be if they had nothing to do with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.arrays import FloatArray, frozen
from bayesdx.inference.evidence import Evidence, stacked, turned_absent
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.derivatives import change_of_evidence
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors
from bayesdx.inference.noisy.single_observations import (
    SingleObservations,
    observable,
    single_observations,
    without_each,
)


@dataclass(frozen=True, eq=False)
class Conflict:
    """The O observations of one case against each other.

    Attributes
    ----------
    names : tuple of str
        Findings, ordinal findings and risks that something is known of.
    log_alone : array (O,)
        Log P(observation).
    log_given_rest : array (O,)
        Log P(observation | all others); ``-inf`` where that is impossible.
    log_evidence : float
    conflict : float
        Jensen's measure in nats; ``inf`` where the case is impossible.
    """

    names: tuple[str, ...]
    log_alone: FloatArray
    log_given_rest: FloatArray
    log_evidence: float
    conflict: float


def conflicts(
    model: NoisyModel,
    evidence: Evidence,
    single: SingleObservations | None = None,
    *,
    backend: Backend = "auto",
) -> list[Conflict]:
    """Set every observation of N cases against the others of its case.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases, no cause clamped.
    single : SingleObservations, optional
        Of the model, where it is there already.
    backend : {"auto", "numpy", "compiled"}
    """
    single = single_observations(model, backend) if single is None else single
    rest, case, variable = without_each(model, evidence)
    rows = stacked([evidence, rest])
    answer = posteriors(model, rows, only_evidence=True, backend=backend).complete()
    wholes, log_rest = answer.log_evidence[: len(evidence)], answer.log_evidence[len(evidence) :]
    given = np.full(len(rest), -np.inf)
    np.subtract(wholes[case], log_rest, out=given, where=~np.isneginf(log_rest))
    alone = single.log_alone(evidence)[case, variable]
    names = observable(model)
    bounds = np.searchsorted(case, np.arange(len(evidence) + 1))
    return [
        Conflict(
            names=tuple(names[at] for at in variable[begin:end]),
            log_alone=frozen(alone[begin:end]),
            log_given_rest=frozen(given[begin:end]),
            log_evidence=whole,
            conflict=np.inf if np.isneginf(whole) else float(alone[begin:end].sum()) - whole,
        )
        for whole, begin, end in zip(wholes.tolist(), bounds, bounds[1:], strict=False)
    ]


def background_shares(
    model: NoisyModel, evidence: Evidence, *, backend: Backend = "auto"
) -> dict[str, float]:
    """P(no modelled cause made the finding present | evidence), of each finding known present.

    The finding is then there by its background alone: the leak acts, and no link of a present
    cause does.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case.
    backend : {"auto", "numpy", "compiled"}

    Returns
    -------
    dict of finding to float
        Empty where the evidence is impossible.
    """
    own = posteriors(model, evidence, only_evidence=True, backend=backend).complete().log_evidence
    if np.isneginf(own[0]):
        return {}
    links, leak = model.links, model.links.leak
    present = np.flatnonzero(evidence.findings[0] == 1.0)
    # The leak of a finding without inhibitors explains it where it would be absent otherwise.
    turned = turned_absent(model, evidence, np.zeros(len(present), dtype=np.intp), present)
    absent = posteriors(model, turned, only_evidence=True, backend=backend).complete().log_evidence
    share = np.zeros(len(present))
    np.divide(leak[present], 1.0 - leak[present], out=share, where=leak[present] < 1.0)
    share *= np.exp(absent - own[0])
    for at in np.flatnonzero((model.axes.sizes[present] > 2) | (leak[present] >= 1.0)):
        lost = np.where(np.arange(len(leak)) == present[at], 0.0, leak)
        bare = with_numbers(model, links=replace(links, leak=lost))
        share[at] = -change_of_evidence(bare, evidence, own, backend)[0]
    names = [model.findings[f] for f in present]
    return dict(zip(names, np.clip(share, 0.0, 1.0).tolist(), strict=True))
