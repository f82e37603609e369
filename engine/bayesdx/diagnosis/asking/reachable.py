"""Which rules can still be made to fire by answers that are missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from bayesdx.diagnosis.red_flags import combine
from bayesdx.knowledge.red_flag_schema import RedFlag, When, read_leaf

#: Combinations of answers tried before a rule is taken to be within reach.
MOST_TRIED = 4096
_TRUE, _UNKNOWN = 2, 1

Facts = Mapping[str, str | None]
#: What an answer settles: the state of each finding and risk.
Settled = Mapping[str, str]
#: A question: what each of its answers settles.
Question = Sequence[Settled]


@dataclass(frozen=True, slots=True)
class Wishes:
    """A rule, and what it wishes of each finding and risk: (states, whether to be in them)."""

    rule: RedFlag
    of: Mapping[str, tuple[tuple[tuple[str, ...], bool], ...]]


def wishes_of(rule: RedFlag) -> Wishes:
    """Return what brings a rule nearer to firing."""
    found: dict[str, dict[tuple[tuple[str, ...], bool], None]] = {}
    for leaf, helps in _polarities(rule.when):
        test = read_leaf(leaf)
        found.setdefault(test.subject, {})[test.states, helps] = None
    return Wishes(rule, {subject: tuple(one) for subject, one in found.items()})


def _polarities(when: When, positive: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield leaves with whether their being true helps; one that does both comes twice."""
    of = when.at_least.of if when.at_least is not None else ()
    for items, side in (((*when.all, *when.any, *of), positive), (when.none, not positive)):
        for item in items:
            if isinstance(item, When):
                yield from _polarities(item, side)
            else:
                yield item, side


def can_fire(wishes: Wishes, facts: Facts, questions: Mapping[str, Question]) -> bool:
    """Say whether some combination of answers makes a rule fire.

    Parameters
    ----------
    wishes : Wishes
    facts : mapping of str to str or None
        What is known.
    questions : mapping of str to Question
        The open question that settles a finding or risk. No two settle the same.

    Returns
    -------
    bool
        Exact, but for rules that want one question in opposite ways more often than `MOST_TRIED`
        combinations can settle; such a rule is said to be within reach.
    """
    when = wishes.rule.when
    now = combine(when, facts)
    if now != _UNKNOWN:
        return now == _TRUE
    settled: dict[str, str | None] = dict(facts)
    torn: dict[int, list[Settled]] = {}
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
    return any(
        combine(when, settled | {k: v for one in chosen for k, v in one.items()}) == _TRUE
        for chosen in product(*torn.values())
    )


def _useful(question: Question, facts: Facts, wishes: Wishes) -> list[Settled]:
    """Return the answers of a question that no other answer of it is at least as good as."""
    about = sorted({subject for one in question for subject in one} & wishes.of.keys())
    seen: dict[tuple[int, ...], Settled] = {}
    for one in question:
        seen.setdefault(_scores(one, facts, wishes, about), one)
    if len(seen) == 1:
        return list(seen.values())
    return [
        one
        for score, one in seen.items()
        if not any(
            other != score and all(a >= b for a, b in zip(other, score, strict=True))
            for other in seen
        )
    ]


def _scores(
    settled: Settled, facts: Facts, wishes: Wishes, about: Sequence[str]
) -> tuple[int, ...]:
    """How far an answer grants each wish: 0 against, 1 open, 2 for."""
    scores = []
    for subject in about:
        state = facts.get(subject) or settled.get(subject)
        for states, helps in wishes.of[subject]:
            scores.append(1 if state is None else 2 if (state in states) == helps else 0)
    return tuple(scores)
