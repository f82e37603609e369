"""Cases of any kind, put to a network: state positions, soft evidence, labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayesdx.case_columns import column_roles
from bayesdx.case_frames import CaseTable, cases_frame, is_one_case
from bayesdx.diagnosis.distinct import Cells
from bayesdx.errors import Fault, InvalidCase
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
    index: pd.Index = _ONE
    known = encoder.position.__contains__
    soft: dict[int, FloatArray] = {}
    if is_one_case(evidence):
        states, wrong = encoder.one(evidence)
        if wrong and any(isinstance(name, str) and "=" in name for name in evidence):
            return read_cases(encoder, [evidence], likelihoods, faults)
    elif isinstance(evidence, np.ndarray) and evidence.dtype.kind in "iu":
        states, wrong = encoder.positions(evidence)
    elif isinstance(evidence, list) and all(isinstance(case, Mapping) for case in evidence):
        names = list(dict.fromkeys(name for case in evidence for name in case))
        wanted, soft, further = _soft(
            encoder,
            column_roles(names, known).evidence,
            lambda name: [case.get(name) for case in evidence],
            range(len(evidence)),
        )
        states, wrong = encoder.rows(evidence, wanted)
        wrong = further + wrong
    else:
        table = cases_frame(evidence, "evidence")
        index, names = table.index, table.columns.tolist()
        wanted, soft, further = _soft(
            encoder,
            column_roles(names, known).evidence,
            lambda name: table[name].array,
            index.tolist(),
        )
        states, wrong = encoder.states(table if len(wanted) == len(names) else table[list(wanted)])
        wrong = further + wrong
    if len(index) != len(states):
        index = pd.RangeIndex(len(states))
    given, further = encoder.likelihoods(likelihoods, len(states))
    twice = [list(encoder.position)[v] for v in given if v in soft]
    further += [
        Fault("likelihoods", "each variable once", f"{name} in columns too") for name in twice
    ]
    faults = wrong + further + faults
    if faults:
        raise InvalidCase(faults)
    soft |= {v: np.asarray(one, np.float64) for v, one in given.items()}
    return states, soft, index


def _soft(
    encoder: Encoder, names: Sequence[str], cells: Callable[[str], Cells], labels: Sequence[Any]
) -> tuple[Sequence[str], dict[int, FloatArray], list[Fault]]:
    """Columns that are no likelihoods, likelihoods (N, S) by variable, and what is wrong."""
    columns, faults = likelihood_columns(encoder, names, "evidence, column")
    if not columns:
        return names, {}, faults
    taken = {name for one in columns.values() for name in one}
    soft: dict[int, FloatArray] = {}
    for v, own in columns.items():
        soft[v], wrong = likelihood_numbers({name: cells(name) for name in own}, own)
        faults += listed(wrong, labels, LISTED)
    return [name for name in names if name not in taken], soft, faults
