"""Which cases of a table can be learned from, with what is known of their causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import BLOCK_ROWS
from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.learning.asking_report import AskingCounts
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
from bayesdx.diagnosis.values import WORDS, Words, is_missing
from bayesdx.errors import NOTHING, Fault, InvalidCase, Phrase
from bayesdx.inference.evidence import Evidence, compact
from bayesdx.inference.noisy.answer import TOO_COMPLEX
from bayesdx.inference.noisy.choice import settled
from bayesdx.inference.noisy.model import BoolArray
from bayesdx.inference.noisy.query import posteriors
from bayesdx.knowledge.learning_schema import Sample

#: How often a search with its folds asks for the same cases, derivatives counted twice.
_LOOKS = 100
_COUNTS = ("rows", "refused", "impossible", "too_complex", "used", "labelled")
_EVIDENCE = tuple(one.name for one in fields(Evidence))


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
    evidence : Evidence
        Their findings, in short numbers where that changes none; causes not clamped.
    labels : Labels
    rows : LabelledRows
        Both together.
    asking : AskingCounts
    refused : dict of row label to str
        Why other rows are left out.
    counts : dict of str to int
        As `Learned.counts`.
    repeated : int
        Rows that are called as an earlier one is.
    """

    evidence: Evidence
    labels: Labels
    rows: LabelledRows
    asking: AskingCounts
    refused: dict[object, str]
    counts: dict[str, int]
    repeated: int


def blocks_of(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Return the rows of a table in blocks of a bounded size; of an empty one the table itself."""
    for first in range(0, max(len(frame), 1), BLOCK_ROWS):
        yield frame.iloc[first : first + BLOCK_ROWS]


def read_table(
    core: Core, frames: Iterable[pd.DataFrame], how: LabelledInput, sample: Sample = "selected"
) -> LearningTable:
    """Read findings and labels; leave out rows that cannot be learned from.

    Parameters
    ----------
    core : Core
    frames : iterable of DataFrame
        Blocks of rows of one table, see `blocks_of`; each is let go when it has been read.
    how : LabelledInput
    sample : {"selected", "consecutive"}
        Of consecutive cases diagnoses or risks alone tell how common they are.

    Raises
    ------
    InvalidCase
        With every bad row, where bad rows are not left out; where there is nothing to learn from.
    """
    blocks, names, asking = [], [], AskingCounts(core.model.causes)
    faults: dict[str, Fault] = {}
    for frame in frames:
        try:
            read = read_labelled(core, frame, how, soft=True)
        except InvalidCase as refusal:
            # What is wrong with a column is so in every block.
            faults |= {str(one): one for one in refusal.faults}
            continue
        if not faults:
            blocks.append(_possible(core, read, asking))
            if read.named:
                called = [str(name) for name in read.calls if not is_missing(name)]
                names.append(pd.util.hash_array(np.array(called, dtype=object)))
    if faults:
        raise InvalidCase(faults.values())
    counts = {name: sum(one.counts[name] for one in blocks) for name in _COUNTS}
    refused = {row: why for one in blocks for row, why in one.refused.items()}
    evidence, labels = _stacked(blocks)
    _refuse_empty(counts, refused)
    _refuse_silent(evidence, labels, asking, sample)
    backend = settled("auto", core.model, _LOOKS * counts["used"])
    rows = labelled_rows(evidence, labels, backend)
    repeated = sum(map(len, names)) - len(np.unique(np.concatenate(names))) if names else 0
    return LearningTable(evidence, labels, rows, asking, refused, counts, repeated)


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
    named : bool
        Whether a column says so, and not its place.
    bad : dict of int to list of Fault
    """

    cases: Cases
    labels: Labels
    usable: BoolArray
    calls: list[object]
    named: bool
    bad: Faults


def read_labelled(
    core: Core, frame: pd.DataFrame, how: LabelledInput, *, soft: bool = False
) -> LabelledCases:
    """Read findings and labels of every row; raise where a row is bad, or note what is wrong.

    ``soft``: see `read_labels`.
    """
    if not len(frame):
        raise InvalidCase(Fault("cases", "one row or more", NOTHING))
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    own = [name for name in frame.columns if is_label(name, how.diagnosis)]
    rest = [name for name in frame.columns if name not in own]
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
    return LabelledCases(cases, labels, usable, calls, roles.id is not None, bad)


class _UsableCases(NamedTuple):
    """Cases of some rows that can be learned from, and what became of the other rows."""

    evidence: Evidence
    labels: Labels
    refused: dict[object, str]
    counts: dict[str, int]


def _possible(core: Core, read: LabelledCases, asking: AskingCounts) -> _UsableCases:
    """Leave out cases that are impossible or too complex under the stated numbers; add the rest."""
    kept, calls = np.flatnonzero(read.usable), read.calls
    backend = settled("auto", core.model, _LOOKS * len(kept))
    rows = labelled_rows(read.cases.evidence.take(kept), read.labels.take(kept), backend)
    # Derivatives of a case are those of the whole: it is not divided.
    answer = posteriors(core.model, rows.evidence, backend=backend, divide=False)
    hard = np.zeros(len(kept), dtype=bool)
    hard[rows.owner[answer.status == TOO_COMPLEX]] = True
    log_p, easy = np.full(len(kept), -np.inf), np.flatnonzero(~hard)
    log_p[easy] = log_probabilities(core.model, chosen_cases(rows, easy) if hard.any() else rows)
    possible = np.isfinite(log_p)
    refused = {calls[row]: " ".join(map(str, read.bad[row])) for row in sorted(read.bad)}
    for row in np.flatnonzero(hard).tolist():
        refused[calls[kept[row]]] = "more is coupled than can be summed over"
    for row in np.flatnonzero(~hard & ~possible).tolist():
        refused[calls[kept[row]]] = "impossible under the stated numbers"
    used = kept[possible]
    cases, labels = read.cases.take(used), read.labels.take(used)
    counts = {
        "rows": len(calls),
        "refused": len(read.bad),
        "impossible": int((~hard & ~possible).sum()),
        "too_complex": int(hard.sum()),
        "used": len(used),
        "labelled": int(labels.known.sum()),
    }
    asking.add(cases, labels)
    evidence = replace(cases.evidence, findings=compact(cases.evidence.findings))
    return _UsableCases(evidence, replace(labels, causes=compact(labels.causes)), refused, counts)


def _stacked(blocks: list[_UsableCases]) -> tuple[Evidence, Labels]:
    """Put blocks together; each array is let go as soon as it is copied."""
    first = blocks[0].labels
    arrays = {name: [vars(one.evidence)[name] for one in blocks] for name in _EVIDENCE}
    causes, groups = ([getattr(one.labels, n) for one in blocks] for n in ("causes", "groups"))
    blocks.clear()
    evidence = Evidence(**{name: np.concatenate(arrays.pop(name)) for name in _EVIDENCE})
    labels = replace(first, causes=np.concatenate(causes), groups=np.concatenate(groups))
    return evidence, labels


def _refuse_empty(counts: dict[str, int], refused: dict[object, str]) -> None:
    if not counts["used"]:
        why = next(iter(refused.values()), "")
        raise InvalidCase(Fault("cases", "one case to learn from", Phrase(f"none: {why}")))


def _refuse_silent(
    evidence: Evidence, labels: Labels, asking: AskingCounts, sample: Sample
) -> None:
    """Refuse cases of which no number can learn."""
    told = bool(labels.known.any() or (evidence.risks >= 0).any())
    if not asking.anything and not (told and sample == "consecutive"):
        expected = "a finding that is known in some case"
        if told:
            expected += ", or consecutive cases, of which priors are learned by diagnoses alone"
        raise InvalidCase(Fault("cases", expected, NOTHING))
    n, kinds = len(evidence), (labels.causes, labels.groups)
    alike = all((one.min(axis=0) == one.max(axis=0)).all() for one in kinds)
    if n > 1 and labels.known.all() and alike:
        got = Phrase(f"the same labels in all {n} cases: one class only")
        raise InvalidCase(Fault("labels", "labels that differ between cases", got))
