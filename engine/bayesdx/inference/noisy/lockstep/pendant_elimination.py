"""Pendants are summed out as numbers, not as a frontier, and derivatives pulled back through them.

Backwards, what is asked of a cause is its *share*: P(cause present | evidence), P(cause absent |
evidence), each by joint states of the risks its table still depends on. What is asked of an axis is
the derivative of the evidence, divided by the evidence, with respect to each component of its
vector; of a risk, P(state | evidence). Derivatives by factors are shares divided by the factor: a
factor of zero has no share, and what would be pulled back through it is zero (Darwiche 2003).
"""

from __future__ import annotations

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.lockstep.axis_scores import by_components
from bayesdx.inference.noisy.lockstep.pendants import PendantKind, PendantStep
from bayesdx.inference.noisy.lockstep.production import idle_effect
from bayesdx.inference.noisy.lockstep.workspace import BatchWorkspace, Shares, divided, log_product
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


def eliminate_pendants(
    model: NoisyModel,
    problem: Problem,
    workspace: BatchWorkspace,
    pendants: tuple[PendantStep, ...],
) -> list[Eliminated]:
    """Carry the steps out, one after the other; what they return pulls derivatives back."""
    kinds: dict[PendantKind, type[Eliminated]] = {
        PendantKind.FOLD: CausesIntoFindings,
        PendantKind.FOLD_INHIBITED: CausesIntoFindings,
        PendantKind.FOLD_RISK: CausesIntoRisks,
        PendantKind.CONTRACT: FindingsIntoCauses,
        PendantKind.CONTRACT_RISK: RisksIntoCauses,
    }
    return [kinds[step.kind](model, problem, workspace, step) for step in pendants]


def pull_pendants(eliminated: list[Eliminated], shares: Shares) -> None:
    """Pull derivatives back through all steps; fill the shares of the causes they summed out."""
    for one in reversed(eliminated):
        one.pull_back(shares)


class Eliminated:
    """One step that was carried out, with what its way back needs."""

    def __init__(
        self, model: NoisyModel, problem: Problem, workspace: BatchWorkspace, step: PendantStep
    ) -> None:
        self.rows, self.causes, self.slots = step.rows, step.causes, step.slots
        self.parts = step.parts
        #: First entry of each cause's table.
        self.first = step.rows * workspace.present.shape[1] + model.prior_offset[step.causes]
        self.axis = problem.axis[step.rows, step.slots]
        self.present = problem.present[step.rows, step.slots]
        self.carry_out(model, workspace)

    def carry_out(self, model: NoisyModel, workspace: BatchWorkspace) -> None:
        """Sum out."""
        raise NotImplementedError

    def pull_back(self, shares: Shares) -> None:
        """Pull derivatives back; note the shares of causes that were summed out."""
        raise NotImplementedError


class CausesIntoFindings(Eliminated):
    """Causes that act on one finding alone, summed out into its vector."""

    def carry_out(self, model: NoisyModel, workspace: BatchWorkspace) -> None:
        """Sum out."""
        size = int(model.axes.sizes[self.axis[0]])
        self.effect = effect_of(model.axes, self.axis, self.causes, self.present)
        flat = self.rows * workspace.on.shape[1] + self.causes
        active = workspace.on.take(flat) * workspace.present.take(self.first)
        inactive = workspace.off.take(flat) * workspace.absent.take(self.first)
        total = active + inactive
        workspace.scale(self.rows, total)
        # Weights add up to 1, so that component 0 stays 1.
        self.active, self.inactive = divided(active, total), divided(inactive, total)
        both = np.stack(weighed(self.effect, self.active, self.inactive)[:5])
        first = self.parts[0]
        at = (self.rows[first], self.slots[first], slice(0, size))
        value, self.before = workspace.vectors[at].T.copy(), np.empty((size, len(self.rows)))
        self.effects = [AxisEffect(*both[:, part]) for part in self.parts]
        for part, own in zip(self.parts, self.effects, strict=True):
            now = value[:, : part.stop - part.start]
            self.before[:, part] = now
            act(now, 0, own)
        workspace.vectors[at] = value.T
        self.acted = self.before.copy()
        act(self.acted, 0, self.effect)

    def pull_back(self, shares: Shares) -> None:
        """Pull derivatives back; note the shares of causes that were summed out."""
        first = self.parts[0]
        at = (self.rows[first], self.slots[first], slice(0, len(self.before)))
        value, adjoint = shares.vectors[at].T.copy(), np.empty_like(self.before)
        for part, own in zip(reversed(self.parts), reversed(self.effects), strict=True):
            now = value[:, : part.stop - part.start]
            adjoint[:, part] = now
            act_transposed(now, 0, own)
        # Other causes may have been folded into these axes before.
        shares.vectors[at] = value.T
        on, off = self.active * dot(adjoint, self.acted), self.inactive * dot(adjoint, self.before)
        shares.on[self.rows, self.causes] = on
        shares.off[self.rows, self.causes] = off
        if len(shares.by_present):
            shares.by_present.reshape(-1)[self.first] = on
            shares.by_absent.reshape(-1)[self.first] = off
        if shares.scores is not None:
            values = by_components(self.before, adjoint, self.present, self.active)
            shares.scores.note(self.rows, self.slots, self.causes, values)
        if shares.production is not None:
            pairs, made = (self.rows, self.causes), shares.production
            weight = made.weight[self.rows, self.slots]
            idle, factor = idle_components(self.before, self.effect, weight)
            made.idle[pairs] = made.left[pairs] * self.active * factor * dot(adjoint, idle)
            spared = self.active * spared_components(
                self.before, adjoint, self.effect, self.present
            )
            made.credit(pairs, weight, np.asarray(self.effect.keep), on, spared)


def idle_components(
    before: FloatArray, effect: AxisEffect, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Vectors after causes that produced no symptom, and a factor."""
    own, factor = idle_effect(effect, weight >= 0.0)
    after = before.copy()
    act(after, 0, own)
    return after, np.asarray(factor)


def spared_components(
    before: FloatArray, adjoint: FloatArray, effect: AxisEffect, share: FloatArray
) -> FloatArray:
    """What no other cause or leak reaches, the adjoint being that behind the cause."""
    total = (share * before[0] - before[1]) * adjoint[1]
    if len(before) > 2:
        total = total - (1.0 - effect.leak_gain) * before[2] * adjoint[2]
    result: FloatArray = total
    return result


class CausesIntoRisks(Eliminated):
    """Causes that depend on one risk and on nothing else that is left; they weigh its states."""

    def carry_out(self, model: NoisyModel, workspace: BatchWorkspace) -> None:
        """Sum out."""
        size = model.axes.sizes[self.axis, None]
        stride = workspace.strides[self.rows, model.edges.number[self.axis, self.causes]]
        # What is read for states that the risk does not have meets a zero in its vector.
        states = np.minimum(np.arange(workspace.vectors.shape[2]), size - 1)
        self.entries = self.first[:, None] + states * stride[:, None]
        flat = self.rows * workspace.on.shape[1] + self.causes
        active = workspace.on.take(flat)[:, None] * workspace.present.take(self.entries)
        inactive = workspace.off.take(flat)[:, None] * workspace.absent.take(self.entries)
        both = active + inactive
        first = self.parts[0]
        at = (self.rows[first], self.slots[first])
        value, total = workspace.vectors[at], np.empty(len(self.axis))
        for part in self.parts:
            now = value[: part.stop - part.start]
            now *= both[part]
            total[part] = now.sum(axis=1)
            now[...] = divided(now, np.broadcast_to(total[part, None], now.shape))
        workspace.vectors[at] = value
        workspace.scale(self.rows, total)
        self.valid = np.arange(workspace.vectors.shape[2]) < size
        self.active = np.where(self.valid, divided(active, both), 0.0)
        self.inactive = np.where(self.valid, divided(inactive, both), 0.0)

    def pull_back(self, shares: Shares) -> None:
        """Note the shares of causes that were summed out."""
        share = shares.vectors[self.rows, self.slots]
        on, off = self.active * share, self.inactive * share
        shares.on[self.rows, self.causes] = on.sum(axis=1)
        shares.off[self.rows, self.causes] = off.sum(axis=1)
        if shares.production is not None:
            pairs, made = (self.rows, self.causes), shares.production
            made.idle[pairs] = made.left[pairs] * shares.on[pairs]
        if len(shares.by_present):
            entries, valid = self.entries[self.valid], self.valid
            shares.by_present.reshape(-1)[entries] = on[valid]
            shares.by_absent.reshape(-1)[entries] = off[valid]


class FindingsIntoCauses(Eliminated):
    """Findings on which one cause only acts, summed out into its weights."""

    def carry_out(self, model: NoisyModel, workspace: BatchWorkspace) -> None:
        """Sum out."""
        self.effect = effect_of(model.axes, self.axis, self.causes, self.present)
        before = workspace.vectors[self.rows, self.slots, :4].T
        acted = before.copy()
        act(acted, 0, self.effect)
        self.active, self.inactive = (closed(one, 0, is_risk=False) for one in (acted, before))
        largest = np.maximum(self.active, self.inactive)
        workspace.scale(self.rows, largest)
        workspace.on[self.rows, self.causes] *= divided(self.active, largest)
        workspace.off[self.rows, self.causes] *= divided(self.inactive, largest)
        self.before, made = before, workspace.production
        if made is not None:
            weight = made.weight[self.rows, self.slots]
            idle, factor = idle_components(before, self.effect, weight)
            idle = factor * closed(idle, 0, is_risk=False)
            made.left[self.rows, self.causes] *= divided(idle, self.active)
            reached = closed_transposed(np.ones_like(self.active), 0, 4, is_risk=False)
            self.spared = spared_components(before, reached, self.effect, self.present)

    def pull_back(self, shares: Shares) -> None:
        """Pull derivatives back."""
        by_active = divided(shares.on[self.rows, self.causes], self.active)
        by_inactive = divided(shares.off[self.rows, self.causes], self.inactive)
        adjoint = closed_transposed(by_active, 0, 4, is_risk=False)
        if shares.scores is not None:
            values = by_components(self.before, adjoint, self.present, 1.0)
            shares.scores.note(self.rows, self.slots, self.causes, values)
        act_transposed(adjoint, 0, self.effect)
        adjoint += closed_transposed(by_inactive, 0, 4, is_risk=False)
        shares.vectors[self.rows, self.slots] = 0.0
        shares.vectors[self.rows, self.slots, :4] = adjoint.T
        if shares.production is not None:
            pairs, weight = (self.rows, self.causes), shares.production.weight
            keep, on = np.asarray(self.effect.keep), shares.on[pairs]
            weight = weight[self.rows, self.slots]
            shares.production.credit(pairs, weight, keep, on, by_active * self.spared)


class RisksIntoCauses(Eliminated):
    """Risks on which one cause only depends; its table then holds the average."""

    def carry_out(self, model: NoisyModel, workspace: BatchWorkspace) -> None:
        """Sum out."""
        stride = workspace.strides[self.rows, model.edges.number[self.axis, self.causes]]
        size = model.axes.sizes[self.axis]
        vector = workspace.vectors[self.rows, self.slots]
        # Entries of one table are few; pairs whose tables look alike are summed together.
        entries = np.diff(model.prior_offset)[self.causes]
        shapes, which = np.unique(
            np.stack([entries, stride, size], axis=1), axis=0, return_inverse=True
        )
        self.alike: list[tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]] = []
        for k, (count, step_length, n_states) in enumerate(shapes.tolist()):
            pairs = np.flatnonzero(which.reshape(-1) == k)
            outer = count // (step_length * n_states)
            shape = (len(pairs), outer, n_states, step_length)
            inside = outer * n_states * step_length
            at = (self.first[pairs, None] + np.arange(inside)).reshape(shape)
            weight = vector[pairs, None, :n_states, None]
            old = np.stack([workspace.present.take(at), workspace.absent.take(at)])
            new = (old * weight).sum(axis=3)
            workspace.present.reshape(-1)[at[:, :, 0]] = new[0]
            workspace.absent.reshape(-1)[at[:, :, 0]] = new[1]
            self.alike.append((pairs, at, weight, old, new))

    def pull_back(self, shares: Shares) -> None:
        """Pull derivatives back."""
        by_present, by_absent = shares.by_present.reshape(-1), shares.by_absent.reshape(-1)
        for pairs, at, weight, old, new in self.alike:
            after = np.stack([by_present.take(at[:, :, 0]), by_absent.take(at[:, :, 0])])
            before = old * weight * divided(after, new)[:, :, :, None]
            by_present[at], by_absent[at] = before
            by_state = np.zeros((len(pairs), shares.vectors.shape[2]))
            by_state[:, : at.shape[2]] = before.sum(axis=(0, 2, 4))
            shares.vectors[self.rows[pairs], self.slots[pairs]] = by_state


def close_axes(
    model: NoisyModel, problem: Problem, workspace: BatchWorkspace, closed: BoolArray
) -> FloatArray:
    """Sum out axes (N, K) on which nothing acts any more; return derivatives by their vectors."""
    is_risk = np.append(model.axes.classes == RISK, False)[problem.axis]
    weights = np.zeros_like(workspace.vectors)
    weights[is_risk] = 1.0
    weights[..., 1:3] = 1.0
    total = np.where(closed, (workspace.vectors * weights).sum(axis=2), 0.0)
    workspace.scale(np.nonzero(closed)[0], total[closed])
    inverse = divided(np.ones_like(total), total)[:, :, None]
    # Of a risk the share of each state, of evidence the derivative.
    result: FloatArray = inverse * np.where(is_risk[..., None], workspace.vectors, weights)
    return result


def close_causes(
    model: NoisyModel, workspace: BatchWorkspace, closed: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Sum out causes (N, C) without axes; return their shares."""
    first = model.prior_offset[:-1]
    on, off = workspace.on * workspace.present[:, first], workspace.off * workspace.absent[:, first]
    both = np.where(closed, on + off, 1.0)
    workspace.log_scale[...] += log_product(both)
    return divided(np.where(closed, on, 0.0), both), divided(np.where(closed, off, 0.0), both)
