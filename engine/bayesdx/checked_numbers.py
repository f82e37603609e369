"""Whether an argument is the number that it should be; True and False are none."""

from __future__ import annotations

import math
import sys
from numbers import Integral, Real
from typing import TypeGuard


def is_whole(value: object, least: int, most: float = math.inf) -> bool:
    """Whether a value is a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return False
    return least <= int(value) <= most


def is_real(value: object, least: float, most: float = sys.float_info.max) -> bool:
    """Whether a value is a number within bounds, by default a finite one."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return least <= float(value) <= most


def is_share(value: object) -> TypeGuard[float]:
    """Whether a value is a number strictly between 0 and 1."""
    return is_real(value, math.ulp(0.0), math.nextafter(1.0, 0.0))
