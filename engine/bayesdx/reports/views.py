"""A case report as parts of a page: what every other place says, with figures and sources."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesdx.presentation.advice_view import body_of
from bayesdx.presentation.diagnosis_view import (
    BY_DEFINITION,
    WHY_NOTHING,
    group_grid,
    said,
    status_text,
    urgency_blocks,
)
from bayesdx.presentation.explanation_view import change_text, contribution_blocks, produced_blocks
from bayesdx.presentation.fit_view import surprise_blocks
from bayesdx.presentation.layout import Block, Cited, Grid, Paragraph, Row, bullets, cited_in
from bayesdx.presentation.question_view import question_grid
from bayesdx.presentation.shortlist_view import shortlist_blocks
from bayesdx.presentation.words import (
    METHODS,
    SEVERAL_AT_ONCE,
    labels_of,
    marked,
    number,
    open_rules,
    percent,
    rows_of,
    rules_that_wait,
    spaced,
    split_names,
)
from bayesdx.reports.drawings import Bar, Contribution, Picture, posterior_bars, waterfall
from bayesdx.reports.gathering import CaseReport

if TYPE_CHECKING:
    from bayesdx.knowledge.knowledge import Knowledge

#: Causes in the figure, and observations in a waterfall before the smallest are put together.
BARS, STEPS, DRIVERS = 10, 9, 5
MEASURES = (
    "Disablement: how many of the {} present findings would not be there without the cause; "
    "sufficiency: how many would be with it alone (expected numbers; Richens and others 2020)."
)
NO_POSTERIORS = ("impossible", "too_complex")


@dataclass(frozen=True)
class Detail:
    """What unfolds below a summary."""

    summary: str
    blocks: Sequence[Block]
    open: bool = False


@dataclass(frozen=True)
class Part:
    """A section of a case: a title, a figure, what is said at once, and what unfolds."""

    title: str
    blocks: Sequence[Block] = ()
    picture: Picture | None = None
    details: Sequence[Detail] = ()
    kind: str = ""


def report_labels(knowledge: Knowledge) -> dict[str, str]:
    """Collect the labels that a report may need."""
    return {name: one.label for name, one in knowledge.measures.items()} | labels_of(knowledge)


def case_parts(report: CaseReport, labels: Mapping[str, str]) -> Iterator[Part]:
    """Lay out one case."""
    diagnosis = report.diagnosis
    level = diagnosis.urgency
    waiting = [
        f"{hit.level}: {hit.title} ({', '.join(labels.get(n, spaced(n)) for n in hit.not_asked)})"
        for hit in open_rules(diagnosis)
    ]
    more = [Detail(f"{rules_that_wait(diagnosis)}.", bullets(waiting))] if waiting else []
    told = list(urgency_blocks(diagnosis, True, labels))[1:]
    yield Part(f"Urgency: {spaced(level)}", told, details=more, kind=f"urgency {level}")
    status = status_text(diagnosis, labels)
    if diagnosis.status in NO_POSTERIORS:
        yield Part("No probabilities", [Paragraph(status)])
    else:
        if listed := shortlist_blocks(diagnosis)[1:]:
            yield Part("What to look at first", listed)
        yield _probabilities(report, status)
    if diagnosis.status == "ok":
        yield from (_why(report, cause) for cause in report.explained)
    asked: list[Block] = [
        Paragraph(report.questions.certificate.reason),
        question_grid(report.questions),
    ]
    yield Part("What to ask next", asked)
    yield Part("Does the model fit this case?", list(surprise_blocks(report.surprise)))
    texts = [
        Detail(
            hit.title,
            [Paragraph(body_of(hit, False, labels), statements=hit.statements)],
            hit.kind in ("pitfall", "caution"),
        )
        for hit in (*diagnosis.pitfalls, *diagnosis.management)
    ]
    if texts:
        yield Part("What is easily missed, and what may help", details=texts)
    if report.intervals is not None and len(report.intervals.drivers):
        yield Part("What this answer is most unsure of", [_drivers(report.intervals.drivers)])
    understood = ", ".join(
        f"{labels.get(name, spaced(name))}: {spaced(value)}{marked(name, diagnosis.urgency_only)}"
        for name, value in diagnosis.understood.items()
    )
    yield Part("Understood", [Paragraph(understood or "no finding", emphasis="quiet")])


def statements_of(parts: Sequence[Part]) -> set[str]:
    """Return the ids of the statements that parts name."""
    blocks = [block for part in parts for block in part.blocks]
    blocks += [block for part in parts for one in part.details for block in one.blocks]
    return {name for block in blocks for name in cited_in(block)}


def _probabilities(report: CaseReport, status: str) -> Part:
    diagnosis, intervals = report.diagnosis, report.intervals
    told: list[Block] = [Paragraph(status, emphasis="strong")] if status else []
    told.append(Paragraph(f"Present and contributing. {SEVERAL_AT_ONCE}"))
    if intervals is not None and intervals.undecided:
        told.append(Paragraph(intervals.undecided))
    details = [
        Detail("All causes as a table, with sources", [_causes(report)]),
        Detail("Groups: at least one member present", [group_grid(diagnosis.groups)]),
    ]
    return Part("How probable each cause is", told, _bars(report), details)


def _bars(report: CaseReport) -> Picture:
    table, intervals = report.diagnosis.table, report.intervals
    ends = dict(rows_of(intervals.table)) if intervals is not None else {}
    bars = [
        Bar(
            label=row["label"],
            posterior=row["posterior"],
            prior=row["prior"],
            low=float(ends[name]["low"]) if ends else None,
            high=float(ends[name]["high"]) if ends else None,
        )
        for name, row in rows_of(pd.concat([table.iloc[:-1].head(BARS), table.iloc[-1:]]))
    ]
    return posterior_bars(bars, None if intervals is None else intervals.level)


def _causes(report: CaseReport) -> Grid:
    intervals = report.intervals
    ends = {} if intervals is None else dict(rows_of(intervals.table))
    causal = dict(rows_of(report.causal.table))
    heads = ["cause", "prior", "posterior", "disablement", "sufficiency", "prior from"]
    if intervals is not None:
        heads[3:3] = [f"{100 * intervals.level:g} % interval", "rank"]
    rows: list[Row] = []
    for name, row in rows_of(report.diagnosis.table):
        cells = [row["label"], said(row["prior"]), said(row["posterior"])]
        # What no cause explains has neither.
        own, end = causal.get(name), ends.get(name)
        if end is not None:
            cells.append(f"{percent(end['low'])} to {percent(end['high'])}")
            span = f"{end['rank']:g} ({end['rank_low']:g} to {end['rank_high']:g})"
            cells.append(span if own else "")
        cells += [number(own[x]) if own else "" for x in ("disablement", "sufficiency")]
        source = Cited(row["basis"], split_names(report.priors.get(name, "")))
        rows.append((*cells, source))
    notes = [MEASURES.format(report.causal.symptoms), f"{BY_DEFINITION}: {WHY_NOTHING}."]
    return Grid(heads, rows, frozenset({0, len(heads) - 1}), notes)


def _why(report: CaseReport, cause: str) -> Part:
    found = report.explanation
    row, told = found.causes.loc[[cause]].iloc[0], found.of(cause)
    before, after = float(row["prior_log_odds"]), float(row["log_odds"])
    steps = [
        Contribution(f"{r['label']}: {spaced(r['value'])}", float(r["contribution"]))
        for _, r in rows_of(told)
    ]
    finite = all(map(math.isfinite, [before, after, *(step.contribution for step in steps)]))
    picture = waterfall(_largest(steps), before, after, row["label"]) if finite and steps else None
    shared = Paragraph(f"How it is shared out: {METHODS.get(found.method, '')}", emphasis="quiet")
    details = [
        Detail(
            "Contributions as a table, with the numbers behind them, and what would matter",
            [*contribution_blocks(found, cause), shared],
        )
    ]
    if cause == report.explained[0]:
        details.append(Detail("Who produced what is present", list(produced_blocks(found))))
    title = f"{row['label']}: {percent(row['prior'])} before, {percent(row['posterior'])} after"
    return Part(f"Why {title}", [Paragraph(change_text(row, told))], picture, details)


def _largest(steps: list[Contribution]) -> list[Contribution]:
    """Put the smallest steps together, so that a figure stays readable; they still add up."""
    order = sorted(steps, key=lambda step: -abs(step.contribution))
    if len(order) <= STEPS + 1:
        return order
    rest = order[STEPS:]
    total = sum(step.contribution for step in rest)
    return [*order[:STEPS], Contribution(f"{len(rest)} others together", total)]


def _drivers(table: pd.DataFrame) -> Grid:
    first: list[dict[str, Any]] = [
        row for _, row in rows_of(table[table["cause"] == table["cause"].iloc[0]].head(DRIVERS))
    ]
    rows: list[Row] = [
        (
            row["title"],
            row["cause"],
            f"{row['value']:.3g}",
            f"{row['low']:.3g} to {row['high']:.3g}",
            percent(row["share"]),
            Cited(row["basis"], split_names(row["statements"])),
        )
        for row in first
    ]
    heads = ("number", "cause", "value", "range", "share of variance", "basis")
    return Grid(heads, rows, frozenset({0, 1, 5}))
