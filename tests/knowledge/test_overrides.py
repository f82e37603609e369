"""Numbers are replaced by place, and nothing else; old calibration is left out."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.addresses import every_number
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.overrides import (
    applied_moves,
    calibrated,
    calibration_text,
    move_of,
    numbers_digest,
    stale,
    with_numbers,
)
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_schema import Calibration, GivenUp, Move

Write = Callable[..., Path]

REAL = read_knowledge()
VALUES = {number.place: number.value for number in every_number(REAL)}
PLACES = [place for place, value in VALUES.items() if isinstance(value, float)]
ONE_OF_EACH = {number.kind: number.place for number in every_number(REAL) if number.value != 0.0}

PRIOR, LINK, EFFECT = (
    "causes/strain.toml:prior",
    "causes/strain.toml:links.cramp",
    "causes/strain.toml:effects[0]",
)


def values_of(knowledge: Knowledge) -> dict[str, float | tuple[float, ...]]:
    return {number.place: number.value for number in every_number(knowledge)}


def leaves_of(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every leaf of dumped knowledge with the path that leads to it."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves_of(one, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from leaves_of(one, f"{path}/{index}")
    else:
        yield path, value


def everything(knowledge: Knowledge) -> dict[str, object]:
    return dict(leaves_of(knowledge.model_dump()))


WHOLE = everything(REAL)

# ---- with_numbers


def test_every_kind_of_number_is_among_the_places() -> None:
    assert set(ONE_OF_EACH) == {
        "prior",
        "effect",
        "link",
        "background",
        "background_effect",
        "prevalence",
    }


@settings(max_examples=60, deadline=None)
@given(
    new=st.dictionaries(st.sampled_from(PLACES), st.floats(0.0, 1.0, exclude_min=True), max_size=12)
)
def test_exactly_the_named_numbers_are_replaced(new: dict[str, float]) -> None:
    moved = with_numbers(REAL, new)
    assert values_of(moved) == VALUES | new
    assert values_of(REAL) == VALUES
    # One leaf a number and no more: ranges, notes and everything else are as they were.
    after = everything(moved)
    assert after.keys() == WHOLE.keys()
    changed = sum(after[path] != WHOLE[path] for path in WHOLE)
    assert changed == sum(VALUES[place] != value for place, value in new.items())


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_number_of_each_kind_can_be_replaced(kind: str) -> None:
    place = next(
        number.place
        for number in every_number(REAL)
        if number.kind == kind and isinstance(number.value, float)
    )
    assert values_of(with_numbers(REAL, {place: 0.123456})) == VALUES | {place: 0.123456}


@settings(max_examples=40, deadline=None)
@given(place=st.sampled_from(PLACES), value=st.floats(0.01, 0.99))
def test_replacing_back_gives_the_same_knowledge(place: str, value: float) -> None:
    there_and_back = with_numbers(with_numbers(REAL, {place: value}), {place: VALUES[place]})
    assert there_and_back == REAL


def test_numbers_of_one_cause_are_replaced_together(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    moved = with_numbers(knowledge, {PRIOR: 0.1, LINK: 0.4, EFFECT: 0.7})
    strain = moved.causes["strain"]
    assert strain.prior is not None
    assert (strain.prior.value, strain.links["cramp"].probability) == (0.1, 0.4)
    assert strain.effects[0].value == 0.7
    assert moved.causes["bowel"] is knowledge.causes["bowel"]


def test_digest_still_names_the_files(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    moved = with_numbers(knowledge, {PRIOR: 0.1})
    assert (moved.digest, moved.folder) == (knowledge.digest, knowledge.folder)


def test_result_is_read_only(small: dict[str, str], write: Write) -> None:
    moved = with_numbers(read_knowledge(write(small)), {PRIOR: 0.1, LINK: 0.4})
    for mapping in (moved.causes, moved.findings, moved.risks, moved.causes["strain"].links):
        with pytest.raises(TypeError, match="read-only"):
            mapping.clear()


def test_no_values_change_nothing() -> None:
    assert with_numbers(REAL, {}) is REAL


def test_unknown_place_is_refused_with_the_nearest() -> None:
    message = (
        r"causes/piriformis_syndrome\.toml:priro: expected the place of a number, got "
        r"'causes/piriformis_syndrome\.toml:priro'\. "
        r"Nearest: causes/piriformis_syndrome\.toml:prior"
    )
    with pytest.raises(InvalidKnowledge, match=message):
        with_numbers(REAL, {"causes/piriformis_syndrome.toml:priro": 0.1})


@pytest.mark.parametrize(
    "place",
    [
        "",
        "causes/strain.toml:effects[9]",
        "causes/bowel.toml:links.cramp",
        "causes/strain.toml:prior.value",
        "findings.toml:radiation.background",
        "findings.toml:cramp",
        "risks.toml:statin_use",
    ],
)
def test_place_without_a_number_is_refused(small: dict[str, str], write: Write, place: str) -> None:
    with pytest.raises(InvalidKnowledge, match="expected the place of a number"):
        with_numbers(read_knowledge(write(small)), {place: 0.1})


def test_number_with_several_values_is_refused() -> None:
    with pytest.raises(
        InvalidKnowledge, match=r"risks\.toml:age\.prevalence: expected a number with one value"
    ):
        with_numbers(REAL, {"risks.toml:age.prevalence": 0.5})


def test_all_wrong_places_are_named_and_nothing_is_replaced(
    small: dict[str, str], write: Write
) -> None:
    knowledge = read_knowledge(write(small))
    new = {"a": 0.1, PRIOR: 0.2, "risks.toml:age.prevalence": 0.3, "b": 0.4}
    with pytest.raises(InvalidKnowledge, match="3 faults") as caught:
        with_numbers(knowledge, new)
    places = [fault.place for fault in caught.value.faults]
    assert places == ["a", "b", "risks.toml:age.prevalence"]


# ---- calibration

CONSTRAINT = """
[[constraint]]
id = "bound"
statements = ["S1-02"]
hard = true
event = "strain"
given = { cramp = "present" }
between = [0.0, 0.5]
note = "A bound."
"""


def moves(*rows: tuple[str, float, float]) -> Calibration:
    found = (
        Move(number=number, elicited=elicited, calibrated=new, constraint="bound")
        for number, elicited, new in rows
    )
    return Calibration(computed_from="0", move=tuple(found))


def with_moves(knowledge: Knowledge, *rows: tuple[str, float, float]) -> Knowledge:
    return knowledge.model_copy(update={"calibration": moves(*rows)})


def test_without_calibration_nothing_moves(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    assert applied_moves(knowledge) == ()
    assert calibrated(knowledge) is knowledge


def test_moves_apply_where_the_elicited_value_stands(small: dict[str, str], write: Write) -> None:
    knowledge = with_moves(
        read_knowledge(write(small)),
        (PRIOR, 0.13, 0.1),
        (LINK, 0.49, 0.4),  # edited since: it is 0.5 now
        ("findings.toml:cramp.background", 0.25, 0.3),
    )
    applied = applied_moves(knowledge)
    assert [move.number for move in applied] == [PRIOR, "findings.toml:cramp.background"]
    before, after = values_of(knowledge), values_of(calibrated(knowledge))
    assert after == before | {PRIOR: 0.1, "findings.toml:cramp.background": 0.3}


def test_moves_of_what_is_no_longer_there_do_not_apply(small: dict[str, str], write: Write) -> None:
    knowledge = with_moves(
        read_knowledge(write(small)),
        ("causes/gone.toml:prior", 0.13, 0.1),
        ("risks.toml:age.prevalence", 0.7, 0.6),
    )
    assert applied_moves(knowledge) == ()
    assert values_of(calibrated(knowledge)) == values_of(knowledge)


def test_move_of_a_number_is_remembered(small: dict[str, str], write: Write) -> None:
    knowledge = calibrated(
        with_moves(read_knowledge(write(small)), (PRIOR, 0.13, 0.1), (LINK, 0.49, 0.4))
    )
    told = {place: move_of(knowledge, place) for place in values_of(knowledge)}
    assert {place: one.elicited for place, one in told.items() if one} == {PRIOR: 0.13}


def test_nothing_was_moved_without_calibration(small: dict[str, str], write: Write) -> None:
    knowledge = read_knowledge(write(small))
    assert {move_of(knowledge, place) for place in values_of(knowledge)} == {None}


def test_calibration_is_read_back_as_it_was_written(small: dict[str, str], write: Write) -> None:
    given_up = GivenUp(
        constraint="bound", conflict=("bound", "other"), statements=("S1-02",), limits=(LINK,)
    )
    calibration = moves((PRIOR, 0.13, 0.1 + 0.2 / 3.0), (LINK, 0.5, 1e-7)).model_copy(
        update={"computed_from": "0a", "given_up": (given_up,)}
    )
    small["constraints.toml"] = CONSTRAINT + CONSTRAINT.replace("bound", "other")
    small["calibration.toml"] = calibration_text(calibration)
    assert read_knowledge(write(small)).calibration == calibration


def test_calibration_is_stale_once_a_number_changes(small: dict[str, str], write: Write) -> None:
    small["constraints.toml"] = CONSTRAINT
    knowledge = read_knowledge(write(small))
    assert "run bayesdx calibrate" in stale(knowledge)
    fresh = Calibration(computed_from=numbers_digest(knowledge))
    knowledge = knowledge.model_copy(update={"calibration": fresh})
    assert stale(knowledge) == ""
    message = "it was computed from other numbers or constraints: run bayesdx calibrate."
    assert stale(with_numbers(knowledge, {PRIOR: 0.1})) == message


def test_nothing_is_stale_where_nothing_is_demanded(small: dict[str, str], write: Write) -> None:
    assert stale(read_knowledge(write(small))) == ""
