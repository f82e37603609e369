"""Cases that the model makes itself, of which as much is known as of a given one.

How improbable a case is depends on how much was asked, so a log evidence by itself says little.
Compared with those of such references it does: their ranks are uniform when the case comes from
the model and its findings were chosen as theirs are (a Monte Carlo test in the sense of Barnard
1963; Besag and Clifford 1989, Biometrika 76:633-642). There are two ways of choosing:

* *asked*: the same findings whatever their answers, as in a form that everybody fills in;
* *told*: as many present and as many absent ones, any of those that are so, as when people tell
  what they have. Asked references would call a single rare complaint strange; these do not.
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray
from bayesdx.inference.evidence import Evidence, StateArray, no_evidence, stacked
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.sampling import Sample, sample_cases

#: Draws in search of cases that have as much to tell, in units of the cases wanted.
MOST_BATCHES = 50
#: Log probabilities this close are the same: answers of two batches agree to far less.
TIE = 1e-9


def reference_cases(
    model: NoisyModel,
    evidence: Evidence,
    exact: BoolArray,
    count: int,
    rng: np.random.Generator,
    *,
    keep_risks: bool = True,
) -> Evidence:
    """Draw cases and hide of them whatever is not known of one case.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case. Soft evidence p is read as a report that is right with probability max(p, 1 - p);
        the references' reports err at the same rate.
    exact : bool array (O,)
        Whether the level of an ordinal was asked, not only whether it reaches a threshold.
    count : int
    rng : numpy Generator
    keep_risks : bool
        References have the known risks of the case, and only the findings are drawn; otherwise the
        known risks are drawn too.

    Returns
    -------
    Evidence
        Of ``count`` cases.
    """
    source = _with_risks_of(model, evidence.risks[0]) if keep_risks else model
    sample = sample_cases(source, count, rng)
    same = np.zeros(count, dtype=np.intp)
    return asked_alike(model, sample, evidence.take(same), exact[None][same], rng)


def asked_alike(
    model: NoisyModel,
    sample: Sample,
    evidence: Evidence,
    exact: BoolArray,
    rng: np.random.Generator,
) -> Evidence:
    """Hide of N drawn cases whatever is not known of N given ones; see `reference_cases`.

    Parameters
    ----------
    model : NoisyModel
    sample : Sample
    evidence : Evidence
        Of N cases, a drawn one each.
    exact : bool array (N, O)
    rng : numpy Generator
        Of the errors of soft reports.
    """
    lower, upper = _seen_ordinals(model, sample, evidence, exact)
    return Evidence(
        findings=_reported(sample.findings, evidence.findings, rng),
        lower=lower,
        upper=upper,
        risks=np.where(evidence.risks < 0, np.int8(-1), sample.risks),
        causes=no_evidence(model, len(evidence)).causes,
    )


def told_cases(
    model: NoisyModel,
    evidence: Evidence,
    pool: BoolArray,
    count: int,
    rng: np.random.Generator,
) -> Evidence:
    """Draw cases that tell as many present and as many absent findings as one case does.

    An ordinal finding above its lowest level is present and told with its level; soft evidence
    counts as what it leans to. The known risks of the case are those of the references.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case.
    pool : bool array (F + O,)
        Findings and ordinal findings that people may tell of.
    count : int
    rng : numpy Generator

    Returns
    -------
    Evidence
        Of ``count`` cases, or of fewer where cases with so many present findings are so rare that
        `MOST_BATCHES` times as many draws do not hold enough of them.
    """
    n_present, n_absent = told_counts(model, evidence)
    source = _with_risks_of(model, evidence.risks[0])
    parts = [no_evidence(model, 0)]
    for _ in range(MOST_BATCHES):
        sample = sample_cases(source, count, rng)
        present = np.hstack([sample.findings, sample.ordinals > 0])
        chosen = _chosen(present & pool, n_present, rng) | _chosen(~present & pool, n_absent, rng)
        rows = np.flatnonzero(chosen.sum(axis=1) == n_present + n_absent)
        parts.append(_told(model, sample, chosen, evidence).take(rows))
        if sum(map(len, parts)) >= count:
            break
    return stacked(parts).take(slice(0, count))


def told_counts(model: NoisyModel, evidence: Evidence) -> tuple[int, int]:
    """How many findings one case says are present, and how many absent."""
    full = np.array(model.ordinal_sizes, dtype=np.int8) - 1
    values = evidence.findings[0]
    reached = evidence.lower[0] > 0
    bounded = ~reached & (evidence.upper[0] < full)
    present = int((values >= 0.5).sum()) + int(reached.sum())
    return present, int((values < 0.5).sum()) + int(bounded.sum())


def _chosen(among: BoolArray, number: int, rng: np.random.Generator) -> BoolArray:
    """Mark ``number`` of each row's True entries at random, or all where there are fewer."""
    keys = np.where(among, rng.random(among.shape), 2.0)
    rank = keys.argsort(axis=1).argsort(axis=1)
    chosen: BoolArray = among & (rank < number)
    return chosen


def _told(model: NoisyModel, sample: Sample, chosen: BoolArray, evidence: Evidence) -> Evidence:
    count, split = len(chosen), len(model.findings)
    blank = no_evidence(model, count)
    known = chosen[:, split:]
    # Present is told with its level; absent is the lowest level itself.
    return Evidence(
        findings=np.where(chosen[:, :split], sample.findings, np.nan),
        lower=np.where(known, sample.ordinals, blank.lower),
        upper=np.where(known, sample.ordinals, blank.upper),
        risks=np.tile(evidence.risks, (count, 1)),
        causes=blank.causes,
    )


def p_value(own: float, references: FloatArray) -> float:
    """P(a reference is at most as large), the case counted among its references.

    Values that differ by rounding only count as equal, which makes the test more careful.
    """
    return (1.0 + float((references <= own + TIE).sum())) / (1.0 + len(references))


def _reported(findings: BoolArray, seen: FloatArray, rng: np.random.Generator) -> FloatArray:
    told = findings.astype(np.float64)
    soft = (seen > 0.0) & (seen < 1.0)
    for f in np.flatnonzero(soft.any(axis=0)).tolist():
        # P(the report says p | present) = p, and says 1 - p otherwise: that is what p means.
        p = seen[:, f]
        right = rng.random(len(findings)) < np.where(findings[:, f], p, 1.0 - p)
        told[:, f] = np.where(soft[:, f], np.where(right, p, 1.0 - p), told[:, f])
    told[np.isnan(seen)] = np.nan
    return told


def _with_risks_of(model: NoisyModel, known: StateArray) -> NoisyModel:
    """Let the known risks have their states for certain when cases are drawn."""
    priors = tuple(
        prior if state < 0 else np.eye(len(prior))[state]
        for prior, state in zip(model.risk_priors, known, strict=True)
    )
    return with_numbers(model, risk_priors=priors)


def _seen_ordinals(
    model: NoisyModel, sample: Sample, evidence: Evidence, exact: BoolArray
) -> tuple[StateArray, StateArray]:
    """What the questions asked of the ordinals would have said of the drawn levels."""
    blank = no_evidence(model, len(sample.causes))
    lower, upper = blank.lower, blank.upper
    for o, size in enumerate(model.ordinal_sizes):
        level, known = sample.ordinals[:, o], exact[:, o]
        for cut, inside in (
            (evidence.lower[:, o], evidence.lower[:, o] > 0),
            (evidence.upper[:, o] + 1, evidence.upper[:, o] < size - 1),
        ):
            above, below = inside & (level >= cut), inside & (level < cut)
            lower[above, o] = np.maximum(lower[above, o], cut[above])
            upper[below, o] = np.minimum(upper[below, o], cut[below] - 1)
        lower[known, o] = upper[known, o] = level[known]
    return lower, upper
