"""Causal ranking: what would go away without a cause, and what would stay with it alone.

Richens, Lee and Johri (2020), "Improving the accuracy of medical diagnosis with causal machine
learning", Nature Communications 11, 3923, doi:10.1038/s41467-020-17419-7, rank diseases by two
expectations over the twin network, in which the actual and a hypothetical world share every
exogenous variable (here: whether the link of a present cause acts, and whether the leak does):

* *expected disablement* of a cause: how many of the symptoms that are present would not be, had
  the cause been prevented;
* *expected sufficiency*: how many of them would be, had every other of their causes, the leak
  included, been prevented.

Neither needs the twin network. With P(f absent, rest) a product over causes, the joint probability
of the evidence, of cause c, and of "nothing else makes f present" is

    off = P(c, f absent, rest) / (1 - z)

where z is the strength of the link from c to f. Prevention of c removes f exactly when nothing else
makes it present and the link acts, z * off. Alone, c keeps f when the link acts whatever else does:
z * P(c, rest without f) = z * (P(c, evidence) + (1 - z) * off). So one further row a present
finding answers for all causes, where inclusion and exclusion over the findings, as in the paper,
takes exponentially many. Levels of an ordinal finding go the same way, "at least the lowest level
that fits" in the place of "present".

A symptom is a finding known to be present for certain, or an ordinal one known to be above its
lowest level. Soft evidence counts as evidence and not as a symptom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, frozen
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.derivatives import relative_change
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import Answer, Backend, posteriors
from bayesdx.network import NoisyMaxCPD, NoisyOrCPD


@dataclass(frozen=True, eq=False)
class CausalRanking:
    """Posteriors and counterfactual expectations of N cases, all 0 where evidence is impossible.

    Attributes
    ----------
    log_evidence : array (N,)
    posterior : array (N, C)
    disablement, sufficiency : arrays (N, C)
        In symptoms, from 0 to ``symptoms``.
    symptoms : int array (N,)
        How many symptoms the case has.
    """

    log_evidence: FloatArray
    posterior: FloatArray
    disablement: FloatArray
    sufficiency: FloatArray
    symptoms: IntArray


@dataclass(frozen=True, eq=False)
class _Symptoms:
    """T symptoms of the cases of a batch.

    Attributes
    ----------
    rows : int array (T,)
        The case.
    names : tuple of str (T,)
    reached : array (T, C)
        P(the link of a cause alone reaches the symptom), z.
    within : array (T, C)
        P(it reaches the symptom and does not go beyond what was seen).
    above : array (T, C)
        P(it goes beyond what was seen); 0 for binary findings.
    turned : Evidence
        The case with the symptom turned to "not reached".
    bounded : Evidence
        The case with the symptom turned to "not beyond what was seen".
    """

    rows: IntArray
    names: tuple[str, ...]
    reached: FloatArray
    within: FloatArray
    above: FloatArray
    turned: Evidence
    bounded: Evidence


def causal_ranking(
    model: NoisyModel, evidence: Evidence, *, backend: Backend = "auto"
) -> CausalRanking:
    """Return expected disablement and expected sufficiency of every cause, exactly.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases.
    backend : {"auto", "numpy", "compiled"}
        See `bayesdx.inference.posteriors`.

    Returns
    -------
    CausalRanking

    Raises
    ------
    BayesdxError
        As `bayesdx.inference.posteriors`.
    """
    base = posteriors(model, evidence, backend=backend).complete()
    disablement, sufficiency = np.zeros_like(base.causes), np.zeros_like(base.causes)
    counts = np.zeros(len(evidence), dtype=np.intp)
    for part in (_binary(model, evidence), _ordinal(model, evidence)):
        kept = part.reached < 1.0
        off = _joint(model, part, part.turned, base, backend)
        np.divide(off, 1.0 - part.reached, out=off, where=kept)
        for t, c in np.argwhere(~kept):
            off[t, c] = _without_link(model, part, base, int(t), int(c))
        lost = part.within * off
        # P(c, what was seen is not exceeded by anything else) / P(evidence)
        open_to = base.causes[part.rows] + (1.0 - part.reached) * off
        if part.above.any() or len(part.bounded):
            beyond = _joint(model, part, part.bounded, base, backend)
            open_to = np.divide(
                beyond, 1.0 - part.above, out=np.zeros_like(beyond), where=part.above < 1.0
            )
        np.add.at(disablement, part.rows, lost)
        np.add.at(sufficiency, part.rows, part.within * open_to)
        counts += np.bincount(part.rows, minlength=len(counts))
    limit = counts[:, None].astype(np.float64)
    return CausalRanking(
        log_evidence=frozen(base.log_evidence),
        posterior=frozen(base.causes),
        disablement=frozen(np.clip(disablement, 0.0, limit)),
        sufficiency=frozen(np.clip(sufficiency, 0.0, limit)),
        symptoms=frozen(counts),
    )


def _binary(model: NoisyModel, evidence: Evidence) -> _Symptoms:
    rows, columns = np.nonzero(evidence.findings == 1.0)
    turned = evidence.take(rows)
    findings = turned.findings.copy()
    findings[np.arange(len(rows)), columns] = 0.0
    strength = model.links.strength[:, columns].T
    nothing = np.zeros_like(strength)
    none = evidence.take(np.zeros(0, dtype=np.intp))
    absent = Evidence(findings, turned.lower, turned.upper, turned.risks, turned.causes)
    names = tuple(model.findings[f] for f in columns)
    return _Symptoms(rows, names, strength, strength, nothing, absent, none)


def _ordinal(model: NoisyModel, evidence: Evidence) -> _Symptoms:
    rows, columns = np.nonzero(evidence.lower > 0)
    at = np.arange(len(rows))
    low = evidence.lower[rows, columns].astype(np.intp)
    high = evidence.upper[rows, columns].astype(np.intp)
    first = np.array(model.level_offset, dtype=np.intp)[columns]
    top = np.array(model.ordinal_sizes, dtype=np.intp)[columns] - 1
    exceed = model.links.exceed
    padded = np.hstack([exceed, np.zeros((len(exceed), 1))])
    reached = padded[:, first + low - 1].T
    above = padded[:, np.where(high < top, first + high, exceed.shape[1])].T
    case = evidence.take(rows)
    lower, below = case.lower.copy(), case.upper.copy()
    lower[at, columns] = 0
    below[at, columns] = low - 1
    turned = Evidence(case.findings, lower, below, case.risks, case.causes)
    bounded = Evidence(case.findings, lower, case.upper, case.risks, case.causes)
    names = tuple(model.ordinals[o] for o in columns)
    return _Symptoms(rows, names, reached, reached - above, above, turned, bounded)


def _joint(
    model: NoisyModel, part: _Symptoms, evidence: Evidence, base: Answer, backend: Backend
) -> FloatArray:
    """P(cause, changed evidence) / P(evidence), (T, C); 0 where the evidence is impossible."""
    answer = posteriors(model, evidence, backend=backend).complete()
    before = base.log_evidence[part.rows]
    gap = np.full(len(before), -np.inf)
    np.subtract(answer.log_evidence, before, out=gap, where=~np.isneginf(before))
    result: FloatArray = np.exp(gap)[:, None] * answer.causes
    return result


def _without_link(model: NoisyModel, part: _Symptoms, base: Answer, row: int, cause: int) -> float:
    """``off`` where the link is certain: from a network that lacks it, with the cause present."""
    cpd = model.network.cpds[part.names[row]]
    name = model.causes[cause]
    turned = part.turned.take(np.array([row]))
    if turned.causes[0, cause] == 0:
        return 0.0
    causes = turned.causes.copy()
    causes[0, cause] = 1
    clamped = Evidence(turned.findings, turned.lower, turned.upper, turned.risks, causes)
    if isinstance(cpd, NoisyOrCPD):
        at = cpd.activators.index(name)
        strengths = np.where(np.arange(len(cpd.strengths)) == at, 0.0, cpd.strengths)
        bare = NoisyOrCPD(
            cpd.child, cpd.activators, strengths, cpd.leak, cpd.inhibitors, cpd.factors
        )
        change = relative_change(model.network, bare, clamped, base.log_evidence[part.rows[[row]]])
    else:
        assert isinstance(cpd, NoisyMaxCPD)
        rows = np.arange(len(cpd.strengths)) == cpd.parents.index(name)
        without = NoisyMaxCPD(
            cpd.child, cpd.parents, np.where(rows[:, None], 0.0, cpd.strengths), cpd.leak
        )
        change = relative_change(
            model.network, without, clamped, base.log_evidence[part.rows[[row]]]
        )
    impossible = np.isneginf(base.log_evidence[part.rows[row]])
    return 0.0 if impossible else float(change[0]) + 1.0
