"""Names of array types, and read-only arrays."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
MaskArray = NDArray[np.uint64]


Scalar = TypeVar("Scalar", bound=np.generic)


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a read-only, C-ordered copy."""
    array = np.array(array, order="C")
    array.setflags(write=False)
    return array
