"""One structure as flat steps: what any executor does, the same in every lane.

The frontier is an array with a row a joint state of the open axes and the lanes last; the axis
opened last is the slowest. A step opens axes, sums one cause out, and closes axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesdx.errors import Fault, Phrase, TooComplex
from bayesdx.inference.noisy.lane_order import bits, find_order
from bayesdx.inference.noisy.recent import Recent

if TYPE_CHECKING:
    from bayesdx.inference.arrays import IntArray
    from bayesdx.inference.noisy.lane_case import Structure

#: Most components of all frontiers of a lane (8 bytes each).
MAX_WORK = 1 << 25
#: How an axis is summed out: all states, component 1, components 1 and 2.
ALL, EXPLAINED, BOTH = range(3)


class Touch(NamedTuple):
    """An axis that a cause acts on: the row of its link, rows behind the axis, components."""

    row: int
    stride: int
    width: int


class Spread(NamedTuple):
    """How the weights of a cause with risks lie along a frontier.

    The table of weights, ``sizes``, is transposed by ``order`` and spread by ``shape``; the
    frontier is seen as ``frontier``.
    """

    sizes: tuple[int, ...]
    order: tuple[int, ...]
    shape: tuple[int, ...]
    frontier: tuple[int, ...]


class Open(NamedTuple):
    """An axis that is opened: number, first row of its start, components."""

    axis: int
    first: int
    width: int


class Close(NamedTuple):
    """An axis that is summed out: rows behind it, components, how."""

    stride: int
    width: int
    how: int


class CauseStep(NamedTuple):
    """One cause: axes opened before it, what it acts on, axes closed after it.

    ``size`` are the rows of the frontier while it acts, ``first`` and ``last`` the rows of its
    weights.
    """

    cause: int
    size: int
    first: int
    last: int
    touches: tuple[Touch, ...]
    spread: Spread | None
    opens: tuple[Open, ...] = ()
    closes: tuple[Close, ...] = ()


@dataclass(frozen=True)
class LaneProgram:
    """The order of work for one structure.

    Attributes
    ----------
    steps : tuple of CauseStep
    singles : tuple of (Open, steps)
        Causes that act on one axis alone are applied to its start.
    isolated : tuple of (Open, Close)
        Axes that no step opens.
    free : int array (n, 2)
        Causes without axes, and the row of their weights.
    work, widest : float
        Frontier components summed over the causes of ``steps``, and most at once.
    """

    steps: tuple[CauseStep, ...]
    singles: tuple[tuple[Open, tuple[CauseStep, ...]], ...]
    isolated: tuple[tuple[Open, Close], ...]
    free: IntArray
    work: float
    widest: float

    def __str__(self) -> str:
        return (
            f"{len(self.steps)} causes over a frontier of at most {self.widest:.0f} components, "
            f"{self.work:.0f} in all; {sum(len(own) for _, own in self.singles)} on one axis, "
            f"{len(self.free)} on none"
        )


def compile_lanes(structure: Structure, tries: int) -> LaneProgram:
    """Choose the order of work, among so many.

    Raises
    ------
    TooComplex
        If the frontiers, which are kept for the way back, would take too much memory.
    """
    layout = _Layout(structure)
    masks = layout.masks
    grouped = [c for c, mask in enumerate(masks) if mask.bit_count() > 1]
    order = find_order([masks[c] for c in grouped], structure.widths, tries)
    if order.work > MAX_WORK:
        expected = f"frontiers of at most {MAX_WORK} components in all"
        raise TooComplex(Fault("case", expected, Phrase(f"{order.work:.3g} components")))
    sequence = [grouped[at] for at in order.causes]
    singles: dict[int, list[CauseStep]] = {}
    touched = 0
    for c, mask in enumerate(masks):
        if mask.bit_count() == 1:
            singles.setdefault(mask.bit_length() - 1, []).append(layout.step(c, bits(mask)))
        elif mask:
            touched |= mask
    free = [(c, layout.rows[c]) for c, mask in enumerate(masks) if not mask]
    return LaneProgram(
        steps=_steps(layout, sequence),
        singles=tuple((layout.opened(axis), tuple(own)) for axis, own in singles.items()),
        isolated=tuple(
            (layout.opened(axis), layout.closed(axis, 1))
            for axis in range(len(structure.widths))
            if not touched >> axis & 1
        ),
        free=np.array(free, dtype=np.intp).reshape(-1, 2),
        work=order.work,
        widest=order.widest,
    )


class LanePrograms:
    """The programs that were used last, by structure and by how many orders were compared."""

    def __init__(self) -> None:
        self._recent: Recent[tuple[Structure, int], LaneProgram] = Recent()

    def __len__(self) -> int:
        return len(self._recent)

    def clear(self) -> None:
        """Forget all of them."""
        self._recent.clear()

    def get(self, structure: Structure, n_lanes: int) -> LaneProgram:
        """Return the program of a structure; the more lanes, the longer the search for one."""
        tries = 1 if n_lanes < 64 else 3 if n_lanes < 512 else 12
        return self._recent.get((structure, tries), lambda: compile_lanes(structure, tries))


class _Layout:
    """Where the numbers of a structure stand in the tables of a `LaneCase`."""

    def __init__(self, structure: Structure) -> None:
        self.structure, self.masks = structure, structure.masks
        self.starts = _firsts(structure.widths)
        self.tables = [[structure.widths[axis] for axis in own] for own in structure.risks]
        self.rows = _firsts([math.prod(sizes) for sizes in self.tables])

    def opened(self, axis: int) -> Open:
        return Open(axis, self.starts[axis], self.structure.widths[axis])

    def closed(self, axis: int, stride: int) -> Close:
        width = self.structure.widths[axis]
        evidence = EXPLAINED if width == 2 else BOTH
        return Close(stride, width, evidence if axis < self.structure.n_evidence else ALL)

    def step(self, cause: int, opened: list[int]) -> CauseStep:
        """Lay out a cause on a frontier of these axes, the slowest first."""
        widths, risks = self.structure.widths, self.structure.risks[cause]
        behind, size = {}, 1
        for axis in reversed(opened):
            behind[axis] = size
            size *= widths[axis]
        touches = [Touch(row, behind[a], widths[a]) for a, row in self.structure.links[cause]]
        spread = None
        if risks:
            places = sorted(range(len(risks)), key=lambda i: -behind[risks[i]])
            shape, frontier, left = [], [], size
            for i in places:
                axis = risks[i]
                shape += [1, widths[axis]]
                frontier += [left // (behind[axis] * widths[axis]), widths[axis]]
                left = behind[axis]
            order = (*places, len(risks))
            spread = Spread(tuple(self.tables[cause]), order, (*shape, 1), (*frontier, left))
        first, last = self.rows[cause], self.rows[cause + 1]
        return CauseStep(cause, size, first, last, tuple(touches), spread)


def _steps(layout: _Layout, sequence: list[int]) -> tuple[CauseStep, ...]:
    masks = layout.masks
    last = {axis: n for n, c in enumerate(sequence) for axis in bits(masks[c])}
    steps: list[CauseStep] = []
    opened: list[int] = []
    for n, c in enumerate(sequence):
        own = bits(masks[c])
        new = [axis for axis in own if axis not in opened]
        opened = new[::-1] + opened
        step = layout.step(c, opened)
        closes = []
        for axis in [axis for axis in reversed(opened) if last[axis] == n]:
            at = opened.index(axis)
            stride = math.prod(layout.structure.widths[other] for other in opened[at + 1 :])
            closes.append(layout.closed(axis, stride))
            opened = opened[:at] + opened[at + 1 :]
        opens = tuple(layout.opened(axis) for axis in new)
        steps.append(step._replace(opens=opens, closes=tuple(closes)))
    return tuple(steps)


def _firsts(lengths: tuple[int, ...] | list[int]) -> list[int]:
    firsts = [0]
    for length in lengths:
        firsts.append(firsts[-1] + length)
    return firsts
