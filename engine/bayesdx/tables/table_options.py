"""How the input of a run is written, and what its columns are for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bayesdx.case_columns import ColumnRoles, column_roles
from bayesdx.diagnosis.values import Words
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.dialect import Dialect
from bayesdx.tables.sources.formats import CSV, format_of
from bayesdx.tables.sources.opening import open_cases

if TYPE_CHECKING:
    from bayesdx.tables.sources.chunks import CaseSource


@dataclass(frozen=True)
class TableOptions:
    """How the input is written, and what its columns are for.

    Attributes
    ----------
    dialect : Dialect
    words : Words
    id : str, optional
        The column that names the cases, `case_id` by default.
    keep : tuple of str
        Columns that are copied to the output; one that names a finding is evidence all the same.
    ignore : tuple of str
        Columns that are no evidence.
    """

    dialect: Dialect = field(default_factory=Dialect)
    words: Words = field(default_factory=Words)
    id: str | None = None
    keep: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def faults(self, source: str | Path) -> list[Fault]:
        """Say which marks of numbers and cells cannot be those of an input."""
        kind, decimal = format_of(source, None)[0], self.words.decimal
        if kind != CSV:
            got = Phrase(str(source))
            return [Fault("options", "CSV for --decimal", got)] if decimal != "." else []
        if decimal != (self.dialect.mark or ","):
            return []
        expected = "another mark between cells than the decimal one (--delimiter ';')"
        return [Fault("delimiter", expected, decimal)]

    def plain(self, knows: Callable[[str], bool]) -> frozenset[str]:
        """Return the columns that are certainly no evidence, besides the reserved ones."""
        kept = [name for name in self.keep if not knows(name)]
        return frozenset([*kept, *self.ignore, *([self.id] if self.id else [])])

    def as_dict(self) -> dict[str, Any]:
        """Return the options for a JSON document."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]


class KnownColumns(Protocol):
    """What says which columns are evidence: a subject of a run, or the names of a knowledge."""

    def knows(self, name: str, /) -> bool:
        """Whether a column of this name is."""

    def check_columns(self, names: Iterable[str], /) -> None:
        """Refuse columns that are none."""


def open_table(
    source: str | Path, evidence: KnownColumns, table: TableOptions, chunk_rows: int
) -> CaseSource:
    """Open the input of a run; see `open_cases`."""
    plain = table.plain(evidence.knows)
    return open_cases(source, chunk_rows=chunk_rows, dialect=table.dialect, plain=plain)


def roles_of(
    evidence: KnownColumns, source: CaseSource, table: TableOptions, answers: Iterable[str] = ()
) -> ColumnRoles:
    """Say what each column is for, and refuse those that are for nothing.

    Parameters
    ----------
    evidence : KnownColumns
    source : CaseSource
        The opened table; faults of columns name it.
    table : TableOptions
    answers : iterable of str
        Columns of the answer, of which a copied one must not have the name.

    Raises
    ------
    InvalidCase
        With every option that names no column, or every column that is neither evidence nor about
        the case.
    """
    roles = column_roles(
        source.columns,
        evidence.knows,
        id=table.id,
        keep=table.keep,
        ignore=table.ignore,
        answers=answers,
    )
    try:
        evidence.check_columns(roles.evidence)
    except InvalidCase as refusal:
        raise InvalidCase(
            replace(one, place=f"{source.name}: column") if one.place == "column" else one
            for one in refusal.faults
        ) from None
    return roles
