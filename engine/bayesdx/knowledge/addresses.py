"""Where a number stands: one value for its address, and every number of the knowledge in one list.

`FIELDS` is the only place that knows which kinds of numbers there are. Whoever reads, replaces,
draws, moves or cites a number goes by its `Address`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from bayesdx.frozen import FrozenDict
from bayesdx.knowledge.drafting import cause_file
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.schema import Condition, Stated
from bayesdx.knowledge.shapes import join

NumberKind = Literal["prior", "effect", "link", "background", "background_effect", "prevalence"]
StatedValue: TypeAlias = float | tuple[float, ...]


class NumberField(NamedTuple):
    """Where numbers of one kind stand: mapping of the knowledge, field of the entry, key."""

    table: Literal["causes", "findings", "risks"]
    field: str
    value: str = "value"


FIELDS: Mapping[NumberKind, NumberField] = MappingProxyType(
    {
        "prior": NumberField("causes", "prior"),
        "effect": NumberField("causes", "effects"),
        "link": NumberField("causes", "links", "probability"),
        "background": NumberField("findings", "background"),
        "background_effect": NumberField("findings", "background_effects"),
        "prevalence": NumberField("risks", "prevalence"),
    }
)
"""Every kind of number, by the table that it stands in; `every_number` lists them in this order."""

_PLACE = re.compile(
    r"(?:causes/(?P<cause>\w+)\.toml:|(?P<table>findings|risks)\.toml:(?P<entry>\w+)\.)"
    r"(?P<field>\w+)(?:\[(?P<index>[0-9]{1,6})\]|\.(?P<key>\w+))?"
)


class Address(NamedTuple):
    """Which number is meant; printed as the place where it is written.

    Attributes
    ----------
    kind : str
    owner : str
        Id of the cause, finding or risk that it belongs to.
    key : str, int or None
        The finding of a link, the position of an effect.
    """

    kind: NumberKind
    owner: str
    key: str | int | None = None

    def __str__(self) -> str:
        table, field, _ = FIELDS[self.kind]
        if table == "causes":
            place = join(f"{cause_file(self.owner)}:", field)
        else:
            place = f"{table}.toml:{self.owner}.{field}"
        return place if self.key is None else join(place, self.key)

    @classmethod
    def parse(cls, place: str) -> Address | None:
        """Read a place such as ``causes/flu.toml:links.cough``; None if no number has it."""
        found = _PLACE.fullmatch(place)
        if found is None:
            return None
        where = (found["table"] or "causes", found["field"])
        owner = found["cause"] or found["entry"]
        key = found["key"] if found["index"] is None else int(found["index"])
        for kind, (table, field, _) in FIELDS.items():
            if (table, field) == where and str(one := cls(kind, owner, key)) == place:
                return one
        return None

    def stated(self, knowledge: Knowledge) -> Stated:
        """Return what stands behind the number: range, basis, source, statements.

        Raises
        ------
        LookupError
            If there is no such number.
        """
        table, field, _ = FIELDS[self.kind]
        part: Any = getattr(getattr(knowledge, table)[self.owner], field)
        try:
            found = part if self.key is None else part[self.key]
        except TypeError:  # a key where there are none, or of another type
            found = None
        if not isinstance(found, Stated) or getattr(found, "measure", "") == "zero_otherwise":
            raise LookupError(str(self))
        return found

    def get(self, knowledge: Knowledge) -> StatedValue:
        """Return the number; one probability a state where a risk has several."""
        value: StatedValue = getattr(self.stated(knowledge), FIELDS[self.kind].value)
        return value

    def set(self, knowledge: Knowledge, value: StatedValue) -> Knowledge:
        """Return the knowledge with another number here."""
        return with_values(knowledge, {self: value})


@dataclass(frozen=True)
class PlacedNumber:
    """A number at its address.

    Attributes
    ----------
    address : Address
    value : float or tuple of float
        The number; one probability a state where a risk has several.
    stated : Stated
        Its range, basis, source and statements.
    """

    address: Address
    value: StatedValue
    stated: Stated

    @property
    def place(self) -> str:
        """File and key."""
        return str(self.address)

    @property
    def kind(self) -> NumberKind:
        """What the number is."""
        return self.address.kind

    @property
    def owner(self) -> str:
        """Id of the cause, finding or risk that it belongs to."""
        return self.address.owner

    @property
    def title(self) -> str:
        """The number in words: ``P(cough | flu)``, ``background of cough``, ``prior of flu``."""
        (kind, owner, key), stated = self.address, self.stated
        conditions: Any = stated
        if kind == "link":
            return f"P({key} | {owner})"
        if kind == "effect":
            measure = conditions.measure.replace("_", " ")
            return f"{measure} of {owner} with {condition_text(conditions.any_of)}"
        if kind == "background_effect":
            held = " and ".join(f"{risk} {' or '.join(s)}" for risk, s in conditions.when.items())
            return f"background of {owner} with {held}"
        return f"{kind} of {owner}"

    @property
    def is_ratio(self) -> bool:
        """Whether the number is a ratio, not a probability."""
        return getattr(self.stated, "measure", "") in (
            "relative_risk",
            "odds_ratio",
            "likelihood_ratio",
        )


def every_number(knowledge: Knowledge) -> tuple[PlacedNumber, ...]:
    """List every number with its support.

    Parameters
    ----------
    knowledge : Knowledge
        What was read.

    Returns
    -------
    tuple of PlacedNumber
        Numbers of causes, then of findings, then of risks, in the order of the knowledge.
    """
    return tuple(_numbers(knowledge))


def number_at(knowledge: Knowledge, place: str) -> PlacedNumber | None:
    """Find the number at a place; None if there is none."""
    address = Address.parse(place)
    if address is None:
        return None
    try:
        return PlacedNumber(address, address.get(knowledge), address.stated(knowledge))
    except LookupError:
        return None


def _numbers(knowledge: Knowledge) -> Iterator[PlacedNumber]:
    for table in dict.fromkeys(one.table for one in FIELDS.values()):
        kinds = [(kind, one) for kind, one in FIELDS.items() if one.table == table]
        for owner, entry in getattr(knowledge, table).items():
            for kind, (_, field, value) in kinds:
                part = getattr(entry, field)
                found = part.items() if isinstance(part, dict) else enumerate(part or ())
                for key, one in [(None, part)] if isinstance(part, Stated) else found:
                    # What must be zero otherwise says so without a number.
                    if getattr(one, "measure", "") != "zero_otherwise":
                        yield PlacedNumber(Address(kind, owner, key), getattr(one, value), one)


def with_values(knowledge: Knowledge, values: Mapping[Address, StatedValue]) -> Knowledge:
    """Return the knowledge with other numbers; ranges and everything else are as they were.

    Raises
    ------
    LookupError
        If there is no number at an address.
    """
    return _replaced(
        knowledge,
        {address: {FIELDS[address.kind].value: value} for address, value in values.items()},
    )


def _replaced(knowledge: Knowledge, updates: Mapping[Address, dict[str, Any]]) -> Knowledge:
    """Return the knowledge with fields of some numbers replaced."""
    tables: dict[str, dict[str, Any]] = {}
    for address, update in updates.items():
        table, field, _ = FIELDS[address.kind]
        entries = tables.setdefault(table, dict(getattr(knowledge, table)))
        entry = entries[address.owner]
        part: Any = getattr(entry, field)
        stated = part if address.key is None else part[address.key]
        new = stated.model_copy(update=update)
        if isinstance(part, dict):
            new = FrozenDict({**part, address.key: new})
        elif isinstance(part, tuple):
            new = tuple(new if at == address.key else one for at, one in enumerate(part))
        entries[address.owner] = entry.model_copy(update={field: new})
    return knowledge.model_copy(update={name: FrozenDict(one) for name, one in tables.items()})


def with_ranges(knowledge: Knowledge, ranges: Mapping[Address, tuple[float, float]]) -> Knowledge:
    """Return the knowledge with other ranges; numbers and everything else are as they were.

    Raises
    ------
    LookupError
        If there is no number at an address.
    """
    return _replaced(knowledge, {address: {"range": one} for address, one in ranges.items()})


def condition_text(conditions: tuple[Condition, ...]) -> str:
    """Write conditions of which any may hold as they are read: ``age under_50 or sex female``."""
    return " or ".join(f"{one.risk} {' or '.join(one.states)}" for one in conditions)
