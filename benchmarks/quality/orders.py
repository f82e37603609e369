"""Orders of causes compared: posterior, what explains, what fits, naive Bayes of the same tables.

Naive Bayes knows of each finding only P(finding | one cause), read off the network itself with the
other causes at their priors, and multiplies: what joint inference has to be better than. The short
list is that of `Diagnosis.shortlist`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from metrics import Floats, Share, mid_rank, share_of
from simulated import hide

import bayesdx
from bayesdx.diagnosis.core import Core
from bayesdx.diagnosis.shortlist import causal_shares, short_list, symptom_weights
from bayesdx.inference import Evidence, no_evidence
from bayesdx.inference.noisy.sampling import sample_cases
from bayesdx.tables import finding_columns, read_cases

ORDERS = (
    *("posterior", "explains", "plays a part", "odds over prior"),
    *("naive Bayes", "naive Bayes, all priors equal"),
)
#: Names an answer shows first.
NAMES = "the short list of five"
FROZEN = "published, frozen half"
FILES = ("published", FROZEN, "typical")
SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
#: Cases of the model itself, of which a quarter of the findings is asked.
SIMULATED = 1000
_SMALLEST = 1e-300


class Compared(NamedTuple):
    """How one order does: expected cause first, among five, wins and losses among five."""

    first: Share
    five: Share
    wins: int
    losses: int


def measure(engine: bayesdx.Engine) -> dict[str, Any]:
    """Compare the orders on the files, and on cases of the model itself."""
    files = {}
    for name in FILES:
        read = read_cases(str(SCENARIOS / f"{name.partition(',')[0]}.csv"))
        if name == FROZEN:
            read = read[read["case_id"].astype(str).isin(frozen_cases())]
        cells = finding_columns(read)
        columns = {column: cells[column].array for column in cells.columns}
        evidence = engine.core.reader.read(columns, len(cells), range(len(cells))).evidence
        expected = read["expected_cause"].astype(str).str.strip().tolist()
        files[name] = compare(engine, evidence, expected)
    return {"files": files, "responsible": responsible_first(engine, SIMULATED, 0)}


def frozen_cases() -> set[str]:
    """Published cases whose answers are told in sum only, never one by one."""
    frozen = set((SCENARIOS / "frozen.txt").read_text(encoding="utf-8").split())
    with (SCENARIOS / "published.csv").open(encoding="utf-8", newline="") as stream:
        return {row["case_id"] for row in csv.DictReader(stream) if _digest(row) in frozen}


def _digest(row: Mapping[str, str]) -> str:
    """SHA-256 of a row, as ``scenarios/README.md`` says."""
    cells = "\n".join(f"{key}={row[key]}" for key in sorted(row) if row[key])
    return hashlib.sha256(cells.encode("utf-8")).hexdigest()


def rows(measured: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and body of a table of what `measure` found."""
    body = []
    for order in (*ORDERS, NAMES):
        cells = [order]
        for found in measured["files"].values():
            one = found[order]
            first, five = (f"{100 * share.share:.0f} %" for share in (one.first, one.five))
            low, high = (f"{100 * end:.0f}" for end in (one.five.low, one.five.high))
            cells += [first, f"{five} ({low} to {high})", f"{one.wins} / {one.losses}"]
        drawn = measured["responsible"].get(order)
        body.append((*cells, "–" if drawn is None else f"{drawn:.2f}"))
    heads = [f"{name}: {what}" for name in FILES for what in ("first", "five", "won / lost")]
    return ("order", *heads, "responsible, simulated"), body


def said_by(engine: bayesdx.Engine, evidence: Evidence) -> dict[str, Floats]:
    """What each order says of the causes of N cases, (N, K), the first cause the greatest."""
    core = engine.core
    answer = core.posteriors(evidence, symptoms=core.once(symptom_weights))
    posterior, prior = np.zeros((len(evidence), len(core.causes))), core.prior[:-1]
    posterior[:, core.columns] = answer.causes[:, core.modelled]
    posterior[~answer.possible] = prior
    explains, part = causal_shares(core, evidence, answer, np.zeros(len(evidence)))
    odds = _log_odds(posterior) - _log_odds(prior)
    fits = naive_bayes(core, evidence)
    given = core.posteriors(_risks_only(core, evidence)).causes
    base = np.zeros_like(posterior)
    base[:, core.columns] = given[:, core.modelled]
    orders = (
        *(posterior, explains[:, :-1], part[:, :-1], odds),
        *(_log_odds(base) + fits, _log_odds(base) - _log_odds(prior) + fits),
    )
    return dict(zip(ORDERS, orders, strict=True))


def naive_bayes(core: Core, evidence: Evidence) -> Floats:
    """Sum of log P(finding | cause) - log P(finding | no such cause), (N, K)."""
    model, n_cases = core.model, len(evidence)
    total = np.zeros((n_cases, len(core.causes)))
    seen = [(f, 1.0, 0, 0) for f in range(len(model.findings))]
    for o, size in enumerate(model.ordinal_sizes):
        seen += [(-1, o, low, high) for low in range(size) for high in range(low, size)]
    blank = no_evidence(model, len(seen))
    findings, lower, upper = blank.findings.copy(), blank.lower.copy(), blank.upper.copy()
    for row, (f, o, low, high) in enumerate(seen):
        if f >= 0:
            findings[row, f] = 1.0
        else:
            lower[row, int(o)], upper[row, int(o)] = low, high
    alone = Evidence(findings, lower, upper, blank.risks, blank.causes)
    answer = core.posteriors(alone)
    chance, prior = np.exp(answer.log_evidence)[:, None], core.posteriors(blank.take(slice(0, 1)))
    p = prior.causes[:, core.modelled]
    joint = answer.causes[:, core.modelled] * chance
    with_cause = joint / np.maximum(p, _SMALLEST)
    without = (chance - joint) / np.maximum(1.0 - p, _SMALLEST)
    for row, (f, o, low, high) in enumerate(seen):
        if f >= 0:
            value = evidence.findings[:, f]
            weight = np.where(np.isnan(value), 0.5, value)[:, None]
            parts = (
                weight * one + (1.0 - weight) * (1.0 - one)
                for one in (with_cause[row], without[row])
            )
        else:
            level = int(o)
            at = (evidence.lower[:, level] == low) & (evidence.upper[:, level] == high)
            parts = (np.where(at[:, None], one, 1.0) for one in (with_cause[row], without[row]))
        on, off = (np.log(np.maximum(part, _SMALLEST)) for part in parts)
        total[:, core.columns] += on - off
    return total


def compare(engine: bayesdx.Engine, evidence: Evidence, expected: list[str]) -> dict[str, Compared]:
    """Compare the orders on cases whose cause is known; naive Bayes is whom they win against."""
    core, said = engine.core, said_by(engine, evidence)
    named = [core.causes.index(name) for name in expected]
    counted = [
        k for k, name in enumerate(core.causes) if core.knowledge.causes[name].kind == "cause"
    ]
    ranks = {
        name: np.array(
            [
                mid_rank(values[n, k], values[n, [c for c in counted if c != k]])
                for n, k in enumerate(named)
            ]
        )
        for name, values in said.items()
    }
    listed = [_listed(core, said, n) for n in range(len(named))]
    places = [
        names.index(k) + 1 if k in names else len(counted)
        for names, k in zip(listed, named, strict=True)
    ]
    ranks[NAMES] = np.array(places, dtype=np.float64)
    rival = ranks["naive Bayes"] <= 5
    return {
        name: Compared(
            share_of(rank <= 1),
            share_of(rank <= 5),
            int(((rank <= 5) & ~rival).sum()),
            int((~(rank <= 5) & rival).sum()),
        )
        for name, rank in ranks.items()
    }


def responsible_first(engine: bayesdx.Engine, n_cases: int, seed: int) -> dict[str, float]:
    """P(the first cause of an order produced some of what is present), on cases of the model.

    The expectation of what is found for each case exactly, so that nothing but the cases is random;
    cases without a present finding do not count.
    """
    core, rng = engine.core, np.random.default_rng(seed)
    sample = sample_cases(core.model, n_cases, rng)
    evidence = hide(engine.knowledge, core.model, sample, rng)
    said = said_by(engine, evidence)
    part, rows = said["plays a part"], np.arange(n_cases)
    some = said["explains"].sum(axis=1) > 0.0
    return {name: float(part[rows, said[name].argmax(axis=1)][some].mean()) for name in ORDERS}


def _listed(core: Core, said: Mapping[str, Floats], row: int) -> list[int]:
    """Positions of the causes that an answer shows first."""
    columns = {name: said[name][row] for name in ("posterior", "explains")}
    table = pd.DataFrame(
        {
            **columns,
            "label": core.causes,
            "plays_a_part": said["plays a part"][row],
            "prior": core.prior[:-1],
            "ratio": np.exp(np.clip(said["odds over prior"][row], -700.0, 700.0)),
        }
    )
    # The last row of a diagnosis is no cause.
    found: list[int] = short_list(pd.concat([table, table.iloc[:1]])).index.tolist()
    return found


def _risks_only(core: Core, evidence: Evidence) -> Evidence:
    blank = no_evidence(core.model, len(evidence))
    return Evidence(blank.findings, blank.lower, blank.upper, evidence.risks, blank.causes)


def _log_odds(p: Floats) -> Floats:
    result: Floats = np.log(np.maximum(p, _SMALLEST)) - np.log(np.maximum(1.0 - p, _SMALLEST))
    return result
