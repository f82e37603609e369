"""What a run over a table did, told on standard error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bayesdx.cli.options import place_of
from bayesdx.presentation.terminal import tell
from bayesdx.presentation.words import counted

if TYPE_CHECKING:
    from bayesdx.tables.execution.run_options import RunReport

#: Faults that are printed before the count of all of them.
LISTED = 19
TOP_FLAGS = 5


@contextmanager
def notes_told() -> Iterator[None]:
    """Print what an error says beside its faults: what was kept, and how to go on."""
    try:
        yield
    except BaseException as reason:
        for note in getattr(reason, "__notes__", ()):
            tell(f"bayesdx: {note}")
        raise


def print_summary(report: RunReport, output: str, on_error: str, quiet: bool) -> None:
    """Say on standard error what a run did, more of it unless quiet."""
    counts = report.counts
    if report.output is None and not counts.scored:
        tell(
            f"bayesdx: {counted(counts.records, 'row')} checked, {counts.rejected:,} with faults; "
            "nothing was scored or written"
        )
        _print_faults(report, on_error)
        _print_unanswered(report)
        _print_ids(report)
        return
    cases = counted(counts.scored, "case")
    tell(f"bayesdx: {cases} ({_listed(counts.status)}) written to {place_of(output)}")
    if counts.rejected:
        tell(
            f"bayesdx: {counted(counts.records, 'row')} read, {counts.rejected:,} rejected: "
            f"{_as_typed(report.rejected)}"
        )
    _print_faults(report, on_error)
    _print_unanswered(report)
    _print_ids(report)
    if quiet:
        return
    for line in summary_lines(report):
        tell(f"bayesdx: {line}")


def _print_faults(report: RunReport, on_error: str) -> None:
    if on_error != "report":
        return
    for fault in report.faults:
        tell(f"bayesdx: {fault}")
    if report.counts.faults > len(report.faults):
        tell(f"bayesdx: and {report.counts.faults - len(report.faults):,} more.")


def _print_unanswered(report: RunReport) -> None:
    """Name the rows that no answer was worked out for, whatever else is asked for."""
    for fault in report.unanswered:
        tell(f"bayesdx: {fault}")
    more = report.counts.status["too_complex"] - len(report.unanswered)
    if report.unanswered and more > 0:
        tell(f"bayesdx: and {more:,} more rows that are too complex.")


def _print_ids(report: RunReport) -> None:
    """Warn of cases that cannot be told apart."""
    counts = report.counts
    if counts.repeated_ids:
        pairs = ", ".join(f"line {line} as line {first}" for line, first in report.repeated[:3])
        more = ", ..." if counts.repeated_ids > 3 else ""
        have = "has" if counts.repeated_ids == 1 else "have"
        said = f"{counted(counts.repeated_ids, 'row')} {have} the id of an earlier row"
        tell(f"bayesdx: warning: {said} ({pairs}{more}); --unique-ids refuses such a table")
    if counts.blank_ids:
        have = "has" if counts.blank_ids == 1 else "have"
        tell(f"bayesdx: warning: {counted(counts.blank_ids, 'row')} {have} no id")


def summary_lines(report: RunReport) -> list[str]:
    """Return what else there is to say of a run: urgency, red flags, time, audit."""
    counts, seconds = report.counts, report.seconds
    lines = [f"urgency: {_listed(counts.urgency)}"] if counts.urgency else []
    if counts.red_flags:
        more = len(counts.red_flags) - TOP_FLAGS
        tail = f", and {more} more kinds" if more > 0 else ""
        lines.append(f"red flags: {_listed(counts.red_flags, TOP_FLAGS)}{tail}")
    rows = counts.records - report.resumed
    if report.resumed:
        were = "was" if report.resumed == 1 else "were"
        done = counted(report.resumed, "row")
        lines.append(f"{done} {were} finished by an interrupted run")
    busy = sum(seconds.values())
    if rows and busy:
        reading = seconds["digest"] + seconds["parsing"] + seconds["reading"]
        writing = seconds["writing"] + seconds["disk"] + seconds["finishing"]
        first, slowest = report.slowest
        lines.append(
            f"{report.wall:.1f} s, {rows / report.wall:,.0f} rows/s; {reading / busy:.0%} reading, "
            f"{seconds['scoring'] / busy:.0%} scoring, {writing / busy:.0%} writing; the slowest "
            f"chunk, from row {first:,}, took {slowest:.2f} s to score"
        )
    if report.audit is not None:
        lines.append(f"audit: {_as_typed(report.audit)}")
    return lines


def _as_typed(path: Path | None) -> str:
    """Name a file shortly where it is below the working folder."""
    if path is None or not path.is_relative_to(here := Path.cwd()):
        return str(path)
    return str(path.relative_to(here))


def _listed(counted: Counter[str], most: int | None = None) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counted.most_common(most))
