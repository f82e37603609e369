"""A plan's code in flat arrays of numbers, for a loop that knows a dozen instructions.

Arena, output and scales lie one after another in one matrix. What NumPy does in two calls, a gather
and then a product or a sum, becomes one instruction that looks its rows up; a product that a single
sum reads becomes part of it: o[r] = sum over q of A[q] s[a[q]] t[b[q]]. Mostly all A are 1: these
are not kept, nor multiplied by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bayesdx.inference.general.instructions import (
    Apply,
    Collapse,
    Dense,
    Diagonal,
    Gather,
    Instruction,
    LinearMap,
    Multiply,
    Normalise,
    OutputRows,
    Pick,
    Rescale,
    Slot,
    TreeEvidence,
    Unscale,
)

if TYPE_CHECKING:
    from bayesdx.inference.arrays import FloatArray, IntArray
    from bayesdx.inference.general.tree_plan import TreePlan

#: A matrix stays dense up to so many cells for each that is not zero.
DENSEST = 2.0
#: A product is taken into the sum that reads it if that reads each row so often at most.
READ_AGAIN = 2.0


class Op(IntEnum):
    """Instructions of the kernel."""

    DENSE = 0
    SUMS = 1
    PAIRS = 2
    INNER = 3
    SCALE = 4
    MULTIPLY = 5
    LOOK_UP = 6
    GATHER = 7
    PICK = 8
    RESCALE = 9
    UNSCALE = 10
    EVIDENCE = 11
    NORMALISE = 12


@dataclass(frozen=True, eq=False)
class RowRange:
    """Rows that an instruction reads: ``size`` from ``start`` on, in order or looked up."""

    start: int
    size: int
    index: IntArray | None = None

    @property
    def all(self) -> slice:
        """Where they lie."""
        return slice(self.start, self.start + self.size)

    def looked_up(self, index: IntArray | None) -> RowRange:
        """Some of these rows."""
        if index is None:
            return self
        return replace(self, index=index if self.index is None else self.index[index])


@dataclass(frozen=True, eq=False)
class Step:
    """An instruction whose rows are those of the matrix.

    ``values`` are its constants, with ``starts`` those of compressed rows; ``extra`` are numbers
    that it needs besides.
    """

    op: Op
    out: RowRange
    left: RowRange
    right: RowRange | None = None
    starts: IntArray | None = None
    values: FloatArray | None = None
    extra: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[RowRange, ...]:
        """What is read."""
        return (self.left,) if self.right is None else (self.left, self.right)

    def taking(self, side: int, made: Step, readers: int) -> Step | None:
        """Do what ``made`` does, on one side of this step, in this step; None if it cannot."""
        if self.op not in (Op.SUMS, Op.LOOK_UP, Op.GATHER):
            return None
        index = self.reads[side].index
        left = made.left.looked_up(index)
        if made.op is Op.GATHER:
            return replace(self, left=left) if side == 0 else replace(self, right=left)
        if made.op is not Op.LOOK_UP or made.right is None or index is None or readers > 1:
            return None
        if self.op is Op.LOOK_UP or len(index) > READ_AGAIN * made.out.size:
            return None
        op = Op.PAIRS if self.op is Op.SUMS else Op.LOOK_UP
        return replace(self, op=op, left=left, right=made.right.looked_up(index))


@dataclass(frozen=True, eq=False)
class FlatCode:
    """A plan as numbers.

    Attributes
    ----------
    ops : int64 array (K, 8)
        `Op`, first rows written and read, and what else an instruction needs.
    indices : int32 array
    constants : array
    loads : int64 array (L, 3)
        Variable, first row and states of each vector of likelihoods.
    scalars : int64 array (C, 2)
        For each wholly observed factor where its logs, and in ``indices`` its strides begin.
    rows : int
        Of the matrix; row ``ones`` is 1 and the one before it 0.
    ones, output, scales : int
        RowRange; the scales are the last ones.
    """

    ops: NDArray[np.int64]
    indices: NDArray[np.int32]
    constants: FloatArray
    loads: NDArray[np.int64]
    scalars: NDArray[np.int64]
    rows: int
    ones: int
    output: int
    scales: int


class Pool:
    """Numbers that instructions name by where they begin."""

    def __init__(self) -> None:
        self._integers: list[IntArray] = []
        self._floats: list[FloatArray] = []
        self._n_integers = self._n_floats = 0

    def integers(self, *parts: IntArray) -> int:
        """Add integers; return where they begin."""
        first = self._n_integers
        self._integers += parts
        self._n_integers += sum(map(len, parts))
        return first

    def floats(self, values: FloatArray) -> int:
        """Add constants; return where they begin."""
        first = self._n_floats
        self._floats.append(values.ravel())
        self._n_floats += values.size
        return first

    def strides(self, row: FloatArray, columns: tuple[int, ...]) -> int:
        """Add what a step of each variable adds to the place in a table: count, then pairs."""
        moved = np.flatnonzero(row)
        pairs = np.stack([np.array(columns, dtype=np.intp)[moved], row[moved].astype(np.intp)])
        return self.integers(np.array([len(moved)]), pairs.T.ravel())

    @property
    def arrays(self) -> tuple[NDArray[np.int32], FloatArray]:
        """All integers, all constants."""
        integers = np.concatenate([np.zeros(1, dtype=np.intp), *self._integers])[1:]
        return integers.astype(np.int32), np.concatenate([np.zeros(0), *self._floats])


def flat_code(plan: TreePlan) -> FlatCode:
    """Write a plan's code as numbers."""
    ones = plan.arena_rows + plan.output_rows + 1
    rows = ones + 1 + plan.scale_rows
    pool = Pool()
    picks = [pool.strides(row, plan.sliced) for row in plan.strides]
    steps = [_step(one, plan.arena_rows, ones, picks) for one in plan.code]
    ops = [_numbers(_without_ones(step), pool) for step in fused(steps, rows)]
    logs = pool.floats(plan.scalars)
    scalars = [
        (logs + int(start), pool.strides(row, plan.sliced))
        for start, row in zip(plan.scalar_starts, plan.scalar_strides, strict=True)
    ]
    indices, constants = pool.arrays
    return FlatCode(
        ops=np.array([one + (0,) * (8 - len(one)) for one in ops], dtype=np.int64).reshape(-1, 8),
        indices=indices,
        constants=constants,
        loads=np.array([(v, slot.start, slot.size) for v, slot in plan.soft_slots], dtype=np.int64),
        scalars=np.array(scalars, dtype=np.int64),
        rows=rows,
        ones=ones,
        output=plan.arena_rows,
        scales=ones + 1,
    )


def _step(one: Instruction, output: int, ones: int, picks: list[int]) -> Step:
    """An instruction on the rows of the matrix."""

    def rows(slot: Slot | OutputRows | None) -> RowRange:
        if slot is None:
            return RowRange(ones, 1)
        return RowRange(slot.start + (output if isinstance(slot, OutputRows) else 0), slot.size)

    match one:
        case Apply(matrix, source, out):
            return _map(matrix, rows(source), rows(out))
        case Multiply(left, right, out, shapes):
            first, second = rows(left), rows(right)
            if shapes is not None:
                first = first.looked_up(_repeated(shapes[0], shapes[2]))
                second = second.looked_up(_repeated(shapes[1], shapes[2]))
            return Step(Op.LOOK_UP, rows(out), first, second)
        case Gather(source, index, out):
            return Step(Op.GATHER, rows(out), rows(source).looked_up(index))
        case Collapse(source, shape, axes, out):
            kept = [axis for axis in range(len(shape)) if axis not in axes]
            index = np.arange(source.size).reshape(shape).transpose(*kept, *axes).ravel()
            starts = np.arange(0, source.size + 1, source.size // out.size)
            values = np.ones(source.size)
            return Step(Op.SUMS, rows(out), rows(source).looked_up(index), None, starts, values)
        case Pick(table, row, out):
            extra = (table.shape[1], picks[row])
            return Step(Op.PICK, rows(out), RowRange(ones, 1), values=table, extra=extra)
        case Rescale(slot, scale) | Unscale(slot, scale):
            op = Op.RESCALE if isinstance(one, Rescale) else Op.UNSCALE
            return Step(op, rows(slot), rows(slot), extra=(ones + 1 + scale,))
        case TreeEvidence(source, row):
            return Step(Op.EVIDENCE, RowRange(ones + 1 + row, 1), rows(source))
        case Normalise(block):
            return Step(Op.NORMALISE, rows(block), rows(block))


def _repeated(own: tuple[int, ...], whole: tuple[int, ...]) -> IntArray | None:
    """Which row of an array is meant where it is repeated along some axes."""
    if own == whole:
        return None
    size = int(np.prod(own))
    return np.broadcast_to(np.arange(size).reshape(own), whole).ravel()


def _map(matrix: LinearMap, source: RowRange, out: RowRange) -> Step:
    """A linear map, dense where that pays."""
    if isinstance(matrix, Diagonal):
        return Step(Op.SCALE, out, source, values=matrix.weights)
    if isinstance(matrix, Dense):
        dense = matrix.matrix
        if dense.size <= DENSEST * np.count_nonzero(dense):
            return Step(Op.DENSE, out, source, values=dense, extra=dense.shape)
        sparse_ = sparse.csr_array(dense)
        starts, columns, values = sparse_.indptr, sparse_.indices, sparse_.data
    else:
        starts, columns, values = matrix.starts, matrix.columns, matrix.values
    return Step(Op.SUMS, out, source.looked_up(columns), None, starts, values)


def fused(steps: list[Step], rows: int) -> list[Step]:
    """Let sums and products look up and multiply what they read; drop what nobody reads any more.

    One pass forward, linear in the rows that are written and read: of each row it is known which
    step wrote it last. What a step made can be made by its reader as long as nothing was written to
    what it read.

    Parameters
    ----------
    steps : list of Step
    rows : int
        Of the matrix.

    Returns
    -------
    list of Step
        Fewer, in order, with the same effect on all rows that are read behind them.
    """
    readers = _reader_counts(steps, rows)
    done: list[Step] = []
    needed = [step.op not in (Op.GATHER, Op.LOOK_UP) for step in steps]
    last = np.full(rows, -1)
    for i, step in enumerate(steps):
        now = step
        for side, read in enumerate(step.reads):
            found = _makers(last, read)
            for m in found:
                whole = len(found) == 1 and steps[m].out.all == read.all
                there = all(_is_there(one, m, last, step.out) for one in done[m].reads)
                taken = now.taking(side, done[m], readers[m]) if whole and there else None
                needed[m] |= taken is None
                now = taken or now
        done.append(now)
        last[step.out.all] = i
    return [step for step, kept in zip(done, needed, strict=True) if kept]


def _reader_counts(steps: list[Step], rows: int) -> list[int]:
    """How often what each step wrote is read."""
    counts = [0] * len(steps)
    last = np.full(rows, -1)
    for i, step in enumerate(steps):
        for read in step.reads:
            for m in _makers(last, read):
                counts[m] += 1
        last[step.out.all] = i
    return counts


def _is_there(read: RowRange, since: int, last: IntArray, out: RowRange) -> bool:
    """Whether rows are what they were at some step, and are not about to be overwritten."""
    apart = read.start >= out.start + out.size or out.start >= read.start + read.size
    return apart and int(last[read.all].max()) <= since


def _makers(last: IntArray, read: RowRange) -> list[int]:
    """The steps that wrote some rows last; none for what was there before."""
    own = last[read.all]
    found = [int(own[0])] if (own == own[0]).all() else np.unique(own).tolist()
    return [m for m in found if m >= 0]


def _without_ones(step: Step) -> Step:
    """Leave out the weights of a sum of products where all are 1: `insurance` gains a tenth."""
    if step.op is Op.PAIRS and step.values is not None and (step.values == 1.0).all():
        return replace(step, op=Op.INNER, values=None)
    return step


def _numbers(step: Step, pool: Pool) -> tuple[int, ...]:
    """A step as a line of `FlatCode.ops`; its arrays go to the pool."""
    op, out, left, right, size = step.op, step.out.start, step.left, step.right, step.out.size
    head: tuple[int, ...] = (int(op), out, left.start)
    values = () if step.values is None else (pool.floats(step.values),)
    if right is not None and left.index is None and right.index is None:
        return (int(Op.MULTIPLY), out, left.start, right.start, size)
    columns = [] if left.index is None else [left.index]
    if right is not None:
        columns = [_written_out(left, size), _written_out(right, size)]
        head = (*head, right.start)
    if op is Op.LOOK_UP:
        return (*head, size, pool.integers(columns[0]), pool.integers(columns[1]))
    if op in (Op.SUMS, Op.PAIRS, Op.INNER):
        assert step.starts is not None
        return (*head, size, pool.integers(step.starts), pool.integers(*columns), *values)
    if op is Op.GATHER:
        return (*head, size, pool.integers(columns[0]))
    if op is Op.DENSE:
        return (*head, *step.extra, *values)
    return (*head, size, *values, *step.extra)


def _written_out(rows: RowRange, size: int) -> IntArray:
    return np.arange(size) if rows.index is None else rows.index
