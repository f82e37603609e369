"""What hangs on the rest of a case by one thread, found from who acts on what.

Causes and axes form a graph. A cause that acts on one axis only is *folded* into the axis's vector;
an axis on which one cause only acts is *contracted* into the weights of that cause. Repeated until
nothing changes this leaves the 2-core of the graph, which alone needs a frontier (the rule is that
of vertices of degree one in variable elimination). All cases are looked at together, a round at a
time; `bayesdx.inference.noisy.lockstep.pendant_elimination` does the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from bayesdx.inference.arrays import BoolArray, IntArray, MaskArray
from bayesdx.inference.noisy.condition import Problem
from bayesdx.inference.noisy.model import RISK, NoisyModel

_ONE = np.uint64(1)


class PendantKind(Enum):
    """What is summed out: a cause into an axis (of two or four components, or a risk), or back."""

    FOLD = "fold"
    FOLD_INHIBITED = "fold inhibited"
    FOLD_RISK = "fold risk"
    CONTRACT = "contract"
    CONTRACT_RISK = "contract risk"


@dataclass(frozen=True, eq=False)
class PendantStep:
    """M pairs of a cause and an axis, of which one is summed out.

    Attributes
    ----------
    kind : PendantKind
    rows, causes, slots : int arrays (M,)
    parts : tuple of slices
        The causes that are folded into their axes first, second and so on; each part belongs to
        the first axes of the part before. Pairs of a contraction are one part, of distinct causes.
    """

    kind: PendantKind
    rows: IntArray
    causes: IntArray
    slots: IntArray
    parts: tuple[slice, ...]


def slot_words(model: NoisyModel, problem: Problem) -> tuple[MaskArray, MaskArray]:
    """Slots of each case that are risks, and that have a leak which causes can lower, (N,) each."""
    axes, used = model.axes, problem.axis >= 0
    bit = _ONE << np.arange(problem.axis.shape[1], dtype=np.uint64)
    is_risk = axes.classes[problem.axis] == RISK
    risks = np.where(used & is_risk, bit, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    inhibited = np.where(used & ~is_risk & (axes.sizes[problem.axis] > 2), bit, np.uint64(0))
    return risks, inhibited.sum(axis=1, dtype=np.uint64)


def find_pendants(
    masks: MaskArray, risks: MaskArray, inhibited: MaskArray
) -> tuple[tuple[PendantStep, ...], MaskArray]:
    """PendantStep every case.

    Parameters
    ----------
    masks : uint64 array (N, C)
        Slots each cause acts on.
    risks, inhibited : uint64 arrays (N,)
        Slots that are risks, and those with a leak that causes can lower.

    Returns
    -------
    pendants : tuple of PendantStep
        In the order in which they are to be done.
    core : uint64 array (N, C)
        Slots each cause still acts on; none for causes that were folded or left without axes.
    """
    core = masks.copy()
    pendants: list[PendantStep] = []
    rows = np.arange(len(masks))
    while len(rows):
        part = core[rows]
        local, causes = np.nonzero(np.bitwise_count(part) == 1)
        words = part[local, causes]
        part[local, causes] = 0
        pendants.extend(_folds(rows[local], causes, words, risks, inhibited))
        single = _seen_once(part)
        part_single = part & single[:, None]
        local, causes = np.nonzero(part_single)
        words, case = part_single[local, causes], rows[local]
        found, gone = _contractions(case, causes, words, risks)
        pendants.extend(found)
        part[local, causes] ^= gone
        core[rows] = part
        changed = np.zeros(len(rows), dtype=bool)
        changed[local] = True
        rows = rows[changed]
    return tuple(pendants), core


def _seen_once(masks: MaskArray) -> MaskArray:
    """Slots on which exactly one cause acts, (N,); pairs of causes are merged until one is left."""
    once = np.ascontiguousarray(masks.T)
    twice = np.zeros_like(once)
    while len(once) > 1:
        if len(once) % 2:
            nothing = np.zeros_like(once[:1])
            once, twice = np.concatenate([once, nothing]), np.concatenate([twice, nothing])
        half = len(once) // 2
        both = once[:half] & once[half:]
        twice = twice[:half] | twice[half:] | both
        once = once[:half] | once[half:]
    result: MaskArray = (once & ~twice).sum(axis=0, dtype=np.uint64)
    return result


def _position(words: MaskArray) -> IntArray:
    """Position of the only bit of each word."""
    result: IntArray = np.bitwise_count(words - _ONE).astype(np.intp)
    return result


def _folds(
    rows: IntArray, causes: IntArray, words: MaskArray, risks: MaskArray, inhibited: MaskArray
) -> list[PendantStep]:
    is_risk = (words & risks[rows]) != 0
    is_inhibited = (words & inhibited[rows]) != 0
    slots = _position(words)
    return [
        _fold(kind, rows[chosen], causes[chosen], slots[chosen])
        for kind, chosen in (
            (PendantKind.FOLD, ~is_risk & ~is_inhibited),
            (PendantKind.FOLD_INHIBITED, is_inhibited),
            (PendantKind.FOLD_RISK, is_risk),
        )
        if chosen.any()
    ]


def _fold(kind: PendantKind, rows: IntArray, causes: IntArray, slots: IntArray) -> PendantStep:
    """Sort pairs by their place among those of the same axis, the fullest axes first."""
    key = rows * 64 + slots
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    length = np.diff(first, append=len(order))
    place = np.arange(len(order)) - np.repeat(first, length)
    standing = np.empty(len(first), dtype=np.intp)
    standing[np.argsort(-length, kind="stable")] = np.arange(len(first))
    order = order[np.argsort(place * len(first) + np.repeat(standing, length), kind="stable")]
    stops = np.cumsum(np.bincount(place)).tolist()
    parts = tuple(slice(a, b) for a, b in zip([0, *stops[:-1]], stops, strict=True))
    return PendantStep(kind, rows[order], causes[order], slots[order], parts)


def _contractions(
    rows: IntArray, causes: IntArray, words: MaskArray, risks: MaskArray
) -> tuple[list[PendantStep], MaskArray]:
    """Contract all findings of a cause but one risk only, since that changes its table."""
    pendants: list[PendantStep] = []
    left = words & ~risks[rows]
    gone = left.copy()
    while (more := left != 0).any():
        pendants.append(
            _contraction(PendantKind.CONTRACT, rows, causes, left & (~left + _ONE), more)
        )
        left &= left - _ONE
    left = words & risks[rows]
    if (more := left != 0).any():
        lowest = left & (~left + _ONE)
        pendants.append(_contraction(PendantKind.CONTRACT_RISK, rows, causes, lowest, more))
        gone |= lowest
    return pendants, gone


def _contraction(
    kind: PendantKind, rows: IntArray, causes: IntArray, words: MaskArray, chosen: BoolArray
) -> PendantStep:
    count = int(chosen.sum())
    return PendantStep(
        kind, rows[chosen], causes[chosen], _position(words[chosen]), (slice(0, count),)
    )
