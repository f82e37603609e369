"""Any question about one case, put to every case of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesdx.diagnosis.results import REJECTED, TOO_COMPLEX, Result
from bayesdx.errors import TooComplex

if TYPE_CHECKING:
    from bayesdx.diagnosis.cases import Cases
    from bayesdx.diagnosis.core import Core
    from bayesdx.inference.noisy.model import IntArray

#: Cases that are asked about together, at most: what is in memory for each are some megabytes.
TOGETHER = 64


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
    ask: Callable[[Cases], Sequence[Any]],
) -> ManyAnswers:
    """Put a question to every row that can be read.

    Parameters
    ----------
    core : Core
    frame : DataFrame
        Evidence only, one row a case.
    ask : function
        Answers some cases, each with a result that has a ``table``. `TooComplex` costs the case
        alone that is: the others are asked again one by one.

    Raises
    ------
    InvalidCase
        With every column that names nothing.
    """
    read, good, told = core.reader.read_frame(frame)
    singles: dict[int, dict[str, Any]] = {
        row: {"status": REJECTED, "fault": told.get(row, "")} for row in range(len(frame))
    }
    answers: dict[int, Any] = {}
    rows = np.flatnonzero(good)
    for first in range(0, len(rows), TOGETHER):
        for row, answer in _asked(read, rows[first : first + TOGETHER], ask):
            if isinstance(answer, TooComplex):
                singles[row] = {"status": TOO_COMPLEX, "fault": str(answer)}
            else:
                singles[row] = {"status": "", "fault": ""} | answer.singles()
                answers[row] = answer
    columns_of_none = None if len(frame) else ["status", "fault"]
    summary = pd.DataFrame([*singles.values()], index=frame.index, columns=columns_of_none)
    return ManyAnswers(summary, below_each_other(frame.index, answers))


def _asked(
    read: Cases, rows: IntArray, ask: Callable[[Cases], Sequence[Any]]
) -> Iterator[tuple[int, Any]]:
    """Yield the answer of each row, or the error that it is too complex."""
    try:
        yield from zip(rows.tolist(), ask(read.take(rows)), strict=True)
    except TooComplex as error:
        if len(rows) == 1:
            yield int(rows[0]), error
            return
        for half in np.array_split(rows, 2):
            yield from _asked(read, half, ask)


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
