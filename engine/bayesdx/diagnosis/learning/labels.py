"""What a table says of the causes of its cases: columns of labels, kept apart from evidence.

``cause:ID`` and ``group:ID`` hold present, absent or nothing, a cause also how sure somebody is, as
a number between 0 and 1; ``diagnosis`` holds ids of causes with ``;`` between, or ``unexplained``.
A diagnosis says which causes are present. Whether those that it does not name are absent is for
whoever made the table to say; it is never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.distinct import Cells, distinct_cells
from bayesdx.diagnosis.values import WORDS, Words, is_missing, read_binary
from bayesdx.errors import NOTHING, Fault, InvalidCase, Phrase, nearest_names
from bayesdx.inference.evidence import Evidence
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.model import BoolArray, FloatArray, IntArray

CAUSE, GROUP = "cause:", "group:"
#: The column of diagnoses, unless another is named.
DIAGNOSIS = "diagnosis"
#: Says in that column that no modelled cause is present.
NO_CAUSE = "unexplained"
#: What is known of causes that a diagnosis does not name.
Others = Literal["absent", "unknown"]
#: Groups labelled present and causes of which somebody is not sure in one case: each doubles the
#: terms of its probability.
MOST_OPEN = 4

LabelArray = NDArray[np.int8]
Faults = dict[int, list[Fault]]


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of the causes of N cases: 1 present, 0 absent, -1 not known.

    Attributes
    ----------
    causes : array (N, C)
        Of the causes of the model; in between how far somebody holds it to be present, w: evidence
        that is w / (1 - w) times as probable if it is.
    groups : int8 array (N, G)
        Whether at least one member is present, in the order of ``group_names``.
    group_names : tuple of str
    members : tuple of int arrays
        Of each group.
    """

    causes: FloatArray
    groups: LabelArray
    group_names: tuple[str, ...]
    members: tuple[IntArray, ...]

    @property
    def known(self) -> BoolArray:
        """Which cases have a label, (N,)."""
        return np.asarray((self.causes >= 0).any(axis=1) | (self.groups >= 0).any(axis=1))

    def take(self, rows: IntArray | BoolArray) -> Labels:
        """Return those of some cases."""
        return replace(self, causes=self.causes[rows], groups=self.groups[rows])


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """N cases as rows whose probabilities add up to theirs.

    A case of which all labels are sure and no group is known to be present is one row, its labels
    clamped. "At least one member is present" is the case without that label, minus the case with
    all members absent; "present by w" is w times the case with the cause present, plus 1 - w times
    the case with it absent.

    Attributes
    ----------
    evidence : Evidence
        R rows, causes clamped.
    owner : int array (R,)
        The case of each, rising.
    sign : array (R,)
    n_cases : int
    backend : {"auto", "numpy", "compiled"}
        What answers them, see `bayesdx.inference.posteriors`; chosen once where they are asked for
        again and again.
    """

    evidence: Evidence
    owner: IntArray
    sign: FloatArray
    n_cases: int
    backend: Backend = "auto"


def is_label(column: object, diagnosis: str = DIAGNOSIS) -> bool:
    """Whether a column holds labels."""
    name = str(column)
    return name == diagnosis or name.startswith((CAUSE, GROUP))


def read_labels(
    core: Core,
    frame: pd.DataFrame,
    labels: Sequence[object],
    diagnosis: str = DIAGNOSIS,
    others: Others | None = None,
    *,
    soft: bool = False,
    words: Words = WORDS,
) -> tuple[Labels, Faults]:
    """Read the columns of labels of a table.

    Parameters
    ----------
    core : Core
    frame : DataFrame, all of the table
    labels : sequence
        What faults call each row.
    diagnosis : str
        The column of diagnoses.
    others : {"absent", "unknown"}
        What is known of causes that it does not name.
    soft : bool, whether 0.8 is a label of a cause
    words : Words
        How cells are written.

    Returns
    -------
    Labels, and dict of int to list of Fault
        Of a bad row nothing is known, but what is wrong with it, by position.

    Raises
    ------
    InvalidCase
        With every unknown cause or group; where nothing is said of causes not diagnosed.
    """
    model, modelled = core.model, [name for name in core.causes if name in core.model.causes]
    columns = _checked_columns(core, frame, modelled, diagnosis, others)
    told = tuple(one.removeprefix(GROUP) for one in columns if one.startswith(GROUP))
    members = tuple(np.array(model.groups[f"group:{one}"], dtype=np.intp) for one in told)
    causes = np.full((len(frame), len(model.causes)), -1.0)
    by_group = np.full((len(frame), len(told)), -1, dtype=np.int8)
    faults: Faults = {}
    at = {name: model.causes.index(name) for name in modelled}
    for column in columns:
        cells, own = frame[column].array, slice(0, len(model.causes))
        if column == diagnosis:
            found, bad = _diagnoses(cells, at, len(model.causes), others == "absent", words)
        else:
            found, bad = _states(cells, soft and column.startswith(CAUSE), words)
        if column.startswith(GROUP):
            by_group[:, [told.index(column.removeprefix(GROUP))]] = found
        else:
            if column.startswith(CAUSE):
                at_cause = model.causes.index(column.removeprefix(CAUSE))
                own = slice(at_cause, at_cause + 1)
            _merge(causes[:, own], found, labels, column, faults)
        for row, fault in bad.items():
            placed = replace(fault, place=_place(labels[row], column))
            faults.setdefault(row, []).append(placed)
    _contradictions(causes, by_group, members, labels, told, faults)
    causes[sorted(faults)], by_group[sorted(faults)] = -1, -1
    return Labels(causes, by_group, told, members), faults


def _checked_columns(
    core: Core, frame: pd.DataFrame, modelled: list[str], diagnosis: str, others: Others | None
) -> list[str]:
    """Return the columns of labels."""
    columns = [str(name) for name in frame.columns if is_label(name, diagnosis)]
    groups = [one for one in core.knowledge.groups if core.model.groups.get(f"group:{one}")]
    names, faults = [str(name) for name in frame.columns], []
    if diagnosis != DIAGNOSIS and diagnosis not in names:
        near = nearest_names(diagnosis, names)
        faults.append(Fault("diagnosis", "a column of the table", diagnosis, near))
    for column in columns:
        for prefix, known, what in ((CAUSE, modelled, "cause"), (GROUP, groups, "group")):
            name = column.removeprefix(prefix)
            if column.startswith(prefix) and name not in known:
                near = tuple(prefix + one for one in nearest_names(name, known))
                faults.append(Fault(f"column {column}", f"the id of a modelled {what}", name, near))
    if others is not None and others not in get_args(Others):
        faults.append(Fault("others", " or ".join(get_args(Others)), others))
    elif diagnosis in columns and others is None:
        expected = "absent or unknown: what is known of causes that a diagnosis does not name"
        faults.append(Fault("others", expected, NOTHING))
    if faults:
        raise InvalidCase(faults)
    return columns


def _states(cells: Cells, soft: bool, words: Words) -> tuple[FloatArray, dict[int, Fault]]:
    """Read a column of labels, (N, 1); what is wrong with some, by row."""
    codes, distinct = distinct_cells(cells)
    values, wrong = np.full((len(distinct) + 1, 1), -1.0), {}
    for i, cell in enumerate(distinct):
        read = read_binary("", cell, soft=soft, words=words)
        if isinstance(read, Fault):
            wrong[i] = read
        elif not math.isnan(read):
            values[i] = read
    return values[codes], _by_row(codes, wrong)


def _diagnoses(
    cells: Cells, at: Mapping[str, int], n_causes: int, others_absent: bool, words: Words
) -> tuple[FloatArray, dict[int, Fault]]:
    """Read a column of diagnoses, (N, C); what is wrong with some, by row."""
    codes, distinct = distinct_cells(cells)
    values, wrong, everyone = np.full((len(distinct) + 1, n_causes), -1.0), {}, list(at.values())
    for i, cell in enumerate(distinct):
        if is_missing(cell, words):
            continue
        names = [one.strip() for one in str(cell).split(";") if one.strip()]
        unknown = [one for one in names if one not in at and one != NO_CAUSE]
        if unknown or (NO_CAUSE in names and len(names) > 1):
            expected = f"ids of modelled causes with ; between, or {NO_CAUSE} alone"
            near = nearest_names(unknown[0], at) if unknown else ()
            wrong[i] = Fault("", expected, cell, near)
            continue
        if others_absent or NO_CAUSE in names:
            values[i, everyone] = 0
        values[i, [at[one] for one in names if one in at]] = 1
    return values[codes], _by_row(codes, wrong)


def _by_row(codes: IntArray, wrong: Mapping[int, Fault]) -> dict[int, Fault]:
    """What is wrong with rows, by what is wrong with distinct cells."""
    rows = np.flatnonzero(np.isin(codes, list(wrong))).tolist() if wrong else []
    return {row: wrong[int(codes[row])] for row in rows}


def _merge(
    own: FloatArray,
    found: FloatArray,
    labels: Sequence[object],
    column: str,
    faults: Faults,
) -> None:
    """Add what a column says, in place; two columns must not contradict each other."""
    clash = (own >= 0) & (found >= 0) & (own != found)
    for row in np.flatnonzero(clash.any(axis=1)).tolist():
        at = int(np.argmax(clash[row]))
        expected = f"{_said(own[row, at])}, as the other labels say"
        fault = Fault(_place(labels[row], column), expected, Phrase(_said(found[row, at])))
        faults.setdefault(row, []).append(fault)
    own[...] = np.where(found >= 0, found, own)


def _said(label: float) -> str:
    return {0.0: "absent", 1.0: "present"}.get(label, f"{label:g}")


def _contradictions(
    causes: FloatArray,
    groups: LabelArray,
    members: tuple[IntArray, ...],
    labels: Sequence[object],
    names: tuple[str, ...],
    faults: Faults,
) -> None:
    """Find groups that are absent with a member present, or present with every member absent."""
    for g, own in enumerate(members):
        some, none = (causes[:, own] == 1).any(axis=1), (causes[:, own] == 0).all(axis=1)
        wrong = ((groups[:, g] == 0) & some) | ((groups[:, g] == 1) & none)
        for row in np.flatnonzero(wrong).tolist():
            expected = "what the labels of its members say"
            fault = Fault(_place(labels[row], GROUP + names[g]), expected, Phrase("another"))
            faults.setdefault(row, []).append(fault)
    n_open = (groups == 1).sum(axis=1) + ((causes > 0.0) & (causes < 1.0)).sum(axis=1)
    for row in np.flatnonzero(n_open > MOST_OPEN).tolist():
        expected = f"at most {MOST_OPEN} groups present and causes that are not sure"
        faults.setdefault(row, []).append(Fault(f"row {labels[row]}", expected, int(n_open[row])))


def _place(label: object, column: str) -> str:
    return f"row {label}, {column}"


def labelled_rows(evidence: Evidence, labels: Labels, backend: Backend = "auto") -> LabelledRows:
    """Clamp the labels of N cases; see `LabelledRows`."""
    unsure = (labels.causes > 0) & (labels.causes < 1)
    owner, sign = np.arange(len(evidence)), np.ones(len(evidence))
    causes = np.where(unsure, -1.0, labels.causes).astype(np.int8)
    for c in np.flatnonzero(unsure.any(axis=0)).tolist():
        twice = np.repeat(np.arange(len(owner)), 1 + unsure[owner, c])
        owner, sign, causes = owner[twice], sign[twice], causes[twice]
        told, is_second = labels.causes[owner, c], np.diff(twice, prepend=-1) == 0
        state = np.where(is_second, 0, 1)
        causes[:, c] = np.where(unsure[owner, c], state, causes[:, c])
        sign *= np.where(unsure[owner, c], np.where(is_second, 1.0 - told, told), 1.0)
    for g, own in enumerate(labels.members):
        told, is_free = labels.groups[owner, g], ~(causes[:, own] == 1).any(axis=1)
        none = causes.copy()
        none[:, own] = 0
        absent, minus = is_free & (told == 0), is_free & (told == 1)
        causes = np.concatenate([np.where(absent[:, None], none, causes), none[minus]])
        kept = np.concatenate([is_free | (told != 0), np.ones(minus.sum(), dtype=bool)])
        owner = np.concatenate([owner, owner[minus]])
        sign = np.concatenate([sign, -sign[minus]])
        at = np.flatnonzero(kept)[np.argsort(owner[kept], kind="stable")]
        owner, sign, causes = owner[at], sign[at], causes[at]
    alike = len(owner) == len(evidence) and np.array_equal(owner, np.arange(len(owner)))
    own_rows = evidence if alike else evidence.part(owner)
    return LabelledRows(replace(own_rows, causes=causes), owner, sign, len(evidence), backend)
