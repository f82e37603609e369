"""One case under many draws of the parameters, by one program for all of them.

`bayesdx.inference.posteriors` answers many cases under one set of numbers; here it is the other way
round. All draws share the structure of the case, so one order of work serves them all, a lane a
draw (`bayesdx.inference.noisy.lanes`). Where an inhibitor acts in some draws only, the lanes are
split into a few groups when that saves more than another run costs. Where findings couple much and
the compiled sweep is at hand, each draw is a model (`bayesdx.inference.noisy.drawn_models`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bayesdx.errors import BayesdxError, Fault, TooComplex
from bayesdx.inference.arrays import IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.choice import takes_compiled
from bayesdx.inference.noisy.drawn_models import answers_of_models
from bayesdx.inference.noisy.lane_case import FindingLinks, condition_lanes
from bayesdx.inference.noisy.lane_order import Order, find_order
from bayesdx.inference.noisy.lane_program import LanePrograms
from bayesdx.inference.noisy.lanes import AT_ONCE, run_lanes
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.parameters import LinkDraws, ParameterDraws, repeat_parameters
from bayesdx.inference.noisy.recent import Recent

__all__ = ["LanePlans", "LinkDraws", "ParameterDraws", "posteriors_under", "repeat_parameters"]

#: Seconds a component of a lane, and a run of a step: what a split is weighed by.
_A_COMPONENT, _A_STEP = 12e-9, 40e-6
#: Components of a lane from which compiled code is taken, with a model a draw: 150 draws of 37
#: document, typical and published cases took 12.7, 12.0, 11.0, 11.6, 13.2 and 19.2 s of CPU in all
#: from 2**15, 2**16, ... and 2**20 on; a compiled loop over lanes in place of both saved 7 %.
_HEAVY = 1 << 17
#: A group is split when that saves this share of its cost, at most so often in a row.
_WORTH, _DEEPEST = 0.15, 3


@dataclass(frozen=True, eq=False)
class LanePlans:
    """What was worked out for the cases that were asked last about one `ParameterDraws`.

    Groups of lanes by the evidence of the case, and programs; the same draws must be meant every
    time.
    """

    groups: Recent[tuple[bytes, ...], list[IntArray]] = field(default_factory=Recent)
    programs: LanePrograms = field(default_factory=LanePrograms)


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
        "compiled" answers each draw as a model of its own, needs numba (``pip install
        'bayesdx[fast]'``) and agrees with "numpy" to 1e-12; "auto" takes what is sooner done, by
        the work of the case, with compiled code that this process has or that lies on disk, see
        `bayesdx.inference.noisy.choice`.

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
    asked, plans = draws.asked(model, evidence), LanePlans() if plans is None else plans
    log_evidence, causes = np.empty(len(draws)), np.empty((len(draws), len(model.causes)))
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
    links = FindingLinks(evidence, asked)
    by_model = takes_compiled(backend, model, evidence.take(np.zeros(len(draws), dtype=np.intp)))
    most = np.inf if not by_model else _HEAVY if backend == "auto" else 0.0
    for lanes in plans.groups.get(key, lambda: _groups(evidence, asked, links, most)):
        part = asked if len(lanes) == len(draws) else asked.take(lanes)
        case = condition_lanes(evidence, part, findings=links if part is asked else None)
        try:
            program = plans.programs.get(case.structure, len(lanes))
        except TooComplex:
            if not by_model:
                raise
            program = None
        if program is None or program.work >= most:
            found = answers_of_models(model, evidence, part)
            log_evidence[lanes], causes[lanes] = found[0][:, 0], found[1][:, 0]
        else:
            log_evidence[lanes], posterior = run_lanes(case, program)
            causes[lanes] = posterior.T
    return Answer(log_evidence, causes, np.empty(0))


def _groups(
    evidence: Evidence, draws: ParameterDraws, links: FindingLinks, most: float
) -> list[IntArray]:
    """Part lanes by whether inhibitors make a finding harder, where that pays.

    Of ``most`` work and more they are models of their own.
    """
    every = np.arange(len(draws))
    if (links.hard.any(axis=1) == links.hard.all(axis=1)).all():
        return [every]
    one = draws.take(slice(0, 1))
    rest = condition_lanes(evidence, replace(one, findings={}))

    def planned(lanes: IntArray) -> tuple[int, Order]:
        """Causes that a group sums out, and the order of it."""
        masks, widths = links.structure(lanes)
        masks = [
            mask | other << len(widths)
            for mask, other in zip(masks, rest.structure.masks, strict=True)
        ]
        grouped = [mask for mask in masks if mask.bit_count() > 1]
        return len(grouped), find_order(grouped, [*widths, *rest.structure.widths], 1)

    def cost(lanes: IntArray) -> float:
        """Seconds a group will take, about."""
        n_causes, order = planned(lanes)
        tiles = max(1.0, len(lanes) * order.widest / AT_ONCE)
        return len(lanes) * order.work * _A_COMPONENT + tiles * n_causes * _A_STEP

    def split(lanes: IntArray, depth: int) -> list[IntArray]:
        best, least = [lanes], cost(lanes) * (1.0 - _WORTH) if depth else 0.0
        for mark in links.hard[:, lanes] if depth else ():
            halves = [lanes[~mark], lanes[mark]]
            total = sum(map(cost, halves)) if mark.any() and not mark.all() else np.inf
            if total < least:
                best, least = halves, total
        if len(best) == 1:
            return best
        return [piece for half in best for piece in split(half, depth - 1)]

    if planned(every)[1].work >= most:
        return [every]
    return split(every, _DEEPEST)
