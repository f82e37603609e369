"""Whether it depends on the outcome what is asked, and columns that give a label away.

A finding that is missing is read as not asked, and that says nothing. Where what is asked depends
on the cause beyond what was found already, this is not so, and learned links are bent by it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.learning.labels import Labels
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

#: Rate of false alarms of the whole report (Bonferroni).
FALSE_ALARM = 0.01
#: A column that agrees with a label in all cases is told from so many of each kind on.
_EACH = 10
#: Cases that are looked at side by side.
_AT_ONCE = 1 << 16
_COLUMNS = ("finding", "label", "asked_if_present", "asked_if_absent", "present", "absent", "p")


def asking_report(cases: Cases, labels: Labels, names: tuple[str, ...]) -> pd.DataFrame:
    """Compare how often each finding is asked where a label is present and where it is absent.

    Parameters
    ----------
    cases : Cases
    labels : Labels
        Of the same N cases.
    names : tuple of str
        Of the causes of the model.

    Returns
    -------
    DataFrame
        One row a finding and label whose rates differ: ``finding``, ``label``,
        ``asked_if_present``, ``asked_if_absent`` (shares), ``present``, ``absent`` (cases), ``p``
        (Fisher's exact test). Of all pairs together at most `FALSE_ALARM` would be told where
        asking does not depend on the labels.
    """
    told_of = list(_labels(labels, names))
    asked = [(finding, ~np.isnan(values)) for finding, values in cases.given]
    asked = [(finding, rows) for finding, rows in asked if rows.any() and not rows.all()]
    counts = _counts([rows for _, rows in asked], [rows for _, *both in told_of for rows in both])
    pairs = []
    for i, (label, present, absent) in enumerate(told_of):
        n, m = int(present.sum()), int(absent.sum())
        for (finding, _), (one, other) in zip(asked, counts[:, 2 * i : 2 * i + 2], strict=True):
            _, p = stats.fisher_exact([[one, n - one], [other, m - other]])
            pairs.append((finding, label, one / n, other / m, n, m, float(p)))
    told = [pair for pair in pairs if pair[-1] * len(pairs) < FALSE_ALARM]
    frame = pd.DataFrame(told, columns=list(_COLUMNS))
    return frame.sort_values("p", kind="stable", ignore_index=True)


def _counts(some: list[BoolArray], others: list[BoolArray]) -> IntArray:
    """How many cases are in each of some sets and each of others, (S, O)."""
    total = np.zeros((len(some), len(others)))
    for first in range(0, len(some[0]) if some and others else 0, _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        left, right = ([rows[part].astype(np.float32) for rows in own] for own in (some, others))
        # Whole numbers up to 2 ** 24 are exact in short floats.
        total += np.stack(left) @ np.stack(right).T
    return total.astype(np.intp)


def giving_away(cases: Cases, labels: Labels, names: tuple[str, ...]) -> tuple[str, ...]:
    """Say which findings agree with a label in every case of which both are known."""
    told = []
    for label, present, absent in _labels(labels, names):
        for finding, values in cases.given:
            few = slice(0, _AT_ONCE)
            if not _apart(values[few], present[few], absent[few]):
                continue
            known = ~np.isnan(values)
            n, m = int((present & known).sum()), int((absent & known).sum())
            if min(n, m) >= _EACH and _apart(values, present, absent):
                told.append(
                    f"{finding} tells {label} in all {n + m} cases of which "
                    "both are known: it may be the label by another name; leave it out if it is."
                )
    return tuple(told)


def _apart(values: FloatArray, present: BoolArray, absent: BoolArray) -> bool:
    """Whether all values of one kind are above those of the other, as far as any are known."""
    known = ~np.isnan(values)
    with_it, without = values[present & known], values[absent & known]
    if not len(with_it) or not len(without):
        return True
    return bool(with_it.min() > without.max() or with_it.max() < without.min())


def _labels(labels: Labels, names: tuple[str, ...]) -> Iterator[tuple[str, BoolArray, BoolArray]]:
    """Labels with cases of both kinds: name, where present, where absent."""
    for prefix, states, own in (
        ("cause:", labels.causes, names),
        ("group:", labels.groups, labels.group_names),
    ):
        for i, name in enumerate(own):
            present, absent = states[:, i] == 1, states[:, i] == 0
            if present.any() and absent.any():
                yield prefix + name, present, absent
