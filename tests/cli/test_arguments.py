"""Findings on the command line: three ways to write one."""

import re

import pytest

from bayesdx.cli.arguments import read_findings
from bayesdx.errors import InvalidCase


def test_three_ways_to_write_a_finding() -> None:
    words = ["age=52", "fair_pos", "!slr_pos", "bilateral=absent", " low back pain = present "]
    assert read_findings(words) == {
        "age": "52",
        "fair_pos": "present",
        "slr_pos": "absent",
        "bilateral": "absent",
        "low back pain": "present",
    }


def test_value_may_hold_an_equals_sign_and_spaces() -> None:
    assert read_findings(["duration=7 months", "x=a=b"]) == {"duration": "7 months", "x": "a=b"}


def test_same_value_twice_is_no_contradiction() -> None:
    assert read_findings(["fever", "fever=present"]) == {"fever": "present"}


@pytest.mark.parametrize("word", ["", "=", "=present", "age=", "!", "!fever=present"])
def test_a_word_that_is_no_finding(word: str) -> None:
    message = f"argument {word!r}: expected id, id=value or !id, got {word!r}."
    with pytest.raises(InvalidCase, match=f"^{re.escape(message)}$"):
        read_findings([word])


def test_contradiction_names_both_values() -> None:
    with pytest.raises(InvalidCase, match="expected one value of age, got '52' and '60'"):
        read_findings(["age=52", "age=60"])


def test_all_faults_at_once() -> None:
    with pytest.raises(InvalidCase, match="2 faults"):
        read_findings(["fever", "!fever", "="])
