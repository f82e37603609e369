"""Whether the answers move as the statements say.

A statement that a cause shows a finding, or that a risk makes a cause more likely, is realised by a
number that cites it. That the number is there does not say that the answer follows: a probability
below what everybody has anyway moves it the wrong way. So for every such number the odds of the
cause are computed before and after the finding or risk is known, in the statement's own context
(`Statement.given`), and held against the direction that it states.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bayesdx.building.assembly import Assembly
from bayesdx.diagnosis.quantities import Quantity, make_batch, probabilities
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.remarks import Remark
from bayesdx.knowledge.schema import PRESENT
from bayesdx.knowledge.statement_schema import Statement

Direction = Literal["more", "less", "none"]
#: The odds must move by this factor to count as moved.
MOVES = 1.02


@dataclass(frozen=True)
class StatedEffect:
    """What a finding or risk does to a cause, and what a statement says that it does.

    Attributes
    ----------
    statement : Statement
    place : str
        Of the number that carries it.
    before, after : Quantity
        The cause in the statement's context, and with the finding or risk known as well.
    ratio : float
        Odds after divided by odds before; 1 where either says nothing.
    """

    statement: Statement
    place: str
    before: Quantity
    after: Quantity
    ratio: float

    @property
    def direction(self) -> Direction:
        """What the statement says that it does to the odds."""
        if self.place in self.statement.lowers:
            return "less"
        return "none" if self.place in self.statement.unmoved else "more"

    @property
    def held(self) -> bool:
        """Whether the odds move as stated."""
        moved, least = math.log(self.ratio), math.log(MOVES)
        if self.direction == "none":
            return abs(moved) < least
        return moved >= least if self.direction == "more" else moved <= -least

    def __str__(self) -> str:
        wanted = {"more": "more", "less": "less", "none": "no more and no less"}[self.direction]
        return (
            f"{self.place} says that it is {wanted} likely; "
            f"{self.after} has {self.ratio:.3g} times the odds of {self.before}"
        )


def stated_effects(knowledge: Knowledge, assembly: Assembly) -> tuple[StatedEffect, ...]:
    """Compute what every statement of direction says, before and after.

    Parameters
    ----------
    knowledge : Knowledge
        With the values that are in use.
    assembly : Assembly
        Of this knowledge.

    Returns
    -------
    tuple of StatedEffect
        One a statement and place; of an effect of several risks one a risk.
    """
    asked = [
        (one, place, Quantity(cause, given), Quantity(cause, (*given, fact)))
        for one in knowledge.statements.values()
        for place, cause, fact in _facts(knowledge, one)
        for given in [tuple(pair for pair in one.given.items() if pair[0] != fact[0])]
    ]
    quantities = tuple({quantity: None for _, _, *both in asked for quantity in both})
    answers = probabilities(assembly, make_batch(knowledge, assembly, quantities))
    chance = dict(zip(quantities, answers.tolist(), strict=True))
    return tuple(
        StatedEffect(one, place, before, after, _odds_ratio(chance[before], chance[after]))
        for one, place, before, after in asked
    )


def _odds_ratio(before: float, after: float) -> float:
    # What cannot be, before or after, tells nothing.
    inside = 0.0 < before < 1.0 and 0.0 < after < 1.0
    return after * (1.0 - before) / (before * (1.0 - after)) if inside else 1.0


def _facts(
    knowledge: Knowledge, statement: Statement
) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Places of numbers that tie a finding or risk to a cause, the cause, and what is known."""
    for place in statement.realised_by:
        address = Address.parse(place)
        if address is None or address.kind not in ("link", "effect"):
            continue
        cause = knowledge.causes[address.owner]
        if cause.kind != "cause":
            continue
        if address.kind == "link":
            yield place, cause.id, (str(address.key), PRESENT)
            continue
        for condition in cause.effects[int(address.key or 0)].any_of:
            for state in condition.states:
                yield place, cause.id, (condition.risk, state)


def effect_remarks(knowledge: Knowledge, assembly: Assembly) -> tuple[Remark, ...]:
    """Say which statements of direction the answers do not follow.

    Parameters
    ----------
    knowledge : Knowledge
        With the values that are in use.
    assembly : Assembly
        Of this knowledge.

    Returns
    -------
    tuple of (severity, place, message)
        Errors: where the answer does not follow, or follows a statement that is contradicted.
    """
    remarks: list[Remark] = []
    for effect in stated_effects(knowledge, assembly):
        one = effect.statement
        place = f"statements.toml:{one.id}"
        if one.contradicted and effect.held:
            remarks.append(("error", place, f"contradicted, yet the answer follows: {effect}."))
        elif not one.contradicted and not effect.held:
            remarks.append(("error", place, f"the answer does not follow: {effect}."))
    return tuple(remarks)
