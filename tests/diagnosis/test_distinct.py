"""Distinct cells, each once."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bayesdx.diagnosis.distinct import distinct_cells

WORDS = [None, np.nan, "present", "".join(["pre", "sent"]), "absent", 1, True, 0.0, "", pd.NA]
TEXTS = [None, np.nan, float("nan"), "yes", "".join(["y", "es"]), "no", "", pd.NA, "nan"]


@pytest.mark.parametrize("rows", [1, 99, 100, 1000])
@pytest.mark.parametrize(
    "words", [WORDS, TEXTS, *([str(i) for i in range(n)] for n in (1, 12, 13, 2000))], ids=len
)
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


@pytest.mark.parametrize("rare", [0, 3, 4, 200])
def test_objects_that_a_sample_does_not_show(rare: int) -> None:
    """Nine words everywhere, and some where a sample of every tenth cell does not look."""
    cells = np.array([f"word {at % 9}" for at in range(640)], dtype=object)
    cells[1::9][:rare] = [f"rare {at}" for at in range(len(cells[1::9][:rare]))]
    kept = {word: word for word in cells}
    cells = np.array([kept[word] for word in cells], dtype=object)
    codes, distinct = distinct_cells(cells)
    expected = pd.factorize(cells)
    assert codes.tolist() == expected[0].tolist()
    assert distinct == list(expected[1])


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
