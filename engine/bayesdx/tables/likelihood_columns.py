"""Soft evidence in tables: columns ``VARIABLE=STATE`` (virtual evidence, Pearl 1988).

A column ``fever=yes`` holds the likelihood of what was seen given that the state is ``yes``, up to
a factor of the row; the other states of the variable have columns too. A row that leaves all of
them blank says nothing of the variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bayesdx.diagnosis.distinct import Cells, distinct_cells
from bayesdx.diagnosis.values import WORDS, Words, as_number, is_missing
from bayesdx.errors import Fault, Phrase
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.name_lookup import typed

EXPECTED = "a likelihood: a number of at least 0, or all blank"


def likelihood_columns(
    encoder: Encoder, columns: Sequence[Any], place: str
) -> tuple[dict[int, list[Any]], list[Fault]]:
    """Find columns of likelihoods; of a variable all states have one, or there is a fault.

    Columns that name a variable, or no variable and state, are left to be read as they are.
    """
    found: dict[int, dict[int, Any]] = {}
    faults: list[Fault] = []
    for column in columns:
        meant = encoder.state_named(column) if isinstance(column, str) and "=" in column else None
        if meant is not None:
            v, state = meant
            if state in found.setdefault(v, {}):
                faults.append(Fault(place, "each column once", column))
            found[v][state] = column
    names = list(encoder.position)
    for v, by_state in found.items():
        lacking = [
            f"{names[v]}={state}"
            for state, at in encoder.states_of(v).items()
            if at not in by_state
        ]
        faults += [
            Fault(
                place,
                f"likelihoods of all states of {names[v]}: a column {one} too",
                Phrase("none"),
            )
            for one in lacking
        ]
    whole = {v: [one[s] for s in sorted(one)] for v, one in found.items()}
    return whole, faults


def likelihood_numbers(
    cells: Mapping[Any, Cells], columns: Sequence[Any], words: Words = WORDS
) -> tuple[FloatArray, list[tuple[IntArray, Any, Fault]]]:
    """Read the columns of one variable.

    Parameters
    ----------
    cells : mapping of column to cells (N,)
    columns : sequence
        The column of each state.
    words : Words
        How cells say that something is not known.

    Returns
    -------
    likelihoods : array (N, S)
        NaN in rows that say nothing, and in those with a fault.
    faults : list of (rows, column, Fault)
        What is no likelihood, without a place.
    """
    read, faults = [], list[tuple[IntArray, Any, Fault]]()
    for column in columns:
        codes, distinct = distinct_cells(cells[column])
        numbers = [_likelihood(value, words) for value in distinct]
        table = np.array([np.inf if one is None else one for one in numbers] + [np.nan])
        read.append(table[codes])
        for k in [k for k, one in enumerate(numbers) if one is None]:
            faults.append(
                (np.flatnonzero(codes == k), column, Fault("", EXPECTED, typed(distinct[k])[0]))
            )
    values = np.stack(read, axis=1)
    wrong = np.isinf(values).any(axis=1)
    partly = np.isnan(values).any(axis=1) & ~np.isnan(values).all(axis=1) & ~wrong
    for state, column in enumerate(columns):
        rows = np.flatnonzero(partly & np.isnan(values[:, state]))
        if len(rows):
            faults.append((rows, column, Fault("", EXPECTED, Phrase("blank beside numbers"))))
    values[wrong | partly] = np.nan
    return values, faults


def listed(
    faults: Sequence[tuple[IntArray, Any, Fault]], labels: Sequence[Any], most: int
) -> Iterator[Fault]:
    """Faults of a table by the label of their row and by column, at most so many of each kind."""
    for rows, column, fault in faults:
        for row in rows[:most].tolist():
            place = f"evidence, row {labels[row]}, column {column}"
            yield Fault(place, fault.expected, fault.got)


def _likelihood(value: object, words: Words) -> float | None:
    """The number that a cell is, NaN where it is blank; None where it is no likelihood."""
    if is_missing(value, words):
        return np.nan
    number = None if isinstance(value, bool | np.bool_) else as_number(value, words)
    return number if number is not None and np.isfinite(number) and number >= 0.0 else None
