"""`bayesdx learn --statistics` and `--combine`: learning together without sharing cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import bayesdx
from bayesdx.cli.labelled_tables import faults_of
from bayesdx.cli.options import check_output
from bayesdx.cli.progress import patience
from bayesdx.errors import BayesdxError, Fault, Phrase
from bayesdx.presentation.terminal import show_lines

if TYPE_CHECKING:
    from bayesdx.diagnosis.learning.learned import Learned
    from bayesdx.diagnosis.learning.learning_table import LabelledInput
    from bayesdx.knowledge.learning_schema import Sample
    from bayesdx.tables.table_options import TableOptions


def write_statistics(
    priors: Path,
    cases: str,
    target: Path,
    at: Path | None,
    sample: Sample,
    how: LabelledInput,
    table: TableOptions,
) -> None:
    """Write sums over cases; those of a further round beside those before.

    Parameters
    ----------
    priors : Path
    cases : str
    target, at : Path
        The file of sums; that of the round, if it is not the first one.
    sample : {"selected", "consecutive"}
    how : LabelledInput
    table : TableOptions
        How the cases are to be read.
    """
    from bayesdx.diagnosis.learning.case_statistics import CaseStatistics, NextRound, read_shared
    from bayesdx.diagnosis.learning.pooled_run import case_statistics
    from bayesdx.tables import write_whole
    from bayesdx.tables.stated_tables import read_frames

    check_output(target, cases, at, priors=priors)
    if at is None and target.exists():
        got = Phrase("one that is there")
        raise BayesdxError(Fault(str(target), "a new file, or --at the round it lacks", got))
    with patience("summing up"), faults_of(cases):
        engine = bayesdx.load(priors)
        found = case_statistics(
            engine.core,
            read_frames(cases, table),
            how,
            at=read_shared(NextRound, str(at), at.read_bytes()) if at else None,
            earlier=read_shared(CaseStatistics, str(target), target.read_bytes()) if at else None,
            sample=sample,
        )
    write_whole(target, f"{found.to_json()}\n".encode())
    lines = [
        f"{target}: sums of {found.cases} cases, {found.labelled} labelled, at {len(found.points)} "
        f"sets of numbers; {len(found.numbers)} numbers",
    ]
    if found.suppressed:
        lines.append(
            f"{len(found.suppressed)} more, of which fewer than {found.least} cases speak, are "
            "named and not summed: they will stay as they are."
        )
    show_lines("\n".join(lines))


def combined(
    engine: bayesdx.Engine, priors: Path, files: Sequence[str], output: Path
) -> Learned | None:
    """Learn from files of sums; None where another round is needed, which is written."""
    from bayesdx.diagnosis.learning.case_statistics import CaseStatistics, NextRound, read_shared
    from bayesdx.tables import write_whole

    with patience("learning"):
        places = [read_shared(CaseStatistics, one, Path(one).read_bytes()) for one in files]
        found = engine.learn_pooled(places)
    if not isinstance(found, NextRound):
        return found
    target = output.with_name(f"{output.name}.round.json")
    write_whole(target, f"{found.to_json()}\n".encode())
    asked = f"--others OTHERS --statistics FILE.json --at {target.name}"
    show_lines(
        f"{target}: another round is needed, at other numbers. At every place:\n"
        f"  bayesdx learn {priors} CASES {asked}\n"
        "as before, and then this command again."
    )
    return None
