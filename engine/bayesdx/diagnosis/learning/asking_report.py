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
from bayesdx.inference.noisy.model import BoolArray

#: Rate of false alarms of the whole report (Bonferroni).
FALSE_ALARM = 0.01
#: A column that agrees with a label in all cases is told from so many of each kind on.
_EACH = 10
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
    pairs = []
    for label, present, absent in _labels(labels, names):
        for finding, values in cases.given:
            asked = ~np.isnan(values)
            if asked.all() or not asked.any():
                continue
            n, m = int(present.sum()), int(absent.sum())
            one, other = int(asked[present].sum()), int(asked[absent].sum())
            _, p = stats.fisher_exact([[one, n - one], [other, m - other]])
            pairs.append((finding, label, one / n, other / m, n, m, float(p)))
    told = [pair for pair in pairs if pair[-1] * len(pairs) < FALSE_ALARM]
    frame = pd.DataFrame(told, columns=list(_COLUMNS))
    return frame.sort_values("p", kind="stable", ignore_index=True)


def giving_away(cases: Cases, labels: Labels, names: tuple[str, ...]) -> tuple[str, ...]:
    """Say which findings agree with a label in every case of which both are known."""
    told = []
    for label, present, absent in _labels(labels, names):
        for finding, values in cases.given:
            with_it, without = values[present], values[absent]
            with_it, without = with_it[~np.isnan(with_it)], without[~np.isnan(without)]
            if min(len(with_it), len(without)) < _EACH:
                continue
            if (with_it.min() > without.max()) or (with_it.max() < without.min()):
                told.append(
                    f"{finding} tells {label} in all {len(with_it) + len(without)} cases of which "
                    "both are known: it may be the label by another name; leave it out if it is."
                )
    return tuple(told)


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
