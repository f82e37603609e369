"""Cases of any kind, put to a network: state positions, soft evidence, labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import CaseTable, cases_frame, is_one_case
from bayesdx.diagnosis.distinct import Cells
from bayesdx.errors import Fault, InvalidCase, Phrase
from bayesdx.inference.arrays import FloatArray
from bayesdx.tables.encoding import LISTED, Encoder, States
from bayesdx.tables.likelihood_columns import likelihood_columns, likelihood_numbers, listed

#: To make such an index takes as long as to answer a small case.
_ONE = pd.RangeIndex(1)
#: For a variable, likelihoods (N, S) of what was seen given each state.
Likelihoods = Mapping[str, ArrayLike] | None


def read_cases(
    encoder: Encoder, evidence: CaseTable, likelihoods: Likelihoods, faults: list[Fault]
) -> tuple[States, dict[int, FloatArray], pd.Index]:
    """Read cases; reserved columns are no evidence, where no variable has such a name.

    Parameters
    ----------
    encoder : Encoder
    evidence : table, mapping, list of mappings or int array (N, V)
        N cases; integers are positions of states in the order of the network's variables. Columns
        ``VARIABLE=STATE`` hold likelihoods, see `likelihood_columns`.
    likelihoods : mapping of str to array (N, S) or None
    faults : list of Fault
        What is wrong already, to be told with the rest.

    Returns
    -------
    states : intp array (N, V)
        State positions, -1 unknown.
    soft : dict of int to array (N, S)
        Likelihoods by position of the variable.
    index : Index
        Labels of the cases.

    Raises
    ------
    InvalidCase
        With every fault at once.
    """
    states, soft, wrong, index = _read(encoder, evidence)
    given, further = encoder.likelihoods(likelihoods, len(states))
    names = list(encoder.position)
    further += [
        Fault("likelihoods", "each variable once", Phrase(f"{names[v]} in columns too"))
        for v in given
        if v in soft
    ]
    faults = wrong + further + faults
    if faults:
        raise InvalidCase(faults)
    soft |= {v: np.asarray(one, np.float64) for v, one in given.items()}
    return states, soft, index


def _read(
    encoder: Encoder, evidence: CaseTable
) -> tuple[States, dict[int, FloatArray], list[Fault], pd.Index]:
    """State positions, likelihoods of columns, what is wrong, labels."""
    known = encoder.position.__contains__
    if is_one_case(evidence):
        states, wrong = encoder.one(evidence)
        if wrong and any(isinstance(name, str) and "=" in name for name in evidence):
            return _read(encoder, [evidence])
        return states, {}, wrong, _ONE
    if isinstance(evidence, np.ndarray) and evidence.dtype.kind in "iu":
        states, wrong = encoder.positions(evidence)
        return states, {}, wrong, pd.RangeIndex(len(states))
    if isinstance(evidence, list) and all(isinstance(case, Mapping) for case in evidence):
        names = list(dict.fromkeys(name for case in evidence for name in case))
        index: pd.Index = pd.RangeIndex(len(evidence))
        cells = {name: lambda name=name: [case.get(name) for case in evidence] for name in names}
        wanted, soft, wrong = _soft(encoder, column_roles(names, known).evidence, cells, index)
        states, further = encoder.rows(evidence, wanted)
    else:
        table = cases_frame(evidence, "evidence")
        index, names = table.index, table.columns.tolist()
        cells = {name: lambda name=name: table[name].array for name in names}
        wanted, soft, wrong = _soft(encoder, column_roles(names, known).evidence, cells, index)
        some = table if len(wanted) == len(names) else table[list(wanted)]
        states, further = encoder.states(some)
    return states, soft, wrong + further, index


def _soft(
    encoder: Encoder,
    names: Sequence[str],
    cells: Mapping[str, Callable[[], Cells]],
    index: pd.Index,
) -> tuple[Sequence[str], dict[int, FloatArray], list[Fault]]:
    """Columns that are no likelihoods, likelihoods (N, S) by variable, and what is wrong."""
    columns, faults = likelihood_columns(encoder, names, "evidence, column")
    if not columns:
        return names, {}, faults
    taken = {name for one in columns.values() for name in one}
    soft: dict[int, FloatArray] = {}
    for v, own in columns.items():
        soft[v], wrong = likelihood_numbers({name: cells[name]() for name in own}, own)
        faults += listed(wrong, index.tolist(), LISTED)
    return [name for name in names if name not in taken], soft, faults
