"""`bayesdx network`: what a network file holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesdx.cli.printing import make_console
from bayesdx.cli.words import listed
from bayesdx.errors import Fault, InvalidCase
from bayesdx.formats import read_network
from bayesdx.network.network import Network
from bayesdx.tables import read_cases, refuse_overwriting, with_case_ids, write_table
from bayesdx.tables.answers import evidence_columns, posterior_frame
from bayesdx.tables.networks import compile_network

MOST_VARIABLES = 40


NetworkFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A network: .bif, .xmlbif, .net, .xdsl or .uai, each also as .gz.",
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
        "blank for unknown: CSV, Parquet by file name, - for CSV on standard input.",
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
        "by default.",
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
OutputOption = Annotated[
    str,
    typer.Option("-o", "--output", metavar="OUT", help="With --cases: where to write, as score."),
]


def network(
    file: NetworkFile,
    every: Annotated[
        bool, typer.Option("--all", help="Every variable, with all its states and parents.")
    ] = False,
    cases: CasesOption = None,
    target: TargetOption = None,
    mpe: MpeOption = False,
    output: OutputOption = "-",
    normalise: NormaliseOption = False,
    encoding: EncodingOption = None,
) -> None:
    """Describe a network file, or answer cases on it.

    Without --cases: variables, states, parents, the largest table. With --cases: one row a case,
    one column a state with its posterior (variable=state), log evidence and status; or, with
    --mpe, one column a variable with its state in the most probable explanation.
    """
    read = read_network(file, normalise=normalise, encoding=encoding)
    if cases is None:
        print_network(make_console(), file.name, read, every)
        return
    refuse_overwriting(output, [file, cases])
    if mpe and target:
        raise InvalidCase(Fault("--target", "no target with --mpe", ", ".join(target)))
    answer_cases(read, cases, None if mpe else target or [], output)


def answer_cases(network: Network, cases: str, targets: list[str] | None, output: str) -> None:
    """Answer a table of cases and write the answers.

    Parameters
    ----------
    network : Network
    cases, output : str
        File names, - for standard input and output.
    targets : list of str or None
        Variables whose posteriors are wanted, every one where empty; None for the most probable
        explanation in place of posteriors.
    """
    table = read_cases(cases)
    plan, evidence = compile_network(network), evidence_columns(table, network)
    if targets is None:
        answers = plan.mpe(evidence).reset_index(drop=True)
    else:
        answers = posterior_frame(plan.query(evidence, targets=targets or None))
    write_table(with_case_ids(table, answers), output)
    impossible = int((answers["status"] != "ok").sum())
    print(
        f"bayesdx: {len(answers)} cases ({impossible} impossible) written to {output}",
        file=sys.stderr,
    )


def print_network(console: Console, name: str, network: Network, every: bool = False) -> None:
    """Print a few figures of a network, then a line for each variable.

    Parameters
    ----------
    console : Console
    name : str
        Of the file.
    network : Network
        Of tables.
    every : bool
        Print all variables, all states and all parents.
    """
    for line in summary_lines(name, network):
        console.print(Text(line), soft_wrap=True)
    console.print()
    names = list(network.variables)
    shown = names if every or len(names) <= MOST_VARIABLES + 1 else names[:MOST_VARIABLES]
    console.print(_variable_table(network, shown, every))
    if len(shown) < len(names):
        console.print(Text(f"and {len(names) - len(shown)} variables more: --all"))


def summary_lines(name: str, network: Network) -> list[str]:
    """Return how large a network is, in lines of text."""
    sizes = {one: network.table(one).size for one in network.variables}
    cards = [variable.cardinality for variable in network.variables.values()]
    parents = {one: len(network.parents(one)) for one in network.variables}
    largest, eldest = (
        max(sizes, key=lambda one: sizes[one]),
        max(parents, key=lambda one: parents[one]),
    )
    states = f"{min(cards)} to {max(cards)}" if min(cards) < max(cards) else f"{cards[0]}"
    links = sum(parents.values())
    return [
        f"{name}: {_counted(len(cards), 'variable')}, {_counted(links, 'link')}, {states} states "
        f"each, {_counted(sum(sizes.values()), 'table cell')}; digest {network.digest[:12]}",
        f"Largest table: {largest}, {_counted(sizes[largest], 'cell')}. "
        f"Most parents: {eldest}, {parents[eldest]}.",
    ]


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _variable_table(network: Network, names: list[str], every: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("variable", overflow="fold")
    table.add_column("states", overflow="fold", ratio=1)
    table.add_column("parents", overflow="fold", ratio=1)
    table.add_column("cells", justify="right", no_wrap=True)
    for name in names:
        states = listed(network.variables[name].states, every)
        parents = listed(network.parents(name), every)
        table.add_row(*map(Text, (name, states, parents, f"{network.table(name).size:,}")))
    return table
