"""Tables of cases with what is known of their causes: what several commands take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bayesdx.errors import Fault, InvalidCase

if TYPE_CHECKING:
    from bayesdx.diagnosis.learning.labels import Others
    from bayesdx.diagnosis.learning.learning_table import LabelledInput
    from bayesdx.diagnosis.scoring import OnBadRow
    from bayesdx.tables.table_options import TableOptions

DiagnosisColumn = Annotated[str, typer.Option(metavar="COLUMN", help="The column of diagnoses.")]

#: How places begin in what is wrong with a table.
_OF_THE_TABLE = ("row ", "column", "cases", "weight")
_BAD_ROWS: dict[str, OnBadRow] = {"stop": "raise", "skip": "reject"}


def labelled_input(
    diagnosis: str, others: str | None, on_error: str, table: TableOptions
) -> LabelledInput:
    """Make of the options of a command line what the reader of labelled cases takes.

    Raises
    ------
    InvalidCase
        ``on_error`` is neither stop nor skip.
    """
    # Imported here: help does not wait for it.
    from bayesdx.diagnosis.learning.learning_table import LabelledInput

    if on_error not in _BAD_ROWS:
        raise InvalidCase(Fault("--on-error", " or ".join(_BAD_ROWS), on_error))
    # Any other word for the others is refused where labels are read, with those that there are.
    known = cast("Others | None", others)
    return LabelledInput(diagnosis, known, table.id, table.ignore, _BAD_ROWS[on_error], table.words)


@contextmanager
def faults_of(source: str) -> Iterator[None]:
    """Name the table in what is wrong with its rows and columns."""
    try:
        yield
    except InvalidCase as refusal:
        name = "standard input" if source == "-" else source
        raise InvalidCase(
            replace(one, place=f"{name}: {one.place}")
            if one.place.startswith(_OF_THE_TABLE)
            else one
            for one in refusal.faults
        ) from None
