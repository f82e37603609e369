"""Distinct cells, each once."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bayesdx.diagnosis.distinct import distinct_cells

WORDS = [None, np.nan, "present", "".join(["pre", "sent"]), "absent", 1, True, 0.0, "", pd.NA]


@pytest.mark.parametrize("rows", [1, 99, 100, 1000])
@pytest.mark.parametrize("words", [WORDS, [str(number) for number in range(2000)]], ids=len)
@pytest.mark.parametrize("step", [1, 2])
def test_repeated_objects_are_numbered_as_each_cell_by_itself(
    rows: int, words: list[object], step: int
) -> None:
    drawn = np.random.default_rng(rows).integers(0, len(words), rows * step)
    cells = np.array([words[at] for at in drawn] + [None], dtype=object)[:-1][::step]
    codes, distinct = pd.factorize(cells)
    for column in (cells, pd.Series(cells).array, list(cells)):
        found, texts = distinct_cells(column)
        if rows == 1:
            assert len(found) == len(texts) == 1
            continue
        assert found.tolist() == codes.tolist()
        assert list(map(repr, texts)) == list(map(repr, distinct))


def test_text_that_arrow_holds(recwarn: pytest.WarningsRecorder) -> None:
    cells = pd.array(["a", None, "b", "a"] * 50, dtype="string[pyarrow]")
    codes, distinct = distinct_cells(cells)
    assert codes[:4].tolist() == [0, -1, 1, 0]
    assert list(distinct) == ["a", "b"]


def test_half_floats_of_arrow() -> None:
    cells = pa.array(np.array([0.5, 1.0, 0.5], dtype=np.float16))
    for array in (cells, pa.chunked_array([cells])):
        codes, distinct = distinct_cells(array)
        assert [distinct[code] for code in codes.tolist()] == [0.5, 1.0, 0.5]
