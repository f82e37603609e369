"""Values that cannot be changed, also when they are copied, and what they are made of."""

from __future__ import annotations

import dataclasses
import json
import math
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


class ShownAsText:
    """A value that a notebook shows by its text."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<div><p>{escape(repr(self))}</p></div>"


class PlainParts(ShownAsText):
    """A value that says what it is made of: a dataclass its fields, another what it lists."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what this is made of in plain values.

        Returns
        -------
        dict
            Of texts, finite numbers, booleans, None, lists and dicts of these; ``kind`` is the name
            of the class. Arrays are nested lists; what JSON cannot say, NaN and the infinities, is
            None.

        Examples
        --------
        >>> from bayesdx import Variable
        >>> Variable("rain", ("no", "yes")).to_dict()["states"]
        ['no', 'yes']
        """
        parts = self._described()
        return {"kind": type(self).__name__, **{name: strict(one) for name, one in parts.items()}}

    def to_json(self) -> str:
        """Return what this is made of as strict JSON, numbers to the last bit.

        Returns
        -------
        str

        Examples
        --------
        >>> from bayesdx import TableCPD
        >>> TableCPD("rain", (), [0.8, 0.2]).to_json()
        '{"kind": "TableCPD", "child": "rain", "parents": [], "values": [0.8, 0.2]}'
        """
        return json.dumps(self.to_dict(), allow_nan=False)

    def _described(self) -> Mapping[str, Any]:
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # another class says its own
        return {field.name: getattr(self, field.name) for field in fields}


class ReadOnly(ShownAsText):
    """A value whose attributes cannot be written, and whose copies have read-only arrays.

    Copies are those of `copy.deepcopy`, pickle and cloudpickle, which forget that an array is
    read-only.
    """

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only: {name} cannot be set.")

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


def strict(value: Any) -> Any:
    """Return a value in what JSON can say; NaN and the infinities become None."""
    if isinstance(value, PlainParts):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(name): strict(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist() if np.isfinite(value).all() else strict(value.tolist())
    if isinstance(value, list | tuple):
        return [strict(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)
