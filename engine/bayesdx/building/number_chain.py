"""From stated numbers to the numbers of the network, with the slope of one by the other.

Stated numbers are moved in log-odds (probabilities), in the logarithm (ratios) or in the logarithm
of a weight (shares of a risk); what is solved for them is differentiated by differences of the fit.
The fit's correction for causes that share risks is that of the assembly throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import sparse

from bayesdx.building.assembly import BACKGROUND, Assembly
from bayesdx.building.feasibility import UpperLayers, Values
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
from bayesdx.knowledge.knowledge import Knowledge

#: Step of differences of the fit, which is solved to fifteen digits.
STEP = 1e-4
#: Numbers that act on one finding alone.
LOCAL = ("link", "background", "background_effect")
#: Sets of numbers that are moved together, which bounds the memory of their draws.
_AT_ONCE = 128


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
        places: dict[Address, list[int]] = {}
        for j, mover in enumerate(movers):
            places.setdefault(mover.number.number.address, []).append(j)
        #: Which of the J numbers are at an address: several shares of a risk.
        self.places: Mapping[Address, list[int]] = places

    def only(self, chosen: BoolArray) -> tuple[NumberChain, IntArray]:
        """Return the chain of some numbers, with every share of a risk or none, and which."""
        kept = [at for at in self.places.values() if chosen[at].any()]
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
            for address, at in self.places.items()
            if steps[at].any()
        }

    def model(self, steps: FloatArray) -> NoisyModel | None:
        """Return the network after steps (J,); None where its numbers cannot hold together."""
        draws = self._draws(steps[:, None])
        return None if draws.upper.put_back else self._model(draws)

    def upper(self, steps: FloatArray) -> UpperLayers:
        """Return risks and causes after steps (J, D), which need not hold together."""
        return UpperLayers(self._knowledge, self._values(steps))

    def bends(self, steps: FloatArray) -> FloatArray:
        """Second derivative of each stated number by its step, over the first, (J,).

        That of p by its log-odds, or of a share by the logarithm of its weight, is 1 - 2 p; of a
        ratio by its logarithm 1.
        """
        values, found = self._values(steps[:, None]), np.ones(len(steps))
        for address, at in self.places.items():
            if not self.movers[at[0]].number.number.is_ratio:
                found[at] = 1.0 - 2.0 * values[address].ravel()[[self.movers[j].state for j in at]]
        return found

    def slopes(self, steps: FloatArray) -> sparse.csc_array:
        """Differentiate the numbers of the network by the stated ones, (T, J).

        What is stated of a finding acts on its own links and leak alone: one number of every
        finding is moved at a time. Priors, effects and prevalences act on all of them.
        """
        chain, place = self._chains()
        local = np.flatnonzero(chain >= 0)
        sets = [local[place[local] == one] for one in range(int(place.max(initial=-1)) + 1)]
        sets += [np.array([j]) for j in np.flatnonzero(chain < 0)]
        parts = [
            self._slopes(steps, sets[first : first + _AT_ONCE], chain)
            for first in range(0, len(sets), _AT_ONCE)
        ]
        rows, columns, values = (np.concatenate(one) for one in zip(*parts, strict=True))
        shape = (self.layout.first[-1], len(steps))
        return sparse.csc_array(sparse.coo_array((values, (rows, columns)), shape=shape))

    def _chains(self) -> tuple[IntArray, IntArray]:
        """Finding of each number that acts on one alone, else -1, and its place among those."""
        layout, seen = self._assembly.links.layout, dict[int, int]()
        chain, place = np.full(len(self.movers), -1), np.full(len(self.movers), -1)
        for j, mover in enumerate(self.movers):
            kind, owner, key = mover.number.number.address
            if kind in LOCAL:
                event = str(key) if kind == "link" else owner
                chain[j] = label = int(layout.chain[layout.row[event]])
                place[j] = seen.get(label, 0)
                seen[label] = place[j] + 1
        return chain, place

    def _values(self, steps: FloatArray) -> Values:
        """Every number after steps (J, D)."""
        values = stated_values(self._numbers, steps.shape[1])
        for address, at in self.places.items():
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
        for _, index, numbers in self._blocks(draws.parameters(self._everything)):
            values[index] = numbers[:, 0]
        return _with_values(model, layout, values)

    def _slopes(
        self, steps: FloatArray, sets: list[IntArray], chain: IntArray
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """Entries of `slopes` by sets of numbers: as they stand, each set moved up, then down."""
        n = len(sets)
        up = np.full((int(chain.max(initial=-1)) + 2, n), -1)
        lanes = np.repeat(steps[:, None], 1 + 2 * n, axis=1)
        for k, own in enumerate(sets):
            lanes[own, 1 + k] += STEP
            lanes[own, 1 + n + k] -= STEP
            up[chain[own], k] = own
        draws = self._draws(lanes)
        rows, columns, values = [], [], []
        for label, index, numbers in self._blocks(draws.parameters(self._everything)):
            change = numbers[:, 1 : 1 + n] - numbers[:, 1 + n :]
            at, lane = np.nonzero(change)
            own = up[label] if label < len(up) - 1 else up[-1]
            found = np.where(own >= 0, own, up[-1])
            moved_by, width = found[lane], self._width(draws, found, n)[lane]
            kept = moved_by >= 0
            rows.append(index[at][kept])
            columns.append(moved_by[kept])
            values.append((change[at, lane] / width)[kept])
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)

    def _width(self, draws: KnowledgeDraws, found: IntArray, n: int) -> FloatArray:
        """How far up and down each set was moved, (n,): numbers that could not hold were not."""
        width = np.full(n, 2.0 * STEP)
        if not draws.upper.put_back:
            return width
        for k in np.flatnonzero(found >= 0).tolist():
            back = draws.upper.put_back.get(self.movers[found[k]].number.number.address)
            if back is not None:
                width[k] -= STEP * float(back[1 + k]) + STEP * float(back[1 + n + k])
        # Where it was not moved at all, nothing has changed.
        return np.where(width > 0.0, width, 1.0)

    def _blocks(self, found: ParameterDraws) -> Iterator[tuple[int, IntArray, FloatArray]]:
        """Finding that they belong to or -1, columns of the layout, their numbers (n, D)."""
        model, layout = self._assembly.model, self.layout
        n_findings, n_levels = len(model.findings), len(model.links.exceed_leak)
        layout_of = self._assembly.links.layout
        label = {name: int(layout_of.chain[row]) for name, row in layout_of.row.items()}
        for f, one in found.findings.items():
            at, own = one.causes * n_findings + f, label[model.findings[f]]
            yield own, layout.begin(STRENGTH) + at, one.strength
            yield own, layout.begin(FACTOR) + at, one.factor
            yield own, np.array([layout.begin(LEAK) + f]), one.leak[None]
        for o, levels in found.ordinals.items():
            own = label[layout_of.thresholds[model.ordinals[o]][0]]
            for column, one in enumerate(levels, model.level_offset[o]):
                yield own, layout.begin(EXCEED) + one.causes * n_levels + column, one.strength
                yield own, np.array([layout.begin(EXCEED_LEAK) + column]), one.leak[None]
        hidden = {BACKGROUND.format(name): label[name] for name in layout_of.hidden}
        for c, table in enumerate(found.tables):
            aligned = _aligned(table, found.parents[c], model.cause_parents[c])
            shape = (*model.cause_tables[c].shape, aligned.shape[-1])
            flat = np.broadcast_to(aligned, shape).reshape(-1, aligned.shape[-1])
            own = hidden.get(model.causes[c], -1)
            yield own, layout.begin(TABLE, c) + np.arange(len(flat)), flat
        for r, shares in enumerate(found.risk_priors):
            yield -1, layout.begin(PRIOR, r) + np.arange(len(shares)), shares


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
