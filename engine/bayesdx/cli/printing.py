"""What results look like on a terminal, in a pipe, and as JSON."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesdx.cli.texts import print_management, print_pitfalls, print_triage, shown_at_any_rank
from bayesdx.cli.words import LEVEL_STYLES, NO_LABELS, in_words, listed, percent, print_paragraph
from bayesdx.knowledge.red_flag_schema import LEVELS

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx import Diagnosis, RedFlagHit

IdPlace = Literal["beside", "below", "nowhere"]

WIDTH_OF_A_PIPE = 100
#: Below this many columns ids stand under the labels: beside them, both would be cut up.
WIDTH_FOR_IDS = 90

CAUSES, CAUSES_IN_EMERGENCY = 10, 5
RULES_IN_EMERGENCY = 5
GROUPS, GROUPS_IN_EMERGENCY = 5, 3
ALWAYS_SHOWN_GROUPS = ("dangerous",)
#: In place of a probability of exactly nothing, and why it can be nothing.
BY_DEFINITION = "see note"
WHY_NOTHING = "0 by definition: of another region, or it asks for what was answered otherwise"


def make_console(stderr: bool = False) -> Console:
    """Return a console as wide as the terminal; rich itself leaves out colours in a pipe."""
    # COLUMNS wins, then the terminal; a file or pipe has no width, so one is chosen.
    width = shutil.get_terminal_size((WIDTH_OF_A_PIPE, 24)).columns
    return Console(stderr=stderr, width=max(width, 40), highlight=False, markup=False, emoji=False)


def print_diagnosis(
    console: Console,
    diagnosis: Diagnosis,
    intended_use: str,
    *,
    top: int | None = None,
    every: bool = False,
    labels: Mapping[str, str] = NO_LABELS,
) -> None:
    """Print one case: what to do, what to ask at once, the probabilities, and then the texts.

    Parameters
    ----------
    console : Console
    diagnosis : Diagnosis
    intended_use : str
        Printed last.
    top : int, optional
        How many causes; by default ten, and five when an emergency comes first.
    every : bool
        Print all causes, groups, rules and texts, and what each rests on.
    labels : mapping of str to str, optional
        Labels of findings and risks; without them ids are printed.
    """
    print_urgency(console, diagnosis, every, labels)
    print_status(console, diagnosis)
    print_open_rules(console, diagnosis, every)
    if diagnosis.status not in ("impossible", "too_complex"):
        print_probabilities(console, diagnosis, top, every)
    print_pitfalls(console, diagnosis, every, labels)
    print_management(console, diagnosis, every, labels)
    understood = ", ".join(f"{name}={value}" for name, value in diagnosis.understood.items())
    console.print()
    print_paragraph(console, f"Understood: {understood or 'no finding'}")
    print_paragraph(console, intended_use, style="dim")


def print_urgency(
    console: Console,
    diagnosis: Diagnosis,
    every: bool = False,
    labels: Mapping[str, str] = NO_LABELS,
) -> None:
    """Print the urgency, what to do and why, and how many more answers could still count."""
    style = LEVEL_STYLES[diagnosis.urgency]
    console.print(Text.assemble("Urgency: ", (diagnosis.urgency, style)))
    fired = [hit for hit in diagnosis.red_flags if hit.outcome == "fired"]
    # "Within days" below "now" would blur what to do: lower rules keep their titles only.
    first = [hit for hit in fired if every or hit.level == diagnosis.urgency]
    for hit in first:
        text = f"{hit.level}: {hit.title}"
        print_paragraph(console, text, mark="! ", indent=2, style=LEVEL_STYLES[hit.level])
        print_paragraph(console, hit.advice, indent=4)
        reasons = "; ".join(in_words(leaf, labels, diagnosis.understood) for leaf in hit.because)
        print_paragraph(console, f"Because of: {reasons}.", indent=4)
    print_triage(console, diagnosis, every)
    if lower := [f"{hit.title} ({hit.level})" for hit in fired if hit not in first]:
        names = listed(lower, every, between="; ")
        print_paragraph(console, f"Also met: {names}.", indent=2)
    print_paragraph(console, _nothing_ruled_out(diagnosis), indent=2)


def _nothing_ruled_out(diagnosis: Diagnosis) -> str:
    # Silence about the other rules would read as an all-clear, at every level.
    waiting = len(_open_rules(diagnosis))
    if not waiting:
        return (
            "Nothing is ruled out: answers can be wrong or change, and the rules are not complete."
        )
    rules = "rule waits" if waiting == 1 else "rules wait"
    kind = f"other {LEVELS[0]}" if diagnosis.urgency == LEVELS[0] else "more urgent"
    return f"Nothing is ruled out: {waiting} {kind} {rules} for what was not asked."


def print_status(console: Console, diagnosis: Diagnosis) -> None:
    """Say when there is nothing to compute from, or nothing that could be computed."""
    if diagnosis.status == "impossible":
        text = (
            f"These findings cannot occur together in this model: {', '.join(diagnosis.clashes)}. "
            "So there are no probabilities: check these answers. What is said above and below "
            "rests on the answers alone, and still counts."
        )
    elif diagnosis.status == "too_complex":
        text = (
            f"Too much couples in this case to be summed over: {', '.join(diagnosis.coupled)}. So "
            "there are no probabilities; an answer more about one of the risks helps. What is said "
            "above and below rests on the answers alone, and still counts."
        )
    elif diagnosis.status == "no_findings":
        text = "No finding was given: the posteriors are the priors, and the urgency means nothing."
    else:
        return
    console.print()
    print_paragraph(console, text)


def print_open_rules(console: Console, diagnosis: Diagnosis, every: bool) -> None:
    """Print the rules that could still raise the urgency: `every` one, or the most pressing."""
    waiting = _open_rules(diagnosis)
    if not waiting:
        return
    most_pressing = waiting[0].level
    shown = [hit for hit in waiting if every or hit.level == most_pressing]
    if diagnosis.urgency == LEVELS[0]:
        heading = "Ask at once; each would be an emergency of its own:"
        if not every:
            # What one answer settles comes first.
            shown = sorted(shown, key=lambda hit: len(hit.not_asked))[:RULES_IN_EMERGENCY]
    else:
        heading = "Ask first; each could raise the urgency"
        heading += ":" if every else f" to {most_pressing}:"
    console.print(f"\n{heading}")
    for hit in shown:
        names = ", ".join(hit.not_asked)
        text = f"{hit.level}: {hit.title} ({names})" if every else hit.title
        print_paragraph(console, text, mark="- ", indent=2)
    if not every:
        left = len(waiting) - len(shown)
        rest = f"and {left} more; " if left else ""
        print_paragraph(console, f"{rest}what each waits for: --all", indent=4, style="dim")


def _open_rules(diagnosis: Diagnosis) -> list[RedFlagHit]:
    """Return the open rules above the urgency that was reached; in an emergency, its equals."""
    above = LEVELS[: max(LEVELS.index(diagnosis.urgency), 1)]
    return [hit for hit in diagnosis.red_flags if hit.outcome == "open" and hit.level in above]


def print_probabilities(
    console: Console, diagnosis: Diagnosis, top: int | None, every: bool
) -> None:
    """Print what the numbers are probabilities of, then causes and groups."""
    emergency = diagnosis.urgency == LEVELS[0]
    text = (
        "How probable it is that each is present and contributes. Several can be present at once, "
        "so the numbers do not add up to 100 %; a small one settles nothing."
    )
    console.print()
    print_paragraph(console, text)
    causes = None if every else top or (CAUSES_IN_EMERGENCY if emergency else CAUSES)
    groups = None if every else (GROUPS_IN_EMERGENCY if emergency else GROUPS)
    besides = shown_at_any_rank(diagnosis)
    if emergency and not every:
        ids: IdPlace = "nowhere"
    else:
        ids = "beside" if console.width >= WIDTH_FOR_IDS else "below"
    console.print(posterior_table(diagnosis.table, causes, besides, ids))
    console.print()
    console.print(group_table(diagnosis.groups, groups, ALWAYS_SHOWN_GROUPS))


def posterior_table(
    posteriors: pd.DataFrame,
    top: int | None,
    besides: Sequence[str] = (),
    ids: IdPlace = "beside",
) -> Table:
    """Lay out the first `top` causes, those to see besides, and what no cause explains.

    The id of a cause stands beside or below its label, or is left out.
    """
    table = plain_table()
    table.add_column("cause", overflow="fold", ratio=1)
    if ids == "beside":
        table.add_column("id", overflow="fold")
    table.add_column("prior", justify="right", no_wrap=True)
    table.add_column("posterior", justify="right", no_wrap=True)
    causes, unexplained = posteriors.iloc[:-1], posteriors.iloc[-1:]
    shown = causes if top is None else causes.head(top)
    further, hidden = _split(causes.loc[causes.index.difference(shown.index, sort=False)], besides)
    for part in (shown, further, unexplained):
        if part is further and len(further):
            table.add_row("... and to look at whatever their rank:", style="dim")
        for name, label, prior, posterior in _cells(part):
            named = {"beside": (label, name), "below": (f"{label}\n{name}",), "nowhere": (label,)}
            table.add_row(*named[ids], prior, posterior)
    notes = [f"and {len(hidden)} causes more: --all"] if len(hidden) else []
    if 0.0 in {*shown["posterior"], *further["posterior"]}:
        notes.append(f"{BY_DEFINITION}: {WHY_NOTHING}")
    table.caption = "\n".join(notes) or None
    table.caption_justify = "left"
    return table


def group_table(groups: pd.DataFrame, top: int | None = None, besides: Sequence[str] = ()) -> Table:
    """Lay out groups, the first `top` and those to see besides: P(at least one member present)."""
    table = plain_table()
    table.add_column("at least one of", overflow="fold", ratio=1)
    table.add_column("prior", justify="right", no_wrap=True)
    table.add_column("posterior", justify="right", no_wrap=True)
    shown = groups if top is None else groups.head(top)
    further, _ = _split(groups.loc[groups.index.difference(shown.index, sort=False)], besides)
    for part in (shown, further):
        for _, label, prior, posterior in _cells(part):
            table.add_row(label, prior, posterior)
    return table


def _split(rows: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows with these names, and the others."""
    named = rows.index.isin(names)
    return rows.loc[named], rows.loc[~named]


def _cells(rows: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield id, label, prior and posterior of each row as text."""
    columns = (rows["label"], rows["prior"], rows["posterior"])
    for name, label, prior, posterior in zip(rows.index, *columns, strict=True):
        yield str(name), str(label), _said(prior), _said(posterior)


def _said(probability: float) -> str:
    # "Excluded" would read as if the findings had done it.
    return BY_DEFINITION if probability == 0.0 else percent(probability)


def plain_table() -> Table:
    """Return a table without lines, for rows to be added to."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def diagnosis_json(diagnosis: Diagnosis, intended_use: str) -> str:
    """Return one case as JSON; log evidence is null where it is minus infinity."""
    content: dict[str, Any] = {
        "status": diagnosis.status,
        "urgency": diagnosis.urgency,
        "red_flags": [
            {
                "id": hit.id,
                "level": hit.level,
                "outcome": hit.outcome,
                "title": hit.title,
                "advice": hit.advice,
                "because": list(hit.because),
                "not_asked": list(hit.not_asked),
            }
            for hit in diagnosis.red_flags
        ],
        "expected_loss": [asdict(hit) for hit in diagnosis.triage],
        "pitfalls": [asdict(hit) for hit in diagnosis.pitfalls],
        "management": [asdict(hit) for hit in diagnosis.management],
        "clashes": list(diagnosis.clashes),
        "posteriors": frame_records(diagnosis.table),
        "groups": frame_records(diagnosis.groups),
        "log_evidence": finite(diagnosis.log_evidence),
        "understood": dict(diagnosis.understood),
        "intended_use": intended_use,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)


def frame_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table for JSON, the index a column; NaN and infinities become None."""
    name = "id" if frame.index.name is None else str(frame.index.name)
    records = frame.rename_axis(index=name).reset_index().to_dict("records")
    return [{str(key): finite(value) for key, value in record.items()} for record in records]


def finite(value: Any) -> Any:
    """Replace what JSON cannot say, NaN and the infinities, by None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and tuples of them into what JSON knows."""
    return value.item() if hasattr(value, "item") else str(value)
