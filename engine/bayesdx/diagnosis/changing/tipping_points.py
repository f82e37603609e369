"""The smallest change of a single stated number that changes an answer.

Slopes say which numbers promise a change soonest, in units of their own uncertainty. Those are
taken further and further in both directions until the first cause is another one,
many numbers at once, with the correction for causes that share risks held. Of the points found the
most plausible, by the distribution of the number itself, are closed in on; for the first one also
the correction is computed anew, which is what assembling the network anew gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdx.building.perturbations import Mover
from bayesdx.diagnosis.changing.flips import LARGEST, Flips, Target, smallest_flips
from bayesdx.diagnosis.changing.perturbed_answers import answers_at, moved_value, probability_beyond
from bayesdx.diagnosis.changing.tornado import check_possible
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.first_order import (
    FirstOrder,
    first_order,
    log_odds_of,
    number_columns,
)
from bayesdx.diagnosis.results import Result
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

#: Why no number is told for the urgency.
BY_ANSWERS = (
    "it rests on what was answered: rules, and scores of dangerous causes that answers move; "
    "numbers are not searched for it"
)

#: How far a number is moved at most, in its own deviations.
FARTHEST = 4.0
#: Numbers that are tried, by what the slopes promise; those looked at closely; those told.
CANDIDATES, CLOSELY, TOLD = 40, 6, 3
_GRID = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, FARTHEST)
_HALVINGS = 12
#: The bracket of the held answers is opened by this share, and cut into so many points so often.
_WIDER, _POINTS, _ROUNDS = 0.05, 12, 3


@dataclass(frozen=True, eq=False, repr=False)
class Turning(Result):
    """Smallest changes of single numbers.

    Attributes
    ----------
    table : DataFrame
        By target (``first``), the most plausible change first: target, place,
        title, value, needed (the value at which the answer is another one), short_of (a value a
        little nearer, where the answer is still the same), step (in log-odds, or the logarithm of
        a ratio), deviations (the step in standard deviations of that), beyond (how probable the
        number's own distribution holds it to be at least that far off, on that side), inside
        (whether ``needed`` lies in the range), result (the first cause or urgency there), method
        (``exact``: an assembly of the network gives it at ``needed`` and not at ``short_of``;
        ``held``: with the correction for shared risks of the stated numbers), low, high, basis,
        source, statements.
    unchanged : mapping of str to str
        In words, by target, when no number was found.
    """

    table: pd.DataFrame
    unchanged: Mapping[Target, str]


TURNING_COLUMNS = (
    "target",
    "place",
    "title",
    "value",
    "needed",
    "short_of",
    "step",
    "deviations",
    "beyond",
    "inside",
    "result",
    "method",
    "low",
    "high",
    "basis",
    "source",
    "statements",
)


@dataclass(frozen=True, eq=False)
class _Bracket:
    """A mover's step that changes the answer, and a shorter one that does not."""

    mover: Mover
    short: float
    enough: float

    @property
    def beyond(self) -> float:
        return probability_beyond(self.mover, self.enough)


@dataclass(frozen=True, eq=False, repr=False)
class TurningPoints(Result):
    """What would change an answer.

    Attributes
    ----------
    numbers : Turning
        Smallest changes of single stated numbers.
    findings : Flips
        Smallest sets of given findings, known otherwise or not at all.
    """

    numbers: Turning
    findings: Flips


def turning_points(
    core: Core, findings: Mapping[str, object], *, largest: int = LARGEST
) -> TurningPoints:
    """Find the smallest changes that change an answer; see `Engine.turning_points`."""
    flips = smallest_flips(core, findings, largest=largest)
    return TurningPoints(turning_numbers(core, findings), flips)


def turning_numbers(core: Core, findings: Mapping[str, object]) -> Turning:
    """Find the smallest change of one number that changes the first cause, and the urgency.

    Parameters
    ----------
    core : Core
    findings : mapping
        As for `Engine.diagnose`.

    Raises
    ------
    InvalidCase
        When the case cannot be read or is impossible.
    """
    cases = core.read_case(findings)
    near = first_order(core, core.perturbations, cases.evidence)
    check_possible(near.log_evidence)
    rows: list[dict[str, object]] = []
    unchanged: dict[Target, str] = {"urgency": BY_ANSWERS}
    found = _nearest(core, cases.evidence, near, _promises(near))
    if found:
        rows += [_row(core, bracket, *told) for bracket, told in found]
    else:
        tried = min(CANDIDATES, len(near.movers))
        unchanged["first"] = (
            f"no single number of the {tried} most promising changes it within "
            f"{FARTHEST:g} deviations"
        )
    return Turning(pd.DataFrame(rows, columns=TURNING_COLUMNS), unchanged)


def _first(posterior: FloatArray) -> IntArray:
    """Which cause comes first under each of M sets of numbers, (M,); from (M, K + 1)."""
    return np.asarray(posterior[:, :-1].argmax(axis=1))


def _promises(near: FirstOrder) -> FloatArray:
    """Deviations after which each number would change the first cause, by its slopes; (J,)."""
    log_odds = log_odds_of(near.posterior)
    first = int(near.posterior[:-1].argmax())
    gaps, pulls = log_odds[first] - log_odds[:-1], near.pulls[:, :-1]
    closing = pulls - pulls[:, [first]]
    gaps, closing = np.delete(gaps, first), np.delete(closing, first, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(closing == 0.0, np.inf, gaps / np.abs(closing))
    return np.asarray(needed.min(axis=1, initial=np.inf))


def _nearest(
    core: Core, evidence: Evidence, near: FirstOrder, promises: FloatArray
) -> list[tuple[_Bracket, tuple[int, str]]]:
    """The nearest brackets, each with the answer beyond it and how it was found."""
    order = np.argsort(promises, kind="stable")[:CANDIDATES]
    movers = [near.movers[j] for j in order if np.isfinite(promises[j])]
    base = int(_first(near.posterior[None])[0])
    brackets = _brackets(core, evidence, base, movers)
    brackets = _halved(core, evidence, base, brackets[:CLOSELY])
    found: list[tuple[_Bracket, tuple[int, str]]] = []
    for bracket in brackets[:TOLD]:
        exact = _exact(core, evidence, base, bracket) if not found else None
        if exact is not None:
            found.append(exact)
        else:
            moves = [(bracket.mover, bracket.enough)]
            answer = int(_first(answers_at(core, core.perturbations, evidence, moves))[0])
            found.append((bracket, (answer, "held")))
    return found


def _others(
    core: Core, evidence: Evidence, base: int, moves: Sequence[tuple[Mover, float]]
) -> BoolArray:
    """Whether each move gives another answer; not where the moved number cannot hold."""
    answers = answers_at(core, core.perturbations, evidence, moves)
    holds = ~np.isnan(answers).any(axis=1)
    return np.asarray(holds & (_first(np.nan_to_num(answers)) != base))


def _brackets(core: Core, evidence: Evidence, base: int, movers: Sequence[Mover]) -> list[_Bracket]:
    """Take every number outwards both ways; the nearest change first."""
    lines = [(mover, sign) for mover in movers for sign in (1.0, -1.0)]
    moves = [(mover, sign * mover.deviation * far) for mover, sign in lines for far in _GRID]
    if not moves:
        return []
    other = _others(core, evidence, base, moves).reshape(len(lines), len(_GRID))
    brackets = []
    for (mover, sign), row in zip(lines, other, strict=True):
        if row.any():
            at = int(row.argmax())
            inner = _GRID[at - 1] if at else 0.0
            unit = sign * mover.deviation
            brackets.append(_Bracket(mover, inner * unit, _GRID[at] * unit))
    return sorted(brackets, key=lambda one: -one.beyond)


def _halved(core: Core, evidence: Evidence, base: int, brackets: list[_Bracket]) -> list[_Bracket]:
    for _ in range(_HALVINGS if brackets else 0):
        middles = [(one.short + one.enough) / 2.0 for one in brackets]
        moves = [(one.mover, middle) for one, middle in zip(brackets, middles, strict=True)]
        other = _others(core, evidence, base, moves)
        brackets = [
            _Bracket(one.mover, one.short, middle)
            if hit
            else _Bracket(one.mover, middle, one.enough)
            for one, middle, hit in zip(brackets, middles, other, strict=True)
        ]
    return sorted(brackets, key=lambda one: -one.beyond)


def _exact(
    core: Core, evidence: Evidence, base: int, bracket: _Bracket
) -> tuple[_Bracket, tuple[int, str]] | None:
    """Find the same point with the correction computed anew; None if it is not near."""
    ready = core.perturbations
    short, enough = bracket.short * (1.0 - _WIDER), bracket.enough * (1.0 + _WIDER)
    result = base
    for _ in range(_ROUNDS):
        steps = np.linspace(short, enough, _POINTS)
        moves = [(bracket.mover, float(step)) for step in steps]
        answers = answers_at(core, ready, evidence, moves, exact=True)
        known = ~np.isnan(answers).any(axis=1)
        read = np.where(known, _first(np.nan_to_num(answers)), base)
        hits = np.flatnonzero(read != base)
        if not len(hits) or hits[0] == 0:
            return None
        short, enough, result = float(steps[hits[0] - 1]), float(steps[hits[0]]), int(read[hits[0]])
    return _Bracket(bracket.mover, short, enough), (result, "exact")


def _row(core: Core, bracket: _Bracket, answer: int, method: str) -> dict[str, object]:
    told = number_columns(bracket.mover)
    needed = moved_value(bracket.mover, bracket.enough)
    low, high = told["low"], told["high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    return {
        **told,
        "target": "first",
        "needed": needed,
        "short_of": moved_value(bracket.mover, bracket.short),
        "step": bracket.enough,
        "deviations": abs(bracket.enough) / bracket.mover.deviation,
        "beyond": bracket.beyond,
        "inside": low <= needed <= high,
        "result": core.causes[answer],
        "method": method,
    }
