"""One case, conditioned on its evidence, in L lanes: draws of the parameters, or assumptions.

A lane has numbers of its own; all lanes have one structure, so that one program serves them. The
mathematics is that of `bayesdx.inference.noisy.condition`: absent findings become factors on the
weights of active causes, what couples causes becomes an axis of the frontier. Numbers stand below
each other in tables whose last axis runs over the lanes, or has length 1 where all lanes agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.axes import remaining
from bayesdx.inference.noisy.lane_weights import Assumptions, CauseWeights, below
from bayesdx.inference.noisy.operator import opening_of_finding, start_of_finding
from bayesdx.inference.noisy.parameters import LinkDraws, ParameterDraws

#: An inhibitor at least this strong (a factor below it) is never folded by a difference, which
#: loses as many digits as the factor has zeros behind the point.
_STRONGEST_FOLDED = 1e-2


@dataclass(frozen=True)
class Structure:
    """What an order of work depends on; axes are numbered, those of evidence before the risks.

    Attributes
    ----------
    widths : tuple of int
        Components of each axis. Evidence: 0 summed over, 1 explained, 2 the leak that is left, 3
        what feeds it; there are two unless inhibitors act on a leak that may be what explains it.
        Risks: one a state.
    n_evidence : int
        How many axes are evidence.
    links : tuple of tuples of (axis, row)
        Axes of evidence that each cause acts on, and the row of its numbers.
    risks : tuple of tuples of int
        Axes of the risks that the weights of each cause depend on, rising.
    """

    widths: tuple[int, ...]
    n_evidence: int
    links: tuple[tuple[tuple[int, int], ...], ...]
    risks: tuple[tuple[int, ...], ...]

    @property
    def masks(self) -> tuple[int, ...]:
        """Axes of each cause, a bit an axis."""
        return tuple(
            sum([1 << axis for axis, _ in links] + [1 << axis for axis in risks])
            for links, risks in zip(self.links, self.risks, strict=True)
        )


@dataclass(frozen=True, eq=False)
class LaneCase:
    """One case after conditioning, in L lanes.

    Attributes
    ----------
    structure : Structure
    start : array (sum of widths, L or 1)
        Components of each axis before any cause acts, axis after axis.
    keep, gain, lowered : arrays (links, L or 1)
        What an active cause leaves of component 1, moves there from component 0, and leaves of the
        leak.
    active, inactive : arrays (P, L or 1)
        Weight of each cause being present and absent, one row a joint state of its risks, the
        last risk fastest, cause after cause.
    log_scale : array (L,)
        Log of everything that involves no cause.
    symptoms : tuple of int
        Of each axis of evidence the finding that is present for certain, -1 if none is; -2 - o for
        ordinal finding o.
    """

    structure: Structure
    start: FloatArray
    keep: FloatArray
    gain: FloatArray
    lowered: FloatArray
    active: FloatArray
    inactive: FloatArray
    log_scale: FloatArray
    symptoms: tuple[int, ...]


def condition_lanes(
    evidence: Evidence,
    parameters: ParameterDraws,
    assumed: Assumptions | None = None,
    findings: FindingLinks | None = None,
) -> LaneCase:
    """Condition one case, causes clamped or not, in every lane.

    ``parameters`` are of the findings that the case speaks of, and no others; they have one draw,
    for all lanes, or one a lane. ``findings`` may pass their links, where they are at hand.
    """
    causes = CauseWeights(evidence, parameters, assumed)
    findings = findings or FindingLinks(evidence, parameters)
    axes = [*findings.condition(causes), *_ordinal_axes(evidence, parameters, causes)]
    possible = causes.possible()
    links: list[list[tuple[int, int]]] = [[] for _ in possible]
    none = np.zeros((0, 1))
    rows, n_rows, first = [(none, none, none)], 0, len(axes)
    for number, axis in enumerate(axes):
        at = np.flatnonzero(axis.acts & possible[axis.causes])
        rows.append((axis.keep[at], axis.gain[at], axis.lowered[at]))
        for row, cause in enumerate(axis.causes[at].tolist(), n_rows):
            links[cause].append((number, row))
        n_rows += len(at)
    keep, gain, lowered = (below(part) for part in zip(*rows, strict=True))
    active, inactive = causes.weights()
    return LaneCase(
        Structure(
            (*(len(axis.start) for axis in axes), *(len(start) for start in causes.starts)),
            first,
            tuple(map(tuple, links)),
            tuple(tuple(first + r for r in own) for own in causes.axes),
        ),
        below([none, *(axis.start for axis in axes), *causes.starts]),
        keep,
        gain,
        lowered,
        active,
        inactive,
        np.broadcast_to(causes.log_scale, causes.n_lanes),
        tuple(axis.symptom for axis in axes),
    )


@dataclass(frozen=True, eq=False)
class _Axis:
    """Evidence that couples causes: rows of `LaneCase`, and which of them do anything."""

    causes: IntArray
    acts: BoolArray
    start: FloatArray
    keep: FloatArray
    gain: FloatArray
    lowered: FloatArray
    symptom: int = -1


class FindingLinks:
    """Links of the binary findings that a case speaks of, below each other.

    Attributes
    ----------
    hard : bool array (n, D)
        Where inhibitors make a finding harder to sum over. A single inhibitor is folded: into the
        factor of its cause where the finding is absent, into the axis of a finding that is
        present. Two of them act on one leak and are coupled by it.
    """

    def __init__(self, evidence: Evidence, parameters: ParameterDraws) -> None:
        # Findings without links come last: segments of links are then never empty.
        asked = sorted(parameters.findings.items(), key=lambda one: len(one[1].causes) == 0)
        self._parts: list[LinkDraws] = [one for _, one in asked]
        self._findings = [f for f, _ in asked]
        self._value = evidence.findings[0, self._findings]
        lengths = [len(one.causes) for one in self._parts]
        self._n = n = int(np.count_nonzero(lengths))
        self._n_causes = len(parameters.tables)
        self._first = np.cumsum([0, *lengths[:n]])
        self._of = np.repeat(np.arange(n), lengths[:n])
        draws = len(parameters)
        self._causes = np.concatenate([np.zeros(0, np.intp), *(p.causes for p in self._parts[:n])])
        none = np.zeros((0, draws))
        self._leak = np.array([p.leak for p in self._parts]).reshape(-1, draws)
        self._strength = np.concatenate([none, *(p.strength for p in self._parts[:n])])
        self._factor = np.concatenate([none, *(p.factor for p in self._parts[:n])])
        self._inhibits: BoolArray = np.asarray(self._factor < 1.0)
        self._absent: BoolArray = np.asarray(self._value[:n] == 0.0)
        self.hard: BoolArray = np.zeros((n, draws), dtype=bool)
        # Few links inhibit; all others are left out of what is asked of inhibitors.
        rows = np.flatnonzero(self._inhibits.any(axis=1))
        if len(rows):
            found, first = np.unique(self._of[rows], return_index=True)
            leak, absent = self._leak[found], self._absent[found, None]
            count = np.add.reduceat(self._inhibits[rows], first, axis=0, dtype=np.intp)
            strong = np.minimum.reduceat(self._factor[rows], first, axis=0) < _STRONGEST_FOLDED
            high = leak >= np.where(absent, 1.0, 0.99)
            self.hard[found] = (count >= 2) | ((count > 0) & high) | (strong & ~absent)

    def structure(self, lanes: IntArray) -> tuple[list[int], list[int]]:
        """Return the axes of each cause as bits, and the components of the axes, of some lanes."""
        hard, acts = np.asarray(self.hard[:, lanes].any(axis=1)), self._acting(lanes)
        masks, widths = [0] * self._n_causes, list[int]()
        for f in np.flatnonzero(~self._absent | hard).tolist():
            at = slice(self._first[f], self._first[f + 1])
            for c in self._causes[at][acts[at]].tolist():
                masks[c] |= 1 << len(widths)
            likely = self._value[f] >= 0.5
            widths.append(2 if self._value[f] == 0.0 or not hard[f] else 3 if likely else 4)
        return masks, widths

    def _acting(self, lanes: IntArray | slice) -> BoolArray:
        """Which links do anything to the axis of their finding in some of the lanes."""
        raises = (self._strength[:, lanes] > 0.0).any(axis=1) & ~self._absent[self._of]
        return np.asarray(raises | self._inhibits[:, lanes].any(axis=1))

    def condition(self, causes: CauseWeights) -> list[_Axis]:
        """Write what absent findings do to ``causes``, and return the axes of the others."""
        n, value, of = self._n, self._value, self._of
        hard: BoolArray = np.asarray(self.hard.any(axis=1))
        absent, acts = self._absent, self._acting(slice(None))
        l0, l1 = 1.0 - value[:, None], value[:, None]
        keep, strength = 1.0 - self._strength, self._strength
        with np.errstate(divide="ignore", invalid="ignore"):
            spared = 1.0 - self._leak
            spared[:n] *= np.multiply.reduceat(keep, self._first[:-1], axis=0) if n else 1.0
            bound = l0 + l1 * (1.0 - spared)
            # What can never be reached is left as it is: a zero, found when the case is summed.
            bound[bound <= 0.0] = 1.0
            folded = np.append(absent & ~hard, np.ones(len(value) - n, dtype=bool))
            alone = l1 * self._leak + l0 * (1.0 - self._leak)
            scale = np.where(folded[:, None], np.log(alone), 0.0)
            scale[:n] += np.where(absent[:, None], 0.0, np.log(bound[:n]))
            rows = np.flatnonzero(self._inhibits.any(axis=1) & ~hard[of])
            if len(rows):
                # One inhibitor alone adds to "absent": it is a link of negative strength.
                own = self._leak[of[rows]]
                added = own * (1.0 - self._factor[rows]) / (1.0 - own)
                strength = strength.copy()
                strength[rows] -= np.where(self._inhibits[rows], added, 0.0)
                keep[rows] = 1.0 - strength[rows]
        causes.log_scale = causes.log_scale + scale.sum(axis=0)
        rows = np.flatnonzero(absent[of])
        if len(rows):
            rows = rows[np.argsort(self._causes[rows], kind="stable")]
            cause, first = np.unique(self._causes[rows], return_index=True)
            causes.on[cause] *= np.multiply.reduceat(keep[rows], first, axis=0)
        share = l1[:n] / bound[:n]
        axes = []
        for f in np.flatnonzero(~folded[:n]).tolist():
            at = slice(self._first[f], self._first[f + 1])
            factor, leak, own = self._factor[at], self._leak[f], self._causes[at]
            if absent[f]:
                start = np.stack([np.ones_like(leak), 1.0 - leak])
                lowered = np.ones_like(factor)
                axes.append(_Axis(own, acts[at], start, factor, 1.0 - factor, lowered))
                continue
            width = 2 if not hard[f] else 3 if value[f] >= 0.5 else 4
            opening = opening_of_finding(leak, bool(hard[f]))
            parts = (bound[f], *start_of_finding(opening, value[f]).T)
            start = np.stack(parts[:width]) / bound[f]
            gain = strength[at] * share[f]
            symptom = self._findings[f] if value[f] == 1.0 else -1
            axes.append(_Axis(own, acts[at], start, keep[at], gain, factor, symptom))
        return axes


def _ordinal_axes(
    evidence: Evidence, parameters: ParameterDraws, causes: CauseWeights
) -> list[_Axis]:
    """Condition on "at least a level and at most another" of each ordinal finding.

    P(low <= Y <= high) = P(Y <= high) (1 - P(Y < low) / P(Y <= high)); the first factor is
    absorbed, the second is an ordinary finding that is present.
    """
    axes = []
    for o, levels in parameters.ordinals.items():
        low, high = int(evidence.lower[0, o]), int(evidence.upper[0, o])
        last = high == len(levels)
        if not last:
            causes.on[levels[high].causes] *= 1.0 - levels[high].strength
            with np.errstate(divide="ignore"):
                causes.log_scale = causes.log_scale + np.log1p(-levels[high].leak)
        if low == 0:
            continue
        reached = levels[low - 1]
        own = reached.causes if last else np.union1d(reached.causes, levels[high].causes)
        strength, leak = _over(reached, own), reached.leak
        if not last:
            strength = remaining(strength, _over(levels[high], own))
            leak = remaining(leak, levels[high].leak)
        start = np.stack([np.ones_like(leak), leak])
        acts: BoolArray = np.asarray((strength > 0.0).any(axis=1))
        lowered = np.ones_like(strength)
        axes.append(_Axis(own, acts, start, 1.0 - strength, strength, lowered, -2 - o))
    return axes


def _over(links: LinkDraws, causes: IntArray) -> FloatArray:
    strength = np.zeros((len(causes), links.strength.shape[1]))
    strength[np.searchsorted(causes, links.causes)] = links.strength
    return strength
