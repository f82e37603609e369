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
that fits" in the place of "present"; a link that goes beyond the highest level that fits, with
strength u, counts for neither: z - u in the place of z, and what else happens given that it does
not, a division by 1 - u.

A symptom is a finding known to be present for certain, or an ordinal one known to be above its
lowest level. Soft evidence counts as evidence and not as a symptom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, frozen
from bayesdx.inference.evidence import Evidence, turned_absent
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.derivatives import change_of_evidence, evidence_ratio
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors


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

    Raises
    ------
    BayesdxError
        As `bayesdx.inference.posteriors`.
    """
    base = posteriors(model, evidence, backend=backend).complete()
    rows, columns, beyond = _symptoms(model, evidence)
    strengths = np.hstack([model.links.strength, model.links.exceed])
    reached = strengths[:, columns].T
    above = np.where(beyond < 0, 0.0, strengths[:, beyond]).T
    turned = turned_absent(model, evidence, rows, columns)
    answer = posteriors(model, turned, backend=backend).complete()
    # P(cause, nothing reaches the symptom) / P(evidence); 0 where the evidence is impossible.
    spared = evidence_ratio(answer.log_evidence, base.log_evidence[rows])[:, None] * answer.causes
    off = np.divide(spared, 1.0 - reached, out=np.zeros_like(spared), where=reached < 1.0)
    for t, c in np.argwhere(reached >= 1.0):
        log_evidence = base.log_evidence[rows[[t]]]
        off[t, c] = _without_link(
            model, turned.take(slice(t, t + 1)), int(columns[t]), int(c), log_evidence
        )
    # P(cause, nothing goes beyond what was seen) / P(evidence).
    open_to = base.causes[rows] + spared
    open_to = np.divide(open_to, 1.0 - above, out=np.zeros_like(open_to), where=above < 1.0)
    disablement, sufficiency = np.zeros_like(base.causes), np.zeros_like(base.causes)
    np.add.at(disablement, rows, (reached - above) * off)
    np.add.at(sufficiency, rows, (reached - above) * open_to)
    counts = np.bincount(rows, minlength=len(evidence)).astype(np.intp)
    limit = counts[:, None].astype(np.float64)
    return CausalRanking(
        log_evidence=frozen(base.log_evidence),
        posterior=frozen(base.causes),
        disablement=frozen(np.clip(disablement, 0.0, limit)),
        sufficiency=frozen(np.clip(sufficiency, 0.0, limit)),
        symptoms=frozen(counts),
    )


def _symptoms(model: NoisyModel, evidence: Evidence) -> tuple[IntArray, IntArray, IntArray]:
    """Return each symptom's case, and columns of "absent": not reached, and not gone beyond, or -1.

    All are (T,); see `bayesdx.inference.evidence.turned_absent`.
    """
    rows, columns = np.nonzero(evidence.findings == 1.0)
    of_levels, which = np.nonzero(evidence.lower > 0)
    first = len(model.findings) + np.array(model.level_offset, dtype=np.intp)[which]
    low, high = (part[of_levels, which] for part in (evidence.lower, evidence.upper))
    top = np.array(model.ordinal_sizes, dtype=np.intp)[which] - 1
    beyond = np.where(high < top, first + high, -1)
    return (
        np.concatenate([rows, of_levels]),
        np.concatenate([columns, first + low - 1]),
        np.concatenate([np.full(len(rows), -1), beyond]),
    )


def _without_link(
    model: NoisyModel, turned: Evidence, column: int, cause: int, log_evidence: FloatArray
) -> float:
    """``off`` where the link is certain: from a model that lacks it, with the cause present."""
    if turned.causes[0, cause] == 0 or np.isneginf(log_evidence[0]):
        return 0.0
    causes, links = turned.causes.copy(), model.links
    causes[0, cause] = 1
    strength, exceed = links.strength.copy(), links.exceed.copy()
    if column < strength.shape[1]:
        strength[cause, column] = 0.0
    else:
        exceed[cause, column - strength.shape[1]] = 0.0
    bare = with_numbers(model, links=replace(links, strength=strength, exceed=exceed))
    present = replace(turned, causes=causes)
    return float(change_of_evidence(bare, present, log_evidence)[0]) + 1.0
