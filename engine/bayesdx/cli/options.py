"""Options that several commands share, and what is typed for findings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesdx.cli.arguments import read_findings
from bayesdx.errors import Fault, InvalidCase, InvalidKnowledge, Phrase

FINDING_HELP = (
    "id=value, id alone for present, !id for absent. Values: present, absent, unknown, a state, a "
    "measured number (potassium=3.1, duration='7 months'), or a number between 0 and 1 for how far "
    "the finding speaks for present."
)

Priors = Annotated[
    Path | None,
    typer.Option(
        "-p",
        "--priors",
        metavar="FOLDER",
        help="Knowledge to use instead of the packaged priors.",
        show_default=False,
    ),
]
Setting = Annotated[
    str | None,
    typer.Option(
        "--setting",
        metavar="NAME",
        help="Whose priors to take: general_practice, emergency_department, physiotherapy, "
        "spine_or_pain_clinic, or a TOML file.",
        show_default=False,
    ),
]
CodeMap = Annotated[
    Path | None,
    typer.Option(
        "--codes",
        metavar="FILE",
        help="Your own codes, for JSON: a CSV with the columns id, system, code and, if wanted, "
        "display.",
        show_default=False,
    ),
]
Findings = Annotated[
    list[str] | None,
    typer.Argument(metavar="FINDING", help=FINDING_HELP, show_default=False),
]
FindingOptions = Annotated[
    list[str] | None,
    typer.Option(
        "-f",
        "--finding",
        metavar="FINDING",
        help="In place of CASES, a finding of one case, as for diagnose; once for every finding.",
        show_default=False,
    ),
]
CaseTable = Annotated[
    str | None,
    typer.Argument(
        metavar="CASES",
        help="Cases as for score: CSV, Parquet by file name, - for CSV on standard input.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
Top = Annotated[int, typer.Option(min=1, help="How many rows to print.")]
OnErrorName = Annotated[
    str,
    typer.Option(
        metavar="stop|skip|report",
        help="What a row that cannot be read does: nothing is written; or it goes to "
        "OUT.rejected.csv and the rest is scored, with exit code 0 (skip) or 1 (report).",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only check the cases; score and write nothing.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with an interrupted run, if there is one.")
]
Restart = Annotated[bool, typer.Option("--restart", help="Drop an interrupted run and begin anew.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, a summary of a line.")]
NoProgress = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLDER",
        help="The priors folder; by default the packaged one.",
        show_default=False,
    ),
]


def one_folder(folder: Path | None, priors: Path | None) -> Path | None:
    """Return the folder that was named as an argument or an option; both must be the same."""
    if folder is not None and priors is not None and folder != priors:
        raise InvalidKnowledge(Fault("options", "one folder", Phrase(f"{folder} and {priors}")))
    return folder or priors


def place_of(output: str) -> str:
    """Name the place that something is written to, as the option of an output says it."""
    return "standard output" if output == "-" else output


def check_output(
    output: str | Path, *read: str | Path | None, priors: Path | None, setting: str | None = None
) -> None:
    """Refuse an output before the work is done that it is for.

    Parameters
    ----------
    output : str or Path
        ``-`` is standard output.
    *read : str, Path or None
        What the command reads.
    priors, setting
        As the options.

    Raises
    ------
    InvalidCase
        It is one of the files that are read, a file of the knowledge among them; or no file can be
        written there.
    """
    # Imported here: other commands need no tables.
    from bayesdx.knowledge.folders import find_priors
    from bayesdx.tables import check_place, refuse_overwriting

    if str(output) != "-":
        refuse_overwriting(output, [*read, priors or find_priors(), setting])
        check_place(output)


def check_page_name(output: Path) -> None:
    """Refuse a page that no browser would take for one, or that cannot be written there.

    Raises
    ------
    InvalidCase
        When the name does not end in .html, or there is no such folder.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        got = output.suffix or Phrase("a name without an ending")
        raise InvalidCase(Fault(str(output), "a name ending in .html", got))
    # Imported here: other commands need no tables.
    from bayesdx.tables import check_place

    check_place(output)


def given_findings(words: list[str] | None, got: str = "none") -> dict[str, str]:
    """Read the findings of a command that needs some.

    Raises
    ------
    InvalidCase
        When there is none, or a word cannot be read.
    """
    given = read_findings(words or ())
    if not given:
        expected = "findings, such as fever=present"
        raise InvalidCase(Fault("arguments", expected, Phrase(got)))
    return given
