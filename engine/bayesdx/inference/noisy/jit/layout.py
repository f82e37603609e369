"""A compiled model once more, as the flat arrays that the compiled loops read."""

from __future__ import annotations

import math
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.noisy.model import EXPLAIN_INHIBITED, RISK, NoisyModel

#: Entries that the extended tables of all causes may have together (8 bytes each).
MOST_ENTRIES = 1 << 23
#: Joint states of shared risks that one cause may depend on.
MOST_JOINT = 1 << 16


#: Columns of `Priors.parent`, of the last axis of `AxisArrays.links`, and of `AxisArrays.kind`.
RISK_OF, STRIDE_OF, UNKNOWN_OF = range(3)
GAIN, KEEP, LEAK_KEEP, LEAK_GAIN = range(4)
INHIBITED, STATES = range(2)


class Absence(NamedTuple):
    """What an absent finding (or an ordinal at most a level) multiplies.

    Attributes
    ----------
    first, cause, factor : arrays (F + levels + 1,), (E,), (E,)
        Factors other than 1 on active causes, column after column.
    leak : array (F + levels,)
        The same of the leak alone.
    """

    first: IntArray
    cause: IntArray
    factor: FloatArray
    leak: FloatArray


class Ordinals(NamedTuple):
    """Ordinal findings.

    Attributes
    ----------
    size, level : int arrays (O,)
        How many states, and the first level's column in `Absence`.
    exceed : int array (O, S, S)
        Axis of "at least lower, at most upper", or -1.
    """

    size: IntArray
    level: IntArray
    exceed: IntArray


class Risks(NamedTuple):
    """Risks.

    Attributes
    ----------
    axis : int array (R,)
        Axis of the risk while it is unknown and several causes share it, or -1.
    first, prior : arrays (R + 1,), (sum of S_r,)
    """

    axis: IntArray
    first: IntArray
    prior: FloatArray


class Priors(NamedTuple):
    """P(cause present | risks).

    Attributes
    ----------
    parent_first, parent : int arrays (C + 1,), (E, 3)
        Risk, its stride in the table, and the place of "unknown" there, -1 where it is shared.
    table_first, table : arrays (C + 1,), (T,)
        Risks that no other cause depends on have one state more, unknown, with the average in it.
    """

    parent_first: IntArray
    parent: IntArray
    table_first: IntArray
    table: FloatArray


class AxisArrays(NamedTuple):
    """Axes, as in `bayesdx.inference.noisy.axes`.

    Attributes
    ----------
    suppress : int array (F,)
        Axis of an absent finding whose inhibitors couple, or -1.
    leak : array (F,)
    start, bound : arrays (U, S), (U,)
    kind : int array (U, 2)
        Whether the axis has a leak that causes can lower; states of a risk, else 0.
    touch_first, touch_cause : int arrays (U + 1,), (E,)
        Causes that act on each axis.
    links : array (U, C, 4)
        Gain, keep, keep of the leak, gain of the leak.
    log_size : int array (S + 1,)
        Sixteenths of a bit that number so many components.
    """

    suppress: IntArray
    leak: FloatArray
    start: FloatArray
    bound: FloatArray
    kind: IntArray
    touch_first: IntArray
    touch_cause: IntArray
    links: FloatArray
    log_size: IntArray


class Layout(NamedTuple):
    """A model as flat arrays; ragged ones as (first, values)."""

    absence: Absence
    ordinals: Ordinals
    risks: Risks
    priors: Priors
    axes: AxisArrays


#: Models are immutable, and looked through once.
_fitting: WeakKeyDictionary[NoisyModel, bool] = WeakKeyDictionary()


def fits(model: NoisyModel) -> bool:
    """Whether the tables, with a state more for each private risk, stay small."""
    known = _fitting.get(model)
    if known is None:
        known = _fitting[model] = _are_small(model)
    return known


def _are_small(model: NoisyModel) -> bool:
    total = 0
    for positions, table in zip(model.cause_parents, model.cause_tables, strict=True):
        private = [model.axes.risk[r] < 0 for r in positions]
        sizes = [size + more for size, more in zip(table.shape, private, strict=True)]
        joint = [size for size, more in zip(table.shape, private, strict=True) if not more]
        if math.prod(joint) > MOST_JOINT:
            return False
        total += math.prod(sizes)
    return total <= MOST_ENTRIES


def lay_out(model: NoisyModel) -> Layout:
    """Flatten a model for which `fits` holds."""
    return Layout(
        absence=_absence(model),
        ordinals=Ordinals(
            size=np.array(model.ordinal_sizes, dtype=np.intp),
            level=len(model.findings) + np.array(model.level_offset, dtype=np.intp),
            exceed=_exceed_table(model),
        ),
        risks=Risks(
            axis=np.array(model.axes.risk),
            first=_offsets([len(prior) for prior in model.risk_priors]),
            prior=np.concatenate([np.zeros(0), *model.risk_priors]),
        ),
        priors=_priors(model),
        axes=_axis_arrays(model),
    )


def _absence(model: NoisyModel) -> Absence:
    factor = np.where(model.absent_never > 0.0, 0.0, np.exp(model.log_absent))
    first, cause = _ragged(factor != 1.0)
    return Absence(
        first=first,
        cause=cause,
        factor=factor[factor != 1.0],
        leak=np.where(model.absent_leak_never > 0.0, 0.0, np.exp(model.log_absent_leak)),
    )


def _axis_arrays(model: NoisyModel) -> AxisArrays:
    axes = model.axes
    first, cause = _ragged(axes.touches)
    most = int(axes.sizes.max(initial=4))
    is_risk = axes.classes == RISK
    return AxisArrays(
        suppress=np.array(axes.suppress),
        leak=np.array(model.leak),
        start=np.array(axes.start),
        bound=np.array(axes.bound),
        kind=np.stack(
            [axes.classes == EXPLAIN_INHIBITED, np.where(is_risk, axes.sizes, 0)], 1
        ).astype(np.intp),
        touch_first=first,
        touch_cause=cause,
        links=np.stack([axes.gain, axes.keep, axes.leak_keep, axes.leak_gain], axis=-1),
        log_size=np.rint(16.0 * np.log2(np.maximum(1, np.arange(most + 1)))).astype(np.intp),
    )


def _offsets(lengths: list[int]) -> IntArray:
    return np.cumsum([0, *lengths], dtype=np.intp)


def _ragged(chosen: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> tuple[IntArray, IntArray]:
    """Row offsets and columns of the true entries."""
    return _offsets(chosen.sum(axis=1).tolist()), np.ascontiguousarray(np.nonzero(chosen)[1])


def _exceed_table(model: NoisyModel) -> IntArray:
    most = max(model.ordinal_sizes, default=1)
    table = np.full((len(model.ordinals), most, most), -1)
    for (o, lower, upper), axis in model.axes.exceed.items():
        table[o, lower, upper] = axis
    return table


def _priors(model: NoisyModel) -> Priors:
    tables: list[FloatArray] = []
    parents: list[tuple[int, int, int]] = []
    for positions, table in zip(model.cause_parents, model.cause_tables, strict=True):
        extended, unknown = np.array(table), []
        for at, r in enumerate(positions):
            unknown.append(-1)
            if model.axes.risk[r] < 0:
                average = np.tensordot(extended, model.risk_priors[r], axes=(at, 0))
                extended = np.concatenate([extended, np.expand_dims(average, at)], axis=at)
                unknown[at] = len(model.risk_priors[r])
        extended = np.ascontiguousarray(extended)
        strides = [step // extended.itemsize for step in extended.strides]
        parents.extend(zip(positions, strides, unknown, strict=True) if positions else [])
        tables.append(extended.ravel())
    return Priors(
        parent_first=_offsets([len(positions) for positions in model.cause_parents]),
        parent=np.array(parents, dtype=np.intp).reshape(-1, 3),
        table_first=_offsets([len(table) for table in tables]),
        table=np.concatenate([np.zeros(0), *tables]),
    )
