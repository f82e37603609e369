"""The address of a number: printed, parsed, read and replaced in one place for every kind."""

from typing import get_args

import pytest

from bayesdx.knowledge.addresses import (
    FIELDS,
    Address,
    NumberKind,
    every_number,
    number_at,
    with_values,
)
from bayesdx.knowledge.knowledge import Knowledge


def test_every_kind_of_number_has_a_field(real_knowledge: Knowledge) -> None:
    assert tuple(FIELDS) == get_args(NumberKind)
    assert {one.kind for one in every_number(real_knowledge)} == set(FIELDS)


def test_every_address_is_read_back_as_it_is_printed(real_knowledge: Knowledge) -> None:
    numbers = every_number(real_knowledge)
    assert len({one.address for one in numbers}) == len(numbers)
    for one in numbers:
        assert Address.parse(one.place) == one.address
        assert one.address.get(real_knowledge) == one.value
        assert one.address.stated(real_knowledge) is one.stated
        assert number_at(real_knowledge, one.place) == one


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (Address("prior", "gout"), "causes/gout.toml:prior"),
        (Address("effect", "gout", 2), "causes/gout.toml:effects[2]"),
        (Address("link", "gout", "cramp"), "causes/gout.toml:links.cramp"),
        (Address("background", "cramp"), "findings.toml:cramp.background"),
        (Address("background_effect", "cramp", 0), "findings.toml:cramp.background_effects[0]"),
        (Address("prevalence", "age"), "risks.toml:age.prevalence"),
    ],
)
def test_addresses_are_printed_as_places(address: Address, place: str) -> None:
    assert str(address) == place
    assert Address.parse(place) == address


@pytest.mark.parametrize(
    "place",
    [
        "",
        "causes/gout.toml",
        "causes/gout.toml:requires",
        "causes/gout.toml:effects[02]",
        "causes/gout.toml:effects[-1]",
        "findings.toml:cramp",
        "findings.toml:cramp.prior",
        "measures.toml:ck.range",
        "causes/../gout.toml:prior",
        "causes/gout.toml:prior\n",
    ],
)
def test_other_places_are_no_addresses(place: str) -> None:
    assert Address.parse(place) is None


@pytest.mark.parametrize(
    "address",
    [
        Address("prior", "nobody"),
        Address("prior", "si_joint", 3),
        Address("effect", "si_joint", 99),
        Address("effect", "si_joint", "first"),
        Address("link", "si_joint", "nothing"),
    ],
)
def test_address_without_a_number_is_refused(real_knowledge: Knowledge, address: Address) -> None:
    with pytest.raises(LookupError, match=r"."):
        address.get(real_knowledge)
    assert number_at(real_knowledge, str(address)) is None


def test_one_number_of_each_kind_is_replaced(real_knowledge: Knowledge) -> None:
    firsts = {one.kind: one for one in reversed(every_number(real_knowledge))}
    for one in firsts.values():
        value = tuple(reversed(one.value)) if isinstance(one.value, tuple) else one.value / 2.0
        changed = one.address.set(real_knowledge, value)
        assert one.address.get(changed) == value
        assert one.address.get(real_knowledge) == one.value
        others = [other for other in every_number(changed) if other.address != one.address]
        kept = [other for other in every_number(real_knowledge) if other.address != one.address]
        assert others == kept
    every = {one.address: one.value for one in firsts.values()}
    assert with_values(real_knowledge, every) == real_knowledge
