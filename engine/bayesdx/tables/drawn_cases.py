"""Tables of cases drawn from the model, in chunks, and labelled as what they are.

Every row says in its column ``source`` that it is synthetic, by which seed and which knowledge;
Parquet files say it in their metadata with all options. Columns: ``case_id``, ``source``, ``note``
(``stranger`` where a case is outside the model; only if some may be), risks, findings, measures,
and with `truth` ``expected_cause``: all true causes joined by ``;``, ``unexplained`` for none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bayesdx.checked_numbers import is_whole
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.engine import Engine
from bayesdx.diagnosis.scoring import UNEXPLAINED
from bayesdx.diagnosis.synthetic import (
    BLOCK,
    MOST_CASES,
    CaseSampler,
    Column,
    SampleOptions,
    Told,
    ToldCases,
)
from bayesdx.errors import BayesdxError, Fault

#: Rows of a chunk, unless said otherwise.
CHUNK_ROWS = 4 * BLOCK
#: Key of the Parquet metadata that holds what a synthetic file was drawn with, as JSON.
METADATA_KEY = b"bayesdx.synthetic"
STRANGER = "stranger"

_WORD = pa.dictionary(pa.int8(), pa.string())
_MANY_WORDS = pa.dictionary(pa.int16(), pa.string())


class SampleTables:
    """The cases of one seed, as Arrow tables.

    Parameters
    ----------
    knowledge : Engine or Core
    n_cases : int
    options : SampleOptions
    truth : bool
        Add the true causes.

    Attributes
    ----------
    label : str
        What stands in the column ``source``.
    schema : pyarrow.Schema

    Raises
    ------
    BayesdxError
        If the number of cases is not between 1 and `MOST_CASES`.
    """

    def __init__(
        self,
        knowledge: Engine | Core,
        n_cases: int,
        options: SampleOptions | None = None,
        *,
        truth: bool = False,
    ) -> None:
        if not is_whole(n_cases, 1, MOST_CASES):
            raise BayesdxError(Fault("number of cases", f"1 to {MOST_CASES:,}", n_cases))
        core = knowledge.core if isinstance(knowledge, Engine) else knowledge
        self._options = options or SampleOptions()
        self._truth = truth
        self._causes = core.causes
        self._sampler = CaseSampler(core, self._options)
        self.n_cases = n_cases
        card, digest = core.knowledge.model, core.knowledge.digest
        # No comma: the text needs no quotation marks in CSV.
        self.label = f"synthetic; seed {self._options.seed}; knowledge {card.version} {digest[:12]}"
        self._words = {
            column.name: pa.array(column.words, pa.string())
            for column in self._sampler.columns
            if column.words is not None
        }
        self.schema = self._schema(digest)
        self._told_fields = [self.schema.field(column.name) for column in self._sampler.columns]

    def _schema(self, digest: str) -> pa.Schema:
        fields = [("case_id", pa.string()), ("source", _WORD)]
        if self._options.strangers:
            fields.append(("note", _WORD))
        fields += [(column.name, _type(column)) for column in self._sampler.columns]
        if self._truth:
            fields.append(("expected_cause", pa.string()))
        made_with = {
            "label": self.label,
            "not_patients": "drawn from the model itself; says nothing about accuracy",
            "knowledge_digest": digest,
            "cases": self.n_cases,
            "options": asdict(self._options),
        }
        return pa.schema(fields, metadata={METADATA_KEY: json.dumps(made_with)})

    def chunks(
        self, chunk_rows: int = CHUNK_ROWS, *, first: int = 0, stop: int | None = None
    ) -> Iterator[pa.Table]:
        """Draw the cases from ``first`` to before ``stop``, in order.

        Parameters
        ----------
        chunk_rows : int
            Rows of each table but the last; which cases they are does not depend on it.
        first, stop : int
            Case numbers; all cases by default.

        Yields
        ------
        pyarrow.Table
            With the columns of `schema`. Not told is null.
        """
        stop = self.n_cases if stop is None else min(stop, self.n_cases)
        held: list[pa.Table] = []
        rows = 0
        for block in range(first // BLOCK, -(-stop // BLOCK)):
            begin, end = max(first - block * BLOCK, 0), min(stop - block * BLOCK, BLOCK)
            held.append(self._block(block).slice(begin, end - begin))
            rows += end - begin
            while rows >= chunk_rows:
                whole = pa.concat_tables(held).combine_chunks()
                yield whole.slice(0, chunk_rows).combine_chunks()
                rows -= chunk_rows
                held = [whole.slice(chunk_rows)] if rows else []
        if rows:
            yield pa.concat_tables(held).combine_chunks()

    def _block(self, block: int) -> pa.Table:
        told = self._sampler.block(block)
        columns = [_case_ids(self._options.seed, block), _constant(self.label, BLOCK)]
        if self._options.strangers:
            note = Told(np.zeros(BLOCK, dtype=np.int8), told.strangers)
            columns.append(_column(note, _WORD, pa.array([STRANGER])))
        columns += [
            _column(cells, field.type, self._words.get(field.name))
            for cells, field in zip(told.cells, self._told_fields, strict=True)
        ]
        if self._truth:
            columns.append(self._true_causes(told))
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _true_causes(self, told: ToldCases) -> pa.Array:
        """Name the causes of each case; cases that have the same share one text."""
        packed = np.packbits(told.causes, axis=1)
        distinct, inverse = np.unique(packed, axis=0, return_inverse=True)
        rows = np.unpackbits(distinct, axis=1, count=len(self._causes)).astype(bool)
        texts = [
            ";".join(name for name, true in zip(self._causes, row, strict=True) if true)
            or UNEXPLAINED
            for row in rows
        ]
        return pa.array(texts).take(pa.array(inverse.ravel()))


def _type(column: Column) -> pa.DataType:
    if column.words is None:
        return pa.float64()
    return _WORD if len(column.words) <= 128 else _MANY_WORDS


def _column(cells: Told, kind: pa.DataType, words: pa.Array | None) -> pa.Array:
    """Make an Arrow column of what is told, without copying the values."""
    held = kind if words is None else kind.index_type
    values = np.ascontiguousarray(cells.values, dtype=held.to_pandas_dtype())
    valid = pa.py_buffer(np.packbits(cells.told, bitorder="little"))
    codes = pa.Array.from_buffers(held, len(values), [valid, pa.py_buffer(values)])
    if words is None:
        return codes
    # Not checked again: the codes are positions among these words.
    return pa.DictionaryArray.from_arrays(codes, words, safe=False)


def _constant(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int8), pa.array([text]))


def _case_ids(seed: int, block: int) -> pa.Array:
    numbers = pa.array(np.arange(block * BLOCK, (block + 1) * BLOCK)).cast(pa.string())
    return pc.binary_join_element_wise(f"s{seed}", pc.utf8_lpad(numbers, 9, "0"), "-")
