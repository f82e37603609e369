"""Red flags: rules on what was found, which no posterior can outrank.

A rule is *fired*, *not met*, or *open* because something it needs was not asked. The three are
Kleene's true, false and unknown, written here as the ordered numbers 2, 0 and 1, so that

* "and" is the smallest of the parts,
* "or" is the largest,
* "not" is 2 minus the part, and
* "at least n of" is the n-th largest.

`evaluate` reads one case and says why; `evaluate_many` does the same for a table of cases, without
the reasons. Neither looks at probabilities.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np
import numpy.typing as npt

from bayesdx.errors import Fault, InvalidCase, nearest_names
from bayesdx.knowledge.red_flag_schema import (
    LEVELS,
    AtLeast,
    Item,
    Level,
    RedFlag,
    When,
    leaves,
    read_leaf,
)

Outcome = Literal["fired", "open", "not_met"]
Codes = npt.NDArray[np.int8]

FIRED, NOT_MET, OPEN = 1, 0, -1
"""What `evaluate_many` writes for each outcome."""

_FALSE, _UNKNOWN, _TRUE = 0, 1, 2
_OUTCOMES: tuple[Outcome, ...] = ("not_met", "open", "fired")
_CODES: Codes = np.array([NOT_MET, OPEN, FIRED], dtype=np.int8)
_TWO_STATES = ("absent", "present")
_ROUTINE = LEVELS.index("routine")
_SELF_CARE = LEVELS.index("self_care")


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What became of one rule in one case.

    Attributes
    ----------
    rule : RedFlag
        The rule.
    outcome : str
        ``"fired"``, ``"open"`` (what was not asked may still make it fire) or ``"not_met"``.
    because : tuple of str
        The leaves that made a fired rule true, as the rule writes them; otherwise empty.
    not_asked : tuple of str
        The ids whose answers keep an open rule open; otherwise empty.
    """

    rule: RedFlag
    outcome: Outcome
    because: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()


def evaluate(rules: Iterable[RedFlag], facts: Mapping[str, str | None]) -> tuple[RuleResult, ...]:
    """Apply every rule to one case.

    Parameters
    ----------
    rules : iterable of RedFlag
        The rules, as `read_knowledge` returns them.
    facts : mapping of str to str or None
        The state of each finding and risk that is known, thresholds and measures already resolved.
        A missing id and None both mean "not known".

    Returns
    -------
    tuple of RuleResult
        One for each rule, in the order of the rules.
    """
    return tuple(_apply(rule, facts) for rule in rules)


def evaluate_many(
    rules: Sequence[RedFlag],
    facts: Mapping[str, npt.ArrayLike],
    *,
    states: Mapping[str, Sequence[str]] | None = None,
    cases: int | None = None,
) -> Codes:
    """Apply every rule to many cases.

    Parameters
    ----------
    rules : sequence of RedFlag
        The rules.
    facts : mapping of str to (N,) int8
        For each finding and risk the state index of every case, -1 where it is not known. An id
        that is left out is known in no case.
    states : mapping of str to sequence of str, optional
        State names, in the order of the indices, of ids with other states than absent, present.
    cases : int, optional
        N; needed only when `facts` is empty.

    Returns
    -------
    (N, R) int8
        `FIRED` (1), `NOT_MET` (0) or `OPEN` (-1).

    Raises
    ------
    InvalidCase
        When a rule names a state that its id does not have, or the arrays differ in length.
    """
    columns = {name: np.asarray(column) for name, column in facts.items()}
    count = _number_of_cases(columns, cases)
    truths = _leaf_truths(rules, columns, states or {}, count)
    outcomes = np.empty((count, len(rules)), dtype=np.int8)
    for at, rule in enumerate(rules):
        outcomes[:, at] = _CODES[_combine_many(rule.when, truths)]
    return outcomes


def urgency(results: Iterable[RuleResult]) -> Level:
    """Return the urgency of one case.

    Parameters
    ----------
    results : iterable of RuleResult
        What `evaluate` returned.

    Returns
    -------
    str
        The highest level that fired; ``"routine"`` when nothing fired, and ``"self_care"`` only
        when a self-care rule fired and no other rule did.
    """
    fired = [LEVELS.index(result.rule.level) for result in results if result.outcome == "fired"]
    return LEVELS[min(fired, default=_ROUTINE)]


def urgency_many(rules: Sequence[RedFlag], outcomes: npt.ArrayLike) -> Codes:
    """Return the urgency of many cases.

    Parameters
    ----------
    rules : sequence of RedFlag
        The rules that were applied.
    outcomes : (N, R) int8
        What `evaluate_many` returned for them.

    Returns
    -------
    (N,) int8
        The index of each case's level in `LEVELS`.
    """
    levels: Codes = np.array([LEVELS.index(rule.level) for rule in rules], dtype=np.int8)
    beyond = np.int8(len(LEVELS))
    fired = np.where(np.asarray(outcomes) == FIRED, levels, beyond)
    highest = fired.min(axis=1, initial=beyond)
    return np.where(highest == beyond, np.int8(_ROUTINE), highest).astype(np.int8)


def considered(
    results: Iterable[RuleResult], labels: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Say which emergency and urgent rules are open, and what they wait for.

    A rule that is not met is passed over in silence: the text must never read as an all-clear.

    Parameters
    ----------
    results : iterable of RuleResult
        What `evaluate` returned.
    labels : mapping of str to str, optional
        Readable names of the ids.

    Returns
    -------
    tuple of str
        One line for each such rule, the most pressing level first.
    """
    names = labels or {}
    pressing = [r for r in results if r.outcome == "open" and r.rule.level in LEVELS[:2]]
    pressing.sort(key=lambda result: LEVELS.index(result.rule.level))
    return tuple(
        f"{result.rule.level}, {result.rule.title}: cannot be ruled out: not asked: "
        f"{', '.join(names.get(name, name) for name in result.not_asked)}."
        for result in pressing
    )


def _apply(rule: RedFlag, facts: Mapping[str, str | None]) -> RuleResult:
    outcome = _OUTCOMES[combine(rule.when, facts)]
    because = _unique(true_leaves(rule.when, facts)) if outcome == "fired" else ()
    asked_for = (read_leaf(leaf).subject for leaf in unknown_leaves(rule.when, facts))
    return RuleResult(rule, outcome, because, _unique(asked_for) if outcome == "open" else ())


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _truth(item: Item, facts: Mapping[str, str | None]) -> int:
    if isinstance(item, When):
        return combine(item, facts)
    test = read_leaf(item)
    state = facts.get(test.subject)
    if state is None:
        return _UNKNOWN
    return _TRUE if state in test.states else _FALSE


def combine(when: When, facts: Mapping[str, str | None]) -> int:
    """Return whether a condition holds: 2 true, 0 false, 1 unknown.

    Parameters
    ----------
    when : When
        The condition.
    facts : mapping of str to str or None
        As for `evaluate`.
    """
    parts = [_truth(item, facts) for item in when.all]
    parts += [_TRUE - _truth(item, facts) for item in when.none]
    if when.any:
        parts.append(max(_truth(item, facts) for item in when.any))
    if when.at_least is not None:
        parts.append(_truth_of_count(when.at_least, facts))
    return min(parts)


def _truth_of_count(at_least: AtLeast, facts: Mapping[str, str | None]) -> int:
    ranked = sorted((_truth(item, facts) for item in at_least.of), reverse=True)
    return ranked[at_least.count - 1]


def true_leaves(when: When, facts: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the leaves on which a true condition rests; what `none` excludes is no reason.

    Parameters
    ----------
    when : When
        A condition that is true of `facts`.
    facts : mapping of str to str or None
        As for `evaluate`.
    """
    of = when.at_least.of if when.at_least is not None else ()
    for item in (*when.all, *when.any, *of):
        if _truth(item, facts) == _TRUE:
            if isinstance(item, When):
                yield from true_leaves(item, facts)
            else:
                yield item


def unknown_leaves(when: When, facts: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the leaves whose answers could still decide an unknown condition.

    Parameters
    ----------
    when : When
        A condition that is unknown of `facts`.
    facts : mapping of str to str or None
        As for `evaluate`.
    """
    for item in _undecided(when, facts):
        if _truth(item, facts) == _UNKNOWN:
            if isinstance(item, When):
                yield from unknown_leaves(item, facts)
            else:
                yield item


def _undecided(when: When, facts: Mapping[str, str | None]) -> Iterator[Item]:
    """Yield the items of the parts that are not decided yet."""
    yield from when.all
    if when.any and max(_truth(item, facts) for item in when.any) == _UNKNOWN:
        yield from when.any
    if when.at_least is not None and _truth_of_count(when.at_least, facts) == _UNKNOWN:
        yield from when.at_least.of
    yield from when.none


def _number_of_cases(columns: Mapping[str, npt.NDArray[np.integer]], cases: int | None) -> int:
    shapes = {name: column.shape for name, column in columns.items()}
    count = cases
    if count is None:
        count = next((shape[0] for shape in shapes.values() if len(shape) == 1), 0)
    faults = [
        Fault(f"facts[{name!r}]", f"an array of shape {(count,)}", shape)
        for name, shape in shapes.items()
        if shape != (count,)
    ]
    if faults:
        raise InvalidCase(faults)
    return count


def _leaf_truths(
    rules: Iterable[RedFlag],
    columns: Mapping[str, npt.NDArray[np.integer]],
    states: Mapping[str, Sequence[str]],
    count: int,
) -> dict[str, Codes]:
    """Return the truth of every leaf in every case; each (N,)."""
    unknown = np.full(count, _UNKNOWN, dtype=np.int8)
    truths: dict[str, Codes] = {}
    faults: dict[str, Fault] = {}
    for leaf in sorted(frozenset[str]().union(*(leaves(rule.when) for rule in rules))):
        test = read_leaf(leaf)
        column = columns.get(test.subject)
        if column is None:
            truths[leaf] = unknown
            continue
        names = states.get(test.subject, _TWO_STATES)
        found = _leaf_faults(leaf, column, names)
        if found:
            faults.update(found)
            continue
        # One entry more than there are states: index -1, unknown, reads the last.
        table = [_TRUE if name in test.states else _FALSE for name in names] + [_UNKNOWN]
        truths[leaf] = np.array(table, dtype=np.int8)[column]
    if faults:
        raise InvalidCase(faults.values())
    return truths


def _leaf_faults(
    leaf: str, column: npt.NDArray[np.integer], names: Sequence[str]
) -> dict[str, Fault]:
    """Return what keeps a leaf from being looked up, by its text, so that each is said once."""
    test = read_leaf(leaf)
    faults = [
        Fault(
            f"states of {test.subject!r}, which a red flag asks for as {leaf!r}",
            f"one of {', '.join(names)}",
            state,
            nearest_names(state, names),
        )
        for state in test.states
        if state not in names
    ]
    place = f"facts[{test.subject!r}]"
    if not np.issubdtype(column.dtype, np.integer):
        faults.append(Fault(place, "an array of integers", str(column.dtype)))
    else:
        for index in (column.min(initial=-1), column.max(initial=-1)):
            if not -1 <= index < len(names):
                faults.append(Fault(place, f"indices from -1 to {len(names) - 1}", int(index)))
    return {str(fault): fault for fault in faults}


def _truth_many(item: Item, truths: Mapping[str, Codes]) -> Codes:
    return _combine_many(item, truths) if isinstance(item, When) else truths[item]


def _combine_many(when: When, truths: Mapping[str, Codes]) -> Codes:
    """Combine (N,) truths as `combine` does."""
    parts = [_truth_many(item, truths) for item in when.all]
    parts += [np.subtract(np.int8(_TRUE), _truth_many(item, truths)) for item in when.none]
    if when.any:
        parts.append(reduce(np.maximum, [_truth_many(item, truths) for item in when.any]))
    if when.at_least is not None:
        ranked = np.sort([_truth_many(item, truths) for item in when.at_least.of], axis=0)
        parts.append(ranked[-when.at_least.count])
    return reduce(np.minimum, parts)
