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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.compiling import compile_diagnosis
from bayesdx.inference.noisy.model import (
    FloatArray,
    IntArray,
    NoisyModel,
)
from bayesdx.inference.noisy.query import posteriors
from bayesdx.network import CPD, Network, NoisyOrCPD


@dataclass(frozen=True, eq=False)
class LinkGradient:
    """d log P(evidence) / d parameter of N cases; 0 where the evidence is impossible.

    Attributes
    ----------
    log_evidence : array (N,)
    strength, factor : arrays (N, C, F)
        Of binary findings. A strength or leak of exactly 1 has no derivative by this route; it
        gets 0.
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


@dataclass(frozen=True, eq=False)
class _Turned:
    """Cases with one finding turned to "absent" (an ordinal to "at most a level").

    ``rows`` (T,) the case, ``columns`` (T,) the finding or level, ``weight`` (T,) how its
    probability enters P(evidence): minus for what was seen present.
    """

    rows: IntArray
    columns: IntArray
    weight: FloatArray
    evidence: Evidence


def link_gradient(model: NoisyModel, evidence: Evidence) -> LinkGradient:
    """Differentiate log P(evidence) with respect to every link and leak.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        N cases; causes may be clamped.

    Returns
    -------
    LinkGradient
    """
    n_cases, n_findings, n_causes = len(evidence), len(model.findings), len(model.causes)
    base = posteriors(model, evidence, only_evidence=True).complete().log_evidence
    binary, ordinal = _turn_findings(evidence), _turn_ordinals(model, evidence)
    links = model.links
    strength, exceed, exceed_leak = links.strength, links.exceed, links.exceed_leak
    result = LinkGradient(
        log_evidence=base,
        strength=np.zeros((n_cases, n_causes, n_findings)),
        factor=np.zeros((n_cases, n_causes, n_findings)),
        leak=np.zeros((n_cases, n_findings)),
        exceed=np.zeros((n_cases, *exceed.shape)),
        exceed_leak=np.zeros((n_cases, len(exceed_leak))),
    )
    share, active = _shares(model, base, binary)
    at = (binary.rows, slice(None), binary.columns)
    result.strength[at] = _per_spared(-share[:, None] * active, strength[:, binary.columns].T)
    result.leak[binary.rows, binary.columns] = _per_spared(-share, model.leak[binary.columns])
    _inhibited(model, evidence, result, binary, links.factor)
    share, active = _shares(model, base, ordinal)
    at = (ordinal.rows, slice(None), ordinal.columns)
    result.exceed[at] = _per_spared(-share[:, None] * active, exceed[:, ordinal.columns].T)
    result.exceed_leak[ordinal.rows, ordinal.columns] = _per_spared(
        -share, exceed_leak[ordinal.columns]
    )
    return result


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
    model = compile_diagnosis(Network(network.variables.values(), cpds.values()))
    changed = posteriors(model, evidence, only_evidence=True).complete().log_evidence
    possible = ~np.isneginf(log_evidence)
    gap = np.full(len(evidence), -np.inf)
    np.subtract(changed, log_evidence, out=gap, where=possible)
    return np.where(possible, np.expm1(gap), 0.0)


def _noisy_or(model: NoisyModel, finding: str) -> NoisyOrCPD:
    cpd = model.network.cpds[finding]
    assert isinstance(cpd, NoisyOrCPD)
    return cpd


def _turn_findings(evidence: Evidence) -> _Turned:
    rows, columns = np.nonzero(~np.isnan(evidence.findings))
    value = evidence.findings[rows, columns]
    turned = evidence.take(rows)
    findings = turned.findings.copy()
    findings[np.arange(len(rows)), columns] = 0.0
    # P(e) = v P(present) + (1 - v) P(absent) = v P(either) + (1 - 2 v) P(absent).
    weight = 1.0 - 2.0 * value
    return _Turned(rows, columns, weight, _with(turned, findings=findings))


def _turn_ordinals(model: NoisyModel, evidence: Evidence) -> _Turned:
    """Split "from lower to upper" into "at most upper" minus "at most lower - 1"."""
    rows, columns, weights, levels, which = [], [], [], [], []
    for o, size in enumerate(model.ordinal_sizes):
        for sign, level in (
            (1.0, evidence.upper[:, o].astype(np.intp)),
            (-1.0, evidence.lower[:, o].astype(np.intp) - 1),
        ):
            hit = np.flatnonzero((level >= 0) & (level < size - 1))
            rows.append(hit)
            levels.append(level[hit])
            columns.append(model.level_offset[o] + level[hit])
            weights.append(np.full(len(hit), sign))
            which.append(np.full(len(hit), o))
    if not rows:
        none = np.zeros(0, dtype=np.intp)
        return _Turned(none, none, np.zeros(0), evidence.take(none))
    row, level, ordinal = np.concatenate(rows), np.concatenate(levels), np.concatenate(which)
    turned = evidence.take(row)
    lower, upper = turned.lower.copy(), turned.upper.copy()
    lower[np.arange(len(row)), ordinal] = 0
    upper[np.arange(len(row)), ordinal] = level
    changed = Evidence(turned.findings, lower, upper, turned.risks, turned.causes)
    return _Turned(row, np.concatenate(columns), np.concatenate(weights), changed)


def _with(evidence: Evidence, findings: FloatArray) -> Evidence:
    return Evidence(findings, evidence.lower, evidence.upper, evidence.risks, evidence.causes)


def _shares(model: NoisyModel, base: FloatArray, turned: _Turned) -> tuple[FloatArray, FloatArray]:
    """Return the weighted P(turned) / P(evidence), (T,), and the posteriors (T, C)."""
    answer = posteriors(model, turned.evidence).complete()
    before = base[turned.rows]
    possible = ~np.isneginf(before)
    gap = np.full(len(before), -np.inf)
    np.subtract(answer.log_evidence, before, out=gap, where=possible)
    return turned.weight * np.exp(gap), answer.causes


def _per_spared(numerator: FloatArray, strength: FloatArray) -> FloatArray:
    """Divide by 1 - strength, which is 0 only where the numerator is."""
    result: FloatArray = np.divide(
        numerator, 1.0 - strength, out=np.zeros_like(numerator), where=strength < 1.0
    )
    return result


def _inhibited(
    model: NoisyModel,
    evidence: Evidence,
    result: LinkGradient,
    turned: _Turned,
    factor: FloatArray,
) -> None:
    """Fill in leaks and factors of findings with inhibitors, by secants."""
    for f in np.flatnonzero((factor < 1.0).any(axis=0)):
        rows = np.unique(turned.rows[turned.columns == f])
        if not len(rows):
            continue
        part, base = evidence.take(rows), result.log_evidence[rows]
        for target, index, cpd, step in _steps(model, int(f)):
            change = relative_change(model.network, cpd, part, base) / step
            if target < 0:
                result.leak[rows, f] = change
            else:
                result.factor[rows, index, f] = change


def _steps(model: NoisyModel, f: int) -> Iterator[tuple[int, int, NoisyOrCPD, float]]:
    """Yield (-1 for the leak or the inhibitor, its cause, changed distribution, step)."""
    cpd = _noisy_or(model, model.findings[f])
    leak = cpd.leak / 2.0 if cpd.leak > 0.0 else 0.5
    yield -1, -1, _altered(cpd, leak, cpd.factors), leak - cpd.leak
    for i, name in enumerate(cpd.inhibitors):
        factors = cpd.factors.copy()
        factors[i] = factors[i] / 2.0 if factors[i] > 0.0 else 0.5
        step = float(factors[i] - cpd.factors[i])
        yield i, model.causes.index(name), _altered(cpd, cpd.leak, factors), step


def _altered(cpd: NoisyOrCPD, leak: float, factors: FloatArray) -> NoisyOrCPD:
    return NoisyOrCPD(cpd.child, cpd.activators, cpd.strengths, leak, cpd.inhibitors, factors)
