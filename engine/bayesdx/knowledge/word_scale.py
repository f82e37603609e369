"""The word scale: what "often" or "rare" is taken to mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from bayesdx.errors import NOTHING
from bayesdx.knowledge.schema import Word

PARAMETERS = {
    "beta": 2,  # a, b
    "lognormal": 2,  # mean and standard deviation of the logarithm
    "dirichlet": 1,  # concentration
    "ordinal": 0,  # an ordering, no number
    "quantile": 1,  # the probability of the quantile that the wording gives
}
"""Distributions of the word scale and how many parameters each takes."""

MEAN_TOLERANCE = 0.005


def find_word(words: Iterable[Word], wording: str) -> Word | None:
    """Find a verbal expression on the scale, in any capitalisation.

    Parameters
    ----------
    words : iterable of Word
        The scale.
    wording : str
        The expression; a row of the scale may hold several, separated by ``/``.

    Returns
    -------
    Word or None
        The row, if there is one.
    """
    wanted = _folded(wording)
    for word in words:
        if wanted == _folded(word.wording) or wanted in map(_folded, word.wording.split("/")):
            return word
    return None


def word_mean(word: Word) -> float | None:
    """Return the mean of a word's distribution.

    Parameters
    ----------
    word : Word
        A row of the scale.

    Returns
    -------
    float or None
        The mean of a beta; the median of a log-normal, which is a ratio; otherwise what the row
        itself states.
    """
    if word.distribution == "beta":
        a, b = word.parameters
        return a / (a + b)
    if word.distribution == "lognormal":
        return math.exp(word.parameters[0])
    return word.mean


def word_faults(word: Word) -> Iterator[tuple[str, str, object]]:
    """Compare a word's distribution with its parameters and mean.

    Parameters
    ----------
    word : Word
        A row of the scale.

    Yields
    ------
    (str, str, object)
        The key, what was expected there and what was got.
    """
    count = PARAMETERS.get(word.distribution)
    if count is None:
        yield "distribution", f"one of {', '.join(PARAMETERS)}", word.distribution
    elif len(word.parameters) != count:
        got = list(word.parameters) or NOTHING
        yield "parameters", f"{count} numbers for a {word.distribution}", got
    elif word.distribution == "beta" and min(word.parameters) <= 0.0:
        yield "parameters", "numbers above 0", list(word.parameters)
    elif word.mean is not None and word.distribution in ("beta", "lognormal"):
        mean = word_mean(word)
        if mean is not None and abs(mean - word.mean) > MEAN_TOLERANCE * max(1.0, word.mean):
            yield "mean", f"{mean:.4g}, the mean of its parameters", word.mean


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
