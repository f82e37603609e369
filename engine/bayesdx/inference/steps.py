"""Which cases take their next step together, and the numbers of that step.

Cases advance in lock-step, one group of causes at a time. Each step opens the axes that its group
is the first to touch, applies the causes, and closes the axes it is the last to touch. The
frontier of a case is addressed by strides, an axis at a time, in one flat buffer; a step reads it
through an index that puts the touched axes first, so that cases with quite different findings
open are computed as one dense array.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.absorb import Problem
from bayesdx.inference.kernel import Group
from bayesdx.inference.model import (
    EXPLAIN,
    EXPLAIN_INHIBITED,
    RISK,
    BoolArray,
    DiagnosisModel,
    FloatArray,
    IntArray,
)
from bayesdx.inference.ordering import Schedule


@dataclass(frozen=True, eq=False)
class Block:
    """n cases that take one step as one dense array.

    Attributes
    ----------
    rows : int array (n,)
        Positions of the cases, those with most causes first.
    causes : int array (M, n)
        Causes in order of application, -1 beyond the last of a case.
    evidence : int array (T, n)
        Slots of the evidence axes, those of two bits first.
    evidence_bits : tuple of int
        Bits of each evidence axis.
    risk_bits, rest_bits : int arrays (b, n)
        Slot * 4 + bit of every bit of touched risks and of untouched axes, most significant first.
    """

    rows: IntArray
    causes: IntArray
    evidence: IntArray
    evidence_bits: tuple[int, ...]
    risk_bits: IntArray
    rest_bits: IntArray

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the frontier array."""
        sizes = [1 << bits for bits in self.evidence_bits]
        return (*sizes, 1 << len(self.risk_bits), 1 << len(self.rest_bits), len(self.rows))


def bits_of(mask: NDArray[np.uint64], n_slots: int) -> BoolArray:
    """Spread words into columns, (N,) to (N, K)."""
    positions = np.arange(n_slots, dtype=np.uint64)
    return (mask[:, None] >> positions & np.uint64(1)).astype(bool)


def blocks_of_step(
    model: DiagnosisModel,
    problem: Problem,
    plan: Schedule,
    step: int,
    opened: NDArray[np.uint64],
) -> Iterator[Block]:
    """Yield the blocks of one step; ``opened`` (N,) are the slots open before it."""
    length = np.where(plan.n_groups > step, plan.end[:, step] - plan.begin[:, step], 0)
    rows = np.flatnonzero(length)
    rows = rows[np.argsort(-length[rows], kind="stable")]
    n_slots = problem.axis.shape[1]
    axis = problem.axis[rows]
    touched = bits_of(plan.mask[rows, step], n_slots)
    rest = bits_of(opened[rows], n_slots) & ~touched
    yield from _blocks(model, plan, rows, axis, touched, rest, plan.begin[rows, step], length[rows])


def blocks_of_singles(model: DiagnosisModel, problem: Problem, plan: Schedule) -> Iterator[Block]:
    """Yield blocks of (case, axis) pairs with the causes that touch this axis alone."""
    rows, at = np.nonzero(plan.single_slot >= 0)
    slot = plan.single_slot[rows, at]
    first = np.flatnonzero(np.diff(rows * 64 + slot, prepend=-1))
    length = np.diff(first, append=len(rows))
    order = np.argsort(-length, kind="stable")
    first, length = first[order], length[order]
    row, slot = rows[first], slot[first]
    touched = slot[:, None] == np.arange(problem.axis.shape[1])
    yield from _blocks(
        model, plan, row, problem.axis[row], touched, np.zeros_like(touched), at[first], length
    )


def _blocks(
    model: DiagnosisModel,
    plan: Schedule,
    rows: IntArray,
    axis: IntArray,
    touched: BoolArray,
    rest: BoolArray,
    begin: IntArray,
    length: IntArray,
) -> Iterator[Block]:
    if not len(rows):
        return
    bits = np.where(touched | rest, model.axes.bits[axis], 0)
    risk = touched & (model.axes.classes[axis] == RISK)
    evidence = touched & ~risk
    n_single = (evidence & (bits == 1)).sum(axis=1)
    n_double = (evidence & (bits == 2)).sum(axis=1)
    n_risk, n_rest = (bits * risk).sum(axis=1), (bits * rest).sum(axis=1)
    key = ((n_double * 64 + n_single) * 64 + n_risk) * 64 + n_rest
    order = np.argsort(key, kind="stable")
    # Within equal keys the stable sort keeps the longest first: the m-th cause then acts on the
    # first cases of a block only.
    for members in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        chosen = rows[members]
        at = begin[members] + np.arange(int(length[members[0]]))[:, None]
        causes = plan.causes[chosen, np.minimum(at, plan.causes.shape[1] - 1)]
        part = bits[members]
        double = _slots(evidence[members] & (part == 2))
        single = _slots(evidence[members] & (part == 1))
        yield Block(
            rows=chosen,
            causes=np.where(at < begin[members] + length[members], causes, -1),
            evidence=np.concatenate([double, single]),
            evidence_bits=(2,) * len(double) + (1,) * len(single),
            risk_bits=_bit_list(risk[members], part),
            rest_bits=_bit_list(rest[members], part),
        )


def _slots(chosen: BoolArray) -> IntArray:
    """List the set slots of each case, equally many for all, (T, n)."""
    return np.nonzero(chosen)[1].reshape(len(chosen), -1).T


def _bit_list(chosen: BoolArray, bits: IntArray) -> IntArray:
    """List slot * 4 + bit of each case, slots rising, high bits first, (b, n)."""
    chosen = chosen & (bits > 0)
    if not chosen.any():
        return np.empty((0, len(chosen)), dtype=np.intp)
    most = int(bits[chosen].max())
    if most == 1:
        return _slots(chosen) * 4
    each = np.arange(most - 1, -1, -1)
    spread = (chosen[:, :, None] & (each < bits[:, :, None])).reshape(len(chosen), -1)
    column = np.nonzero(spread)[1].reshape(len(chosen), -1).T
    return column // most * 4 + (most - 1 - column % most)


def read_index(block: Block, origin: IntArray, stride: IntArray) -> IntArray:
    """Flat index of every component of the frontier, (L, n).

    ``origin`` (N,) and ``stride`` (N, K) address the lowest bit of each axis; an axis whose stride
    is 0 is read as if it were constant.
    """
    index = origin[block.rows][None, :]
    batch = len(block.rows)
    for slot, bits in zip(block.evidence, block.evidence_bits, strict=True):
        steps = np.arange(1 << bits)[:, None] * stride[block.rows, slot]
        index = (index[:, None, :] + steps[None]).reshape(-1, batch)
    for column in (*block.risk_bits, *block.rest_bits):
        step = stride[block.rows, column >> 2] << (column & 3)
        index = np.stack([index, index + step], axis=1).reshape(-1, batch)
    return index


def write_strides(block: Block, first: int, origin: IntArray, stride: IntArray) -> None:
    """Address the block's array, laid out from ``first`` on, by origin and strides."""
    batch = len(block.rows)
    origin[block.rows] = first + np.arange(batch)
    step = batch
    for column in reversed((*block.risk_bits, *block.rest_bits)):
        lowest = column & 3 == 0
        stride[block.rows[lowest], column[lowest] >> 2] = step
        step *= 2
    for slot, bits in zip(block.evidence[::-1], block.evidence_bits[::-1], strict=True):
        stride[block.rows, slot] = step
        step <<= bits


def group_of(model: DiagnosisModel, problem: Problem, block: Block) -> Group:
    """Collect the numbers of a block's causes."""
    axes = model.axes
    order, case = np.nonzero(block.causes >= 0)
    cause, rows = block.causes[order, case], block.rows[case]
    slot = block.evidence[:, case]
    axis = problem.axis[rows, slot]
    keep = axes.keep[axis, cause]
    index = _prior_index(model, problem, block, cause, rows, case)
    prior = problem.prior[rows, np.minimum(index, problem.prior.shape[1] - 1)]
    stops = np.cumsum((block.causes >= 0).sum(axis=1)).tolist()
    return Group(
        parts=tuple(slice(a, b) for a, b in pairwise([0, *stops])),
        keep=keep,
        gain=axes.gain[axis, cause] * problem.present[rows, slot],
        leak_keep=axes.leak_keep[axis, cause] if 2 in block.evidence_bits else keep,
        leak_gain=axes.leak_gain[axis, cause] if 2 in block.evidence_bits else keep,
        inactive=((1.0 - prior) * problem.off[rows, cause])[:, None],
        active=(prior * problem.on[rows, cause])[:, None],
    )


def _prior_index(
    model: DiagnosisModel,
    problem: Problem,
    block: Block,
    cause: IntArray,
    rows: IntArray,
    case: IntArray,
) -> IntArray:
    """Entry of a cause's priors for each joint field of the touched risks, (risks, len(cause)).

    Fields that are no state of the risk carry no weight; what is read for them does not matter.
    """
    index = problem.prior_offset[cause][None, :]
    stride = np.ones(len(cause), dtype=np.intp)
    steps = []
    acts = problem.mask[rows, cause]
    # A cause's priors are laid out by rising slot of the risks it depends on, the last one fastest.
    for column in reversed(block.risk_bits):
        slot, bit = column[case] >> 2, column[case] & 3
        depends = acts >> slot.astype(np.uint64) & np.uint64(1) > 0
        steps.append(np.where(depends, stride << bit, 0))
        axis = problem.axis[rows, slot]
        highest = depends & (bit == model.axes.bits[axis] - 1)
        stride = np.where(highest, stride * model.axes.sizes[axis], stride)
    for step in reversed(steps):
        index = np.stack([index, index + step], axis=1).reshape(-1, len(cause))
    return index


def closing_weights(model: DiagnosisModel, axis: IntArray) -> FloatArray:
    """Weights with which the fields of an axis are summed when it closes, (…, fields)."""
    n_fields = 1 << int(model.axes.bits.max(initial=1))
    weights = np.zeros((3, n_fields))
    weights[EXPLAIN, 1] = 1.0
    weights[EXPLAIN_INHIBITED, 1:3] = 1.0
    weights[RISK] = 1.0
    result: FloatArray = weights[model.axes.classes[axis]]
    return result
