"""What results look like on a terminal, in a pipe, and as JSON."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bayesdx.knowledge.red_flag_schema import LEVELS

if TYPE_CHECKING:
    import pandas as pd

    from bayesdx import Diagnosis, RedFlagHit

WIDTH_OF_A_PIPE = 100
MOST_NAMES = 4

LEVEL_STYLES = MappingProxyType(
    {
        "emergency": "bold white on red",
        "urgent": "bold red",
        "soon": "bold yellow",
        "routine": "bold",
        "self_care": "bold",
    }
)


def make_console(stderr: bool = False) -> Console:
    """Return a console as wide as the terminal; rich itself leaves out colours in a pipe."""
    # COLUMNS wins, then the terminal; a file or pipe has no width, so one is chosen.
    width = shutil.get_terminal_size((WIDTH_OF_A_PIPE, 24)).columns
    return Console(stderr=stderr, width=max(width, 40), highlight=False, markup=False, emoji=False)


def percent(probability: float) -> str:
    """Write a probability so that what is small, and what is exactly nothing, can be told apart."""
    if math.isnan(probability):
        return ""
    if probability == 0.0:
        return "excluded"
    if probability < 0.0001:
        return "< 0.01 %"
    if 0.999 <= probability < 1.0:
        return "> 99.9 %"
    digits = 1 if probability >= 0.01 else 2
    return f"{100 * probability:.{digits}f} %"


def print_diagnosis(
    console: Console, diagnosis: Diagnosis, intended_use: str, top: int | None
) -> None:
    """Print one case: urgency and red flags above all, then posteriors; `top` None means all."""
    print_urgency(console, diagnosis)
    if diagnosis.status == "impossible":
        clashes = ", ".join(diagnosis.clashes)
        console.print(f"\nThese findings cannot occur together in this model: {clashes}.")
    else:
        console.print()
        console.print(posterior_table(diagnosis.table, top))
        console.print()
        console.print(group_table(diagnosis.groups))
    if diagnosis.status == "no_findings":
        console.print("\nNo finding was given: the posteriors are the priors.")
    print_open_rules(console, diagnosis, every=top is None)
    understood = ", ".join(f"{name}={value}" for name, value in diagnosis.understood.items())
    console.print(f"\nUnderstood: {understood or 'no finding'}")
    console.print(intended_use, style="dim")


def print_urgency(console: Console, diagnosis: Diagnosis) -> None:
    """Print the urgency, the rules that fired, and how many more answers could still fire."""
    style = LEVEL_STYLES[diagnosis.urgency]
    console.print(Text.assemble("Urgency: ", (diagnosis.urgency, style)))
    for hit in diagnosis.red_flags:
        if hit.outcome == "fired":
            title = (f"{hit.level}: {hit.title}", LEVEL_STYLES[hit.level])
            console.print(Text.assemble("  ! ", title))
            console.print(_indented(f"Because of {', '.join(hit.because)}. {hit.advice}"))
    # Silence about the others would read as an all-clear.
    waiting = len(_rules_above(diagnosis))
    if waiting:
        text = (
            f"Nothing is ruled out: {waiting} rules of higher urgency wait for what was not asked."
        )
        console.print(f"  {text}")


def print_open_rules(console: Console, diagnosis: Diagnosis, every: bool) -> None:
    """Print the rules that could still raise the urgency: `every` one, or the most pressing."""
    waiting = _rules_above(diagnosis)
    if not waiting:
        return
    console.print("\nNot asked, and could still raise the urgency:")
    shown = [hit for hit in waiting if every or hit.level == LEVELS[0]]
    for hit in shown:
        names = _listed(hit.not_asked, every)
        console.print(_indented(f"{hit.level}: {hit.title} ({names})"), style="dim")
    if len(shown) < len(waiting):
        rest = f"and {len(waiting) - len(shown)} rules of lower levels: --all"
        console.print(_indented(rest), style="dim")


def _rules_above(diagnosis: Diagnosis) -> list[RedFlagHit]:
    """Return the open rules of a higher level than the urgency that was reached."""
    above = LEVELS[: LEVELS.index(diagnosis.urgency)]
    return [hit for hit in diagnosis.red_flags if hit.outcome == "open" and hit.level in above]


def _indented(text: str) -> Padding:
    return Padding(text, (0, 0, 0, 4), expand=False)


def _listed(names: Sequence[str], every: bool) -> str:
    if every or len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"


def posterior_table(posteriors: pd.DataFrame, top: int | None) -> Table:
    """Lay out the first `top` causes and the last row, which is what no cause explains."""
    table = _plain_table()
    table.add_column("cause", overflow="fold", ratio=1)
    table.add_column("id", overflow="fold")
    table.add_column("prior", justify="right", no_wrap=True)
    table.add_column("posterior", justify="right", no_wrap=True)
    causes, unexplained = posteriors.iloc[:-1], posteriors.iloc[-1:]
    shown = causes if top is None else causes.head(top)
    for part in (shown, unexplained):
        for name, label, prior, posterior in _cells(part):
            table.add_row(label, name, prior, posterior)
    hidden = len(causes) - len(shown)
    if hidden:
        table.caption = f"and {hidden} causes more: --all"
        table.caption_justify = "left"
    return table


def group_table(groups: pd.DataFrame) -> Table:
    """Lay out the groups: the probability that at least one member is present."""
    table = _plain_table()
    table.add_column("at least one of", overflow="fold", ratio=1)
    table.add_column("prior", justify="right", no_wrap=True)
    table.add_column("posterior", justify="right", no_wrap=True)
    for _, label, prior, posterior in _cells(groups):
        table.add_row(label, prior, posterior)
    return table


def _cells(rows: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield id, label, prior and posterior of each row as text."""
    columns = (rows["label"], rows["prior"], rows["posterior"])
    for name, label, prior, posterior in zip(rows.index, *columns, strict=True):
        yield str(name), str(label), percent(prior), percent(posterior)


def _plain_table() -> Table:
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
        "clashes": list(diagnosis.clashes),
        "posteriors": _records(diagnosis.table),
        "groups": _records(diagnosis.groups),
        "log_evidence": _finite(diagnosis.log_evidence),
        "understood": dict(diagnosis.understood),
        "intended_use": intended_use,
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    name = "id" if frame.index.name is None else str(frame.index.name)
    records = frame.rename_axis(index=name).reset_index().to_dict("records")
    return [{str(key): _finite(value) for key, value in record.items()} for record in records]


def _finite(value: Any) -> Any:
    """Replace what JSON cannot say, NaN and the infinities, by None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and tuples of them into what JSON knows."""
    return value.item() if hasattr(value, "item") else str(value)
