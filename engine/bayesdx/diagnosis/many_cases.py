"""Any question about one case, put to every case of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesdx.diagnosis.results import REJECTED, TOO_COMPLEX, Result
from bayesdx.errors import TooComplex

if TYPE_CHECKING:
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.core import Core


@dataclass(frozen=True, eq=False, repr=False)
class ManyAnswers(Result):
    """The answers to one question about N cases, in long form.

    Attributes
    ----------
    cases : DataFrame
        One row a case with the caller's index: ``status``, which is ``rejected`` for a row that
        cannot be read; ``fault``, what is wrong with it, else empty; then every single value of an
        answer (of `Intervals`, `Surprise` ...), missing where there is no answer.
    table : DataFrame
        The tables of the answers one below the other; the label of the case, ``case``, is the first
        level of the index.
    """

    cases: pd.DataFrame
    table: pd.DataFrame


def ask_each(
    core: Core,
    frame: pd.DataFrame,
    ask: Callable[[Cases], Any],
    together: Callable[[Cases], Sequence[Any]] | None = None,
) -> ManyAnswers:
    """Put a question to every row that can be read.

    Parameters
    ----------
    core : Core
    frame : DataFrame
        Evidence only, one row a case.
    ask : function
        Answers one case with a result that has a ``table``; `TooComplex` costs that case alone.
    together : function, optional
        The same for many cases at once, which is tried first.

    Raises
    ------
    InvalidCase
        With every column that names nothing.
    """
    columns = {name: frame[name].array for name in frame.columns}
    read, good, faults = core.reader.read_rows(columns, len(frame), range(len(frame)))
    told: dict[int, str] = {}
    for row, fault in faults:
        told.setdefault(row, str(fault))
    answers: dict[int, Any] = {}
    rows = np.flatnonzero(good)
    if together is not None and len(rows):
        try:
            answers = dict(zip(rows.tolist(), together(read.take(rows)), strict=True))
        except TooComplex:
            answers = {}
    singles = []
    for row in range(len(frame)):
        single: dict[str, Any] = {"status": REJECTED, "fault": told.get(row, "")}
        if good[row]:
            try:
                answer = answers[row] if row in answers else ask(read.take(np.array([row])))
                answers[row] = answer
                single = {"status": "", "fault": ""} | answer.singles()
            except TooComplex as error:
                single = {"status": TOO_COMPLEX, "fault": str(error)}
        singles.append(single)
    summary = pd.DataFrame(singles, index=frame.index, columns=None if singles else _FIRST)
    return ManyAnswers(
        summary, below_each_other(frame.index, {k: answers[k] for k in sorted(answers)})
    )


_FIRST = ["status", "fault"]


def below_each_other(index: pd.Index, answers: dict[int, Any]) -> pd.DataFrame:
    """Return the tables of answers by position of their case, the case's label first."""
    if not answers:
        return pd.DataFrame(index=pd.Index([], name="case"))
    names = list(next(iter(answers.values())).table.index.names)
    # A table without rows has nothing to say of the kinds of its columns.
    full = {row: one for row, one in answers.items() if len(one.table)} or answers
    tables = [answer.table.reset_index() for answer in full.values()]
    rows = np.repeat(list(full), [len(table) for table in tables])
    result = pd.concat(tables, ignore_index=True)
    result.insert(0, "case", index.to_flat_index().take(rows))
    labelled: pd.DataFrame = result.set_index(["case", *names])
    return labelled
