"""What a network file holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from bayesdx.network.cpds import TableCPD
from bayesdx.network.markov import MarkovNetwork
from bayesdx.presentation.layout import BLANK, Block, Grid, Paragraph, Row
from bayesdx.presentation.words import counted, listed

if TYPE_CHECKING:
    from bayesdx.network.cpds import CPD, NoisyCPD
    from bayesdx.network.network import Network

MOST_VARIABLES = 40


def network_blocks(
    name: str, network: Network | MarkovNetwork, every: bool = False
) -> Iterator[Block]:
    """Describe a network: a few figures, then a line for each variable.

    Parameters
    ----------
    name : str
        Of the file.
    network : Network or MarkovNetwork
        Of a Markov network the functions, in place of parents, in which a variable is.
    every : bool
        All variables, all states and all parents.
    """
    if isinstance(network, MarkovNetwork):
        yield from _markov_blocks(name, network, every)
        return
    sizes = {one: stored_numbers(cpd) for one, cpd in network.cpds.items()}
    cards = [variable.cardinality for variable in network.variables.values()]
    parents = {one: len(network.parents(one)) for one in network.variables}
    largest, eldest = max(sizes, key=sizes.__getitem__), max(parents, key=parents.__getitem__)
    states = f"{min(cards)} to {max(cards)}" if min(cards) < max(cards) else f"{cards[0]}"
    yield Paragraph(
        f"{name}: {counted(len(cards), 'variable')}, {counted(sum(parents.values()), 'link')}, "
        f"{states} states each, {counted(sum(sizes.values()), 'table cell')}; digest "
        f"{network.digest[:12]}"
    )
    yield Paragraph(
        f"Largest table: {largest}, {counted(sizes[largest], 'cell')}. "
        f"Most parents: {eldest}, {parents[eldest]}."
    )
    yield BLANK
    names = list(network.variables)
    shown = _shown(names, every)
    rows: list[Row] = [
        (
            one,
            listed(network.variables[one].states, every),
            listed(network.parents(one), every),
            f"{sizes[one]:,}",
        )
        for one in shown
    ]
    yield Grid(("variable", "states", "parents", "cells"), rows, frozenset({0, 1, 2}))
    if len(shown) < len(names):
        yield Paragraph(f"and {len(names) - len(shown)} variables more: --all")


def _markov_blocks(name: str, network: MarkovNetwork, every: bool) -> Iterator[Block]:
    cells = [factor.values.size for factor in network.factors]
    yield Paragraph(
        f"{name}: Markov network of {counted(len(network.variables), 'variable')} and "
        f"{counted(len(cells), 'function')}, of {counted(max(cells, default=0), 'cell')} at most"
    )
    yield BLANK
    inside = Counter(one for factor in network.factors for one in factor.scope)
    names = list(network.variables)
    shown = _shown(names, every)
    rows: list[Row] = [
        (one, listed(network.variables[one].states, every), f"{inside[one]:,}") for one in shown
    ]
    yield Grid(("variable", "states", "functions"), rows, frozenset({0, 1}))
    if len(shown) < len(names):
        yield Paragraph(f"and {len(names) - len(shown)} variables more: --all")


def _shown(names: list[str], every: bool) -> list[str]:
    return names if every or len(names) <= MOST_VARIABLES + 1 else names[:MOST_VARIABLES]


def stored_numbers(cpd: CPD) -> int:
    """Count the numbers of a distribution: cells of a table, parameters of a noisy family."""
    if isinstance(cpd, TableCPD):
        return cpd.values.size
    own = cast("NoisyCPD", cpd).mechanism
    return own.exceed.size + own.leak.size
