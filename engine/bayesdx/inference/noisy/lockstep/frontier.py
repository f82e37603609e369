"""Where the frontiers of cases lie, and how a step reads them.

Cases advance in lock-step, one cause at a time. The frontier of a case is addressed by an origin
and a stride for each open axis in one flat buffer. A step reads it through an index that puts the
axes its cause acts on first and all others, with the cases, into one ragged axis. So cases with
quite different findings and risks open are computed as one dense array, as long as their causes act
on equally many findings, and every risk takes the room of its own number of states.

The index of a case is its origin plus a product: strides times the digits of every joint component.
Cases whose axes have equal sizes share the digits, and a matrix product gives all their indices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray, MaskArray

_ONE = np.uint64(1)
#: Joint components whose digits are kept, and how many arrays of digits.
_COMPONENTS, _KEPT = 1 << 12, 1 << 12

Sizes = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FrontierLayout:
    """Which positions of each case are what in one step.

    Attributes
    ----------
    rows : int array (n,)
        Cases, those read alike side by side.
    touched, ending, others : Positions
        Findings that the cause acts on, risks that end, and all other open axes.
    lengths, reads : int arrays (n,)
        Joint components of the others; of the others and the risks that end.
    stops, read_stops : int arrays (n + 1,)
        Their sums.
    chunks : tuple of Chunk
        Cases with axes of the same sizes.
    """

    rows: IntArray
    touched: Positions
    ending: Positions
    others: Positions
    lengths: IntArray
    reads: IntArray
    stops: IntArray
    read_stops: IntArray
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions of cases in the order of a layout.

    Attributes
    ----------
    owner, at : int arrays (L,)
        Case and position, case after case.
    stops : int array (n + 1,)
        Where the positions of each case begin and end.
    """

    owner: IntArray
    at: IntArray
    stops: IntArray

    def of(self, first: int, last: int) -> IntArray:
        """Positions of the cases [first, last) of the layout, equally many each."""
        part = self.at[self.stops[first] : self.stops[last]]
        return part.reshape(last - first, -1)


@dataclass(frozen=True)
class Chunk:
    """Cases [first, last) of a layout: sizes of touched findings, ending risks and other axes."""

    first: int
    last: int
    touched: Sizes
    ending: Sizes
    others: Sizes


class JointStates:
    """What follows from the sizes of axes alone, kept while a batch is swept; at most `_KEPT`."""

    def __init__(self) -> None:
        self._sizes: dict[tuple[Sizes, Sizes], Sizes] = {}
        self._digits: dict[Sizes, FloatArray] = {}
        self._steps: dict[Sizes, IntArray] = {}

    def sizes(self, widths: Sizes, counts: Sizes) -> Sizes:
        """Sizes of so many axes of each width."""
        found = self._sizes.get((widths, counts))
        if found is None:
            pairs = zip(widths, counts, strict=True)
            found = tuple(width for width, n in pairs for _ in range(n))
            self._sizes[widths, counts] = found
        return found

    def digits(self, sizes: Sizes) -> FloatArray:
        """State of each axis at each joint component, the last axis fastest, (axes, components)."""
        found = self._digits.get(sizes)
        if found is None:
            if len(self._digits) == _KEPT:
                self._digits.clear()
            found = np.indices(sizes).reshape(len(sizes), math.prod(sizes)).astype(np.float64)
            self._digits[sizes] = found
        return found

    def steps(self, sizes: Sizes) -> IntArray:
        """Stride of each axis in an array of these sizes, the last axis fastest."""
        found = self._steps.get(sizes)
        if found is None:
            found = np.ones(len(sizes), dtype=np.intp)
            found[:-1] = np.cumprod(sizes[:0:-1], dtype=np.intp)[::-1]
            self._steps[sizes] = found
        return found


def lay_out(
    states: JointStates,
    classes: list[tuple[int, MaskArray]],
    count: int,
    touched: MaskArray,
    ending: MaskArray,
    others: MaskArray,
) -> FrontierLayout:
    """Sort n cases by the sizes of their axes.

    Parameters
    ----------
    states : JointStates
    classes : list of (int, uint64 array (n,))
        Positions of each width, see `sweep_plan.width_words`.
    count : int
        Positions there are.
    touched, ending, others : uint64 arrays (n,)
        Positions as bits.
    """
    kinds = (touched, ending, others)
    counts = np.array(
        [np.bitwise_count(words & word) for words in kinds for _, word in classes], dtype=np.intp
    ).reshape(3 * len(classes), len(touched))
    key = _joined(counts)
    order = np.argsort(key, kind="stable")
    cuts = [0, *(np.flatnonzero(np.diff(key[order])) + 1).tolist(), len(order)]
    widths = tuple(width for width, _ in classes)
    found = counts[:, order[cuts[:-1]]].T.reshape(-1, 3, len(classes)).tolist()
    chunks = tuple(
        Chunk(first, last, *(states.sizes(widths, tuple(one)) for one in parts))
        for (first, last), parts in zip(pairwise(cuts), found, strict=True)
    )
    listed = tuple(_listed(words, order, count) for words in kinds)
    members = [chunk.last - chunk.first for chunk in chunks]
    lengths = np.repeat([math.prod(chunk.others) for chunk in chunks], members)
    reads = lengths * np.repeat([math.prod(chunk.ending) for chunk in chunks], members)
    return FrontierLayout(
        rows=order,
        touched=listed[0],
        ending=listed[1],
        others=listed[2],
        lengths=lengths,
        reads=reads,
        stops=_sums(lengths),
        read_stops=_sums(reads),
        chunks=chunks,
    )


def _sums(counts: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, dtype=np.intp), np.cumsum(counts)])


def _joined(columns: IntArray) -> IntArray:
    """One number for each combination of the columns' values, (A, n) to (n,)."""
    key = np.zeros(columns.shape[1], dtype=np.intp)
    room = 1
    for column in columns:
        most = int(column.max(initial=0)) + 1
        if room * most >= 1 << 62:
            key = np.unique(key, return_inverse=True)[1].astype(np.intp)
            room = int(key.max(initial=0)) + 1
        key = key * most + column
        room *= most
    return key


def _listed(words: MaskArray, order: IntArray, count: int) -> Positions:
    words = words[order]
    at, position = np.nonzero(words[:, None] & (_ONE << np.arange(count, dtype=np.uint64)))
    return Positions(order[at], position, _sums(np.bitwise_count(words).astype(np.intp)))


@dataclass(frozen=True, eq=False)
class Index:
    """Where the components of a layout are found.

    Attributes
    ----------
    entries : int array (R,)
        Entry of the cause's table, counted from its first.
    places : int array (R+,)
        Place in the frontier, counted from the case's origin.
    steps : int array (L,)
        Strides of the others in an array of R components.
    """

    entries: IntArray
    places: IntArray
    steps: IntArray


def index_of(
    states: JointStates, layout: FrontierLayout, stride: IntArray, table: IntArray
) -> Index:
    """Make the index of a layout.

    Parameters
    ----------
    states : JointStates
    layout : FrontierLayout
    stride : int array (n, K)
        Stride of each position in the frontier.
    table : int array (L,)
        Stride of each of ``layout.others`` in the cause's table.
    """
    others, ending = layout.others, layout.ending
    strides = stride[others.owner, others.at].astype(np.float64)
    ends = stride[ending.owner, ending.at].astype(np.float64)
    depends, strides_in_table = bool(table.any()), table.astype(np.float64)
    entries = np.empty(layout.stops[-1] if depends else 0)
    places = np.empty(layout.read_stops[-1])
    steps = np.empty(len(strides), dtype=np.intp)
    at, end_at, first, read = 0, 0, 0, 0
    for chunk in layout.chunks:
        n, sizes = chunk.last - chunk.first, chunk.others
        stop, count = at + n * len(sizes), n * math.prod(sizes)
        own = strides[at:stop].reshape(n, -1)
        steps[at:stop].reshape(n, -1)[...] = states.steps(sizes)
        if depends:
            target = entries[first : first + count].reshape(n, -1)
            _write(states, target, strides_in_table[at:stop].reshape(n, -1), sizes)
        if chunk.ending:
            end_stop = end_at + n * len(chunk.ending)
            own = np.concatenate([own, ends[end_at:end_stop].reshape(n, -1)], axis=1)
            sizes += chunk.ending
            end_at = end_stop
        read_count = n * math.prod(sizes)
        _write(states, places[read : read + read_count].reshape(n, -1), own, sizes)
        at, first, read = stop, first + count, read + read_count
    if not depends:
        entries = np.zeros(layout.stops[-1])
    return Index(entries.astype(np.intp), places.astype(np.intp), steps)


def _write(states: JointStates, target: FloatArray, strides: FloatArray, sizes: Sizes) -> None:
    """Write strides (n, axes) times digits to ``target`` (n, components).

    They are whole numbers far below 2^53, so that the product is exact.
    """
    count, split = 1, len(sizes)
    while split and count * sizes[split - 1] <= _COMPONENTS:
        split -= 1
        count *= sizes[split]
    if split == 0:
        np.matmul(strides, states.digits(sizes), out=target)
        return
    low = strides[:, split:] @ states.digits(sizes[split:])
    high = np.empty((len(strides), math.prod(sizes[:split])))
    _write(states, high, strides[:, :split], sizes[:split])
    shaped = target.reshape(len(strides), high.shape[1], low.shape[1])
    np.add(high[:, :, None], low[:, None, :], out=shaped)


def bins(chunks: tuple[Chunk, ...]) -> Iterator[tuple[Chunk, ...]]:
    """Runs of chunks whose causes act on findings of the same sizes."""
    first = 0
    for i in range(1, len(chunks) + 1):
        if i == len(chunks) or chunks[i].touched != chunks[first].touched:
            yield chunks[first:i]
            first = i
