"""Arrays that compiled code reads in vectors."""

from __future__ import annotations

import numpy as np
import pytest

from bayesdx.inference.arrays import LINE, on_lines


@pytest.mark.parametrize("shape", [(0, 3), (1,), (7, 16), (3, 5, 11)])
@pytest.mark.parametrize("kind", [np.float64, np.int64, np.int8])
def test_arrays_begin_with_a_line_of_the_cache(
    shape: tuple[int, ...], kind: type[np.generic]
) -> None:
    arrays = [on_lines(shape, kind) for _ in range(20)]
    assert all(one.__array_interface__["data"][0] % LINE == 0 for one in arrays if one.size)
    assert all(one.shape == shape and one.dtype == kind for one in arrays)
    assert all(one.flags.c_contiguous and one.flags.writeable for one in arrays)
