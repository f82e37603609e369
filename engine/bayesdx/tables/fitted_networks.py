"""A network from its arrows and a table of cases: states as they occur, numbers learnt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import CaseTable, cases_frame
from bayesdx.checked_numbers import is_real, is_whole
from bayesdx.diagnosis.distinct import distinct_cells
from bayesdx.diagnosis.values import is_missing
from bayesdx.errors import Fault, InvalidCase, InvalidNetwork, Phrase, nearest_names, unknown_names
from bayesdx.inference.learning.maximisation import Schedule
from bayesdx.inference.learning.pseudo_counts import Prior
from bayesdx.network.cpds import MAX_TABLE_CELLS, TableCPD
from bayesdx.network.network import Network
from bayesdx.network.variables import Variable
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.learned_network import LearnedNetwork
from bayesdx.tables.learning import HowToLearn, Weight, learned_network
from bayesdx.tables.networks import MEMORY_LIMIT

#: Arrows (parent, child), parents by child, or a network whose numbers are where learning starts.
NetworkStructure = Iterable[tuple[str, str]] | Mapping[str, Sequence[str]] | Network
#: Distinct cells of a column from which it holds numbers rather than states.
MOST_LABELS = 200


def fit(
    structure: NetworkStructure,
    cases: CaseTable,
    *,
    prior: Prior = None,
    states: Mapping[str, Sequence[str]] | None = None,
    equivalent_sample_size: float = 1.0,
    weight: Weight = None,
    iterations: int = 200,
    tolerance: float = 1e-6,
    seed: int = 0,
    memory_limit: float = MEMORY_LIMIT,
) -> LearnedNetwork:
    """Make a network of a structure and a table of cases.

    Parameters
    ----------
    structure : iterable of (parent, child), mapping of child to parents, or Network
        A network gives states and the numbers that EM starts from, and may have noisy families.
    cases : DataFrame or mapping of columns
        One row a case, columns among the variables; NaN, None, NA and blanks are missing.
    prior : None, float, "bdeu" or mapping of str to array, optional
        Imagined observations; see `CompiledNetwork.learn`.
    states : mapping of str to sequence of str, optional
        State names of variables, in their order; needed where a variable has no column. Those of
        the others are what their columns hold: categories as they are ordered, numbers by size,
        words by the alphabet.
    equivalent_sample_size : float
        For "bdeu", above 0.
    weight : str or array (N,), optional
        How often each row counts: the name of a column, or numbers of at least 0.
    iterations, tolerance
        When EM stops; see `CompiledNetwork.learn`.
    seed : int
        Of the random tables that EM starts from where variables have no column: with equal ones it
        could not tell their states apart. Other tables start equal.
    memory_limit : float
        Bytes, as for `compile_network`.

    Returns
    -------
    LearnedNetwork

    Raises
    ------
    InvalidNetwork
        If the structure is none (a cycle, a repeated arrow), or a variable has no states.
    InvalidCase
        With every fault of the cases at once.

    Examples
    --------
    >>> import bayesdx
    >>> cases = {"rain": ["no", "yes", "no", "yes"], "wet": ["no", "yes", "no", "no"]}
    >>> bayesdx.fit([("rain", "wet")], cases).network.table("wet").tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    if not is_whole(seed, 0):
        raise InvalidCase(Fault("seed", "a whole number of at least 0", seed))
    if not is_real(memory_limit, 0.0, math.inf):
        raise InvalidNetwork(Fault("memory_limit", "a number of bytes", memory_limit))
    how = HowToLearn(
        prior, equivalent_sample_size, Schedule(iterations, tolerance), float(memory_limit)
    )
    if isinstance(structure, Network):
        if states is not None:
            raise InvalidNetwork(
                Fault("states", "none beside a network, which has its own", states)
            )
        start = structure
    else:
        frame = cases_frame(cases)
        start = starting_network(parents_of(structure), frame, states or {}, weight, seed)
        cases = frame
    return learned_network(start, Encoder(start), cases, weight, how)


def parents_of(structure: object) -> dict[str, tuple[str, ...]]:
    """Parents of every variable of a structure, in the order in which they are named.

    Raises
    ------
    InvalidNetwork
        If it is no structure, with every fault.
    """
    expected = "pairs (parent, child), a mapping of child to parents, or a Network"
    faults: list[Fault] = []
    found: dict[str, list[str]] = {}
    pairs: list[Any] = []
    if isinstance(structure, Mapping):
        for child, parents in structure.items():
            if isinstance(parents, str) or not isinstance(parents, Iterable):
                faults.append(Fault(f"structure, parents of {child}", "a list of names", parents))
                continue
            found.setdefault(child, [])
            pairs += [(parent, child) for parent in parents]
    elif isinstance(structure, Iterable) and not isinstance(structure, str):
        pairs = list(structure)
    else:
        raise InvalidNetwork(Fault("structure", expected, structure))
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            faults.append(Fault("structure", "a pair (parent, child)", pair))
            continue
        parent, child = pair
        if not (isinstance(parent, str) and isinstance(child, str)):
            faults.append(Fault("structure", "names", pair))
            continue
        found.setdefault(parent, [])
        if parent in found.setdefault(child, []):
            faults.append(Fault("structure", "each arrow once", pair))
        found[child].append(parent)
    if not found and not faults:
        faults.append(Fault("structure", expected, Phrase("no variables")))
    if faults:
        raise InvalidNetwork(faults)
    return {child: tuple(parents) for child, parents in found.items()}


def starting_network(
    parents: Mapping[str, tuple[str, ...]],
    frame: pd.DataFrame,
    states: Mapping[str, Sequence[str]],
    weight: Weight,
    seed: int,
) -> Network:
    """The network that EM starts from: equal tables, random ones where a variable is hidden.

    Raises
    ------
    InvalidNetwork
        If a variable has no states, or there is a cycle.
    InvalidCase
        If a column is no variable.
    """
    if not len(frame):
        raise InvalidCase(Fault("cases", "a row with a known cell", Phrase("no rows")))
    evidence = column_roles(
        [name for name in frame.columns if name != weight], parents.__contains__
    )
    expected = "a variable of the structure"
    if unknown := unknown_names("cases, column", expected, evidence.evidence, parents):
        raise InvalidCase(unknown)
    faults = unknown_names("states", expected, states, parents)
    named: dict[str, tuple[str, ...]] = {}
    for name in parents:
        if name in states:
            given = states[name]
            named[name] = (given,) if isinstance(given, str) else tuple(given)
        elif name in frame.columns:
            named[name], wrong = column_states(frame[name])
            faults += wrong
        else:
            expected = "a column of the cases, or its states in states="
            near = nearest_names(name, map(str, frame.columns))
            faults.append(Fault(f"variable {name}", expected, Phrase("neither"), near))
    if faults:
        raise InvalidNetwork(faults)
    variables = [Variable(name, named[name]) for name in parents]
    hidden = {name for name in parents if name not in frame.columns or frame[name].isna().all()}
    rng = np.random.default_rng(seed)
    cpds = []
    for name, above in parents.items():
        shape = tuple(len(named[one]) for one in (*above, name))
        cells = float(np.prod([float(size) for size in shape]))
        if cells > MAX_TABLE_CELLS:
            expected = f"at most {MAX_TABLE_CELLS} cells"
            raise InvalidNetwork(Fault(f"table of {name}", expected, Phrase(f"{cells:.3g} cells")))
        if hidden.isdisjoint((*above, name)):
            table = np.full(shape, 1.0 / shape[-1])
        else:
            table = rng.dirichlet(np.full(shape[-1], 5.0), size=shape[:-1])
        cpds.append(TableCPD(name, above, table))
    return Network(variables, cpds)


def column_states(cells: pd.Series) -> tuple[tuple[str, ...], list[Fault]]:
    """The states that a column holds, as text and in order; and what is wrong."""
    place = f"states of {cells.name}"
    if isinstance(cells.dtype, pd.CategoricalDtype):
        values = list(cells.dtype.categories)
    else:
        values = [one for one in distinct_cells(cells.array)[1] if not is_missing(one)]
    if len(values) > MOST_LABELS:
        got = Phrase(f"{len(values)} different cells")
        return (), [Fault(place, f"at most {MOST_LABELS}, or states=", got)]
    texts = {state_text(one) for one in values}
    if not texts:
        got = Phrase("no known cell in the column")
        return (), [Fault(place, "a known cell, or states=", got)]
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return tuple(dict.fromkeys(map(state_text, values))), []
    return tuple(sorted(texts, key=_by_size)), []


def state_text(value: object) -> str:
    """A cell as the name of a state: whole numbers without a point, words without blanks around."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return str(value).strip()


def _by_size(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
