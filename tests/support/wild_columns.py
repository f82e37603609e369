"""Arrow columns of every type, with the values of each that nobody expects."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal

import pyarrow as pa
from random_cells import random_text

_DAY = datetime.date(2024, 5, 1)
_TIME = datetime.datetime(2024, 5, 1, 12, 30)
_WORDS = ("present", "absent", "", "thigh", "0.5", "41", "ja", "1e-400", None, "é", "present\0")

#: Types, each with values of it. What cannot be made (an overflow) becomes a column of nulls.
TYPES: tuple[tuple[pa.DataType, tuple[object, ...]], ...] = (
    (pa.string(), _WORDS),
    (pa.large_string(), _WORDS),
    (pa.string_view(), _WORDS),
    (pa.dictionary(pa.int32(), pa.string()), _WORDS),
    (pa.dictionary(pa.int8(), pa.int64()), (0, 1, 41, None)),
    (pa.dictionary(pa.int8(), pa.float64()), (0.0, 0.5, None)),
    (pa.bool_(), (True, False, None)),
    *((kind, (0, 1, 2, 41, 127, None)) for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.int32())),
    (pa.int64(), (0, 1, 41, -(2**63), 2**63 - 1, None)),
    (pa.uint64(), (0, 1, 41, 2**64 - 1, None)),
    (pa.float16(), (None,)),
    (pa.float32(), (0.0, 1.0, 0.5, float("nan"), float("inf"), 1e-45, 16777217.0, None)),
    (pa.float64(), (0.0, 1.0, 0.5, 41.0, float("nan"), -float("inf"), 5e-324, -0.0, 1e308, None)),
    (pa.decimal128(10, 3), (Decimal("0.5"), Decimal("41.000"), None)),
    (pa.decimal256(60, 30), (Decimal("0.5"), None)),
    (pa.date32(), (_DAY, None)),
    (pa.date64(), (_DAY, None)),
    (pa.timestamp("ns"), (_TIME, None)),
    (pa.timestamp("s", tz="Europe/Berlin"), (_TIME, None)),
    (pa.time64("us"), (_TIME.time(), None)),
    (pa.duration("ms"), (datetime.timedelta(days=3), None)),
    (pa.binary(), (b"present", b"\xff", b"", None)),
    (pa.large_binary(), (b"1", None)),
    (pa.binary(4), (b"abcd", None)),
    (pa.null(), (None,)),
    (pa.list_(pa.int64()), ([1], [], None)),
    (pa.large_list(pa.string()), (["present"], None)),
    (pa.struct([("a", pa.int64())]), ({"a": 1}, None)),
    (pa.map_(pa.string(), pa.int64()), ([("a", 1)], None)),
    (pa.list_(pa.list_(pa.struct([("b", pa.string())]))), ([[{"b": "x"}]], None)),
)


def random_column(rng: random.Random, rows: int) -> pa.Array:
    """A column of one type; of text in half the draws."""
    if rng.random() < 0.3:
        texts = [random_text(rng).encode("utf-8", "surrogatepass") for _ in range(rows)]
        # Arrow does not check that bytes of this type are text.
        return pa.array(texts, pa.binary()).view(pa.string())
    kind, values = rng.choice(TYPES if rng.random() < 0.6 else TYPES[:7])
    cells = [rng.choice(values) for _ in range(rows)]
    try:
        return pa.array(cells, kind)
    except (pa.ArrowException, OverflowError, TypeError):
        return pa.nulls(rows, pa.null())
