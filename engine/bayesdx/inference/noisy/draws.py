"""One case under many sets of parameters, by one plan for all of them.

`bayesdx.inference.posteriors` answers many cases under one set; here it is the other way round. All
sets share the structure of the case, so one order of work serves them all, a lane a set
(`bayesdx.inference.noisy.lanes.running`). Where an inhibitor acts in some sets only, the lanes are
split into a few groups when that saves more than another run costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import cast

import numpy as np

from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy import jit
from bayesdx.inference.noisy.lanes.glance import LaneGlance
from bayesdx.inference.noisy.lanes.problem import (
    LaneProblem,
    LinkDraws,
    ParameterDraws,
    lane_problem,
)
from bayesdx.inference.noisy.lanes.program import LaneProgram, lane_program
from bayesdx.inference.noisy.lanes.running import LanePlan, LaneStructure, plan_lanes, run_lanes
from bayesdx.inference.noisy.model import FloatArray, IntArray, NoisyModel
from bayesdx.inference.noisy.query import Answer, Backend

__all__ = ["LanePlans", "LinkDraws", "ParameterDraws", "posteriors_under", "repeat_parameters"]

#: Orders tried for a plan that is used, and for one that is only compared.
_TRIES, _GLANCES = 12, 1
#: Seconds a component of a lane, and a run of a step: what a split is weighed by.
_A_COMPONENT, _A_STEP = 12e-9, 40e-6
#: A group is split when that saves this share of its cost, at most so often in a row.
_WORTH, _DEEPEST = 0.15, 3
_KEPT = 64


@dataclass
class _Kept:
    """Lanes of one structure, their plan, and their program once it was asked for."""

    lanes: IntArray
    plan: LanePlan
    program: LaneProgram | None = None


@dataclass
class LanePlans:
    """Plans of the cases that were asked last about one `ParameterDraws`' knowledge.

    Lanes and plans by the evidence of the case; the same draws must be meant every time.
    """

    _kept: dict[tuple[bytes, ...], list[_Kept]] = field(default_factory=dict)

    def get(self, key: tuple[bytes, ...]) -> list[_Kept] | None:
        """Return the groups of a case."""
        return self._kept.get(key)

    def put(self, key: tuple[bytes, ...], groups: list[_Kept]) -> None:
        """Keep the groups of a case, and forget the oldest."""
        if len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = groups


def repeat_parameters(
    model: NoisyModel, count: int, evidence: Evidence | None = None
) -> ParameterDraws:
    """Return the model's own parameters ``count`` times.

    Parameters
    ----------
    model : NoisyModel
    count : int
        D.
    evidence : Evidence, optional
        One case; only what it speaks of is repeated. Everything when not given.
    """
    links = model.links

    def repeated(values: FloatArray) -> FloatArray:
        return np.repeat(np.asarray(values)[..., None], count, axis=-1)

    def one(strength: FloatArray, factor: FloatArray, leak: float) -> LinkDraws:
        at = np.flatnonzero((strength > 0.0) | (factor < 1.0))
        return LinkDraws(
            at, repeated(strength[at]), repeated(factor[at]), np.full(count, float(leak))
        )

    findings, ordinals = list(range(len(model.findings))), list(range(len(model.ordinals)))
    if evidence is not None:
        findings, ordinals = _asked(model, evidence)
    none = np.ones(len(model.causes))
    levels = {}
    for o in ordinals:
        first, size = model.level_offset[o], model.ordinal_sizes[o]
        levels[o] = tuple(
            one(links.exceed[:, at], none, links.exceed_leak[at])
            for at in range(first, first + size - 1)
        )
    return ParameterDraws(
        {f: one(links.strength[:, f], links.factor[:, f], links.leak[f]) for f in findings},
        levels,
        model.cause_parents,
        tuple(repeated(table) for table in model.cause_tables),
        tuple(repeated(prior) for prior in model.risk_priors),
    )


def _asked(model: NoisyModel, evidence: Evidence) -> tuple[list[int], list[int]]:
    """Findings and ordinals that one case speaks of."""
    findings = np.flatnonzero(~np.isnan(evidence.findings[0])).tolist()
    full = np.array(model.ordinal_sizes, dtype=np.intp) - 1
    bounded = (evidence.lower[0] > 0) | (evidence.upper[0] < full)
    return findings, np.flatnonzero(bounded).tolist()


def posteriors_under(
    model: NoisyModel,
    evidence: Evidence,
    draws: ParameterDraws,
    plans: LanePlans | None = None,
    backend: Backend = "auto",
) -> Answer:
    """Answer one case under every draw.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case; causes may be clamped.
    draws : ParameterDraws
        D draws, of everything that the case speaks of; more is left aside.
    plans : LanePlans, optional
        Kept from earlier cases about the same draws.
    backend : {"auto", "numpy", "compiled"}
        "compiled" needs numba (``pip install 'bayesdx[fast]'``) and agrees with "numpy" to 1e-12;
        "auto" is "numpy": to load numba takes longer than one case under thousands of draws.

    Returns
    -------
    Answer
        Row d under draw d: ``log_evidence`` (D,), ``causes`` (D, C).

    Raises
    ------
    BayesdxError
        If there is not exactly one case, it couples more than can be summed over, or numba is
        asked for and not there.
    """
    if len(evidence) != 1:
        raise BayesdxError(Fault("evidence", "one case", len(evidence)))
    findings, ordinals = _asked(model, evidence)
    asked = ParameterDraws(
        {f: draws.findings[f] for f in findings},
        {o: draws.ordinals[o] for o in ordinals},
        draws.parents,
        draws.tables,
        draws.risk_priors,
    )
    kernel = _kernel() if backend == "compiled" else None
    log_evidence, causes = np.empty(len(draws)), np.empty((len(draws), len(model.causes)))
    for group, problem in _groups(model, evidence, asked, plans):
        if kernel is None:
            log_evidence[group.lanes], posterior = run_lanes(problem, group.plan)
        else:
            group.program = group.program or lane_program(problem, group.plan)
            log_evidence[group.lanes], posterior = kernel(problem, group.program)
        causes[group.lanes] = posterior.T
    return Answer(log_evidence, causes, np.empty(0))


_Kernel = Callable[[LaneProblem, LaneProgram], tuple[FloatArray, FloatArray]]


@cache
def _kernel() -> _Kernel:
    """Import the compiled loop, and numba with it; see `bayesdx.inference.noisy.jit`."""
    if not jit.installed():
        raise BayesdxError(Fault("backend", "numba, of the extra 'fast'", Phrase("no numba")))
    return cast(_Kernel, import_module("bayesdx.inference.noisy.lanes.kernel").run_program)


def _groups(
    model: NoisyModel, evidence: Evidence, draws: ParameterDraws, plans: LanePlans | None
) -> Iterator[tuple[_Kept, LaneProblem]]:
    key = tuple(
        part.tobytes()
        for part in (
            evidence.findings,
            evidence.lower,
            evidence.upper,
            evidence.risks,
            evidence.causes,
        )
    )
    kept = plans.get(key) if plans is not None else None
    if kept is None:
        kept = []
        for lanes in _split(LaneGlance(model, evidence, draws), np.arange(len(draws)), _DEEPEST):
            problem = _problem(model, evidence, draws, lanes)
            kept.append(_Kept(lanes, plan_lanes(problem, _TRIES)))
            yield kept[-1], problem
        if plans is not None:
            plans.put(key, kept)
        return
    for group in kept:
        yield group, _problem(model, evidence, draws, group.lanes)


def _problem(
    model: NoisyModel, evidence: Evidence, draws: ParameterDraws, lanes: IntArray
) -> LaneProblem:
    part = draws if len(lanes) == len(draws) else draws.take(lanes)
    return lane_problem(model, evidence, part)


def _split(glance: LaneGlance, lanes: IntArray, depth: int) -> list[IntArray]:
    """Part lanes by whether inhibitors make one finding harder, where that pays."""
    marks = glance.hard(lanes) if depth else {}
    best: list[IntArray] = []
    cost = _cost(glance, lanes) * (1.0 - _WORTH) if marks else 0.0
    for mark in marks.values():
        halves = [lanes[~mark], lanes[mark]]
        total = sum(_cost(glance, half) for half in halves)
        if total < cost:
            best, cost = halves, total
    if not best:
        return [lanes]
    return [piece for half in best for piece in _split(glance, half, depth - 1)]


def _cost(glance: LaneGlance, lanes: IntArray) -> float:
    """Seconds a group will take, about."""
    masks, sizes = glance.structure(lanes)
    order = LaneStructure(tuple(masks), tuple(sizes)).order(_GLANCES)
    tiles = max(1.0, len(lanes) * order.widest / (1 << 17))
    return len(lanes) * order.work * _A_COMPONENT + tiles * len(order.causes) * _A_STEP
