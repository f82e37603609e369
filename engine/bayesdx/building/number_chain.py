"""From stated numbers to the numbers of the network, with the slope of one by the other.

Stated numbers are moved in log-odds (probabilities), in the logarithm (ratios) or in the logarithm
of a weight (shares of a risk); what is solved for them is differentiated by differences of the fit.
The fit's correction for causes that share risks is that of the assembly throughout.

What is known of a number is the distribution that it is drawn from elsewhere
(`bayesdx.building.number_draws`), as a density of its log-odds: that of a Beta distribution has its
mode where the number is stated, and so have the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from bayesdx.building.assembly import Assembly
from bayesdx.building.feasibility import Values
from bayesdx.building.knowledge_draws import KnowledgeDraws, knowledge_draws
from bayesdx.building.number_draws import Uncertain, moved, stated_values
from bayesdx.building.perturbations import Mover
from bayesdx.inference.evidence import no_evidence
from bayesdx.inference.noisy.compiling import with_numbers
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, Links, NoisyModel
from bayesdx.inference.noisy.number_layout import (
    EXCEED,
    EXCEED_LEAK,
    FACTOR,
    LEAK,
    PRIOR,
    STRENGTH,
    TABLE,
    NumberLayout,
    number_layout,
    numbers_of,
)
from bayesdx.inference.noisy.parameters import ParameterDraws
from bayesdx.knowledge.addresses import Address, StatedValue
from bayesdx.knowledge.distributions import BetaFit, LogNormalFit
from bayesdx.knowledge.knowledge import Knowledge

#: Step of differences of the fit, which is solved to fifteen digits.
STEP = 1e-4
#: What a number is: a probability, a ratio, one of the shares of a risk.
PROBABILITY, RATIO, SHARE = range(3)
#: Numbers differentiated together, which bounds the memory of their draws.
_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class StatedPrior:
    """Log density of J numbers around their stated values, in steps from them.

    Attributes
    ----------
    slope : array (J,)
        First parameter of a Beta distribution or weight of a share; 0 of a ratio.
    size : array (J,)
        Sum of both parameters, weight of a share, or 1 / variance of the logarithm of a ratio.
    start : array (J,)
        Stated log-odds of a probability; 0 of others.
    kind : int array (J,)
        `PROBABILITY`, `RATIO` or `SHARE`.
    """

    slope: FloatArray
    size: FloatArray
    start: FloatArray
    kind: IntArray

    def log_density(self, steps: FloatArray) -> float:
        """Sum of log densities, 0 where nothing has moved."""
        rise = np.logaddexp(0.0, self.start + steps) - np.logaddexp(0.0, self.start)
        probability = self.slope * steps - self.size * rise
        ratio = -0.5 * self.size * steps**2
        return float(self._of(probability, ratio, self.slope * (steps - np.expm1(steps))).sum())

    def gradient(self, steps: FloatArray) -> FloatArray:
        """Derivatives of `log_density`, (J,)."""
        probability = self.slope - self.size * special.expit(self.start + steps)
        found = self._of(probability, -self.size * steps, -self.slope * np.expm1(steps))
        return np.where(steps == 0.0, 0.0, found)

    def curvature(self, steps: FloatArray) -> FloatArray:
        """Minus the second derivatives of `log_density`, (J,), above 0."""
        p = special.expit(self.start + steps)
        return self._of(self.size * p * (1.0 - p), self.size, self.slope * np.exp(steps))

    def _of(self, probability: FloatArray, ratio: FloatArray, share: FloatArray) -> FloatArray:
        """Take what belongs to the kind of each number."""
        found: FloatArray = np.choose(self.kind, [probability, ratio, share])
        return found

    def take(self, chosen: IntArray) -> StatedPrior:
        """Return that of some numbers."""
        return StatedPrior(
            self.slope[chosen], self.size[chosen], self.start[chosen], self.kind[chosen]
        )


def stated_prior(movers: tuple[Mover, ...]) -> StatedPrior:
    """Return what is known of numbers before any case was seen."""
    rows = [_density(mover) for mover in movers]
    slope, size, start, kind = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return StatedPrior(slope, size, start, kind.astype(np.intp))


def _density(mover: Mover) -> tuple[float, float, float, float]:
    fit, value = mover.number.fit, mover.number.number.value
    if isinstance(fit, LogNormalFit):
        return 0.0, fit.deviation**-2, 0.0, RATIO
    if isinstance(fit, BetaFit):
        assert not isinstance(value, tuple)
        return fit.a, fit.a + fit.b, float(special.logit(value)), PROBABILITY
    assert isinstance(fit, tuple)
    return fit[mover.state], fit[mover.state], 0.0, SHARE


class NumberChain:
    """The network of a knowledge folder as a function of J of its stated numbers.

    Parameters
    ----------
    knowledge : Knowledge
    assembly : Assembly
        Of this knowledge.
    numbers : tuple of Uncertain
        Every number.
    movers : tuple of Mover
        Those that move.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        assembly: Assembly,
        numbers: tuple[Uncertain, ...],
        movers: tuple[Mover, ...],
    ) -> None:
        self.movers = movers
        self.layout: NumberLayout = number_layout(assembly.model)
        self._knowledge, self._assembly, self._numbers = knowledge, assembly, numbers
        model = assembly.model
        asked = no_evidence(model, 1)
        asked.findings[...] = 0.0
        asked.upper[...] = 0
        self._everything = asked
        groups: dict[Address, list[int]] = {}
        for j, mover in enumerate(movers):
            groups.setdefault(mover.number.number.address, []).append(j)
        self._groups: Mapping[Address, list[int]] = groups

    def only(self, chosen: BoolArray) -> tuple[NumberChain, IntArray]:
        """Return the chain of some numbers, with every share of a risk or none, and which."""
        kept = [at for at in self._groups.values() if chosen[at].any()]
        free = np.array(sorted(j for at in kept for j in at), dtype=np.intp)
        movers = tuple(self.movers[j] for j in free)
        return NumberChain(self._knowledge, self._assembly, self._numbers, movers), free

    def stated(self, steps: FloatArray) -> dict[Address, StatedValue]:
        """Return the numbers that have moved, by address; ``steps`` is (J,)."""
        values = self._values(steps[:, None])
        return {
            address: tuple(values[address][:, 0].tolist())
            if values[address].ndim == 2
            else float(values[address][0])
            for address, at in self._groups.items()
            if steps[at].any()
        }

    def model(self, steps: FloatArray) -> NoisyModel | None:
        """Return the network after steps (J,); None where its numbers cannot hold together."""
        draws = self._draws(steps[:, None])
        return None if draws.upper.put_back else self._model(draws)

    def slopes(self, steps: FloatArray) -> sparse.csc_array:
        """Differentiate the numbers of the network by the stated ones, (T, J)."""
        parts = [
            self._slopes(steps, np.arange(first, min(first + _AT_ONCE, len(steps))))
            for first in range(0, len(steps), _AT_ONCE)
        ]
        return sparse.csc_array(sparse.hstack(parts))

    def _values(self, steps: FloatArray) -> Values:
        """Every number after steps (J, D)."""
        values = stated_values(self._numbers, steps.shape[1])
        for address, at in self._groups.items():
            one, still = self.movers[at[0]], ~steps[at].any(axis=0)
            if one.state < 0:
                new = moved(one.number, steps[at[0]])
            else:
                new = values[address] * np.exp(steps[at])
                new = new / new.sum(axis=0)
            # What has not moved is what was stated, to the last bit.
            values[address] = np.where(still, values[address], new)
        return values

    def _draws(self, steps: FloatArray) -> KnowledgeDraws:
        values = self._values(steps)
        before = {address: value[..., :1] for address, value in values.items()}
        if steps.shape[1] == 1:
            before = stated_values(self._numbers, 1)
        draws = knowledge_draws(self._knowledge, self._assembly, values, before)
        if not draws.upper.put_back or steps.shape[1] > 1:
            draws.solve_all()
        return draws

    def _model(self, draws: KnowledgeDraws) -> NoisyModel:
        """The model of the first draw."""
        model, layout = self._assembly.model, self.layout
        values = numbers_of(model)
        for kind, nothing in ((STRENGTH, 0.0), (FACTOR, 1.0), (EXCEED, 0.0)):
            values[layout.begin(kind) : layout.first[kind + 1]] = nothing
        for index, numbers in self._blocks(draws.parameters(self._everything)):
            values[index] = numbers[:, 0]
        return _with_values(model, layout, values)

    def _slopes(self, steps: FloatArray, chosen: IntArray) -> sparse.coo_array:
        """Those of some numbers: set 0 as it stands, then each moved up, then each down."""
        n = len(chosen)
        sets = np.repeat(steps[:, None], 1 + 2 * n, axis=1)
        sets[chosen, 1 + np.arange(n)] += STEP
        sets[chosen, 1 + n + np.arange(n)] -= STEP
        draws = self._draws(sets)
        width = np.full((2, n), STEP)
        for k, j in enumerate(chosen.tolist()):
            back = draws.upper.put_back.get(self.movers[j].number.number.address)
            if back is not None:
                width[:, k][back[[1 + k, 1 + n + k]]] = 0.0
        total = width.sum(axis=0)
        per_step = np.divide(1.0, total, out=np.zeros(n), where=total > 0.0)
        rows, columns, values = [], [], []
        for index, numbers in self._blocks(draws.parameters(self._everything)):
            slope = (numbers[:, 1 : 1 + n] - numbers[:, 1 + n :]) * per_step
            at, column = np.nonzero(slope)
            rows.append(index[at])
            columns.append(column)
            values.append(slope[at, column])
        where = np.concatenate(rows), np.concatenate(columns)
        return sparse.coo_array((np.concatenate(values), where), shape=(self.layout.first[-1], n))

    def _blocks(self, found: ParameterDraws) -> Iterator[tuple[IntArray, FloatArray]]:
        """Columns of the layout with their numbers, (n,) and (n, D)."""
        model, layout = self._assembly.model, self.layout
        n_findings, n_levels = len(model.findings), len(model.links.exceed_leak)
        for f, one in found.findings.items():
            at = one.causes * n_findings + f
            yield layout.begin(STRENGTH) + at, one.strength
            yield layout.begin(FACTOR) + at, one.factor
            yield np.array([layout.begin(LEAK) + f]), one.leak[None]
        for o, levels in found.ordinals.items():
            for column, one in enumerate(levels, model.level_offset[o]):
                yield layout.begin(EXCEED) + one.causes * n_levels + column, one.strength
                yield np.array([layout.begin(EXCEED_LEAK) + column]), one.leak[None]
        for c, table in enumerate(found.tables):
            own = _aligned(table, found.parents[c], model.cause_parents[c])
            shape = (*model.cause_tables[c].shape, own.shape[-1])
            flat = np.broadcast_to(own, shape).reshape(-1, own.shape[-1])
            yield layout.begin(TABLE, c) + np.arange(len(flat)), flat
        for r, shares in enumerate(found.risk_priors):
            yield layout.begin(PRIOR, r) + np.arange(len(shares)), shares


def _aligned(table: FloatArray, have: tuple[int, ...], want: tuple[int, ...]) -> FloatArray:
    """Give a table (..., D) the axes of other risks: those that it lacks are of length 1."""
    # A risk that the network leaves out, since it changes nothing, is read at its first state.
    table = table[tuple(slice(None) if risk in want else 0 for risk in have)]
    kept = [risk for risk in have if risk in want]
    return table[tuple(slice(None) if risk in kept else None for risk in want)]


def _with_values(model: NoisyModel, layout: NumberLayout, values: FloatArray) -> NoisyModel:
    """Return the model with other numbers (T,)."""
    strength, factor, leak, exceed, exceed_leak, *rest = layout.split(values)
    links = Links(strength, factor, leak, exceed, exceed_leak, model.links.sizes)
    n = len(model.causes)
    return with_numbers(
        model, links=links, cause_tables=tuple(rest[:n]), risk_priors=tuple(rest[n:])
    )
