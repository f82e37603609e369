"""The shape of a text: an explanation, an advice, a caution, a test, a question or a pitfall.

Texts stand in ``management.toml`` and ``pitfalls.toml``. What brings a text up is written with it:

``always``
    every case;
``drivers``, ``causes``
    the probability of one of them reaches a threshold;
``leading``
    one of these is the first cause of the table;
``when``
    a condition on findings and risks, in the language of the red flags;
``accompanies``
    one of these texts is shown.

A text is shown when one of the first four holds (or none of them is given), and `when` holds, and
`accompanies` holds. Nothing here knows which ids exist: the knowledge reader goes through
`text_references`.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
    model_validator,
)

from bayesdx.knowledge.red_flag_schema import Basis, Lenient, SnakeCaseId, When

TextKind = Literal["explanation", "advice", "avoid", "caution", "test", "question", "pitfall"]
Unknown = Literal["show", "hide"]
Thing = Literal["driver", "cause", "text", "source", "statement"]

_CONDITIONS = ("always", "drivers", "causes", "leading", "when", "accompanies")
_LISTS = ("drivers", "causes", "leading", "accompanies", "show")


def _some_words(value: str) -> str:
    if not value.strip():
        raise ValueError(f"expected a few words, got {value!r}.")
    return value


def _strictly_between_0_and_1(value: float) -> float:
    # At 0 the text would always be shown and at 1 never, nan included: there are words for both.
    if not 0.0 < value < 1.0:
        raise ValueError(f"expected a probability strictly between 0 and 1, got {value!r}.")
    return value


Words = Annotated[str, AfterValidator(_some_words)]
Threshold = Annotated[float, Field(strict=True), AfterValidator(_strictly_between_0_and_1)]


class TextSettings(Lenient):
    """From which probability a driver or a cause brings up its texts.

    Attributes
    ----------
    driver_from : float
        P(at least one member of the driver), strictly between 0 and 1.
    cause_from : float
        P(cause), strictly between 0 and 1.
    """

    driver_from: Threshold
    cause_from: Threshold


class Text(Lenient):
    """One text, and when it is shown.

    Attributes
    ----------
    id : str
        Name of the text, in snake_case.
    kind : str
        A `TextKind`.
    title, text : str
        What is shown: a headline, and one to three plain sentences.
    statements : tuple of str
        Ledger ids of the statements that the text puts into practice.
    sources : tuple of str
        Keys of ``priors/sources.toml``.
    basis : str
        How well the text is supported.
    always : bool
        It is shown for every case that meets `when` and `accompanies`.
    drivers, causes : tuple of str
        Groups and causes whose probability brings it up.
    at_least : float, optional
        Replaces both thresholds of `TextSettings` for this text.
    leading : tuple of str
        Causes that bring it up by standing first in the table.
    accompanies : tuple of str
        Texts without which it is not shown.
    show : tuple of str
        Causes whose row is printed with the text, whatever their rank.
    unknown : str
        ``"show"`` or ``"hide"``: what happens while `when` cannot be decided.
    when : When, optional
        A condition on findings and risks.
    """

    id: SnakeCaseId
    kind: TextKind
    title: Words
    text: Words
    statements: tuple[str, ...] = ()
    sources: tuple[str, ...] = Field(min_length=1)
    basis: Basis
    always: bool = Field(default=False, strict=True)
    drivers: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    at_least: Threshold | None = None
    leading: tuple[str, ...] = ()
    accompanies: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    unknown: Unknown = "hide"
    when: When | None = None

    @field_validator("statements", "sources", *_LISTS)
    @classmethod
    def _names_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for position, name in enumerate(value):
            if name in value[:position]:
                raise ValueError(f"expected each name once, got {name!r} twice.")
        return value

    @model_validator(mode="after")
    def _is_brought_up_by_something(self) -> "Text":
        if not any(getattr(self, name) for name in _CONDITIONS):
            names = f"{', '.join(_CONDITIONS[:-1])} or {_CONDITIONS[-1]}"
            raise ValueError(f"expected one of {names}, got none.")
        # A list that is written but empty asks for nothing, which no author means.
        for name in _LISTS:
            if name in self.model_fields_set and not getattr(self, name):
                raise ValueError(f"expected one name or more in {name}, got [].")
        return self

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "Text":
        if self.always and (self.drivers or self.causes or self.leading):
            raise ValueError(
                "expected no drivers, causes or leading beside always = true, got some."
            )
        if self.at_least is not None and not (self.drivers or self.causes):
            raise ValueError(
                f"expected drivers or causes for at_least, got {self.at_least!r} alone."
            )
        if "unknown" in self.model_fields_set and self.when is None:
            raise ValueError(
                f"expected a condition `when` for unknown, got {self.unknown!r} alone."
            )
        if self.id in self.accompanies:
            raise ValueError(
                f"expected other texts in accompanies, got the text itself, {self.id!r}."
            )
        if self.basis == "SEED" and not self.statements:
            raise ValueError("expected one statement or more for the basis SEED, got [].")
        return self


class TextReference(NamedTuple):
    """Something that a text names.

    Attributes
    ----------
    key : str
        Where the text names it, such as ``"drivers[0]"``.
    thing : str
        What it should be: a driver (group), cause, text, source or statement.
    name : str
        Its id.
    """

    key: str
    thing: Thing
    name: str


_THINGS: tuple[tuple[str, Thing], ...] = (
    ("drivers", "driver"),
    ("causes", "cause"),
    ("leading", "cause"),
    ("show", "cause"),
    ("accompanies", "text"),
    ("sources", "source"),
    ("statements", "statement"),
)


def text_references(text: Text) -> Iterator[TextReference]:
    """Go through everything that a text names, for the linker to check.

    Parameters
    ----------
    text : Text
        The text.

    Yields
    ------
    TextReference
        (key within the text, kind of thing, name); not the leaves of `when`.
    """
    for key, thing in _THINGS:
        for position, name in enumerate(getattr(text, key)):
            yield TextReference(f"{key}[{position}]", thing, name)
