"""Cases whose causes act on equally many findings take a step as one array, a block.

A block is read from the frontiers of its cases, multiplied by the starts of the findings that open,
and acted on. What the way back needs is kept small: what is the same for all components of a case
is kept once a case and repeated again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray, MaskArray
from bayesdx.inference.noisy.lockstep.core_cases import CoreCases
from bayesdx.inference.noisy.lockstep.frontier import Chunk, FrontierLayout, Sizes, index_of
from bayesdx.inference.noisy.operator import Action, AxisEffect, component

_ONE = np.uint64(1)
_Kind = TypeVar("_Kind", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Ended:
    """Risks of some cases of a block that are summed out as it is read.

    Attributes
    ----------
    cases, components, read : slices
        Which cases of the block, which of its R components, which of the R+ that were read.
    sizes : tuple of int
        States of each risk.
    positions : int array (m, risks)
    weights : array (r, joint states)
        Probabilities of the risks' states, with what was folded into them.
    terms : array (…, r, joint states)
        What was summed.
    """

    cases: slice
    components: slice
    read: slice
    sizes: Sizes
    positions: IntArray
    weights: FloatArray
    terms: FloatArray


@dataclass(frozen=True, eq=False)
class CaseBlock:
    """m cases that take one step as one array (…, R).

    Attributes
    ----------
    rows, causes : int arrays (m,)
        Positions of the cases, their causes.
    positions : int array (m, T)
        Positions of the findings that the causes act on.
    new : bool array (m, T)
        Whether they open here.
    first, lengths : int arrays (m,)
        Where the components of each case begin, and how many they are.
    entries : int array (R,)
        Entries of tables.
    index : int array (…, R+)
        Where the frontiers were read.
    before : array (…, R)
        The frontiers when the causes acted on them.
    ended : list of Ended
    links : array (2 or 4, T, m)
        Gain and keep of the causes on component 1, keep and gain of component 2.
    starts : list of arrays (components - 1, m) or None
        Starts of the findings that opened, 1 for cases where they were open before.
    closing : array (T, m) or None
        Findings that close by a sum of components 1 and 2.
    weights : arrays (R,), (R,)
        Weights of the cause being present and absent.
    """

    rows: IntArray
    causes: IntArray
    positions: IntArray
    new: BoolArray
    first: IntArray
    lengths: IntArray
    entries: IntArray
    index: IntArray
    before: FloatArray
    ended: list[Ended]
    links: FloatArray
    starts: list[FloatArray | None]
    closing: FloatArray | None
    weights: tuple[FloatArray, FloatArray]

    def repeated(self, values: NDArray[_Kind]) -> NDArray[_Kind]:
        """Repeat numbers (…, m) of cases for each of their components, (…, R)."""
        return np.repeat(values, self.lengths, axis=-1)

    def action(self) -> Action:
        """What the causes do."""
        links = self.repeated(self.links).swapaxes(0, 1)
        effects = [AxisEffect(*own)._replace(hold=own[1]) for own in links]
        return Action(tuple(enumerate(effects)), *self.weights)

    def multiply_starts(self, array: FloatArray) -> None:
        """Multiply findings that opened by their starts, in place; component 0 of a start is 1."""
        for t, start in enumerate(self.starts):
            if start is not None:
                for value, factor in enumerate(self.repeated(start), 1):
                    part = array[component(t, value)]
                    part *= factor


@dataclass(frozen=True, eq=False)
class FrontierReading:
    """All that blocks of one step are read with.

    Attributes
    ----------
    values : array (…,)
        Frontiers of all cases, addressed by ``stride`` (n, K) and what is in ``places``.
    causes : int array (n,)
    new, closing : uint64 arrays (n,)
        Positions that open and close.
    entries, places : int arrays (R,), (R+,)
        Entries of tables and places of components, in the order of ``layout``.
    steps : int array (L,)
        Strides of ``layout.others`` in what is written.
    """

    cases: CoreCases
    layout: FrontierLayout
    values: FloatArray
    stride: IntArray
    causes: IntArray
    new: MaskArray
    closing: MaskArray
    entries: IntArray
    places: IntArray
    steps: IntArray


def make_reading(
    cases: CoreCases,
    layout: FrontierLayout,
    place: tuple[FloatArray, IntArray, IntArray],
    causes: IntArray,
    opened_closed: tuple[MaskArray, MaskArray],
) -> FrontierReading:
    """Find where everything lies; ``place`` are values, origin (n,) and stride (n, K)."""
    values, origin, stride = place
    others, rows = layout.others, layout.rows
    table = cases.table_strides(others.owner, others.at, causes[others.owner])
    index = index_of(cases.states, layout, stride, table)
    first = rows * cases.active.shape[1] + cases.model.prior_offset[causes[rows]]
    entries = index.entries + np.repeat(first, layout.lengths)
    places = index.places + np.repeat(origin[rows], layout.reads)
    return FrontierReading(
        cases, layout, values, stride, causes, *opened_closed, entries, places, index.steps
    )


def read_block(reading: FrontierReading, run: tuple[Chunk, ...]) -> CaseBlock:
    """Read the frontiers of cases whose causes act on findings of the same sizes."""
    cases, layout = reading.cases, reading.layout
    cut, touched = slice(run[0].first, run[-1].last), run[0].touched
    rows, lengths = layout.rows[cut], layout.lengths[cut]
    positions = layout.touched.of(cut.start, cut.stop)
    index = reading.places[layout.read_stops[cut.start] : layout.read_stops[cut.stop]]
    for t, width in enumerate(touched):
        step = np.repeat(reading.stride[rows, positions[:, t]], layout.reads[cut])
        index = index[..., None, :] + np.arange(width)[:, None] * step
    before = reading.values.take(index)
    ended: list[Ended] = []
    if any(chunk.ending for chunk in run):
        before, ended = _sum_ended(reading, run, before)
    entries = reading.entries[layout.stops[cut.start] : layout.stops[cut.stop]]
    new = _has(reading.new[rows], positions)
    block = CaseBlock(
        rows=rows,
        causes=reading.causes[rows],
        positions=positions,
        new=new,
        first=layout.stops[cut] - layout.stops[cut.start],
        lengths=lengths,
        entries=entries,
        index=index,
        before=before,
        ended=ended,
        links=_links(cases, rows, positions, reading.causes[rows], touched),
        starts=[_starts(cases, rows, positions[:, t], new[:, t], w) for t, w in enumerate(touched)],
        closing=None
        if max(touched, default=2) == 2
        else _has(reading.closing[rows], positions).T.astype(np.float64),
        weights=(cases.active.take(entries), cases.inactive.take(entries)),
    )
    block.multiply_starts(before)
    return block


def _has(words: MaskArray, positions: IntArray) -> BoolArray:
    """Whether bits are set, (m,) and (m, T) to (m, T)."""
    return np.asarray((words[:, None] >> positions.astype(np.uint64) & _ONE) != 0)


def _sum_ended(
    reading: FrontierReading, run: tuple[Chunk, ...], read: FloatArray
) -> tuple[FloatArray, list[Ended]]:
    layout = reading.layout
    base, read_base = layout.stops[run[0].first], layout.read_stops[run[0].first]
    result = np.empty((*read.shape[:-1], layout.stops[run[-1].last] - base))
    ended = []
    for sizes, members in groupby(run, lambda chunk: chunk.ending):
        part = list(members)
        first, last = part[0].first, part[-1].last
        inside = slice(layout.stops[first] - base, layout.stops[last] - base)
        source = slice(layout.read_stops[first] - read_base, layout.read_stops[last] - read_base)
        if not sizes:
            result[..., inside] = read[..., source]
            continue
        rows, positions = layout.rows[first:last], layout.ending.of(first, last)
        weights = np.ones((len(rows), 1))
        for i, size in enumerate(sizes):
            vector = reading.cases.vectors[rows, positions[:, i], :size]
            weights = (weights[:, :, None] * vector[:, None, :]).reshape(len(rows), -1)
        weights = np.repeat(weights, layout.lengths[first:last], axis=0)
        terms = read[..., source].reshape(*read.shape[:-1], *weights.shape) * weights
        target = result[..., inside]
        target[...] = terms[..., 0]
        for state in range(1, terms.shape[-1]):
            target += terms[..., state]
        cases = slice(first - run[0].first, last - run[0].first)
        ended.append(Ended(cases, inside, source, sizes, positions, weights, terms))
    return result, ended


def _links(
    cases: CoreCases, rows: IntArray, positions: IntArray, causes: IntArray, touched: Sizes
) -> FloatArray:
    axes, own = cases.model.axes, rows[:, None]
    if not touched:
        return np.empty((2, 0, len(rows)))
    axis, cause = cases.axis[own, positions], causes[:, None]
    links = [axes.gain[axis, cause] * cases.present[own, positions], axes.keep[axis, cause]]
    if max(touched) > 2:
        links += [axes.leak_keep[axis, cause], axes.leak_gain[axis, cause]]
    return np.stack(links).swapaxes(1, 2)


def _starts(
    cases: CoreCases, rows: IntArray, positions: IntArray, new: BoolArray, width: int
) -> FloatArray | None:
    if not new.any():
        return None
    start = cases.vectors[rows, positions, 1:width]
    return np.where(new[:, None], start, 1.0).T


def sum_closing(block: CaseBlock, after: FloatArray) -> None:
    """Sum components 1 and 2 of findings that close into component 1, in place."""
    if block.closing is not None:
        for t, closing in enumerate(block.repeated(block.closing)):
            if after.shape[t] > 2:
                kept = after[component(t, 1)]
                kept += closing * after[component(t, 2)]


def unsum_closing(block: CaseBlock, adjoint: FloatArray) -> None:
    """Pull back `sum_closing`: what component 1 got, component 2 passes on."""
    if block.closing is not None:
        for t, closing in enumerate(block.repeated(block.closing)):
            if adjoint.shape[t] > 2:
                part = adjoint[component(t, 2)]
                part += closing * adjoint[component(t, 1)]
