"""The one flat layout of a layered noisy network: links, axes, ragged tables, strides.

The networks answered here have three layers: *risks* (roots with any number of states), *causes*
(binary, with a table given risks) and *findings* (noisy-OR or noisy-MAX of causes). Groups are
deterministic ORs of causes and never observed.

Every executor reads this layout, NumPy's and the compiled ones, which take its named tuples as
arguments. All arrays are read-only. Positions on axes are always: N cases, F findings, S states,
C causes, R risks, O ordinal findings, L their levels side by side, U frontier axes, E entries of
something ragged: the entries of row i are those from ``first[i]`` to ``first[i + 1]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from bayesdx.network.network import Network

__all__ = [
    "EXPLAIN",
    "RISK",
    "Axes",
    "BoolArray",
    "FloatArray",
    "IntArray",
    "Links",
    "ModelArrays",
    "NoisyModel",
]

#: Axis classes: a finding explained by causes, and an unobserved shared risk.
EXPLAIN, RISK = 0, 1
#: Last axis of `Axes.links`; what they do is in `bayesdx.inference.noisy.operator`.
GAIN, KEEP, LEAK_KEEP, LEAK_GAIN = range(4)
#: Columns of `Priors.parent`.
RISK_OF, STRIDE_OF, UNKNOWN_OF = range(3)


@dataclass(frozen=True, eq=False)
class Links:
    """Noisy-OR and noisy-MAX parameters of all findings.

    Attributes
    ----------
    strength, factor : arrays (C, F)
        Link strengths z (0 without a link) and inhibitor factors h (1 without one).
    leak : array (F,)
    exceed : array (C, L)
        Exceedance strengths of ordinal findings, S - 1 columns each, side by side.
    exceed_leak : array (L,)
    sizes : tuple of int
        States of each ordinal finding.
    """

    strength: FloatArray
    factor: FloatArray
    leak: FloatArray
    exceed: FloatArray
    exceed_leak: FloatArray
    sizes: tuple[int, ...]


class Axes(NamedTuple):
    """Everything that can become an axis of a frontier; finding f, present or soft, is axis f.

    Attributes
    ----------
    links : array (U, C, 4)
        What an active cause moves from component 0 to component 1, what it leaves of component 1,
        and, on findings of four components, what it leaves of component 2 and moves there from
        component 3. Gain and keep add up to 1; both are kept, since 1 - (1 - z) is not z in
        floating point.
    touches : bool array (U, C)
        Whether a cause acts on (or, for a risk, depends on) the axis.
    touch_first, touch_cause : int arrays (U + 1,), (E,)
        The same, ragged.
    start : array (U, S)
        Components before any cause acts: of risks their priors, of findings 1 and what is there
        without any cause.
    opening : array (U, 2, 3, 3)
        What components 1 to 3 of findings are made of before any cause acts, by the likelihood of
        what was seen of them; see `bayesdx.inference.noisy.operator.opening_of_finding`.
    bound : array (U,)
        Largest value component 1 can reach; starts and gains are divided by it, so that very rare
        findings do not underflow together.
    classes, sizes : int arrays (U,)
        Axis class and number of components.
    leak : array (F,)
        Leak of each binary finding.
    suppress : int array (F,)
        Axis of an absent finding whose inhibitors couple, or -1.
    exceed : int array (O, S, S)
        Axis of "at least lower, at most upper", or -1.
    risk : int array (R,)
        Axis of a risk while it is unknown and several causes share it, or -1.
    log_size : int array (S + 1,)
        Sixteenths of a bit that number so many components.
    """

    links: FloatArray
    touches: BoolArray
    touch_first: IntArray
    touch_cause: IntArray
    start: FloatArray
    opening: FloatArray
    bound: FloatArray
    classes: IntArray
    sizes: IntArray
    leak: FloatArray
    suppress: IntArray
    exceed: IntArray
    risk: IntArray
    log_size: IntArray

    @property
    def gain(self) -> FloatArray:
        """(U, C) of ``links``."""
        return self.links[..., GAIN]

    @property
    def keep(self) -> FloatArray:
        """(U, C) of ``links``."""
        return self.links[..., KEEP]

    @property
    def leak_keep(self) -> FloatArray:
        """(U, C) of ``links``."""
        return self.links[..., LEAK_KEEP]

    @property
    def leak_gain(self) -> FloatArray:
        """(U, C) of ``links``."""
        return self.links[..., LEAK_GAIN]


class Absence(NamedTuple):
    """What an absent finding (or an ordinal at most a level) multiplies.

    Attributes
    ----------
    first, cause, factor : arrays (F + L + 1,), (E,), (E,)
        Factors other than 1 on active causes, column after column.
    leak : array (F + L,)
        The same of the leak alone.
    """

    first: IntArray
    cause: IntArray
    factor: FloatArray
    leak: FloatArray


class OrdinalArrays(NamedTuple):
    """``size``, int (O,): how many states; ``level``, int (O,): the first column in `Absence`."""

    size: IntArray
    level: IntArray


class RiskArrays(NamedTuple):
    """``first``, ``prior``, arrays (R + 1,), (E,): probabilities of the states of all risks."""

    first: IntArray
    prior: FloatArray


class Priors(NamedTuple):
    """P(cause present | risks).

    Attributes
    ----------
    parent_first, parent : int arrays (C + 1,), (E, 3)
        Risk, its stride in the table, and the place of "unknown" there, -1 where it is shared.
    table_first, table : arrays (C + 1,), (E,)
        Risks that no other cause depends on have one state more, unknown, with the average in it.
    """

    parent_first: IntArray
    parent: IntArray
    table_first: IntArray
    table: FloatArray


class ModelArrays(NamedTuple):
    """What the compiled executors read."""

    absence: Absence
    ordinals: OrdinalArrays
    risks: RiskArrays
    priors: Priors
    axes: Axes


@dataclass(frozen=True, eq=False)
class RiskEdges:
    """Pairs of a cause and a shared risk that it depends on, E in all.

    Attributes
    ----------
    parents : tuple of (cause, tuple of axes)
        Risk axes of each cause that has any, rising.
    number : int array (U + 1, C + 1)
        Position of a pair, E where there is none.
    """

    parents: tuple[tuple[int, tuple[int, ...]], ...]
    number: IntArray
    count: int


@dataclass(frozen=True, eq=False)
class NoisyModel:
    """A layered noisy network as flat arrays; see the module for the meaning of the letters.

    Attributes
    ----------
    risks, causes, findings, ordinals : tuple of str
        Variable names; positions in every array.
    groups : mapping of str to tuple of int
        Group name -> positions of its causes.
    links : Links
    risk_priors : tuple of arrays (S_r,)
    cause_parents : tuple of tuples of int
        Risk positions, increasing.
    cause_tables : tuple of arrays (S_parent1, …)
        P(cause present | risks).
    prior_base : array (P,)
        P(cause present | shared risks) with private risks averaged out, cause after cause; cause c
        starts at ``prior_offset[c]``.
    log_absent : array (F + L, C)
        Log factor on an active cause when a finding is absent (or an ordinal at most a level); 0
        where that is impossible, which ``absent_never`` marks by 1.
    log_absent_leak, absent_leak_never : arrays (F + L,)
        The same of the leak alone.
    ordinal_sizes : tuple of int
        States of each ordinal finding; ``level_offset[o] + l`` is the level "at most l".
    axes : Axes
    edges : RiskEdges
    arrays : ModelArrays, optional
        None where tables with a state more for each private risk would be too large.
    """

    network: Network
    risks: tuple[str, ...]
    causes: tuple[str, ...]
    findings: tuple[str, ...]
    ordinals: tuple[str, ...]
    groups: Mapping[str, tuple[int, ...]]
    links: Links
    risk_priors: tuple[FloatArray, ...]
    cause_parents: tuple[tuple[int, ...], ...]
    cause_tables: tuple[FloatArray, ...]
    prior_base: FloatArray
    prior_offset: IntArray
    log_absent: FloatArray
    absent_never: FloatArray
    log_absent_leak: FloatArray
    absent_leak_never: FloatArray
    ordinal_sizes: tuple[int, ...]
    level_offset: tuple[int, ...]
    axes: Axes
    edges: RiskEdges
    arrays: ModelArrays | None

    @property
    def leak(self) -> FloatArray:
        """Leak of each binary finding, (F,)."""
        return self.links.leak

    def __repr__(self) -> str:
        return (
            f"NoisyModel({len(self.risks)} risks, {len(self.causes)} causes, "
            f"{len(self.findings)} findings, {len(self.ordinals)} ordinal findings)"
        )
