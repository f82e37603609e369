"""Which stated numbers an answer hangs on: each at the ends of its range, widest swing first.

Every number is taken elsewhere by itself and the network's parameters are solved for again, all
numbers in one run; there the correction for causes that share risks stays that of the stated
numbers (`parameter_draws`). For those of the widest swing it is computed anew as well, which is
what assembling the network anew gives: ``method`` is ``exact`` there and ``held`` elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bayesdx.building.perturbations import Mover
from bayesdx.diagnosis.changing.perturbed_answers import answers_at
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.first_order import answers_under, first_order, number_columns
from bayesdx.errors import Fault, InvalidCase, InvalidKnowledge, Phrase, nearest_names
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import FloatArray

#: Numbers of a tornado that are solved for exactly at both ends.
SOLVED = 12


def tornado(core: Core, findings: Mapping[str, object], cause: str | None = None) -> pd.DataFrame:
    """Move every stated number to the ends of its range, one at a time; see `Engine.tornado`.

    Returns
    -------
    DataFrame
        A row a number that can move the posterior, the widest swing first: cause, place, title,
        value, low, high (the range; the 5 % and 95 % points of the distribution where there is
        none), deviation, posterior (as stated), at_low, at_high, swing (their distance), slope
        (log-odds by log-odds), method, basis, source, statements. Where an end cannot hold beside
        the other numbers the posterior there is the stated one.
    """
    evidence = core.read_case(findings).evidence
    position = None if cause is None else _position(core, cause)
    ready = core.perturbations
    near = first_order(core, ready, evidence)
    check_possible(near.log_evidence)
    column = int(near.posterior[:-1].argmax()) if position is None else position
    which = ready.relevant(evidence)
    sets = ready.ends.sets(which)
    ends = answers_under(core, ready.ends.draws, evidence, sets).posterior[1:, column]
    at_high, at_low = ends[0::2], ends[1::2]
    reached = ready.ends.steps[which]
    stated = float(near.posterior[column])
    at_high = np.where(reached[:, 0] == 0.0, stated, at_high)
    at_low = np.where(reached[:, 1] == 0.0, stated, at_low)
    swing = np.abs(at_high - at_low)
    order = np.argsort(-swing, kind="stable")
    exact = order[:SOLVED]
    ends = _exact_ends(core, evidence, [near.movers[j] for j in exact], reached[exact])[..., column]
    at_high[exact], at_low[exact] = ends[:, 0], ends[:, 1]
    rows = []
    for n, j in enumerate(order):
        if at_high[j] != at_low[j]:
            told = {"posterior": stated, "at_low": float(at_low[j]), "at_high": float(at_high[j])}
            told |= {"swing": abs(float(at_high[j] - at_low[j]))}
            told |= {"slope": float(near.slopes[j, column])}
            support = number_columns(near.movers[j])
            method = "exact" if n < SOLVED else "held"
            rows.append({"cause": core.causes[column], "method": method, **support, **told})
    frame = pd.DataFrame(rows, columns=TORNADO_COLUMNS)
    return frame.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


TORNADO_COLUMNS = (
    "cause",
    "place",
    "title",
    "value",
    "low",
    "high",
    "deviation",
    "posterior",
    "at_low",
    "at_high",
    "swing",
    "slope",
    "method",
    "basis",
    "source",
    "statements",
)


def check_possible(log_evidence: float) -> None:
    """Refuse a case that has no posteriors to move."""
    if np.isneginf(log_evidence):
        expected = "findings that can occur together in this model"
        raise InvalidCase(Fault("findings", expected, Phrase("impossible ones")))


def _position(core: Core, cause: str) -> int:
    if cause not in core.causes:
        near = nearest_names(cause, core.causes)
        raise InvalidKnowledge(Fault("cause", "a cause of the model", cause, near))
    return core.causes.index(cause)


def _exact_ends(
    core: Core, evidence: Evidence, movers: Sequence[Mover], steps: FloatArray
) -> FloatArray:
    """Posteriors at the upper and the lower end of some numbers, (M, 2, K + 1)."""
    moves = [
        (mover, float(step)) for mover, both in zip(movers, steps, strict=True) for step in both
    ]
    answers = answers_at(core, core.perturbations, evidence, moves, exact=True)
    return answers.reshape(len(movers), 2, -1)
