"""How faults and errors read."""

import pickle

import pytest

from bayesdx.errors import (
    NOTHING,
    BayesdxError,
    Fault,
    InvalidCase,
    InvalidKnowledge,
    InvalidNetwork,
    Phrase,
    nearest_names,
)


def test_fault_says_place_expected_and_got() -> None:
    fault = Fault("row 3", "a finding", "fevr")
    assert str(fault) == "row 3: expected a finding, got 'fevr'."


def test_fault_offers_near_names() -> None:
    fault = Fault("row 3", "a finding", "fevr", ("fever", "fair_pos"))
    assert str(fault) == "row 3: expected a finding, got 'fevr'. Nearest: fever, fair_pos."


def test_phrases_stand_without_quotation_marks() -> None:
    assert str(Fault("a", "b", NOTHING)) == "a: expected b, got nothing."
    assert str(Fault("a", "b", Phrase("two of them"))) == "a: expected b, got two of them."


def test_long_values_are_shortened() -> None:
    shown = str(Fault("a", "b", "x" * 1000))
    assert len(shown) < 110
    assert shown.endswith("xxx....")


def test_values_that_cannot_be_shown_do_not_hide_the_fault() -> None:
    huge = 10**5000  # Python refuses to write integers of more than 4300 digits
    for value in (huge, [huge]):
        start = f"a: expected b, got a {type(value).__name__} that cannot be shown (ValueError)"
        assert str(Fault("a", "b", value)) == f"{start}."


def test_faults_can_be_compared_and_hashed_whatever_was_got() -> None:
    assert Fault("a", "b", [1]) == Fault("a", "b", [1])
    assert Fault("a", "b", [1]) != Fault("a", "b", [2])
    assert len({Fault("a", "b", [1]), Fault("a", "b", [1])}) == 1


def test_error_of_one_fault_reads_as_the_fault() -> None:
    fault = Fault("a", "b", 1)
    assert str(InvalidCase(fault)) == str(InvalidCase([fault])) == str(fault)


def test_error_of_many_faults_counts_and_lists_them() -> None:
    error = InvalidKnowledge(Fault(place, "b", 1) for place in "xy")
    assert str(error) == "2 faults:\n  x: expected b, got 1.\n  y: expected b, got 1."
    assert [fault.place for fault in error.faults] == ["x", "y"]


@pytest.mark.parametrize("kind", [InvalidKnowledge, InvalidCase, InvalidNetwork])
def test_errors_are_of_one_family_and_survive_pickling(kind: type[BayesdxError]) -> None:
    error = kind([Fault("a", "b", 1, ("c",)), Fault("d", "e", NOTHING)])
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, BayesdxError)
    assert type(again) is kind
    assert again.faults == error.faults
    assert str(again) == str(error)


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("fevr", ("fever",)),
        ("FEVER", ("fever",)),
        ("hip oa", ("hip_oa",)),
        ("hip-oa", ("hip_oa",)),
        ("zzzzzz", ()),
        ("", ()),
    ],
)
def test_nearest_names(word: str, near: tuple[str, ...]) -> None:
    assert nearest_names(word, ["fever", "hip_oa", "slr_pos"]) == near


def test_nearest_names_are_limited_and_the_best_comes_first() -> None:
    names = ["leg_pain_1", "leg_pain_2", "leg_pain_3", "leg_pain"]
    assert nearest_names("leg_pain", names, limit=2)[0] == "leg_pain"
    assert len(nearest_names("leg_pain", names)) == 3
