"""Which of the open questions of a case comes first; see `questions` for what they go by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdx.diagnosis.asking.outlook import Outlook
from bayesdx.diagnosis.results import IMPOSSIBLE
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.noisy.expected import expected_information
from bayesdx.knowledge.red_flag_schema import LEVELS

_NO_RULE = len(LEVELS)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The open inquiries of a case and their order.

    Attributes
    ----------
    order : int array (I,)
        Positions among the open inquiries (`Outlook.first`), the best first.
    information, information_per_cost : arrays (I,)
        In bits; NaN where the case is impossible.
    flags : bool array (A, rules)
        Rules above the present urgency that each answer fires by itself.
    red_flag : int array (I,)
        The highest level of these, as a position in `LEVELS`; their number where there is none.
    """

    order: IntArray
    information: FloatArray
    information_per_cost: FloatArray
    flags: BoolArray
    red_flag: IntArray


def ranking(outlook: Outlook, position: int | None = None) -> Ranking:
    """Order the open inquiries of a case.

    Parameters
    ----------
    outlook : Outlook
    position : int, optional
        Position in the model of the one cause that is asked about.
    """
    first, every = outlook.first, outlook.inquiries.every
    cost = np.array([every[i].cost for i in outlook.owner[first]])
    information = _information(outlook, position)
    flags, highest = _red_flags(outlook)
    urgent = np.minimum.reduceat(highest, first) if len(first) else highest[:0]
    keys = [-np.nan_to_num(information / cost)]
    if position is None:
        keys += [np.where(urgent < _NO_RULE, cost, 0.0), urgent]
    return Ranking(np.lexsort(keys), information, information / cost, flags, urgent)


def _information(outlook: Outlook, position: int | None) -> FloatArray:
    """Bits about one cause, or the sum over the modelled causes, (I,)."""
    first = outlook.first
    if outlook.status == IMPOSSIBLE:
        return np.full(len(first), np.nan)
    chosen = outlook.core.modelled if position is None else np.array([position])
    # Answers that tell the model the same count once.
    kept = np.flatnonzero(np.diff(outlook.shared, prepend=-1))
    owner = outlook.owner[kept]
    bits = expected_information(
        outlook.base[chosen],
        np.nan_to_num(outlook.probability[kept]),
        outlook.causes[np.ix_(kept, chosen)],
        np.flatnonzero(np.diff(owner, prepend=-1)),
    )
    total: FloatArray = bits.sum(axis=1)
    return total


def _red_flags(outlook: Outlook) -> tuple[BoolArray, IntArray]:
    """Rules above the present urgency that an answer fires (A, rules), and the highest (A,)."""
    levels = [LEVELS.index(rule.level) for rule in outlook.core.knowledge.red_flags]
    # A folder may have no rule at all, and positions are whole numbers all the same.
    rules = np.array(levels, dtype=np.intp)
    new = outlook.fired[:-1] & ~outlook.fired[-1] & (rules < outlook.level[-1])
    return new, np.where(new, rules, _NO_RULE).min(axis=1, initial=_NO_RULE)
