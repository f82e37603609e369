"""Tables as bytes that can be put one after the other: CSV, JSON lines, Arrow streams."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.tables.sources.formats import CSV, JSON_LINES, PARQUET

#: Digits of posteriors hardly compress; more effort takes many times as long for a few per cent.
COMPRESSION_LEVEL = 1
#: A spreadsheet takes a cell that begins so for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FORMULA = f"^'*[{''.join(FORMULA_STARTS)}]".replace("-", r"\-")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

Encoder = Callable[[pa.Table, bool], bytes]


def encoder(kind: str, compression: str, *, escape: bool = True) -> Encoder:
    """Return what encodes a table, the first one with its header.

    Parameters
    ----------
    kind : {"csv", "jsonl", "parquet"}
        Tables for Parquet become Arrow streams here; row groups cannot be put one after the other
        before all of them are known.
    compression : {"", "gz", "zst"}
        Each piece is a gzip member or a zstandard frame of its own. Readers of these formats read
        them as one; the bytes hold no time, so they do not change from run to run.

    Returns
    -------
    function of (Table, bool) to bytes
    """
    encoders = {JSON_LINES: json_bytes, PARQUET: arrow_bytes}
    encode = partial(csv_bytes, escape=escape) if kind == CSV else encoders[kind]
    return lambda table, header: compressed(encode(table, header), compression)


def compressed(data: bytes, compression: str) -> bytes:
    """Compress one piece; readers take the pieces one after the other for one file."""
    if compression == "gz":
        return gzip.compress(data, COMPRESSION_LEVEL, mtime=0)
    if compression == "zst":
        packed: bytes = pa.Codec("zstd", COMPRESSION_LEVEL).compress(data, asbytes=True)
        return packed
    return data


def csv_bytes(table: pa.Table, header: bool, *, marks: bool = True, escape: bool = True) -> bytes:
    """Return CSV: numbers so that reading them gives the same float64, text harmless.

    Parameters
    ----------
    table : Table
    header : bool
        Begin with the names of the columns.
    marks : bool
        All text in quotation marks; otherwise only where some text needs them.
    escape : bool
        An apostrophe before text that a spreadsheet would run.

    Raises
    ------
    InvalidCase
        A column holds what is no cell, such as lists, or text that is not UTF-8.
    """
    _check_flat(table)
    named = [str(neutral(name)) if escape else name for name in table.column_names]
    names = csv_header(named) if header else b""
    table = harmless(table) if escape else table
    for style in ("none", "needed")[marks:]:
        sink = pa.BufferOutputStream()
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style=style)
        try:
            pyarrow.csv.write_csv(table, sink, options)
            break
        except pa.ArrowInvalid as reason:
            if style == "needed":
                expected = "columns of UTF-8 text, numbers, true and false or dates"
                raise InvalidCase(Fault("output", expected, Phrase(str(reason)))) from reason
    rows: bytes = sink.getvalue().to_pybytes()
    return names + rows


def _check_flat(table: pa.Table) -> None:
    expected = "text, numbers, true and false or dates (only Parquet holds others)"
    nested = [one for one in table.schema if pa.types.is_nested(one.type)]
    if nested:
        faults = [Fault(f"column {one.name}", expected, Phrase(str(one.type))) for one in nested]
        raise InvalidCase(faults)


def csv_header(names: Sequence[str]) -> bytes:
    """Return a header line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(names)
    return text.getvalue().encode()


def neutral(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula; numbers stay.

    Text that begins with apostrophes and then so gets one more, so that two texts never become one:
    whoever takes one apostrophe away from a cell that begins with some and then with one of
    `FORMULA_STARTS` has what was written.
    """
    if not isinstance(cell, str) or not cell.lstrip("'").startswith(FORMULA_STARTS):
        return cell
    return cell if _PLAIN_NUMBER.fullmatch(cell) else f"'{cell}"


def harmless(table: pa.Table) -> pa.Table:
    """Put an apostrophe before text that a spreadsheet would run; numbers as text stay."""
    for position, field in enumerate(table.schema):
        if not pa.types.is_string(field.type):
            continue
        column = table.column(position)
        risky = pc.match_substring_regex(column, _FORMULA)
        if not pc.any(risky).as_py():
            continue
        risky = pc.fill_null(risky, False)
        changed = pa.array([neutral(cell) for cell in column.filter(risky).to_pylist()])
        cells = pc.replace_with_mask(column.combine_chunks(), risky.combine_chunks(), changed)
        table = table.set_column(position, field, cells)
    return table


def json_bytes(table: pa.Table, header: bool) -> bytes:  # noqa: ARG001 - as the other encoders
    """Return JSON lines; what is not finite becomes null, which JSON has no number for.

    Raises
    ------
    InvalidCase
        As `csv_bytes`.
    """
    _check_flat(table)
    pieces: list[pa.Array | pa.Scalar] = []
    for position, name in enumerate(table.column_names):
        opening = "{" if position == 0 else ", "
        pieces.append(pa.scalar(f"{opening}{json.dumps(name)}: "))
        pieces.append(_json_cells(table.column(position).combine_chunks()))
    pieces.append(pa.scalar("}\n"))
    lines = pc.binary_join_element_wise(*pieces, pa.scalar(""))
    if isinstance(lines, pa.ChunkedArray):
        lines = lines.combine_chunks()
    return _joined(lines)


def _json_cells(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
        text = column.cast(pa.string())
    elif pa.types.is_integer(kind):
        text = column.cast(pa.string())
    elif pa.types.is_boolean(kind):
        text = pc.if_else(column, "true", "false")
    else:
        # Each distinct text is escaped once.
        coded = column.cast(pa.string()).dictionary_encode()
        escaped = [json.dumps(cell, ensure_ascii=False) for cell in coded.dictionary.to_pylist()]
        text = pa.array(escaped, type=pa.string()).take(coded.indices)
    return pc.fill_null(text, "null")


def _joined(lines: pa.Array) -> bytes:
    """Return the bytes of all texts of an array, which lie one after the other."""
    if not len(lines):
        return b""
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32)
    first, last = offsets[lines.offset], offsets[lines.offset + len(lines)]
    return bytes(memoryview(lines.buffers()[2])[first:last])


def arrow_bytes(table: pa.Table, header: bool) -> bytes:  # noqa: ARG001 - as the other encoders
    """Return an Arrow stream of one table."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data
