"""A table of cases, scored: arrays first, a DataFrame for whoever wants one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdx.diagnosis.cases import Cases
from bayesdx.diagnosis.results import IMPOSSIBLE, NO_FINDINGS, OK, TOO_COMPLEX, Status
from bayesdx.diagnosis.shortlist import Measure, causal_shares, symptom_weights
from bayesdx.inference.noisy.model import BoolArray, FloatArray
from bayesdx.knowledge.red_flag_schema import LEVELS

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core

UNEXPLAINED = "unexplained"
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

    Returns
    -------
    Scores
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
