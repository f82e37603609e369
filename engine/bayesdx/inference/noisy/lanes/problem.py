"""One case under D parameter sets, as factors of causes and axes with a lane a set.

The mathematics is that of `bayesdx.inference.noisy.condition` and `axes`; every number is an array
over the lanes, the last axis of everything. What a lane has no use for (a cause that inhibits a
finding only in other draws) does nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray, NoisyModel


@dataclass(frozen=True, eq=False)
class LinkDraws:
    """Noisy-OR parameters of one finding, or one level of an ordinal, under D sets.

    Attributes
    ----------
    causes : int array (n,)
        Positions in the model, rising.
    strength, factor : arrays (n, D)
        Link strengths and inhibitor factors; in a lane at most one of them acts.
    leak : array (D,)
    """

    causes: IntArray
    strength: FloatArray
    factor: FloatArray
    leak: FloatArray

    def take(self, lanes: IntArray | slice) -> LinkDraws:
        """Return some lanes."""
        return LinkDraws(
            self.causes, self.strength[:, lanes], self.factor[:, lanes], self.leak[lanes]
        )


@dataclass(frozen=True, eq=False)
class ParameterDraws:
    """D sets of parameters of one network, as far as a case asks for them.

    Attributes
    ----------
    findings : mapping of int to LinkDraws
        By position of the finding in the model.
    ordinals : mapping of int to tuple of LinkDraws
        Exceedance strengths and leaks of an ordinal finding, level after level.
    parents : tuple of tuples of int
        Risks that each cause depends on, rising.
    tables : tuple of arrays (S_parent1, ..., D)
        P(cause present | risks).
    risk_priors : tuple of arrays (S, D)
    """

    findings: Mapping[int, LinkDraws]
    ordinals: Mapping[int, tuple[LinkDraws, ...]]
    parents: tuple[tuple[int, ...], ...]
    tables: tuple[FloatArray, ...]
    risk_priors: tuple[FloatArray, ...]

    def __len__(self) -> int:
        return int(self.tables[0].shape[-1])

    def take(self, lanes: IntArray | slice) -> ParameterDraws:
        """Return some of the draws."""
        return ParameterDraws(
            {f: one.take(lanes) for f, one in self.findings.items()},
            {o: tuple(one.take(lanes) for one in many) for o, many in self.ordinals.items()},
            self.parents,
            tuple(table[..., lanes] for table in self.tables),
            tuple(prior[:, lanes] for prior in self.risk_priors),
        )


@dataclass(frozen=True, eq=False)
class LaneAxis:
    """Evidence that couples causes.

    Components: 0 summed over, 1 explained, 2 the leak that is left, 3 what feeds it. An axis has
    two, unless inhibitors act on a leak that may be what explains it.

    Attributes
    ----------
    name : tuple
        What it is, for whoever compares structures.
    start : array (S, D)
    causes : int array (n,)
    keep, gain : arrays (n, D)
        What an active cause leaves of component 1, and moves there from component 0.
    lowered : array (n, D), optional
        Inhibitor factors, with components 2 and 3.
    """

    name: tuple[str, int]
    start: FloatArray
    causes: IntArray
    keep: FloatArray
    gain: FloatArray
    lowered: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class LaneProblem:
    """One case after absorption, for D lanes and C causes.

    Attributes
    ----------
    axes : tuple of LaneAxis
    risks : tuple of int
        Unobserved risks that several causes share, rising.
    risk_starts : tuple of arrays (S, D)
    parents : tuple of tuples of int
        Of each cause, positions in ``risks``.
    active, inactive : tuples of arrays (S_parent1, ..., D)
        Weight of each cause given those risks.
    log_scale : array (D,)
    """

    axes: tuple[LaneAxis, ...]
    risks: tuple[int, ...]
    risk_starts: tuple[FloatArray, ...]
    parents: tuple[tuple[int, ...], ...]
    active: tuple[FloatArray, ...]
    inactive: tuple[FloatArray, ...]
    log_scale: FloatArray


#: An inhibitor at least this strong (a factor below it) is never folded by a difference.
_STRONGEST_FOLDED = 1e-4


def inhibits_hard(value: float, links: LinkDraws) -> BoolArray:
    """Say in which lanes inhibitors make a finding harder to sum over, (D,).

    A single inhibitor is folded: into the factor of its cause where the finding is absent, into
    the axis of a finding that is present. Two of them act on one leak and are coupled by it.
    """
    count = (links.factor < 1.0).sum(axis=0)
    if value == 0.0:
        return np.asarray((count >= 2) | ((count > 0) & (links.leak >= 1.0)))
    strong = links.factor.min(axis=0, initial=1.0) < _STRONGEST_FOLDED
    return np.asarray((count >= 2) | strong | ((count > 0) & (links.leak > 0.99)))


def lane_problem(model: NoisyModel, evidence: Evidence, draws: ParameterDraws) -> LaneProblem:
    """Absorb what does not couple causes and set up the axes.

    Parameters
    ----------
    model : NoisyModel
    evidence : Evidence
        One case.
    draws : ParameterDraws
        Of all findings and ordinals that the case speaks of.

    Returns
    -------
    LaneProblem
    """
    n_causes, n_lanes = len(model.causes), len(draws)
    weights = np.ones((n_causes, n_lanes))
    log_scale = np.zeros(n_lanes)
    axes: list[LaneAxis] = []
    for f, links in draws.findings.items():
        value = float(evidence.findings[0, f])
        if value == 0.0:
            axes += _absent(f, links, weights, log_scale)
        else:
            axes.append(_present(f, links, value, log_scale))
    for o, levels in draws.ordinals.items():
        low, high = int(evidence.lower[0, o]), int(evidence.upper[0, o])
        axes += between_levels(o, levels, low, high, weights, log_scale)
    _add_risks(model, evidence, draws, log_scale)
    clamp = evidence.causes[0]
    weights[clamp == 0] = 0.0
    unknown = _shared(evidence, draws.parents)
    parents, active, inactive = [], [], []
    for c in range(n_causes):
        prior, own = _given_risks(evidence, draws, c, unknown)
        parents.append(tuple(unknown.index(r) for r in own))
        active.append(prior * weights[c])
        inactive.append((1.0 - prior) * (0.0 if clamp[c] == 1 else 1.0))
    possible = [bool(one.any()) for one in active]
    return LaneProblem(
        axes=tuple(_only(axis, possible) for axis in axes),
        risks=unknown,
        risk_starts=tuple(draws.risk_priors[r] for r in unknown),
        parents=tuple(parents),
        active=tuple(active),
        inactive=tuple(inactive),
        log_scale=log_scale,
    )


def _only(axis: LaneAxis, possible: list[bool]) -> LaneAxis:
    """Leave out causes that are never active, and those that do nothing in any lane."""
    does = (axis.keep != 1.0).any(axis=1) | (axis.gain != 0.0).any(axis=1)
    if axis.lowered is not None:
        does = does | (axis.lowered < 1.0).any(axis=1)
    at = np.flatnonzero(does & np.array([possible[c] for c in axis.causes], dtype=bool))
    if len(at) == len(axis.causes):
        return axis
    lowered = None if axis.lowered is None else axis.lowered[at]
    return LaneAxis(axis.name, axis.start, axis.causes[at], axis.keep[at], axis.gain[at], lowered)


def _absent(f: int, links: LinkDraws, weights: FloatArray, log_scale: FloatArray) -> list[LaneAxis]:
    weights[links.causes] *= 1.0 - links.strength
    inhibits = links.factor < 1.0
    if not inhibits_hard(0.0, links).any():
        with np.errstate(divide="ignore"):
            log_scale += np.log1p(-links.leak)
        for row in np.flatnonzero(inhibits.any(axis=1)):
            left = (1.0 - links.leak * links.factor[row]) / (1.0 - links.leak)
            weights[links.causes[row]] *= np.where(inhibits[row], left, 1.0)
        return []
    rows = np.flatnonzero(inhibits.any(axis=1))
    factor = links.factor[rows]
    start = np.stack([np.ones_like(links.leak), 1.0 - links.leak])
    return [LaneAxis(("absent", f), start, links.causes[rows], factor, 1.0 - factor)]


def _present(f: int, links: LinkDraws, value: float, log_scale: FloatArray) -> LaneAxis:
    """P = l1 + (l0 - l1) Q (1 - leak H), with H what active inhibitors leave, as in `absorb`."""
    l0, l1, leak = 1.0 - value, value, links.leak
    spared = 1.0 - leak
    for row in range(len(links.causes)):
        spared = spared * (1.0 - links.strength[row])
    bound = l0 + l1 * (1.0 - spared)
    # What can never be reached is left as it is: a zero, found when the case is summed.
    bound = np.where(bound > 0.0, bound, 1.0)
    log_scale += np.log(bound)
    one, keep = np.ones_like(leak), 1.0 - links.strength
    gain = links.strength * (l1 / bound)
    if not inhibits_hard(value, links).any():
        # A lone inhibitor multiplies P(absent) by 1 + taken.
        taken = leak * (1.0 - links.factor) / (1.0 - leak)
        start = np.stack([one, (l0 * (1.0 - leak) + l1 * leak) / bound])
        return LaneAxis(
            ("present", f), start, links.causes, keep + taken, gain - taken * l1 / bound
        )
    if l1 >= l0:
        start = np.stack([one, l0 / bound, (l1 - l0) * leak / bound])
    else:
        rest = (l0 * (1.0 - leak) + l1 * leak) / bound
        start = np.stack([one, rest, np.zeros_like(leak), (l0 - l1) * leak / bound])
    return LaneAxis(("present", f), start, links.causes, keep, gain, links.factor)


def between_levels(
    o: int,
    levels: tuple[LinkDraws, ...],
    low: int,
    high: int,
    weights: FloatArray,
    log_scale: FloatArray,
) -> list[LaneAxis]:
    """Absorb "at least level ``low`` and at most ``high``" of an ordinal; return what is left."""
    last = high == len(levels)
    if not last:
        weights[levels[high].causes] *= 1.0 - levels[high].strength
        with np.errstate(divide="ignore"):
            log_scale += np.log1p(-levels[high].leak)
    if low == 0:
        return []
    reached = levels[low - 1]
    causes = reached.causes if last else np.union1d(reached.causes, levels[high].causes)
    strength = _over(reached, causes)
    leak = reached.leak
    if not last:
        strength = _remaining(strength, _over(levels[high], causes))
        leak = _remaining(leak, levels[high].leak)
    start = np.stack([np.ones_like(leak), leak])
    return [LaneAxis(("level", o), start, causes, 1.0 - strength, strength)]


def _over(links: LinkDraws, causes: IntArray) -> FloatArray:
    strength = np.zeros((len(causes), links.strength.shape[1]))
    strength[np.searchsorted(causes, links.causes)] = links.strength
    return strength


def _remaining(reached: FloatArray, passed: FloatArray) -> FloatArray:
    """1 - (1 - reached) / (1 - passed); 0 where passing is certain, since that is absorbed as 0."""
    room = 1.0 - passed
    return np.divide(reached - passed, room, out=np.zeros_like(room), where=room > 0.0)


def _add_risks(
    model: NoisyModel, evidence: Evidence, draws: ParameterDraws, log_scale: FloatArray
) -> None:
    with np.errstate(divide="ignore"):
        for r in range(len(model.risks)):
            state = int(evidence.risks[0, r])
            if state >= 0:
                log_scale += np.log(draws.risk_priors[r][state])


def _shared(evidence: Evidence, parents: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Unobserved risks that two causes or more depend on."""
    named = [r for own in parents for r in own if evidence.risks[0, r] < 0]
    return tuple(sorted(r for r in set(named) if named.count(r) > 1))


def _given_risks(
    evidence: Evidence, draws: ParameterDraws, cause: int, shared: tuple[int, ...]
) -> tuple[FloatArray, tuple[int, ...]]:
    """Slice a cause's table at observed risks, average private ones; return what is left."""
    table, left = draws.tables[cause], []
    for axis in reversed(range(len(draws.parents[cause]))):
        r = draws.parents[cause][axis]
        state = int(evidence.risks[0, r])
        if state >= 0:
            table = np.moveaxis(table, axis, 0)[state]
        elif r not in shared:
            weight = draws.risk_priors[r]
            shape = [1] * (table.ndim - 1)
            shape[axis] = len(weight)
            table = (table * weight.reshape(*shape, -1)).sum(axis=axis)
        else:
            left.append(r)
    return table, tuple(reversed(left))
