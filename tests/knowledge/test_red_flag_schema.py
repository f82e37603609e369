"""What a red flag rule may look like, and what is refused."""

import pytest
from pydantic import ValidationError

from bayesdx.knowledge.red_flag_schema import RedFlag, When, leaves, needed_states, subjects


def rule(level: str = "soon", when: dict | None = None, **rest: object) -> RedFlag:
    base = {
        "id": f"made_up_{level}",
        "level": level,
        "title": "A title",
        "advice": "An advice.",
        "sources": ("clin",),
        "basis": "JUDGEMENT",
        "when": when or {"all": ("a",)},
    }
    return RedFlag.model_validate(base | rest)


@pytest.mark.parametrize(
    ("when", "match"),
    [
        ({}, "expected one of all, any, at_least or none"),
        ({"any": []}, "expected one item or more in any"),
        ({"all": ["a"], "none": []}, "expected one item or more in none"),
        ({"any": ["A b"]}, "expected a leaf such as"),
        ({"any": ["!age:70_or_over"]}, "expected a leaf such as"),
        ({"some": ["a"]}, "Extra inputs are not permitted"),
        ({"at_least": {"count": 3, "of": ["a", "b"]}}, "expected a count of at most 2"),
        ({"at_least": {"count": 0, "of": ["a"]}}, "greater than or equal to 1"),
        ({"all": [{"any": [{"all": ["!!x"]}]}]}, "expected a leaf such as"),
    ],
)
def test_schema_refuses_a_condition(when, match):
    with pytest.raises(ValidationError, match=match):
        When.model_validate(when)


@pytest.mark.parametrize(
    ("when", "torn"),
    [
        ({"all": ["a", "!a", "b"]}, ["a"]),
        ({"all": ["age:old", "age:young|middle"]}, ["age"]),
        ({"all": ["a", {"all": ["b", "!a"]}]}, ["a"]),
        ({"all": ["a"], "none": ["a"]}, ["a"]),
        ({"all": ["age:old|middle", "age:young|middle"]}, []),
        ({"any": ["a", "!a"]}, []),
        ({"all": ["a"], "any": [{"all": ["!a"]}, "b"]}, []),
        ({"all": ["a"], "none": ["!a", "b"]}, []),
    ],
)
def test_a_block_that_is_never_true_is_known(when, torn):
    needed = needed_states(When.model_validate(when))
    assert [subject for subject, states in needed.items() if not states] == torn


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"level": "high"}, "'emergency', 'urgent', 'soon', 'routine' or 'self_care'"),
        ({"id": "Not-snake"}, "expected an id in snake_case"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"advice": ""}, "at least 1 character"),
        ({"sources": []}, "at least 1 item"),
        ({"basis": "GUESS"}, "'SEEN'"),
    ],
)
def test_schema_refuses_a_rule(change, match):
    with pytest.raises(ValidationError, match=match):
        rule(**change)


def test_rules_are_frozen_and_hashable():
    with pytest.raises(ValidationError, match="frozen"):
        rule().level = "routine"
    assert len({rule(), rule(), rule("urgent")}) == 2


def test_leaves_and_subjects():
    when = When.model_validate(
        {
            "all": ["a", {"any": ["!b"]}],
            "at_least": {"count": 1, "of": ["age:70_or_over", {"none": ["c"]}]},
        }
    )
    assert leaves(when) == {"a", "!b", "age:70_or_over", "c"}
    assert subjects(when) == {"a", "b", "age", "c"}
