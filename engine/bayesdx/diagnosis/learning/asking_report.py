"""Whether it depends on the outcome what is asked, and columns that give a label away.

A finding that is missing is read as not asked, and that says nothing. Where what is asked depends
on the cause beyond what was found already, this is not so, and learned links are bent by it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.learning.labels import CAUSE, GROUP, Labels
from bayesdx.inference.noisy.model import BoolArray, FloatArray

#: Rate of false alarms of the whole report (Bonferroni).
FALSE_ALARM = 0.01
#: A column that agrees with a label in all cases is told from so many of each kind on.
_EACH = 10
_COLUMNS = ("finding", "label", "asked_if_present", "asked_if_absent", "present", "absent", "p")


class AskingCounts:
    """What is asked of cases with and without each label, added up block by block.

    Parameters
    ----------
    names : tuple of str
        Of the causes of the model.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._findings: tuple[str, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._rows = 0
        #: Cases of which each finding is asked, (F,); of each label present and absent, (L, 2).
        self._asked, self._told = np.zeros(0), np.zeros((0, 2))
        #: Cases of both, (F, L, 2).
        self._both = np.zeros((0, 0, 2))
        #: Least and largest value of a finding where a label is present, where it is absent.
        self._ends: dict[tuple[int, int], FloatArray] = {}

    def add(self, cases: Cases, labels: Labels) -> None:
        """Add the cases of a block."""
        if not len(labels.causes):
            return
        told = _kinds(labels)
        if not self._labels:
            groups = (GROUP + name for name in labels.group_names)
            self._labels = (*(CAUSE + name for name in self._names), *groups)
            self._findings = tuple(name for name, _ in cases.given)
            self._asked = np.zeros(len(self._findings))
            self._told = np.zeros((len(told), 2))
            self._both = np.zeros((len(self._findings), len(told), 2))
            nobody = np.array([[np.inf, -np.inf]] * 2)
            pairs = np.ndindex(len(self._findings), len(told))
            self._ends = dict.fromkeys(pairs, nobody)
        nothing = np.zeros((0, told.shape[-1]))
        values = np.stack([own for _, own in cases.given]) if cases.given else nothing
        asked = ~np.isnan(values)
        self._rows += told.shape[-1]
        self._asked += asked.sum(axis=1)
        self._told += told.sum(axis=2)
        # Whole numbers up to 2 ** 24 are exact in short floats.
        flat = told.reshape(-1, told.shape[-1]).astype(np.float32)
        self._both += (asked.astype(np.float32) @ flat.T).reshape(self._both.shape)
        self._look_apart(values, asked, told)

    def _look_apart(self, values: FloatArray, asked: BoolArray, told: BoolArray) -> None:
        """Drop the pairs of finding and label whose values do not part by the label."""
        for pair in list(self._ends):
            f, i = pair
            ends = self._ends[pair].copy()
            for kind in range(2):
                own = values[f, asked[f] & told[i, kind]]
                if len(own):
                    ends[kind] = min(ends[kind, 0], own.min()), max(ends[kind, 1], own.max())
            present, absent = ends
            if present[0] > absent[1] or present[1] < absent[0]:
                self._ends[pair] = ends
            else:
                del self._ends[pair]

    @property
    def anything(self) -> bool:
        """Whether a finding is known of some case."""
        return bool(self._asked.any())

    def report(self) -> pd.DataFrame:
        """Compare how often each finding is asked where a label is present and where it is absent.

        Returns
        -------
        DataFrame
            One row a finding and label whose rates differ: ``finding``, ``label``,
            ``asked_if_present``, ``asked_if_absent`` (shares), ``present``, ``absent`` (cases),
            ``p`` (Fisher's exact test). Of all pairs together at most `FALSE_ALARM` would be told
            where asking does not depend on the labels.
        """
        some = np.flatnonzero((self._asked > 0) & (self._asked < self._rows)).tolist()
        pairs = []
        for i in np.flatnonzero(self._told.all(axis=1)).tolist():
            n, m = map(int, self._told[i])
            for f in some:
                one, other = map(int, self._both[f, i])
                _, p = stats.fisher_exact([[one, n - one], [other, m - other]])
                found = self._findings[f], self._labels[i], one / n, other / m, n, m, float(p)
                pairs.append(found)
        told = [pair for pair in pairs if pair[-1] * len(pairs) < FALSE_ALARM]
        frame = pd.DataFrame(told, columns=list(_COLUMNS))
        return frame.sort_values("p", kind="stable", ignore_index=True)

    def giving_away(self) -> tuple[str, ...]:
        """Say which findings agree with a label in every case of which both are known."""
        told = []
        for f, i in sorted(self._ends, key=lambda pair: pair[::-1]):
            both = self._both[f, i]
            if both.min() >= _EACH:
                told.append(
                    f"{self._findings[f]} tells {self._labels[i]} in all {int(both.sum())} cases "
                    "of which both are known: it may be the label by another name; leave it out "
                    "if it is."
                )
        return tuple(told)


def _kinds(labels: Labels) -> BoolArray:
    """Whether each label is present, is absent, (L, 2, N)."""
    states = np.concatenate([labels.causes, labels.groups], axis=1).T
    return np.stack([states == 1, states == 0], axis=1)
