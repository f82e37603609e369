"""A plan as straight-line array code, and the memory it runs in.

All arrays are (rows, B): rows of joint states, B cases side by side. An instruction names rows of
one *arena* and is bound once to its views, so that running a plan is a loop of NumPy calls with
ready arguments and nothing is allocated. Two kinds of arithmetic suffice: products of messages,
whose rows are lined up by a gather, and constant linear maps (dense matrices or compressed rows).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import _sparsetools

from bayesdx.inference.arrays import FloatArray, IntArray

Call = tuple[Callable[..., object], tuple[Any, ...]]


@dataclass(frozen=True)
class Slot:
    """Rows ``start`` to ``start + size`` of the arena."""

    start: int
    size: int


@dataclass(frozen=True)
class OutputRows:
    """Rows of the output."""

    start: int
    size: int


@dataclass(eq=False)
class Memory:
    """Arrays that instructions are bound to.

    Attributes
    ----------
    arena : array (rows, B)
    output : array (outputs, B)
    scales : array (rescalings + trees, B)
        Factors taken out of messages, then the evidence of each tree.
    codes : intp array (slices, B)
        Which slice of each sliced factor a case picks.
    ones : array (1, B)
    flags : bool array (B,)
    """

    arena: FloatArray
    output: FloatArray
    scales: FloatArray
    codes: IntArray
    ones: FloatArray
    flags: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def width(self) -> int:
        """B."""
        return int(self.arena.shape[1])

    def rows(self, slot: Slot | OutputRows) -> FloatArray:
        """Return the view that a slot or spot names."""
        place = self.arena if isinstance(slot, Slot) else self.output
        return place[slot.start : slot.start + slot.size]


@dataclass(frozen=True, eq=False)
class Dense:
    """A linear map as a matrix (rows out, rows in)."""

    matrix: FloatArray

    def calls(self, source: FloatArray, out: FloatArray) -> list[Call]:
        """Bind ``out = matrix @ source``."""
        return [(np.matmul, (self.matrix, source, out))]


@dataclass(frozen=True, eq=False)
class Compressed:
    """A linear map in compressed rows (CSR)."""

    shape: tuple[int, int]
    starts: np.ndarray[Any, Any]
    columns: np.ndarray[Any, Any]
    values: FloatArray

    def calls(self, source: FloatArray, out: FloatArray) -> list[Call]:
        """Bind ``out = matrix @ source``; both are contiguous."""
        # SciPy's own loop, called directly: the public operator allocates, and costs 10 us a call.
        width = source.shape[1]
        args = (*self.shape, width, self.starts, self.columns, self.values)
        flat_in, flat_out = source.reshape(-1), out.reshape(-1)
        return [(out.fill, (0.0,)), (_sparsetools.csr_matvecs, (*args, flat_in, flat_out))]


@dataclass(frozen=True, eq=False)
class Diagonal:
    """A linear map that scales each row."""

    weights: FloatArray  #: (rows, 1)

    def calls(self, source: FloatArray, out: FloatArray) -> list[Call]:
        """Bind ``out = weights * source``."""
        return [(np.multiply, (source, self.weights, out))]


LinearMap = Dense | Compressed | Diagonal


def linear_map(matrix: sparse.csr_array) -> LinearMap:
    """Choose the cheapest representation of a sparse matrix.

    Measured: a dense product costs a quarter of the time of a compressed one per cell looked at,
    and half a microsecond less per call.
    """
    rows, columns = matrix.shape
    matrix.sum_duplicates()
    one_each = rows == columns == matrix.nnz and bool((np.diff(matrix.indptr) == 1).all())
    if one_each and bool((matrix.indices == np.arange(rows)).all()):
        return Diagonal(matrix.data[:, None].copy())
    if rows * columns <= 4 * matrix.nnz or rows * columns <= 256:
        return Dense(np.ascontiguousarray(matrix.toarray()))
    starts, places = matrix.indptr, matrix.indices
    if rows * columns < 2**31 and starts.dtype != np.int32:
        starts, places = starts.astype(np.int32), places.astype(np.int32)
    return Compressed((rows, columns), starts, places, matrix.data)


def map_cost(matrix: LinearMap) -> float:
    """Multiplications per case, in units of one elementwise operation."""
    if isinstance(matrix, Dense):
        return matrix.matrix.size * 0.3 + sum(matrix.matrix.shape)
    return float(matrix.values.size if isinstance(matrix, Compressed) else matrix.weights.size)


@dataclass(frozen=True)
class Apply:
    """``out = matrix @ source``."""

    matrix: LinearMap
    source: Slot | None
    out: Slot | OutputRows

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array calls; a source of None is the constant 1."""
        source = memory.ones if self.source is None else memory.rows(self.source)
        return self.matrix.calls(source, memory.rows(self.out))

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return map_cost(self.matrix)


@dataclass(frozen=True)
class Multiply:
    """``out = left * right``, of equal rows or broadcast along the given axes."""

    left: Slot
    right: Slot
    out: Slot
    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None = None

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        arrays = [memory.rows(slot) for slot in (self.left, self.right, self.out)]
        if self.shapes is not None:
            width = memory.width
            arrays = [a.reshape(*s, width) for a, s in zip(arrays, self.shapes, strict=True)]
        return [(np.multiply, tuple(arrays))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return float(self.out.size)


@dataclass(frozen=True, eq=False)
class Gather:
    """``out[i] = source[index[i]]``."""

    source: Slot
    index: IntArray
    out: Slot

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        return [(memory.rows(self.source).take, (self.index, 0, memory.rows(self.out), "clip"))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return float(self.out.size)


@dataclass(frozen=True)
class Collapse:
    """Sum over the axes of ``shape`` that are named."""

    source: Slot
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    out: Slot

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        left = tuple(s for i, s in enumerate(self.shape) if i not in self.axes)
        source = memory.rows(self.source).reshape(*self.shape, memory.width)
        out = memory.rows(self.out).reshape(*left, memory.width)
        return [(np.add.reduce, (source, self.axes, None, out))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return float(self.source.size)


@dataclass(frozen=True, eq=False)
class Pick:
    """``out[:, b] = table[:, codes[row, b]]``: the slice of a table that a case has observed."""

    table: FloatArray
    row: int
    out: Slot

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        return [(self.table.take, (memory.codes[self.row], 1, memory.rows(self.out), "clip"))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case; a gather along the last axis is dear."""
        return 8.0 * self.out.size


@dataclass(frozen=True)
class Rescale:
    """Divide a message by its largest entry and remember it; a message of zeros stays."""

    slot: Slot
    scale: int

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array calls."""
        message, scale = memory.rows(self.slot), memory.scales[self.scale]
        return [
            (np.maximum.reduce, (message, 0, None, scale)),
            (np.equal, (scale, 0.0, memory.flags)),
            (np.add, (scale, memory.flags, scale)),
            (np.divide, (message, scale, message)),
        ]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return 2.0 * self.slot.size


@dataclass(frozen=True)
class Unscale:
    """Divide a derivative by what was taken out of its message."""

    slot: Slot
    scale: int

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        slot = memory.rows(self.slot)
        return [(np.divide, (slot, memory.scales[self.scale], slot))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return float(self.slot.size)


@dataclass(frozen=True)
class TreeEvidence:
    """Copy the evidence of a tree beside the scales."""

    source: Slot
    row: int

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        return [(np.copyto, (memory.scales[self.row], memory.rows(self.source)[0]))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return 1.0


@dataclass(frozen=True)
class Normalise:
    """Divide a block of the output by its last row, the sum that its posteriors share."""

    block: OutputRows

    def bind(self, memory: Memory) -> list[Call]:
        """Return the array call."""
        block = memory.rows(self.block)
        return [(np.divide, (block[:-1], block[-1], block[:-1]))]

    @property
    def cost(self) -> float:
        """Elementwise operations per case."""
        return float(self.block.size)


Instruction = (
    Apply | Multiply | Gather | Collapse | Pick | Rescale | Unscale | TreeEvidence | Normalise
)


class Arena:
    """Hands out rows; those that are freed are used again, so that little memory stays warm."""

    def __init__(self) -> None:
        self.size = 0
        self._free: list[tuple[int, int]] = []

    def take(self, size: int) -> Slot:
        """Return rows that nobody uses."""
        best = min((hole for hole in self._free if hole[1] >= size), default=None, key=_length)
        if best is None:
            start, self.size = self.size, self.size + size
            return Slot(start, size)
        self._free.remove(best)
        if best[1] > size:
            self._free.append((best[0] + size, best[1] - size))
        return Slot(best[0], size)

    def free(self, slot: Slot) -> None:
        """Give rows back."""
        start, size = slot.start, slot.size
        for hole in list(self._free):
            if hole[0] + hole[1] == start:
                self._free.remove(hole)
                start, size = hole[0], hole[1] + size
            elif start + size == hole[0]:
                self._free.remove(hole)
                size += hole[1]
        self._free.append((start, size))


def _length(hole: tuple[int, int]) -> int:
    return hole[1]
