"""Conditions of one case judged on names of states, the slow and obvious way; and rules by name.

What the engine compiles and answers for many cases at once must say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bayesdx.diagnosis.kleene import Facts, where
from bayesdx.diagnosis.red_flags import as_table, compile_rules
from bayesdx.diagnosis.shown_texts import Matter, TextHit, compile_texts
from bayesdx.knowledge.red_flag_schema import LEVELS, RedFlag, When, leaves, read_leaf
from bayesdx.knowledge.text_schema import Text, TextSettings

States = Mapping[str, str | None]
FIRED, NOT_MET, OPEN = 1, 0, -1


class RuleResult(NamedTuple):
    rule: RedFlag
    outcome: str
    because: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()


def judge(item: str | When, facts: States) -> int:
    """2 true, 0 false, 1 unknown."""
    if isinstance(item, str):
        test = read_leaf(item)
        state = facts.get(test.subject)
        return 1 if state is None else 2 if state in test.states else 0
    parts = [judge(one, facts) for one in item.all]
    parts += [2 - judge(one, facts) for one in item.none]
    if item.any:
        parts.append(max(judge(one, facts) for one in item.any))
    if item.at_least is not None:
        ranked = sorted((judge(one, facts) for one in item.at_least.of), reverse=True)
        parts.append(ranked[item.at_least.count - 1])
    return min(parts)


def states_of(conditions: Sequence[When | None], facts: States) -> dict[str, list[str]]:
    """Every state that a condition or a case names."""
    names: dict[str, list[str]] = {name: ["absent", "present"] for name in facts}
    for when in conditions:
        for leaf in sorted(leaves(when)) if when is not None else ():
            test = read_leaf(leaf)
            names.setdefault(test.subject, ["absent", "present"]).extend(test.states)
    for name, state in facts.items():
        names[name] += [] if state is None else [state]
    return {name: list(dict.fromkeys(states)) for name, states in names.items()}


def facts_in(states: Mapping[str, Sequence[str]], facts: States) -> Facts:
    columns = {
        name: np.array([-1 if state is None else states[name].index(state)], dtype=np.int8)
        for name, state in facts.items()
    }
    return Facts(columns, 1)


def evaluate(rules: Sequence[RedFlag], facts: States) -> tuple[RuleResult, ...]:
    """What the engine makes of every rule in one case."""
    states = states_of([rule.when for rule in rules], facts)
    results = []
    for rule in rules:
        hits = compile_rules([rule], states).hits(facts_in(states, facts))
        (result,) = [RuleResult(rule, h.outcome, h.because, h.not_asked) for h in hits] or [
            RuleResult(rule, "not_met")
        ]
        results.append(result)
    return tuple(results)


def urgency(results: Sequence[RuleResult]) -> str:
    fired = [LEVELS.index(one.rule.level) for one in results if one.outcome == "fired"]
    return LEVELS[min(fired, default=LEVELS.index("routine"))]


def evaluate_many(rules, facts, *, states=None, cases=None) -> np.ndarray:
    """Outcomes of N cases by the engine, (N, R)."""
    count = cases if cases is not None else len(next(iter(facts.values()), ()))
    compiled, known = compile_rules(rules, states or {}), Facts(facts, count)
    fired = as_table(compiled.fired(known), count)
    maybe = [where(one, known, possible=True) for one in compiled.conditions]
    possible = as_table(maybe, count)
    return np.where(fired, FIRED, np.where(possible, OPEN, NOT_MET)).astype(np.int8)


def urgency_many(rules, facts, *, states=None, cases=None) -> np.ndarray:
    count = cases if cases is not None else len(next(iter(facts.values()), ()))
    compiled = compile_rules(rules, states or {})
    return compiled.level_codes(compiled.fired(Facts(facts, count)), count)


def evaluate_texts(
    texts: Sequence[Text],
    settings: TextSettings,
    facts: States,
    causes: Mapping[str, float] | None = None,
    drivers: Mapping[str, float] | None = None,
    leading: str | None = None,
) -> tuple[TextHit, ...]:
    """What the engine shows of some texts in one case."""
    states = states_of([text.when for text in texts], facts)
    compiled = compile_texts(texts, settings, states)
    assert compiled is not None
    case = Matter(facts_in(states, facts), causes or {}, drivers or {}, leading)
    return compiled.shown(case)
