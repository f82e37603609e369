"""A column of cells as the distinct cells in it, each to be read once."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: A column of cells; pyarrow arrays and chunked arrays count as sequences.
Cells = Sequence[object] | NDArray[Any] | pd.api.extensions.ExtensionArray

#: Fewer cells are not worth a second look, nor objects that come up less often on average.
_FEW, _REPEATED = 100, 4


def distinct_cells(cells: Cells) -> tuple[NDArray[np.intp], list[object]]:
    """Number the distinct cells of a column.

    Parameters
    ----------
    cells : sequence (N,)
        A list, an array of NumPy, pandas or Arrow; Arrow dictionaries are used as they are.

    Returns
    -------
    codes : int array (N,)
        Position of each cell among the distinct ones, -1 for a missing one. True and 1 are told
        apart by type.
    distinct : list
    """
    array: Any = cells
    if getattr(getattr(cells, "dtype", None), "storage", "") == "pyarrow":
        array = array.__arrow_array__()  # texts of pandas, as they lie
    if hasattr(array, "dictionary_encode"):
        return _coded_by_arrow(array)
    if len(cells) == 1:
        return np.zeros(1, dtype=np.intp), [cells[0]]
    if not isinstance(cells, (np.ndarray, pd.api.extensions.ExtensionArray)):
        array = np.array([*cells, None], dtype=object)[:-1]
    try:
        codes, distinct = _factorized(array)
    except TypeError:
        # Cells that cannot be hashed (a list, say) are still worth a proper fault each.
        return np.arange(len(cells)), list(cells)
    return codes, list(distinct)


def _factorized(array: Any) -> tuple[NDArray[np.intp], Any]:
    """Codes and distinct cells of an array of NumPy or pandas."""
    wrapped = isinstance(array, pd.arrays.NumpyExtensionArray)
    # pandas 2.2 does not like to factorize its own wrapper.
    cells = array = array.to_numpy(copy=False) if wrapped else array
    if cells.dtype != object or not cells.flags.c_contiguous or len(cells) < _FEW:
        return pd.factorize(array)
    # A column of words holds few objects, each many times: numbers are told apart faster.
    address = cells.__array_interface__["data"][0]
    owner = (ctypes.c_ssize_t * len(cells)).from_address(address)
    numbers = np.frombuffer(memoryview(owner), dtype=np.intp)
    codes, objects = pd.factorize(numbers)
    if _REPEATED * len(objects) > len(cells):
        return pd.factorize(array)
    first = np.empty(len(objects), dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    equal, distinct = pd.factorize(cells[first])
    return equal[codes], distinct


def _coded_by_arrow(array: Any) -> tuple[NDArray[np.intp], list[object]]:
    """Codes of an Arrow array or of chunks of one."""
    if hasattr(array, "chunks"):
        array = array.unify_dictionaries().combine_chunks()
    if not hasattr(array, "dictionary"):
        # Of half floats older Arrow makes no dictionaries.
        array = array.cast("float32") if str(array.type) == "halffloat" else array
        array = array.dictionary_encode()
    indices = array.indices
    if indices.null_count:
        # Its own filling of nulls takes several times as long.
        known = indices.is_valid().to_numpy(zero_copy_only=False)
        stored = np.frombuffer(indices.buffers()[1], dtype=indices.type.to_pandas_dtype())
        part = stored[indices.offset : indices.offset + len(indices)]
        return np.where(known, part, -1), words_of(array.dictionary)
    return indices.to_numpy(zero_copy_only=False), words_of(array.dictionary)


def words_of(dictionary: Any) -> list[object]:
    """The values of an Arrow array; text that is no UTF-8, which Arrow does not check, as bytes."""
    try:
        words: list[object] = dictionary.to_pylist()
    except UnicodeDecodeError:
        binary = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}
        raw = dictionary.view(binary[str(dictionary.type)])
        return [_decoded(word) for word in raw.to_pylist()]
    return words


def _decoded(word: bytes | None) -> object:
    try:
        return word if word is None else word.decode()
    except UnicodeDecodeError:
        return word
