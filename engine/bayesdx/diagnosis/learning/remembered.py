"""A likelihood that is kept as it is looked at, so that an interrupted search can go on.

A search asks again for what it asked for before, in the same order. What is kept is answered at
once, and the search arrives where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

import numpy as np

from bayesdx.diagnosis.learning.case_likelihood import Expansion
from bayesdx.diagnosis.learning.number_posterior import Likelihood
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray


class KeptArrays(Protocol):
    """Arrays by name, kept beyond this process."""

    def get(self, name: str) -> Mapping[str, FloatArray] | None:
        """Arrays that were put there; None where there are none."""

    def put(self, name: str, arrays: Mapping[str, FloatArray]) -> None:
        """Keep arrays, all of them or none."""


@dataclass(frozen=True, eq=False)
class RememberedLikelihood:
    """A likelihood of which everything is kept.

    Attributes
    ----------
    likelihood : Likelihood
    memory : KeptArrays
    name : str
        Of the fit: the whole table, or one without some cases.
    """

    likelihood: Likelihood
    memory: KeptArrays
    name: str

    def value(self, steps: FloatArray) -> float:
        """Log probability of the cases."""
        kept = self._kept("value", steps, lambda: {"value": self.likelihood.value(steps)})
        return float(kept["value"])

    def expansion(self, steps: FloatArray, *, whole: bool = False) -> Expansion:
        """Differentiate it."""
        what = "whole" if whole else "expansion"
        kept = self._kept(what, steps, lambda: vars(self.likelihood.expansion(steps, whole=whole)))
        value, sampled = float(kept["value"]), bool(kept["sampled"])
        return Expansion(value, kept["gradient"], kept["information"], sampled=sampled)

    def only(self, informed: BoolArray) -> tuple[RememberedLikelihood, IntArray]:
        """Return that of some numbers, and which."""
        found, free = self.likelihood.only(informed)
        name = f"{self.name} {sha256(free.astype(np.int64).tobytes()).hexdigest()[:12]}"
        return replace(self, likelihood=found, name=name), free

    def _kept(
        self, what: str, steps: FloatArray, anew: Callable[[], Mapping[str, object]]
    ) -> Mapping[str, FloatArray]:
        key = sha256(f"{self.name} {what} ".encode() + (steps + 0.0).tobytes()).hexdigest()[:24]
        found = self.memory.get(key)
        if found is None:
            # How many cases speak of a number is asked for where sums are shared, not here.
            told = {k: np.asarray(v) for k, v in anew().items() if k != "cases"}
            self.memory.put(key, told)
            return told
        return found
