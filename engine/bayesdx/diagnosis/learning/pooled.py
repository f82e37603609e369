"""The likelihood of the cases of several places, by their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesdx.building.number_chain import NumberChain
from bayesdx.diagnosis.learning.case_likelihood import Expansion
from bayesdx.diagnosis.learning.case_statistics import (
    CaseStatistics,
    SumsAt,
    mover_name,
    steps_of,
)
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray


class UnansweredError(Exception):
    """Some place was not asked at these steps (J,)."""

    def __init__(self, steps: FloatArray) -> None:
        super().__init__("numbers at which a place was not asked yet")
        self.steps = steps


@dataclass(frozen=True, eq=False)
class PooledLikelihood:
    """What cases say of J numbers that are known by their sums.

    Attributes
    ----------
    chain : NumberChain
        Of all numbers that may move.
    fixed : int array
        Those that some place does not share: they stay as they are.
    numbers : tuple of int arrays
        Those that each place shares.
    sums : tuple of mappings
        Of each place, by the bytes of the steps at which it was asked.
    free : int array (J,)
        The numbers that are asked about here.
    """

    chain: NumberChain
    fixed: IntArray
    numbers: tuple[IntArray, ...]
    sums: tuple[Mapping[bytes, SumsAt], ...]
    free: IntArray

    def value(self, steps: FloatArray) -> float:
        """Log probability of the cases."""
        return self.expansion(steps).value

    def expansion(self, steps: FloatArray, *, whole: bool = True) -> Expansion:
        """Add up what the places say, which is of all their cases.

        Raises
        ------
        UnansweredError
            Where one was not asked.
        """
        del whole
        n = len(self.chain.movers)
        point = np.zeros(n)
        # Adding 0 makes no difference but to -0.
        point[self.free] = steps + 0.0
        key = point.tobytes()
        if any(key not in sums for sums in self.sums):
            raise UnansweredError(point)
        value, gradient, information = 0.0, np.zeros(n), np.zeros((n, n))
        for own, sums in zip(self.numbers, self.sums, strict=True):
            one, block = sums[key], np.zeros((len(own), len(own)))
            for j, row in enumerate(one.information):
                block[j, : j + 1] = block[: j + 1, j] = row
            value += one.log_probability
            gradient[own] += one.gradient
            information[np.ix_(own, own)] += block
        gradient[self.fixed] = 0.0
        information[self.fixed], information[:, self.fixed] = 0.0, 0.0
        return Expansion(value, gradient[self.free], information[np.ix_(self.free, self.free)])

    def only(self, informed: BoolArray) -> tuple[PooledLikelihood, IntArray]:
        """Return that of some numbers, with every share of a risk or none, and which."""
        _, free = self.chain.only(informed)
        return replace(self, free=self.free[free]), free


def pooled_likelihood(chain: NumberChain, places: Sequence[CaseStatistics]) -> PooledLikelihood:
    """Put the sums of several places together.

    Raises
    ------
    BayesdxError
        Where one speaks of numbers that may not move.
    """
    at = {mover_name(one): j for j, one in enumerate(chain.movers)}
    named = {one for place in places for one in (*place.numbers, *place.suppressed)}
    unknown = sorted(named - set(at))
    if unknown:
        got = Phrase("one that may not")
        raise BayesdxError([Fault(one, "a number that may move", got) for one in unknown])
    fixed = sorted({at[one] for place in places for one in place.suppressed})
    return PooledLikelihood(
        chain,
        np.array(fixed, dtype=np.intp),
        tuple(np.array([at[one] for one in place.numbers], dtype=np.intp) for place in places),
        tuple(
            {steps_of(chain, one.steps).tobytes(): one for one in place.points} for place in places
        ),
        np.arange(len(at)),
    )
