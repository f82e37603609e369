"""What to ask next: every open question at once, with what each answer would change.

How much an answer tells is measured as the *expected information about the causes*: the mutual
information of the answer and each cause, given what is known, added up over the modelled causes,
in bits. It is by how much the sum of the entropies of the single causes is expected to fall. The
joint distribution of all causes has too many states to be summed over; this sum follows exactly
from the posteriors that each answer gives, treats every cause alike, and is never negative.
Dependence between causes is left out, so it is neither an upper nor a lower bound of the
information about all of them together.

Red-flag questions come first: those with an answer that by itself makes a rule above the present
urgency fire, the most pressing level first, within a level what costs least. All others follow by
information per cost. Observations, which the model gives no probability, carry none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bayesdx.checked_names import is_one_of, names_of
from bayesdx.checked_numbers import is_whole
from bayesdx.diagnosis.asking.certificate import Certificate, certify
from bayesdx.diagnosis.asking.inquiries import inquiries_of, observers_of
from bayesdx.diagnosis.asking.outlook import Outlook, outlooks_of
from bayesdx.diagnosis.asking.question_order import Ranking, ranking
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.clashes import smallest_clash
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.results import IMPOSSIBLE, Result, Status, plain
from bayesdx.errors import Fault, InvalidCase, nearest_names, unknown_names
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.knowledge.question_schema import effort_of
from bayesdx.knowledge.red_flag_schema import LEVELS, Level
from bayesdx.knowledge.schema import Observer


@dataclass(frozen=True, eq=False, repr=False)
class NextQuestions(Result):
    """What can still be asked about one case, the best question first.

    Probabilities and what is computed from them are of pandas' type ``Float64`` and ``<NA>`` where
    the model has none: for answers that it does not tell apart (observations), and in an
    impossible case.

    Attributes
    ----------
    table : DataFrame
        Index ``question`` (id of a finding, risk or measure):

        - label, text, kind, observed_by, category, measure (may be given in its place);
        - red_flag_level, red_flags: the rules above the present urgency that an answer fires by
          itself, joined by ``;``, and their highest level; empty without one;
        - information: expected information about the causes in bits, of the one cause that was
          asked for where there is one; information_per_cost;
        - p_rises, p_falls: P(the urgency becomes more, less pressing);
          expected_change: expected steps towards more urgent;
        - cost, delay_hours; cost_basis, cost_source: what these two rest on;
        - where a cause was asked for: raising_answer, raised_to, lowering_answer, lowered_to: the
          answers that move its posterior furthest up and down, and how far.
    answers : DataFrame
        Index (``question``, ``answer``), in the same order: name and value (what `Engine.diagnose`
        takes), probability, urgency with the answer, fires (rules above the present urgency), and
        the first cause; where a cause was asked for also its posterior.
    certificate : Certificate
        Whether any answer that is left could change the urgency; worked out when first looked at.
    urgency : str
        As things stand.
    status : str
        ``"ok"``, ``"impossible"`` or ``"no_findings"``.
    clashes : tuple of str
        When impossible: a smallest set of what was given that cannot occur together.
    cause : str
        The cause that was asked for, or empty.
    observed_by : tuple of str
        Who can answer; empty when everything was looked at.
    outlook : Outlook
        The case behind it, for further questions; copies go without.
    """

    table: pd.DataFrame
    answers: pd.DataFrame
    urgency: Level
    status: Status
    clashes: tuple[str, ...]
    cause: str
    observed_by: tuple[str, ...]
    outlook: Outlook = field(repr=False)

    @cached_property
    def certificate(self) -> Certificate:
        """Whether any answer that is left could change the urgency."""
        return certify(self.outlook, self.observed_by)

    def __getstate__(self) -> dict[str, Any]:
        # A copy for another process is finished here: it goes without the engine.
        state = {name: value for name, value in self.__dict__.items() if name != "outlook"}
        return state | {"certificate": self.certificate}

    def records(self) -> dict[str, Any]:
        """Return everything in plain values, the certificate last."""
        return super().records() | {"certificate": plain(self.certificate)}


def next_questions(
    core: Core,
    findings: Any,
    *,
    cause: str | None = None,
    observed_by: str | Sequence[str] | None = None,
    without: Collection[str] = (),
    limit: int | None = None,
) -> NextQuestions:
    """Rank everything that is not known of one case; see `Engine.next_questions`.

    Where one cause is asked about, red-flag questions keep their columns, and the order is that of
    information about the cause per cost. Questions that could not be answered (``without``) are no
    part of the certificate either.
    """
    case = core.read_case(findings)
    return questions_of(
        core, case, cause=cause, observed_by=observed_by, without=without, limit=limit
    )[0]


def questions_of(
    core: Core,
    cases: Cases,
    *,
    cause: str | None = None,
    observed_by: str | Sequence[str] | None = None,
    without: Collection[str] = (),
    limit: int | None = None,
) -> list[NextQuestions]:
    """Do so for N cases that were read, all together; see `next_questions`.

    Raises
    ------
    TooComplex
        If one of them is beyond the limits.
    """
    without = names_of("without", "the id of a question, or several", without)
    observers, position = _checked(core, cause, observed_by, without, limit)
    outlooks = outlooks_of(core, cases, observers or None, without)
    return [_ranked(one, cause, position, observers, limit) for one in outlooks]


def _ranked(
    outlook: Outlook,
    cause: str | None,
    position: int | None,
    observers: tuple[Observer, ...],
    limit: int | None,
) -> NextQuestions:
    ranked = ranking(outlook, position)
    order, columns = ranked.order[:limit], _columns(outlook, ranked, position)
    clashes: tuple[str, ...] = ()
    if outlook.status == IMPOSSIBLE:
        core = outlook.core
        clashes = smallest_clash(core.model, outlook.cases.evidence, core.backend)
    return NextQuestions(
        table=_table(outlook, order, columns),
        answers=_answers(outlook, ranked, order, position),
        urgency=LEVELS[outlook.level[-1]],
        status=outlook.status,
        clashes=clashes,
        cause=cause or "",
        observed_by=observers,
        outlook=outlook,
    )


def _checked(
    core: Core,
    cause: str | None,
    observed_by: str | Sequence[str] | None,
    without: Collection[str],
    limit: int | None,
) -> tuple[tuple[Observer, ...], int | None]:
    """Return the observers, and the position of the cause in the model."""
    faults = []
    position = None
    if cause is not None:
        names = [core.model.causes[i] for i in core.modelled]
        if is_one_of(cause, names):
            position = int(core.modelled[names.index(cause)])
        else:
            near = nearest_names(str(cause), names)
            faults.append(Fault("cause", "the id of a modelled cause", cause, near))
    named = names_of("observed_by", "an observer, or several", observed_by)
    found: list[Observer] = []
    for name in named:
        observers = observers_of(core.knowledge, name)
        if observers is None:
            known = [one.id for one in core.knowledge.askers]
            known += ["patient", "examiner", "laboratory", "imaging"]
            expected = f"one of {', '.join(known)}"
            faults.append(Fault("observed_by", expected, name, nearest_names(str(name), known)))
        else:
            found += observers
    known = [one.id for one in core.once(inquiries_of).every]
    faults += unknown_names("without", "the id of a question", without, known)
    if limit is not None and not is_whole(limit, 1):
        faults.append(Fault("limit", "a whole number above 0", limit))
    if faults:
        raise InvalidCase(faults)
    return tuple(dict.fromkeys(found)), position


def _columns(outlook: Outlook, ranked: Ranking, position: int | None) -> dict[str, Any]:
    """Compute the columns of all open inquiries."""
    rises, falls, change = _urgency_changes(outlook)
    levels = [*LEVELS, ""]
    columns: dict[str, Any] = {
        "red_flag_level": [levels[at] for at in ranked.red_flag],
        "red_flags": _named(outlook, ranked.flags, outlook.first),
        "information": ranked.information,
        "information_per_cost": ranked.information_per_cost,
        "p_rises": rises,
        "p_falls": falls,
        "expected_change": change,
    }
    return columns if position is None else columns | _shifts(outlook, position)


def _named(outlook: Outlook, flags: BoolArray, first: IntArray) -> list[str]:
    names = [rule.id for rule in outlook.core.knowledge.red_flags]
    if not len(first):
        return []
    some = np.logical_or.reduceat(flags, first, axis=0)
    texts = [""] * len(first)
    for at in np.flatnonzero(some.any(axis=1)):
        texts[at] = ";".join(names[i] for i in np.flatnonzero(some[at]))
    return texts


def _urgency_changes(outlook: Outlook) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(rises), P(falls) and the expected steps towards more urgent of each inquiry, (I,)."""
    steps = outlook.level[-1] - outlook.level[:-1].astype(np.float64)
    first = outlook.first
    if not len(first):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    starts = np.flatnonzero(np.diff(outlook.shared, prepend=-1))
    lows, highs = (f.reduceat(steps, starts) for f in (np.minimum, np.maximum))
    of_inquiry = np.flatnonzero(np.diff(outlook.owner[starts], prepend=-1))
    found = []
    for low, high in ((lows > 0, highs > 0), (lows < 0, highs < 0), (lows, highs)):
        # Answers that the model does not tell apart have no shares of their probability.
        share = np.where(low == high, low * outlook.probability[starts], np.nan)
        # What cannot happen changes nothing.
        share = np.where(outlook.probability[starts] == 0.0, 0.0, share)
        found.append(np.add.reduceat(share, of_inquiry))
    return found[0], found[1], found[2]


def _shifts(outlook: Outlook, position: int) -> dict[str, Any]:
    """The answers that move one cause furthest up and down."""
    first, choices = outlook.first, outlook.inquiries.choices
    posterior = outlook.causes[:, position]
    open_ = ~(outlook.probability == 0.0)
    ends = np.append(first, len(posterior))[1:]
    columns: dict[str, Any] = {}
    for word, pick, worst in (("rais", np.argmax, -np.inf), ("lower", np.argmin, np.inf)):
        usable = np.where(open_, posterior, worst)
        at = [int(a + pick(usable[a:b])) for a, b in zip(first, ends, strict=True)]
        columns[f"{word}ing_answer"] = [choices[outlook.choice[i]].label for i in at]
        columns[f"{word}ed_to"] = posterior[at]
    return columns


def _blank_frames(core: Core) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is the same in every case: a row an inquiry, and a row a choice."""
    inquiries = core.once(inquiries_of)
    every, efforts = inquiries.every, core.knowledge.efforts
    words = ("label", "text", "kind", "observed_by", "category", "measure", "cost", "delay_hours")
    content: dict[str, Any] = {word: [getattr(one, word) for one in every] for word in words}
    rests = [effort_of(efforts, one.observed_by, one.category) for one in every]
    content["cost_basis"] = ["" if one is None else one.basis for one in rests]
    content["cost_source"] = ["" if one is None else one.source for one in rests]
    ids = pd.Index([one.id for one in every], name="question")
    told = inquiries.choices
    both = [ids[inquiries.owner], pd.Index([one.label for one in told])]
    answers = pd.DataFrame(
        {"name": [one.name for one in told], "value": [one.value for one in told]},
        index=pd.MultiIndex.from_arrays(both, names=["question", "answer"]),
    )
    return pd.DataFrame(content, index=ids), answers


def _table(outlook: Outlook, order: IntArray, columns: dict[str, Any]) -> pd.DataFrame:
    blank, _ = outlook.core.once(_blank_frames)
    table = blank.take(outlook.owner[outlook.first][order])
    own = {name: np.asarray(values)[order] for name, values in columns.items()}
    return _beside(table, own)


def _beside(table: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Put columns beside a table, numbers as pandas' own type, in one go."""
    typed = {
        name: _numbers(one) if np.asarray(one).dtype == np.float64 else one
        for name, one in columns.items()
    }
    return pd.concat([table, pd.DataFrame(typed, index=table.index)], axis=1)


def _answers(
    outlook: Outlook, ranked: Ranking, order: IntArray, position: int | None
) -> pd.DataFrame:
    core, (_, blank) = outlook.core, outlook.core.once(_blank_frames)
    first = np.append(outlook.first, len(outlook.choice))
    rows = np.concatenate([np.arange(0), *(np.arange(first[i], first[i + 1]) for i in order)])
    rows = rows.astype(np.intp)
    shared = np.bincount(outlook.shared, minlength=1)[outlook.shared[rows]] > 1
    probability = np.where(shared, np.nan, outlook.probability[rows])
    possible = ~(probability == 0.0) & (outlook.status != IMPOSSIBLE)
    leading = core.modelled[outlook.causes[np.ix_(rows, core.modelled)].argmax(axis=1)]
    names = np.array(core.model.causes, dtype=object)
    answers = blank.take(outlook.choice[rows])
    own: dict[str, Any] = {
        "probability": probability,
        "urgency": np.array(LEVELS, dtype=object)[outlook.level[rows]],
        "fires": _named(outlook, ranked.flags[rows], np.arange(len(rows))),
        "first": np.where(possible, names[leading], ""),
    }
    if position is not None:
        own["posterior"] = np.where(possible, outlook.causes[rows, position], np.nan)
    return _beside(answers, own)


def _numbers(values: FloatArray) -> pd.api.extensions.ExtensionArray:
    """Numbers in which NaN, "the model has none", is pandas' missing value."""
    return pd.arrays.FloatingArray(np.nan_to_num(values), np.isnan(values))
