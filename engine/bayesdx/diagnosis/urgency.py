"""How soon somebody should act, for N cases: by the rules, and by the expected loss of waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.kleene import Facts
from bayesdx.diagnosis.red_flags import Rules, as_table
from bayesdx.diagnosis.triage import TriageTable, level_many, triage_many
from bayesdx.inference.arrays import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Urgency:
    """What N cases call for; levels are positions in `LEVELS`.

    Attributes
    ----------
    fired : bool array (N, R)
        Rules that fire.
    calls : bool array (N, K)
        Causes of the triage table whose expected loss calls for action.
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
    facts: Mapping[str, NDArray[np.integer]],
    posteriors: FloatArray,
    counts: BoolArray,
) -> Urgency:
    """Judge N cases.

    Parameters
    ----------
    rules : Rules
    triage : TriageTable
    facts : mapping of str to int array (N,)
        As `Facts` takes them.
    posteriors : array (N, K)
        Of the causes of the triage table.
    counts : bool array (N,)
        Where posteriors count: something is known, and it is possible.

    Returns
    -------
    Urgency
    """
    n_cases = len(posteriors)
    fired = rules.fired(Facts(facts, n_cases))
    by_rules = rules.level_codes(fired, n_cases)
    calls = triage_many(triage, posteriors) & counts[:, None]
    level = np.minimum(by_rules, level_many(triage, calls))
    return Urgency(as_table(fired, n_cases), calls, by_rules, level)
