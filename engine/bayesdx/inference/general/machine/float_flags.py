"""The processor's note that a number left the range of floats, for compiled code to read."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

#: Where the C library's functions are found: in the process itself, or by a library's name.
_LIBRARIES = (None, "libm.so.6", "libSystem.dylib", "ucrtbase.dll")
#: More bits than any C library has flags; what does not exist is passed over.
_EVERY = 0xFF


class FloatFlags(NamedTuple):
    """Addresses of `feclearexcept` and `fetestexcept`, and the bits of underflow and overflow."""

    clear: int
    test: int
    bits: int


def float_flags() -> FloatFlags | None:
    """Find the functions, and by trial what their bits mean; None where that fails.

    The bits differ from processor to processor, and no header can be read here.
    """
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            clear, test = library.feclearexcept, library.fetestexcept
        except (OSError, AttributeError, TypeError):
            continue
        raised = []
        for left, right in ((1.0, 1.0), (1e-200, 1.1e-200), (1e200, 1.1e200)):
            clear(_EVERY)
            _product(left, right)
            raised.append(int(test(_EVERY)))
        inexact, under, over = raised
        under, over = under & ~inexact, over & ~inexact
        clear(_EVERY)
        if under and over and under != over:
            addresses = [ctypes.cast(one, ctypes.c_void_p).value or 0 for one in (clear, test)]
            return FloatFlags(addresses[0], addresses[1], under | over)
    return None


def _product(left: float, right: float) -> float:
    return left * right / 3.0
