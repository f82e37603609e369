"""Which rules can still be made to fire by answers that are missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from bayesdx.diagnosis.kleene import Facts, Gate, StateTest, where

#: Combinations of answers tried before a rule is taken to be within reach.
MOST_TRIED = 4096

#: The state of findings and risks by position, -1 where it is not known.
States = Mapping[str, int]
#: A question: what each of its answers settles.
Question = Sequence[States]


@dataclass(frozen=True, slots=True)
class Wishes:
    """A condition, and what it wishes of each finding and risk: (states, whether to be in them)."""

    condition: Gate
    of: Mapping[str, tuple[tuple[tuple[int, ...], bool], ...]]

    def holds(self, cases: Sequence[States], possible: bool = False) -> bool:
        """Return whether the condition is true, or with `possible` unknown, in one of N cases."""
        columns = {
            name: np.array([case.get(name, -1) for case in cases], dtype=np.int8)
            for name in self.of
        }
        return bool(where(self.condition, Facts(columns, len(cases)), possible))


def wishes_of(condition: Gate) -> Wishes:
    """Return what brings a rule nearer to firing."""
    found: dict[str, dict[tuple[tuple[int, ...], bool], None]] = {}
    for leaf, helps in _polarities(condition):
        found.setdefault(leaf.subject, {})[leaf.states, helps] = None
    return Wishes(condition, {subject: tuple(one) for subject, one in found.items()})


def _polarities(gate: Gate, positive: bool = True) -> Iterator[tuple[StateTest, bool]]:
    """Yield leaves with whether their being true helps; one that does both comes twice."""
    for part, plain in gate.parts:
        if isinstance(part, Gate):
            yield from _polarities(part, positive == plain)
        else:
            yield part, positive == plain


def can_fire(wishes: Wishes, facts: States, questions: Mapping[str, Question]) -> bool:
    """Say whether some combination of answers makes a rule fire.

    Parameters
    ----------
    wishes : Wishes
    facts : mapping of str to int
        What is known.
    questions : mapping of str to Question
        The open question that settles a finding or risk. No two settle the same.

    Returns
    -------
    bool
        Exact, but for rules that want one question in opposite ways more often than `MOST_TRIED`
        combinations can settle; such a rule is said to be within reach.
    """
    if wishes.holds([facts]):
        return True
    if not wishes.holds([facts], possible=True):
        return False
    settled = dict(facts)
    torn: dict[int, list[States]] = {}
    for subject in wishes.of:
        question = questions.get(subject)
        if question is None or id(question) in torn:
            continue
        best = _useful(question, facts, wishes)
        if len(best) == 1:
            settled.update(best[0])
        else:
            torn[id(question)] = best
    if math.prod(map(len, torn.values())) > MOST_TRIED:
        return True
    tried = [
        settled | {name: state for one in chosen for name, state in one.items()}
        for chosen in product(*torn.values())
    ]
    return wishes.holds(tried)


def _useful(question: Question, facts: States, wishes: Wishes) -> list[States]:
    """Return the answers of a question that no other answer of it is at least as good as."""
    about = sorted({subject for one in question for subject in one} & wishes.of.keys())
    seen: dict[tuple[int, ...], States] = {}
    for one in question:
        seen.setdefault(_scores(one, facts, wishes, about), one)
    return [
        one
        for score, one in seen.items()
        if not any(
            other != score and all(a >= b for a, b in zip(other, score, strict=True))
            for other in seen
        )
    ]


def _scores(
    settled: States, facts: States, wishes: Wishes, about: Sequence[str]
) -> tuple[int, ...]:
    """How far an answer grants each wish: 0 against, 1 open, 2 for."""
    scores = []
    for subject in about:
        state = facts.get(subject, -1)
        state = settled.get(subject, -1) if state < 0 else state
        for states, helps in wishes.of[subject]:
            scores.append(1 if state < 0 else 2 if (state in states) == helps else 0)
    return tuple(scores)
