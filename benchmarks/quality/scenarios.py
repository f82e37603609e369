"""One file of scenarios against the engine. Each file is measured by itself; nothing pools two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from equal_priors import EqualPriors
from metrics import (
    Bools,
    Floats,
    bernoulli_log_loss,
    bootstrap_mean,
    confusion,
    log_loss,
    mid_rank,
    reciprocal,
    share_of,
    top_shares,
    triage,
)
from surprise import QUANTILE, surprise

import bayesdx
from bayesdx.diagnosis.cases import CaseReader
from bayesdx.diagnosis.causal import rank_many
from bayesdx.diagnosis.predictive_check import exact_levels
from bayesdx.inference.noisy.conflict import background_shares
from bayesdx.knowledge.red_flag_schema import LEVELS
from bayesdx.tables import finding_columns, read_cases

UNEXPLAINED = "unexplained"
#: Levels at which somebody has to act today.
PRESSING = ("emergency", "urgent")


@dataclass(frozen=True)
class Labelled:
    """Cases of one file with what is expected of each.

    Attributes
    ----------
    ids : tuple of str
    expected : tuple of str
        A cause or ``unexplained``.
    acceptable : tuple of tuples of str
        What also counts, without the expected one.
    urgency : tuple of str
    findings : DataFrame
        What is known; nothing of what is expected.
    """

    ids: tuple[str, ...]
    expected: tuple[str, ...]
    acceptable: tuple[tuple[str, ...], ...]
    urgency: tuple[str, ...]
    findings: pd.DataFrame

    def __len__(self) -> int:
        return len(self.ids)

    def head(self, count: int) -> Labelled:
        """Return the first cases."""
        parts = (part[:count] for part in (self.ids, self.expected, self.acceptable, self.urgency))
        return Labelled(*parts, self.findings.iloc[:count])  # type: ignore[arg-type]  # in order


def read_labelled(path: Path) -> Labelled:
    """Read one file of scenarios."""
    table = read_cases(str(path))
    words = {
        name: [("" if pd.isna(cell) else str(cell)).strip() for cell in table[name]]
        for name in ("case_id", "expected_cause", "acceptable", "urgency")
    }
    others = tuple(
        tuple(part.strip() for part in cell.split(";") if part.strip() not in ("", expected))
        for cell, expected in zip(words["acceptable"], words["expected_cause"], strict=True)
    )
    return Labelled(
        tuple(words["case_id"]),
        tuple(words["expected_cause"]),
        others,
        tuple(words["urgency"]),
        finding_columns(table).reset_index(drop=True),
    )


def ranks(scores: pd.DataFrame, causes: list[str], wanted: Sequence[tuple[str, ...]]) -> Floats:
    """Best rank of the wanted names in each case, among the causes.

    ``unexplained`` is no cause; where it is wanted its own posterior takes the place of one.
    """
    values = scores[causes].to_numpy()
    place = {name: c for c, name in enumerate(causes)}
    unexplained = scores[UNEXPLAINED].to_numpy()

    def rank(row: int, name: str) -> float:
        if name == UNEXPLAINED:
            return mid_rank(unexplained[row], values[row])
        return mid_rank(values[row, place[name]], np.delete(values[row], place[name]))

    return np.array([min(rank(row, name) for name in names) for row, names in enumerate(wanted)])


def rank_summary(found: Floats, rng: np.random.Generator) -> dict[str, Any]:
    """Shares of the first one, three, five and ten; mean reciprocal rank; median rank."""
    return {
        "n": len(found),
        "top": top_shares(found, (1, 3, 5, 10)),
        "curve": top_shares(found, tuple(range(1, 11))),
        "reciprocal_rank": bootstrap_mean(reciprocal(found), rng),
        "median_rank": float(np.median(found)) if len(found) else float("nan"),
    }


def causal_scores(
    engine: bayesdx.Engine, cases: Labelled, causes: list[str]
) -> dict[str, pd.DataFrame]:
    """Expected disablement and sufficiency of every cause in each case.

    What takes their place for ``unexplained`` is how many present findings are background alone.
    """
    core = engine.core
    columns = {name: cases.findings[name].array for name in cases.findings.columns}
    evidence = core.reader.read(columns, len(cases), range(len(cases))).evidence
    _, disablement, sufficiency, _, _ = rank_many(core, evidence)
    background = [
        sum(background_shares(core.model, evidence.take(np.array([row]))).values())
        for row in range(len(cases))
    ]
    at = [core.causes.index(name) for name in causes]
    return {
        name: pd.DataFrame(values[:, at], columns=causes).assign(**{UNEXPLAINED: background})
        for name, values in (("disablement", disablement), ("sufficiency", sufficiency))
    }


def truths(cases: Labelled, causes: list[str]) -> tuple[Bools, Bools]:
    """Where a cause is expected, and where it is acceptable, so neither true nor false; (N, C)."""
    expected = np.array([[name == one for name in causes] for one in cases.expected])
    open_ = np.array([[name in also for name in causes] for also in cases.acceptable])
    return expected, open_


def chances(scores: pd.DataFrame, wanted: Sequence[tuple[str, ...]]) -> Floats:
    """Highest posterior of the wanted names in each case."""
    return np.array(
        [
            scores[list(names)].iloc[row].to_numpy(dtype=np.float64).max()
            for row, names in enumerate(wanted)
        ]
    )


def score_summary(
    scores: pd.DataFrame, cases: Labelled, causes: list[str], rng: np.random.Generator
) -> dict[str, Any]:
    """Log scores, natural logarithms; lower is better."""
    values = scores[causes].to_numpy()
    expected, open_ = truths(cases, causes)
    said = chances(scores, [(name,) for name in cases.expected])
    both = [(name, *also) for name, also in zip(cases.expected, cases.acceptable, strict=True)]
    best = chances(scores, both)
    everything = np.ones_like(expected)
    return {
        "log_score": bootstrap_mean(log_loss(said), rng),
        "log_score_or_acceptable": bootstrap_mean(log_loss(best), rng),
        "bernoulli": bootstrap_mean(bernoulli_log_loss(values, expected, everything), rng),
        "bernoulli_acceptable_left_out": bootstrap_mean(
            bernoulli_log_loss(values, expected, ~open_), rng
        ),
        "posterior_zero": int((said <= 0.0).sum()),
    }


def urgency_summary(cases: Labelled, scores: pd.DataFrame) -> dict[str, Any]:
    """Five levels against five, and every pressing case that was not called pressing."""
    level: dict[str, int] = {name: i for i, name in enumerate(LEVELS)}
    given_names = [str(name) for name in scores["urgency"]]
    fired = [str(rules) or "nothing" for rules in scores["red_flags"]]
    expected = np.array([level[name] for name in cases.urgency])
    given = np.array([level[name] for name in given_names])
    pressing, called = np.isin(cases.urgency, PRESSING), np.isin(given_names, PRESSING)
    missed = [
        {
            "case_id": cases.ids[row],
            "expected_cause": cases.expected[row],
            "labelled": cases.urgency[row],
            "engine": given_names[row],
            "fired": fired[row],
        }
        for row in np.flatnonzero(pressing & ~called)
    ]
    return {
        "levels": list(LEVELS),
        "confusion": confusion(expected, given, len(LEVELS)),
        **triage(expected, given),
        "recall": share_of(called[pressing]),
        "recall_by_level": {
            name: share_of(called[np.array(cases.urgency) == name]) for name in PRESSING
        },
        "called_though_not_labelled": share_of(called[~pressing]),
        "missed": missed,
    }


def surprise_summary(
    engine: bayesdx.Engine, cases: Labelled, references: int, seed: int
) -> dict[str, Any]:
    """How often the evidence of a case is rarer than nearly all that the model makes itself."""
    model = engine.assembly.model
    columns = {name: cases.findings[name].array for name in cases.findings.columns}
    read = CaseReader(engine.knowledge, model).read(columns, len(cases), range(len(cases)))
    exact = exact_levels(engine.knowledge, model, read)
    result: dict[str, Any] = {"references": references, "quantile": QUANTILE}
    for name, keep in (("findings", True), ("findings_and_risks", False)):
        rng = np.random.default_rng([seed, 3, int(keep)])
        found = surprise(model, read.evidence, exact, references, rng, keep_risks=keep)
        result[name] = {
            "surprising": share_of(found.surprising),
            "positions": found.position,
            "flags": found.surprising,
            "cases": [cases.ids[row] for row in np.flatnonzero(found.surprising)],
        }
    return result


def measure(
    path: Path,
    engine: bayesdx.Engine,
    equal: Mapping[str, tuple[EqualPriors, bayesdx.Engine]],
    references: int,
    seed: int,
) -> dict[str, Any]:
    """Everything that is measured on one file of scenarios."""
    cases = read_labelled(path)
    rng = np.random.default_rng([seed, 4])
    causes = [str(name) for name in engine.causes.index[engine.causes["kind"] == "cause"]]
    scores = engine.score(cases.findings)
    priors = _priors_alone(engine, causes, len(cases))
    causal = causal_scores(engine, cases, causes)
    wanted: dict[str, list[tuple[str, ...]]] = {
        "expected": [(name,) for name in cases.expected],
        "expected_or_acceptable": [
            (name, *also) for name, also in zip(cases.expected, cases.acceptable, strict=True)
        ],
    }
    found = {name: ranks(scores, causes, names) for name, names in wanted.items()}
    # A generator of its own, so that what was measured before stays as it was.
    rng_causal = np.random.default_rng([seed, 5])
    return {
        "file": path.name,
        "n": len(cases),
        "unexplained_expected": cases.expected.count(UNEXPLAINED),
        "ranks": {
            name: {
                "engine": rank_summary(found[name], rng),
                **{
                    measure: rank_summary(ranks(table, causes, names), rng_causal)
                    for measure, table in causal.items()
                },
                "priors_alone": rank_summary(ranks(priors, causes, names), rng),
            }
            for name, names in wanted.items()
        },
        "scores": {
            "engine": score_summary(scores, cases, causes, rng),
            "priors_alone": score_summary(priors, cases, causes, rng),
        },
        "equal_priors": _equal(cases, scores, causes, equal, rng),
        "urgency": urgency_summary(cases, scores),
        "surprise": surprise_summary(engine, cases, references, seed),
        "cases": _rows(cases, scores, found),
    }


def _priors_alone(engine: bayesdx.Engine, causes: list[str], n: int) -> pd.DataFrame:
    """What the engine says of a case of which nothing is known, n times."""
    table = engine.diagnose({}).table
    row = table.loc[[*causes, UNEXPLAINED], "posterior"]
    return pd.DataFrame([row.to_numpy()] * n, columns=[*causes, UNEXPLAINED])


def _equal(
    cases: Labelled,
    scores: pd.DataFrame,
    causes: list[str],
    equal: Mapping[str, tuple[EqualPriors, bayesdx.Engine]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Ranks under the real and under equal priors, of the same rows: those that expect a cause.

    What is left for `unexplained` depends on the sum of the priors, which says nothing here.
    """
    rows = [row for row, name in enumerate(cases.expected) if name != UNEXPLAINED]
    wanted = [(cases.expected[row],) for row in rows]
    part = cases.findings.iloc[rows].reset_index(drop=True)
    real = ranks(scores.iloc[rows].reset_index(drop=True), causes, wanted)
    result = {"real": {"summary": rank_summary(real, rng), "ranks": real}}
    for name, (_, other) in equal.items():
        found = ranks(other.score(part), causes, wanted)
        result[name] = {
            "summary": rank_summary(found, rng),
            "ranks": found,
            "better": int((found < real).sum()),
            "worse": int((found > real).sum()),
        }
    return {"case_ids": [cases.ids[row] for row in rows], **result}


def _rows(
    cases: Labelled, scores: pd.DataFrame, found: Mapping[str, Floats]
) -> list[dict[str, Any]]:
    said = chances(scores, [(name,) for name in cases.expected])
    columns = ["status", "log_evidence", "urgency", "red_flags"]
    given = scores[columns].rename(columns={"urgency": "engine_urgency"}).to_dict("records")
    return [
        {
            "case_id": cases.ids[row],
            "expected": name,
            "acceptable": list(cases.acceptable[row]),
            "rank": found["expected"][row],
            "rank_or_acceptable": found["expected_or_acceptable"][row],
            "posterior": said[row],
            "labelled_urgency": cases.urgency[row],
            **{str(key): value for key, value in given[row].items()},
        }
        for row, name in enumerate(cases.expected)
    ]
