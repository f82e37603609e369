"""Parquet, one file or a folder of them, as a stream of chunks."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bayesdx.errors import Fault, InvalidCase, Phrase, first_line
from bayesdx.tables.reserved import RESERVED
from bayesdx.tables.sources.chunks import CODED_TEXT, CaseChunk, CaseSource, RowFault
from bayesdx.tables.sources.formats import (
    PARQUET_SUFFIXES,
    STANDARD_INPUT,
    STANDARD_STREAM,
    unreadable,
)
from bayesdx.tables.sources.headers import header_faults
from bayesdx.tables.sources.streams import FileStamp, file_stamp

#: What pandas calls an index that it only numbered; no column of the cases.
_BARE_INDEX = "__index_level_"
_ERRORS = (pa.ArrowException, OSError, ValueError)


class ParquetSource(CaseSource):
    """Cases in Parquet; values keep their types.

    Columns have one type throughout: where the files of a folder differ, numbers become float64
    and anything else text. A folder is read in the order of its file names, numbers in them
    counted as numbers.
    """

    typed = True

    def __init__(self, source: str | Path, chunk_rows: int, plain: Collection[str] = ()) -> None:
        self._plain = frozenset((*RESERVED, *plain))
        if str(source) == STANDARD_STREAM:
            got = Phrase("a stream, whose end cannot be read first")
            raise InvalidCase(Fault(STANDARD_INPUT, "Parquet in a file", got))
        path = Path(source)
        self.name = str(path)
        self._folder = path if path.is_dir() else None
        self.paths = (path,) if self._folder is None else tuple(_files(path))
        self._chunk_rows = chunk_rows
        opened = [_metadata(one) for one in self.paths]
        metadata = [one for one, _ in opened]
        self._file_rows = [one.num_rows for one in metadata]
        self._stamps = dict(zip(self.paths, (stamp for _, stamp in opened), strict=True))
        self.size = sum(stamp.size for stamp in self._stamps.values())
        self.rows = sum(self._file_rows)
        schemas = [one.schema.to_arrow_schema() for one in metadata]
        self.columns, self._schema = _agreed(schemas, self.paths, self._plain)
        self._done = 0

    def chunks(self, skip: int = 0) -> Iterator[CaseChunk]:
        """Yield the chunks; row groups that are skipped are not read."""
        first = skip * self._chunk_rows
        held: list[pa.Table] = []
        count = 0
        for table in self._tables(first):
            held.append(table)
            count += len(table)
            if count < self._chunk_rows:
                continue
            whole = pa.concat_tables(held)
            while count >= self._chunk_rows:
                yield _chunk(self.name, first, whole.slice(0, self._chunk_rows))
                first += self._chunk_rows
                self._done = first
                count -= self._chunk_rows
                whole = whole.slice(self._chunk_rows)
            held = [whole]
        if count:
            yield _chunk(self.name, first, pa.concat_tables(held))
        self._done = self.rows or 0

    def progress(self) -> float | None:
        """Share of the rows that were read."""
        return self._done / self.rows if self.rows else 1.0

    def digest(self) -> str:
        """SHA-256 of the file; of a folder, of the name and digest of each file in order."""
        if self._folder is None:
            return self._digest(self.paths[0])
        whole = hashlib.sha256()
        for path in self.paths:
            name = path.relative_to(self._folder).as_posix()
            whole.update(f"{name}\0{self._digest(path)}\n".encode())
        return whole.hexdigest()

    def _digest(self, path: Path) -> str:
        """SHA-256 of a file, if it is still the one whose rows are read."""
        with self._same(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

    @contextmanager
    def _same(self, path: Path) -> Iterator[BinaryIO]:
        """Open a file that must be the one that it was, and must stay so meanwhile."""
        try:
            file = path.open("rb")
        except OSError as reason:
            raise InvalidCase(unreadable(path, reason)) from reason
        with file:
            for moment in ("before", "after"):
                if file_stamp(file) != self._stamps[path]:
                    got = Phrase("one that was changed while it was read")
                    raise InvalidCase(Fault(str(path), "a file that stays as it is", got))
                if moment == "before":
                    yield file

    def close(self) -> None:
        """Files are open only while they are read."""

    def _tables(self, first: int) -> Iterator[pa.Table]:
        """Tables in order, from record ``first`` on; row groups before it are not read."""
        for path, rows in zip(self.paths, self._file_rows, strict=True):
            if first >= rows:
                first -= rows
                continue
            with self._same(path) as file:
                try:
                    yield from self._read(file, first)
                except _ERRORS as reason:
                    got = Phrase(first_line(reason))
                    raise InvalidCase(Fault(str(path), "a Parquet file", got)) from reason
            first = 0

    def _read(self, source: BinaryIO, first: int) -> Iterator[pa.Table]:
        # By their names in the file, which may have blanks around them.
        names = zip(self._schema.names, self.columns, strict=True)
        coded = [name for name, column in names if column not in self._plain]
        with pq.ParquetFile(source, read_dictionary=coded, page_checksum_verification=True) as file:
            groups: list[int] = []
            for group in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if not groups and first >= rows:
                    first -= rows
                else:
                    groups.append(group)
            batches = file.iter_batches(
                batch_size=min(self._chunk_rows, 1 << 16),
                row_groups=groups,
                columns=list(self._schema.names),
                use_threads=False,
            )
            for batch in batches:
                if first >= len(batch):
                    first -= len(batch)
                    continue
                table = pa.table(batch.slice(first)).select(self._schema.names)
                first = 0
                yield _cast(table, self._schema).rename_columns(list(self.columns))


def _files(folder: Path) -> list[Path]:
    """Parquet files in a folder and the folders in it, links among them, in natural order."""
    found: list[Path] = []
    faults: list[Fault] = []

    def skipped(reason: OSError) -> None:
        faults.append(unreadable(Path(reason.filename), reason))

    for place, folders, names in os.walk(folder, onerror=skipped):
        # Spark and Dask keep their own notes in names that begin so.
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        for name in folders:
            if (linked := Path(place, name)).is_symlink():
                # It may lead round in a circle; left out, its rows would be lost.
                faults.append(Fault(str(linked), "folders that are no links", Phrase("a link")))
        for name in names:
            path = Path(place, name)
            if name.startswith(("_", ".")) or path.suffix.lower() not in PARQUET_SUFFIXES:
                continue
            if not path.is_file():
                got = Phrase("a link to nothing" if path.is_symlink() else "something else")
                faults.append(Fault(str(path), "a file", got))
            found.append(path)
    if faults:
        raise InvalidCase(faults)
    if not found:
        got = Phrase("none")
        raise InvalidCase(Fault(str(folder), "Parquet files in the folder", got))
    return sorted(found, key=lambda path: _natural(path.relative_to(folder).as_posix()))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Order of names in which part.2 stands before part.10."""
    pieces = re.split(r"([0-9]+)", name)
    key = [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces]
    return [*key, (1, 0, name)]


def _metadata(path: Path) -> tuple[pq.FileMetaData, FileStamp]:
    try:
        with path.open("rb") as file:
            stamp = file_stamp(file)
            if stamp is None:
                raise InvalidCase(Fault(str(path), "a Parquet file", Phrase("a pipe or a device")))
            return pq.read_metadata(file), stamp
    except OSError as reason:
        if reason.errno is not None:
            raise InvalidCase(unreadable(path, reason)) from reason
        raise _no_parquet(path, reason) from reason
    except _ERRORS as reason:
        raise _no_parquet(path, reason) from reason


def _agreed(
    schemas: list[pa.Schema], paths: tuple[Path, ...], plain: Collection[str]
) -> tuple[tuple[str, ...], pa.Schema]:
    """Columns and one type each for all files; every fault of their headers at once."""
    raw = [name for name in schemas[0].names if not name.startswith(_BARE_INDEX)]
    columns = tuple(name.strip() for name in raw)
    faults = header_faults(columns, str(paths[0]), 1)
    if not raw:
        faults.append(Fault(str(paths[0]), "columns", Phrase("none")))
    for schema, path in zip(schemas[1:], paths[1:], strict=True):
        names = [name for name in schema.names if not name.startswith(_BARE_INDEX)]
        if sorted(names) != sorted(raw):
            expected = f"the columns of {paths[0].name}"
            differing = sorted(set(names) ^ set(raw)) or names
            faults.append(Fault(str(path), expected, Phrase(f"a difference in {differing}")))
    if faults:
        raise InvalidCase(faults)
    fields = []
    for name, label in zip(raw, columns, strict=True):
        kinds = [_plain(schema.field(name).type) for schema in schemas]
        kind = _common(kinds)
        if label not in plain and not _is_readable(kind):
            place = f"{paths[0]}:1:{raw.index(name) + 1}"
            expected = f"text, numbers or true and false in {label}"
            faults.append(Fault(place, expected, Phrase(f"{kind}")))
        if pa.types.is_string(kind) and label not in plain:
            kind = CODED_TEXT
        fields.append(pa.field(name, kind))
    if faults:
        raise InvalidCase(faults)
    return columns, pa.schema(fields)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values: dictionaries opened, all kinds of text and bytes as one.

    Decimals are read as the numbers nearest to them.
    """
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_decimal(kind):
        return pa.float64()
    text = pa.types.is_large_string(kind) or kind == pa.string_view() or _is_bytes(kind)
    return pa.string() if text else kind


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    kinds = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    return any(is_one(kind) for is_one in kinds) or kind == pa.binary_view()


def _common(kinds: list[pa.DataType]) -> pa.DataType:
    told = list(dict.fromkeys(kind for kind in kinds if not pa.types.is_null(kind)))
    if not told:
        return pa.string()
    if len(told) == 1:
        return told[0]
    if all(pa.types.is_integer(kind) for kind in told):
        return pa.int64()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in told):
        return pa.float64()
    return pa.string()


def _is_readable(kind: pa.DataType) -> bool:
    types = pa.types
    simple = (types.is_string, types.is_boolean, types.is_integer, types.is_floating)
    return any(is_one(kind) for is_one in simple)


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field, column in zip(schema, table.columns, strict=True):
        if column.type != field.type:
            if pa.types.is_dictionary(column.type) and _is_bytes(column.type.value_type):
                column = column.cast(column.type.value_type)
            if _is_bytes(column.type):
                # Whatever bytes they are: those that are no UTF-8 are told of with their row.
                column = column.cast(pa.string(), safe=False)
            if field.type == CODED_TEXT and not pa.types.is_dictionary(column.type):
                column = column.cast(pa.string()).dictionary_encode()
            with suppress(pa.ArrowNotImplementedError):
                column = column.cast(field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, names=schema.names)


def _chunk(name: str, first: int, table: pa.Table) -> CaseChunk:
    cells = table.unify_dictionaries().combine_chunks()
    rows = np.arange(first, first + len(cells), dtype=np.int64)
    count, faults = len(cells), _text_faults(name, rows, cells)
    if faults:
        sound = np.ones(count, dtype=bool)
        sound[[fault.row - first for fault in faults]] = False
        cells, rows = cells.filter(pa.array(sound)), rows[sound]
    # A dictionary holds what other rows use as well, of this chunk or of its row group.
    for number, column in enumerate(cells.columns):
        if any(not _is_text(part.dictionary) for part in column.chunks if _is_coded_text(part)):
            texts = column.cast(pa.string()).dictionary_encode()
            cells = cells.set_column(number, cells.schema.field(number).name, texts)
    return CaseChunk(first, count, cells, rows, rows + 1, faults)


def _text_faults(name: str, rows: NDArray[np.int64], cells: pa.Table) -> tuple[RowFault, ...]:
    """Find the rows with text that is not UTF-8, which Parquet does not check."""
    faults: dict[int, RowFault] = {}
    for number, column in enumerate(cells.columns, start=1):
        for chunk in column.chunks:
            coded = pa.types.is_dictionary(chunk.type)
            texts = chunk.dictionary if coded else chunk
            if not pa.types.is_string(texts.type) or _is_text(texts):
                continue
            raw = texts.view(pa.binary()).to_pylist()
            wrong = {at: text for at, text in enumerate(raw) if text and not _is_utf8(text)}
            codes = chunk.indices.to_pylist() if coded else range(len(chunk))
            for position, code in enumerate(codes):
                if code in wrong:
                    row = int(rows[position])
                    fault = Fault(f"{name}:{row + 1}:{number}", "UTF-8 text", wrong[code])
                    faults.setdefault(row, RowFault(row, fault))
    return tuple(faults[row] for row in sorted(faults))


def _is_coded_text(array: pa.Array) -> bool:
    kind = array.type
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _is_text(texts: pa.Array) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _no_parquet(path: Path, reason: BaseException) -> InvalidCase:
    return InvalidCase(Fault(str(path), "a Parquet file", Phrase(first_line(reason))))
