"""Red flags: three-valued logic, urgency and reasons, for one case and for many."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kleene_twin import (
    FIRED,
    NOT_MET,
    OPEN,
    evaluate,
    evaluate_many,
    judge,
    urgency,
    urgency_many,
)

from bayesdx.diagnosis.kleene import FEW, packed, unpacked
from bayesdx.errors import InvalidCase
from bayesdx.knowledge.red_flag_schema import LEVELS, RedFlag, subjects

FILE = Path(__file__).parents[2] / "priors" / "red_flags.toml"
AGES = (
    "under_30",
    "30_to_39",
    "40_to_49",
    "50_to_59",
    "60_to_64",
    "65_to_69",
    "70_to_79",
    "80_or_over",
)
STATES = {"age": AGES}

RULES = tuple(
    RedFlag.model_validate(rule) for rule in tomllib.loads(FILE.read_text(encoding="utf-8"))["rule"]
)
ALL_SUBJECTS = tuple(sorted(frozenset().union(*(subjects(rule.when) for rule in RULES))))


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


# --- three-valued logic ------------------------------------------------------------------------

TRUTHS = {"T": "present", "F": "absent", "U": None}
WORDS = {"fired": "T", "not_met": "F", "open": "U"}


def kleene(when: dict, **states: str) -> str:
    facts = {name: TRUTHS[state] for name, state in states.items()}
    (result,) = evaluate([rule(when=when)], facts)
    return WORDS[result.outcome]


@pytest.mark.parametrize(
    ("when", "table"),
    [
        ({"all": ["a", "b"]}, "TFU FFF UFU"),
        ({"any": ["a", "b"]}, "TTT TFU TUU"),
        ({"none": ["a", "b"]}, "FFF FTU FUU"),
        ({"at_least": {"count": 1, "of": ["a", "b"]}}, "TTT TFU TUU"),
        ({"at_least": {"count": 2, "of": ["a", "b"]}}, "TFU FFF UFU"),
        ({"all": ["a"], "any": ["b"]}, "TFU FFF UFU"),
        ({"all": ["a"], "none": ["b"]}, "FTU FFF FUU"),
        ({"any": ["a", "!b"]}, "TTT FTU UTU"),
        ({"all": [{"none": ["a"]}, {"any": ["b"]}]}, "FFF TFU UFU"),
    ],
    ids=str,
)
def test_kleene_table(when, table):
    # Rows are a = T, F, U; columns are b = T, F, U.
    expected = table.replace(" ", "")
    pairs = itertools.product("TFU", "TFU")
    assert "".join(kleene(when, a=a, b=b) for a, b in pairs) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_at_least_counts_as_defined(count):
    names = ("a", "b", "c", "d")
    for states in itertools.product("TFU", repeat=4):
        true, unknown = states.count("T"), states.count("U")
        expected = "T" if true >= count else "F" if true + unknown < count else "U"
        when = {"at_least": {"count": count, "of": names}}
        assert kleene(when, **dict(zip(names, states, strict=True))) == expected


def test_missing_and_none_are_the_same_unknown():
    (missing,) = evaluate([rule()], {})
    (none,) = evaluate([rule()], {"a": None})
    assert missing == none
    assert missing.outcome == "open"


def test_state_leaf():
    older = rule(when={"all": ["age:65_to_69|70_to_79|80_or_over"]})
    outcomes = [evaluate([older], {"age": age})[0].outcome for age in AGES]
    assert outcomes == ["not_met"] * 5 + ["fired"] * 3
    (result,) = evaluate([older], {})
    assert (result.outcome, result.not_asked) == ("open", ("age",))


def test_because_names_the_true_leaves_only():
    when = {"all": ["a", {"any": ["b", "c", "!d"]}], "none": ["e"]}
    (result,) = evaluate(
        [rule(when=when)],
        {"a": "present", "b": "absent", "c": "present", "d": "absent", "e": "absent"},
    )
    assert result.because == ("a", "c", "!d")


def test_not_asked_leaves_out_what_no_longer_matters():
    when = {
        "all": ["a"],
        "any": ["b", "c"],
        "at_least": {"count": 2, "of": ["d", "e", "f"]},
    }
    (result,) = evaluate([rule(when=when)], {"b": "present", "d": "present", "e": "absent"})
    assert result.not_asked == ("a", "f")


def test_answering_what_was_not_asked_decides_the_rule():
    rng = np.random.default_rng(3)
    for facts in random_facts(rng, 300):
        for result in evaluate(RULES, facts):
            if result.outcome != "open":
                continue
            answers = {n: AGES[0] if n == "age" else "absent" for n in result.not_asked}
            (again,) = evaluate([result.rule], {**facts, **answers})
            assert again.outcome != "open", (result.rule.id, facts)


# --- urgency and text --------------------------------------------------------------------------


def fired(*levels: str):
    return evaluate([rule(level) for level in levels], {"a": "present"})


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((), "routine"),
        (("self_care",), "self_care"),
        (("self_care", "routine"), "routine"),
        (("self_care", "soon"), "soon"),
        (("routine", "emergency", "urgent"), "emergency"),
        (("soon", "urgent"), "urgent"),
    ],
)
def test_urgency_is_the_highest_fired(levels, expected):
    assert urgency(fired(*levels)) == expected


def test_open_rules_do_not_change_the_urgency():
    results = evaluate([rule("emergency", {"all": ["b"]}), rule("self_care")], {"a": "present"})
    assert [r.outcome for r in results] == ["open", "fired"]
    assert urgency(results) == "self_care"
    assert urgency(evaluate([rule("self_care")], {})) == "routine"


# --- many cases at once --------------------------------------------------------------------------


def random_facts(rng: np.random.Generator, count: int) -> list[dict[str, str | None]]:
    cases = []
    for _ in range(count):
        present, absent = rng.dirichlet([0.4, 0.8, 0.6])[:2]
        facts: dict[str, str | None] = {}
        for name in ALL_SUBJECTS:
            draw = rng.random()
            if name == "age":
                facts[name] = AGES[rng.integers(len(AGES))] if draw < present + absent else None
            elif draw < present:
                facts[name] = "present"
            elif draw < present + absent:
                facts[name] = "absent"
        cases.append(facts)
    return cases


def columns_of(cases: list[dict[str, str | None]], names=ALL_SUBJECTS) -> dict[str, np.ndarray]:
    return {
        name: np.array(
            [
                -1
                if case.get(name) is None
                else STATES.get(name, ("absent", "present")).index(case[name])
                for case in cases
            ],
            dtype=np.int8,
        )
        for name in names
    }


CODE = {2: FIRED, 0: NOT_MET, 1: OPEN}


def scalar(rules, cases) -> np.ndarray:
    found = [[CODE[judge(rule.when, case)] for rule in rules] for case in cases]
    return np.array(found, dtype=np.int8).reshape(len(cases), len(rules))


@pytest.mark.parametrize("seed", range(4))
def test_many_equals_scalar(seed):
    cases = random_facts(np.random.default_rng(seed), 1500)
    many = evaluate_many(RULES, columns_of(cases), states=STATES)
    assert many.dtype == np.int8
    assert many.shape == (len(cases), len(RULES))
    expected = scalar(RULES, cases)
    np.testing.assert_array_equal(many, expected)
    assert set(np.unique(expected)) == {FIRED, NOT_MET, OPEN}
    levels = [
        min(
            (r.level for r, o in zip(RULES, row, strict=True) if o == FIRED),
            key=LEVELS.index,
            default="routine",
        )
        for row in expected
    ]
    found = urgency_many(RULES, columns_of(cases), states=STATES)
    assert [LEVELS[at] for at in found] == levels
    for case, row in zip(cases[:50], expected, strict=False):
        assert [r.outcome for r in evaluate(RULES, case)] == [WORD[o] for o in row]


WORD = {FIRED: "fired", NOT_MET: "not_met", OPEN: "open"}


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 64, 65, 1000])
def test_sets_of_cases_survive_packing(count):
    rows = np.random.default_rng(count).random(count) < 0.4
    np.testing.assert_array_equal(unpacked(packed(rows), count), rows)


def conditions() -> st.SearchStrategy[dict]:
    leaf = st.sampled_from(
        ["a", "b", "c", "!a", "!b", "!c", "age:50_to_59", "age:65_to_69|70_to_79|80_or_over"]
    )

    def block(item):
        items = st.lists(item, min_size=1, max_size=3)
        counted = items.flatmap(
            lambda of: st.integers(1, len(of)).map(lambda count: {"count": count, "of": of})
        )
        return st.fixed_dictionaries(
            {}, optional={"all": items, "any": items, "none": items, "at_least": counted}
        ).filter(bool)

    return block(st.recursive(leaf, lambda inner: leaf | block(inner), max_leaves=6))


@settings(max_examples=300, deadline=None)
@given(conditions(), st.data())
def test_many_equals_scalar_on_any_condition(when, data):
    state = st.sampled_from([None, "absent", "present"])
    case = st.fixed_dictionaries(
        {"a": state, "b": state, "c": state, "age": st.sampled_from([None, *AGES])}
    )
    cases = data.draw(st.lists(case, min_size=1, max_size=8))
    rules = [rule(when=when)]
    many = evaluate_many(rules, columns_of(cases, ("a", "b", "c", "age")), states=STATES)
    np.testing.assert_array_equal(many, scalar(rules, cases))


def test_many_takes_a_missing_column_for_unknown():
    expected = scalar(RULES, [{"fever": "present"}])
    many = evaluate_many(RULES, {"fever": np.array([1])}, states=STATES)
    np.testing.assert_array_equal(many, expected)


def test_many_without_facts_needs_the_number_of_cases():
    assert evaluate_many(RULES, {}, states=STATES).shape == (0, len(RULES))
    np.testing.assert_array_equal(
        evaluate_many(RULES, {}, states=STATES, cases=2), scalar(RULES, [{}, {}])
    )


def test_many_without_rules():
    facts = {"fever": np.array([1, 0])}
    assert evaluate_many([], facts).shape == (2, 0)
    assert [LEVELS[at] for at in urgency_many([], facts)] == ["routine", "routine"]


def test_a_state_that_is_not_there_is_refused_when_compiled():
    match = r"states of 'age'.*: expected one of absent, present, got '65_to_69'"
    with pytest.raises(InvalidCase, match=match):
        evaluate_many(RULES, {"age": np.array([0, 4])})
