"""What a constraint may speak of and ask for, and what is said where it does not."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bayesdx.errors import InvalidKnowledge
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.statement_schema import Constraint, read_event

Write = Callable[[Mapping[str, str]], Path]

HEAD = '[[constraint]]\nid = "bound"\nstatements = ["S1-02"]\nhard = true\n'


def constraints_of(
    small: dict[str, str], write: Write, body: str, head: str = HEAD
) -> tuple[Constraint, ...]:
    small["constraints.toml"] = head + body
    return read_knowledge(write(small)).constraints


# ---- events


@pytest.mark.parametrize(
    ("event", "subject", "states"),
    [
        ("strain", "strain", ("present",)),
        ("age:60_or_over", "age", ("60_or_over",)),
        ("radiation:thigh|foot", "radiation", ("thigh", "foot")),
        ("cramp:", "cramp", ("",)),
    ],
)
def test_event_is_taken_apart(event: str, subject: str, states: tuple[str, ...]) -> None:
    assert read_event(event) == (subject, states)


# ---- what is right


def test_bounds_arrive(small: dict[str, str], write: Write) -> None:
    body = """
event = "strain"
between = [0.0, 0.5]
note = "A bound."
[constraint.given]
cramp = "present"
age = "60_or_over"
"""
    (one,) = constraints_of(small, write, body)
    assert (one.id, one.statements, one.hard, one.event) == ("bound", ("S1-02",), True, "strain")
    assert one.given == {"cramp": "present", "age": "60_or_over"}
    assert (one.between, one.at_least_as_likely_as, one.rises_from) == ((0.0, 0.5), (), None)


@pytest.mark.parametrize(
    "event",
    [
        "strain",
        "load",
        "any_muscle",
        "cramp",
        "cramp:absent",
        "radiation_any",
        "radiation:thigh|foot",
        "statin_use",
        "age:60_or_over",
    ],
)
def test_causes_groups_findings_and_risks_may_be_events(
    small: dict[str, str], write: Write, event: str
) -> None:
    (one,) = constraints_of(small, write, f'event = "{event}"\nat_least_as_likely_as = ["drug"]\n')
    assert one.event == event


def test_nothing_known_may_be_the_other_condition(small: dict[str, str], write: Write) -> None:
    body = 'event = "strain"\ngiven = { cramp = "present" }\nrises_from = {}\n'
    (one,) = constraints_of(small, write, body)
    assert one.rises_from == {}


def test_one_probability_may_be_asked_for(small: dict[str, str], write: Write) -> None:
    (one,) = constraints_of(small, write, 'event = "strain"\nbetween = [0.13, 0.13]\n')
    assert one.between == (0.13, 0.13)


def test_constraints_keep_their_order(small: dict[str, str], write: Write) -> None:
    body = 'event = "strain"\nbetween = [0.0, 0.5]\n'
    found = constraints_of(small, write, body + HEAD.replace("bound", "another") + body)
    assert [one.id for one in found] == ["bound", "another"]


def test_constraint_is_read_only(small: dict[str, str], write: Write) -> None:
    body = 'event = "strain"\ngiven = { cramp = "present" }\nbetween = [0.0, 0.5]\n'
    (one,) = constraints_of(small, write, body)
    with pytest.raises(TypeError, match="read-only"):
        one.given["cramp"] = "absent"  # type: ignore[index]


def test_packaged_constraints_cite_and_name_each_once(real_knowledge: Knowledge) -> None:
    ids = [one.id for one in real_knowledge.constraints]
    assert len(ids) == len(set(ids)) > 30
    for one in real_knowledge.constraints:
        assert one.statements, one.id
        assert set(one.statements) <= set(real_knowledge.statements), one.id
        assert one.rises_from != one.given, one.id
        assert one.event not in one.at_least_as_likely_as, one.id


# ---- what is wrong

PLACE = r"constraints\.toml:constraint\[0\]"

WRONG = {
    "unknown event": (
        'event = "strian"\nbetween = [0.0, 0.5]',
        r"\.event: expected a cause, group, finding or risk, got 'strian'\. Nearest: strain",
    ),
    "no event": ("between = [0.0, 0.5]", r"\.event: expected a text, got nothing"),
    "empty event": (
        'event = ""\nbetween = [0.0, 0.5]',
        r"\.event: expected a cause, group, finding or risk, got ''",
    ),
    "state of a cause": (
        'event = "strain:present"\nbetween = [0.0, 0.5]',
        r"\.event: expected 'strain' without a state: a cause or group is present, got 'strain:p",
    ),
    "state of a group": (
        'event = "load:absent"\nbetween = [0.0, 0.5]',
        r"\.event: expected 'load' without a state: a cause or group is present, got 'load:abs",
    ),
    "excluded diagnosis as event": (
        'event = "bowel"\nbetween = [0.0, 0.5]',
        r"\.event: expected a modelled cause, got 'bowel', of kind 'excluded'",
    ),
    "leak as rival": (
        'event = "strain"\nat_least_as_likely_as = ["leak_other"]',
        r"\.at_least_as_likely_as\[0\]: expected a modelled cause, got 'leak_other', of kind",
    ),
    "state named twice": (
        'event = "age:60_or_over|60_or_over"\nbetween = [0.0, 0.5]',
        r"\.event: expected each state once, got 'age:60_or_over\|60_or_over'",
    ),
    "unknown state of an event": (
        'event = "age:under_60|over_60"\nbetween = [0.0, 0.5]',
        r"\.event: expected a state of age: under_60, 60_or_over, got 'over_60'\. Nearest: ",
    ),
    "event with states, none named": (
        'event = "age"\nbetween = [0.0, 0.5]',
        r"\.event: expected a state of age: under_60, 60_or_over, got 'present'",
    ),
    "event with a colon and no state": (
        'event = "cramp:"\nbetween = [0.0, 0.5]',
        r"\.event: expected a state of cramp: absent, present, got ''",
    ),
    "observation as event": (
        'event = "severe_pain"\nbetween = [0.0, 0.5]',
        r"\.event: expected a finding with a probability, got the observation 'severe_pain'",
    ),
    "observation as condition": (
        'event = "strain"\ngiven = { severe_pain = "present" }\nbetween = [0.0, 0.5]',
        r"\.given\.severe_pain: expected a finding with a probability, got the observation",
    ),
    "cause as condition": (
        'event = "cramp"\ngiven = { strain = "present" }\nbetween = [0.0, 0.5]',
        r"\.given\.strain: expected a finding or risk, got 'strain'",
    ),
    "unknown condition": (
        'event = "strain"\ngiven = { crmap = "present" }\nbetween = [0.0, 0.5]',
        r"\.given\.crmap: expected a finding or risk, got 'crmap'\. Nearest: cramp",
    ),
    "unknown state of a condition": (
        'event = "strain"\ngiven = { cramp = "persent" }\nbetween = [0.0, 0.5]',
        r"\.given\.cramp: expected a state of cramp: absent, present, got 'persent'\. Nearest: pre",
    ),
    "two states of a condition": (
        'event = "strain"\ngiven = { age = "under_60|60_or_over" }\nbetween = [0.0, 0.5]',
        r"\.given\.age: expected a state of age: under_60, 60_or_over, got 'under_60\|60_or_over'",
    ),
    "flag as a state": (
        'event = "strain"\ngiven = { cramp = true }\nbetween = [0.0, 0.5]',
        r"\.given\.cramp: expected a text, got True",
    ),
    "unknown state of the other condition": (
        'event = "strain"\nrises_from = { cramp = "no" }',
        r"\.rises_from\.cramp: expected a state of cramp: absent, present, got 'no'",
    ),
    "unknown rival": (
        'event = "strain"\nat_least_as_likely_as = ["drug", "laod"]',
        r"\.at_least_as_likely_as\[1\]: expected a cause, group, finding or risk, got 'laod'\. "
        "Nearest: load",
    ),
    "unknown state of a rival": (
        'event = "strain"\nat_least_as_likely_as = ["cramp:maybe"]',
        r"\.at_least_as_likely_as\[0\]: expected a state of cramp: absent, present, got 'maybe'",
    ),
    "nothing asked for": (
        'event = "strain"',
        r": expected one of between, at_least_as_likely_as and rises_from, got 0 of them",
    ),
    "no rival": (
        'event = "strain"\nat_least_as_likely_as = []',
        r": expected one of between, at_least_as_likely_as and rises_from, got 0 of them",
    ),
    "two things asked for": (
        'event = "strain"\nbetween = [0.0, 0.5]\nat_least_as_likely_as = ["drug"]',
        r": expected one of between, at_least_as_likely_as and rises_from, got 2 of them",
    ),
    "three things asked for": (
        'event = "strain"\nbetween = [0.0, 0.5]\nat_least_as_likely_as = ["drug"]\nrises_from = {}',
        r": expected one of between, at_least_as_likely_as and rises_from, got 3 of them",
    ),
    "bounds reversed": (
        'event = "strain"\nbetween = [0.5, 0.1]',
        r": expected bounds .*, got \[0\.5, 0\.1\]",
    ),
    "bounds beyond 1": (
        'event = "strain"\nbetween = [0.5, 1.5]',
        r": expected bounds .*from 0 to 1, got \[0\.5, 1\.5\]",
    ),
    "bounds below 0": (
        'event = "strain"\nbetween = [-0.5, 0.5]',
        r": expected bounds .*from 0 to 1, got \[-0\.5, 0\.5\]",
    ),
    "one bound": (
        'event = "strain"\nbetween = [0.5]',
        r"\.between\[1\]: expected a number, got nothing",
    ),
    "bound that is no number": (
        'event = "strain"\nbetween = [nan, 0.5]',
        r"\.between\[0\]: expected a finite number, got nan",
    ),
    "unknown key": (
        'event = "strain"\nbetween = [0.0, 0.5]\nwhen = "cramp"',
        r"\.when: expected one of the keys at_least_as_likely_as, between, event, given, hard, ",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_constraint_is_named(small: dict[str, str], write: Write, name: str) -> None:
    body, said = WRONG[name]
    with pytest.raises(InvalidKnowledge, match=f"^{PLACE}{said}"):
        constraints_of(small, write, body)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["S1-02"]', "[]", r"\.statements: expected 1 items or more, got \[\]"),
        ('["S1-02"]', '"S1-02"', r"\.statements: expected a list of texts, got 'S1-02'"),
        ("hard = true", 'hard = "yes"', r"\.hard: expected true or false, got 'yes'"),
        ("hard = true\n", "", r"\.hard: expected true or false, got nothing"),
        ('id = "bound"\n', "", r"\.id: expected a text, got nothing"),
        ('id = "bound"', 'id = "A bound"', r"\.id: expected .*, got 'A bound'"),
    ],
)
def test_wrong_head_is_named(
    small: dict[str, str], write: Write, old: str, new: str, said: str
) -> None:
    body = 'event = "strain"\nbetween = [0.0, 0.5]\n'
    with pytest.raises(InvalidKnowledge, match=f"^{PLACE}{said}"):
        constraints_of(small, write, body, HEAD.replace(old, new))


def test_second_constraint_of_an_id_is_named(small: dict[str, str], write: Write) -> None:
    body = 'event = "strain"\nbetween = [0.0, 0.5]\n'
    with pytest.raises(
        InvalidKnowledge,
        match=r"^constraints\.toml:constraint\[1\]\.id: expected an id of its own, got 'bound'",
    ):
        constraints_of(small, write, body + HEAD + body)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("constraint = 3", r"constraint: expected an array of tables, \[\[constraint\]\], got 3"),
        ("constraint = [3]", r"constraint\[0\]: expected a table, got 3"),
        ('[[constrain]]\nid = "a"', r"constrain: expected only \[\[constraint\]\], got"),
    ],
)
def test_file_of_another_shape_is_named(
    small: dict[str, str], write: Write, content: str, said: str
) -> None:
    with pytest.raises(InvalidKnowledge, match=rf"^constraints\.toml:{said}"):
        constraints_of(small, write, content, head="")


def test_all_faults_of_all_constraints_come_at_once(small: dict[str, str], write: Write) -> None:
    first = 'event = "strian"\ngiven = { crmap = "present" }\nrises_from = { cramp = "no" }\n'
    second = 'event = "load"\nbetween = [0.5, 0.1]\n'
    with pytest.raises(InvalidKnowledge, match=r"^4 faults:") as caught:
        constraints_of(small, write, first + HEAD + second)
    assert {fault.place for fault in caught.value.faults} == {
        "constraints.toml:constraint[0].event",
        "constraints.toml:constraint[0].given.crmap",
        "constraints.toml:constraint[0].rises_from.cramp",
        "constraints.toml:constraint[1]",
    }


def test_several_unreadable_constraints_do_not_share_an_id(
    small: dict[str, str], write: Write
) -> None:
    body = 'event = "strain"\nbetween = [0.5, 0.1]\n'
    with pytest.raises(InvalidKnowledge, match=r"^2 faults:") as caught:
        constraints_of(small, write, body + HEAD.replace("bound", "another") + body)
    assert {fault.place for fault in caught.value.faults} == {
        "constraints.toml:constraint[0]",
        "constraints.toml:constraint[1]",
    }


def test_nothing_is_said_of_names_whose_file_is_broken(small: dict[str, str], write: Write) -> None:
    small["findings.toml"] += "\n[cramp\n"
    body = 'event = "cramp"\ngiven = { cramp = "present" }\nbetween = [0.0, 0.5]\n'
    with pytest.raises(InvalidKnowledge, match=r"^findings\.toml:\d+: expected valid TOML"):
        constraints_of(small, write, body)
