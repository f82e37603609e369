"""A case report as the template reads it: texts, rounded numbers, figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesdx.presentation.explanation_view import rows_about
from bayesdx.presentation.words import (
    METHODS,
    clash_text,
    coupled_text,
    fired_rules,
    fit_shares,
    fit_verdict,
    in_words,
    labels_of,
    number,
    number_behind,
    open_rules,
    percent,
    ratio,
    rows_of,
    rules_that_wait,
    spaced,
    split_names,
)
from bayesdx.reports.drawings import Bar, Contribution, Picture, posterior_bars, waterfall
from bayesdx.reports.gathering import CaseReport

if TYPE_CHECKING:
    from bayesdx import Diagnosis
    from bayesdx.diagnosis.explaining.explanation import Explanation
    from bayesdx.diagnosis.predictive_check import Surprise
    from bayesdx.knowledge.knowledge import Knowledge

#: Causes in the figure, and observations in a waterfall before the smallest are put together.
BARS, STEPS = 10, 9
#: Log-odds from which a rival is worth a sentence.
SHIFT = 0.05


@dataclass(frozen=True)
class Labels:
    """Labels of findings, risks and measures."""

    of: dict[str, str]

    def __call__(self, name: str) -> str:
        """Return the label, or the name where there is none."""
        return self.of.get(name, spaced(name))


def report_labels(knowledge: Knowledge) -> Labels:
    """Collect the labels that a report may need."""
    measures = {name: measure.label for name, measure in knowledge.measures.items()}
    return Labels(measures | labels_of(knowledge))


def case_view(report: CaseReport, labels: Labels) -> dict[str, Any]:
    """Lay out one case for the template."""
    diagnosis, intervals = report.diagnosis, report.intervals
    known = diagnosis.understood
    return {
        "name": report.name,
        "status": diagnosis.status,
        "urgency": diagnosis.urgency,
        "first": diagnosis.table.iloc[0].to_dict(),
        "fired": [
            {
                "level": hit.level,
                "title": hit.title,
                "advice": hit.advice,
                "because": [in_words(leaf, labels.of, known) for leaf in hit.because],
                "statements": hit.statements,
            }
            for hit in fired_rules(diagnosis)
        ],
        "triage": diagnosis.triage,
        "open": [
            {"level": h.level, "title": h.title, "not_asked": [labels(n) for n in h.not_asked]}
            for h in open_rules(diagnosis)
        ],
        "waiting": rules_that_wait(diagnosis),
        "no_probabilities": _no_probabilities(diagnosis, labels),
        "bars": _bars(report),
        "undecided": intervals.undecided if intervals else "",
        "level": f"{100 * intervals.level:g} % interval" if intervals else "",
        "causes": _cause_rows(report),
        "symptoms": report.causal.symptoms,
        "groups": diagnosis.groups.to_dict("records"),
        "why": [_why(report.explanation, cause) for cause in _explained(report)],
        "certificate": report.questions.certificate.reason,
        "questions": _question_rows(report),
        "fit": _fit(report.surprise),
        "conflicts": _conflict_rows(report.surprise),
        "pitfalls": list(diagnosis.pitfalls),
        "management": list(diagnosis.management),
        "drivers": _driver_rows(report),
        "understood": ", ".join(f"{labels(name)}: {spaced(said)}" for name, said in known.items())
        or "no finding",
    }


def statements_of(view: dict[str, Any]) -> tuple[str, ...]:
    """Ids of the statements that a case view names."""
    rows = [*view["fired"], *view["causes"], *view["drivers"]]
    rows += [row for part in view["why"] for row in part["rows"]]
    found = {name for row in rows for name in row["statements"]}
    hits = [*view["pitfalls"], *view["management"]]
    return tuple(sorted(found | {name for hit in hits for name in hit.statements}))


def _no_probabilities(diagnosis: Diagnosis, labels: Labels) -> str:
    if diagnosis.status == "impossible":
        return f"{clash_text([labels(name) for name in diagnosis.clashes])} Check these answers."
    if diagnosis.status == "too_complex":
        return coupled_text([labels(name) for name in diagnosis.coupled])
    return ""


def _explained(report: CaseReport) -> tuple[str, ...]:
    return report.explained if report.diagnosis.status == "ok" else ()


def _bars(report: CaseReport) -> Picture | None:
    if report.diagnosis.status in ("impossible", "too_complex"):
        return None
    table = report.diagnosis.table
    shown = pd.concat([table.iloc[:-1].head(BARS), table.iloc[-1:]])
    ends: dict[str, dict[str, Any]] = {}
    if report.intervals is not None:
        ends = dict(rows_of(report.intervals.table))
    bars = [
        Bar(
            label=str(row["label"]),
            posterior=float(row["posterior"]),
            prior=float(row["prior"]),
            low=float(ends[name]["low"]) if ends else None,
            high=float(ends[name]["high"]) if ends else None,
        )
        for name, row in rows_of(shown)
    ]
    return posterior_bars(bars, report.intervals.level if report.intervals else None)


def _cause_rows(report: CaseReport) -> list[dict[str, Any]]:
    causal = dict(rows_of(report.causal.table))
    intervals = dict(rows_of(report.intervals.table)) if report.intervals else {}
    found = []
    for cause, row in rows_of(report.diagnosis.table):
        cells: dict[str, Any] = {
            "label": row["label"],
            "prior": float(row["prior"]),
            "posterior": float(row["posterior"]),
            "basis": row["basis"],
            "statements": split_names(report.priors.get(cause, "")),
            "disablement": "",
            "sufficiency": "",
            "interval": "",
            "ranks": "",
        }
        if cause != "unexplained":
            cells["disablement"] = number(float(causal[cause]["disablement"]))
            cells["sufficiency"] = number(float(causal[cause]["sufficiency"]))
        if intervals:
            one = intervals[cause]
            cells["interval"] = f"{percent(float(one['low']))} to {percent(float(one['high']))}"
            if cause != "unexplained":
                cells["ranks"] = f"{one['rank']:g} ({one['rank_low']:g} to {one['rank_high']:g})"
        found.append(cells)
    return found


def _why(explanation: Explanation, cause: str) -> dict[str, Any]:
    row = dict(rows_of(explanation.causes))[cause]
    told = [cells for _, cells in rows_of(explanation.of(cause))]
    before, after = float(row["prior_log_odds"]), float(row["log_odds"])
    steps = [
        Contribution(f"{r['label']}: {spaced(str(r['value']))}", float(r["contribution"]))
        for r in told
    ]
    finite = all(map(math.isfinite, [before, after, *(step.contribution for step in steps)]))
    drawn = (
        waterfall(_largest(steps), before, after, str(row["label"])) if finite and steps else None
    )
    rivals = rows_about(explanation.away, cause)
    note = f"How it is shared out: {METHODS.get(explanation.method, '')}"
    if rivals and float(rivals[0]["shift"]) > SHIFT:
        first = rivals[0]
        note += (
            f" Were {first['label']} known to be absent, this cause would be at "
            f"{percent(float(first['posterior_without']))}."
        )
    return {
        "label": row["label"],
        "prior": float(row["prior"]),
        "posterior": float(row["posterior"]),
        "picture": drawn,
        "note": note,
        "rows": [
            {
                "label": r["label"],
                "value": spaced(str(r["value"])),
                "contribution": number(float(r["contribution"])),
                "alone": ratio(float(r["lr_alone"])),
                "context": ratio(float(r["lr_in_context"])),
                "number": number_behind(r),
                "statements": split_names(r["statements"]),
            }
            for r in told
        ],
    }


def _largest(steps: list[Contribution]) -> list[Contribution]:
    """Put the smallest steps together, so that a figure stays readable; they still add up."""
    order = sorted(steps, key=lambda step: -abs(step.contribution))
    if len(order) <= STEPS + 1:
        return order
    rest = order[STEPS:]
    total = sum(step.contribution for step in rest)
    return [*order[:STEPS], Contribution(f"{len(rest)} others together", total)]


def _question_rows(report: CaseReport) -> list[dict[str, Any]]:
    return [
        {
            "text": row["text"] or row["label"],
            "flag": row["red_flag_level"],
            "who": spaced(str(row["observed_by"])),
            "information": "" if pd.isna(row["information"]) else f"{row['information']:.3f}",
            "rises": "" if pd.isna(row["p_rises"]) else percent(float(row["p_rises"])),
        }
        for _, row in rows_of(report.questions.table)
    ]


def _fit(found: Surprise) -> str:
    if found.status == "no_findings":
        return "Nothing is known of this case yet."
    verdict = fit_verdict(found)
    return verdict if found.status == "impossible" else f"{verdict} {fit_shares(found)}"


def _conflict_rows(found: Surprise) -> list[dict[str, Any]]:
    return [{**cells, "value": spaced(str(cells["value"]))} for _, cells in rows_of(found.table)]


def _driver_rows(report: CaseReport) -> list[dict[str, Any]]:
    if report.intervals is None:
        return []
    table = report.intervals.drivers
    first = table[table["cause"] == table["cause"].iloc[0]] if len(table) else table
    return [
        {
            "title": row["title"],
            "cause": row["cause"],
            "value": f"{row['value']:.3g}",
            "range": f"{row['low']:.3g} to {row['high']:.3g}",
            "share": float(row["share"]),
            "basis": row["basis"],
            "statements": split_names(row["statements"]),
        }
        for _, row in rows_of(first.head(5))
    ]
