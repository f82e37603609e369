"""Numbers that were learned from cases, beside the stated ones: ``learned.toml``.

Nothing that a document says is written over. A learned number takes the place of a stated one as
long as the stated one is what it was learned from; one that was edited since keeps its edit.
"""

from __future__ import annotations

import json

from bayesdx.knowledge.addresses import (
    Address,
    StatedValue,
    with_ranges,
    with_values,
)
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learning_schema import LearnedNumber, Learning
from bayesdx.knowledge.overrides import calibrated, value_at
from bayesdx.knowledge.schema import Range

LEARNED_FILE = "learned.toml"


def in_use(knowledge: Knowledge) -> Knowledge:
    """Return the knowledge with the numbers that answers are made with.

    Parameters
    ----------
    knowledge : Knowledge
        As read, with elicited values.

    Returns
    -------
    Knowledge
        With calibrated numbers in the place of elicited ones, then learned ones in the place of
        those, with their ranges.
    """
    return with_learned(calibrated(knowledge))


def with_learned(knowledge: Knowledge) -> Knowledge:
    """Put learned numbers and ranges in the place of those that they were learned from."""
    values: dict[Address, StatedValue] = {}
    ranges: dict[Address, Range] = {}
    for one in applied(knowledge):
        address = Address.parse(one.number)
        assert address is not None
        values[address] = one.after
        if one.range_after is not None:
            ranges[address] = one.range_after
    return with_ranges(with_values(knowledge, values), ranges) if values else knowledge


def applied(knowledge: Knowledge) -> tuple[LearnedNumber, ...]:
    """Return the learned numbers whose stated value is still what they were learned from.

    Parameters
    ----------
    knowledge : Knowledge
        With calibrated, not yet with learned numbers.
    """
    learned = knowledge.learning.number if knowledge.learning is not None else ()
    return tuple(one for one in learned if value_at(knowledge, one.number) == one.before)


def learned_at(knowledge: Knowledge, place: str) -> LearnedNumber | None:
    """Return what gave a number of the knowledge in use its value, if it was learned."""
    learned = knowledge.learning.number if knowledge.learning is not None else ()
    for one in learned:
        if one.number == place and value_at(knowledge, place) == one.after:
            return one
    return None


def learned_note(knowledge: Knowledge) -> str:
    """Say in a sentence how many numbers of the knowledge in use were learned; or nothing."""
    learning = knowledge.learning
    if learning is None:
        return ""
    count = sum(learned_at(knowledge, one.number) is not None for one in learning.number)
    return (
        f"Numbers that were learned, not stated: {count}, from {learning.cases} {learning.sample} "
        f"cases, {learning.labelled} of them labelled ({LEARNED_FILE})."
    )


def learning_text(learning: Learning) -> str:
    """Write what was learned as the content of ``learned.toml``."""
    lines = [
        "# Written by `bayesdx learn`; review it, do not edit it. What cases made of the stated",
        "# numbers, the largest move first in units of their stated uncertainty. The files of the",
        "# folder are as they were: without this file, answers are made with the stated numbers.",
        "",
        f"computed_from = {json.dumps(learning.computed_from)}",
        f"cases = {learning.cases}",
        f"labelled = {learning.labelled}",
        f"sample = {json.dumps(learning.sample)}",
        f"case_weight = {learning.case_weight!r}",
        f"no_longer_hold = {json.dumps(list(learning.no_longer_hold))}",
    ]
    for one in learning.number:
        lines += ["", "[[number]]", f"number = {json.dumps(one.number)}"]
        for key in ("before", "after", "range_before", "range_after", "effective_cases", "moved"):
            value = getattr(one, key)
            if value is not None:
                text = list(value) if isinstance(value, tuple) else value
                lines.append(f"{key} = {text!r}")
    return "\n".join(lines) + "\n"
