"""Which question an interview puts next, and about how many there will be.

Age, sex and the main complaint come first, then the questions an answer to which raises the urgency
by itself, then what tells most about the causes for its cost. Each part has a limit, so that who
knows nothing is asked `MOST` questions and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesdx.diagnosis.asking.complaints import possible_complaints

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx import Engine

#: Questions of each part at most, and in all.
PARTS: Mapping[str, int] = {"opening": 3, "red flag": 16, "telling": 11}
MOST = sum(PARTS.values())
#: Expected information, in bits, below which an answer about the causes is not worth asking for.
LEAST_INFORMATION = 0.01
#: What everybody is asked first, where the knowledge has it.
FIRST = ("age", "sex")
#: The id under which the choice of a main complaint is noted; it is no question of the knowledge.
COMPLAINT = "main complaint"


class Put(NamedTuple):
    """The next question.

    Attributes
    ----------
    question : str
        Its id; `COMPLAINT` for the choice of a main complaint.
    part : str
        One of `PARTS`.
    total : int
        About how many questions there will be, those that were put among them.
    """

    question: str
    part: str
    total: int


def choose(
    table: pd.DataFrame, opening: Sequence[str], put: Sequence[str], limited: bool = True
) -> Put | None:
    """Choose the next question of an interview.

    Parameters
    ----------
    table : DataFrame
        `NextQuestions.table` of what is still open.
    opening : sequence of str
        Of `opening_of`, those that were neither put nor given.
    put : sequence of str
        The part of each question that was put so far.
    limited : bool
        Keep to the limits of `PARTS`.

    Returns
    -------
    Put or None
        None when the interview is over.
    """
    done = Counter(put)
    red = list(table.index[table["red_flag_level"] != ""])
    worth = table["information"].to_numpy(dtype=np.float64, na_value=0.0)
    per_cost = table["information_per_cost"].to_numpy(dtype=np.float64, na_value=0.0)
    least = LEAST_INFORMATION if limited else 0.0
    telling = [table.index[at] for at in np.argsort(-per_cost, kind="stable") if worth[at] > least]
    if not limited:
        # What has no probability may still matter to a rule.
        telling += [name for name in table.index if name not in {*telling, *red}]
    waiting = {
        "opening": list(opening),
        "red flag": red,
        "telling": [name for name in telling if name not in red],
    }
    if limited:
        waiting = {
            part: names[: max(PARTS[part] - done[part], 0)] for part, names in waiting.items()
        }
    total = len(put) + sum(map(len, waiting.values()))
    for part, names in waiting.items():
        if names:
            return Put(str(names[0]), part, total)
    return None


def opening_of(engine: Engine, given: Collection[str]) -> tuple[str, ...]:
    """Name what is asked first: age, sex, and the main complaint where none is given."""
    risks = engine.knowledge.risks
    first = [name for name in FIRST if name in risks and name not in given]
    possible = possible_complaints(engine.core)
    if len(possible) > 1 and possible.keys().isdisjoint(given):
        first.append(COMPLAINT)
    return tuple(first)
