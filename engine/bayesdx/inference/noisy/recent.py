"""What was made last, kept for the next time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

#: Values kept, unless told otherwise.
KEPT = 128

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The values made last, so many of them, by key; safe to share between threads."""

    def __init__(self, kept: int | None = None) -> None:
        self._kept = KEPT if kept is None else kept
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[type[Recent[Key, Value]], tuple[int]]:
        # A copy begins anew.
        return Recent, (self._kept,)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._values.clear()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of ``key``, made when it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
        return value
