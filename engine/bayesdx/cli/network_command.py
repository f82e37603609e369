"""`bayesdx network`: what a file holds, the same in another format, cases on it, numbers learnt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from bayesdx.cli.case_tables import reads_tables
from bayesdx.cli.network_forms import (
    ANSWER,
    CONVERT,
    DESCRIBE,
    EXPORT,
    LEARN,
    form_of,
    refuse_unused,
)
from bayesdx.cli.network_limits import search_of, size_of
from bayesdx.cli.options import DryRun, OnErrorName, Quiet, Restart, Resume
from bayesdx.cli.progress import progress_shown, reading_networks
from bayesdx.cli.run_summary import LISTED, notes_told, print_summary
from bayesdx.cli.signals import ended_by_signals
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.formats import Renaming, read_either_network, read_network
from bayesdx.presentation.network_view import network_blocks
from bayesdx.presentation.terminal import show
from bayesdx.tables import refuse_overwriting
from bayesdx.tables.networks import MEMORY_LIMIT

if TYPE_CHECKING:
    from bayesdx.cli.network_learning import LearningRun
    from bayesdx.network.network import Network
    from bayesdx.tables.execution.network_subject import NetworkSubject
    from bayesdx.tables.execution.run_options import OnError, RunOptions
    from bayesdx.tables.table_options import TableOptions

NetworkFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE | convert FILE OUT | learn FILE ROWS -o OUT | export [PRIORS] -o OUT",
        help="A network: .bif, .xmlbif, .net, .xdsl, .uai, .pgmx or .dne, each also as .gz. With "
        "convert: write FILE as OUT, in the format that its name says (not .pgmx, .dne). With "
        "learn: write FILE, its numbers learnt from the table ROWS, as OUT. With export: write the "
        "network of a knowledge folder, the packaged one by default, as OUT.",
        show_default=False,
    ),
]
CasesOption = Annotated[
    str | None,
    typer.Option(
        "-c",
        "--cases",
        metavar="IN",
        help="Cases to answer, one a row, columns among the variables, cells state names or "
        "blank for unknown: .csv, .jsonl, .parquet as for score, - for CSV on standard input.",
        show_default=False,
    ),
]
TargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "-t",
        "--target",
        metavar="VARIABLE",
        help="With --cases: a variable whose posterior is wanted, once for every variable; all "
        "by default. With --mpe: what is explained, all else being summed out.",
        show_default=False,
    ),
]
MpeOption = Annotated[
    bool,
    typer.Option(
        "--mpe",
        help="With --cases: the most probable explanation, one state a variable, in place of "
        "posteriors.",
    ),
]
KOption = Annotated[
    int | None,
    typer.Option(
        "--k",
        metavar="K",
        help="With --mpe: so many explanations of each case, a row each, the best first.",
        show_default=False,
    ),
]
TimeOption = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="With --mpe: what the search of a case may take where no table holds it; what is not "
        "proved by then is told with its bound.",
        show_default=False,
    ),
]
NormaliseOption = Annotated[
    bool,
    typer.Option(
        "--normalise",
        help="Divide rows of tables by their sums and say which missed 1; else they may by 1e-6.",
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Of the network's text, such as latin-1."),
]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        "--memory-limit",
        metavar="SIZE",
        help="With --cases: what tables may take together, such as 500M or 8G; 2G by default. A "
        "case that needs more is too complex.",
        show_default=False,
    ),
]
ChunkRows = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="With --cases: rows answered together, by default as many as 64 MiB of answers hold.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="With --cases: where to write, as score. With learn and export: the network file.",
    ),
]
RenameOption = Annotated[
    bool,
    typer.Option(
        "--rename",
        help="With convert: find other names for those that OUT cannot hold, and write "
        "OUT.names.json, which tells which.",
    ),
]
NamesOption = Annotated[
    str | None,
    typer.Option(
        "--names",
        metavar="JSON",
        help="Give variables and states of FILE the names of such a file.",
        show_default=False,
    ),
]
PriorOption = Annotated[
    str,
    typer.Option(
        "--prior",
        metavar="NUMBER|bdeu[:SIZE]",
        help="With learn: imagined cases of every entry of a table, 0 for none; or bdeu, which "
        "shares SIZE cases, 1 by default, out among the entries of each table.",
    ),
]
WeightOption = Annotated[
    str | None,
    typer.Option(
        "--weight",
        metavar="COLUMN",
        help="With learn: the column that says how often a row counts.",
        show_default=False,
    ),
]
IterationsOption = Annotated[
    int, typer.Option("--iterations", metavar="N", help="With learn: passes over the rows at most.")
]


#: A network has no words for present and absent, and its own text has an encoding too.
@reads_tables("yes", "no", encoding="cases_encoding")
def network(
    ctx: typer.Context,
    files: NetworkFiles,
    every: Annotated[
        bool, typer.Option("--all", help="Every variable, with all its states and parents.")
    ] = False,
    cases: CasesOption = None,
    target: TargetOption = None,
    mpe: MpeOption = False,
    k: KOption = None,
    time_limit: TimeOption = None,
    output: OutputOption = "-",
    on_error: OnErrorName = "stop",
    dry_run: DryRun = False,
    resume: Resume = False,
    restart: Restart = False,
    chunk_rows: ChunkRows = None,
    quiet: Quiet = False,
    normalise: NormaliseOption = False,
    encoding: EncodingOption = None,
    memory_limit: MemoryOption = None,
    rename: RenameOption = False,
    names: NamesOption = None,
    prior: PriorOption = "0",
    weight: WeightOption = None,
    iterations: IterationsOption = 200,
    *,
    table: TableOptions,
) -> None:
    """Describe or convert a network file, answer cases on it, or learn its numbers.

    Without --cases: variables, states, parents, the largest table. With --cases: one row a case,
    one column a state with its posterior (variable=state), log evidence and status; or, with
    --mpe, one column a variable with its state in the most probable explanation, its log
    probability and a bound of the best. Cases are read, rejected and written as by score, with
    OUT.audit.json and OUT.rejected.csv beside OUT. Of Markov networks (.uai) the log evidence is
    that of the product of all functions.

    With learn: tables by counts, by EM where cells are missing or variables have no column; noisy
    families by their links; a 0 stays 0. Rows that are impossible or blank are left out and told.
    """
    if files[0] == EXPORT and not Path(EXPORT).exists():
        refuse_unused(ctx, EXPORT)
        export_network(files, output)
        return
    form, path = form_of(files)
    refuse_unused(ctx, form or (ANSWER if cases is not None else DESCRIBE))
    limit = MEMORY_LIMIT if memory_limit is None else size_of(memory_limit)
    search = search_of(mpe, k, time_limit)
    mended = None if names is None else names_of(names, cases)

    def bayesian() -> Network:
        return read_network(path, normalise=normalise, encoding=encoding, rename=mended)

    reading = reading_networks(f"reading {path.name}")
    if form == CONVERT:
        from bayesdx.cli.network_files import NAMES_SUFFIX, written

        with reading:
            read = bayesian()
        for written_to in (files[2], f"{files[2]}{NAMES_SUFFIX}"):
            refuse_overwriting(written_to, [path, names])
        written(read, files[2], rename=rename)
        return
    if form == LEARN:
        from bayesdx.cli.network_learning import LearningRun

        with reading:
            read = bayesian()
        run = LearningRun(path, files[2], output, weight, table)
        learn_numbers(read, run, prior, iterations, limit)
        return
    with reading:
        either = (
            read_either_network(path, normalise=normalise, encoding=encoding)
            if mended is None
            else bayesian()
        )
    if cases is None:
        show(network_blocks(path.name, either, every))
        return
    # Imported here: no other command waits for it.
    from bayesdx.tables.execution.network_subject import NetworkReading, NetworkSubject
    from bayesdx.tables.execution.run_options import RunOptions

    how, words = NetworkReading(normalise, encoding), table.words
    subject = NetworkSubject(either, path, target or [], limit, words, how, search)
    options = RunOptions(
        on_error=cast("OnError", on_error),
        chunk_rows=subject.chunk_rows if chunk_rows is None else chunk_rows,
        # What is learnt from cases decides plans: which come first must not be by chance.
        workers=1,
        resume=resume,
        restart=restart,
        dry_run=dry_run,
        listed=LISTED,
        table=table,
    )
    answer_cases(subject, cases, output, options, quiet=quiet)


def export_network(files: list[str], output: str) -> None:
    """Write the network of a knowledge folder; see `network_files.export`.

    Raises
    ------
    InvalidCase
        Too many folders, or no output.
    """
    if len(files) > 2 or output == "-":
        expected = "export [PRIORS] -o OUT"
        raise InvalidCase(Fault("arguments", expected, Phrase(" ".join(files))))
    from bayesdx.cli.network_files import export

    export(files[1] if len(files) > 1 else None, output)


def names_of(names: str, cases: str | None) -> Renaming:
    """Read --names, which is not for cases.

    Raises
    ------
    InvalidCase
    """
    if cases is not None:
        expected = "no names with --cases: convert the network first"
        raise InvalidCase(Fault("--names", expected, names))
    from bayesdx.cli.network_files import read_names

    return read_names(names)


def learn_numbers(
    read: Network, run: LearningRun, prior: str, iterations: int, limit: float
) -> None:
    """Learn a network from a table of cases; see `network_learning`."""
    from bayesdx.cli.network_learning import learn_file, prior_of
    from bayesdx.inference.learning.maximisation import Schedule
    from bayesdx.tables.encoding import Encoder
    from bayesdx.tables.execution.network_subject import NetworkSubject
    from bayesdx.tables.learning import HowToLearn

    how = HowToLearn(*prior_of(prior), Schedule(iterations), limit)
    known = NetworkSubject(read, run.source, [], limit, run.table.words)
    learn_file(read, Encoder(read, run.table.words), known, run, how)


def answer_cases(
    subject: NetworkSubject, cases: str, output: str, options: RunOptions, *, quiet: bool
) -> None:
    """Answer a table of cases, write the answers, and say what became of them.

    Parameters
    ----------
    subject : NetworkSubject
    cases, output : str
        File names, - for standard input and output.
    options : RunOptions
    quiet : bool
        No progress, a summary of a line.
    """
    from bayesdx.tables.execution.table_run import run_table

    with ended_by_signals() as end, notes_told(), progress_shown("answering", quiet) as tell_rows:

        def told(rows: int, share: float | None) -> None:
            end()
            if tell_rows is not None:
                tell_rows(rows, share)

        report = run_table(subject, cases, output, options, told)
    print_summary(report, output, options.on_error, quiet)
    if options.on_error == "report" and report.counts.rejected:
        raise typer.Exit(1)
