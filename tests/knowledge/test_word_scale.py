"""The word scale."""

import math
from typing import Any

import pytest

from bayesdx.knowledge.reading import read_knowledge
from bayesdx.knowledge.schema import Word
from bayesdx.knowledge.word_scale import find_word, word_faults, word_mean


def word(wording: str, distribution: str, *parameters: float, **others: Any) -> Word:
    return Word(
        wording=wording,
        rule="-",
        distribution=distribution,
        parameters=parameters,
        basis="RECALL",
        **others,
    )


SCALE = (
    word("often / frequent", "beta", 6.0, 4.0),
    word("associated with", "lognormal", 0.26, 0.25),
)


@pytest.mark.parametrize("wording", ["often", "Frequent", "often / frequent", " OFTEN  / frequent"])
def test_word_is_found_in_any_form(wording: str) -> None:
    assert find_word(SCALE, wording) is SCALE[0]


def test_unknown_word_is_not_found() -> None:
    assert find_word(SCALE, "often enough") is None


def test_means() -> None:
    assert word_mean(SCALE[0]) == pytest.approx(0.6)
    assert word_mean(SCALE[1]) == pytest.approx(math.exp(0.26))
    assert word_mean(word("most frequent", "ordinal")) is None
    assert word_mean(word("list member", "dirichlet", 8.0, mean=0.2)) == 0.2


@pytest.mark.parametrize(
    ("given", "key", "expected"),
    [
        (
            word("a", "gamma"),
            "distribution",
            "one of beta, lognormal, dirichlet, ordinal, quantile",
        ),
        (word("a", "beta", 1.0), "parameters", "2 numbers for a beta"),
        (word("a", "beta"), "parameters", "2 numbers for a beta"),
        (word("a", "beta", 0.0, 1.0), "parameters", "numbers above 0"),
        (word("a", "beta", 6.0, 4.0, mean=0.5), "mean", "0.6, the mean of its parameters"),
    ],
)
def test_faults_of_words(given: Word, key: str, expected: str) -> None:
    assert [(found, what) for found, what, _ in word_faults(given)] == [(key, expected)]


def test_packaged_scale_has_the_words_of_the_documents() -> None:
    words = read_knowledge().words
    for wording in ("often", "usually", "rare", "sometimes"):
        found = find_word(words, wording)
        assert found is not None, wording
        assert word_mean(found) is not None, wording
