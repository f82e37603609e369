"""Derivatives of log P(evidence) with respect to the parameters of a diagnosis network.

P(evidence) is affine in every single parameter, so nothing here is an approximation.

* *Link strengths and exceedances.* With P(f present, rest) = P(rest) - P(f absent, rest), each
  finding contributes through its "absent" form alone, which is a product over causes. The
  derivative with respect to the strength z of a cause is therefore one posterior of the case with
  the finding turned to absent: -P(f absent, rest) P(cause | f absent, rest) / (1 - z). One extra
  case a finding gives the derivatives of all its links.
* *Anything else* (a leak that inhibitors lower, an inhibitor, the table of a cause or risk): the
  secant between two networks that differ in one distribution is the derivative along that change.

The posterior of a cause is a ratio of two such probabilities, P(cause, evidence) / P(evidence): its
derivatives are those of two cases, one of which has the cause clamped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdx.inference.evidence import Evidence, turned_absent
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.compiling import compile_diagnosis, with_numbers
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import posteriors
from bayesdx.network.cpds import CPD
from bayesdx.network.network import Network


@dataclass(frozen=True, eq=False)
class LinkGradient:
    """d log P(evidence) / d parameter of N cases; 0 where the evidence is impossible.

    Attributes
    ----------
    log_evidence : array (N,)
    strength, factor : arrays (N, C, F)
        Of binary findings. A strength or leak of exactly 1 has no derivative by this route, a
        strength of exactly 0 is no link and a factor of exactly 1 no inhibitor; they get 0.
    leak : array (N, F)
    exceed : array (N, C, L)
        Exceedance strengths of ordinal findings, level after level.
    exceed_leak : array (N, L)
    """

    log_evidence: FloatArray
    strength: FloatArray
    factor: FloatArray
    leak: FloatArray
    exceed: FloatArray
    exceed_leak: FloatArray


def link_gradient(
    model: NoisyModel, evidence: Evidence, *, backend: Backend = "auto"
) -> LinkGradient:
    """Differentiate log P(evidence) with respect to every link and leak.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases; causes may be clamped.
    backend : {"auto", "numpy", "compiled"}
        See `bayesdx.inference.posteriors`.

    Returns
    -------
    LinkGradient
    """
    links, split = model.links, len(model.findings)
    base = posteriors(model, evidence, only_evidence=True, backend=backend).complete().log_evidence
    rows, columns, weight = _absences(model, evidence)
    by_strength = np.zeros((len(evidence), len(model.causes), split + len(links.exceed_leak)))
    by_leak = np.zeros((len(evidence), by_strength.shape[2]))
    found = absence_scores(model, evidence, base, rows, columns, weight, backend)
    by_strength[rows, :, columns], by_leak[rows, columns] = found
    factor = np.zeros((len(evidence), *links.factor.shape))
    for f in np.flatnonzero((links.factor < 1.0).any(axis=0)).tolist():
        # Inhibitors lower the leak: a secant for it, and for each factor.
        seen = np.flatnonzero(~np.isnan(evidence.findings[:, f]))
        case, log_evidence = evidence.take(seen), base[seen]
        moved, step = _moved(links.leak, (f,))
        other = with_numbers(model, links=replace(links, leak=moved))
        by_leak[seen, f] = change_of_evidence(other, case, log_evidence, backend) / step
        for c in np.flatnonzero(links.factor[:, f] < 1.0).tolist():
            moved, step = _moved(links.factor, (c, f))
            other = with_numbers(model, links=replace(links, factor=moved))
            factor[seen, c, f] = change_of_evidence(other, case, log_evidence, backend) / step
    return LinkGradient(
        log_evidence=base,
        strength=by_strength[:, :, :split],
        factor=factor,
        leak=by_leak[:, :split],
        exceed=by_strength[:, :, split:],
        exceed_leak=by_leak[:, split:],
    )


def absence_scores(
    model: NoisyModel,
    evidence: Evidence,
    log_evidence: FloatArray,
    rows: IntArray,
    columns: IntArray,
    weight: FloatArray,
    backend: Backend = "auto",
) -> tuple[FloatArray, FloatArray]:
    """Differentiate log P(evidence) by links and leaks through T absences, a case more for each.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases.
    log_evidence : array (N,)
    rows, columns : int arrays (T,)
        See `bayesdx.inference.evidence.turned_absent`.
    weight : array (T,)
        With which the probability of each absence enters that of its case.
    backend : {"auto", "numpy", "compiled"}

    Returns
    -------
    arrays (T, C), (T,)
        By the strengths of the column of each absence, and by its leak.
    """
    strengths = np.hstack([model.links.strength, model.links.exceed])[:, columns].T
    leaks = np.append(model.links.leak, model.links.exceed_leak)[columns]
    without = turned_absent(model, evidence, rows, columns)
    answer = posteriors(model, without, asked=strengths > 0.0, backend=backend).complete()
    share = weight * evidence_ratio(answer.log_evidence, log_evidence[rows])
    by_strength = _per_spared(-share[:, None] * answer.causes, strengths)
    return by_strength, _per_spared(-share, leaks)


def relative_change(
    network: Network, cpd: CPD, evidence: Evidence, log_evidence: FloatArray
) -> FloatArray:
    """Return P'(evidence) / P(evidence) - 1 when one distribution of the network is replaced.

    Divided by the size of the change this is the exact derivative of log P(evidence) along it, for
    a change that P(evidence) is affine in: any of a single table, a leak, or one inhibitor.

    Parameters
    ----------
    network : Network
    cpd : CPD
        The new distribution of its child.
    evidence : Evidence
        N cases on the network.
    log_evidence : array (N,)
        Their log P under the network as it is.

    Returns
    -------
    array (N,)
        0 where the evidence is impossible.
    """
    cpds = {**network.cpds, cpd.child: cpd}
    changed = compile_diagnosis(Network(network.variables.values(), cpds.values()))
    return change_of_evidence(changed, evidence, log_evidence)


def change_of_evidence(
    changed: NoisyModel, evidence: Evidence, log_evidence: FloatArray, backend: Backend = "auto"
) -> FloatArray:
    """Return P'(evidence) / P(evidence) - 1, (N,), with P' that of another model; see above."""
    after = (
        posteriors(changed, evidence, only_evidence=True, backend=backend).complete().log_evidence
    )
    possible = ~np.isneginf(log_evidence)
    gap = np.subtract(after, log_evidence, out=np.zeros(len(after)), where=possible)
    return np.expm1(gap)


def evidence_ratio(log_after: FloatArray, log_before: FloatArray) -> FloatArray:
    """Return the ratio of two probabilities of evidence; 0 where the second is 0."""
    gap = np.full(len(log_before), -np.inf)
    np.subtract(log_after, log_before, out=gap, where=~np.isneginf(log_before))
    ratio: FloatArray = np.exp(gap)
    return ratio


def _absences(model: NoisyModel, evidence: Evidence) -> tuple[IntArray, IntArray, FloatArray]:
    """Which absences enter P(evidence): case, column of "absent", and weight, (T,) each."""
    rows, columns = np.nonzero(~np.isnan(evidence.findings))
    # P(e) = v P(present) + (1 - v) P(absent) = v P(either) + (1 - 2 v) P(absent).
    weight = 1.0 - 2.0 * evidence.findings[rows, columns]
    found = [(rows, columns, weight)]
    # "From lower to upper" is "at most upper" minus "at most lower - 1".
    first = len(model.findings) + np.array(model.level_offset, dtype=np.intp)
    top = np.array(model.ordinal_sizes, dtype=np.intp) - 1
    for sign, level in ((1.0, evidence.upper), (-1.0, evidence.lower.astype(np.intp) - 1)):
        rows, which = np.nonzero((level >= 0) & (level < top))
        found.append((rows, first[which] + level[rows, which], np.full(len(rows), sign)))
    rows, columns, weight = (np.concatenate(part) for part in zip(*found, strict=True))
    return rows, columns, weight


def _per_spared(numerator: FloatArray, strength: FloatArray) -> FloatArray:
    """Divide by 1 - strength, which is 0 only where the numerator is."""
    result: FloatArray = np.divide(
        numerator, 1.0 - strength, out=np.zeros_like(numerator), where=strength < 1.0
    )
    return result


def _moved(values: FloatArray, at: tuple[int, ...]) -> tuple[FloatArray, float]:
    """Return numbers of which one is moved, and by how much."""
    moved = values.copy()
    moved[at] = moved[at] / 2.0 if moved[at] > 0.0 else 0.5
    return moved, float(moved[at] - values[at])
