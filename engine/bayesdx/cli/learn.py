"""`bayesdx learn`: numbers learned from a table of cases, beside the stated ones."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

import bayesdx
from bayesdx.cli.case_tables import reads_tables
from bayesdx.cli.labelled_tables import DiagnosisColumn, faults_of, labelled_input
from bayesdx.cli.options import NoProgress, Restart, Resume
from bayesdx.cli.progress import patience
from bayesdx.errors import NOTHING, BayesdxError, Fault, InvalidCase, InvalidKnowledge, Phrase
from bayesdx.knowledge.learned_numbers import LEARNED_FILE
from bayesdx.presentation.layout import ending
from bayesdx.presentation.learning_view import learning_blocks
from bayesdx.presentation.terminal import show, show_lines, tell

if TYPE_CHECKING:
    from bayesdx.diagnosis.learning.case_weight import CaseWeight
    from bayesdx.knowledge.learning_schema import Sample
    from bayesdx.tables.table_options import TableOptions


@reads_tables("keep")
def learn(
    priors: Annotated[Path, typer.Argument(metavar="PRIORS", help="The knowledge folder.")],
    cases: Annotated[
        list[str],
        typer.Argument(
            metavar="CASES",
            help="Cases as for score, with what is known of their causes: columns cause:ID and "
            "group:ID (present, absent or blank; of a cause also how sure, as 0.8), or diagnosis "
            "(ids with ; between). With --combine, the sums of each place.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="NEW/",
            help="A new or empty folder: a copy of PRIORS with learned.toml; needed unless "
            "--statistics is asked for.",
            show_default=False,
        ),
    ] = None,
    others: Annotated[
        str | None,
        typer.Option(
            metavar="absent|unknown",
            help="What is known of causes that a diagnosis does not name; must be said.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        str,
        typer.Option(
            metavar="selected|consecutive",
            help="How cases were chosen: priors of causes, effects of risks and prevalences are "
            "learned from consecutive cases only.",
        ),
    ] = "selected",
    diagnosis: DiagnosisColumn = "diagnosis",
    case_weight: Annotated[
        str,
        typer.Option(
            metavar="W|auto",
            help="What each case counts as beside what was stated, above 0 and at most 1; auto: "
            "what answers cases best that are held out from those learned from.",
        ),
    ] = "1",
    folds: Annotated[
        int, typer.Option(help="Parts of the cases that are scored by what the others say.")
    ] = 5,
    seed: Annotated[int, typer.Option(help="Of which case is in which part.")] = 0,
    on_error: Annotated[
        str,
        typer.Option(
            metavar="stop|skip",
            help="What a row that cannot be read does: nothing is learned; or it is left out and "
            "counted.",
        ),
    ] = "stop",
    statistics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Write sums over the cases in place of learning: to be combined with those of "
            "other places, which share no case. Numbers of which fewer than 5 cases speak are "
            "left out.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        Path | None,
        typer.Option(
            metavar="ROUND.json",
            help="The round for which --statistics are asked; added to those of the file.",
            show_default=False,
        ),
    ] = None,
    combine: Annotated[
        bool,
        typer.Option(
            "--combine",
            help="Learn from the sums of several places as from all of their cases; writes "
            "NEW.round.json while another round is needed.",
        ),
    ] = False,
    resume: Resume = False,
    restart: Restart = False,
    quiet: NoProgress = False,
    *,
    table: TableOptions,
) -> None:
    """Learn the numbers of a folder from cases.

    Every number begins at its value and range; what cases say nothing of stays what it is. Writes a
    copy of the folder with learned.toml, which every other command then answers with, and prints
    what moved and how answers to cases that were held out fare, before and after. The files of the
    documents are not touched.
    """
    how = labelled_input(diagnosis, others, on_error, table)
    _check_kind(cases, output, statistics, at, combine=combine, resume=resume, restart=restart)
    weight = _weight(case_weight, "--combine" if combine else "--statistics" if statistics else "")
    # Any other word is refused there, with those that there are.
    chosen = cast("Sample", sample)
    if statistics is not None:
        from bayesdx.cli.learn_shared import write_statistics

        write_statistics(priors, cases[0], statistics, at, chosen, how, table)
        return
    assert output is not None
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        got = Phrase("one with files" if output.is_dir() else "a file")
        raise InvalidKnowledge(Fault(str(output), "a new or empty folder", got))
    # Imported here: help does not wait for it.
    from bayesdx.diagnosis.learning.learning_run import learn as learn_numbers
    from bayesdx.tables import check_new_folder
    from bayesdx.tables.stated_tables import read_frames

    check_new_folder(output)
    with patience("reading the knowledge"):
        engine = bayesdx.load(priors)
    if combine:
        from bayesdx.cli.learn_shared import combined

        pooled = combined(engine, priors, cases, output)
        if pooled is None:
            return
        found = pooled
        _write_folder(engine.knowledge.folder, output, found.to_toml())
    else:
        from bayesdx.cli.learning_memory import learning_memory

        options: dict[str, Any] = {
            "sample": chosen,
            "case_weight": weight,
            "folds": folds,
            "seed": seed,
        }
        identity = {**options, **asdict(how), "table": table.as_dict()}
        with (
            learning_memory(
                output, engine, cases[0], identity, resume=resume, restart=restart
            ) as remember,
            patience("learning"),
            faults_of(cases[0]),
        ):
            say = (lambda _: None) if quiet else tell
            frames = read_frames(cases[0], table)
            found = learn_numbers(engine.core, frames, how, say=say, remember=remember, **options)
            # Before what was looked at is forgotten: the disk may be full.
            _write_folder(engine.knowledge.folder, output, found.to_toml())
    show([*learning_blocks(found), *ending(engine.knowledge.model.intended_use)])
    show_lines(f"{output}: a copy of {priors} with {LEARNED_FILE}")


def _weight(text: str, sums: str) -> CaseWeight:
    """Read --case-weight; words that are none are refused where options are checked."""
    try:
        weight: Any = float(text)
    except ValueError:
        weight = text
    if sums and weight != 1.0:
        expected = "a table of cases and --output: sums are of whole cases"
        raise InvalidCase(Fault("--case-weight", expected, Phrase(sums)))
    return cast("CaseWeight", weight)


def _check_kind(
    cases: list[str],
    output: Path | None,
    statistics: Path | None,
    at: Path | None,
    *,
    combine: bool,
    resume: bool,
    restart: bool,
) -> None:
    """Check that what is asked for goes together."""
    faults = []
    if len(cases) > 1 and not combine:
        faults.append(Fault("CASES", "one table, or --combine and sums", f"{len(cases)} files"))
    if statistics is not None and (combine or output is not None):
        expected = "sums alone: neither --combine nor --output beside them"
        faults.append(Fault("--statistics", expected, Phrase("both")))
    if resume and restart:
        faults.append(Fault("--resume", "it or --restart", Phrase("both")))
    for name, given in (("--resume", resume), ("--restart", restart)):
        if given and (combine or statistics is not None):
            expected = "a table of cases and --output: only such a search is kept"
            other = "--combine" if combine else "--statistics"
            faults.append(Fault(name, expected, Phrase(other)))
    if statistics is None and output is None:
        faults.append(Fault("--output", "a new or empty folder", NOTHING))
    if at is not None and statistics is None:
        faults.append(Fault("--at", "--statistics beside it", NOTHING))
    if faults:
        raise BayesdxError(faults)


def _write_folder(source: Path, target: Path, learned: str) -> None:
    """Copy the files of a knowledge folder, settings too, and add what was learned."""
    from bayesdx.tables import write_files

    names = [
        one.relative_to(source)
        for pattern in ("*.toml", "causes/*.toml", "settings/*.toml")
        for one in sorted(source.glob(pattern))
    ]
    contents = {name.as_posix(): (source / name).read_bytes() for name in names}
    write_files(target, contents | {LEARNED_FILE: learned.encode()})
