"""How soon somebody should act, for N cases: by the rules, and by the expected loss of waiting.

Both look at what was answered alone, so that an impossible or too complex case is judged as well.
No rule above routine asks for an absent finding, and no positive finding lowers the score of a
dangerous cause (`bayesdx.diagnosis.danger`): **a positive finding never lowers the level.**
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.danger import DangerScores
from bayesdx.diagnosis.kleene import Facts
from bayesdx.diagnosis.red_flags import Rules, as_table
from bayesdx.diagnosis.triage import TriageTable, level_many, triage_many
from bayesdx.inference.arrays import BoolArray


@dataclass(frozen=True, eq=False)
class Urgency:
    """What N cases call for; levels are positions in `LEVELS`.

    Attributes
    ----------
    fired : bool array (N, R)
        Rules that fire.
    calls : bool array (N, K)
        Causes of the triage table that call for action.
    by_rules, level : int8 arrays (N,)
        By the rules alone, and the more pressing of the two.
    """

    fired: BoolArray
    calls: BoolArray
    by_rules: NDArray[np.int8]
    level: NDArray[np.int8]


def urgency_of(
    rules: Rules,
    triage: TriageTable,
    danger: DangerScores,
    facts: Mapping[str, NDArray[np.integer]],
    n_cases: int,
) -> Urgency:
    """Judge N cases.

    Parameters
    ----------
    rules : Rules
    triage : TriageTable
    danger : DangerScores
        Of the causes of the triage table.
    facts : mapping of str to int array (N,)
        As `Facts` takes them.
    n_cases : int
        N.
    """
    fired = rules.fired(Facts(facts, n_cases))
    by_rules = rules.level_codes(fired, n_cases)
    calls = triage_many(triage, danger.weighed(facts, n_cases))
    level = np.minimum(by_rules, level_many(triage, calls))
    return Urgency(as_table(fired, n_cases), calls, by_rules, level)
