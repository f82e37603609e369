"""`bayesdx report`: one page about one case or several, to read, print and keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.options import CaseTable, FindingOptions, Priors
from bayesdx.cli.progress import patience
from bayesdx.errors import BayesdxError, Fault, InvalidCase, Phrase
from bayesdx.presentation.terminal import tell
from bayesdx.presentation.words import counted
from bayesdx.tables import CASE_ID, finding_columns, read_cases, write_whole

if TYPE_CHECKING:
    from bayesdx.reports.gathering import CaseReport, Thoroughness

#: A page of more cases is too long to read, and takes minutes.
MOST_CASES = 100
NEEDS = ("matplotlib", "jinja2")


def report(
    cases: CaseTable = None,
    findings: FindingOptions = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="Where to write the page.")
    ] = Path("report.html"),
    draws: Annotated[
        int, typer.Option(min=0, help="Draws behind the credible intervals; 0 leaves them out.")
    ] = 2000,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "Differential diagnosis",
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    priors: Priors = None,
) -> None:
    """Write a page about cases: what to do, how probable, why, how sure, what to ask.

    The page is one file that needs no network; it prints well. The extra plot draws its figures.
    """
    _check_libraries()
    if output.suffix.lower() not in (".html", ".htm"):
        raise InvalidCase(Fault(str(output), "a name ending in .html", output.suffix))
    # Imported here: no other command needs the plotting library.
    from bayesdx.reports.gathering import Thoroughness
    from bayesdx.reports.page import page

    with patience("reading the priors"):
        engine = bayesdx.load(priors)
    given = _given(engine, cases, findings)
    with patience(f"writing about {counted(len(given), 'case')}"):
        gathered = list(_gathered(engine, given, Thoroughness(draws=draws, seed=seed)))
        write_whole(output, page(engine, gathered, title).encode())
    tell(f"bayesdx: {counted(len(gathered), 'case')} written to {output}")


def _check_libraries() -> None:
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        got = Phrase(f"no {' and no '.join(missing)}")
        raise BayesdxError(Fault("report", "the extra 'plot' (pip install 'bayesdx[plot]')", got))


def _given(
    engine: bayesdx.Engine, cases: str | None, findings: list[str] | None
) -> list[tuple[str, Mapping[str, Any]]]:
    if (cases is None) == (not findings):
        got = Phrase("both" if cases else "neither")
        raise InvalidCase(Fault("arguments", "either CASES or findings (-f)", got))
    if cases is None:
        return [("Case", read_findings(findings or ()))]
    table = read_cases(cases, engine.core.reader.check_table)
    if len(table) > MOST_CASES:
        expected = f"at most {MOST_CASES} cases on one page"
        raise InvalidCase(Fault(cases, expected, Phrase(str(len(table)))))
    found = finding_columns(table)
    ids = table[CASE_ID] if CASE_ID in table.columns else pd.Series(range(1, len(table) + 1))
    rows = found.to_dict("records")
    return [(str(name), _known(row)) for name, row in zip(ids, rows, strict=True)]


def _known(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): cell for name, cell in row.items() if not (pd.isna(cell) or cell == "")}


def _gathered(
    engine: bayesdx.Engine, given: list[tuple[str, Mapping[str, Any]]], effort: Thoroughness
) -> Iterator[CaseReport]:
    """Answer every case; faults of all of them are told at once."""
    from bayesdx.reports.gathering import gather

    faults: list[Fault] = []
    for name, findings in given:
        try:
            made = gather(engine, name, findings, effort)
        except InvalidCase as error:
            faults += [replace(one, place=f"{name}, {one.place}") for one in error.faults]
            continue
        if not faults:
            yield made
    if faults:
        raise InvalidCase(faults)
