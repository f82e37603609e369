"""The frontier sweep: forward for the evidence, backward for every posterior at once.

Forward, causes are summed out one at a time over a frontier that holds the open axes only; its
cost is the sum of 2^(open findings), not 2^(positive findings). Backward, the adjoint of the
evidence is pulled through the same steps; each cause's joint probability with the evidence falls
out on the way (Darwiche 2003's differential view). Everything is batched over cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.absorb import Problem
from bayesdx.inference.kernel import Group, apply_group, apply_transposed, component
from bayesdx.inference.model import EXPLAIN, DiagnosisModel, FloatArray, IntArray
from bayesdx.inference.ordering import Schedule
from bayesdx.inference.steps import (
    Block,
    bits_of,
    blocks_of_singles,
    blocks_of_step,
    closing_weights,
    group_of,
    read_index,
    write_strides,
)

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class _Record:
    """What the backward pass needs of one block of one step."""

    block: Block
    group: Group
    before: list[FloatArray]
    source: IntArray  #: (L, n) where the frontier was read
    old: FloatArray  #: what was read, in the shape of the block
    factors: list[FloatArray]  #: start vectors of the axes it opened
    first: int  #: where the block's array lies among the values of its step


@dataclass(frozen=True, eq=False)
class _Step:
    records: list[_Record]
    size: int
    new: NDArray[np.bool_]  #: (N, K) slots opened
    closing: NDArray[np.bool_]  #: (N, K) slots closed
    finished: IntArray
    final: IntArray  #: where the finished cases' values lie


@dataclass(frozen=True, eq=False)
class _Case:
    """What all steps share."""

    model: DiagnosisModel
    problem: Problem
    plan: Schedule
    start: FloatArray


def sweep(
    model: DiagnosisModel, problem: Problem, plan: Schedule, *, posteriors: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Sum out all causes and risks of every case.

    Returns
    -------
    log_evidence : array (N,)
        ``-inf`` where the evidence is impossible.
    cause_posterior : array (N, C)
        P(cause present | evidence); zero where the evidence is impossible. Empty, shape (N, 0),
        unless ``posteriors``.
    """
    free_log, posterior = _causes_without_axes(problem)
    start = np.zeros((*problem.axis.shape, 1 << int(model.axes.bits.max(initial=1))))
    start[:, :, : problem.start.shape[2]] = problem.start
    singles = _fold_singles(model, problem, plan, start)
    grouped = np.bitwise_or.reduce(plan.mask, axis=1, initial=np.uint64(0))
    isolated_log, start_adjoint = _isolated(model, problem, grouped, start)
    case = _Case(model, problem, plan, start)
    total, steps = _forward(case)
    with np.errstate(divide="ignore"):
        log_evidence = problem.log_scale + free_log + isolated_log + np.log(total)
    if not posteriors:
        return log_evidence, np.empty((len(log_evidence), 0))
    unit = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0.0)
    _backward(case, steps, unit, start_adjoint, posterior)
    for block, slot, group, before in singles:
        length = before[0].size // len(block.rows)
        adjoint = start_adjoint[block.rows, slot, :length].T.reshape(block.shape)
        _store(posterior, block, apply_transposed(adjoint, before, group))
    posterior[np.isneginf(log_evidence)] = 0.0
    # A certain cause may come out an ulp above 1.
    return log_evidence, np.minimum(posterior, 1.0, out=posterior)


def unlinked_log_evidence(model: DiagnosisModel, problem: Problem) -> FloatArray:
    """Log evidence of cases in which no cause acts on any axis, (N,); meaningless for others."""
    free_log, _ = _causes_without_axes(problem)
    grouped = np.zeros(len(problem.axis), dtype=np.uint64)
    isolated_log, _ = _isolated(model, problem, grouped, problem.start)
    return problem.log_scale + free_log + isolated_log


def _causes_without_axes(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Posterior of causes that no axis couples; all other entries are filled in later."""
    prior = problem.prior.take(problem.prior_offset, axis=1)
    on = prior * problem.on
    both = (1.0 - prior) * problem.off + on
    free = problem.mask == 0
    possible = free & (both > 0.0)
    posterior = np.where(possible, on, 0.0) / np.where(possible, both, 1.0)
    return _log_product(np.where(free, both, 1.0)), posterior


def _log_product(factors: FloatArray) -> FloatArray:
    """Log of the product of each row; one logarithm a row unless the product gets too small."""
    product = factors.prod(axis=1)
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(product)
        small = np.flatnonzero(product < 1e-200)
        result[small] = np.log(factors[small]).sum(axis=1)
    return result


def _fold_singles(
    model: DiagnosisModel, problem: Problem, plan: Schedule, start: FloatArray
) -> list[tuple[Block, IntArray, Group, list[FloatArray]]]:
    """Apply causes that touch one axis to its start vector, in place."""
    done = []
    for block in blocks_of_singles(model, problem, plan):
        slot = block.evidence[0] if len(block.evidence) else block.risk_bits[0] >> 2
        length = int(np.prod(block.shape[:-1]))
        group = group_of(model, problem, block)
        vectors = np.ascontiguousarray(start[block.rows, slot, :length].T).reshape(block.shape)
        done.append((block, slot, group, apply_group(vectors, group)))
        start[block.rows, slot, :length] = vectors.reshape(length, -1).T
    return done


def _isolated(
    model: DiagnosisModel, problem: Problem, grouped: NDArray[np.uint64], start: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Close the axes no group touches: log of their sums, and the adjoints of their starts."""
    alone = (problem.axis >= 0) & ~bits_of(grouped, problem.axis.shape[1])
    weights = closing_weights(model, problem.axis)[:, :, : start.shape[2]]
    sums = np.where(alone, (start * weights).sum(axis=2), 1.0)
    inverse = np.divide(1.0, sums, out=np.zeros_like(sums), where=alone & (sums > 0.0))
    with np.errstate(divide="ignore"):
        log_total: FloatArray = np.log(sums).sum(axis=1)
    return log_total, weights * inverse[:, :, None]


def _forward(case: _Case) -> tuple[FloatArray, list[_Step]]:
    model, problem, plan = case.model, case.problem, case.plan
    n_cases, n_slots = problem.axis.shape
    total = np.ones(n_cases)
    values, origin = np.ones(n_cases), np.arange(n_cases)
    stride = np.zeros((n_cases, n_slots), dtype=np.intp)
    opened = np.zeros(n_cases, dtype=np.uint64)
    is_simple = model.axes.classes[problem.axis] == EXPLAIN
    steps: list[_Step] = []
    for step in range(plan.mask.shape[1]):
        new = bits_of(plan.new[:, step], n_slots)
        closing = bits_of(plan.closing[:, step], n_slots)
        records: list[_Record] = []
        pieces: list[FloatArray] = []
        size = 0
        for block in blocks_of_step(model, problem, plan, step, opened):
            source = read_index(block, origin, stride)
            old = values[source].reshape(block.shape)
            frontier = old.copy()
            factors = _start_factors(case, block, new)
            for factor in factors:
                frontier *= factor
            group = group_of(model, problem, block)
            before = apply_group(frontier, group)
            _sum_closing(block, closing, frontier)
            records.append(_Record(block, group, before, source, old, factors, size))
            pieces.append(frontier.ravel())
            size += frontier.size
        for record in records:
            write_strides(record.block, record.first, origin, stride)
        values = np.concatenate(pieces)
        # A finding closes by keeping component 1: the case's origin moves there.
        origin = origin + (stride * (closing & is_simple)).sum(axis=1)
        stride[closing] = 0
        opened = (opened | plan.new[:, step]) & ~plan.closing[:, step]
        finished = np.flatnonzero(plan.n_groups == step + 1)
        total[finished] = values[origin[finished]]
        steps.append(_Step(records, size, new, closing, finished, origin[finished]))
    return total, steps


def _start_factors(case: _Case, block: Block, new: NDArray[np.bool_]) -> list[FloatArray]:
    """Start vectors of the axes a step opens, broadcast against the frontier.

    One factor an evidence axis (1 for cases in which it was open already) and one for all risks.
    """
    rows, ndim = block.rows, len(block.shape)
    factors = []
    for i, (slot, bits) in enumerate(zip(block.evidence, block.evidence_bits, strict=True)):
        vector = np.where(new[rows, slot], case.start[rows, slot, : 1 << bits].T, 1.0)
        factors.append(vector.reshape(*(1,) * i, 1 << bits, *(1,) * (ndim - i - 2), len(rows)))
    if len(block.risk_bits):
        slots, fields = _risk_fields(block)
        product = np.ones((1 << len(block.risk_bits), len(rows)))
        for slot, field in zip(slots, fields, strict=True):
            fresh = (slot >= 0) & new[rows, slot]
            product *= np.where(fresh, case.start[rows, slot, field], 1.0)
        factors.append(product[:, None, :])
    return factors


def _risk_fields(block: Block) -> tuple[IntArray, IntArray]:
    """Touched risks of each case and their field at every joint component.

    Returns
    -------
    slots : int array (A, n)
        Padded with -1.
    fields : int array (A, risks, n)
    """
    n_bits, batch = block.risk_bits.shape
    owner, bit = block.risk_bits >> 2, block.risk_bits & 3
    # The lowest bit of each risk numbers it, counted from the last.
    number = np.cumsum((bit == 0)[::-1], axis=0)[::-1] - 1
    count = int(number.max(initial=-1)) + 1
    slots = np.full((count, batch), -1)
    fields = np.zeros((count, 1 << n_bits, batch), dtype=np.intp)
    case_index = np.arange(batch)
    joint = np.arange(1 << n_bits)
    for b in range(n_bits):
        slots[number[b], case_index] = owner[b]
        value = (joint >> (n_bits - 1 - b) & 1)[:, None] << bit[b]
        fields[number[b], :, case_index] += value.T
    return slots, fields


def _sum_closing(block: Block, closing: NDArray[np.bool_], frontier: FloatArray) -> None:
    """Sum axes that close by a sum into their component 0, in place."""
    rows = block.rows
    for i, (slot, bits) in enumerate(zip(block.evidence, block.evidence_bits, strict=True)):
        if bits == 2 and (ends := closing[rows, slot]).any():
            both = frontier[component(i, 1)] + frontier[component(i, 2)]
            base = frontier[component(i, 0)]
            base[...] = np.where(ends, both, base)
    position = len(block.evidence)
    for b, column in enumerate(block.risk_bits):
        if (ends := closing[rows, column >> 2]).any():
            low, high = _bit_halves(frontier, position, b, len(block.risk_bits))
            low += ends * high


def _unsum_closing(block: Block, closing: NDArray[np.bool_], adjoint: FloatArray) -> None:
    """Pull back `_sum_closing`: what component 0 got, the summed components pass on."""
    rows = block.rows
    position = len(block.evidence)
    for b, column in reversed(list(enumerate(block.risk_bits))):
        if (ends := closing[rows, column >> 2]).any():
            low, high = _bit_halves(adjoint, position, b, len(block.risk_bits))
            high += ends * low
    for i, (slot, bits) in enumerate(zip(block.evidence, block.evidence_bits, strict=True)):
        if bits == 2 and (ends := closing[rows, slot]).any():
            base = adjoint[component(i, 0)]
            for value in (1, 2):
                part = adjoint[component(i, value)]
                part += ends * base
            base *= ~ends


def _bit_halves(
    array: NDArray[Scalar], position: int, bit: int, n_bits: int
) -> tuple[NDArray[Scalar], NDArray[Scalar]]:
    """Views of an axis of 2^n_bits components where one bit (from the top) is 0 and 1."""
    shape = array.shape
    split = (1 << bit, 2, 1 << (n_bits - bit - 1))
    view = array.reshape(*shape[:position], *split, *shape[position + 1 :])
    return view[component(position + 1, 0)], view[component(position + 1, 1)]


def _backward(
    case: _Case,
    steps: list[_Step],
    unit: FloatArray,
    start_adjoint: FloatArray,
    posterior: FloatArray,
) -> None:
    """Fill ``posterior`` of grouped causes and ``start_adjoint`` of their axes."""
    values = np.zeros(steps[-1].size + 1 if steps else 0)
    for number in reversed(range(len(steps))):
        step = steps[number]
        values[step.final] = unit[step.finished]
        size_before = steps[number - 1].size if number else len(unit)
        # One place more than there are components takes what must be dropped.
        values_before = np.zeros(size_before + 1)
        for record in step.records:
            block = record.block
            count = int(np.prod(block.shape))
            adjoint = values[record.first : record.first + count].reshape(block.shape)
            _unsum_closing(block, step.closing, adjoint)
            joint = apply_transposed(adjoint, record.before, record.group)
            _store(posterior, block, joint)
            _unopen(case, record, step.new, adjoint, start_adjoint, values_before)
        values = values_before


def _unopen(
    case: _Case,
    record: _Record,
    new: NDArray[np.bool_],
    adjoint: FloatArray,
    start_adjoint: FloatArray,
    values_before: FloatArray,
) -> None:
    """Pull back the opening of axes: adjoints of their starts and of the frontier before."""
    block, rows = record.block, record.block.rows
    factors = record.factors
    for i, (slot, bits) in enumerate(zip(block.evidence, block.evidence_bits, strict=True)):
        fresh = new[rows, slot]
        if fresh.any():
            part = _without(adjoint * record.old, factors, i)
            part = part.sum(axis=tuple(a for a in range(part.ndim - 1) if a != i))
            start_adjoint[rows[fresh], slot[fresh], : 1 << bits] = part.T[fresh]
    if len(block.risk_bits):
        _unopen_risks(case, record, new, adjoint, factors, start_adjoint)
    for factor in factors:
        adjoint = adjoint * factor
    # Components of an axis opened here were all read from the same place: sum them there.
    keep: NDArray[np.bool_] = np.ones(block.shape, dtype=bool)
    for i, slot in enumerate(block.evidence):
        fresh = new[rows, slot]
        if fresh.any():
            base = adjoint[component(i, 0)]
            base[...] = np.where(fresh, adjoint.sum(axis=i), base)
            for value in range(1, adjoint.shape[i]):
                dropped = keep[component(i, value)]
                np.logical_and(dropped, ~fresh, out=dropped)
    position = len(block.evidence)
    for b, column in enumerate(block.risk_bits):
        fresh = new[rows, column >> 2]
        if fresh.any():
            low, high = _bit_halves(adjoint, position, b, len(block.risk_bits))
            low += fresh * high
            _, dropped = _bit_halves(keep, position, b, len(block.risk_bits))
            np.logical_and(dropped, ~fresh, out=dropped)
    target = np.where(keep.reshape(record.source.shape), record.source, len(values_before) - 1)
    values_before[target] = adjoint.reshape(target.shape)


def _without(array: FloatArray, factors: list[FloatArray], skipped: int) -> FloatArray:
    for i, factor in enumerate(factors):
        if i != skipped:
            array = array * factor
    return array


def _unopen_risks(
    case: _Case,
    record: _Record,
    new: NDArray[np.bool_],
    adjoint: FloatArray,
    factors: list[FloatArray],
    start_adjoint: FloatArray,
) -> None:
    block, rows = record.block, record.block.rows
    slots, fields = _risk_fields(block)
    opened = [(slot >= 0) & new[rows, slot] for slot in slots]
    if not any(fresh.any() for fresh in opened):
        return
    part = _without(adjoint * record.old, factors, len(block.evidence))
    position = len(block.evidence)
    part = part.sum(axis=tuple(a for a in range(part.ndim - 1) if a != position))
    for i, (slot, field, fresh) in enumerate(zip(slots, fields, opened, strict=True)):
        share = part
        for j, other in enumerate(slots):
            if j != i:
                weight = case.start[rows, other, fields[j]]
                share = share * np.where(opened[j], weight, 1.0)
        for value in range(case.start.shape[2]):
            total = np.where(field == value, share, 0.0).sum(axis=0)
            start_adjoint[rows[fresh], slot[fresh], value] = total[fresh]


def _store(posterior: FloatArray, block: Block, joint: list[FloatArray]) -> None:
    for m, values in enumerate(joint):
        posterior[block.rows[: len(values)], block.causes[m, : len(values)]] = values
