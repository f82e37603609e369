"""`bayesdx check`: whether a priors folder is in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bayesdx.building.assembly import assemble, fit_remarks
from bayesdx.cli.options import Folder, Priors, one_folder
from bayesdx.cli.progress import patience
from bayesdx.diagnosis.constraint_checks import missed_remarks
from bayesdx.diagnosis.statement_effects import effect_remarks
from bayesdx.errors import NOTHING, Fault, InvalidCase, unknown_names
from bayesdx.knowledge.coverage import summary
from bayesdx.knowledge.knowledge import Knowledge
from bayesdx.knowledge.learned_numbers import in_use
from bayesdx.knowledge.linting import lint
from bayesdx.knowledge.overrides import stale
from bayesdx.knowledge.reading import read_knowledge
from bayesdx.presentation.terminal import show, show_lines
from bayesdx.presentation.words import counted, listed

EXPECTED = "expected_cause"
#: From so many places on, those of one warning are named in part; ``--verbose`` names all.
ALIKE = 4


def check(
    folder: Folder = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Notes as well.")] = False,
    deep: Annotated[
        bool,
        typer.Option("--depth", help="Also say what causes lack and what nothing tells apart."),
    ] = False,
    typical: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Typical presentations for --depth: cases with expected_cause; by default "
            "scenarios/typical.csv beside the folder, where it is.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", hidden=True)] = False,
    priors: Priors = None,
) -> None:
    """Lint a folder of knowledge.

    Also says where the network cannot give back a stated number, with both numbers, which
    statements are nowhere, which its answers do not follow, and which constraints they miss.
    Errors come last. With --depth: links a cause, findings without effect, pairs of causes that no
    question, sign or test tells apart, causes without age, causes that no typical presentation
    brings to the first place. Exit code 1 when there is an error, 2 when the folder cannot be read.
    """
    if typical is not None and not deep:
        raise InvalidCase(Fault("--typical", "--depth beside it", NOTHING))
    with patience("checking"):
        knowledge = read_knowledge(one_folder(folder, priors))
        # What the finished network makes of the numbers belongs to a check as well.
        used = in_use(knowledge)
        assembly = assemble(used)
        missed = missed_remarks(used, assembly, stale(knowledge))
        remarks = lint(knowledge) + fit_remarks(assembly) + missed
        remarks += effect_remarks(used, assembly)
    shown = ("info", "warning") if verbose and not quiet else ("warning",)
    _print([remark for kind in shown for remark in remarks if remark[0] == kind], verbose)
    counts = Counter(severity for severity, _, _ in remarks)
    kinds = ("error", "warning", "note")
    found = ", ".join(counted(counts["info" if kind == "note" else kind], kind) for kind in kinds)
    if knowledge.statements:
        show_lines(summary(knowledge))
    # What no cause explains has a row of its own and is no cause.
    causes = sum(cause.kind != "leak" for cause in knowledge.causes.values())
    size = f"{counted(causes, 'cause')}, {counted(len(knowledge.findings), 'finding')}"
    show_lines(f"{knowledge.folder}: {size}; {found}; digest {knowledge.digest[:12]}")
    if deep and not counts["error"]:
        _show_depth(knowledge, typical)
    if counts["error"]:
        print()
        _print([remark for remark in remarks if remark[0] == "error"])
    if counts["error"] or (strict and counts["warning"]):
        raise typer.Exit(1)


def _print(remarks: Sequence[tuple[str, str, str]], every: bool = True) -> None:
    alike: dict[tuple[str, str], list[str]] = {}
    for severity, place, message in remarks:
        alike.setdefault((severity, message), []).append(place)
    for (severity, message), places in alike.items():
        # One remark about many numbers is one line: the others would be lost among them.
        named = listed(places, every or len(places) < ALIKE)
        show_lines(f"{severity}: {named}: {message}")


def _show_depth(knowledge: Knowledge, typical: Path | None) -> None:
    # Imported here: a check without it need not wait for tables.
    from bayesdx.diagnosis.core import build_core
    from bayesdx.diagnosis.depth import depth
    from bayesdx.presentation.depth_view import depth_blocks
    from bayesdx.tables.stated_tables import read_table
    from bayesdx.tables.table_options import TableOptions

    beside = knowledge.folder.parent / "scenarios" / "typical.csv"
    source = typical or (beside if beside.is_file() else None)
    cases, expected = None, tuple[str, ...]()
    with patience("measuring depth"):
        core = build_core(knowledge)
        if source is not None:
            table = read_table(str(source), core.reader.names, TableOptions())
            if EXPECTED not in table.frame:
                raise InvalidCase(Fault(str(source), f"a column {EXPECTED}", NOTHING))
            told = table.evidence
            columns = {str(name): told[name].array for name in told.columns}
            cases = core.reader.read(columns, len(told), table.place)
            cells = table.frame[EXPECTED].fillna("")
            expected = tuple(str(one).strip() for one in cells)
            if faults := [
                fault
                for row, name in enumerate(expected)
                if name
                for fault in unknown_names(
                    table.place(row, EXPECTED), "the id of a cause", [name], core.causes
                )
            ]:
                raise InvalidCase(faults)
        found = depth(core, cases, expected)
    show(depth_blocks(found))
