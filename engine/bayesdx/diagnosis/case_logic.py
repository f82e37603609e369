"""What follows from what was said of cases, and what contradicts itself.

Each function takes the values that were told, by target, as float arrays (N,): state positions,
NaN unknown, in between soft evidence. It completes them in place and notes contradictions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesdx.diagnosis.case_faults import CaseFaults
from bayesdx.errors import Fault, Phrase
from bayesdx.inference.noisy.model import FloatArray
from bayesdx.knowledge.knowledge import Exclusion
from bayesdx.knowledge.schema import Finding

#: Values by finding or risk.
Told = dict[str, FloatArray]
LevelArray = NDArray[np.int8]


def merge(
    target: str,
    told: Sequence[tuple[str, FloatArray]],
    states: Sequence[str],
    faults: CaseFaults,
) -> FloatArray:
    """Make one column of all that speak of the same target; they must agree.

    Parameters
    ----------
    target : str
        A finding or risk.
    told : sequence of (column name, float array (N,))
    states : sequence of str
        Of the target.
    faults : CaseFaults
    """
    column, merged = told[0]
    for other, values in told[1:]:
        clash = ~np.isnan(merged) & ~np.isnan(values) & (merged != values)
        for row in np.flatnonzero(clash).tolist():
            both = Phrase(
                f"{_shown(states, merged[row])} from {column!r} and "
                f"{_shown(states, values[row])} from {other!r}"
            )
            faults.add(row, target, "one value", both)
        merged = np.where(np.isnan(merged), values, merged)
    return merged


def _shown(states: Sequence[str], value: float) -> str:
    return states[int(value)] if value == int(value) else f"{value:g}"


def bound_levels(
    told: Told,
    ordinal: Finding,
    thresholds: Sequence[Finding],
    n_cases: int,
    faults: CaseFaults,
) -> tuple[LevelArray, LevelArray]:
    """Intersect what an ordinal's own column and its thresholds say; fill in the thresholds.

    Returns
    -------
    lower, upper : int8 arrays (N,)
        Inclusive interval of the ordinal's states.
    """
    lower = np.zeros(n_cases, dtype=np.int8)
    upper = np.full(n_cases, len(ordinal.states) - 1, dtype=np.int8)
    levels = [ordinal.states.index(finding.at_least or "") for finding in thresholds]
    names: list[str] = []
    if (own := told.get(ordinal.id)) is not None:
        known = ~np.isnan(own)
        lower[known] = upper[known] = own[known].astype(np.int8)
        names.append(ordinal.id)
    for finding, level in zip(thresholds, levels, strict=True):
        if (values := told.get(finding.id)) is not None:
            present, absent = values == 1.0, values == 0.0
            lower[present] = np.maximum(lower[present], level)
            upper[absent] = np.minimum(upper[absent], level - 1)
            names.append(finding.id)
    if not names and all(levels):
        # Nothing was said, and no threshold lies as low as the lowest state.
        return lower, upper
    clash = np.flatnonzero(lower > upper)
    if clash.size:
        got = Phrase(f"a contradiction between {', '.join(names)}")
        faults.add_alike(clash, ordinal.id, Fault(ordinal.id, "one level", got))
        upper[clash] = lower[clash]
    for finding, level in zip(thresholds, levels, strict=True):
        state = np.where(lower >= level, 1.0, np.nan)
        state[upper < level] = 0.0
        told[finding.id] = state
    told[ordinal.id] = np.where(lower == upper, lower, np.nan)
    return lower, upper


def imply(told: Told, implying: Sequence[Finding], n_cases: int, faults: CaseFaults) -> None:
    """Present implies present, absent implies absent the other way round."""
    unknown = np.full(n_cases, np.nan)
    for finding in implying:
        for implied in finding.implies:
            if finding.id not in told and implied not in told:
                continue
            narrow = told.get(finding.id, unknown)
            wide = told.get(implied, unknown)
            present, absent = narrow == 1.0, wide == 0.0
            clash = np.flatnonzero(present & absent)
            if clash.size:
                got = Phrase(f"{finding.id} present and {implied} absent")
                expected = f"present, since {finding.id} is"
                faults.add_alike(clash, implied, Fault(implied, expected, got))
            told[implied] = np.where(np.isnan(wide) & present, 1.0, wide)
            told[finding.id] = np.where(np.isnan(narrow) & absent, 0.0, narrow)


def exclude(
    told: Told,
    exclusions: Sequence[Exclusion],
    states: Callable[[str], Sequence[str]],
    faults: CaseFaults,
) -> None:
    """Refuse what cannot be where something else is present; ``states`` are those of a subject."""
    for present, subject, barred in exclusions:
        if present not in told or subject not in told:
            continue
        clash = np.flatnonzero((told[present] == 1.0) & np.isin(told[subject], barred))
        if clash.size:
            got = Phrase(states(subject)[barred[0]])
            fault = Fault(subject, f"another answer, since {present} is present", got)
            faults.add_alike(clash, subject, fault)


def combine(
    told: Told, combined: Sequence[Finding], n_cases: int, faults: CaseFaults
) -> Mapping[str, NDArray[np.bool_]]:
    """Settle findings that are positive when any component is.

    Where a component is known the combination follows from, or fixes, the components; it is then
    no evidence of its own, or one observation would count twice.

    Returns
    -------
    mapping of finding to bool array (N,)
        Where the combined finding must not be used as evidence.
    """
    dropped: dict[str, NDArray[np.bool_]] = {}
    for finding in combined:
        if told.keys().isdisjoint((finding.id, *finding.any_of)):
            continue
        whole = told.get(finding.id, np.full(n_cases, np.nan))
        parts = np.stack([told.get(c, np.full(n_cases, np.nan)) for c in finding.any_of])
        any_present, known = (parts == 1.0).any(axis=0), ~np.isnan(parts)
        all_absent = (parts == 0.0).all(axis=0)
        clash = np.flatnonzero((whole == 0.0) & any_present | (whole == 1.0) & all_absent)
        if clash.size:
            got = Phrase(f"a contradiction with {', '.join(finding.any_of)}")
            expected = "the same as its components"
            faults.add_alike(clash, finding.id, Fault(finding.id, expected, got))
        # Absent as a whole: every component is. Present, and all known but one absent: it is.
        last = (whole == 1.0) & ~any_present & ((~known).sum(axis=0) == 1) & known.any(axis=0)
        settled = (whole == 0.0) & known.any(axis=0)
        for c, part in zip(finding.any_of, parts, strict=True):
            filled = np.where(np.isnan(part) & last, 1.0, part)
            told[c] = np.where(np.isnan(part) & settled, 0.0, filled)
        follows = np.where(any_present, 1.0, np.where(all_absent, 0.0, whole))
        told[finding.id] = np.where(np.isnan(whole), follows, whole)
        dropped[finding.id] = known.any(axis=0)
    return dropped
