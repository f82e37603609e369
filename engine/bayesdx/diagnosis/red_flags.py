"""Red flags: rules on what was found, which no posterior can outrank.

A rule is *fired*, *not met*, or *open* because something that it needs was not asked: true, false
and unknown in the logic of `bayesdx.diagnosis.kleene`. Rules never look at probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.kleene import (
    Facts,
    Gate,
    compiled,
    true_leaves,
    unknown_subjects,
    unpacked,
    where,
)
from bayesdx.diagnosis.results import Result
from bayesdx.inference.arrays import BoolArray
from bayesdx.knowledge.red_flag_schema import LEVELS, Level, RedFlag

Outcome = Literal["fired", "open"]

ROUTINE = LEVELS.index("routine")


@dataclass(frozen=True)
class RedFlagHit(Result):
    """A red-flag rule that fired, or that what was not asked could still make fire.

    Attributes
    ----------
    id, level, title, advice : str
    outcome : str
        ``"fired"`` or ``"open"``.
    because : tuple of str
        The leaves that made it fire, as the rule writes them.
    not_asked : tuple of str
        What keeps it open.
    statements : tuple of str
        Ids of the statements it rests on.
    """

    id: str
    level: Level
    title: str
    advice: str
    outcome: Outcome
    because: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Rules:
    """R rules with their conditions compiled, and their levels as positions in `LEVELS`."""

    every: tuple[RedFlag, ...]
    conditions: tuple[Gate, ...]
    levels: tuple[int, ...]

    def fired(self, facts: Facts) -> tuple[int, ...]:
        """Return the set of cases in which each rule fires, (R,)."""
        return tuple([where(condition, facts) for condition in self.conditions])

    def level_codes(self, fired: Sequence[int], n_cases: int) -> NDArray[np.int8]:
        """Return the urgency of N cases by the rules alone, as positions in `LEVELS`, (N,).

        The highest level that fired; routine where nothing fired, and self-care only where a
        self-care rule fired and no other rule did.
        """
        codes = np.full(n_cases, ROUTINE, dtype=np.int8)
        by_level = [0] * len(LEVELS)
        for one, level in zip(fired, self.levels, strict=True):
            by_level[level] |= one
        for level in range(len(LEVELS) - 1, -1, -1):
            if by_level[level]:
                codes[unpacked(by_level[level], n_cases)] = level
        return codes

    def hits(self, facts: Facts) -> tuple[RedFlagHit, ...]:
        """Rules of one case that fired, then rules that are open, the most pressing first."""
        found = []
        for rule, condition in zip(self.every, self.conditions, strict=True):
            fired = where(condition, facts)
            if fired or where(condition, facts, possible=True):
                why = true_leaves(condition, facts) if fired else ()
                lacking = unknown_subjects(condition, facts) if not fired else ()
                hit = RedFlagHit(
                    id=rule.id,
                    level=rule.level,
                    title=rule.title,
                    advice=rule.advice,
                    outcome="fired" if fired else "open",
                    because=tuple(dict.fromkeys(why)),
                    not_asked=tuple(dict.fromkeys(lacking)),
                    statements=tuple(rule.statements),
                )
                found.append(hit)
        found.sort(key=lambda hit: (hit.outcome != "fired", LEVELS.index(hit.level)))
        return tuple(found)


def compile_rules(rules: Sequence[RedFlag], states: Mapping[str, Sequence[str]]) -> Rules:
    """Compile rules.

    Parameters
    ----------
    rules : sequence of RedFlag
    states : mapping of str to sequence of str
        State names, in order, of ids with other states than absent and present.

    Raises
    ------
    InvalidCase
        When a rule names a state that its id does not have.
    """
    return Rules(
        every=tuple(rules),
        conditions=tuple(compiled(rule.when, states) for rule in rules),
        levels=tuple(LEVELS.index(rule.level) for rule in rules),
    )


def as_table(sets: Sequence[int], n_cases: int) -> BoolArray:
    """Return R sets of cases as one table, (N, R)."""
    table = np.zeros((n_cases, len(sets)), dtype=bool)
    for at, one in enumerate(sets):
        if one:
            table[:, at] = unpacked(one, n_cases)
    return table
