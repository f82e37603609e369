"""A diagnosis that says something else in places."""

from __future__ import annotations

import copy
from typing import Any

from bayesdx import Diagnosis


def altered(diagnosis: Diagnosis, **changes: Any) -> Diagnosis:
    """Return a finished copy with some attributes replaced."""
    again = copy.copy(diagnosis)
    vars(again).update(changes)
    return again
