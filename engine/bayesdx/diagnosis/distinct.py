"""A column of cells as the distinct cells in it, each to be read once."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: A column of cells; pyarrow arrays and chunked arrays count as sequences.
Cells = Sequence[object] | NDArray[Any] | pd.api.extensions.ExtensionArray

#: Fewer cells are not worth a second look, nor objects that come up less often on average.
_FEW, _REPEATED = 100, 4
#: Up to so many objects are told apart by comparing, where so many cells do not show more: three of
#: them, in 10,000 cells, in a third of the time that hashing takes, twelve in the same time.
_COMPARED, _SAMPLED = 12, 64


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
    codes, first = _compared(numbers) or _hashed(numbers)
    if _REPEATED * len(first) > len(cells):
        return pd.factorize(array)
    few = len(first) <= _COMPARED
    equal, distinct = _few_objects(cells[first]) if few else pd.factorize(cells[first])
    return equal[codes], distinct


def _compared(numbers: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.intp]] | None:
    """Codes of numbers, and where each of them is first; None if they are not few."""
    step = -(-len(numbers) // _SAMPLED)
    if len(set(numbers[::step].tolist())) > _COMPARED:
        return None
    # A cell is left behind by each number that comes up before its own: so often is its code.
    codes, left = np.zeros(len(numbers), dtype=np.uint8), np.ones(len(numbers), dtype=np.bool_)
    first = [0]
    for _ in range(_COMPARED):
        left &= numbers != numbers[first[-1]]
        at = int(left.argmax())
        if not left[at]:
            return codes, np.array(first)
        codes += left
        first.append(at)
    return None


def _hashed(numbers: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The same of any numbers."""
    codes, distinct = pd.factorize(numbers)
    first = np.empty(len(distinct), dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, first


def _few_objects(objects: NDArray[np.object_]) -> tuple[NDArray[np.intp], Any]:
    """Codes and distinct ones of a few objects; of words and blanks without the ways of pandas."""
    words: dict[str, int] = {}
    codes: list[int] = []
    for one in objects.tolist():
        if type(one) is str:
            codes.append(words.setdefault(one, len(words)))
        elif one is None or one is pd.NA or (type(one) is float and math.isnan(one)):
            codes.append(-1)
        else:
            return pd.factorize(objects)
    return np.array(codes, dtype=np.intp), list(words)


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
