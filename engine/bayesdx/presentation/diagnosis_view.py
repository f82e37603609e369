"""One case with everything that is known of it; `brief_view` has the screen that comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bayesdx.knowledge.red_flag_schema import LEVELS, URGENCY_ONLY
from bayesdx.presentation.advice_view import (
    management_blocks,
    pitfall_blocks,
    triage_blocks,
)
from bayesdx.presentation.layout import (
    BLANK,
    Block,
    Grid,
    Meter,
    Paragraph,
    Row,
    bullets,
    section,
)
from bayesdx.presentation.notebook import markup
from bayesdx.presentation.words import (
    NO_FINDINGS,
    NO_LABELS,
    NOTHING_RULED_OUT,
    SEVERAL_AT_ONCE,
    clash_text,
    coupled_text,
    fired_rules,
    in_words,
    listed,
    open_rules,
    percent,
    rows_of,
    rules_that_wait,
    share,
    understood_as,
)

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx import Diagnosis

#: Rows that a notebook shows.
CAUSES = 10
#: In place of a probability of exactly nothing, and why it can be nothing: "excluded" would read
#: as if the findings had done it.
BY_DEFINITION = "see note"
WHY_NOTHING = "0 by definition: of another region, or it asks for what was answered otherwise"


def diagnosis_blocks(
    diagnosis: Diagnosis, intended_use: str, labels: Mapping[str, str] = NO_LABELS
) -> Iterator[Block]:
    """Describe one case: all causes, groups, rules and texts, and what each rests on.

    Parameters
    ----------
    diagnosis : Diagnosis
    intended_use : str
        Said last.
    labels : mapping of str to str, optional
        Labels of findings and risks; without them ids are shown.
    """
    yield from urgency_blocks(diagnosis, True, labels)
    if text := status_text(diagnosis):
        yield from section(text)
    yield from open_rule_blocks(diagnosis)
    if diagnosis.status not in ("impossible", "too_complex"):
        yield from _probabilities(diagnosis)
    yield from pitfall_blocks(diagnosis, labels)
    yield from management_blocks(diagnosis, labels)
    yield from section(understood_as(diagnosis.understood, diagnosis.urgency_only))
    yield Paragraph(intended_use, emphasis="quiet")


def urgency_blocks(
    diagnosis: Diagnosis, every: bool = False, labels: Mapping[str, str] = NO_LABELS
) -> Iterator[Block]:
    """Tell the urgency, what to do and why, and how many more answers could still count."""
    yield Paragraph(diagnosis.urgency, lead="Urgency: ", emphasis=diagnosis.urgency)
    fired = fired_rules(diagnosis)
    # "Within days" below "now" would blur what to do: lower rules keep their titles only.
    first = [hit for hit in fired if every or hit.level == diagnosis.urgency]
    for hit in first:
        yield Paragraph(f"{hit.level}: {hit.title}", mark="! ", indent=2, emphasis=hit.level)
        yield Paragraph(hit.advice, indent=4)
        reasons = "; ".join(in_words(leaf, labels, diagnosis.understood) for leaf in hit.because)
        yield Paragraph(f"Because of: {reasons}.", indent=4, statements=hit.statements)
    yield from triage_blocks(diagnosis, every, labels)
    if lower := [f"{hit.title} ({hit.level})" for hit in fired if hit not in first]:
        yield Paragraph(f"Also met: {listed(lower, every, between='; ')}.", indent=2)
    # Silence about the other rules would read as an all-clear, at every level.
    waiting = rules_that_wait(diagnosis)
    text = f"Nothing is ruled out: {waiting}." if waiting else NOTHING_RULED_OUT
    yield Paragraph(text, indent=2)


def status_text(diagnosis: Diagnosis, labels: Mapping[str, str] = NO_LABELS) -> str:
    """Say when there is nothing to compute from, or nothing that could be computed."""
    named = [labels.get(name, name) for name in (*diagnosis.clashes, *diagnosis.coupled)]
    counts = "What is said above and below rests on the answers alone, and still counts."
    if diagnosis.status == "impossible":
        return f"{clash_text(named)} So there are no probabilities: check these answers. {counts}"
    if diagnosis.status == "too_complex":
        return (
            f"{coupled_text(named)} So there are no probabilities; an answer more "
            f"about one of the risks helps. {counts}"
        )
    return NO_FINDINGS if diagnosis.status == "no_findings" else ""


def open_rule_blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    """Tell the rules that could still raise the urgency, and what each waits for."""
    waiting = open_rules(diagnosis)
    if not waiting:
        return
    if diagnosis.urgency == LEVELS[0]:
        heading = "Ask at once; each would be an emergency of its own:"
    else:
        heading = "Ask first; each could raise the urgency:"
    yield from section(heading)
    yield from bullets(
        [f"{hit.level}: {hit.title} ({', '.join(hit.not_asked)})" for hit in waiting]
    )


def _probabilities(diagnosis: Diagnosis) -> Iterator[Block]:
    yield from shortlist_blocks(diagnosis)
    yield from section(
        f"How probable it is that each is present and contributes{_setting(diagnosis)}. "
        f"{SEVERAL_AT_ONCE}"
    )
    yield cause_grid(diagnosis.table)
    yield BLANK
    if len(diagnosis.groups):
        yield group_grid(diagnosis.groups)


def _setting(diagnosis: Diagnosis) -> str:
    return f", with priors of a setting: {diagnosis.setting}" if diagnosis.setting else ""


def cause_grid(table: pd.DataFrame) -> Grid:
    """Lay out all causes, and last what no cause explains."""
    notes = [f"{BY_DEFINITION}: {WHY_NOTHING}"] if 0.0 in {*table["posterior"].iloc[:-1]} else []
    heads = ("cause", "id", "prior", "posterior")
    return Grid(heads, _probability_rows(table, ids=True), frozenset({0, 1}), notes)


def group_grid(groups: pd.DataFrame) -> Grid:
    """Lay out groups: P(at least one member is present)."""
    return Grid(("at least one of", "prior", "posterior"), _probability_rows(groups, ids=False))


def _probability_rows(table: pd.DataFrame, ids: bool) -> list[Row]:
    return [
        (str(row["label"]), *((name,) if ids else ()), *map(said, (row["prior"], row["posterior"])))
        for name, row in rows_of(table)
    ]


def said(probability: float) -> str:
    """Write a probability of a cause; of exactly nothing, that a note says why."""
    return BY_DEFINITION if probability == 0.0 else percent(probability)


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Return the urgency, what fired, and the first causes for a notebook."""
    blocks = list(urgency_blocks(diagnosis))
    if text := status_text(diagnosis):
        blocks.append(Paragraph(text))
    if diagnosis.status not in ("impossible", "too_complex"):
        causes = diagnosis.table.iloc[:-1]
        shown = [*rows_of(causes.head(CAUSES)), *rows_of(diagnosis.table.iloc[-1:])]
        rows: list[Row] = [
            (
                str(row["label"]),
                said(row["prior"]),
                said(row["posterior"]),
                Meter(row["posterior"]),
            )
            for _, row in shown
        ]
        left = len(causes) - CAUSES
        notes = [f"and {left} causes more, in .table"] if left > 0 else []
        grid = Grid(("cause", "prior", "posterior", ""), rows, frozenset({0, 3}), notes)
        blocks += shortlist_blocks(diagnosis)
        whose = f"Present and contributing{_setting(diagnosis)}. " if diagnosis.setting else ""
        note = f"{whose}{SEVERAL_AT_ONCE} Not a medical device."
        blocks += [grid, Paragraph(note, emphasis="quiet")]
    if diagnosis.urgency_only:
        named = ", ".join(diagnosis.urgency_only)
        blocks.append(Paragraph(f"{named}: {URGENCY_ONLY}.", emphasis="quiet"))
    return markup(blocks)


def shortlist_blocks(diagnosis: Diagnosis) -> list[Block]:
    """Lay out the short list, and what is left to the background."""
    listed = [row for _, row in rows_of(diagnosis.shortlist)]
    if not listed:
        return []
    rows: list[Row] = [
        (str(row["label"]), str(row["why"]), f"plays a part: {share(row['plays_a_part'])}")
        for row in listed
    ]
    heads = ("look at first", "why", "")
    return [BLANK, Grid(heads, rows, frozenset({0, 1, 2}), [background_text(diagnosis)])]


def background_text(diagnosis: Diagnosis) -> str:
    """Say which share no cause is credited with."""
    return (
        f"{share(diagnosis.background)} of the picture is left to the background: to what is "
        "common anyway, or to a cause that is not modelled."
    )
