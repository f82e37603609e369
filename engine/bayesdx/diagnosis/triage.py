"""Triage by expected loss: a dangerous cause may call for action before it is likely.

The rule. Let P be the probability that a dangerous cause is given for triage, by a score that only
what is peculiar to it raises (`bayesdx.diagnosis.danger`), not its posterior; and take a false
alarm as the unit of loss:

* acting is lost effort when the cause is absent: its expected loss is ``(1 - P) * 1``;
* waiting is a miss when the cause is present: its expected loss is ``P * ratio``.

Acting loses no more than waiting when ``P * ratio >= 1 - P``, that is, when
``P >= 1 / (1 + ratio)``. With 500 : 1 that is 0.2 %, with 20 : 1 it is 4.8 %.

Each cause is weighed by itself. A hit adds to what the red flag rules say and never takes from it:
the urgency of a case is the more pressing of the two, and no hit means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bayesdx.diagnosis.results import Result
from bayesdx.errors import Fault, InvalidCase, InvalidKnowledge, Phrase, nearest_names
from bayesdx.knowledge.red_flag_schema import LEVELS, Level
from bayesdx.knowledge.schema import Cause
from bayesdx.knowledge.triage_schema import TRIAGE_LEVELS, Triage, TriageLevel, threshold

S = TypeVar("S", bound=np.generic)

NO_LEVEL = len(LEVELS)
"""What `level_many` writes for a case without a hit; it ranks below every level."""


@dataclass(frozen=True, eq=False)
class TriageTable:
    """The dangerous causes and the posteriors from which they call for action.

    Attributes
    ----------
    causes : tuple of str
        Their ids; K of them.
    labels : tuple of str
        Their readable names.
    levels : (K,) int8, read-only
        The level that each calls for, as an index into `LEVELS`.
    loss_ratios : (K,) float64, read-only
        The loss of a miss in units of one false alarm.
    thresholds : (K,) float64, read-only
        The posterior from which the cause calls for action.
    """

    causes: tuple[str, ...]
    labels: tuple[str, ...]
    levels: npt.NDArray[np.int8]
    loss_ratios: npt.NDArray[np.float64]
    thresholds: npt.NDArray[np.float64]


@dataclass(frozen=True)
class TriageHit(Result):
    """A dangerous cause that calls for action.

    Attributes
    ----------
    cause, label : str
    posterior : float
        Of the model, to be shown; it is not what calls.
    threshold, loss_ratio : float
    level : str
        How soon somebody qualified should act.
    expected_loss : float
        Of waiting: what the cause weighs times the ratio, in units of one false alarm.
    because : tuple of str
        Findings that are present and that ordinary causes hardly give.
    """

    cause: str
    label: str
    posterior: float
    threshold: float
    loss_ratio: float
    level: Level
    expected_loss: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskFirst(Result):
    """A dangerous cause that would be told from its common twins by what is not known yet.

    Attributes
    ----------
    cause, label : str
    level : str
        How soon somebody qualified should act if it is there.
    findings : tuple of str
        Not known; those that would tell most first.
    """

    cause: str
    label: str
    level: Level
    findings: tuple[str, ...]


def build_triage(triage: Triage | None, causes: Mapping[str, Cause]) -> TriageTable:
    """Lay out the ratios for the dangerous causes.

    A dangerous cause calls for its own urgency; one whose urgency is below ``soon`` (or not
    stated) counts as ``soon``, since dangerous and routine together would say nothing.

    Parameters
    ----------
    triage : Triage, optional
        The ratios; without them no cause ever calls.
    causes : mapping of str to Cause
        All causes; only those with ``dangerous`` are taken, in this order.

    Raises
    ------
    InvalidKnowledge
        When a ratio is given to something that is not a dangerous cause.
    """
    dangerous = [cause for cause in causes.values() if cause.dangerous and triage is not None]
    levels = [_level(cause) for cause in dangerous]
    ratios: list[float] = []
    if triage is not None:
        faults = list(_strangers(triage, [cause.id for cause in dangerous]))
        if faults:
            raise InvalidKnowledge(faults)
        ratios = [
            triage.causes.get(cause.id, triage.loss_ratio[level])
            for cause, level in zip(dangerous, levels, strict=True)
        ]
    return TriageTable(
        causes=tuple(cause.id for cause in dangerous),
        labels=tuple(cause.label for cause in dangerous),
        levels=_read_only(np.array([LEVELS.index(level) for level in levels], dtype=np.int8)),
        loss_ratios=_read_only(np.array(ratios, dtype=np.float64)),
        thresholds=_read_only(np.array([threshold(one) for one in ratios], dtype=np.float64)),
    )


def triage_many(table: TriageTable, posteriors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say which causes call for action in which cases.

    Parameters
    ----------
    table : TriageTable
        What `build_triage` returned.
    posteriors : (N, K) float
        The posterior of each cause of the table, in its order.

    Returns
    -------
    (N, K) bool
        Whether the posterior has reached the threshold.

    Raises
    ------
    InvalidCase
        When the array has another shape, or a value in it is not a number.
    """
    values = np.asarray(posteriors, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(table.causes):
        expected = f"an array of shape (N, {len(table.causes)})"
        raise InvalidCase(Fault("posteriors", expected, Phrase(f"shape {values.shape}")))
    # A comparison with nan is false: a lost posterior would pass for no danger.
    if np.isnan(values).any():
        raise InvalidCase(Fault("posteriors", "probabilities", Phrase("nan")))
    hits: npt.NDArray[np.bool_] = values >= table.thresholds
    return hits


def level_many(table: TriageTable, hits: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """Return the most pressing level that is called for in each case.

    Parameters
    ----------
    table : TriageTable
        What `build_triage` returned.
    hits : (N, K) bool
        What `triage_many` returned.

    Returns
    -------
    (N,) int8
        An index into `LEVELS`; `NO_LEVEL` where nothing calls for action.
    """
    none = np.int8(NO_LEVEL)
    called: npt.NDArray[np.int8] = np.where(np.asarray(hits, dtype=np.bool_), table.levels, none)
    most_pressing: npt.NDArray[np.int8] = called.min(axis=1, initial=none)
    return most_pressing


def triage_case(
    table: TriageTable,
    weighed: npt.ArrayLike,
    posteriors: npt.ArrayLike | None = None,
    because: Callable[[int], tuple[str, ...]] = lambda _: (),
) -> tuple[TriageHit, ...]:
    """Say which causes call for action in one case, and by how much.

    Parameters
    ----------
    table : TriageTable
        What `build_triage` returned.
    weighed : (K,) float
        What each cause of the table weighs, in its order, see `bayesdx.diagnosis.danger`.
    posteriors : (K,) float, optional
        Its posterior, to be shown; by default the same.
    because : callable
        From the position of a cause to the findings that speak for it.

    Returns
    -------
    tuple of TriageHit
        The largest expected loss of waiting first; ties in the order of the table.

    Raises
    ------
    InvalidCase
        As `triage_many`.
    """
    values = np.asarray(weighed, dtype=np.float64)
    shown = values if posteriors is None else np.asarray(posteriors, dtype=np.float64)
    (hits,) = triage_many(table, values[np.newaxis])
    losses = values * table.loss_ratios
    order = np.argsort(-losses, kind="stable")
    return tuple(
        TriageHit(
            cause=table.causes[i],
            label=table.labels[i],
            posterior=float(shown[i]),
            threshold=float(table.thresholds[i]),
            loss_ratio=float(table.loss_ratios[i]),
            level=LEVELS[table.levels[i]],
            expected_loss=float(losses[i]),
            because=because(int(i)),
        )
        for i in order
        if hits[i]
    )


def _strangers(triage: Triage, dangerous: list[str]) -> Iterator[Fault]:
    for name in triage.causes:
        if name not in dangerous:
            place = f"red_flags.toml:triage.causes.{name}"
            yield Fault(place, "a dangerous cause", name, nearest_names(name, dangerous))


def _level(cause: Cause) -> TriageLevel:
    return next((level for level in TRIAGE_LEVELS if level == cause.urgency), "soon")


def _read_only(array: npt.NDArray[S]) -> npt.NDArray[S]:
    array.setflags(write=False)
    return array
