"""Tables of cases of any kind as DataFrames, and answers as tables of the kind that came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesdx.case_columns import RESERVED
from bayesdx.diagnosis.distinct import words_of
from bayesdx.errors import Fault, InvalidCase, Phrase

#: A DataFrame, an Arrow table or record batch, a table of polars (or of any library that offers
#: the Arrow stream), a list of mappings or of Series, a mapping of columns; or one case: a mapping
#: or a Series.
CaseTable = Any
#: One case: a mapping, a Series, or a table of one row.
OneCase = Any

_TABLE = (
    "a table of cases: a DataFrame, an Arrow or polars table, a list of mappings, a mapping or a "
    "Series"
)
#: Rows of a table that is read in blocks, not held whole, at a time.
BLOCK_ROWS = 1 << 13
#: What makes a table of what is none yet.
_CURES = ("collect", "compute", "to_dataframe", "toPandas", "to_pandas", "df")


def cases_frame(cases: CaseTable, place: str = "cases") -> pd.DataFrame:
    """Return cases of any kind as a DataFrame, one row a case; see `CaseTable`.

    A DataFrame keeps its index, a Series gives its name; other rows are numbered from 0. Cells stay
    what they are; a key that a mapping of a list does not have is missing.

    Raises
    ------
    InvalidCase
        When it is nothing of the kind, with what would make a table of it; when there are two
        columns of one name.
    """
    frame = _frame(cases, place)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()].unique()
        raise InvalidCase([Fault("columns", "each column once", str(name)) for name in twice])
    return frame


def is_one_case(cases: CaseTable) -> bool:
    """Whether this is a mapping of names to single values, which need not become a table."""
    return isinstance(cases, Mapping) and not _by_columns(cases)


def one_case(findings: OneCase) -> Mapping[str, object]:
    """Return one case as a mapping, without the reserved names.

    Raises
    ------
    InvalidCase
        When it is no mapping of names to values, or a table of fewer or more rows than one.
    """
    if isinstance(findings, Mapping | pd.Series):
        told: Mapping[Any, object] = dict(findings.items())
        return {name: cell for name, cell in told.items() if name not in RESERVED}
    if not isinstance(findings, pd.DataFrame) and not hasattr(findings, "__arrow_c_stream__"):
        few = isinstance(findings, list) and len(findings) == 1
        if not few or not isinstance(findings[0], Mapping | pd.Series):
            raise InvalidCase(Fault("findings", "a mapping of names to values", _shown(findings)))
        return one_case(findings[0])
    frame = cases_frame(findings, "findings")
    if len(frame) != 1:
        expected = "one case (tables are for score and for the questions that end in _many)"
        raise InvalidCase(Fault("findings", expected, Phrase(f"a table of {len(frame)}")))
    return one_case(frame.iloc[0])


def as_given(answers: pd.DataFrame, cases: CaseTable) -> Any:
    """Return answers as a table of the kind that the cases were: Arrow, polars, else pandas."""
    kind = type(cases)
    library = kind.__module__.partition(".")[0]
    # A Series of polars can be a table too, of structs; answers would not fit into one.
    if library not in ("pyarrow", "polars") or (library == "polars" and kind.__name__ == "Series"):
        return answers
    import pyarrow as pa

    if library == "polars":
        return kind(pa.Table.from_pandas(answers, preserve_index=False).replace_schema_metadata())
    return pa.Table.from_pandas(answers)


def _frame(cases: CaseTable, place: str) -> pd.DataFrame:
    if isinstance(cases, pd.DataFrame):
        return cases
    if isinstance(cases, pd.Series):
        return _rows([cases], place)
    if isinstance(cases, Mapping):
        if not _by_columns(cases):
            return _rows([cases], place)
        try:
            return pd.DataFrame(dict(cases))
        except ValueError as error:
            raise InvalidCase(Fault(place, "columns of one length", Phrase(str(error)))) from None
    if isinstance(cases, np.ndarray) and cases.dtype.names:
        return pd.DataFrame.from_records(cases)
    if hasattr(cases, "__arrow_c_stream__") or hasattr(cases, "__arrow_c_array__"):
        return _from_arrow(cases, place)
    cure = next((name for name in _CURES if hasattr(cases, name)), "")
    if isinstance(cases, Iterable) and not isinstance(cases, str | bytes | np.ndarray) and not cure:
        return _rows(list(cases), place)
    expected = _TABLE + (f" (its .{cure}() gives one)" if cure else "")
    if isinstance(cases, str) or hasattr(cases, "__fspath__"):
        expected += " (pandas.read_csv and read_parquet read files)"
    raise InvalidCase(Fault(place, expected, _shown(cases)))


def _by_columns(cases: Mapping[Any, object]) -> bool:
    """Whether every value of a mapping is a column."""
    return bool(cases) and all(map(_is_column, cases.values()))


def _is_column(cells: object) -> bool:
    """Whether this is a list, or an array of any library; a text of NumPy's is none."""
    if isinstance(cells, str | bytes):
        return False
    return isinstance(cells, list | tuple) or (hasattr(cells, "__array__") and np.ndim(cells) == 1)


def _rows(rows: list[Any], place: str) -> pd.DataFrame:
    for row in rows:
        if not isinstance(row, Mapping | pd.Series):
            raise InvalidCase(Fault(place, _TABLE, Phrase(f"a row that is {_shown(row)}")))
    named = bool(rows) and all(isinstance(row, pd.Series) for row in rows)
    index = [0 if row.name is None else row.name for row in rows] if named else range(len(rows))
    columns = dict.fromkeys(key for row in rows for key in row.keys())  # noqa: SIM118 - of Series
    cells = {key: [row.get(key) for row in rows] for key in columns}
    try:
        frame = pd.DataFrame(cells, index=pd.Index(index), dtype=object)
    except UnicodeEncodeError as reason:
        name = next(key for key in cells if reason.object in (key, str(key)))
        raise InvalidCase(Fault(place, "names of columns that are text", name)) from None
    return frame.reset_index(drop=True) if named and frame.index.has_duplicates else frame


def _broken_text(table: Any) -> dict[str, Any]:
    """Find the columns of an Arrow table with text that is no UTF-8, which Arrow does not check."""
    import pyarrow as pa

    found = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            cells = column.combine_chunks()
            found[name] = cells.dictionary_decode() if hasattr(cells, "dictionary") else cells
    # Of columns of one name, nobody can say which is meant: they are refused as such.
    return found if len(set(table.column_names)) == table.num_columns else {}


def _from_arrow(cases: Any, place: str) -> pd.DataFrame:
    import pyarrow as pa

    try:
        table = cases if isinstance(cases, pa.Table) else pa.table(cases)
        for at, field in enumerate(table.schema):
            kind = field.type
            if pa.types.is_dictionary(kind) and pa.types.is_unsigned_integer(kind.index_type):
                # Categories of polars: not every version of Arrow takes them to pandas.
                words = pa.array(table.column(at).to_pylist())
                table = table.set_column(at, field.name, words)
        # Before pandas 3, one text that is no UTF-8 would keep all of them from being read.
        mixed = {name: words_of(texts) for name, texts in _broken_text(table).items()}
        for name in mixed:
            at = table.column_names.index(name)
            table = table.set_column(at, name, pa.nulls(len(table)))
        # Whole numbers beside missing ones stay whole.
        frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
        for name, cells in mixed.items():
            if name in frame:
                frame[name] = pd.Series(cells, frame.index, dtype=object)
    except UnicodeDecodeError:
        raise InvalidCase(Fault(place, "text in UTF-8", Phrase("bytes that are none"))) from None
    except (TypeError, ValueError, pa.ArrowException):
        raise InvalidCase(Fault(place, _TABLE, _shown(cases))) from None
    return frame


def _shown(value: object) -> object:
    """A value as a message shows it: what it is, where that says more than what is in it."""
    short = value is None or isinstance(value, str | bytes | int | float | list | tuple)
    kind = type(value)
    return value if short else Phrase(f"a {kind.__module__.partition('.')[0]} {kind.__name__}")
