"""`bayesdx report`: one page about one case or several, to read, print and keep."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
import typer

import bayesdx
from bayesdx.cli.arguments import read_findings
from bayesdx.cli.case_tables import reads_tables
from bayesdx.cli.options import (
    CaseTable,
    FindingOptions,
    Priors,
    Setting,
    check_output,
    check_page_name,
)
from bayesdx.cli.progress import patience, progress_shown
from bayesdx.errors import BayesdxError, Fault, InvalidCase, Phrase
from bayesdx.presentation.terminal import tell
from bayesdx.presentation.words import counted
from bayesdx.tables import write_whole
from bayesdx.tables.stated_tables import read_table
from bayesdx.tables.table_options import TableOptions

if TYPE_CHECKING:
    from bayesdx.diagnosis.core import Core
    from bayesdx.reports.gathering import Named

#: A page of more cases is too long to read, and takes minutes.
MOST_CASES = 100
NEEDS = ("jinja2",)


@reads_tables()
def report(
    cases: CaseTable = None,
    findings: FindingOptions = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="OUT", help="Where to write the page.")
    ] = Path("report.html"),
    draws: Annotated[
        int, typer.Option(min=0, help="Draws behind the ranges; 0 leaves them out.")
    ] = 50,
    every: Annotated[
        bool,
        typer.Option("--all", help="Add what takes longer: three causes explained, fit, drivers."),
    ] = False,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "Differential diagnosis",
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    priors: Priors = None,
    setting: Setting = None,
    *,
    table: TableOptions,
) -> None:
    """Write a page about cases: what to do, how probable, why, how sure, what to ask.

    Each case begins with one page to read; the rest unfolds below it. The page is one file that
    needs no network and prints well. It needs jinja2, of the extra plot.
    """
    _check_libraries()
    check_page_name(output)
    # Imported here: no other command needs the template library.
    from bayesdx.reports.gathering import Thoroughness, gather
    from bayesdx.reports.page import page

    check_output(output, cases, priors=priors, setting=setting)
    with patience("reading the priors"):
        engine = bayesdx.load(priors, setting=setting)
    named = _named(engine.core, cases, findings, table)
    effort, count = Thoroughness(draws=draws, every=every, seed=seed), len(named)
    with progress_shown("writing about cases", quiet=count == 1) as tell_share:
        told = None if tell_share is None else lambda share: tell_share(int(share * count), share)
        gathered = gather(engine.core, named, effort, told)
    with patience("writing the page"):
        write_whole(output, page(engine, gathered, title).encode())
    tell(f"bayesdx: {counted(len(gathered), 'case')} written to {output}")


def _check_libraries() -> None:
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        got = Phrase(f"no {' and no '.join(missing)}")
        raise BayesdxError(Fault("report", "the extra 'plot' (pip install 'bayesdx[plot]')", got))


def _named(
    core: Core, cases: str | None, findings: list[str] | None, options: TableOptions
) -> list[Named]:
    """Read the cases: of each its name, what is shown beside it, what is known, and its cells."""
    if (cases is None) == (not findings):
        got = Phrase("both" if cases else "neither")
        raise InvalidCase(Fault("arguments", "either CASES or findings (-f)", got))
    if cases is None:
        said = read_findings(findings or ())
        return [("Case", {}, core.read_case(said), said)]
    table = read_table(cases, core.reader.names, options)
    count = len(table.frame)
    if count > MOST_CASES:
        expected = f"at most {MOST_CASES} cases on one page"
        raise InvalidCase(Fault(cases, expected, Phrase(str(count))))
    evidence = table.evidence
    columns = {name: evidence[name].array for name in table.roles.evidence}
    read = core.reader.read(columns, count, table.place, options.words)
    return [
        (
            name,
            {str(key): shown(cell) for key, cell in table.kept.iloc[row].items()},
            read.take(np.array([row])),
            {key: shown(cells[row]) for key, cells in columns.items() if shown(cells[row])},
        )
        for row, name in enumerate(table.names)
    ]


def shown(cell: object) -> str:
    """Return a cell that is kept as text, blank where it is missing."""
    return "" if pd.isna(cell) else str(cell)  # type: ignore[call-overload]  # any one cell
