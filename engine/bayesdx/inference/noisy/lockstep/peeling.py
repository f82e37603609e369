"""Leaves are summed out as numbers, not as a frontier, and derivatives pulled back through them.

Backwards, what is asked of a cause is its *share*: P(cause present | evidence), P(cause absent |
evidence), each by joint states of the risks its table still depends on. What is asked of an axis is
the derivative of the evidence, divided by the evidence, with respect to each component of its
vector; of a risk, P(state | evidence). Derivatives by factors are shares divided by the factor: a
factor of zero has no share, and what would be pulled back through it is zero (Darwiche 2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.leaves import Kind, Peel
from bayesdx.inference.noisy.lockstep.tables import State
from bayesdx.inference.noisy.model import RISK, NoisyModel

#: What the way back needs of a step; each kind of step has its own.
_Notes = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Shares:
    """What the way back fills in.

    Attributes
    ----------
    on, off : arrays (N, C)
        P(cause present | evidence), P(cause absent | evidence).
    by_present, by_absent : arrays (N, P) or (0, P)
        The same by entry of the table, for causes whose risks were contracted; empty if none were.
    vectors : array (N, K, S)
        Derivatives by the components of evidence axes; P(state | evidence) of risks.
    """

    on: FloatArray
    off: FloatArray
    by_present: FloatArray
    by_absent: FloatArray
    vectors: FloatArray


def divided(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, zero where the denominator is zero."""
    result: FloatArray = np.divide(
        numerator, denominator, out=np.zeros(np.shape(numerator)), where=denominator > 0.0
    )
    return result


def log_of(factor: FloatArray) -> FloatArray:
    """Logarithm, minus infinity of zero without a warning."""
    with np.errstate(divide="ignore"):
        result: FloatArray = np.log(factor)
    return result


def add_logs(state: State, rows: IntArray, factor: FloatArray) -> None:
    """Note that ``factor`` (M,) was taken out of ``rows`` (M,)."""
    n_cases = len(state.log_scale)
    state.log_scale[...] += np.bincount(rows, weights=log_of(factor), minlength=n_cases)


def peel(
    model: NoisyModel, problem: Problem, state: State, peels: tuple[Peel, ...]
) -> list[_Notes]:
    """Carry the steps out, one after the other."""
    do = {
        Kind.FOLD: _fold,
        Kind.FOLD_INHIBITED: _fold_inhibited,
        Kind.FOLD_RISK: _fold_risk,
        Kind.CONTRACT: _contract,
        Kind.CONTRACT_RISK: _contract_risk,
    }
    return [do[step.kind](model, problem, state, step) for step in peels]


def unpeel(peels: tuple[Peel, ...], notes: list[_Notes], shares: Shares) -> None:
    """Pull derivatives back through `peel`; fill the shares of the causes it summed out."""
    undo = {
        Kind.FOLD: _unfold,
        Kind.FOLD_INHIBITED: _unfold_inhibited,
        Kind.FOLD_RISK: _unfold_risk,
        Kind.CONTRACT: _uncontract,
        Kind.CONTRACT_RISK: _uncontract_risk,
    }
    for step, note in zip(reversed(peels), reversed(notes), strict=True):
        undo[step.kind](step, note, shares)


def _weights(
    model: NoisyModel, state: State, step: Peel
) -> tuple[IntArray, FloatArray, FloatArray]:
    """First entry of each cause's table, and its weights there."""
    entries = step.rows * state.present.shape[1] + model.prior_offset[step.causes]
    flat = step.rows * state.on.shape[1] + step.causes
    active = state.on.take(flat) * state.present.take(entries)
    inactive = state.off.take(flat) * state.absent.take(entries)
    return entries, active, inactive


def _store(step: Peel, entries: IntArray, on: FloatArray, off: FloatArray, shares: Shares) -> None:
    shares.on[step.rows, step.causes] = on
    shares.off[step.rows, step.causes] = off
    if len(shares.by_present):
        shares.by_present.reshape(-1)[entries] = on
        shares.by_absent.reshape(-1)[entries] = off


def _scaled(
    state: State, step: Peel, active: FloatArray, inactive: FloatArray
) -> tuple[FloatArray, FloatArray]:
    total = active + inactive
    add_logs(state, step.rows, total)
    return divided(active, total), divided(inactive, total)


def _fold(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Apply causes to an axis of two components: component 1 goes through a linear function."""
    axis = problem.axis[step.rows, step.slots]
    keep = model.axes.keep[axis, step.causes]
    gain = model.axes.gain[axis, step.causes] * problem.present[step.rows, step.slots]
    entries, active, inactive = _weights(model, state, step)
    active, inactive = _scaled(state, step, active, inactive)
    slope, shift = inactive + active * keep, active * gain
    first = step.parts[0]
    at = (step.rows[first], step.slots[first], 1)
    value, before = state.vectors[at], np.empty(len(axis))
    for part in step.parts:
        now = value[: part.stop - part.start]
        before[part] = now
        now *= slope[part]
        now += shift[part]
    state.vectors[at] = value
    return entries, active, inactive, slope, shift, before, keep * before + gain


def _unfold(step: Peel, notes: _Notes, shares: Shares) -> None:
    entries, active, inactive, slope, shift, before, explained = notes
    first = step.parts[0]
    rows, slots = step.rows[first], step.slots[first]
    base, some = shares.vectors[rows, slots, 0], shares.vectors[rows, slots, 1]
    by_base, by_some = np.empty(len(before)), np.empty(len(before))
    for part in reversed(step.parts):
        count = part.stop - part.start
        by_base[part], by_some[part] = base[:count], some[:count]
        base[:count] += shift[part] * some[:count]
        some[:count] *= slope[part]
    # Other causes may have been folded into these axes before.
    shares.vectors[rows, slots, 0], shares.vectors[rows, slots, 1] = base, some
    on = active * (by_base + by_some * explained)
    _store(step, entries, on, inactive * (by_base + by_some * before), shares)


def _fold_inhibited(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Apply causes to an axis of four components; see `bayesdx.inference.noisy.lockstep.kernel`."""
    axis = problem.axis[step.rows, step.slots]
    keep = model.axes.keep[axis, step.causes]
    gain = model.axes.gain[axis, step.causes] * problem.present[step.rows, step.slots]
    leak_keep = model.axes.leak_keep[axis, step.causes]
    leak_gain = model.axes.leak_gain[axis, step.causes]
    entries, active, inactive = _weights(model, state, step)
    active, inactive = _scaled(state, step, active, inactive)
    first = step.parts[0]
    at = (step.rows[first], step.slots[first], slice(0, 4))
    value, before = state.vectors[at].T.copy(), np.empty((4, len(axis)))
    matrix = _fold_matrix(active, inactive, (keep, gain, leak_keep, leak_gain))
    for part in step.parts:
        now = value[:, : part.stop - part.start]
        before[:, part] = now
        now[...] = _through(matrix[..., part], now)
    state.vectors[at] = value.T
    explained = before.copy()
    explained[1] = keep * before[1] + gain * before[0]
    explained[2] = leak_keep * before[2] + leak_gain * before[3]
    explained[3] = keep * before[3]
    return entries, active, inactive, matrix, before, explained


def _fold_matrix(
    active: FloatArray, inactive: FloatArray, links: tuple[FloatArray, ...]
) -> FloatArray:
    """What a cause makes of the components of an axis, (4, 4, M)."""
    keep, gain, leak_keep, leak_gain = links
    matrix = np.zeros((4, 4, len(active)))
    matrix[0, 0] = active + inactive
    matrix[1, 0], matrix[1, 1] = active * gain, inactive + active * keep
    matrix[2, 2], matrix[2, 3] = inactive + active * leak_keep, active * leak_gain
    matrix[3, 3] = inactive + active * keep
    return matrix


def _through(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    result: FloatArray = (matrix * vector).sum(axis=1)
    return result


def _unfold_inhibited(step: Peel, notes: _Notes, shares: Shares) -> None:
    entries, active, inactive, matrix, before, explained = notes
    first = step.parts[0]
    value = shares.vectors[step.rows[first], step.slots[first], :4].T.copy()
    adjoint = np.empty_like(before)
    for part in reversed(step.parts):
        now = value[:, : part.stop - part.start]
        adjoint[:, part] = now
        now[...] = _through(matrix[..., part].swapaxes(0, 1), now)
    shares.vectors[step.rows[first], step.slots[first], :4] = value.T
    on, off = (adjoint * explained).sum(axis=0), (adjoint * before).sum(axis=0)
    _store(step, entries, active * on, inactive * off, shares)


def _fold_risk(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Weigh the states of a risk with causes that depend on nothing else that is left."""
    axis = problem.axis[step.rows, step.slots]
    edge = model.edges.number[axis, step.causes]
    stride = state.strides[step.rows, edge]
    # What is read for states that the risk does not have meets a zero in its vector.
    states = np.minimum(np.arange(state.vectors.shape[2]), model.axes.sizes[axis, None] - 1)
    entries = step.rows * state.present.shape[1] + model.prior_offset[step.causes]
    entries = entries[:, None] + states * stride[:, None]
    on, off = state.on[step.rows, step.causes], state.off[step.rows, step.causes]
    active = on[:, None] * state.present.take(entries)
    inactive = off[:, None] * state.absent.take(entries)
    both = active + inactive
    first = step.parts[0]
    at = (step.rows[first], step.slots[first])
    value, total = state.vectors[at], np.empty(len(axis))
    for part in step.parts:
        now = value[: part.stop - part.start]
        now *= both[part]
        total[part] = now.sum(axis=1)
        now[...] = divided(now, np.broadcast_to(total[part, None], now.shape))
    state.vectors[at] = value
    add_logs(state, step.rows, total)
    beyond = np.arange(state.vectors.shape[2]) >= model.axes.sizes[axis, None]
    active, inactive = divided(active, both), divided(inactive, both)
    active[beyond], inactive[beyond] = 0.0, 0.0
    return entries, active, inactive, ~beyond


def _unfold_risk(step: Peel, notes: _Notes, shares: Shares) -> None:
    entries, active, inactive, valid = notes
    share = shares.vectors[step.rows, step.slots]
    on, off = active * share, inactive * share
    shares.on[step.rows, step.causes] = on.sum(axis=1)
    shares.off[step.rows, step.causes] = off.sum(axis=1)
    if len(shares.by_present):
        shares.by_present.reshape(-1)[entries[valid]] = on[valid]
        shares.by_absent.reshape(-1)[entries[valid]] = off[valid]


def _contract(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Sum a finding out on which one cause only acts."""
    axis = problem.axis[step.rows, step.slots]
    vector = state.vectors[step.rows, step.slots].T
    keep = model.axes.keep[axis, step.causes]
    gain = model.axes.gain[axis, step.causes] * problem.present[step.rows, step.slots]
    leak_keep = model.axes.leak_keep[axis, step.causes]
    leak_gain = model.axes.leak_gain[axis, step.causes]
    active = keep * vector[1] + gain + leak_keep * vector[2] + leak_gain * vector[3]
    inactive = vector[1] + vector[2]
    largest = np.maximum(active, inactive)
    add_logs(state, step.rows, largest)
    state.on[step.rows, step.causes] *= divided(active, largest)
    state.off[step.rows, step.causes] *= divided(inactive, largest)
    return active, inactive, keep, gain, leak_keep, leak_gain


def _uncontract(step: Peel, notes: _Notes, shares: Shares) -> None:
    active, inactive, keep, gain, leak_keep, leak_gain = notes
    by_active = divided(shares.on[step.rows, step.causes], active)
    by_inactive = divided(shares.off[step.rows, step.causes], inactive)
    adjoint = np.zeros((len(step.rows), shares.vectors.shape[2]))
    adjoint[:, 0] = gain * by_active
    adjoint[:, 1] = keep * by_active + by_inactive
    adjoint[:, 2] = leak_keep * by_active + by_inactive
    adjoint[:, 3] = leak_gain * by_active
    shares.vectors[step.rows, step.slots] = adjoint


def _contract_risk(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Sum a risk out on which one cause only depends; its table then holds the average."""
    axis = problem.axis[step.rows, step.slots]
    edges = model.edges
    stride = state.strides[step.rows, edges.number[axis, step.causes]]
    size = model.axes.sizes[axis]
    vector = state.vectors[step.rows, step.slots]
    first = step.rows * state.present.shape[1] + model.prior_offset[step.causes]
    # Entries of one table are few; pairs whose tables look alike are summed together.
    entries = np.diff(model.prior_offset)[step.causes]
    key = np.stack([entries, stride, size], axis=1)
    kinds, which = np.unique(key, axis=0, return_inverse=True)
    which = which.reshape(-1)
    notes = []
    for k, (count, step_length, n_states) in enumerate(kinds.tolist()):
        pairs = np.flatnonzero(which == k)
        outer = count // (step_length * n_states)
        shape = (len(pairs), outer, n_states, step_length)
        inside = outer * n_states * step_length
        at = (first[pairs, None] + np.arange(inside)).reshape(shape)
        weight = vector[pairs, None, :n_states, None]
        old = np.stack([state.present.take(at), state.absent.take(at)])
        new = (old * weight).sum(axis=3)
        state.present.reshape(-1)[at[:, :, 0]] = new[0]
        state.absent.reshape(-1)[at[:, :, 0]] = new[1]
        notes.append((pairs, at, weight, old, new))
    return tuple(notes)


def _uncontract_risk(step: Peel, notes: _Notes, shares: Shares) -> None:
    for pairs, at, weight, old, new in notes:
        after = np.stack([shares.by_present.take(at[:, :, 0]), shares.by_absent.take(at[:, :, 0])])
        before = old * weight * divided(after, new)[:, :, :, None]
        shares.by_present.reshape(-1)[at] = before[0]
        shares.by_absent.reshape(-1)[at] = before[1]
        by_state = np.zeros((len(pairs), shares.vectors.shape[2]))
        by_state[:, : at.shape[2]] = before.sum(axis=(0, 2, 4))
        shares.vectors[step.rows[pairs], step.slots[pairs]] = by_state


def close_axes(model: NoisyModel, problem: Problem, state: State, closed: BoolArray) -> FloatArray:
    """Sum out axes (N, K) on which nothing acts any more; return derivatives by their vectors."""
    is_risk = np.append(model.axes.classes == RISK, False)[problem.axis]
    weights = np.zeros_like(state.vectors)
    weights[is_risk] = 1.0
    weights[..., 1:3] = 1.0
    total = np.where(closed, (state.vectors * weights).sum(axis=2), 0.0)
    add_logs(state, np.nonzero(closed)[0], total[closed])
    inverse = divided(np.ones_like(total), total)[:, :, None]
    # Of a risk the share of each state, of evidence the derivative.
    result: FloatArray = inverse * np.where(is_risk[..., None], state.vectors, weights)
    return result


def close_causes(
    model: NoisyModel, state: State, closed: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Sum out causes (N, C) without axes; return their shares."""
    first = model.prior_offset[:-1]
    on, off = state.on * state.present[:, first], state.off * state.absent[:, first]
    both = np.where(closed, on + off, 1.0)
    state.log_scale[...] += log_product(both)
    return divided(np.where(closed, on, 0.0), both), divided(np.where(closed, off, 0.0), both)


def log_product(factors: NDArray[np.float64]) -> FloatArray:
    """Log of the product of each row; one logarithm a row unless the product gets too small."""
    product = factors.prod(axis=1)
    result = log_of(product)
    small = np.flatnonzero(product < 1e-200)
    result[small] = log_of(factors[small]).sum(axis=1)
    return result
