"""Whether the answers of the model are what the statements demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayesdx.building.assembly import Assembly
from bayesdx.diagnosis.quantities import Quantity, make_batch, probabilities
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.remarks import Remark
from bayesdx.knowledge.statement_schema import Constraint

#: A demand counts as met within this distance, in log-odds.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Demand:
    """One inequality: the log-odds of one quantity are at least those of a bound.

    Attributes
    ----------
    constraint : str
        Id of the constraint that it belongs to.
    more : int
        Position of the quantity that must be larger, or -1 for `bound`.
    less : int
        Position of the one that must be smaller, or -1 for `bound`.
    bound : float
        A probability from 0 to 1.
    """

    constraint: str
    more: int
    less: int
    bound: float = 0.5


@dataclass(frozen=True)
class Check:
    """One constraint and what the model answers.

    Attributes
    ----------
    constraint : Constraint
    answers : tuple of (quantity, probability)
        The event's own first, then those that it is compared with.
    held : bool
    shortfall : float
        By how much the demand that is missed most is missed, in log-odds; 0 where all hold.
    """

    constraint: Constraint
    answers: tuple[tuple[Quantity, float], ...]
    held: bool
    shortfall: float


def demands(constraints: Sequence[Constraint]) -> tuple[tuple[Quantity, ...], tuple[Demand, ...]]:
    """Take constraints apart into quantities and inequalities between them.

    Returns
    -------
    quantities : tuple of Quantity
        Each once.
    demands : tuple of Demand
    """
    positions: dict[Quantity, int] = {}
    found: list[Demand] = []
    for constraint in constraints:
        own, *others = [
            positions.setdefault(quantity, len(positions)) for quantity in _quantities(constraint)
        ]
        if constraint.between is not None:
            low, high = constraint.between
            if low > 0.0:
                found.append(Demand(constraint.id, own, -1, low))
            if high < 1.0:
                found.append(Demand(constraint.id, -1, own, high))
        found += [Demand(constraint.id, own, other) for other in others]
    return tuple(positions), tuple(found)


def _quantities(constraint: Constraint) -> Iterator[Quantity]:
    """Yield the quantity of the event, then those that must not exceed it."""
    given = tuple(constraint.given.items())
    yield Quantity(constraint.event, given)
    for other in constraint.at_least_as_likely_as:
        yield Quantity(other, given)
    if constraint.rises_from is not None:
        yield Quantity(constraint.event, tuple(constraint.rises_from.items()))


def margins(wanted: Sequence[Demand], answers: FloatArray) -> FloatArray:
    """Return by how much each demand is met, in log-odds; negative where it is not.

    Equal probabilities meet each other, also 0 and 0.
    """
    values = np.append(answers, 0.0)
    more = np.array([values[one.more] if one.more >= 0 else one.bound for one in wanted])
    less = np.array([values[one.less] if one.less >= 0 else one.bound for one in wanted])
    with np.errstate(divide="ignore"):
        gap = _logit(more) - _logit(less) if len(wanted) else np.zeros(0)
    return np.where(more == less, 0.0, gap)


def _logit(p: FloatArray) -> FloatArray:
    # Far from the ends where both are at one end: the difference of infinities is never used.
    tiny = np.finfo(np.float64).tiny
    result: FloatArray = np.log(np.maximum(p, tiny)) - np.log(np.maximum(1.0 - p, tiny))
    return result


def check_statements(knowledge: Knowledge, assembly: Assembly) -> tuple[Check, ...]:
    """Ask the model everything that the constraints speak of.

    Parameters
    ----------
    knowledge : Knowledge
        With the values that are in use.
    assembly : Assembly
        Of this knowledge.

    Returns
    -------
    tuple of Check
        One a constraint, in order.
    """
    quantities, wanted = demands(knowledge.constraints)
    answers = probabilities(assembly, make_batch(knowledge, assembly, quantities))
    gap = margins(wanted, answers)
    at = {quantity: i for i, quantity in enumerate(quantities)}
    checks = []
    for constraint in knowledge.constraints:
        own = [g for g, one in zip(gap, wanted, strict=True) if one.constraint == constraint.id]
        worst = float(min(own, default=0.0))
        asked = tuple((q, float(answers[at[q]])) for q in _quantities(constraint))
        checks.append(Check(constraint, asked, worst >= -TOLERANCE, max(-worst, 0.0)))
    return tuple(checks)


def missed_remarks(knowledge: Knowledge, assembly: Assembly, stale: str = "") -> tuple[Remark, ...]:
    """Say which constraints the answers miss.

    Parameters
    ----------
    knowledge : Knowledge
        With the values that are in use.
    assembly : Assembly
        Of this knowledge.
    stale : str
        Why its calibration no longer belongs to the numbers, see `bayesdx.knowledge.overrides`.

    Returns
    -------
    tuple of (severity, place, message)
        Errors for hard constraints and for soft ones that calibration did not give up; warnings
        where a stale calibration was made for them, since to run it again is the cure.
    """
    calibration = knowledge.calibration
    given_up = {one.constraint for one in calibration.given_up} if calibration else set()
    learned = knowledge.learning.no_longer_hold if knowledge.learning is not None else ()
    remarks: list[Remark] = []
    for check in check_statements(knowledge, assembly):
        if check.held:
            continue
        name = check.constraint.id
        quantity, probability = check.answers[0]
        message = f"{quantity} = {probability:.4g} misses it by {check.shortfall:.3g} in log-odds"
        place = f"constraints.toml:{name}"
        if name in given_up:
            remarks.append(("info", place, f"given up: {message}."))
        elif name in learned:
            remarks.append(("warning", place, f"{message}, since numbers were learned."))
        elif stale and calibration is not None:
            remarks.append(("warning", place, f"{message}: run bayesdx calibrate."))
        else:
            remarks.append(("error", place, f"{message}."))
    return tuple(remarks)
