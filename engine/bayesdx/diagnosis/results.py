"""How an answer stands, and any answer as records."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayesdx.frozen import FrozenDict, ReadOnly, seal, strict
from bayesdx.presentation.as_json import to_json
from bayesdx.presentation.layout import Block, Cell, Grid, Paragraph
from bayesdx.presentation.notebook import markup

Status = Literal["ok", "impossible", "no_findings", "too_complex", "rejected"]

OK: Status = "ok"
IMPOSSIBLE: Status = "impossible"
NO_FINDINGS: Status = "no_findings"
TOO_COMPLEX: Status = "too_complex"
#: A row of a table that cannot be read.
REJECTED: Status = "rejected"


#: Rows of a table that a notebook shows of an answer.
SHOWN = 10


class Result(ReadOnly):
    """An answer in named parts, which are the fields of a frozen dataclass.

    Mappings and arrays among them are read-only.
    """

    def __post_init__(self) -> None:
        for name, value in self.__dict__.items():
            if type(value) is dict:
                self.__dict__[name] = FrozenDict(value)
            if isinstance(value, np.ndarray | dict):
                seal(value)

    def records(self) -> dict[str, Any]:
        """Return every part in plain values, a table as one dict a row.

        Returns
        -------
        dict
            Of texts, numbers, booleans, None, lists and dicts of these.

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().rank_causes({"fair_pos": "present"}).records()["symptoms"]
        1
        """
        names = [one.name for one in dataclasses.fields(self) if one.repr]  # type: ignore[arg-type]
        return {name: plain(getattr(self, name)) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return every part as `to_json` writes it.

        Returns
        -------
        dict
            Of texts, finite numbers, booleans, None, lists and dicts of these. What JSON cannot
            say, NaN and the infinities, is None.

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().rank_causes({"fair_pos": "present"}).to_dict()["status"]
        'ok'
        """
        found: dict[str, Any] = strict(self.records())
        return found

    def to_json(self) -> str:
        """Return every part as strict JSON, without NaN and infinities.

        Returns
        -------
        str

        Examples
        --------
        >>> import bayesdx, json
        >>> text = bayesdx.load().rank_causes({"fair_pos": "present"}).to_json()
        >>> json.loads(text)["symptoms"]
        1
        """
        return to_json(self.records())

    def singles(self) -> dict[str, Any]:
        """Return the parts that are a single text, number or truth value.

        Returns
        -------
        dict

        Examples
        --------
        >>> import bayesdx
        >>> bayesdx.load().rank_causes({"fair_pos": "present"}).singles()
        {'symptoms': 1, 'status': 'ok'}
        """
        return {name: one for name, one in self._parts() if isinstance(one, str | int | float)}

    def __repr__(self) -> str:
        parts = []
        for name, value in self._parts():
            if isinstance(value, pd.DataFrame):
                parts.append(f"{name}: {len(value)} rows")
            elif isinstance(value, str | int | float) and value != "":
                parts.append(f"{name}={value:.6g}" if type(value) is float else f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        blocks: list[Block] = [Paragraph(repr(self))]
        for name, value in self._parts():
            if isinstance(value, pd.DataFrame) and len(value):
                blocks.append(_grid(name, value))
        return markup(blocks)

    def _parts(self) -> Iterator[tuple[str, Any]]:
        for one in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name) if one.repr else None
            if isinstance(value, Result):
                yield from ((f"{one.name}.{name}", part) for name, part in value._parts())
            elif one.repr:
                yield one.name, value


def _shown(cell: object) -> str:
    """A number to six digits; nothing where a row has no such number."""
    if isinstance(cell, float):
        return "" if np.isnan(cell) else f"{cell:.6g}"
    return "" if cell is None or cell is pd.NA else str(cell)


def _grid(name: str, table: pd.DataFrame) -> Grid:
    """The first rows of a table, index first, numbers to six digits."""
    shown = table.head(SHOWN).reset_index(drop=table.index.names == [None])
    cells: list[tuple[Cell, ...] | str] = [
        tuple(map(_shown, row)) for row in shown.itertuples(index=False, name=None)
    ]
    numbers = [pd.api.types.is_numeric_dtype(kind) for kind in shown.dtypes]
    texts = frozenset(at for at, number in enumerate(numbers) if not number)
    heads = [" ".join(map(str, np.atleast_1d(head))) for head in shown.columns.to_list()]
    more = len(table) - len(shown)
    notes = (f"and {more} rows more, in .{name}",) if more else ()
    return Grid(
        heads,
        cells,
        texts,
        notes,
        name,
    )


def plain(value: Any) -> Any:
    """Return a value in texts, numbers, booleans, None, lists and dicts of these.

    A table becomes one dict a row, the levels of a named index first; a result the dict of its
    `records`, or of its fields; a number that is missing becomes None, an infinite one stays.
    """
    if isinstance(value, pd.DataFrame):
        frame = value.reset_index() if value.index.names[0] is not None else value
        columns = [[plain(cell) for cell in frame[name].tolist()] for name in frame.columns]
        return [
            dict(zip(map(str, frame.columns), row, strict=True))
            for row in zip(*columns, strict=True)
        ]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray | pd.Series | pd.Index):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or value is pd.NA or value != value:
        return None
    if hasattr(value, "records"):
        return value.records()
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value
