"""The smallest sets of findings that, known otherwise or not at all, change an answer.

Exact and exhaustive: all changes of one finding are answered in one batch, then all of two, and so
on, until a size at which the first cause or the urgency changes, or a bound is met. Sets of that
size are then all found, and no smaller set exists.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bayesdx.checked_numbers import is_whole
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.results import Result
from bayesdx.diagnosis.scoring import STATUSES, Scores, score_cases
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.noisy.model import IntArray
from bayesdx.knowledge.red_flag_schema import LEVELS

Target = Literal["first", "urgency"]
TARGETS: tuple[Target, Target] = ("first", "urgency")

#: Findings changed at once, and rows of one batch, at most.
LARGEST, MOST_ROWS = 3, 20_000
#: Sets that are told for each target.
SHOWN = 10
UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False, repr=False)
class Flips(Result):
    """Smallest sets of findings that change an answer.

    Attributes
    ----------
    table : DataFrame
        A row a set, smallest first and, among sets of one size, the greatest new posterior first:
        target (``first`` or ``urgency``), size, changes (``fever: present to absent; ...``),
        result (the new first cause or urgency), posterior (of the new first cause).
    searched : mapping of str to int
        By target, the size up to which every set was tried.
    found : mapping of str to int
        By target, how many sets of the smallest size there are; 0 where none was found up to
        ``searched``. Of many only the first are in ``table``.
    bound : str
        In words, what was not searched; empty when nothing was left out.
    """

    table: pd.DataFrame
    searched: Mapping[Target, int]
    found: Mapping[Target, int]
    bound: str


_Change = tuple[tuple[str, str], ...]


def smallest_flips(
    core: Core,
    findings: Mapping[str, object],
    *,
    largest: int = LARGEST,
    most_rows: int = MOST_ROWS,
) -> Flips:
    """Find the smallest sets of given findings that change the first cause, and the urgency.

    Every finding, risk and measure that is given may become unknown; one with states may also get
    any other state. Changes that contradict what else is given, or that leave nothing known or
    something impossible, are no changes of an answer and are left out.

    Parameters
    ----------
    core : Core
    findings : mapping
        As for `Engine.diagnose`.
    largest : int
        Most findings changed at once, at least 1.
    most_rows : int
        Most cases of one size; a size with more is not searched.

    Raises
    ------
    InvalidCase
        When the case cannot be read, or a bound is not positive.
    """
    faults = [
        Fault(name, "a number of at least 1", value)
        for name, value in (("largest", largest), ("most_rows", most_rows))
        if not is_whole(value, 1)
    ]
    if faults:
        raise InvalidCase(faults)
    cases = core.read_case(findings)
    options = _options(core, core.understood(cases), findings)
    base = score_cases(core, cases)
    rows: list[dict[str, object]] = []
    searched: dict[Target, int] = dict.fromkeys(TARGETS, 0)
    found: dict[Target, int] = dict.fromkeys(TARGETS, 0)
    bound = ""
    for size in range(1, min(largest, len(options)) + 1):
        left = [target for target in TARGETS if not found[target]]
        if not left:
            break
        changes = list(itertools.islice(_changes(options, size), most_rows + 1))
        if len(changes) > most_rows:
            bound = f"sets of {size} findings and more were not searched: over {most_rows} of them"
            break
        scores, at = _answered(core, findings, changes)
        for target in left:
            hits = _hits(target, base, scores)
            searched[target], found[target] = size, len(hits)
            order = np.argsort(-scores.posterior[hits, :-1].max(axis=1), kind="stable")
            for n in hits[order][:SHOWN]:
                rows.append(_row(core, target, size, changes[at[n]], scores, int(n), findings))
    if not bound and not all(found.values()) and largest < len(options):
        bound = f"sets of more than {largest} findings were not searched"
    columns = ["target", "size", "changes", "result", "posterior"]
    return Flips(pd.DataFrame(rows, columns=columns), searched, found, bound)


def _options(
    core: Core, understood: Mapping[str, str], findings: Mapping[str, object]
) -> dict[str, tuple[str, ...]]:
    """Other values of each given finding, by the name it was given."""
    options = {}
    for name, value in findings.items():
        own = core.read_case({name: value}).given[0]
        if np.isnan(own[1][0]):
            continue
        states = core.states.get(own[0], ())
        is_number = core.knowledge.measures.get(own[0]) is not None and own[0] not in core.states
        others = () if is_number else states
        options[name] = (*(one for one in others if one != understood.get(own[0])), UNKNOWN)
    return options


def _changes(options: Mapping[str, Sequence[str]], size: int) -> Iterator[_Change]:
    for names in itertools.combinations(options, size):
        for values in itertools.product(*(options[name] for name in names)):
            yield tuple(zip(names, values, strict=True))


def _answered(
    core: Core, findings: Mapping[str, object], changes: Sequence[_Change]
) -> tuple[Scores, IntArray]:
    """Score the changed cases that can be read; return with them the positions of their changes."""
    columns: dict[str, list[object]] = {
        name: [value] * len(changes) for name, value in findings.items()
    }
    for row, change in enumerate(changes):
        for name, value in change:
            columns[name][row] = value
    cases, good, _ = core.reader.read_rows(columns, len(changes), range(len(changes)))
    scores = score_cases(core, cases)
    usable = good & (scores.status == STATUSES.index("ok"))
    at = np.flatnonzero(usable)
    part = Scores(
        scores.posterior[at],
        scores.log_evidence[at],
        scores.status[at],
        scores.urgency[at],
        scores.flags[at],
    )
    return part, at


def _hits(target: Target, base: Scores, scores: Scores) -> IntArray:
    if target == "urgency":
        return np.flatnonzero(scores.urgency != base.urgency[0])
    first = base.posterior[0, :-1].argmax()
    return np.flatnonzero(scores.posterior[:, :-1].argmax(axis=1) != first)


def _row(
    core: Core,
    target: Target,
    size: int,
    change: _Change,
    scores: Scores,
    row: int,
    findings: Mapping[str, object],
) -> dict[str, object]:
    first = int(scores.posterior[row, :-1].argmax())
    return {
        "target": target,
        "size": size,
        "changes": "; ".join(f"{name}: {findings[name]} to {value}" for name, value in change),
        "result": core.causes[first] if target == "first" else LEVELS[scores.urgency[row]],
        "posterior": float(scores.posterior[row, first]),
    }
