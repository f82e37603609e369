"""Whether any answer that is still missing could change the urgency of a case.

The certificate speaks of one person, who can answer what is *observed by* certain observers, and of
every combination of answers to the questions that are open to them, some or all; a finding that is
made of others is answered through these. The urgency is that of `Engine.diagnose`: the rules, and
the scores of dangerous causes against their thresholds. Both directions count as a change. It is
given only when it is proven:

* *rules*: no rule that would change the level can be made to fire by the answers (exact, see
  `bayesdx.diagnosis.asking.reachable`);
* *single answers*: none of them changes the level (exact);
* *bounds*: no combination can take a cause across its threshold: not the answers that are most for
  it together, nor those that are most against it (sound, since scores add up);
* *every combination*: where there are few, each one is computed (exact).

Where neither of the last two decides, the certificate is withheld: being unsure is no proof. It
never says that somebody is safe: answers can be wrong or change, others could observe more, and
the rules are not complete.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.asking.outlook import Outlook, completed
from bayesdx.diagnosis.asking.reachable import Question, Wishes, can_fire, wishes_of
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.red_flags import ROUTINE
from bayesdx.diagnosis.results import Result
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.knowledge.red_flag_schema import LEVELS, Level, RedFlag

Proof = Literal["nothing_left", "rules", "bounds", "every_combination", ""]

#: Combinations of answers that are computed one by one.
MOST_COMBINATIONS = 256

NO_ALL_CLEAR = (
    "This is no all-clear: answers can be wrong or change, others could observe more, and the "
    "rules are not complete."
)


@dataclass(frozen=True)
class Certificate(Result):
    """Whether the urgency can still change through the answers of one person.

    Attributes
    ----------
    holds : bool
        No combination of answers that are left changes the urgency; proven.
    urgency : str
    observed_by : tuple of str
        Whom the person can ask; empty for everybody.
    proof : str
        How it was proven: ``nothing_left``, ``rules``, ``bounds`` or ``every_combination``; empty
        where it does not hold.
    rules : tuple of str
        Ids of the rules that could still change it.
    causes : tuple of str
        Dangerous causes that could take it across a threshold, or that it cannot be shown of.
    shown : bool
        Where it does not hold: whether answers that change the urgency are known.
    reason : str
        The same in one or two sentences.
    """

    holds: bool
    urgency: Level
    observed_by: tuple[str, ...]
    proof: Proof
    rules: tuple[str, ...]
    causes: tuple[str, ...]
    shown: bool
    reason: str


def certify(outlook: Outlook, observers: Sequence[str] = ()) -> Certificate:
    """Prove that no answer that is left changes the urgency, or say what could.

    Parameters
    ----------
    outlook : Outlook
        The case, with the answers that are left to this person.
    observers : sequence of str
        For the record: whom the person can ask.
    """
    urgency = LEVELS[outlook.level[-1]]

    def say(
        holds: bool, proof: Proof, rules: Sequence[str], causes: Sequence[str], shown: bool
    ) -> Certificate:
        whose = "that this person could give " if observers else ""
        reason = _reason(outlook.core, urgency, whose, holds, rules, causes, shown)
        both = tuple(rules), tuple(causes)
        return Certificate(holds, urgency, tuple(observers), proof, *both, shown, reason)

    if not len(outlook.choice):
        return say(True, "nothing_left", (), (), False)
    rules = tuple(rule.id for rule in _changing_rules(outlook))
    moved = _moving_causes(outlook, _facts_with(outlook)[_changed(outlook)])
    if rules or _changed(outlook).any():
        return say(False, "", rules, moved, True)
    rising, held = _triage_at_stake(outlook)
    if not len(rising) and not len(held):
        return say(True, "rules", (), (), False)
    doubtful = _beyond_bounds(outlook, rising, held)
    if not doubtful:
        return say(True, "bounds", (), (), False)
    if math.prod(len(one) + 1 for one in _telling(outlook)) > MOST_COMBINATIONS:
        return say(False, "", (), doubtful, False)
    changing = _combinations_that_change(outlook)
    if changing is None:
        return say(True, "every_combination", (), (), False)
    return say(False, "", (), changing or doubtful, True)


def _changed(outlook: Outlook) -> BoolArray:
    """Which single answers change the level, (A,)."""
    return np.asarray(outlook.level[:-1] != outlook.level[-1])


def _facts_with(outlook: Outlook) -> NDArray[np.int8]:
    """Facts with each single answer, (A, subjects)."""
    at = {name: i for i, name in enumerate(outlook.inquiries.subjects)}
    facts = np.tile(outlook.facts, (len(outlook.choice), 1))
    for row, c in enumerate(outlook.choice.tolist()):
        for name, state in outlook.inquiries.choices[c].facts:
            facts[row, at[name]] = state
    return facts


def _changing_rules(outlook: Outlook) -> Iterator[RedFlag]:
    """Rules that could still fire and would then change the level that the rules give."""
    core, inquiries = outlook.core, outlook.inquiries
    rules, fired = core.knowledge.red_flags, outlook.fired[-1]
    facts = dict(zip(inquiries.subjects, outlook.facts.tolist(), strict=True))
    questions, wishes = _open_questions_by_subject(outlook), core.once(_all_wishes)
    level = int(outlook.level[-1])
    for r, (rule, done) in enumerate(zip(rules, fired, strict=True)):
        own = LEVELS.index(rule.level)
        # Below routine a rule changes something only while no other rule speaks.
        lowers = own > ROUTINE and level == ROUTINE and not fired.any()
        if done or not (own < level or lowers):
            continue
        if outlook.fired[:-1, r].any():
            yield rule
            continue
        if can_fire(wishes[r], facts, questions):
            yield rule


def _all_wishes(core: Core) -> tuple[Wishes, ...]:
    return tuple(wishes_of(condition) for condition in core.rules.conditions)


def _open_questions_by_subject(outlook: Outlook) -> dict[str, Question]:
    """What each answer to the open question about a finding or risk settles."""
    core, inquiries = outlook.core, outlook.inquiries
    combined = {f.id: f for f in core.knowledge.findings.values() if f.any_of}
    known = dict(zip(inquiries.subjects, outlook.facts.tolist(), strict=True))
    parts = {name for c in outlook.choice.tolist() for name, _ in inquiries.choices[c].facts}
    # What is made of components is free to take either state: more than can happen, never less.
    by_subject: dict[str, Question] = {
        name: [{name: state} for state in range(len(finding.states))]
        for name, finding in combined.items()
        if known[name] < 0 and parts.intersection(finding.any_of)
    }
    for a, b in pairwise([*outlook.first.tolist(), len(outlook.choice)]):
        question = [
            {name: state for name, state in inquiries.choices[c].facts if name not in combined}
            for c in outlook.choice[a:b].tolist()
        ]
        for one in question:
            for name in one:
                by_subject.setdefault(name, question)
    return by_subject


def _triage_at_stake(outlook: Outlook) -> tuple[IntArray, IntArray]:
    """Causes (of the triage table) that would raise the level, and those that alone hold it."""
    table, level = outlook.core.triage, outlook.level[-1]
    held = np.zeros(0, dtype=np.intp)
    if outlook.rule_level[-1] > level:
        calls = _weighed(outlook, outlook.facts[None])[0] >= table.thresholds
        held = np.flatnonzero(calls & (table.levels == level))
    return np.flatnonzero(table.levels < level), held


def _weighed(outlook: Outlook, facts: NDArray[np.int8]) -> FloatArray:
    """What rows of facts (N, subjects) weigh for each dangerous cause, (N, K)."""
    states = completed(outlook.core, outlook.inquiries, facts)
    return outlook.core.danger.weighed(states, len(facts))


def _beyond_bounds(outlook: Outlook, rising: IntArray, held: IntArray) -> tuple[str, ...]:
    """Causes for which bounds cannot show that they stay on their side of the threshold.

    Each open subject takes the state that moves the score of a cause most, whatever the others say;
    risks enter by the most and the least that any of their states gives.
    """
    core, inquiries = outlook.core, outlook.inquiries
    open_ = {name for c in outlook.choice.tolist() for name, _ in inquiries.choices[c].facts}
    open_ |= {
        finding.id for finding in core.knowledge.findings.values() if open_ & {*finding.any_of}
    }
    known = {
        name: np.array([state])
        for name, state in zip(inquiries.subjects, outlook.facts.tolist(), strict=True)
        if state >= 0 and name not in open_
    }
    most, least = core.danger.bounds(known, open_)
    # A hair's breadth for rounding: bounds and scores are added up in different orders.
    doubtful = [k for k in rising if most[k] >= core.triage.thresholds[k] * (1.0 - 1e-9)]
    if not any(least[k] >= core.triage.thresholds[k] * (1.0 + 1e-9) for k in held):
        doubtful += list(held)
    return tuple(core.triage.causes[k] for k in doubtful)


def _telling(outlook: Outlook) -> list[list[int]]:
    """The choices of each inquiry that tells the model something."""
    choices, bounds = outlook.inquiries.choices, [*outlook.first, len(outlook.choice)]
    told = []
    for a, b in pairwise(bounds):
        chosen = [int(c) for c in outlook.choice[a:b]]
        if any(choices[c].evidence for c in chosen):
            told.append(chosen)
    return told


def _combinations_that_change(outlook: Outlook) -> tuple[str, ...] | None:
    """Compute every combination; the causes that move the level in some, None if none does.

    Observations only make rules fire, which is settled before; they stay unknown here.
    """
    core, inquiries = outlook.core, outlook.inquiries
    every = product(*([-1, *one] for one in _telling(outlook)))
    chosen = [[c for c in one if c >= 0] for one in every]
    facts = np.tile(outlook.facts, (len(chosen), 1))
    at = {name: i for i, name in enumerate(inquiries.subjects)}
    sound = np.ones(len(chosen), dtype=bool)
    for row, one in enumerate(chosen):
        for c in one:
            for name, state in inquiries.choices[c].facts:
                # Answers that contradict each other are refused when a case is read.
                sound[row] &= facts[row, at[name]] in (-1, state)
                facts[row, at[name]] = state
    judged = core.urgency(completed(core, inquiries, facts), len(chosen))
    changed = np.flatnonzero((judged.level != outlook.level[-1]) & sound)
    # The first combination is that nothing is answered.
    changed = changed[changed > 0]
    return _moving_causes(outlook, facts[changed]) if len(changed) else None


def _moving_causes(outlook: Outlook, facts: NDArray[np.int8]) -> tuple[str, ...]:
    """Dangerous causes that stand on another side of their threshold in some row of facts."""
    table = outlook.core.triage
    if not len(facts):
        return ()
    calls = _weighed(outlook, np.concatenate([outlook.facts[None], facts])) >= table.thresholds
    return tuple(table.causes[k] for k in np.flatnonzero((calls[1:] != calls[0]).any(axis=0)))


def _reason(
    core: Core,
    urgency: Level,
    whose: str,
    holds: bool,
    rules: Sequence[str],
    causes: Sequence[str],
    shown: bool,
) -> str:
    if holds:
        return f"No remaining answer {whose}changes the urgency ({urgency}). {NO_ALL_CLEAR}"
    titles = {rule.id: rule.title for rule in core.knowledge.red_flags}
    labels = dict(zip(core.triage.causes, core.triage.labels, strict=True))
    what = [f"the rule {titles[one]!r}" for one in rules] + [labels[one] for one in causes]
    named = "; ".join(what[:3]) + (f"; and {len(what) - 3} more" if len(what) > 3 else "")
    because = f" Because of: {named}." if named else ""
    if shown:
        return f"Answers {whose}can still change the urgency ({urgency}).{because}"
    return f"It could not be shown that no missing answer changes the urgency ({urgency}).{because}"
