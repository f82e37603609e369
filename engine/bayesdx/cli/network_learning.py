"""`bayesdx network learn`: a network file with the numbers that a table of cases gives it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayesdx.cli.labelled_tables import faults_of
from bayesdx.cli.progress import patience
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.formats import write_network
from bayesdx.formats.files import fitted
from bayesdx.presentation.terminal import tell
from bayesdx.presentation.words import counted, listed
from bayesdx.tables import check_place, refuse_overwriting
from bayesdx.tables.learning import HowToLearn, learned_network
from bayesdx.tables.stated_tables import WholeTable, read_table

if TYPE_CHECKING:
    from bayesdx.inference.learning.pseudo_counts import Prior
    from bayesdx.network.network import Network
    from bayesdx.tables.encoding import Encoder, States
    from bayesdx.tables.learned_network import LearnedNetwork
    from bayesdx.tables.table_options import KnownColumns, TableOptions

#: Cells of one column that are listed as faults.
LISTED_CELLS = 10


@dataclass(frozen=True)
class LearningRun:
    """What `network learn` was asked for.

    Attributes
    ----------
    source : Path
        The network's file.
    rows, output : str
        Table of cases, and file of the learnt network.
    weight : str or None
    table : TableOptions
    """

    source: Path
    rows: str
    output: str
    weight: str | None
    table: TableOptions


def learn_file(
    network: Network, encoder: Encoder, known: KnownColumns, run: LearningRun, how: HowToLearn
) -> None:
    """Learn a network from a table, write it, and say what became of the rows.

    Raises
    ------
    InvalidCase
        With every fault of the table at once; if the output is none, or an input.
    """
    if run.output == "-":
        raise InvalidCase(Fault("--output", "a network file to write, such as out.bif", "-"))
    refuse_overwriting(run.output, [run.source, Path(run.rows)])
    # Before the work: what is learnt must not be lost for a name.
    fitted(network, Path(run.output), rename=False)
    check_place(run.output)
    columns = replace(run.table, keep=(*run.table.keep, *([run.weight] if run.weight else [])))
    with patience(f"learning from {Path(run.rows).name}"), faults_of(run.rows):
        whole = read_table(run.rows, known, columns)
        states = states_of(whole, encoder)
        weights = whole.frame[run.weight].to_numpy() if run.weight else None
        learned = learned_network(network, encoder, states, weights, how)
    write_network(learned.network, run.output)
    tell("\n".join(summary(learned, whole, run.output)))


def states_of(whole: WholeTable, encoder: Encoder) -> States:
    """State positions (N, V) of a table; every fault at its cell."""
    states = np.full((len(whole.frame), encoder.size), -1, dtype=np.intp)
    faults: list[Fault] = []
    places = encoder.columns(whole.roles.evidence, "column", faults)
    for v, name in zip(places, whole.roles.evidence, strict=True):
        if v >= 0:
            states[:, v], wrong = encoder.cells(whole.frame[name].array, v)
            bad = sorted((row, k) for k, (rows, _) in enumerate(wrong) for row in rows.tolist())
            faults += [
                replace(wrong[k][1], place=whole.place(row, name)) for row, k in bad[:LISTED_CELLS]
            ]
            if len(bad) > LISTED_CELLS:
                rest = Phrase(f"{len(bad) - LISTED_CELLS} more such cells")
                faults.append(Fault(f"column {name}", "states", rest))
    if faults:
        raise InvalidCase(faults)
    return states


def prior_of(text: str) -> tuple[Prior, float]:
    """Read --prior: pseudo-counts or "bdeu", and the equivalent sample size.

    Raises
    ------
    InvalidCase
        It is none.
    """
    kind, _, size = text.strip().casefold().partition(":")
    try:
        if kind == "bdeu":
            found: tuple[Prior, float] = kind, float(size or 1.0)
        else:
            found = float(text), 1.0
    except ValueError:
        expected = "a number of at least 0, bdeu, or bdeu:SIZE"
        raise InvalidCase(Fault("--prior", expected, text)) from None
    return found


def summary(learned: LearnedNetwork, whole: WholeTable, output: str) -> list[str]:
    """What was learnt, and what was left out, a line each."""
    before, after = (float(one) / learned.weight for one in learned.log_likelihood[[0, -1]])
    how = "converged" if learned.converged else "not converged: --iterations"
    lines = [
        f"bayesdx: {counted(len(learned.network.variables), 'variable')} learnt from "
        f"{counted(learned.rows - learned.impossible - learned.blank, 'row')} written to {output}",
        f"  {counted(learned.iterations, 'iteration')}, {how}; log likelihood a row, on the rows "
        f"learnt from: {before:.4f} before, {after:.4f} after",
    ]
    if learned.impossible:
        first = [whole.names[int(str(row))] for row in learned.impossible_labels[:5]]
        more = ", ..." if learned.impossible > len(first) else ""
        told = f"{', '.join(first)}{more}"
        lines.append(
            f"  left out, impossible with the numbers before: {learned.impossible} ({told})"
        )
    if learned.blank:
        lines.append(f"  left out, nothing known: {counted(learned.blank, 'row')}")
    if learned.hidden:
        lines.append(f"  never observed: {listed(learned.hidden, False)}")
    if learned.unseen:
        rows = sum(learned.unseen.values())
        lines.append(
            f"  as before, no case and no prior reached them: {counted(rows, 'table row')}"
        )
    return lines
