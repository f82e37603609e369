"""Which cases of a table can be learned from, with what is known of their causes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdx.case_columns import column_roles
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.learning.case_likelihood import chosen_cases, log_probabilities
from bayesdx.diagnosis.learning.labels import (
    DIAGNOSIS,
    Faults,
    LabelledRows,
    Labels,
    Others,
    is_label,
    labelled_rows,
    read_labels,
)
from bayesdx.diagnosis.scoring import OnBadRow
from bayesdx.diagnosis.values import WORDS, Words
from bayesdx.errors import NOTHING, Fault, InvalidCase, Phrase
from bayesdx.inference.noisy.choice import settled
from bayesdx.inference.noisy.model import BoolArray, IntArray
from bayesdx.inference.noisy.query import posteriors

#: How often a search with its folds asks for the same cases, derivatives counted twice.
_LOOKS = 100


@dataclass(frozen=True)
class LabelledInput:
    """How a table of labelled cases is to be read.

    Attributes
    ----------
    diagnosis : str
        The column of diagnoses.
    others : {"absent", "unknown"}, optional
        What is known of causes that a diagnosis does not name; needed where there is one.
    id : str, optional
        The column that names the cases, `case_id` by default.
    ignore : tuple of str
        Columns that are no evidence.
    on_error : {"raise", "reject", "skip"}
        What a row does that cannot be read: raise, or be left out and told.
    words : Words
        How cells are written.
    """

    diagnosis: str = DIAGNOSIS
    others: Others | None = None
    id: str | None = None
    ignore: tuple[str, ...] = ()
    on_error: OnBadRow = "raise"
    words: Words = WORDS


#: A table with the usual columns and words, every row of which can be read.
AS_WRITTEN = LabelledInput()


@dataclass(frozen=True, eq=False)
class LearningTable:
    """Cases that can be learned from, N of them, and what became of the other rows.

    Attributes
    ----------
    cases : Cases
        Their findings, causes not clamped.
    labels : Labels
    rows : LabelledRows
        Both together.
    refused : dict of row label to str
        Why other rows are left out.
    counts : dict of str to int
        As `Learned.counts`.
    """

    cases: Cases
    labels: Labels
    rows: LabelledRows
    refused: dict[object, str]
    counts: dict[str, int]


def read_table(core: Core, frame: pd.DataFrame, how: LabelledInput) -> LearningTable:
    """Read findings and labels; leave out rows that cannot be learned from."""
    read = read_labelled(core, frame, how, soft=True)
    used = np.flatnonzero(read.usable)
    return _possible(core, read.cases, read.labels, used, read.calls, read.bad)


@dataclass(frozen=True, eq=False)
class LabelledCases:
    """All R rows of a table, read.

    Attributes
    ----------
    cases : Cases
    labels : Labels
    usable : bool array (R,)
    calls : list
        What each row is called.
    bad : dict of int to list of Fault
    """

    cases: Cases
    labels: Labels
    usable: BoolArray
    calls: list[object]
    bad: Faults


def read_labelled(
    core: Core, frame: pd.DataFrame, how: LabelledInput, *, soft: bool = False
) -> LabelledCases:
    """Read findings and labels of every row; raise where a row is bad, or note what is wrong.

    ``soft``: see `read_labels`.
    """
    if not len(frame):
        raise InvalidCase(Fault("cases", "one row or more", NOTHING))
    own = [name for name in frame.columns if is_label(name, how.diagnosis)]
    rest = [str(name) for name in frame.columns if name not in own]
    roles = column_roles(rest, core.reader.names.knows, id=how.id, ignore=how.ignore)
    calls = frame[roles.id].tolist() if roles.id else frame.index.tolist()
    labels, bad = read_labels(
        core, frame, calls, how.diagnosis, how.others, soft=soft, words=how.words
    )
    evidence = {name: frame[name].array for name in roles.evidence}
    cases, good, unread = core.reader.read_rows(evidence, len(frame), calls, how.words)
    for row, fault in unread:
        bad.setdefault(row, []).insert(0, fault)
    if bad and how.on_error == "raise":
        raise InvalidCase([fault for row in sorted(bad) for fault in bad[row]])
    usable = good.copy()
    usable[list(bad)] = False
    return LabelledCases(cases, labels, usable, calls, bad)


def _possible(
    core: Core,
    cases: Cases,
    labels: Labels,
    kept: IntArray,
    calls: list[object],
    bad: Faults,
) -> LearningTable:
    """Leave out cases that are impossible or too complex under the stated numbers."""
    backend = settled("auto", core.model, _LOOKS * len(kept))
    rows = labelled_rows(cases.evidence.take(kept), labels.take(kept), backend)
    answer = posteriors(core.model, rows.evidence, only_evidence=True, backend=backend)
    hard = np.zeros(len(kept), dtype=bool)
    if len(answer.too_complex):
        hard[rows.owner[answer.too_complex]] = True
    log_p = np.full(len(kept), -np.inf)
    if not hard.any():
        log_p = log_probabilities(core.model, rows)
    else:
        easy = np.flatnonzero(~hard)
        log_p[easy] = log_probabilities(core.model, chosen_cases(rows, easy))
    possible = np.isfinite(log_p)
    refused: dict[object, str] = {calls[row]: " ".join(map(str, bad[row])) for row in sorted(bad)}
    for row in np.flatnonzero(hard).tolist():
        refused[calls[kept[row]]] = "more is coupled than can be summed over"
    for row in np.flatnonzero(~hard & ~possible).tolist():
        refused[calls[kept[row]]] = "impossible under the stated numbers"
    used = np.flatnonzero(possible)
    counts = {
        "rows": len(calls),
        "refused": len(bad),
        "impossible": int((~hard & ~possible).sum()),
        "too_complex": int(hard.sum()),
        "used": len(used),
        "labelled": int(labels.take(kept[used]).known.sum()),
    }
    left, own_labels = cases.take(kept[used]), labels.take(kept[used])
    _refuse_empty(left, own_labels, counts, refused)
    return LearningTable(left, own_labels, chosen_cases(rows, used), refused, counts)


def _refuse_empty(
    cases: Cases, labels: Labels, counts: dict[str, int], refused: dict[object, str]
) -> None:
    if not counts["used"]:
        why = next(iter(refused.values()), "")
        raise InvalidCase(Fault("cases", "one case to learn from", Phrase(f"none: {why}")))
    if not cases.known.any():
        raise InvalidCase(Fault("cases", "a finding that is known in some case", NOTHING))
    known = labels.known
    if known.sum() > 1:
        told = np.hstack([labels.causes[known], labels.groups[known]])
        if (told == told[0]).all() and known.all():
            expected = "labels that differ between cases"
            got = Phrase(f"the same labels in all {int(known.sum())} cases: one class only")
            raise InvalidCase(Fault("labels", expected, got))
