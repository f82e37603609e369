"""Values that cannot be changed, and copies of them in which that holds too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from html import escape
from typing import Any, NoReturn, TypeVar

import numpy as np

#: Names that a text of a mapping says.
MOST_NAMES = 10

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that cannot be changed, and that pickles."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this mapping is read-only; copy it with dict(...) to change it.")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict[K, V]], tuple[dict[K, V]]]:
        # A dict is otherwise unpickled item by item, through __setitem__.
        return type(self), (dict(self),)


class NamedValues(Mapping[str, V]):
    """A mapping that works its values out when they are read; its text is its names only."""

    def __repr__(self) -> str:
        names = list(self)
        more = [f"and {len(names) - MOST_NAMES} more"] * (len(names) > MOST_NAMES)
        return f"{type(self).__name__}({', '.join([*names[:MOST_NAMES], *more])})"


class ReadOnly:
    """A value whose attributes cannot be written, and whose copies have read-only arrays.

    Copies are those of `copy.deepcopy`, pickle and cloudpickle, which forget that an array is
    read-only.
    """

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only: {name} cannot be set.")

    def _repr_html_(self) -> str:
        return f"<div><p>{escape(repr(self))}</p></div>"

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only: {name} cannot be deleted.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        seal(state)


def seal(value: object) -> None:
    """Make the arrays read-only that a value holds: in frozen dataclasses, dicts and tuples."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, dict):
        for one in value.values():
            seal(one)
    elif isinstance(value, tuple):
        for one in value:
            seal(one)
    elif hasattr(value, "__dataclass_params__") and value.__dataclass_params__.frozen:
        for field in dataclasses.fields(value):  # type: ignore[arg-type]
            seal(getattr(value, field.name, None))
