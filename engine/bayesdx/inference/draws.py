"""One case under many sets of parameters, by the same sweep.

The findings that the case asks for are laid side by side, once a draw, and every draw is a case
that looks at its own copy. All have one structure, so the sweep advances them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.errors import BayesdxError, Fault
from bayesdx.inference.absorb import Problem, absorb
from bayesdx.inference.arrays import frozen
from bayesdx.inference.axes import Links, build_axes
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.model import (
    RISK,
    DiagnosisModel,
    FloatArray,
    IntArray,
    absorb_links,
    model_links,
)
from bayesdx.inference.ordering import schedule
from bayesdx.inference.query import Answer
from bayesdx.inference.sweep import sweep

#: Draws answered together; their copies of the findings are columns of one array.
AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class ParameterDraws:
    """D sets of parameters of one network; what is 0 or 1 structurally must stay so.

    Attributes
    ----------
    strength, factor : arrays (D, C, F)
        Link strengths and inhibitor factors of the binary findings.
    leak : array (D, F)
    exceed : array (D, C, L)
        Exceedance strengths of the ordinal findings, level after level.
    exceed_leak : array (D, L)
    tables : tuple of arrays (D, S_parent1, ...)
        P(cause present | risks) of every cause, over ``model.cause_parents``.
    risk_priors : tuple of arrays (D, S)
    """

    strength: FloatArray
    factor: FloatArray
    leak: FloatArray
    exceed: FloatArray
    exceed_leak: FloatArray
    tables: tuple[FloatArray, ...]
    risk_priors: tuple[FloatArray, ...]

    def __len__(self) -> int:
        return len(self.leak)

    def take(self, rows: slice) -> ParameterDraws:
        """Return some of the draws."""
        return ParameterDraws(
            self.strength[rows],
            self.factor[rows],
            self.leak[rows],
            self.exceed[rows],
            self.exceed_leak[rows],
            tuple(table[rows] for table in self.tables),
            tuple(prior[rows] for prior in self.risk_priors),
        )


def repeat_parameters(model: DiagnosisModel, count: int) -> ParameterDraws:
    """Return the model's own parameters ``count`` times, to be changed by whoever draws."""
    links = model_links(model)

    def repeated(values: FloatArray) -> FloatArray:
        return np.repeat(values[None], count, axis=0)

    return ParameterDraws(
        repeated(links.strength),
        repeated(links.factor),
        repeated(links.leak),
        repeated(links.exceed),
        repeated(links.exceed_leak),
        tuple(repeated(table) for table in model.cause_tables),
        tuple(repeated(prior) for prior in model.risk_priors),
    )


def posteriors_under(model: DiagnosisModel, evidence: Evidence, draws: ParameterDraws) -> Answer:
    """Answer one case under every draw.

    Parameters
    ----------
    model : DiagnosisModel
    evidence : Evidence
        One case; causes may be clamped.
    draws : ParameterDraws
        D draws.

    Returns
    -------
    Answer
        Row d under draw d: ``log_evidence`` (D,), ``causes`` (D, C).

    Raises
    ------
    BayesdxError
        If there is not exactly one case.
    """
    if len(evidence) != 1:
        raise BayesdxError(Fault("evidence", "one case", len(evidence)))
    asked = np.flatnonzero(~np.isnan(evidence.findings[0]))
    full = np.array(model.ordinal_sizes, dtype=np.intp) - 1
    bounded = np.flatnonzero((evidence.lower[0] > 0) | (evidence.upper[0] < full))
    log_evidence = np.empty(len(draws))
    causes = np.empty((len(draws), len(model.causes)))
    for first in range(0, len(draws), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        part = draws.take(rows)
        wide = _widened(model, part, asked, bounded)
        problem = _problem(model, wide, evidence, part, asked, bounded)
        log_evidence[rows], causes[rows] = sweep(wide, problem, schedule(wide, problem))
    return Answer(log_evidence, causes, np.empty(0))


def _widened(
    model: DiagnosisModel, draws: ParameterDraws, asked: IntArray, bounded: IntArray
) -> DiagnosisModel:
    """Return a model whose findings are those asked for, once a draw."""
    count, n_causes = len(draws), len(model.causes)
    sizes = tuple(model.ordinal_sizes[o] for o in bounded)
    offsets = [model.level_offset[o] for o in bounded]
    ranges = [np.arange(first, first + n - 1) for first, n in zip(offsets, sizes, strict=True)]
    levels = np.concatenate([np.zeros(0, dtype=np.intp), *ranges])

    def side_by_side(values: FloatArray) -> FloatArray:
        return np.moveaxis(values, 0, 1).reshape(n_causes, -1)

    links = Links(
        strength=side_by_side(draws.strength[:, :, asked]),
        factor=side_by_side(draws.factor[:, :, asked]),
        leak=draws.leak[:, asked].ravel(),
        exceed=side_by_side(draws.exceed[:, :, levels]),
        exceed_leak=draws.exceed_leak[:, levels].ravel(),
        sizes=sizes * count,
    )
    axes = build_axes(links, model.cause_parents, model.risk_priors)
    return replace(
        model,
        findings=tuple(model.findings[f] for f in asked) * count,
        ordinals=tuple(model.ordinals[o] for o in bounded) * count,
        leak=frozen(links.leak),
        ordinal_sizes=links.sizes,
        level_offset=links.offsets,
        axes=axes,
        **absorb_links(links, axes.suppress)._asdict(),
    )


def _problem(
    model: DiagnosisModel,
    wide: DiagnosisModel,
    evidence: Evidence,
    draws: ParameterDraws,
    asked: IntArray,
    bounded: IntArray,
) -> Problem:
    """Set up one case a draw, each looking at its own copy of the findings."""
    count, n_asked, n_bounded = len(draws), len(asked), len(bounded)
    own = np.arange(count)
    findings = np.full((count, count, n_asked), np.nan)
    findings[own, own] = evidence.findings[0, asked]
    lower = np.zeros((count, count, n_bounded), dtype=np.int8)
    full = np.array(model.ordinal_sizes, dtype=np.int8)[bounded] - 1
    upper = np.tile(full, (count, count, 1))
    lower[own, own], upper[own, own] = evidence.lower[0, bounded], evidence.upper[0, bounded]
    rows = np.zeros(count, dtype=np.intp)
    cases = Evidence(
        findings.reshape(count, -1),
        lower.reshape(count, -1),
        upper.reshape(count, -1),
        evidence.risks[rows],
        evidence.causes[rows],
    )
    problem = absorb(wide, cases, _priors(model, evidence, draws))
    start = problem.start.copy()
    for slot, axis in enumerate(problem.axis.T):
        # Slots are numbered alike in all draws: risks come after findings.
        risk = int(axis[0])
        if risk >= 0 and wide.axes.classes[risk] == RISK:
            r = int(np.flatnonzero(wide.axes.risk == risk)[0])
            start[:, slot, : draws.risk_priors[r].shape[1]] = draws.risk_priors[r]
    scale = problem.log_scale + _observed_risks(model, evidence, draws)
    return replace(problem, start=start, log_scale=scale)


def _observed_risks(model: DiagnosisModel, evidence: Evidence, draws: ParameterDraws) -> FloatArray:
    """Log P(observed risks) of each draw over that of the model, (D,)."""
    ratio = np.ones(len(draws))
    for r, state in enumerate(evidence.risks[0]):
        if state >= 0 and model.risk_priors[r][state] > 0.0:
            ratio = ratio * (draws.risk_priors[r][:, state] / model.risk_priors[r][state])
    return np.asarray(np.log(ratio))


def _priors(model: DiagnosisModel, evidence: Evidence, draws: ParameterDraws) -> FloatArray:
    """P(cause present | unobserved shared risks) of every draw, laid out as in `Problem.prior`."""
    observed = evidence.risks[0]
    prior = np.zeros((len(draws), int(model.prior_offset[-1])))
    for first, values in _sliced(model, observed, draws):
        prior[:, first : first + values.shape[1]] = values
    return prior


def _sliced(
    model: DiagnosisModel, observed: IntArray, draws: ParameterDraws
) -> Iterator[tuple[int, FloatArray]]:
    """Yield where the entries of each cause begin, and the entries of every draw."""
    for c, parents in enumerate(model.cause_parents):
        table = draws.tables[c]
        for axis in reversed(range(len(parents))):
            r = parents[axis]
            if observed[r] >= 0:
                table = np.moveaxis(table, axis + 1, 0)[int(observed[r])]
            elif model.axes.risk[r] < 0:
                weight = draws.risk_priors[r]
                shape = [len(draws)] + [1] * (table.ndim - 1)
                shape[axis + 1] = weight.shape[1]
                table = (table * weight.reshape(shape)).sum(axis=axis + 1)
        yield int(model.prior_offset[c]), table.reshape(len(draws), -1)
