"""What a text may look like, what is refused, and what it names."""

from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from bayesdx.knowledge.text_schema import Text, TextKind, TextSettings, text_references


def text(**changes: object) -> Text:
    base = {
        "id": "made_up",
        "kind": "advice",
        "title": "A title",
        "text": "A text.",
        "statements": ("S1-87",),
        "sources": ("S1",),
        "basis": "SEED",
        "drivers": ("load",),
    }
    given = {name: value for name, value in (base | changes).items() if value is not None}
    return Text.model_validate(given)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"at_least": 0.05},
        {"drivers": None, "causes": ("statin",), "at_least": 0.999},
        {"drivers": None, "leading": ("cold",), "show": ("ms", "pnst")},
        {"drivers": None, "always": True, "when": {"none": ("fever",)}, "unknown": "show"},
        {"drivers": None, "when": {"any": ("fever",)}},
        {"drivers": None, "accompanies": ("other",)},
        {"statements": None, "basis": "JUDGEMENT"},
    ],
)
def test_schema_accepts(changes):
    assert text(**changes).id == "made_up"


@pytest.mark.parametrize("kind", get_args(TextKind))
def test_every_kind_is_accepted(kind):
    assert text(kind=kind).kind == kind


def test_what_is_not_written():
    plain = text()
    assert (plain.always, plain.unknown, plain.when, plain.at_least) == (False, "hide", None, None)
    assert plain.causes == plain.leading == plain.accompanies == plain.show == ()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"id": "Not-snake"}, "expected an id in snake_case, got 'Not-snake'"),
        ({"id": ""}, "expected an id in snake_case"),
        ({"kind": "treatment"}, "'explanation', 'advice', 'avoid'"),
        ({"basis": "GUESS"}, "'SEEN'"),
        ({"title": ""}, "expected a few words, got ''"),
        ({"text": " \n "}, "expected a few words"),
        ({"text": None}, "Field required"),
        ({"sources": ()}, "at least 1 item"),
        ({"statements": ()}, "expected one statement or more for the basis SEED"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        (
            {"drivers": None},
            "expected one of always, drivers, causes, leading, when or accompanies",
        ),
        ({"drivers": None, "always": False}, "expected one of always, drivers"),
        ({"drivers": None, "show": ("ms",)}, "expected one of always, drivers"),
        ({"causes": ()}, r"expected one name or more in causes, got \[\]"),
        ({"show": ()}, r"expected one name or more in show, got \[\]"),
        ({"drivers": ("load", "load")}, "expected each name once, got 'load' twice"),
        ({"sources": ("S1", "S1")}, "expected each name once, got 'S1' twice"),
        ({"always": True}, "expected no drivers, causes or leading beside always"),
        ({"drivers": None, "always": 1}, "valid boolean"),
        (
            {"drivers": None, "always": True, "at_least": 0.1},
            "expected drivers or causes for at_least",
        ),
        ({"drivers": None, "leading": ("a",), "at_least": 0.1}, "for at_least, got 0.1 alone"),
        ({"at_least": 0.0}, "strictly between 0 and 1, got 0.0"),
        ({"at_least": 1.0}, "strictly between 0 and 1, got 1.0"),
        ({"at_least": float("nan")}, "strictly between 0 and 1, got nan"),
        ({"at_least": "0.1"}, "valid number"),
        ({"unknown": "show"}, "expected a condition `when` for unknown, got 'show' alone"),
        ({"unknown": "ask", "when": {"any": ("a",)}}, "'show' or 'hide'"),
        ({"accompanies": ("made_up",)}, "expected other texts in accompanies"),
        ({"when": {"any": ()}}, "expected one item or more in any"),
        ({"when": {"any": ("Fever!",)}}, "expected a leaf such as"),
    ],
)
def test_schema_refuses(changes, match):
    with pytest.raises(ValidationError, match=match):
        text(**changes)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"driver_from": 0.25}, "Field required"),
        ({"driver_from": 0.0, "cause_from": 0.15}, "strictly between 0 and 1, got 0.0"),
        ({"driver_from": 0.25, "cause_from": 1.5}, "strictly between 0 and 1, got 1.5"),
        ({"driver_from": 0.25, "cause_from": 0.15, "x": 1}, "Extra inputs are not permitted"),
    ],
)
def test_settings_refuse(settings, match):
    with pytest.raises(ValidationError, match=match):
        TextSettings.model_validate(settings)


def test_texts_are_frozen_and_hashable_and_are_read_as_a_list():
    with pytest.raises(ValidationError, match="frozen"):
        text().kind = "test"
    assert len({text(), text(), text(id="other")}) == 2
    many = TypeAdapter(tuple[Text, ...]).validate_python([text().model_dump(exclude_unset=True)])
    assert many == (text(),)


def test_references_name_everything_with_its_place():
    full = text(
        drivers=("load", "cramp"),
        causes=("statin",),
        leading=("cold",),
        show=("ms",),
        accompanies=("other",),
        sources=("S1", "clin"),
        when={"all": ("fever", {"any": ("age:70_or_over",)}), "none": ("!limp",)},
    )
    assert list(text_references(full)) == [
        ("drivers[0]", "driver", "load"),
        ("drivers[1]", "driver", "cramp"),
        ("causes[0]", "cause", "statin"),
        ("leading[0]", "cause", "cold"),
        ("show[0]", "cause", "ms"),
        ("accompanies[0]", "text", "other"),
        ("sources[0]", "source", "S1"),
        ("sources[1]", "source", "clin"),
        ("statements[0]", "statement", "S1-87"),
    ]
