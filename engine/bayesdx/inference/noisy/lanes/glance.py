"""The structure that groups of lanes have, without their numbers: to compare groups by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.lanes.problem import (
    ParameterDraws,
    between_levels,
    inhibits_hard,
    lane_problem,
)
from bayesdx.inference.noisy.model import BoolArray, IntArray, NoisyModel


@dataclass(frozen=True, eq=False)
class _Activity:
    """Which links of a finding act in which lanes: bool arrays (n, D), and `inhibits_hard` (D,)."""

    causes: IntArray
    raises: BoolArray
    lowers: BoolArray
    hard: BoolArray


class LaneGlance:
    """The structure that any group of lanes has, without its numbers; to compare groups by."""

    def __init__(self, model: NoisyModel, evidence: Evidence, draws: ParameterDraws) -> None:
        whole = lane_problem(model, evidence, draws.take(slice(0, 1)))
        self._parents, self._n_causes = whole.parents, len(model.causes)
        self._risk_sizes = [len(start) for start in whole.risk_starts]
        possible = np.array([bool(table.any()) for table in draws.tables])
        self._possible = possible & (evidence.causes[0] != 0)
        self._values = {f: float(evidence.findings[0, f]) for f in draws.findings}
        self._activity = {
            f: _Activity(
                links.causes,
                links.strength > 0.0,
                links.factor < 1.0,
                inhibits_hard(self._values[f], links),
            )
            for f, links in draws.findings.items()
        }
        self._levels = [
            axis.causes
            for o, levels in draws.ordinals.items()
            for axis in between_levels(
                o,
                levels,
                int(evidence.lower[0, o]),
                int(evidence.upper[0, o]),
                np.ones((self._n_causes, len(draws))),
                np.zeros(len(draws)),
            )
        ]

    def hard(self, lanes: IntArray) -> dict[int, BoolArray]:
        """Return findings where inhibitors are hard in some of the lanes only, with where."""
        marks = {f: one.hard[lanes] for f, one in self._activity.items()}
        return {f: mark for f, mark in marks.items() if mark.any() and not mark.all()}

    def structure(self, lanes: IntArray) -> tuple[list[int], list[int]]:
        """Return the axes of each cause as bits, and the sizes of the axes."""
        masks: list[int] = [0] * self._n_causes
        sizes: list[int] = []
        for f, one in self._activity.items():
            hard, value = bool(one.hard[lanes].any()), self._values[f]
            if value == 0.0 and not hard:
                continue
            lowers = one.lowers[:, lanes].any(axis=1)
            acts = lowers if value == 0.0 else lowers | one.raises[:, lanes].any(axis=1)
            self._touch(masks, one.causes[acts], len(sizes))
            sizes.append(2 if value == 0.0 or not hard else 3 if value >= 0.5 else 4)
        for causes in self._levels:
            self._touch(masks, causes, len(sizes))
            sizes.append(2)
        for c, own in enumerate(self._parents):
            masks[c] |= sum(1 << len(sizes) + r for r in own)
        return masks, [*sizes, *self._risk_sizes]

    def _touch(self, masks: list[int], causes: IntArray, axis: int) -> None:
        for c in causes.tolist():
            if self._possible[c]:
                masks[c] |= 1 << axis
