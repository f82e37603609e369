"""Moving elicited numbers as little as possible until the statements hold.

Distances are measured in log-odds, in units of each number's own elicited uncertainty: a prior
known within a factor of ten moves easily, a pooled sensitivity hardly. Each round linearises the
demands at the current point, with exact derivatives of the answers, and takes the shortest move
from the *elicited* point that satisfies them (sequential least-distance programming); no number
leaves the range that was elicited for it. Rounds end when the demands hold and the point rests.

Hard constraints come first. Soft ones are then added in the order of the file; one that cannot hold
beside those before it is given up, and the smallest set of constraints that contradict each other
is found by trying ever larger sets among those that take part in the contradiction.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from bayesdx.building.assembly import Assembly, assemble
from bayesdx.building.least_move import LeastMove, least_move
from bayesdx.building.sensitivity import movable_numbers
from bayesdx.diagnosis.constraint_checks import (
    TOLERANCE,
    Demand,
    check_statements,
    demands,
    margins,
)
from bayesdx.diagnosis.quantities import make_batch, slopes
from bayesdx.errors import Fault, InvalidKnowledge, Phrase
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.addresses import PlacedNumber
from bayesdx.knowledge.distributions import fit_beta
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import numbers_digest, with_numbers
from bayesdx.knowledge.statement_schema import Calibration, GivenUp, Move

#: Demands are met with this much to spare, in log-odds, so that rounding cannot undo them.
SPARE = 1e-3
#: A move below this share of a number's own uncertainty is left out.
NEGLIGIBLE = 0.02
#: Significant digits of a calibrated number.
DIGITS = 6
_ROUNDS = 25
#: A point rests when no number moves by more than this share of its own uncertainty.
_AT_REST = 0.01
#: A demand whose steepest derivative is below this does not move with any number.
_IMMOVABLE = 1e-9

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class _Field:
    """The numbers that may move, in units of their uncertainty around the elicited point.

    ``centre`` (X,) log-odds as elicited; ``scale`` (X,) standard deviation in log-odds; ``low``,
    ``high`` (X,) ends of the elicited range in these units.
    """

    numbers: tuple[PlacedNumber, ...]
    centre: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray

    def values(self, z: FloatArray) -> dict[str, float]:
        """Return the numbers at a point, those that moved only."""
        return {
            self.numbers[x].place: _from_log_odds(float(self.centre[x] + z[x] * self.scale[x]))
            for x in np.flatnonzero(z)
        }


@dataclass(frozen=True, eq=False)
class _Linear:
    """Demands to first order around a point: ``matrix`` (M, X) times z is at least ``bound``."""

    demands: tuple[Demand, ...]
    matrix: FloatArray
    bound: FloatArray
    margin: FloatArray

    def of(self, names: Sequence[str]) -> list[int]:
        """Return the rows that belong to constraints."""
        return [i for i, one in enumerate(self.demands) if one.constraint in names]


@dataclass(frozen=True, eq=False)
class _Elicited:
    knowledge: Knowledge
    start: Assembly
    field: _Field


def calibrate(knowledge: Knowledge, say: Say = lambda _: None) -> Calibration:
    """Find the least move of the elicited numbers under which the constraints hold.

    Parameters
    ----------
    knowledge : Knowledge
        With elicited values; a calibration that it carries is not looked at.
    say : callable
        Told what is being done, a line at a time.

    Returns
    -------
    Calibration
        The moves, the largest first in units of their uncertainty, and the soft constraints that
        were given up with their conflicts.

    Raises
    ------
    InvalidKnowledge
        If the hard constraints cannot hold together inside the elicited ranges; the fault names the
        smallest set of them that was found.
    """
    elicited = _Elicited(knowledge, assemble(knowledge), _field(knowledge))
    hard = [one.id for one in knowledge.constraints if one.hard]
    soft = [one.id for one in knowledge.constraints if not one.hard]
    z = np.zeros(len(elicited.field.numbers))
    say(f"{len(hard)} hard constraints, {len(soft)} soft ones, {len(z)} numbers that may move")
    linear = _linearise(elicited, z)
    given_up: list[GivenUp] = []
    if (linear.margin[linear.of(hard)] < -TOLERANCE).any():
        say("hard constraints are missed: moving numbers")
        z, linear = _settle(elicited, hard, z, linear, say)
    kept = list(hard)
    for name in soft:
        trial = [*kept, name]
        if (linear.margin[linear.of(trial)] >= -TOLERANCE).all():
            kept = trial
            continue
        if not _step(elicited, linear, trial).possible:
            given_up.append(_conflict(elicited, linear, kept, name))
            say(f"{name}: given up, conflicts with {', '.join(given_up[-1].conflict)}")
            continue
        say(f"{name}: missed, moving numbers")
        try:
            z, linear = _settle(elicited, trial, z, linear, say)
            kept = trial
        except InvalidKnowledge:
            given_up.append(_conflict(elicited, linear, kept, name))
            say(f"{name}: given up, no point was found where it holds beside the others")
    return _result(elicited, kept, z, linear, given_up)


def _field(knowledge: Knowledge) -> _Field:
    numbers = movable_numbers(knowledge)
    values = np.array([_single(number) for number in numbers])
    centre = np.log(values / (1.0 - values))
    sizes = knowledge.model.equivalent_sample_size
    scale, low, high = np.ones(len(values)), np.zeros(len(values)), np.zeros(len(values))
    for x, number in enumerate(numbers):
        span = number.stated.range
        ess = sizes[number.stated.basis]
        lo, hi = span if span is not None else (None, None)
        fit = fit_beta(float(values[x]), lo, hi, ess)
        # Standard deviation of the log-odds of a Beta.
        scale[x] = math.sqrt(float(polygamma(1, fit.a) + polygamma(1, fit.b)))
        ends = span or (0.0, 1.0)
        low[x], high[x] = ((_log_odds(end) - centre[x]) / scale[x] for end in ends)
    return _Field(numbers, centre, scale, low, high)


def _single(number: PlacedNumber) -> float:
    assert isinstance(number.value, float)  # movable numbers have one value
    return number.value


def _log_odds(p: float) -> float:
    if p in (0.0, 1.0):
        return math.inf if p else -math.inf
    return math.log(p / (1.0 - p))


def _from_log_odds(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def _linearise(elicited: _Elicited, z: FloatArray) -> _Linear:
    """Ask everything at a point, with derivatives."""
    knowledge = with_numbers(elicited.knowledge, elicited.field.values(z))
    assembly = assemble(knowledge, elicited.start.links)
    quantities, wanted = demands(knowledge.constraints)
    answer = slopes(knowledge, assembly, make_batch(knowledge, assembly, quantities))
    assert answer.places == tuple(number.place for number in elicited.field.numbers)
    p = answer.probabilities
    inner = (p > 0.0) & (p < 1.0)
    spread = np.where(inner, p * (1.0 - p), 1.0)[:, None]
    # Of the log-odds, per unit of each number's uncertainty; what is 0 or 1 does not move.
    moves = np.where(inner[:, None], answer.values / spread, 0.0) * elicited.field.scale
    matrix = np.zeros((len(wanted), len(z)))
    for i, one in enumerate(wanted):
        matrix[i] += moves[one.more] if one.more >= 0 else 0.0
        matrix[i] -= moves[one.less] if one.less >= 0 else 0.0
    margin = margins(wanted, p)
    # What no number moves, such as a prevalence, holds within rounding or not at all.
    fixed = np.abs(matrix).max(axis=1, initial=0.0) < _IMMOVABLE
    matrix[fixed] = 0.0
    bound = np.where(
        fixed, np.where(margin >= -TOLERANCE, 0.0, -margin), SPARE - margin + matrix @ z
    )
    return _Linear(wanted, matrix, bound, margin)


def _step(elicited: _Elicited, linear: _Linear, names: Sequence[str]) -> LeastMove:
    rows = linear.of(names)
    field = elicited.field
    return least_move(linear.matrix[rows], linear.bound[rows], field.low, field.high)


def _settle(
    elicited: _Elicited, names: Sequence[str], z: FloatArray, linear: _Linear, say: Say
) -> tuple[FloatArray, _Linear]:
    """Repeat linearising and moving until the constraints hold and the point rests."""
    for turn in range(_ROUNDS):
        step = _step(elicited, linear, names)
        if not step.possible:
            raise _contradiction(elicited, linear, names)
        moved = float(np.abs(step.z - z).max(initial=0.0))
        z, linear = step.z, _linearise(elicited, step.z)
        worst = float(linear.margin[linear.of(names)].min(initial=0.0))
        say(f"  round {turn + 1}: moved by {moved:.2g}, worst margin {worst:.2g} in log-odds")
        if worst >= -TOLERANCE and moved < _AT_REST:
            return z, linear
    if float(linear.margin[linear.of(names)].min(initial=0.0)) >= -TOLERANCE:
        return z, linear
    raise _contradiction(elicited, linear, names)


def _contradiction(elicited: _Elicited, linear: _Linear, names: Sequence[str]) -> InvalidKnowledge:
    found, _ = _smallest(elicited, linear, list(names), ())
    statements = _statements(elicited.knowledge, found)
    expected = f"hard constraints that can hold together ({', '.join(statements)})"
    return InvalidKnowledge(Fault("constraints.toml", expected, Phrase(", ".join(found))))


def _conflict(elicited: _Elicited, linear: _Linear, kept: list[str], name: str) -> GivenUp:
    found, limits = _smallest(elicited, linear, kept, (name,))
    return GivenUp(
        constraint=name,
        conflict=found,
        statements=_statements(elicited.knowledge, found),
        limits=limits,
    )


def _smallest(
    elicited: _Elicited, linear: _Linear, names: list[str], always: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the smallest contradicting set that contains `always`, and the numbers at their limits.

    Only constraints that take part in the contradiction are tried (Farkas): the others are not
    needed for it.
    """
    every = [*names, *always]
    whole = _step(elicited, linear, every)
    rows = linear.of(every)
    part = [linear.demands[row].constraint for row, w in zip(rows, whole.weight, strict=True) if w]
    candidates = [name for name in dict.fromkeys(part) if name not in always]
    for size in range(len(candidates) + 1):
        for chosen in itertools.combinations(candidates, size):
            trial = _step(elicited, linear, [*chosen, *always])
            if not trial.possible and (chosen or always):
                places = tuple(elicited.field.numbers[x].place for x in sorted(trial.limits))
                return (*always, *chosen), places
    # Possible to first order, but no point was found: all that took part is named.
    return (*always, *candidates), ()


def _statements(knowledge: Knowledge, names: Sequence[str]) -> tuple[str, ...]:
    by_id = {one.id: one for one in knowledge.constraints}
    return tuple(dict.fromkeys(s for name in names for s in by_id[name].statements))


def _result(
    elicited: _Elicited,
    kept: Sequence[str],
    z: FloatArray,
    linear: _Linear,
    given_up: list[GivenUp],
) -> Calibration:
    """Round the moves, leave out the negligible ones, and see that all still holds."""
    causing = _causing(elicited, linear, kept)
    for least in (NEGLIGIBLE, 0.0):
        kept_z = np.where(np.abs(z) > least, z, 0.0)
        values = {p: float(f"{v:.{DIGITS}g}") for p, v in elicited.field.values(kept_z).items()}
        if least == 0.0 or _holds(elicited, values, kept):
            break
    field = elicited.field
    # What rounding brings back to where it was has not moved; which numbers do so is noise.
    moved = [
        x
        for x in np.flatnonzero(kept_z)
        if values[field.numbers[x].place] != _single(field.numbers[x])
    ]
    order = sorted(moved, key=lambda x: -abs(kept_z[x]))
    moves = tuple(
        Move(
            number=field.numbers[x].place,
            elicited=_single(field.numbers[x]),
            calibrated=values[field.numbers[x].place],
            constraint=causing[x],
        )
        for x in order
    )
    return Calibration(
        computed_from=numbers_digest(elicited.knowledge), move=moves, given_up=tuple(given_up)
    )


def _holds(elicited: _Elicited, values: dict[str, float], names: Sequence[str]) -> bool:
    knowledge = with_numbers(elicited.knowledge, values)
    return all(
        check.held
        for check in check_statements(knowledge, assemble(knowledge, elicited.start.links))
        if check.constraint.id in names
    )


def _causing(elicited: _Elicited, linear: _Linear, names: Sequence[str]) -> list[str]:
    """Name for every number the constraint that pulls at it most."""
    step = _step(elicited, linear, names)
    rows = linear.of(names)
    pull = np.abs(linear.matrix[rows] * step.weight[:, None])
    if not rows:
        return [""] * len(elicited.field.numbers)
    return [linear.demands[rows[int(i)]].constraint for i in pull.argmax(axis=0)]
