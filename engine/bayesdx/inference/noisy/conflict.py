"""Whether observations go together, one by one and as a whole; and what the background explains.

The measure of a whole case is that of Jensen, Chamberlain, Nordahl and Jensen (1991), "Analysis in
HUGIN of data conflict", UAI 6: log (P(f1) P(f2) ... / P(f1, f2, ...)). Above 0 the observations are
less probable together than they would be if they had nothing to do with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.arrays import FloatArray, frozen
from bayesdx.inference.evidence import Evidence, no_evidence, stacked, turned_absent
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.derivatives import change_of_evidence
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors


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


def conflicts(model: NoisyModel, evidence: Evidence, *, backend: Backend = "auto") -> Conflict:
    """Set every observation of one case against the others.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case, no cause clamped.
    backend : {"auto", "numpy", "compiled"}

    Returns
    -------
    Conflict
    """
    blank = no_evidence(model, 1)
    names = observed(model, evidence)
    alone = [_moved(model, evidence, blank, name) for name in names]
    rest = [_moved(model, blank, evidence, name) for name in names]
    rows = stacked([evidence, *alone, *rest])
    log_evidence = (
        posteriors(model, rows, only_evidence=True, backend=backend).complete().log_evidence
    )
    whole, n = float(log_evidence[0]), len(names)
    log_alone, log_rest = log_evidence[1 : n + 1], log_evidence[n + 1 :]
    given = np.full(n, -np.inf)
    np.subtract(whole, log_rest, out=given, where=~np.isneginf(log_rest))
    total = float(log_alone.sum())
    return Conflict(
        names=names,
        log_alone=frozen(log_alone),
        log_given_rest=frozen(given),
        log_evidence=whole,
        conflict=np.inf if np.isneginf(whole) else total - whole,
    )


def observed(model: NoisyModel, evidence: Evidence) -> tuple[str, ...]:
    """Names of the findings, ordinal findings and risks that something is known of."""
    full = np.array(model.ordinal_sizes, dtype=np.int8) - 1
    binary = ~np.isnan(evidence.findings[0])
    bounded = (evidence.lower[0] > 0) | (evidence.upper[0] < full)
    known = evidence.risks[0] >= 0
    tables = ((model.findings, binary), (model.ordinals, bounded), (model.risks, known))
    return tuple(
        name for names, mask in tables for name, hit in zip(names, mask, strict=True) if hit
    )


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


def _moved(model: NoisyModel, source: Evidence, target: Evidence, name: str) -> Evidence:
    """Return ``target`` with what ``source`` says of one variable."""
    findings, risks = target.findings.copy(), target.risks.copy()
    lower, upper = target.lower.copy(), target.upper.copy()
    if name in model.findings:
        f = model.findings.index(name)
        findings[0, f] = source.findings[0, f]
    elif name in model.ordinals:
        o = model.ordinals.index(name)
        lower[0, o], upper[0, o] = source.lower[0, o], source.upper[0, o]
    else:
        r = model.risks.index(name)
        risks[0, r] = source.risks[0, r]
    return Evidence(findings, lower, upper, risks, target.causes)
