"""Numbers before and after, as a table and as the content of ``learned.toml``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdx.building.number_chain import NumberChain
from bayesdx.building.perturbations import Mover
from bayesdx.diagnosis.learning.number_posterior import (
    NumberPosterior,
    effective_cases,
    interval,
)
from bayesdx.knowledge.addresses import Address
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learning_schema import LearnedNumber

_COLUMNS = (
    "number",
    "title",
    "before",
    "after",
    "low_before",
    "high_before",
    "low_after",
    "high_after",
    "effective_cases",
    "moved",
)


def learned_rows(
    chain: NumberChain, found: NumberPosterior, knowledge: Knowledge
) -> tuple[tuple[LearnedNumber, ...], pd.DataFrame]:
    """List the numbers that the cases speak of, the largest move first.

    Parameters
    ----------
    chain : NumberChain
    found : NumberPosterior
        Of its numbers.
    knowledge : Knowledge
        With the learned numbers.

    Returns
    -------
    numbers : tuple of LearnedNumber
    table : DataFrame
        See `Learned.table`.
    """
    rows: list[dict[str, object]] = []
    numbers: dict[Address, LearnedNumber] = {}
    informed = np.flatnonzero(np.isfinite(found.deviation))
    for j in sorted(informed.tolist(), key=lambda j: -_distance(chain.movers[j], found, j)):
        mover = chain.movers[j]
        number = mover.number.number
        before, after = number.value, number.address.get(knowledge)
        moved = float(found.steps[j]) / mover.deviation
        worth = effective_cases(mover, found, j)
        stated, learned = mover.number.ends, interval(mover, found, j)
        if isinstance(before, tuple):
            assert isinstance(after, tuple)
            place, title = f"{number.place}[{mover.state}]", number.title
            old, new = before[mover.state], after[mover.state]
        else:
            assert not isinstance(after, tuple)
            place, title, old, new = number.place, number.title, before, after
            learned = min(learned[0], new), max(learned[1], new)
        row = (place, title, old, new, *stated, *learned, worth, moved)
        rows.append(dict(zip(_COLUMNS, row, strict=True)))
        if number.address in numbers:
            continue
        ranges = (None, None) if isinstance(before, tuple) else (stated, learned)
        numbers[number.address] = LearnedNumber.model_construct(
            number=number.place,
            before=before,
            after=after,
            range_before=ranges[0],
            range_after=ranges[1],
            effective_cases=worth,
            moved=moved,
        )
    return tuple(numbers.values()), pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("number")


def _distance(mover: Mover, found: NumberPosterior, j: int) -> float:
    return abs(float(found.steps[j])) / mover.deviation
