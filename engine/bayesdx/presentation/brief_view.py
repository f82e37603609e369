"""A short answer: what was understood, what to do, a short list, and what to ask; one screen.

What people see first is said in plain words and in at most `MOST_LINES` lines of 80 columns;
everything else waits for ``--all`` and ``bayesdx explain``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bayesdx.knowledge.red_flag_schema import LEVELS, URGENCY_ONLY
from bayesdx.presentation.advice_view import PRESSING, WHEN, WHERE
from bayesdx.presentation.diagnosis_view import status_text
from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph, Row, bullets
from bayesdx.presentation.terminal import lines_of
from bayesdx.presentation.words import (
    NOTHING_RULED_OUT,
    clipped,
    counted,
    fired_rules,
    in_words,
    lower_first,
    open_rules,
    percent,
    range_of_percents,
    rows_of,
    short,
    spaced,
    whole_percent,
)

if TYPE_CHECKING:
    from bayesdx import Diagnosis
    from bayesdx.diagnosis.briefing import Brief

MOST_LINES, COLUMNS = 40, 80
#: Reasons for the urgency that are told in full, and characters of what made one of them fire.
REASONS, ROOM_BECAUSE = 2, 58
#: Characters of what was answered yes, no, and for the urgency only: three, two and one lines.
ROOM_YES, ROOM_NO, ROOM_ONLY = 210, 130, 60
#: Characters of what to ask first, of a question, and of what speaks for and against.
ROOM_ASK, ROOM_FOR = 140, 130
#: A factor nearer to 1 than this does not speak.
SPEAKS = 1.05
#: What explains less than half a percent of the findings is not listed for what it explains.
LEAST_SHARE = 0.005
HEADS = ("look at first", "explains", "plays\na part", "present\nnow", "90 %\nrange")
WHO = {"examiner": "examination", "laboratory": "laboratory", "imaging": "imaging"}
BACKGROUND = "common anyway, or a cause not in the model"
LAST_LINE = "Educational decision support, not a medical device. More: --all, bayesdx explain"


def brief_blocks(brief: Brief, labels: Mapping[str, str]) -> list[Block]:
    """Describe a short answer, in at most `MOST_LINES` lines of `COLUMNS` columns.

    Parameters
    ----------
    brief : Brief
    labels : mapping of str to str
        Labels of findings and risks.

    Returns
    -------
    list of Block
        With as many reasons for the urgency in full as there is room for, `REASONS` at most.
    """
    described: list[Block] = []
    for reasons in range(REASONS, 0, -1):
        described = list(_described(brief, labels, reasons))
        if lines_of(described, COLUMNS) <= MOST_LINES:
            break
    return described


def _described(brief: Brief, labels: Mapping[str, str], reasons: int) -> Iterator[Block]:
    diagnosis = brief.diagnosis
    yield from understood_blocks(brief)
    yield from brief_urgency_blocks(brief, labels, reasons)
    if text := status_text(diagnosis, labels):
        yield Paragraph(text)
    if len(diagnosis.shortlist):
        yield BLANK
        yield _short_grid(brief)
        yield from _reason_blocks(brief)
    if len(brief.questions):
        yield Paragraph(f"{asks_next(diagnosis.urgency)}:")
        yield from bullets([question_text(row) for _, row in rows_of(brief.questions)])
    yield Paragraph(LAST_LINE, emphasis="quiet")


def understood_blocks(brief: Brief, whole: bool = False) -> Iterator[Block]:
    """Say what was understood, by label, and what of it counts for the urgency only.

    With `whole` nothing is left out, however long it is.
    """

    def fit(texts: Sequence[str], room: int) -> str:
        return "; ".join(texts) if whole else clipped(texts, room)

    only, yes, no = [], [], []
    for _, row in rows_of(brief.given):
        if row["urgency_only"]:
            only.append(_observed(row))
        elif row["value"] == "absent":
            no.append(_named(row))
        else:
            yes.append(_observed(row))
    setting = brief.diagnosis.setting
    yield Paragraph(fit(yes, ROOM_YES) or "nothing present", lead="Understood: ")
    if no:
        yield Paragraph(fit(no, ROOM_NO), lead="Answered no: ", indent=2)
    if only:
        lead = f"{URGENCY_ONLY.capitalize()}, moves no cause: "
        yield Paragraph(fit(only, ROOM_ONLY), lead=lead, indent=2)
    if setting:
        yield Paragraph(setting, lead="How common causes are: as in a setting, ", indent=2)


def brief_urgency_blocks(
    brief: Brief, labels: Mapping[str, str], most: int = REASONS, rest: str = "--all"
) -> Iterator[Block]:
    """Tell the urgency, what to do, `most` reasons in full, where the rest is, what to ask."""
    diagnosis = brief.diagnosis
    level = diagnosis.urgency
    yield Paragraph(spaced(level), lead="Urgency: ", emphasis=level)
    reasons = [*_rule_reasons(diagnosis, labels), *_cause_reasons(diagnosis)]
    for blocks in reasons[:most]:
        yield from blocks
    left = len(fired_rules(diagnosis)) + len(diagnosis.triage) - min(len(reasons), most)
    if left > 0:
        yield Paragraph(f"and {counted(left, 'reason')} more: {rest}", indent=2, emphasis="quiet")
    waiting = len(open_rules(diagnosis))
    if not waiting:
        yield Paragraph(NOTHING_RULED_OUT, indent=2)
        return
    first = [lower_first(short(labels.get(name, name))) for name in brief.ask_first]
    these = "this" if len(first) == 1 else "these"
    rules = "rule that could raise it waits" if waiting == 1 else "rules that could raise it wait"
    if level == LEVELS[0]:
        rules = "other emergency rule waits" if waiting == 1 else "other emergency rules wait"
    yield Paragraph(
        f"Nothing is ruled out: {waiting} {rules} for an answer. Ask {these} first: "
        f"{clipped(first, ROOM_ASK)}.",
        indent=2,
    )


def _rule_reasons(diagnosis: Diagnosis, labels: Mapping[str, str]) -> Iterator[list[Block]]:
    """Rules of the level that was reached; a later day beside "now" would blur what to do."""
    for hit in fired_rules(diagnosis):
        if hit.level == diagnosis.urgency:
            leaves = [in_words(leaf, labels, diagnosis.understood) for leaf in hit.because]
            because = clipped([short(leaf) for leaf in leaves], ROOM_BECAUSE)
            yield [
                Paragraph(hit.title, mark=mark_of(hit.level), indent=2, emphasis=hit.level),
                Paragraph(hit.advice, indent=4),
                Paragraph(f"Because of: {because}.", indent=4),
            ]


def asks_next(level: str) -> str:
    """Head the questions; where somebody has to look first, they must not hold that up."""
    if level in PRESSING:
        return "What tells most about the causes; do not wait for it"
    return "What tells most, if you ask it next"


def mark_of(level: str) -> str:
    """Return what stands before a reason: an exclamation mark only where days matter."""
    return "! " if level in WHEN else "- "


def _cause_reasons(diagnosis: Diagnosis) -> Iterator[list[Block]]:
    """Dangerous causes that call for action at the level that was reached, as one reason each."""
    level, first = diagnosis.urgency, True
    ruled = any(hit.level == level for hit in fired_rules(diagnosis))
    for hit in diagnosis.triage:
        if hit.level != level:
            continue
        name = lower_first(short(hit.label))
        text = f"To be looked for {WHEN[level]}: {name}, {percent(hit.posterior)}"
        blocks: list[Block] = [Paragraph(text, mark="! ", indent=2, emphasis=level)]
        if first and not ruled:
            # No rule says what to do, so it has to be said here.
            blocks.append(Paragraph(WHERE[level], indent=4))
        first = False
        yield blocks


def candidates(brief: Brief) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the short list: what opens a new part of it or nothing, the cause, and its row."""
    listed = brief.diagnosis.shortlist
    explaining, why = explains_any(brief), ""
    for name, row in rows_of(listed):
        fits = explaining and "explains" not in row["why"]
        if explaining and (row["explains"] == 0.0 or (not fits and row["explains"] < LEAST_SHARE)):
            continue
        opens = row["why"] if fits and row["why"] != why else ""
        why = opens or why
        yield opens, name, row


def explains_any(brief: Brief) -> bool:
    """Whether anything that is present is there to be explained."""
    return bool((brief.diagnosis.shortlist["explains"] > 0.0).any())


def background_note(brief: Brief) -> str:
    """Say what is left to the background."""
    return f"{whole_percent(brief.diagnosis.background)} is left to the background: {BACKGROUND}."


def ranges_note(brief: Brief) -> str:
    """Say what the numbers of the short list mean."""
    note = "Several can be present at once; a small number settles nothing."
    if not brief.draws:
        return note
    return (
        f"{note} Range: where it lies in {whole_percent(brief.level)} of {brief.draws} draws of "
        "the numbers behind it."
    )


def _short_grid(brief: Brief) -> Grid:
    explaining = explains_any(brief)
    rows: list[Row] = []
    for opens, name, row in candidates(brief):
        if opens:
            rows.append(f"{opens}:")
        rows.append(_short_row(brief, name, row, explaining))
    notes = [*([background_note(brief)] if explaining else []), ranges_note(brief)]
    heads = HEADS if explaining else (HEADS[0], *HEADS[3:])
    return Grid(heads, rows, frozenset({0}), notes)


def _short_row(brief: Brief, name: str, row: Mapping[str, Any], explaining: bool) -> Row:
    low, high = brief.ranges["low"][name], brief.ranges["high"][name]
    shares = (row["explains"], row["plays_a_part"]) if explaining else ()
    return (
        short(row["label"]),
        *map(whole_percent, (*shares, row["posterior"])),
        range_of_percents(float(low), float(high)),
    )


def speaking(brief: Brief) -> tuple[list[str], list[str]]:
    """Return what speaks for and against the first cause, each with the factor of its odds."""
    texts: tuple[list[str], list[str]] = ([], [])
    for _, row in rows_of(brief.reasons):
        odds = float(row["odds"])
        if not 1.0 / SPEAKS < odds < SPEAKS:
            texts[odds < 1.0].append(f"{_observed(row)} {factor_text(odds)}")
    return texts


def _reason_blocks(brief: Brief) -> Iterator[Block]:
    """Say what speaks for and against the first cause, as factors of its odds."""
    if not len(brief.reasons):
        return
    name = lower_first(short(str(brief.diagnosis.shortlist.iloc[0]["label"])))
    leads = (f"For {name}, odds times: ", "Against it: ")
    for lead, texts in zip(leads, speaking(brief), strict=True):
        if texts:
            yield Paragraph(clipped(texts, ROOM_FOR), lead=lead)


def _named(row: Mapping[str, Any]) -> str:
    return lower_first(short(row["label"]))


def _observed(row: Mapping[str, Any]) -> str:
    if row["value"] in ("present", "absent"):
        return f"{_named(row)}: no" if row["value"] == "absent" else _named(row)
    return f"{_named(row)}: {spaced(row['value'])}"


def factor_text(odds: float) -> str:
    """Write a factor of odds."""
    if math.isinf(odds):
        return "(certain by definition)"
    if odds == 0.0:
        return "(not possible by definition)"
    return f"×{odds:.0f}" if odds >= 10.0 else f"×{odds:.2g}" if odds >= 0.01 else "×<0.01"


def question_text(row: Mapping[str, Any]) -> str:
    """Write a question, and who can answer it unless the person can."""
    who = WHO.get(str(row["observed_by"]))
    return f"{row['text'] or row['label']}" + (f" ({who})" if who else "")
