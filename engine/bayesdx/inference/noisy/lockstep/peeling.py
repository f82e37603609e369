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
from bayesdx.inference.noisy.lockstep.production import Production, idle_effect
from bayesdx.inference.noisy.lockstep.tables import State
from bayesdx.inference.noisy.model import RISK, NoisyModel
from bayesdx.inference.noisy.operator import (
    AxisEffect,
    act,
    act_transposed,
    closed,
    closed_transposed,
    dot,
    effect_of,
    weighed,
)

#: What the way back needs of a step; each kind of step has its own.
_Notes = tuple[Any, ...]


@dataclass(eq=False)
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
    production : Production, optional
        What causes produced, when that is asked.
    """

    on: FloatArray
    off: FloatArray
    by_present: FloatArray
    by_absent: FloatArray
    vectors: FloatArray
    production: Production | None = None


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
        Kind.FOLD_INHIBITED: _fold,
        Kind.FOLD_RISK: _fold_risk,
        Kind.CONTRACT: _contract,
        Kind.CONTRACT_RISK: _contract_risk,
    }
    return [do[step.kind](model, problem, state, step) for step in peels]


def unpeel(peels: tuple[Peel, ...], notes: list[_Notes], shares: Shares) -> None:
    """Pull derivatives back through `peel`; fill the shares of the causes it summed out."""
    undo = {
        Kind.FOLD: _unfold,
        Kind.FOLD_INHIBITED: _unfold,
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


def _effect(model: NoisyModel, problem: Problem, step: Peel) -> AxisEffect:
    axis = problem.axis[step.rows, step.slots]
    return effect_of(model.axes, axis, step.causes, problem.present[step.rows, step.slots])


def _fold(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Sum causes out into the vectors of their axes."""
    size = 4 if step.kind is Kind.FOLD_INHIBITED else 2
    effect = _effect(model, problem, step)
    entries, active, inactive = _weights(model, state, step)
    active, inactive = _scaled(state, step, active, inactive)
    # Weights add up to 1, so that component 0 stays 1.
    both = np.stack(weighed(effect, active, inactive)[:5])
    first = step.parts[0]
    at = (step.rows[first], step.slots[first], slice(0, size))
    value, before = state.vectors[at].T.copy(), np.empty((size, len(step.rows)))
    effects = [AxisEffect(*both[:, part]) for part in step.parts]
    for part, own in zip(step.parts, effects, strict=True):
        now = value[:, : part.stop - part.start]
        before[:, part] = now
        act(now, 0, own)
    state.vectors[at] = value.T
    acted = before.copy()
    act(acted, 0, effect)
    link = effect, problem.present[step.rows, step.slots]
    return entries, active, inactive, effects, before, acted, link


def _unfold(step: Peel, notes: _Notes, shares: Shares) -> None:
    entries, active, inactive, effects, before, acted, (whole, share) = notes
    first = step.parts[0]
    at = (step.rows[first], step.slots[first], slice(0, len(before)))
    value, adjoint = shares.vectors[at].T.copy(), np.empty_like(before)
    for part, own in zip(reversed(step.parts), reversed(effects), strict=True):
        now = value[:, : part.stop - part.start]
        adjoint[:, part] = now
        act_transposed(now, 0, own)
    # Other causes may have been folded into these axes before.
    shares.vectors[at] = value.T
    on = active * dot(adjoint, acted)
    _store(step, entries, on, inactive * dot(adjoint, before), shares)
    if shares.production is not None:
        pairs, made = (step.rows, step.causes), shares.production
        weight = made.weight[step.rows, step.slots]
        idle, factor = _idle(before, whole, weight)
        made.idle[pairs] = made.left[pairs] * active * factor * dot(adjoint, idle)
        spared = active * _spared(before, adjoint, whole, share)
        made.credit(pairs, weight, np.asarray(whole.keep), on, spared)


def _idle(
    before: FloatArray, effect: AxisEffect, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Vectors after causes that produced no symptom, and a factor."""
    own, factor = idle_effect(effect, weight >= 0.0)
    after = before.copy()
    act(after, 0, own)
    return after, np.asarray(factor)


def _spared(
    before: FloatArray, adjoint: FloatArray, effect: AxisEffect, share: FloatArray
) -> FloatArray:
    """What no other cause or leak reaches, the adjoint being that behind the cause."""
    total = (share * before[0] - before[1]) * adjoint[1]
    if len(before) > 2:
        total = total - (1.0 - effect.leak_gain) * before[2] * adjoint[2]
    result: FloatArray = total
    return result


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
    if shares.production is not None:
        pairs, made = (step.rows, step.causes), shares.production
        made.idle[pairs] = made.left[pairs] * shares.on[pairs]
    if len(shares.by_present):
        shares.by_present.reshape(-1)[entries[valid]] = on[valid]
        shares.by_absent.reshape(-1)[entries[valid]] = off[valid]


def _contract(model: NoisyModel, problem: Problem, state: State, step: Peel) -> _Notes:
    """Sum a finding out on which one cause only acts."""
    effect = _effect(model, problem, step)
    before = state.vectors[step.rows, step.slots, :4].T
    acted = before.copy()
    act(acted, 0, effect)
    active, inactive = (closed(one, 0, is_risk=False) for one in (acted, before))
    largest = np.maximum(active, inactive)
    add_logs(state, step.rows, largest)
    state.on[step.rows, step.causes] *= divided(active, largest)
    state.off[step.rows, step.causes] *= divided(inactive, largest)
    made, spared = state.production, np.zeros(0)
    if made is not None:
        idle, factor = _idle(before, effect, made.weight[step.rows, step.slots])
        idle = factor * closed(idle, 0, is_risk=False)
        made.left[step.rows, step.causes] *= divided(idle, active)
        reached = closed_transposed(np.ones_like(active), 0, 4, is_risk=False)
        spared = _spared(before, reached, effect, problem.present[step.rows, step.slots])
    return active, inactive, effect, spared


def _uncontract(step: Peel, notes: _Notes, shares: Shares) -> None:
    active, inactive, effect, spared = notes
    by_active = divided(shares.on[step.rows, step.causes], active)
    by_inactive = divided(shares.off[step.rows, step.causes], inactive)
    adjoint = closed_transposed(by_active, 0, 4, is_risk=False)
    act_transposed(adjoint, 0, effect)
    adjoint += closed_transposed(by_inactive, 0, 4, is_risk=False)
    shares.vectors[step.rows, step.slots] = 0.0
    shares.vectors[step.rows, step.slots, :4] = adjoint.T
    if shares.production is not None:
        pairs, weight = (step.rows, step.causes), shares.production.weight[step.rows, step.slots]
        keep, on = np.asarray(effect.keep), shares.on[step.rows, step.causes]
        shares.production.credit(pairs, weight, keep, on, by_active * spared)


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
