"""A case report as parts of a page: first what `bayesdx diagnose` prints, then what unfolds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayesdx.diagnosis.ranking import TIE
from bayesdx.presentation.advice_view import body_of
from bayesdx.presentation.brief_view import (
    asks_next,
    background_note,
    brief_urgency_blocks,
    candidates,
    explains_any,
    factor_text,
    question_text,
    ranges_note,
    speaking,
    understood_blocks,
)
from bayesdx.presentation.diagnosis_view import (
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
from bayesdx.presentation.words import (
    METHODS,
    SEVERAL_AT_ONCE,
    basis_word,
    labels_of,
    lower_first,
    number,
    open_rules,
    percent,
    range_of_percents,
    rows_of,
    rules_that_wait,
    short,
    spaced,
    split_names,
    whole_percent,
)
from bayesdx.reports.gathering import CaseReport, Further

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx.knowledge.knowledge import Knowledge

#: Reasons for the urgency in full, and for the first cause, on the first page.
URGENT_REASONS, REASONS = 3, 3
#: A probability below this is said and not drawn; causes below it are named without numbers.
NOISE = 0.005
#: A prior is often just that, and comes out an ulp beside it: both backends draw the same.
_LEAST_DRAWN = NOISE * (1.0 - TIE)
DRIVERS = 5
MEASURES = (
    "Disablement: how many of the {} present findings would not be there without the cause; "
    "sufficiency: how many would be with it alone (expected numbers; Richens and others 2020)."
)
NO_POSTERIORS = ("impossible", "too_complex")


@dataclass(frozen=True)
class Candidate:
    """One cause of the short list, in words and as a bar.

    Attributes
    ----------
    opens : str
        Why this part of the list is shown, where it begins; else empty.
    label, told : str
        ``told`` says all its numbers; it is what who does not see the bar is told, too.
    now : str
        The posterior in words.
    posterior, prior, low, high : float
        In percent, from 0 to 100 on every bar of a page; a posterior under `NOISE` is 0, a range
        that is not known lies at the posterior.
    """

    opens: str
    label: str
    now: str
    told: str
    posterior: float
    prior: float
    low: float
    high: float


@dataclass(frozen=True)
class FirstPage:
    """What stands on the first page of a case, from the values of its short answer.

    Attributes
    ----------
    level : str
        The urgency.
    understood, urgency : sequence of Block
    status : str
        Why there are no posteriors, or empty.
    candidates : sequence of Candidate
    notes : sequence of str
        Below the candidates.
    first : str
        The first of them, within a sentence.
    reasons, against : sequence of str
        What speaks for it, the greatest first; and what speaks most against it, if anything.
    asks : str
        Heads the questions.
    questions : sequence of str
        What tells most.
    """

    level: str
    understood: Sequence[Block]
    urgency: Sequence[Block]
    status: str
    candidates: Sequence[Candidate]
    notes: Sequence[str]
    first: str
    reasons: Sequence[str]
    against: Sequence[str]
    asks: str
    questions: Sequence[str]


@dataclass(frozen=True)
class Detail:
    """What unfolds below a summary."""

    summary: str
    blocks: Sequence[Block]


def report_labels(knowledge: Knowledge) -> dict[str, str]:
    """Collect the labels that a report may need."""
    return {name: one.label for name, one in knowledge.measures.items()} | labels_of(knowledge)


def first_page(report: CaseReport, labels: Mapping[str, str]) -> FirstPage:
    """Lay out what comes first."""
    brief = report.brief
    diagnosis = brief.diagnosis
    listed = [_candidate(report, *one) for one in candidates(brief)]
    notes = [] if not listed else [ranges_note(brief)]
    if listed and explains_any(brief):
        notes.insert(0, background_note(brief))
    reasons, against = speaking(brief)
    told = brief_urgency_blocks(brief, labels, URGENT_REASONS, "below")
    return FirstPage(
        level=diagnosis.urgency,
        understood=list(understood_blocks(brief, whole=True)),
        urgency=list(told)[1:],
        status=status_text(diagnosis, labels),
        candidates=listed,
        notes=notes,
        first=lower_first(short(str(diagnosis.shortlist.iloc[0]["label"]))) if listed else "",
        reasons=reasons[:REASONS],
        against=against[:1],
        asks=asks_next(diagnosis.urgency),
        questions=[question_text(row) for _, row in rows_of(brief.questions)],
    )


def _candidate(report: CaseReport, opens: str, name: str, row: Mapping[str, Any]) -> Candidate:
    brief = report.brief
    posterior, prior = float(row["posterior"]), float(brief.diagnosis.table["prior"][name])
    now = whole_percent(posterior)
    told = [f"present now: {now}"]
    low, high = posterior, posterior
    if brief.draws:
        low, high = float(brief.ranges["low"][name]), float(brief.ranges["high"][name])
        told.append(f"range {range_of_percents(low, high)}")
    told.append(f"before any finding {percent(prior)}")
    if explains_any(brief):
        explained, part = row["explains"], row["plays_a_part"]
        told += [f"explains {whole_percent(explained)}", f"plays a part {whole_percent(part)}"]
    drawn = posterior >= _LEAST_DRAWN
    ends = (low, high) if drawn and low == low else (posterior, posterior)
    return Candidate(
        opens=f"{opens[:1].upper()}{opens[1:]}",
        label=str(row["label"]),
        now=now,
        told="; ".join(told),
        posterior=100.0 * posterior if drawn else 0.0,
        prior=100.0 * prior,
        low=100.0 * ends[0],
        high=100.0 * ends[1],
    )


def details_of(report: CaseReport, labels: Mapping[str, str]) -> Iterator[Detail]:
    """Lay out what unfolds below the first page."""
    brief = report.brief
    diagnosis = brief.diagnosis
    yield Detail("Every reason for the urgency", list(urgency_blocks(diagnosis, True, labels)))
    waiting = [
        f"{hit.level}: {hit.title} ({', '.join(labels.get(n, spaced(n)) for n in hit.not_asked)})"
        for hit in open_rules(diagnosis)
    ]
    if waiting:
        yield Detail(rules_that_wait(diagnosis), bullets(waiting))
    if len(brief.reasons):
        first = lower_first(short(str(diagnosis.shortlist.iloc[0]["label"])))
        yield Detail(f"What each answer does to {first}", [_reasons(brief.reasons)])
    if diagnosis.status not in NO_POSTERIORS:
        yield Detail("Causes as a table, with sources", list(_causes(report)))
        yield Detail("Groups: at least one member present", [group_grid(diagnosis.groups)])
    for hit in (*diagnosis.pitfalls, *diagnosis.management):
        yield Detail(hit.title, [Paragraph(body_of(hit, False, labels), statements=hit.statements)])
    if report.further is not None:
        yield from _further(report, report.further)


def _further(report: CaseReport, further: Further) -> Iterator[Detail]:
    if report.brief.diagnosis.status == "ok":
        yield from (_why(further, cause) for cause in further.explained)
        produced = list(produced_blocks(further.explanation))
        yield Detail("Who produced what is present", produced)
    certificate = Paragraph(further.questions.certificate.reason)
    yield Detail("What to ask next", [certificate, question_grid(further.questions)])
    yield Detail("Does the model fit this case?", list(surprise_blocks(further.surprise)))
    if further.intervals is not None and len(further.intervals.drivers):
        undecided = further.intervals.undecided
        told: list[Block] = [Paragraph(undecided)] if undecided else []
        grid = _drivers(further.intervals.drivers)
        yield Detail("What this answer is most unsure of", [*told, grid])


def statements_of(details: Sequence[Detail], first: FirstPage) -> set[str]:
    """Return the ids of the statements that a case names."""
    blocks = [*first.urgency, *(block for one in details for block in one.blocks)]
    return {name for block in blocks for name in cited_in(block)}


def _reasons(reasons: pd.DataFrame) -> Grid:
    rows: list[Row] = [
        (str(row["label"]), spaced(row["value"]), factor_text(float(row["odds"])))
        for _, row in rows_of(reasons)
    ]
    note = "The odds before any finding times all factors are the odds now."
    return Grid(("observed", "", "odds times"), rows, frozenset({0, 1}), [note])


def _causes(report: CaseReport) -> Iterator[Block]:
    diagnosis, further = report.brief.diagnosis, report.further
    intervals = None if further is None else further.intervals
    ends = {} if intervals is None else dict(rows_of(intervals.table))
    causal = {} if further is None else dict(rows_of(further.causal.table))
    heads = ["cause", "before", "now"]
    if intervals is not None:
        heads += [f"{100 * intervals.level:g} % interval", "rank"]
    heads += [*(("disablement", "sufficiency") if further is not None else ()), "prior from"]
    rows: list[Row] = []
    rest = []
    for name, row in rows_of(diagnosis.table):
        if row["posterior"] < _LEAST_DRAWN:
            rest.append(lower_first(row["label"]))
            continue
        cells = [row["label"], said(row["prior"]), said(row["posterior"])]
        # What no cause explains has neither.
        own, end = causal.get(name), ends.get(name)
        if end is not None:
            cells.append(f"{percent(end['low'])} to {percent(end['high'])}")
            span = f"{end['rank']:g} ({end['rank_low']:g} to {end['rank_high']:g})"
            cells.append(span if own else "")
        if further is not None:
            cells += [number(own[x]) if own else "" for x in ("disablement", "sufficiency")]
        rows.append(
            (*cells, Cited(basis_word(row["basis"]), split_names(report.priors.get(name, ""))))
        )
    notes = [f"Present and contributing. {SEVERAL_AT_ONCE}"]
    if further is not None:
        notes.append(MEASURES.format(further.causal.symptoms))
    yield Grid(heads, rows, frozenset({0, len(heads) - 1}), notes)
    if rest:
        yield Paragraph(f"Below {100 * NOISE:g} % each, and not ruled out: {'; '.join(rest)}.")
    if 0.0 in {*diagnosis.table["posterior"].iloc[:-1]}:
        yield Paragraph(f"Some of these are {WHY_NOTHING}.", emphasis="quiet")


def _why(further: Further, cause: str) -> Detail:
    found = further.explanation
    row, told = found.causes.loc[[cause]].iloc[0], found.of(cause)
    title = f"{row['label']}: {percent(row['prior'])} before, {percent(row['posterior'])} now"
    shared = Paragraph(f"How it is shared out: {METHODS.get(found.method, '')}", emphasis="quiet")
    blocks = [Paragraph(change_text(row, told)), *contribution_blocks(found, cause), shared]
    return Detail(f"Why {title}", blocks)


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
            Cited(basis_word(row["basis"]), split_names(row["statements"])),
        )
        for row in first
    ]
    heads = ("number", "cause", "value", "range", "share of variance", "basis")
    return Grid(heads, rows, frozenset({0, 1, 5}))
