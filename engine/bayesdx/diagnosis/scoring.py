"""A table of cases, scored: arrays first, a DataFrame for whoever wants one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, REJECTED, TOO_COMPLEX, Status
from bayesdx.diagnosis.shortlist import Measure, causal_shares, symptom_weights
from bayesdx.errors import Fault, InvalidCase
from bayesdx.inference.noisy.model import BoolArray, FloatArray
from bayesdx.knowledge.red_flag_schema import LEVELS

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core

OnBadRow = Literal["raise", "reject", "skip"]

UNEXPLAINED = "unexplained"
#: Rows read and scored together, unless told otherwise.
ROWS_AT_ONCE = 1 << 16
#: Column that says why a row is rejected.
FAULT = "fault"
#: Columns of `Engine.score` behind the posteriors.
LAST_COLUMNS = ("log_evidence", "status", "urgency", "red_flags")
#: Before the id of a cause, in the column of red flags: its expected loss calls for action.
EXPECTED_LOSS = "expected_loss:"
#: What the codes of `Scores.status` stand for.
STATUSES: tuple[Status, ...] = (OK, NO_FINDINGS, IMPOSSIBLE, TOO_COMPLEX)
#: The same for the codes of `bayesdx.inference.Answer.status`, where findings are known.
_UNANSWERED = np.array([0, 2, 3])


@dataclass(frozen=True, eq=False)
class Scores:
    """What `Engine.score` says of N cases, as arrays.

    Attributes
    ----------
    posterior : array (N, K + 1)
        Of each cause of `Core.causes`, and last that no modelled cause is present. Where the
        evidence is impossible or too complex the priors stand in their place. What another measure
        says, where that was asked: see `shortlist.causal_shares`.
    log_evidence : array (N,)
        ``-inf`` where the evidence is impossible or too complex.
    status : int8 array (N,)
        Position in `STATUSES`.
    urgency : int8 array (N,)
        Position in `LEVELS`.
    flags : bool array (N, M)
        Which of `flag_names` fired.
    """

    posterior: FloatArray
    log_evidence: FloatArray
    status: NDArray[np.int8]
    urgency: NDArray[np.int8]
    flags: BoolArray

    def take(self, kept: BoolArray) -> Scores:
        """Return the scores of some cases."""
        return Scores(
            posterior=self.posterior[kept],
            log_evidence=self.log_evidence[kept],
            status=self.status[kept],
            urgency=self.urgency[kept],
            flags=self.flags[kept],
        )


class ScoredRows(NamedTuple):
    """Consecutive rows of a table, read and scored.

    Attributes
    ----------
    first : int
        Position of the first.
    good : bool array (N,)
        Rows that can be read.
    faults : mapping of int to str
        What is wrong with each of the others, by its position among these rows.
    scores : Scores
        Of the good ones.
    """

    first: int
    good: BoolArray
    faults: Mapping[int, str]
    scores: Scores


def flag_names(core: Core) -> tuple[str, ...]:
    """Names of what `Scores.flags` tells: rules, then causes whose expected loss calls (M,)."""
    rules = [rule.id for rule in core.knowledge.red_flags]
    return (*rules, *(EXPECTED_LOSS + one for one in core.triage.causes))


def score_cases(
    core: Core, cases: Cases, workers: int | None = None, measure: Measure = "posterior"
) -> Scores:
    """Score N cases that were read.

    Parameters
    ----------
    core : Core
    cases : Cases
    workers : int, optional
        Threads of the compiled backend; the answer does not depend on it.
    measure : {"posterior", "explains", "plays_a_part"}
        What is said of each cause; urgency and red flags do not depend on it.
    """
    weights = None if measure == "posterior" else core.once(symptom_weights)
    answer = core.posteriors(
        cases.evidence, without=core.clamps[-1], symptoms=weights, workers=workers
    )
    possible, known = answer.possible, cases.known
    values = np.zeros((len(cases.evidence), len(core.causes) + 1))
    values[:, core.columns] = answer.causes[:, core.modelled]
    gap = np.zeros(len(values))
    np.subtract(answer.log_without, answer.log_evidence, out=gap, where=possible)
    values[:, -1] = np.clip(np.exp(gap), 0.0, 1.0)
    values[~possible] = core.prior
    if measure != "posterior":
        found = causal_shares(core, cases.evidence, answer, values[:, -1])
        values = found[0 if measure == "explains" else 1]
    judged = core.urgency(cases.facts, len(values))
    codes = np.where(possible, np.where(known, 0, 1), _UNANSWERED[answer.status])
    return Scores(
        posterior=values,
        log_evidence=answer.log_evidence,
        status=codes.astype(np.int8),
        urgency=judged.level,
        flags=np.hstack([judged.fired, judged.calls]),
    )


def score_rows(
    core: Core,
    frame: pd.DataFrame,
    labels: Sequence[Hashable],
    *,
    on_error: OnBadRow = "raise",
    measure: Measure = "posterior",
    workers: int | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> list[ScoredRows]:
    """Read and score a table of evidence, some rows at a time.

    Parameters
    ----------
    core : Core
    frame : DataFrame
        One row a case; every column is evidence.
    labels : sequence
        What faults call each row.
    on_error : {"raise", "reject", "skip"}
        What a row does that cannot be read: raise with every fault of the table, or not.
    measure, workers
        As for `score_cases`.
    rows_at_once : int
        Bounds the memory that scoring takes.

    Returns
    -------
    list of ScoredRows
        At least one, if without rows.

    Raises
    ------
    InvalidCase
        With every column that names nothing; bad rows as said above.
    """
    faults: list[Fault] = []
    parts: list[ScoredRows] = []
    for first in range(0, max(len(frame), 1), rows_at_once):
        part = frame.iloc[first : first + rows_at_once]
        called = labels[first : first + rows_at_once]
        told: dict[int, str] = {}
        try:
            if on_error == "raise":
                columns = {name: part[name].array for name in frame.columns}
                read = core.reader.read(columns, len(part), called)
                good = np.ones(len(part), dtype=bool)
            else:
                read, good, told = core.reader.read_frame(part, called)
        except InvalidCase as error:
            faults += [fault for fault in error.faults if fault not in faults]
            continue
        if not faults:
            scores = score_cases(core, read, workers, measure)
            parts.append(ScoredRows(first, good, told, scores.take(good) if told else scores))
    if faults:
        raise InvalidCase(faults)
    return parts


def rows_frame(core: Core, parts: Sequence[ScoredRows], on_error: OnBadRow) -> pd.DataFrame:
    """Return scored rows as the table that `Engine.score` gives, numbered by their position.

    Rejected ones are missing where rows are skipped; where they are rejected they stay, with their
    status and ``fault`` and nothing else.
    """
    result = pd.concat([scores_frame(core, part.scores) for part in parts], ignore_index=True)
    good = np.concatenate([part.good for part in parts])
    result.index = pd.Index(np.flatnonzero(good))
    if on_error != "reject":
        return result
    faults = [part.faults.get(row, "") for part in parts for row in range(len(part.good))]
    if not good.all():
        result = result.reindex(range(len(good)))
        for name in LAST_COLUMNS[1:]:
            texts = result[name].astype(object)
            result[name] = texts.where(good, REJECTED if name == "status" else None)
    return result.assign(**{FAULT: np.array(faults, dtype=object)})


def scores_frame(core: Core, scores: Scores) -> pd.DataFrame:
    """Return scores as the table that `Engine.score` gives, rows numbered from 0."""
    columns = [*core.causes, UNEXPLAINED]
    frame = pd.DataFrame(scores.posterior, columns=columns, copy=False)
    tail = {
        "log_evidence": scores.log_evidence,
        "status": np.array(STATUSES, dtype=object)[scores.status],
        "urgency": np.array(LEVELS, dtype=object)[scores.urgency],
        "red_flags": flag_texts(scores.flags, flag_names(core)),
    }
    return pd.concat([frame, pd.DataFrame(tail)], axis=1)


def flag_texts(fired: BoolArray, names: tuple[str, ...]) -> list[str]:
    """Join the names of what fired in each row by ``;``; rows that fire alike share one text."""
    packed = np.packbits(fired, axis=1)
    words = np.zeros((len(fired), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    codes = np.zeros(len(fired), dtype=np.int64)
    for word in words.view(np.uint64).T:
        own, distinct = pd.factorize(word)
        # Numbered anew each time, so that the product stays small.
        codes, _ = pd.factorize(codes * len(distinct) + own)
    first = np.zeros(codes.max(initial=-1) + 1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    texts = [";".join(names[i] for i in np.flatnonzero(row)) for row in fired[first]]
    return [texts[i] for i in codes.tolist()]
