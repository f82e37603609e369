"""The shape of a red flag rule.

A rule says *when* a case needs attention that no posterior may talk away. Its
condition, `when`, is a small tree: blocks with the keys ``all``, ``any``,
``at_least`` and ``none``, whose items are leaves or further blocks.

A leaf is a string:

``"fever"``
    the finding (or two-state risk) is present;
``"!fever"``
    it is known to be absent;
``"age:65_to_69|70_or_over"``
    the risk or ordinal finding is in one of the named states.

Nothing here knows which ids exist: the knowledge reader compares `leaves` with the
findings and risks that it has read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

Level = Literal["emergency", "urgent", "soon", "routine", "self_care"]
Basis = Literal["SEEN", "SEEN-ADAPTED", "RECALL", "SEED", "JUDGEMENT"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""All levels, the most pressing first."""

URGENCY_ONLY = "for urgency only"
"""Said of findings that rules look at and that move no cause."""

_LEAF = re.compile(r"!?[a-z][a-z0-9_]*|[a-z][a-z0-9_]*:[a-z0-9][a-z0-9_]*(?:\|[a-z0-9][a-z0-9_]*)*")
_ID = re.compile(r"[a-z][a-z0-9_]*")


def _checked_leaf(text: str) -> str:
    if not _LEAF.fullmatch(text):
        raise ValueError(
            f"expected a leaf such as 'fever', '!fever' or 'age:65_to_69|70_or_over', got {text!r}."
        )
    return text


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"expected an id in snake_case, got {text!r}.")
    return text


Leaf = Annotated[str, AfterValidator(_checked_leaf)]
SnakeCaseId = Annotated[str, AfterValidator(_checked_id)]


@dataclass(frozen=True)
class LeafTest:
    """What one leaf asks of a case.

    Attributes
    ----------
    subject : str
        The finding or risk id that is looked at.
    states : tuple of str
        The leaf is true in any of these states.
    """

    subject: str
    states: tuple[str, ...]


class Lenient(BaseModel):
    """A value without unknown keys; TOML arrays become tuples."""

    # Built when first used: importing bayesdx must stay about as fast as importing pandas.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class AtLeast(Lenient):
    """True when `count` or more of the items in `of` are true."""

    count: int = Field(ge=1, strict=True)
    of: tuple["Item", ...]

    @model_validator(mode="after")
    def _count_is_reachable(self) -> "AtLeast":
        if self.count > len(self.of):
            raise ValueError(
                f"expected a count of at most {len(self.of)}, the number of items, "
                f"got {self.count!r}."
            )
        return self


class When(Lenient):
    """One block of a condition; its parts are joined by *and*.

    Attributes
    ----------
    all : tuple of leaves and blocks
        Every item is true.
    any : tuple of leaves and blocks
        One item or more is true.
    at_least : AtLeast, optional
        So many of a list are true.
    none : tuple of leaves and blocks
        Every item is false.
    """

    all: tuple["Item", ...] = ()
    any: tuple["Item", ...] = ()
    at_least: AtLeast | None = None
    none: tuple["Item", ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "When":
        # A part that is written but empty would be true (all, none) or false (any)
        # for every case, which no author means.
        if not self.model_fields_set:
            raise ValueError("expected one of all, any, at_least or none, got {}.")
        for part in sorted(self.model_fields_set - {"at_least"}):
            if not getattr(self, part):
                raise ValueError(f"expected one item or more in {part}, got [].")
        return self


Item = Leaf | When

AtLeast.model_rebuild()
When.model_rebuild()


class RedFlag(Lenient):
    """A deterministic urgency rule.

    Attributes
    ----------
    id : str
        Name of the rule, in snake_case.
    level : str
        How soon somebody qualified should act; one of `LEVELS`.
    title : str
        What the rule watches for, in a few plain words.
    advice : str
        What to do, in one or two plain sentences.
    statements : tuple of str
        Ledger ids of the statements that the rule rests on.
    sources : tuple of str
        Keys of ``priors/sources.toml``.
    basis : str
        How well the rule is supported.
    when : When
        The condition.
    """

    id: SnakeCaseId
    level: Level
    title: str = Field(min_length=1)
    advice: str = Field(min_length=1)
    statements: tuple[str, ...] = ()
    sources: tuple[str, ...] = Field(min_length=1)
    basis: Basis
    when: When


def read_leaf(leaf: str) -> LeafTest:
    """Take a leaf apart.

    Parameters
    ----------
    leaf : str
        A leaf, such as ``"fever"``, ``"!fever"`` or ``"age:65_to_69|70_or_over"``.

    Returns
    -------
    LeafTest
        The id that the leaf looks at and the states that make it true.
    """
    if leaf.startswith("!"):
        return LeafTest(leaf[1:], ("absent",))
    subject, colon, states = leaf.partition(":")
    return LeafTest(subject, tuple(states.split("|")) if colon else ("present",))


def _items(when: When) -> tuple[str | When, ...]:
    of = when.at_least.of if when.at_least is not None else ()
    return (*when.all, *when.any, *of, *when.none)


def blocks(when: When) -> Iterator[When]:
    """Yield a condition and every block in it."""
    yield when
    for item in _items(when):
        if isinstance(item, When):
            yield from blocks(item)


def _walk(when: When) -> Iterator[str]:
    return (item for block in blocks(when) for item in _items(block) if isinstance(item, str))


def leaves(when: When) -> frozenset[str]:
    """Return all leaves of a condition, as they are written.

    Parameters
    ----------
    when : When
        The condition of a rule.

    Returns
    -------
    frozenset of str
        The leaf strings; `read_leaf` takes one apart.
    """
    return frozenset(_walk(when))


def subjects(when: When) -> frozenset[str]:
    """Return the finding and risk ids that a condition looks at.

    Parameters
    ----------
    when : When
        The condition of a rule.

    Returns
    -------
    frozenset of str
        The ids, without negation marks and states.
    """
    return frozenset(read_leaf(leaf).subject for leaf in _walk(when))


def needed_states(when: When) -> dict[str, set[str]]:
    """Return the states in one of which each subject is where a block is true.

    There is none for a subject that it asks to be in two at once, so that it is never true.
    """
    needed: dict[str, set[str]] = {}
    for leaf in _always(when):
        test = read_leaf(leaf)
        needed.setdefault(test.subject, set(test.states)).intersection_update(test.states)
    for item in when.none:
        if isinstance(item, str):
            barred = read_leaf(item)
            needed.get(barred.subject, set()).difference_update(barred.states)
    return needed


def _always(when: When) -> Iterator[str]:
    """Yield leaves without which a block is false."""
    for item in when.all:
        if isinstance(item, When):
            yield from _always(item)
        else:
            yield item
