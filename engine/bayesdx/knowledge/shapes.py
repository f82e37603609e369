"""Saying in our words what pydantic found, and where in the file it is."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bayesdx.errors import NOTHING, Fault, Phrase, nearest_names

Path = tuple[str | int, ...]

_PHRASES = {
    "basis": "one of SEEN, SEEN-ADAPTED, RECALL, SEED, JUDGEMENT",
    "denominator": "the population that the value is a share of",
    "parameterisation": "one of in_population, alone, net",
    "range": "a pair [low, high]",
    "source": "a key of sources.toml",
}
"""What is expected under a key, where its type alone says too little."""

_SIMPLE = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}


def join(place: str, *path: str | int) -> str:
    """Append keys and indices to a place such as ``causes/ms.toml:`` or ``risks.toml:age``."""
    for step in path:
        if isinstance(step, int):
            place += f"[{step}]"
        else:
            place += step if place.endswith(":") else f".{step}"
    return place


def describe_errors(
    model: type[BaseModel], place: str, reason: ValidationError
) -> list[tuple[Fault, Path]]:
    """Turn the errors of one validation into faults.

    Parameters
    ----------
    model : type of BaseModel
        The model that was validated.
    place : str
        Where the validated table stands: file and entry.
    reason : ValidationError
        What pydantic found.

    Returns
    -------
    list of (Fault, path)
        One fault a place, with the keys and indices that lead to it in the table.
    """
    found: dict[Path, Fault] = {}
    for error in reason.errors(include_url=False):
        fault, path = _describe(model, place, error)
        found.setdefault(path, fault)
    # Where a text or a table may stand, pydantic also tells that the faulty table is no text.
    return [
        (fault, path)
        for path, fault in found.items()
        if not any(other[: len(path)] == path for other in found if len(other) > len(path))
    ]


def _describe(model: type[BaseModel], place: str, error: ErrorDetails) -> tuple[Fault, Path]:
    path, annotations, parents = _follow(model, error)
    where = join(place, *path)
    if error["type"] == "extra_forbidden":
        known = sorted({name for parent in parents for name in _keys(parent)})
        key = str(path[-1])
        near = nearest_names(key, known)
        expected = "a known key" if near else f"one of the keys {', '.join(known)}"
        return Fault(where, expected, key, near), path
    if error["type"] == "missing":
        return Fault(where, _expected(path, annotations), NOTHING), path
    if error["type"] == "value_error":
        return _from_validator(where, str(error["ctx"]["error"]), error["input"]), path
    expected = _constraint(error) or _expected(path, annotations)
    options = [option for one in annotations for option in _options(one)]
    got = error["input"]
    near = nearest_names(got, options) if isinstance(got, str) else ()
    return Fault(where, expected, got, near), path


def _follow(
    model: type[BaseModel], error: ErrorDetails
) -> tuple[Path, list[Any], list[type[BaseModel]]]:
    """Walk down the annotations.

    Pydantic names the members of a union and its validators in the location; those steps are not in
    the file, so whatever is neither a field, a key nor an index is left out.
    """
    path: list[str | int] = []
    current: list[Any] = [model]
    parents: list[type[BaseModel]] = []
    for step in error["loc"]:
        models = [one for one in current if isinstance(one, type) and issubclass(one, BaseModel)]
        following = [inner for one in current for inner in _inside(one, step)]
        if following:
            path.append(step)
            current, parents = following, models
        elif error["type"] == "extra_forbidden" and step == error["loc"][-1]:
            path.append(step)
            current, parents = [], models
    return tuple(path), current, parents


def _inside(annotation: Any, step: str | int) -> list[Any]:
    """Return what an annotation says about one of its fields, values or items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if step == (field.validation_alias or name):
                return _members(field.annotation)
        return []
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict and isinstance(step, str):
        return _members(inner[1])
    if origin is tuple and isinstance(step, int):
        return _members(inner[0])
    return []


def _members(annotation: Any) -> list[Any]:
    """Return the members of a union, or the annotation itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [one for part in get_args(annotation) for one in _members(part)]
    return [] if annotation is type(None) else [annotation]


def _keys(model: type[BaseModel]) -> Iterable[str]:
    for name, field in model.model_fields.items():
        if name != "id":
            yield str(field.validation_alias or name).split(".")[0]


def _expected(path: Path, annotations: list[Any]) -> str:
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if path and path[-1] == key and key in _PHRASES:
        return _PHRASES[key]
    return " or ".join(dict.fromkeys(_phrase(one) for one in annotations)) or "something else"


def _phrase(annotation: Any) -> str:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin is tuple and inner == (float, float):
        return "a pair [low, high]"
    if origin is tuple:
        plural = {str: "texts", float: "numbers"}.get(_members(inner[0])[0], "tables")
        return f"a list of {plural}"
    return "a table"


def _options(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _constraint(error: ErrorDetails) -> str | None:
    """Return what a constraint beyond the type asks for."""
    context = error.get("ctx", {})
    match error["type"]:
        case "finite_number":
            return "a finite number"
        case "string_too_short":
            return "a text that is not empty"
        case "too_short":
            return f"{context['min_length']} items or more"
        case "too_long":
            return f"{context['max_length']} items or fewer"
        case "string_pattern_mismatch":
            return f"a text that matches {context['pattern']}"
        case "greater_than":
            return f"a number above {context['gt']:g}"
        case "less_than":
            return f"a number below {context['lt']:g}"
        case "greater_than_equal":
            return f"a number of at least {context['ge']}"
        case _:
            return None


def _from_validator(place: str, message: str, given: object) -> Fault:
    """Take apart the message of a validator that already speaks of expected and got."""
    found = re.fullmatch(r"expected (.*), got (.*?)\.?", message, re.S)
    if found is None:
        return Fault(place, f"no such value ({message})", given)
    return Fault(place, found[1], Phrase(found[2]))
