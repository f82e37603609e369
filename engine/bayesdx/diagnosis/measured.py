"""Numbers that a measure can show for each state of what it measures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.errors import InvalidCase

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.diagnosis.tied_findings import Relations
    from bayesdx.inference.noisy.model import FloatArray, IntArray
    from bayesdx.knowledge.schema import Measure

#: Numbers in each band between two thresholds.
NUMBERS = 100


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers by the state that they stand for.

    Attributes
    ----------
    measure : str
        The column that takes the numbers.
    numbers : float array (M,)
        State after state.
    first, count : int arrays (S,)
        Where the numbers of each state begin, and how many there are.
    """

    measure: str
    numbers: FloatArray
    first: IntArray
    count: IntArray

    def choose(self, states: IntArray, shares: FloatArray) -> IntArray:
        """Return positions in ``numbers``, by states (n,) and shares (n,) from 0 to below 1."""
        chosen: IntArray = self.first[states] + (shares * self.count[states]).astype(np.intp)
        return chosen


def measured_targets(core: Core, relations: Relations) -> dict[str, Measured]:
    """Find what can be told by a number, by its id.

    A measure is used when it sets exactly one thing of the network, and nothing else by which
    that could be contradicted. Every number is read back before it may be used.
    """
    model = core.model
    evidence = {*model.risks, *model.findings, *model.ordinals}
    found: dict[str, Measured] = {}
    used: set[str] = set()
    for measure in core.knowledge.measures.values():
        targets = {setting.target for setting in measure.sets}
        modelled = targets & evidence
        if len(modelled) != 1 or targets & used:
            continue
        (target,) = modelled
        if any(relations.others(other) - targets for other in targets - {target}):
            continue
        if any(core.knowledge.findings[other].threshold_of for other in targets - {target}):
            continue
        numbers = _by_state(core, measure, target)
        if numbers is not None:
            found[target] = numbers
            used |= targets
    return found


def _by_state(core: Core, measure: Measure, target: str) -> Measured | None:
    """Read candidate numbers and sort them by what they say; None if a state has none."""
    candidates = np.unique(list(_candidates(measure)))
    try:
        cases = core.reader.read({measure.id: candidates}, len(candidates), range(len(candidates)))
    except InvalidCase:
        return None
    state = cases.facts.get(target)
    if state is None or (state < 0).any():
        return None
    order = np.argsort(state, kind="stable")
    count = np.bincount(state, minlength=len(core.states[target]))
    if not count.all():
        return None
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    return Measured(measure.id, candidates[order], first, count)


def _candidates(measure: Measure) -> Iterator[float]:
    """Numbers inside each band, to four digits; of whole numbers also those at its ends."""
    thresholds = {cut for setting in measure.sets for cut in setting.cuts or ()}
    thresholds |= {setting.comparison[1] for setting in measure.sets if setting.comparison}
    low, high = measure.range
    for left, right in pairwise(sorted({low, high, *thresholds})):
        if measure.integer:
            inside = np.arange(math.ceil(left), math.floor(right) + 1, dtype=np.float64)
            step = max(1, len(inside) // NUMBERS)
            yield from inside[::step].tolist()
            continue
        for share in (np.arange(NUMBERS) + 0.5) / NUMBERS:
            number = float(f"{left + share * (right - left):.4g}")
            if left < number < right:
                yield number
