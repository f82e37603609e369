"""Sets of stated numbers that do not depend on a case, made once for a network and kept.

Three kinds: drawn from their distributions, moved a little one at a time (for derivatives), and
moved to the ends of their ranges one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from bayesdx.building.assembly import Assembly
from bayesdx.building.feasibility import Values
from bayesdx.building.knowledge_draws import KnowledgeDraws, knowledge_draws
from bayesdx.building.number_draws import (
    Uncertain,
    draw_numbers,
    moved,
    stated_values,
    uncertain_numbers,
)
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.model import FloatArray, IntArray
from bayesdx.inference.noisy.recent import Recent
from bayesdx.knowledge.knowledge import Knowledge

#: Step in log-odds for differences; the answers at its ends are exact to thirteen digits.
STEP = 1e-3
#: Drawn sets kept for one core: 25 MB each for the packaged knowledge.
_KEPT = 4


@dataclass(frozen=True)
class Mover:
    """One direction in which a number can be wrong.

    Attributes
    ----------
    number : Uncertain
    state : int
        Which share of a risk with several states, -1 for a single number. Shares are proportional
        to weights that are independent; ``deviation`` is that of the logarithm of this weight.
    deviation : float
        Of the log-odds of a probability, or the logarithm of a ratio.
    """

    number: Uncertain
    state: int
    deviation: float

    def moved(self, step: float) -> FloatArray:
        """Return the number after a step in log-odds, or the logarithm; all shares of a risk."""
        if self.state < 0:
            return moved(self.number, np.array(step))
        shares = np.array(self.number.number.value)
        shares[self.state] *= np.exp(step)
        return np.asarray(shares / shares.sum())


@dataclass(frozen=True, eq=False)
class MovedSets:
    """Sets of numbers in which one is moved at a time.

    Attributes
    ----------
    draws : KnowledgeDraws
        Set 0 has the stated numbers, then come two a mover: 2 j + 1 up, 2 j + 2 down.
    movers : tuple of Mover
        J of them.
    steps : array (J, 2)
        How far each was moved up and down, in log-odds or the logarithm; 0 where the moved number
        could not hold.
    """

    draws: KnowledgeDraws
    movers: tuple[Mover, ...]
    steps: FloatArray

    def sets(self, movers: IntArray) -> IntArray:
        """Return the sets that belong to some movers, after the stated one."""
        return np.append(0, np.stack([2 * movers + 1, 2 * movers + 2], axis=1).ravel())


class Perturbations:
    """Sets of numbers that do not depend on a case, made when they are first asked for and kept.

    A part of the engine's core, which lets go of it with itself.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge.
    backend : {"auto", "numpy", "compiled"}
    """

    def __init__(self, knowledge: Knowledge, assembly: Assembly, backend: Backend = "auto") -> None:
        self.knowledge = knowledge
        self.assembly = assembly
        self.backend = backend
        self._drawn: Recent[tuple[int, int], KnowledgeDraws] = Recent(_KEPT)

    def __reduce__(self) -> tuple[type[Perturbations], tuple[Knowledge, Assembly, Backend]]:
        # A copy draws anew.
        return Perturbations, (self.knowledge, self.assembly, self.backend)

    @cached_property
    def numbers(self) -> tuple[Uncertain, ...]:
        """Every number with its distribution."""
        return uncertain_numbers(self.knowledge)

    @cached_property
    def stated(self) -> Values:
        """The stated values, (1,) or (S, 1)."""
        return stated_values(self.numbers, 1)

    def drawn(self, draws: int, seed: int) -> KnowledgeDraws:
        """Return sets that are drawn from the distributions of the numbers."""
        return self._drawn.get(
            (draws, seed), lambda: self._sets(draw_numbers(self.numbers, draws, seed))
        )

    @cached_property
    def movers(self) -> tuple[Mover, ...]:
        """Every direction in which any number can be wrong."""
        found = []
        for one in self.numbers:
            if isinstance(one.number.value, tuple):
                assert isinstance(one.fit, tuple)
                spreads = np.sqrt(special.polygamma(1, np.array(one.fit)))
                found += [Mover(one, s, float(spread)) for s, spread in enumerate(spreads)]
            elif one.fit is not None:
                found.append(Mover(one, -1, one.deviation))
        return tuple(found)

    @cached_property
    def nearby(self) -> MovedSets:
        """Every number moved by `STEP`, up and down."""
        return self._moved([(STEP, -STEP)] * len(self.movers))

    @cached_property
    def ends(self) -> MovedSets:
        """Every number moved to the upper and the lower end of its range.

        Shares of a risk are moved by 1.645 of their deviations.
        """
        return self._moved([_end_steps(mover) for mover in self.movers])

    def _moved(self, steps: Sequence[tuple[float, float]]) -> MovedSets:
        values = dict(stated_values(self.numbers, 1 + 2 * len(steps)))
        for j, (mover, both) in enumerate(zip(self.movers, steps, strict=True)):
            for at, step in zip((2 * j + 1, 2 * j + 2), both, strict=True):
                values[mover.number.number.address][..., at] = mover.moved(step)
        draws = self._sets(values)
        reached = np.array(steps, dtype=np.float64).reshape(-1, 2)
        for j, mover in enumerate(self.movers):
            back = draws.upper.put_back.get(mover.number.number.address)
            if back is not None:
                reached[j][back[2 * j + 1 : 2 * j + 3]] = 0.0
        return MovedSets(draws, self.movers, reached)

    def _sets(self, values: Values) -> KnowledgeDraws:
        return knowledge_draws(
            self.knowledge, self.assembly, values, self.stated, backend=self.backend
        )

    def relevant(self, evidence: Evidence) -> IntArray:
        """Return the movers that can change what one case says.

        Those of links and backgrounds of findings that the case does not speak of cannot.
        """
        model, knowledge = self.assembly.model, self.knowledge
        known = np.flatnonzero(~np.isnan(evidence.findings[0]))
        asked = {model.findings[f] for f in known}
        for o, name in enumerate(model.ordinals):
            if evidence.lower[0, o] > 0 or evidence.upper[0, o] < model.ordinal_sizes[o] - 1:
                asked |= {f.id for f in knowledge.findings.values() if f.threshold_of == name}
        gated = {name for name, one in knowledge.findings.items() if one.background_effects}

        def matters(mover: Mover) -> bool:
            number = mover.number.number
            if number.kind == "link":
                return number.address.key in asked
            if number.kind in ("background", "background_effect"):
                return number.owner in asked or number.owner in gated
            return True

        return np.array([j for j, one in enumerate(self.movers) if matters(one)], dtype=np.intp)


def _end_steps(mover: Mover) -> tuple[float, float]:
    if mover.state >= 0:
        half = float(special.ndtri(0.95)) * mover.deviation
        return half, -half
    low, high = mover.number.ends
    scale: Callable[[float], float] = np.log if mover.number.number.is_ratio else special.logit
    value = mover.number.number.value
    assert not isinstance(value, tuple)
    return float(scale(high) - scale(value)), float(scale(low) - scale(value))
